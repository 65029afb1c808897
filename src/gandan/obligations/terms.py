"""From the tables of terms to the values that `law` counts with."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from gandan.access import sql
from gandan.law.terms import ExtensionRule
from gandan.law.terms import Term as LawTerm
from gandan.obligations.calendar import KeptCalendar, almanac
from gandan.obligations.models import Term

_COLUMNS = tuple(field.attname for field in Term._meta.concrete_fields)
OURS = "commune"
"""The body whose terms open a promise here; those of others are shown only."""


def calendar() -> KeptCalendar:
    """Return the calendar as it stands now."""
    return almanac().present


def value_of(term: Term) -> LawTerm:
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
            ExtensionRule(
                e["code"], int(e["amount"]), e["unit"], int(e.get("times", 1)), e.get("by", ""), e.get("ask_before", 0)
            )
            for e in term.extensions
        ),
        pause_grounds=tuple(term.pause_grounds),
        starts_at_event=term.starts_on,
    )


def in_force(procedure: str, on: date, *, starts_on: str | None = None) -> list[Term]:
    """Return the version of each term of a procedure in force on a day, in the order of their codes."""
    rows = Term.objects.filter(procedure=procedure, valid_from__lte=on)
    if starts_on:
        rows = rows.filter(starts_on=starts_on)
    return _standing(rows.order_by("code", "valid_from", "version"), on)


def started_by(procedure: str, on: date, events: Sequence[str]) -> list[Term]:
    """Return the versions in force on a day of the terms of a procedure that these events start, in their order."""
    found = [Term.from_db(connection.alias, _COLUMNS, row) for row in sql.rows(_of_procedure, (procedure, on), ())]
    standing = _standing(found, on)
    return [term for event in events for term in standing if term.starts_on == event]


def _of_procedure(procedure: str, on: date) -> Any:
    rows = Term.objects.filter(procedure=procedure, valid_from__lte=on)
    return rows.order_by("code", "valid_from", "version").values_list(*_COLUMNS)


def all_in_force(on: date) -> list[Term]:
    """Return the version of every term in force on a day, in the order of their codes."""
    return _standing(Term.objects.filter(valid_from__lte=on).order_by("code", "valid_from", "version"), on)


def amount_of(term: Term, *, remote: bool, complex: bool) -> Decimal:
    return value_of(term).amount_for(remote=remote, complex=complex)


def _standing(rows: Iterable[Term], on: date) -> list[Term]:
    latest = {term.code: term for term in rows if term.valid_to is None or term.valid_to > on}
    return list(latest.values())
