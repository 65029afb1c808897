"""Which days are worked.

A year is decided by decree, or provisional until it is. A year that nobody declared is refused: the dates of
Tết are not to be guessed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import Literal

Kind = Literal["holiday", "swapped_rest", "swapped_work"]
Status = Literal["decided", "provisional"]
_DAY = timedelta(days=1)


class CalendarNotDeclared(LookupError):
    """No calendar is declared for the year in `year`."""

    def __init__(self, year: int) -> None:
        super().__init__(f"no working calendar is declared for {year}")
        self.year = year


@dataclass(frozen=True, slots=True)
class DayRule:
    """Why a day differs from its weekday: a holiday, a day of rest in exchange, a Saturday worked in exchange.

    `decree` is the number of the decision that says so, `published_on` the day on which it became known.
    """

    kind: Kind
    name_vi: str
    name_en: str
    decree: str = ""
    published_on: date | None = None


WEEKLY_REST = DayRule("holiday", "ngày nghỉ hằng tuần", "weekly day of rest")


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """One year: its status, the days that differ, and the decree that says so.

    `version` is eight hexadecimal digits that change when a day is worked that was not, or the other way round.
    Raises ValueError for a day of another year, and for a weekday “worked in exchange”.
    """

    year: int
    status: Status
    days: Mapping[date, DayRule]
    decree: str = ""
    version: str = field(init=False, default="")

    def __post_init__(self) -> None:
        for day, rule in self.days.items():
            if day.year != self.year:
                raise ValueError(f"{day} does not belong to the calendar of {self.year}")
            if rule.kind == "swapped_work" and day.weekday() < 5:
                raise ValueError(f"{day} is worked anyway; only a Saturday or Sunday is worked in exchange")
        text = "|".join(f"{day} {rule.kind == 'swapped_work':d}" for day, rule in sorted(self.days.items()))
        object.__setattr__(self, "days", MappingProxyType(dict(self.days)))
        object.__setattr__(self, "version", sha256(f"{self.year}|{text}".encode()).hexdigest()[:8])


@dataclass(frozen=True, slots=True)
class Calendar:
    """The declared years. Saturday and Sunday rest unless a year says that one is worked.

    `name` says whose calendar it is, for example a province with holidays of its own.
    """

    years: Mapping[int, CalendarYear] = field(default_factory=dict)
    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "years", MappingProxyType(dict(self.years)))

    def is_working_day(self, day: date) -> bool:
        """Say whether a day is worked. Raises CalendarNotDeclared for a year that nobody declared."""
        return self.why_not_working(day) is None

    def why_not_working(self, day: date) -> DayRule | None:
        """Return the rule by which a day is not worked, or None for a working day.

        Raises CalendarNotDeclared.
        """
        rule = self.year_of(day).days.get(day)
        if rule is not None:
            return None if rule.kind == "swapped_work" else rule
        return WEEKLY_REST if day.weekday() >= 5 else None

    def is_provisional(self, day: date) -> bool:
        """Say whether the day's year still waits for its decree. Raises CalendarNotDeclared."""
        return self.year_of(day).status == "provisional"

    def provisional_years(self) -> tuple[int, ...]:
        """Return the declared years that still wait for their decree, the earliest first."""
        return tuple(sorted(year for year, each in self.years.items() if each.status == "provisional"))

    def working_days(self, after: date, until: date) -> Iterator[date]:
        """Give the working days later than `after` up to and with `until`. Raises CalendarNotDeclared."""
        day = after
        while (day := day + _DAY) <= until:
            if self.is_working_day(day):
                yield day

    def year_of(self, day: date) -> CalendarYear:
        """Return the declared year of a day. Raises CalendarNotDeclared."""
        try:
            return self.years[day.year]
        except KeyError:
            raise CalendarNotDeclared(day.year) from None


def calendar_of(years: Iterable[CalendarYear], name: str = "") -> Calendar:
    """Return the calendar of several years. Raises ValueError when one year is declared twice."""
    found: dict[int, CalendarYear] = {}
    for each in years:
        if each.year in found:
            raise ValueError(f"the calendar of {each.year} is declared twice")
        found[each.year] = each
    return Calendar(found, name)


def union(*calendars: Calendar, name: str = "") -> Calendar:
    """Return a calendar in which a day rests when any of the calendars declares it so: local holidays.

    A Saturday that one of them declares worked is worked unless another one declares a holiday on it: declared
    rest comes before declared work, and both before the weekday. The union declares only years that all of
    them declare, so that a missing list of local holidays is never taken for an empty one. A year is
    provisional when it is so in one of them.

    Raises ValueError without a calendar.
    """
    if not calendars:
        raise ValueError("a union of no calendars")
    shared = set.intersection(*(set(each.years) for each in calendars))
    return Calendar({year: _joined([each.years[year] for each in calendars]) for year in sorted(shared)}, name)


def _joined(years: list[CalendarYear]) -> CalendarYear:
    days: dict[date, DayRule] = {}
    for each in years:
        for day, rule in each.days.items():
            known = days.get(day)
            if known is None or (known.kind == "swapped_work" and rule.kind != "swapped_work"):
                days[day] = rule
    status: Status = "provisional" if any(each.status == "provisional" for each in years) else "decided"
    decrees = dict.fromkeys(each.decree for each in years if each.decree)
    return CalendarYear(years[0].year, status, days, "; ".join(decrees))
