"""Gần Dân: commune-level policing as an accountable public service."""

__version__ = "0.1.0"
