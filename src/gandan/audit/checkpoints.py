"""Signed words about the record that others can keep: "at this time entry n had this hash".

A chain alone shows that nobody altered one entry. Whoever owns the server can still write the whole chain anew, or
cut its end off: only a checkpoint that is kept elsewhere finds that. So each is written to the database, to a file
that should lie outside it (GANDAN_CHECKPOINTS), and can be printed with a code to scan. One line says it all:

    gandan1 <number> <hash> <time> <instance> <key> <signature>

The signature is Ed25519 over the line before it; `key` is the first 16 digits of the SHA-256 of the public key.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

EVERY_ENTRIES, EVERY = 1000, timedelta(minutes=10)
WORD = "gandan1"
_LINE = re.compile(
    r"gandan1 (?P<seq>\d{1,19}) (?P<hash>[0-9a-f]{64}) (?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) "
    r"(?P<instance>[0-9a-f]{32}) (?P<key>[0-9a-f]{16}) (?P<signature>[0-9a-f]{128})"
)


class Unreadable(Exception):
    """Checkpoints that cannot be read, with the sentence for the person."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One signed word: entry `seq` had `hash` at `at`, in the record `instance`."""

    seq: int
    hash: str
    at: datetime
    instance: UUID
    key: str
    signature: str

    @property
    def message(self) -> str:
        at = self.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return f"{WORD} {self.seq} {self.hash} {at} {self.instance.hex} {self.key}"

    @property
    def line(self) -> str:
        return f"{self.message} {self.signature}"

    def is_signed_by(self, public: bytes) -> bool:
        """Say whether the holder of the key behind `public` (32 bytes) signed exactly this."""
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(self.signature), self.message.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


def read(line: str) -> Checkpoint:
    """Return the checkpoint that a line tells. Raises Unreadable."""
    found = _LINE.fullmatch(" ".join(line.split()))
    if found is None:
        raise Unreadable(f"this is not a line of a checkpoint: {line.strip()[:80]!r}")
    return Checkpoint(
        int(found["seq"]),
        found["hash"],
        datetime.fromisoformat(found["at"]),
        UUID(found["instance"]),
        found["key"],
        found["signature"],
    )


def read_folder(folder: Path) -> list[Checkpoint]:
    """Return every checkpoint in the text files of a folder. Raises Unreadable when there is none, or a line is bad."""
    if not folder.is_dir():
        raise Unreadable(f"there is no folder {folder}")
    found = []
    for path in sorted(folder.glob("*.txt")):
        lines = [each for each in path.read_text(encoding="utf-8", errors="replace").splitlines() if each.strip()]
        for number, (line, following) in enumerate(zip(lines, [*lines[1:], ""], strict=True), 1):
            if following.startswith(line) and line != following:
                continue  # half a line, left by a power cut, and written again whole
            try:
                found.append(read(line))
            except Unreadable:
                raise Unreadable(f"{path}, line {number} is not a checkpoint: it was altered or cut") from None
    if not found:
        raise Unreadable(f"{folder} holds no checkpoint (files that end in .txt)")
    return found


# Signing


@cache
def signer(audit_key: bytes) -> Ed25519PrivateKey:
    """Return the signing key of an installation, derived from its audit key; it is stored nowhere."""
    seed = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"gandan:audit:checkpoints").derive(audit_key)
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_key(audit_key: bytes) -> bytes:
    """Return the public half, 32 bytes: what an outside holder needs to know."""
    return signer(audit_key).public_key().public_bytes_raw()


def fingerprint(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def sign(audit_key: bytes, *, seq: int, hash: str, at: datetime, instance: UUID) -> Checkpoint:
    unsigned = Checkpoint(seq, hash, at, instance, fingerprint(public_key(audit_key)), "")
    signature = signer(audit_key).sign(unsigned.message.encode()).hex()
    return Checkpoint(seq, hash, at, instance, unsigned.key, signature)


# What they promise


def doubts(
    found: Iterable[Checkpoint], *, trusted: Iterable[bytes], instance: UUID
) -> tuple[dict[int, set[str]], list[tuple[int, str]]]:
    """Return the hashes that well-signed checkpoints promise, by number, and the faults of the others.

    Faults: "signature" (altered, or signed by another key), "instance" (made for another record).
    """
    keys = list(trusted)
    promised: dict[int, set[str]] = {}
    faults = []
    for each in found:
        if not any(each.is_signed_by(key) for key in keys):
            faults.append((each.seq, "signature"))
        elif each.instance != instance:
            faults.append((each.seq, "instance"))
        else:
            promised.setdefault(each.seq, set()).add(each.hash)
    return promised, faults


def unkept(outside: Mapping[int, Iterable[str]], kept: Mapping[int, Iterable[str]]) -> list[tuple[int, str]]:
    """Return what is promised outside and no longer stands in the table of checkpoints ("checkpoint")."""
    return [(seq, "checkpoint") for seq, hashes in outside.items() if not set(hashes) <= set(kept.get(seq, ()))]


# The file outside


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other workers of this machine away from the folder: what one of them reads there, it may add to."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def append(folder: Path, lines: Iterable[str], instance: UUID) -> Path:
    """Add lines to the instance's file, so that they survive a power cut; make folder and file when needed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = file_of(folder, instance)
    existed = path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        size = os.fstat(descriptor).st_size
        half = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        os.write(descriptor, ("\n" * half + "".join(f"{line}\n" for line in lines)).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if not existed:
        parent = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)
    return path


def file_of(folder: Path, instance: UUID) -> Path:
    return folder / f"checkpoints-{instance.hex}.txt"


def last_written(folder: Path, instance: UUID) -> int:
    """Return the number of the last checkpoint in the file, or 0."""
    path = file_of(folder, instance)
    if not path.exists():
        return 0
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    # A power cut may have left half a line at the end: it is written again, whole.
    found = [int(match["seq"]) for line in lines if (match := _LINE.fullmatch(line))]
    return max(found, default=0)
