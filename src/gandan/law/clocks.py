"""What a clock shows at an instant."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gandan.law.deadlines import VIETNAM

Kind = Literal["idle", "soon", "late", "hold", "done_in_time", "done_late"]
SOON = 3
_SHORT = timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class ClockState:
    """How a clock stands: its kind, the whole days and hours left (or late), and the share of time used.

    `days` counts local calendar days to the last day on which the act is in time: 0 is today. `in_hours` says
    that the clock is short (48 hours or less) and is told in hours.
    """

    kind: Kind
    days: int
    hours: int
    used_share: float
    in_hours: bool = False


def is_overdue(due_at: datetime, at: datetime, *, suspended: bool = False, discharged: bool = False) -> bool:
    """Say whether a promise is late: open, not paused, and its instant has come."""
    return not suspended and not discharged and due_at <= at


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
    last_day = (due_at - timedelta(microseconds=1)).astimezone(VIETNAM).date()
    days = (last_day - end.astimezone(VIETNAM).date()).days
    hours = int(abs((due_at - end).total_seconds()) // 3600)
    if discharged_at is not None:
        late = discharged_at >= due_at
        return ClockState("done_late" if late else "done_in_time", abs(days), hours, used, short)
    if suspended:
        return ClockState("hold", max(days, 0), hours, used, short)
    if due_at <= at:
        return ClockState("late", max(-days, 0), hours, 1.0, short)
    return ClockState("soon" if days <= SOON else "idle", days, hours, used, short)
