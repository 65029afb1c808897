"""What a clock shows at an instant. Days are counted on the local calendar of Vietnam."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gandan.law.office_hours import VIETNAM

Kind = Literal["idle", "soon", "late", "hold", "done_in_time", "done_late"]
SOON = 3
"""A clock is soon due when its last day is at most so many days away."""
_SHORT = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """How far the due instant is away: whole days and hours left, or late.

    `days` counts from today's date to the last day on which the act is in time: 0 is today. Once late, it
    counts from that last day. `hours` counts whole hours.
    """

    late: bool
    days: int
    hours: int


@dataclass(frozen=True, slots=True)
class ClockState:
    """How a clock stands: its kind, the whole days and hours left (or late), and the share of time used.

    `days` and `hours` as in TimeLeft, taken at the end for a clock that has ended. `used_share` lies between 0
    and 1. `in_hours` says that the clock is short (48 hours or less) and is told in hours.
    """

    kind: Kind
    days: int
    hours: int
    used_share: float
    in_hours: bool = False


def is_overdue(due_at: datetime, at: datetime, *, suspended: bool = False, discharged: bool = False) -> bool:
    """Say whether a promise is late: open, not paused, and its instant has come. All instants aware."""
    return not suspended and not discharged and due_at <= at


def time_left(due_at: datetime, at: datetime) -> TimeLeft:
    """Return how far the due instant is away at `at`; both aware."""
    last_day = (due_at - timedelta(microseconds=1)).astimezone(VIETNAM).date()
    days = (last_day - at.astimezone(VIETNAM).date()).days
    late = due_at <= at
    return TimeLeft(late, max(-days if late else days, 0), int(abs((due_at - at).total_seconds()) // 3600))


def clock_state(
    started_at: datetime,
    due_at: datetime,
    at: datetime,
    *,
    suspended: bool = False,
    discharged_at: datetime | None = None,
) -> ClockState:
    """Return what the clock shows at `at`; all instants aware."""
    end = discharged_at or at
    length = max((due_at - started_at).total_seconds(), 1.0)
    used = min(1.0, max(0.0, (end - started_at).total_seconds() / length))
    short = due_at - started_at <= _SHORT
    left = time_left(due_at, end)
    kind: Kind
    if discharged_at is not None:
        kind = "done_late" if left.late else "done_in_time"
    elif suspended:
        kind = "hold"
    elif left.late:
        kind, used = "late", 1.0
    else:
        kind = "soon" if left.days <= SOON else "idle"
    # A paused clock is never late: what is left of it is counted when it runs again.
    days = 0 if kind == "hold" and left.late else left.days
    return ClockState(kind, days, left.hours, used, short)
