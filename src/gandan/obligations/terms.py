"""From tables to the values that `law` counts with."""

from datetime import date
from decimal import Decimal
from functools import lru_cache

from gandan.law import calendar as law_calendar
from gandan.law.calendar import Calendar, CalendarYear, DayRule
from gandan.law.terms import ExtensionRule
from gandan.law.terms import Term as LawTerm
from gandan.obligations import models


def calendar() -> Calendar:
    """Return the declared calendar; read once and again after each change."""
    version = models.CalendarYear.objects.values_list("year", "version").order_by("year")
    return _calendar(tuple(version))


@lru_cache(maxsize=4)
def _calendar(version: tuple[tuple[int, int], ...]) -> Calendar:
    days: dict[int, dict[date, DayRule]] = {year: {} for year, _ in version}
    for row in models.CalendarDay.objects.select_related("year"):
        days.setdefault(row.year.year, {})[row.day] = DayRule(
            row.kind,  # type: ignore[arg-type]
            row.name_vi,
            row.name_en,
            row.decree,
        )
    return law_calendar.calendar_of(
        CalendarYear(row.year, row.status, days.get(row.year, {}), row.decree)  # type: ignore[arg-type]
        for row in models.CalendarYear.objects.order_by("year")
    )


def value_of(term: models.Term) -> LawTerm:
    """Return a stored term as the frozen value of `law`."""
    return LawTerm(
        code=term.code,
        amount=term.amount,
        unit=term.unit,  # type: ignore[arg-type]
        basis_vi=term.basis_vi,
        basis_en=term.basis_en,
        evidence=term.evidence,  # type: ignore[arg-type]
        version=term.version,
        valid_from=term.valid_from,
        valid_to=term.valid_to,
        remote_amount=term.remote_amount,
        complex_amount=term.complex_amount,
        remote_complex_amount=term.remote_complex_amount,
        extensions=tuple(
            ExtensionRule(e["code"], int(e["amount"]), e["unit"], int(e.get("times", 1)), e.get("by", ""))
            for e in term.extensions
        ),
        pause_grounds=tuple(term.pause_grounds),
    )


def in_force(procedure: str, on: date, *, starts_on: str | None = None) -> list[models.Term]:
    """Return the latest version of each term of a procedure in force on a day."""
    rows = models.Term.objects.filter(procedure=procedure, valid_from__lte=on)
    if starts_on:
        rows = rows.filter(starts_on=starts_on)
    latest: dict[str, models.Term] = {}
    for term in rows.order_by("code", "valid_from", "version"):
        if term.valid_to is None or term.valid_to > on:
            latest[term.code] = term
    return list(latest.values())


def amount_of(term: models.Term, *, remote: bool, complex: bool) -> Decimal:
    return value_of(term).amount_for(remote=remote, complex=complex)


def forget() -> None:
    """Forget the calendar that was read, after a change that was undone."""
    _calendar.cache_clear()
