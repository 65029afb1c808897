"""Keeping names and confided words shut: keys, sealed fields, who opened what and why, how long things are kept.

Every matter has a key of its own; what is sealed with it opens for nobody once that key is destroyed. The key that
locks all of them lies in a file outside the database, and two of three holders can bring it back.
"""
