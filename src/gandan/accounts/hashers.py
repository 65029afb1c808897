"""How passwords are kept, and how many are compared at once."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import BoundedSemaphore
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE = max(1, (os.cpu_count() or 2) // 2)
"""Passwords that one process compares at the same time: half of the machine stays for everybody else's pages."""
STEPS_BACK = 10
"""By how much the threads that compare passwords let others go first, in the system's own count (0 to 19)."""
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
    """Argon2id at the OWASP minimum (19 MiB, two passes, one lane), a few at a time, behind everybody's pages.

    Django's default takes 100 MiB and eight lanes; eight people signing in together would starve a
    two-core office machine. Memory is bounded by 19 MiB times `AT_ONCE`.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: Any, salt: Any) -> str:
        return str(_behind(partial(super().encode, password, salt)))

    def verify(self, password: Any, encoded: Any) -> bool:
        return bool(_behind(partial(super().verify, password, encoded)))


def step_back() -> None:
    """Let all other threads go before this one. Linux counts that by thread; elsewhere nothing changes."""
    if sys.platform == "linux":
        try:
            own = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, own, min(os.getpriority(os.PRIO_PROCESS, own) + STEPS_BACK, 19))
        except OSError:
            return  # a sandbox that forbids it: passwords are compared all the same


def _behind(compute: Callable[[], Any]) -> Any:
    """Compute in one of the threads that step back, at most `AT_ONCE` at a time; wait for it."""
    return _threads.submit(compute).result()


def _hire() -> None:
    global _threads
    _threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords", initializer=step_back)


_threads: ThreadPoolExecutor
_hire()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_hire)  # a child has none of its parent's threads
