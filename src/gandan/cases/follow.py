"""The sixteen digits with which somebody follows a matter.

The code is derived from the submission's random id with a key of the installation, so that the very same
submission, sent again after a lost connection, is answered with the very same receipt, and the code itself is
stored nowhere. This is as strong as drawing it at random: HMAC-SHA256 is a pseudo-random function, so that
without the key (which lies outside the database) the codes of random ids (122 bits each) cannot be told from
random digits (53 bits), not even by somebody who knows other ids with their codes. With the key and the database
together an id gives its code away; who has both needs no code to read the matter. Should two ids give the same
digits, the later one takes the digits of its next attempt.

What is stored of a named matter is a keyed hash of its code. The code of an anonymous matter first passes Argon2id
(64 MiB, three passes); the result and a key outside the database give a root, and from the root come, by HKDF, the
id under which the matter is found, and a second key that opens the reporter's own view of it. So even a stolen
database together with its keys gives no quick way back to a code.
"""

import hashlib
import hmac
import threading
from typing import Any
from uuid import UUID

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from django.conf import settings

from gandan.secrecy import keys, vault

DIGITS = 16
ATTEMPTS = 4
_SLOTS = threading.BoundedSemaphore(2)


def code_for(submission: UUID, attempt: int = 0) -> str:
    """Return the sixteen digits of a submission; `attempt` counts on when they belong to another one already."""
    message = b"code" + submission.bytes + bytes([attempt] if attempt else [])
    digest = hmac.new(settings.GANDAN_KEYS["follow"], message, hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:16], 'big') % 10**DIGITS:0{DIGITS}}"


def again(submission: UUID, hashed: str, *, anonymous: bool) -> str:
    """Return the code that was given for a submission before; an empty string when none was."""
    codes = (code_for(submission, attempt) for attempt in range(ATTEMPTS if hashed else 0))
    return next((code for code in codes if hmac.compare_digest(stored(code, anonymous=anonymous), hashed)), "")


def digest(text: str) -> str:
    """Return what tells one submission from another: keyed, so that nobody can try out names against it."""
    return _keyed(b"digest" + text.encode())


def clean(text: str) -> str:
    """Return the digits of what somebody typed, or an empty string when they are not sixteen."""
    digits = "".join(c for c in text if c.isdigit() and c.isascii())
    return digits if len(digits) == DIGITS else ""


def stored(code: str, *, anonymous: bool) -> str:
    """Return the hash under which a matter is found by its code."""
    return ("a" + _expanded(_root(code), b"lookup").hex()) if anonymous else ("n" + _keyed(b"named" + code.encode()))


def kept(code: str, *, anonymous: bool) -> tuple[str, bytes]:
    """Return what `stored` and, for an anonymous matter, `reporter_key` give, passing the code through Argon2 once."""
    if not anonymous:
        return stored(code, anonymous=False), b""
    root = _root(code)
    return "a" + _expanded(root, b"lookup").hex(), _expanded(root, b"reporter")


def lookups(code: str) -> tuple[str, ...]:
    """Return every hash that a code may have; computing them takes the same time for every code."""
    root = _root(code)
    # Until the reporter's key came the root itself was stored; those matters are found as before.
    return stored(code, anonymous=False), "a" + _expanded(root, b"lookup").hex(), "a" + root.hex()


def reporter_key(code: str) -> bytes:
    """Return the key that only somebody with this code of an anonymous matter can make."""
    return _expanded(_root(code), b"reporter")


def opened_by(code: str, case: Any) -> keys.Opened:
    """Return the key of an anonymous sealed matter, opened with the reporter's own; nothing for other matters."""
    if not (case.anonymous and case.is_sealed):
        return {}
    try:
        return keys.for_reporter(case.pk, reporter_key(code))
    except vault.Unopened:
        return {}


def _root(code: str) -> bytes:
    # Two at a time: otherwise a few guesses at once would take the whole machine's memory.
    with _SLOTS:
        raw = hash_secret_raw(
            code.encode(), _salt(), time_cost=3, memory_cost=64 * 1024, parallelism=1, hash_len=32, type=Type.ID
        )
    return bytes.fromhex(_keyed(b"anonymous" + raw))


def _expanded(root: bytes, purpose: bytes) -> bytes:
    return HKDFExpand(algorithm=hashes.SHA256(), length=32, info=b"gandan follow v1 " + purpose).derive(root)


def _salt() -> bytes:
    return hashlib.sha256(b"gandan follow salt" + settings.GANDAN_KEYS["follow"]).digest()[:16]


def _keyed(data: bytes) -> str:
    return hmac.new(settings.GANDAN_KEYS["follow"], data, hashlib.sha256).hexdigest()
