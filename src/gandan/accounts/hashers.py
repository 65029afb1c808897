"""How passwords are kept, and how many are compared at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE = max(1, (os.cpu_count() or 2) // 2)
"""Passwords that one process compares at the same time: half of the machine stays for everybody else's pages."""
_turns = BoundedSemaphore(AT_ONCE)
_waiting_room = BoundedSemaphore(AT_ONCE + 1)


class Busy(Exception):
    """So many people are signing in that one more would keep others from their pages: ask again in a moment."""


@contextmanager
def waiting_room() -> Iterator[None]:
    """Hold a place while a stranger's password is compared. Raises Busy at once when all places are taken.

    A worker serves few requests at a time; waiting sign-ins may not fill it.
    """
    if not _waiting_room.acquire(blocking=False):
        raise Busy
    try:
        yield
    finally:
        _waiting_room.release()


class OfficeArgon2(Argon2PasswordHasher):
    """Argon2id at the OWASP minimum (19 MiB, two passes, one lane), a few at a time.

    Django's default takes 100 MiB and eight lanes; eight people signing in together would starve a
    two-core office machine. Memory is bounded by 19 MiB times `AT_ONCE`.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: Any, salt: Any) -> str:
        with _turns:
            return str(super().encode(password, salt))

    def verify(self, password: Any, encoded: Any) -> bool:
        with _turns:
            return bool(super().verify(password, encoded))
