"""Short words for these tests: an instant, a promise that starts, and what is done with it at a time."""

from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from gandan.access import clock
from gandan.access.clock import VIETNAM
from gandan.audit import triggers
from gandan.obligations import actions
from gandan.obligations.models import Obligation
from tests.cast import NOBODY


def at(day: str | date, moment: time = time(9)) -> datetime:
    """Return an instant of a day in Vietnam: nine in the morning unless told."""
    return datetime.combine(date.fromisoformat(day) if isinstance(day, str) else day, moment, VIETNAM)


def midnight(day: str) -> datetime:
    return at(day, time(0))


def start(
    cast: Any, procedure: str = "RE-02", *, event: str = "complete", unit: Any = None, when: Any = None, **more: Any
) -> tuple[UUID, list[Obligation]]:
    """Start the clocks of a new matter at an instant (default: Monday, 16 November 2026), written down at once."""
    moment = when or at("2026-11-16")
    moment = moment if isinstance(moment, datetime) else at(moment)
    matter = more.pop("matter", None) or uuid4()
    with clock.at(moment):
        opened = actions.start(
            event,
            matter=matter,
            kind=more.pop("kind", "case"),
            procedure=procedure,
            unit=unit or cast.na_then,
            at=moment,
            by=more.pop("by", NOBODY),
            **more,
        )
    return matter, opened


def do(verb: Callable[..., Any], when: str | date, /, *arguments: Any, **values: Any) -> Any:
    """Do something at an instant, written down at once."""
    moment = when if isinstance(when, datetime) else at(when)
    with clock.at(moment):
        return verb(*arguments, **{"at": moment, "by": NOBODY, **values})


def without_triggers(model: Any) -> None:
    """Take away what protects a table, as somebody with the database in hand could."""
    for trigger in triggers.registered():
        if trigger.model is model:
            table = "" if connection.vendor == "sqlite" else f' ON "{model._meta.db_table}"'
            with connection.cursor() as cursor:
                cursor.execute(f'DROP TRIGGER "{trigger.name}"{table}')


def one(matter: UUID, clock_code: str = "") -> Obligation:
    """Return the promise of a matter as it is stored."""
    rows = Obligation.system("test").select_related("term", "owed_by")
    found: Obligation = rows.get(matter=matter, clock=clock_code) if clock_code else rows.get(matter=matter)
    return found
