"""The key that locks all others, in a file of its own outside the database, and what is done with it.

Beside it lies `master.key`, which gives the keys of sessions, codes and the record (see `gandan.config.keys`).
`kek-1.key`, `kek-2.key`, ... hold 32 random bytes each, readable by the owner only; the highest number locks what is
new. A number that has been replaced is kept as `retired-kek-1.key` for as long as backups need it.
"""

import base64
import logging
import os
import re
import secrets
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from django.conf import settings
from django.db import connections

logger = logging.getLogger(__name__)
MASTER = "master.key"
_NAME = re.compile(r"(retired-)?kek-(\d+)\.key")
_NONCE = 12


class Unopened(Exception):
    """Something sealed that does not open: the wrong key, other bytes, or moved from elsewhere."""


class KeyMissing(Unopened):
    """The key of this number is not in the folder of keys."""


def folder() -> Path:
    """Return where the keys lie: GANDAN_KEYS, or the folder `keys` of the installation."""
    return Path(settings.GANDAN_KEYS_FOLDER)


def versions(*, retired: bool = False) -> dict[int, Path]:
    """Return the keys in use by number, or with `retired` also those kept for backups."""
    found: dict[int, Path] = {}
    place = folder()
    try:
        names = sorted(os.listdir(place))  # noqa: PTH208 - asked for every matter
    except FileNotFoundError:
        return found
    for name in names:
        match = _NAME.fullmatch(name)
        if match and (retired or not match[1]):
            found.setdefault(int(match[2]), place / name)
    return found


def newest() -> int:
    """Return the number of the key that locks what is new; 0 when there is none yet."""
    return max(versions(), default=0)


def make(version: int) -> None:
    """Make the key of a number, unless another process has just done so. It is on the disk when this returns."""
    place(f"kek-{version}.key", secrets.token_bytes(32))
    logger.warning(
        "A new key %s was made in %s. Without it no name and no sealed word can be read again: "
        "split it among three holders now with `gandan keys escrow DIR`.",
        f"kek-{version}.key",
        folder(),
    )


def begin(using: str = "default", **_: object) -> None:
    """Make the master key of an installation whose first table is about to be made.

    Never beside a table: what is kept there was made with a key that is lost, and another one would hide that. Raises
    KeyMissing where only sealing keys lie: the folder was lost in part.
    """
    if using != "default" or (folder() / MASTER).exists():
        return
    if "django_migrations" in connections[using].introspection.table_names():
        return
    if found := versions(retired=True):
        names = ", ".join(sorted(path.name for path in found.values()))
        raise KeyMissing(f"{names} lies in {folder()} without {MASTER}: bring it back with `gandan keys recover`")
    place(MASTER, secrets.token_bytes(32))


def place(name: str, key: bytes) -> None:
    """Put a key of 32 bytes into its file, never over another one."""
    for each in reversed([folder(), *folder().parents]):
        each.mkdir(exist_ok=True, mode=0o700)
    goal = folder() / name
    temporary = folder() / f".kek.{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, goal)
        except FileExistsError:
            return
    finally:
        temporary.unlink()
    directory = os.open(folder(), os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def retire(version: int) -> None:
    """Take a key out of use; it stays readable for what was locked with it before."""
    (folder() / f"kek-{version}.key").rename(folder() / f"retired-kek-{version}.key")


def key(version: int) -> bytes:
    """Return the key of a number. Raises KeyMissing, or Unopened when the file is damaged."""
    path = versions(retired=True).get(version)
    if path is None:
        raise KeyMissing(f"the key kek-{version}.key is not in {folder()}")
    return _read(path)


@lru_cache(maxsize=16)
def _read(path: Path) -> bytes:
    found = path.read_bytes()
    if len(found) != 32:
        raise Unopened(f"{path} is damaged: 32 bytes are expected, not {len(found)}")
    return found


def wrap(data_key: bytes, locking: bytes) -> bytes:
    """Return a data key locked with another key. Source: AES key wrap, RFC 3394."""
    return aes_key_wrap(locking, data_key)


def unwrap(wrapped: bytes, locking: bytes) -> bytes:
    """Return the data key. Raises Unopened when it was locked with another key or altered."""
    try:
        return aes_key_unwrap(locking, wrapped)
    except (InvalidUnwrap, ValueError):
        raise Unopened("a data key does not open: another key locked it, or it was altered") from None


def derived(locking: bytes, row: UUID) -> bytes:
    """Return the key of one short-lived row, which is stored nowhere: it follows from a key of the folder and the
    row's id. Source: HKDF, RFC 5869."""
    return HKDF(SHA256(), 32, salt=None, info=b"gandan draft\x00" + row.bytes).derive(locking)


def seal(content: bytes, data_key: bytes, context: bytes) -> bytes:
    """Return nonce and ciphertext by AES-256-GCM; `context` must be given again to open it."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(data_key).encrypt(nonce, content, context)


def unseal(sealed: bytes, data_key: bytes, context: bytes) -> bytes:
    """Return the content. Raises Unopened for another key, context or ciphertext."""
    try:
        return AESGCM(data_key).decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
    except (InvalidTag, ValueError):
        raise Unopened("what is sealed does not open here: it was altered or belongs elsewhere") from None


def context(table: str, row: UUID, field: str, data_key: UUID) -> bytes:
    """Return what binds a ciphertext to its place, so that it opens nowhere else."""
    return f"v1|{table}|{row.hex}|{field}|{data_key.hex}".encode()


MARK = "\x1egd1."
"""What a sealed text begins with in its column: a control character that no form lets in."""


def token(text: str, data_key: bytes, key_id: UUID, *, table: str, row: UUID, field: str) -> str:
    """Return a text sealed for one field of one row, as it stands in the column."""
    sealed = seal(text.encode(), data_key, context(table, row, field, key_id))
    return f"{MARK}{key_id.hex}.{base64.urlsafe_b64encode(sealed).decode()}"


def key_id_of(stored: str) -> UUID:
    """Return which data key a token names."""
    return UUID(hex=stored[len(MARK) : len(MARK) + 32])


def text_of(stored: str, data_key: bytes, *, table: str, row: UUID, field: str) -> str:
    """Return the text of a token. Raises Unopened unless it was sealed for this very field of this very row."""
    named = key_id_of(stored)
    try:
        sealed = base64.urlsafe_b64decode(stored[len(MARK) + 33 :])
    except ValueError:
        raise Unopened("what is sealed is damaged") from None
    return unseal(sealed, data_key, context(table, row, field, named)).decode()
