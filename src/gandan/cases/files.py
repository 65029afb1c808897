"""A file that somebody sent, from when it is harmless until it is laid down with its matter.

Until then its bytes are in memory only: where the matter is sealed, they never lie open on the disk.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from gandan.cases.durable import sync_names, write_whole


@dataclass(frozen=True, slots=True)
class File:
    """A file that was checked and made harmless. Without bytes it lies on the disk under its digest already."""

    sha256: str
    name: str
    media_type: str
    size: int
    content: bytes = field(default=b"", repr=False)


def path_of(sha256: str) -> Path:
    """Return where a file with this digest is kept."""
    if len(sha256) != 64 or not all(c in "0123456789abcdef" for c in sha256):
        raise ValueError("not a digest")
    return Path(settings.MEDIA_ROOT) / sha256[:2] / sha256


def store(sha256: str, content: bytes) -> None:
    """Write a file so that it survives a power cut before anybody is told that it was received.

    Its bytes, its name in the folder and the folder's own name are all on the disk when this returns, also
    when somebody else is storing the same file at this moment. What cannot be written whole is not left behind.
    """
    goal = path_of(sha256)
    if not (goal.exists() and goal.stat().st_size == len(content)):
        write_whole(goal, content)
        return
    os.utime(goal)  # clearing leaves alone what somebody has just sent
    # Always: another request may have made the folder or the file and not yet come to this line.
    sync_names(goal)
