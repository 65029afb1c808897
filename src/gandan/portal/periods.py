"""The periods over which results are shown."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Period:
    """A quarter or a year, from its first day until the day before the next one's first."""

    code: str
    start: date
    end: date

    @property
    def title(self) -> str:
        if "Q" in self.code:
            year, quarter = self.code.split("Q")
            return _("quarter %(quarter)s of %(year)s") % {"quarter": quarter, "year": year}
        return _("year %(year)s") % {"year": self.code}

    def has_begun(self, on: date) -> bool:
        """Say whether there may be anything to count: zeros of a time to come would be taken for results."""
        return self.start <= on


def quarter_of(day: date) -> Period:
    first = (day.month - 1) // 3 * 3 + 1
    start = date(day.year, first, 1)
    end = date(day.year + (first == 10), 1 if first == 10 else first + 3, 1)
    return Period(f"{day.year}Q{(first - 1) // 3 + 1}", start, end)


def year_of(year: int) -> Period:
    return Period(str(year), date(year, 1, 1), date(year + 1, 1, 1))


def read(code: str) -> Period | None:
    """Return the period that a code names: 2026 or 2026Q3; None for anything else."""
    try:
        if "Q" in code:
            year, quarter = (int(part) for part in code.split("Q"))
            return quarter_of(date(year, quarter * 3, 1)) if 1 <= quarter <= 4 and 2000 <= year <= 2100 else None
        return year_of(int(code)) if 2000 <= int(code) <= 2100 else None
    except ValueError:
        return None


def recent(today: date, count: int = 6) -> list[Period]:
    """Return the present quarter and those before it, then the years that they touch."""
    quarters = [quarter_of(today)]
    while len(quarters) < count:
        before = quarters[-1].start
        quarters.append(
            quarter_of(date(before.year - (before.month == 1), 12 if before.month == 1 else before.month - 1, 1))
        )
    years = sorted({quarter.start.year for quarter in quarters}, reverse=True)
    return quarters + [year_of(year) for year in years]
