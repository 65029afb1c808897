"""Holding off those who guess codes, without keeping anybody's address.

Failures are counted in this process's memory only, under a hash whose key is drawn at random when the process
starts and dies with it. Nothing of it reaches a disk.
"""

import hashlib
import hmac
import secrets
import threading
from collections import deque
from datetime import datetime, timedelta

_KEY = secrets.token_bytes(32)
_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
PER_SOURCE_AN_HOUR = 10
ALTOGETHER_A_MINUTE = 60


class Guesses:
    """Failed tries by source and altogether, forgotten after an hour."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_source: dict[str, deque[datetime]] = {}
        self._all: deque[datetime] = deque()

    def too_many(self, source: str, at: datetime) -> bool:
        with self._lock:
            self._forget(at)
            mine = self._by_source.get(_hash(source), ())
            return len(mine) >= PER_SOURCE_AN_HOUR or len(self._all) >= ALTOGETHER_A_MINUTE

    def failed(self, source: str, at: datetime) -> None:
        with self._lock:
            self._by_source.setdefault(_hash(source), deque()).append(at)
            self._all.append(at)

    def _forget(self, at: datetime) -> None:
        while self._all and at - self._all[0] > _MINUTE:
            self._all.popleft()
        for key in list(self._by_source):
            tries = self._by_source[key]
            while tries and at - tries[0] > _HOUR:
                tries.popleft()
            if not tries:
                del self._by_source[key]


guesses = Guesses()


def _hash(source: str) -> str:
    return hmac.new(_KEY, source.encode(), hashlib.sha256).hexdigest()
