"""Receiving files into memory, never into a temporary file on the disk."""

from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler


class InMemory(MemoryFileUploadHandler):
    """Keeps every file in memory. How large a request may be is decided before it is read (GANDAN_BODY_BYTES)."""

    def handle_raw_input(self, *arguments: Any, **options: Any) -> None:
        self.activated = True
