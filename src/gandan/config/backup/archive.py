"""The file of a backup: a header that knows how long it must be, and a stream that only its key opens.

    16 bytes  GANDAN-BACKUP-2 and a line feed
     8 bytes  "age" when encrypted to a recipient's key, "open" when not, filled with spaces
     8 bytes  length of the stream, most significant first
    32 bytes  SHA-256 of the stream
    32 bytes  SHA-256 of the 64 bytes before
    the stream: a tar of about.json, the database, the files and manifest.json, in this order

The header is written when all is done; until then its numbers are zero. So an aborted copy, a cut one, an altered one
and one for another key are told apart before anything is unpacked.
"""

import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyrage as age  # type: ignore[import-untyped]

from gandan.config.exits import WRONG, CommandError

MAGIC = b"GANDAN-BACKUP-2\n"
HEADER = 96
NOT_A_BACKUP, INCOMPLETE, ALTERED, NEWER, OTHER_ENGINE, NOT_EMPTY = 10, 11, 12, 13, 14, 15
WRONG_KEY, ABORTED, MISSING_FILE, BROKEN = 16, 17, 18, 19
_BLOCK = 1 << 20


def make_key(path: Path) -> str:
    """Write a new secret key, readable by its owner only, and return its public half: the recipient."""
    if path.exists():
        raise CommandError(f"{path} exists already; a key is never written over", WRONG)
    identity = age.x25519.Identity.generate()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"# recipient: {identity.to_public()}\n{identity}\n")
        file.flush()
        os.fsync(file.fileno())
    return str(identity.to_public())


def recipients_of(texts: list[str]) -> list[Any]:
    """Return the keys to encrypt to. Raises CommandError for a text that is none."""
    found = []
    for text in texts:
        try:
            found.append(age.x25519.Recipient.from_str(text.strip()))
        except age.RecipientError:
            raise CommandError(f"a recipient begins with age1, not {text[:20]!r}", WRONG) from None
    return found


def identities_of(path: Path | None) -> list[Any]:
    """Return the secret keys in a file, as `gandan backup keygen` or age-keygen wrote it."""
    if path is None:
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"the key {path} cannot be read: {error}", WRONG) from None
    try:
        found = [age.x25519.Identity.from_str(line.strip()) for line in lines if line.startswith("AGE-SECRET-KEY-")]
    except age.IdentityError:
        found = []
    if not found:
        raise CommandError(f"{path} holds no key (a line that begins with AGE-SECRET-KEY-)", WRONG)
    return found


# Writing


@contextmanager
def writing(target: Path, recipients: list[Any]) -> Iterator[tarfile.TarFile]:
    """Give a tar to add to; when the block ends without an error, `target` exists, whole and on the disk."""
    partial = target.with_name(f"{target.name}.partial")
    try:
        with partial.open("w+b") as file:
            partial.chmod(0o600)
            file.write(MAGIC + (b"age" if recipients else b"open").ljust(8) + bytes(HEADER - 24))
            file.flush()  # whatever stops the copy, the header already says that it is not finished
            stream = _Measured(file)
            with _encrypting(stream, recipients) as plain, tarfile.open(fileobj=plain, mode="w|") as archive:
                yield archive
            head = MAGIC + (b"age" if recipients else b"open").ljust(8) + stream.length.to_bytes(8, "big")
            head += stream.digest.digest()
            file.seek(0)
            file.write(head + hashlib.sha256(head).digest())
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        partial.unlink(missing_ok=True)


def add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def add_file(archive: tarfile.TarFile, name: str, path: Path) -> str:
    """Add a file under a name; return the digest of what was added."""
    member = tarfile.TarInfo(name)
    with path.open("rb") as file:
        member.size = os.fstat(file.fileno()).st_size
        stream = _Hashing(file)
        archive.addfile(member, stream)
    return stream.digest.hexdigest()


class _Hashing:
    """A file that is read once, and its digest."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        block = self.file.read(size)
        self.digest.update(block)
        return block


class _Measured:
    """A file that knows how much was written to it, and its digest."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.length, self.digest = file, 0, hashlib.sha256()

    def write(self, block: bytes) -> int:
        self.length += len(block)
        self.digest.update(block)
        return self.file.write(block)

    def flush(self) -> None:
        self.file.flush()


@contextmanager
def _encrypting(goal: _Measured, recipients: list[Any]) -> Iterator[Any]:
    if not recipients:
        yield goal
        return
    with _through_a_pipe(lambda source: age.encrypt_io(source, goal, recipients)) as plain:
        yield plain


@contextmanager
def _through_a_pipe(consume: Callable[[IO[bytes]], None]) -> Iterator[IO[bytes]]:
    """Give a file to write to, what is written being read by `consume` in a thread. Its error is raised here."""
    reading, writing_end = os.pipe()
    faults: list[BaseException] = []

    def run() -> None:
        with os.fdopen(reading, "rb", buffering=_BLOCK) as source:
            try:
                consume(source)
            except BaseException as error:
                faults.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        with os.fdopen(writing_end, "wb", buffering=_BLOCK) as plain:
            yield plain
    except BrokenPipeError:
        thread.join()
        if not faults:
            raise
    thread.join()
    if faults:
        raise faults[0]


# Reading


def check(source: Path) -> str:
    """Read a backup's file from end to end against its header; return "age" or "open".

    Raises CommandError with the code that says which damage it is.
    """
    try:
        size = source.stat().st_size
        with source.open("rb") as file:
            head = file.read(HEADER)
            alike = sum(a == b for a, b in zip(head, MAGIC, strict=False))
            if alike < 12:
                raise CommandError(f"{source} is not a backup of Gần Dân that this version reads", NOT_A_BACKUP)
            if len(head) < HEADER:
                raise CommandError(f"{source} ends inside its header", INCOMPLETE)
            if head[24:] == bytes(HEADER - 24):
                raise CommandError(f"{source} was never finished: the copy was aborted", ABORTED)
            if hashlib.sha256(head[:64]).digest() != head[64:]:
                raise CommandError(f"{source} was altered or damaged in its header", ALTERED)
            length = int.from_bytes(head[24:32], "big")
            if size - HEADER < length:
                raise CommandError(
                    f"{source} is cut: {length - size + HEADER} bytes are missing at its end", INCOMPLETE
                )
            if size - HEADER > length:
                raise CommandError(f"{source} was altered: something was added at its end", ALTERED)
            digest = hashlib.sha256()
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise CommandError(f"{source} cannot be read: {error.strerror}", NOT_A_BACKUP) from None
    if digest.digest() != head[32:64]:
        raise CommandError(f"{source} was altered or damaged", ALTERED)
    return head[16:24].decode().strip()


@contextmanager
def reading(source: Path, identities: list[Any]) -> Iterator[tarfile.TarFile]:
    """Give the tar inside a backup, decrypted. Raises CommandError for a wrong key or a stream that does not hold."""
    how = check(source)
    if how == "age" and not identities:
        raise CommandError(f"{source} is encrypted: name the file of the key with --identity FILE", WRONG_KEY)
    with source.open("rb") as file:
        file.seek(HEADER)
        if how == "open":
            with _opened(source, file) as archive:
                yield archive
            return
        with _decrypted(source, file, identities) as plain, _opened(source, plain) as archive:
            yield archive


@contextmanager
def _opened(source: Path, stream: IO[bytes]) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            yield archive
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise CommandError(f"{source} does not hold what a backup holds: {error}", ALTERED) from None


@contextmanager
def _decrypted(source: Path, file: IO[bytes], identities: list[Any]) -> Iterator[IO[bytes]]:
    """Give the plain stream, filled by a thread that decrypts; authenticated block by block."""
    reading_end, writing_end = os.pipe()
    faults: list[Exception] = []

    def run() -> None:
        try:
            with os.fdopen(writing_end, "wb", buffering=_BLOCK) as goal:
                age.decrypt_io(file, goal, identities)
        except BrokenPipeError:
            return  # the reader went away before the end, and tells why itself
        except (age.DecryptError, OSError) as error:
            faults.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    plain = os.fdopen(reading_end, "rb", buffering=_BLOCK)
    try:
        yield plain
        while plain.read(_BLOCK):
            continue  # what stands after the tar's end is decrypted, and so authenticated, too
    except CommandError:
        plain.close()
        thread.join()
        if not faults:
            raise
    finally:
        plain.close()
        thread.join()
    if faults:
        if isinstance(faults[0], age.DecryptError) and "key" in str(faults[0]).lower():
            raise CommandError(f"{source} was encrypted to another key than this one", WRONG_KEY) from None
        raise CommandError(f"{source} was altered: it does not decrypt ({faults[0]})", ALTERED) from None
