"""The only clock of the house.

Everything that needs "now" asks here, so that tests and the demo can say which day it is. The pure storeys
(`law`, `inference`) never ask: they are told.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")

_started = datetime.now(UTC)
_told: ContextVar[datetime | None] = ContextVar("told", default=None)


def now() -> datetime:
    """Return the present instant in UTC, or the instant that `at` or GANDAN_TODAY declares.

    With GANDAN_TODAY=2026-11-23 the day is fixed and the time of day still runs; with 2026-11-23T09:00 the
    clock starts there, in Vietnam, when the program starts, and runs on.
    """
    told = _told.get()
    if told is not None:
        return told
    real = datetime.now(UTC)
    day = os.environ.get("GANDAN_TODAY")
    if not day:
        return real
    if "T" in day:
        return datetime.fromisoformat(day).replace(tzinfo=VIETNAM).astimezone(UTC) + (real - _started)
    local = real.astimezone(VIETNAM)
    return datetime.combine(date.fromisoformat(day), local.time(), tzinfo=VIETNAM).astimezone(UTC)


def today() -> date:
    """Return the legal day in Vietnam."""
    return day_of(now())


def day_of(instant: datetime) -> date:
    """Return the day in Vietnam on which `instant` falls."""
    return instant.astimezone(VIETNAM).date()


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Declare what `now()` answers inside the block. Refuses an instant without a time zone."""
    if instant.tzinfo is None:
        raise ValueError("the clock is told an aware instant")
    token = _told.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _told.reset(token)
