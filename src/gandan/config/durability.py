"""What must hold so that an acknowledged word survives a power cut: the database's settings and the disk's kind.

`faults` is asked before serving and by `gandan check`; whoever switches a setting off is refused, not warned.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error, connection

from gandan.config.exits import UNAVAILABLE, CommandError

NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb",
    "smb2",
    "smb3",
    "smbfs",
    "afs",
    "afpfs",
    "9p",
    "ceph",
    "glusterfs",
    "lustre",
    "gfs",
    "gfs2",
    "ocfs2",
    "beegfs",
    "davfs",
    "vboxsf",
    "prl_fs",
    "virtiofs",
    "fuse.sshfs",
    "fuse.glusterfs",
    "fuse.ceph",
    "fuse.s3fs",
    "fuse.rclone",
    "fuse.davfs2",
}
"""File systems whose locks or whose word that something is on the disk cannot be relied on."""
MEMORY = {"tmpfs", "ramfs"}
PATIENCE = 30
"""Seconds for which a starting program waits for its database, as after a power cut both start at once."""


def faults() -> list[str]:
    """Return, in sentences, what would make this installation lose what it acknowledges."""
    found = _of_sqlite() if connection.vendor == "sqlite" else _of_postgresql()
    return found + of_place(settings.GANDAN_HOME, demo=settings.GANDAN_DEMO)


def of_place(folder: Path, mounts: str | None = None, *, demo: bool = False) -> list[str]:
    """Return what is wrong with the file system that holds `folder`.

    `mounts` is the text of /proc/self/mountinfo; by default this machine's. An invented province may stand anywhere.
    """
    if demo:
        return []
    kind = file_system(folder, _mounts() if mounts is None else mounts)
    if kind in NETWORK:
        return [f"{folder} is on a network file system ({kind}); move it to a local disk"]
    if kind in MEMORY:
        return [f"{folder} is in memory ({kind}) and would be gone after a restart; move it to a local disk"]
    return []


def file_system(folder: Path, mounts: str) -> str:
    """Return the kind of file system that holds `folder`, by the text of /proc/self/mountinfo; "" when unknown."""
    place = folder.resolve()
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, found, after = line.partition(" - ")
        words = before.split()
        if not found or len(words) < 5:
            continue
        point = Path(words[4].encode().decode("unicode_escape"))
        # Of two mounts on one point the later one is seen.
        if (place == point or point in place.parents) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split()[0]
    return kind


def settle(home: Path) -> None:
    """Write the folders of an installation to the disk: a new one must not lose its keys to a power cut."""
    for folder, folders, names in os.walk(home):
        folders[:] = [each for each in folders if each != "static"]
        for name in names if Path(folder).name == "keys" else ():
            _sync(Path(folder) / name)
        _sync(Path(folder))
    _sync(home.resolve().parent)


def wait_for_database() -> None:
    """Return when the database answers. Raises CommandError with a sentence when it still does not."""
    end, told = time.monotonic() + PATIENCE, False
    while True:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return
        except Error as error:
            connection.close()
            why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            if time.monotonic() >= end:
                raise CommandError(f"the database does not answer: {why}", UNAVAILABLE) from None
            if not told:
                print("gandan: waiting for the database", file=sys.stderr, flush=True)
                told = True
            time.sleep(0.5)


def _of_sqlite() -> list[str]:
    found = []
    if str(_asked("PRAGMA journal_mode")).lower() != "wal":
        found.append("SQLite's journal mode is not WAL")
    if int(_asked("PRAGMA synchronous")) < 2:
        found.append("SQLite's synchronous mode is below FULL")
    if sys.platform == "darwin" and not int(_asked("PRAGMA fullfsync")):
        found.append("SQLite's fullfsync is off, and on macOS nothing less reaches the disk")
    if int(_asked("PRAGMA ignore_check_constraints")) or not int(_asked("PRAGMA foreign_keys")):
        found.append("SQLite does not keep the rules of the tables")
    place = Path(str(connection.settings_dict["NAME"])).parent
    return found + (of_place(place, demo=settings.GANDAN_DEMO) if place != settings.GANDAN_HOME else [])


def _of_postgresql() -> list[str]:
    found = [
        f"PostgreSQL's {name} is {value}"
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if (value := str(_asked(f"SHOW {name}"))) == "off"
    ]
    if str(_asked("SHOW zero_damaged_pages")) == "on":
        found.append("PostgreSQL's zero_damaged_pages is on: damage would be hidden by deleting it")
    unlogged = "SELECT count(*) FROM pg_class WHERE relpersistence = 'u' AND relkind = 'r'"
    if count := int(_asked(unlogged)):
        found.append(f"PostgreSQL keeps {count} tables without a log; after a crash they are empty")
    return found


def _asked(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return row[0]


def _mounts() -> str:
    if sys.platform == "linux":
        return Path("/proc/self/mountinfo").read_text(errors="replace")
    # macOS and the BSDs: "//host/share on /Volumes/share (smbfs, nodev)" made into the same shape.
    said = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False).stdout
    lines = []
    for line in said.splitlines():
        _, _, rest = line.partition(" on ")
        point, _, kind = rest.rpartition(" (")
        lines.append(f"0 0 0 / {point.replace(' ', chr(92) + '040')} rw - {kind.split(',')[0].rstrip(')')}")
    return "\n".join(lines)


def _sync(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:
        # The folder above may belong to somebody else, and then it was there before us.
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
