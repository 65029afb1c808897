"""Which days are worked.

A year is decided by decree, or provisional until it is. A year that nobody declared is refused: the dates of
Tết are not to be guessed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Kind = Literal["holiday", "swapped_rest", "swapped_work"]
Status = Literal["decided", "provisional"]


class CalendarNotDeclared(LookupError):
    """No calendar is declared for the year in `year`."""

    def __init__(self, year: int) -> None:
        super().__init__(f"no working calendar is declared for {year}")
        self.year = year


@dataclass(frozen=True, slots=True)
class DayRule:
    """Why a day differs from its weekday: a holiday, a day of rest in exchange, a Saturday worked in exchange."""

    kind: Kind
    name_vi: str
    name_en: str
    decree: str = ""


WEEKLY_REST = DayRule("holiday", "ngày nghỉ hằng tuần", "weekly day of rest")


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """One year: its status, the days that differ, and the decree that says so."""

    year: int
    status: Status
    days: Mapping[date, DayRule]
    decree: str = ""

    def __post_init__(self) -> None:
        for day in self.days:
            if day.year != self.year:
                raise ValueError(f"{day} does not belong to the calendar of {self.year}")


@dataclass(frozen=True, slots=True)
class Calendar:
    """The declared years. Saturday and Sunday rest unless a year says that one is worked."""

    years: Mapping[int, CalendarYear] = field(default_factory=dict)

    def is_working_day(self, day: date) -> bool:
        """Say whether a day is worked. Raises CalendarNotDeclared for a year that nobody declared."""
        return self.why_not_working(day) is None

    def why_not_working(self, day: date) -> DayRule | None:
        """Return the rule by which a day is not worked, or None for a working day."""
        rule = self._year(day.year).days.get(day)
        if rule is not None:
            return None if rule.kind == "swapped_work" else rule
        return WEEKLY_REST if day.weekday() >= 5 else None

    def is_provisional(self, day: date) -> bool:
        return self._year(day.year).status == "provisional"

    def provisional_years(self) -> tuple[int, ...]:
        return tuple(sorted(year for year, each in self.years.items() if each.status == "provisional"))

    def _year(self, year: int) -> CalendarYear:
        try:
            return self.years[year]
        except KeyError:
            raise CalendarNotDeclared(year) from None


def calendar_of(years: Iterable[CalendarYear]) -> Calendar:
    """Return the calendar of several years. Raises ValueError when one year is declared twice."""
    found: dict[int, CalendarYear] = {}
    for each in years:
        if each.year in found:
            raise ValueError(f"the calendar of {each.year} is declared twice")
        found[each.year] = each
    return Calendar(found)


def union(first: Calendar, second: Calendar) -> Calendar:
    """Return a calendar in which a day rests when it rests in either: a province with local holidays.

    Raises CalendarNotDeclared for a year that only one of them declares.
    """
    years = {}
    for year in sorted(set(first.years) | set(second.years)):
        one, other = first._year(year), second._year(year)
        days = dict(one.days)
        for day, rule in other.days.items():
            if rule.kind != "swapped_work" or day not in days:
                days[day] = rule
        # A Saturday worked in one place and not declared in the other rests for neither: it is worked.
        status: Status = "provisional" if "provisional" in (one.status, other.status) else "decided"
        years[year] = CalendarYear(year, status, days)
    return Calendar(years)
