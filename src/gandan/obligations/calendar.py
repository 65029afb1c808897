"""The kept calendar as the value that `law` counts with: as it stands, and as it stood when a date was counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from gandan.access import sql
from gandan.law import Calendar, CalendarYear, DayRule
from gandan.obligations import models

Status = models.CalendarYear.Status


@dataclass(frozen=True, slots=True)
class KeptCalendar(Calendar):
    """A calendar that knows the version of each of its years."""

    versions: Mapping[int, int] = field(default_factory=dict)

    def used(self, first: date, last: date) -> dict[str, int]:
        """Return the versions of the declared years from one day to another, as an event keeps them."""
        years = range(first.year, last.year + 1)
        return {str(year): self.versions[year] for year in years if year in self.versions}

    def with_day(self, day: date, rule: DayRule | None) -> "KeptCalendar":
        """Return the calendar as it would be with another rule for a day, or with none."""
        year = self.year_of(day)
        days = {each: kept for each, kept in year.days.items() if each != day} | ({day: rule} if rule else {})
        changed = CalendarYear(year.year, year.status, days, year.decree)
        return replace(self, years={**self.years, day.year: changed})


class _Year(NamedTuple):
    key: UUID
    number: int
    version: int
    edition: UUID
    decree: str
    decided_in: int | None


class Almanac:
    """Every year in every version, read at once."""

    def __init__(self, years: tuple[_Year, ...]) -> None:
        self._years = {year.number: year for year in years}
        self._days: dict[int, list[Any]] = {year.number: [] for year in years}
        for row in models.CalendarDay.objects.filter(year__in=[year.key for year in years]):
            self._days[row.day.year].append(row)
        self._read: dict[tuple[tuple[int, int], ...], KeptCalendar] = {}
        self.present = self.as_of({str(year.number): year.version for year in years})

    def as_of(self, versions: Mapping[str, int]) -> KeptCalendar:
        """Return the years named as they stood in these versions. Other years are absent."""
        key = tuple(sorted((int(year), version) for year, version in versions.items()))
        if key not in self._read:
            self._read[key] = KeptCalendar(
                {year: self._in_version(year, version) for year, version in key if year in self._years},
                versions=dict(key),
            )
        return self._read[key]

    def _in_version(self, number: int, version: int) -> CalendarYear:
        year = self._years[number]
        days = {
            row.day: DayRule(row.kind, row.name_vi, row.name_en, row.decree, row.published_on)
            for row in self._days[number]
            if row.since <= version and (row.until is None or row.until > version)
        }
        decided = year.decided_in is not None and version >= year.decided_in
        return CalendarYear(number, "decided" if decided else "provisional", days, year.decree)


def almanac() -> Almanac:
    """Return the calendar with its history; read from the tables only after a change."""
    return _kept(_years())


def almanac_afresh() -> Almanac:
    """Return the calendar as the tables hold it at this moment, for those who doubt them."""
    return Almanac(_years())


def _years() -> tuple[_Year, ...]:
    return tuple(_Year(*row) for row in sql.rows(_every_year, (), ()))


def _every_year() -> Any:
    columns = ("pk", "year", "version", "edition", "decree", "decided_in")
    return models.CalendarYear.objects.order_by("year").values_list(*columns)


@lru_cache(maxsize=4)
def _kept(years: tuple[_Year, ...]) -> Almanac:
    return Almanac(years)
