"""What the tests of this room say often."""

from datetime import datetime

from gandan.law import Calendar, calendar_of
from gandan.law.office_hours import VIETNAM
from gandan.law.seed import seed_year


def at(text: str) -> datetime:
    """Return the local instant that is written: 2026-06-01, or with a time."""
    return datetime.fromisoformat(text).replace(tzinfo=VIETNAM)


def seeded(first: int = 2018, last: int = 2028) -> Calendar:
    return calendar_of(seed_year(year) for year in range(first, last + 1))


NATIONAL = seeded()
