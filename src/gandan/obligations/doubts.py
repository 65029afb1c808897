"""What of the working calendar came with the system and waits to be compared with a decree."""

from gandan.access import today
from gandan.law.seed import UNVERIFIED, Doubt
from gandan.obligations.models import CalendarDay, CalendarYear

_SEEDED = 1
"""The version of a year that holds its days as they were proposed; every later one was made by decree."""


def awaits_decree(year: CalendarYear) -> bool:
    """Say whether a year counts as decided although nobody here has written down by which decree."""
    return year.status == CalendarYear.Status.DECIDED and not year.decree


def is_to_be_confirmed(year: CalendarYear) -> bool:
    """Say whether a year still waits for its decree here and it matters: dates may still be counted with it, or a
    day of it is in doubt."""
    ahead = year.year >= today().year
    return awaits_decree(year) and (ahead or any(day.year == year.year for day in UNVERIFIED))


def about(day: CalendarDay) -> Doubt | None:
    """Return why a day is in doubt; None once it was entered by decree, or its year was decided by one."""
    untouched = day.since == _SEEDED and day.until is None
    return UNVERIFIED.get(day.day) if untouched and awaits_decree(day.year) else None
