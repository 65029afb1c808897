"""Writing a file so that it survives a power cut before anybody is told that it is there."""

import os
import secrets
from pathlib import Path

PARTIAL = ".partial-"


def write_whole(goal: Path, content: bytes) -> None:
    """Write a file, in the place of one with the same name. What cannot be written whole is not left behind."""
    goal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = goal.with_name(f"{PARTIAL}{goal.name[:16]}.{secrets.token_hex(8)}")
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(goal)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    sync_names(goal)


def sync_names(goal: Path) -> None:
    """Return when the name of a file in its folder and the folder's own name are on the disk."""
    for folder in (goal.parent, goal.parent.parent):
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
