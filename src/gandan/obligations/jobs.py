"""What `gandan work` does for obligations.

Every effect has a key that can be written only once, in the same transaction as the effect itself: a worker
may be killed at any moment, and several may run.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from gandan import audit
from gandan.access import Actor, SystemActor
from gandan.access.clock import VIETNAM, day_of
from gandan.law import Calendar
from gandan.obligations import actions, terms
from gandan.obligations.models import Effect, Notice, Obligation
from gandan.units.models import superior_on

BATCH = 500
HORIZON = timedelta(days=21)
"""How far ahead promises are looked at: further than any row of days of rest."""


def tick(at: datetime) -> int:
    """Seed the calendar ahead, remind before promises fall due, tell owner and superior of late ones; return how
    many effects there were."""
    by = SystemActor("work", "obligation.read")
    return actions.keep_years_seeded(by=by, on=day_of(at)) + _remind(at, by) + _tell_late(at, by)


def remind_from(obligation: Obligation, calendar: Calendar) -> datetime:
    """Return from when on the owner is reminded: half of the time for clocks in hours; else the beginning of the
    working day before the last day, or of the last day itself when the clock started no earlier."""
    if obligation.term.unit in ("hour", "half_day"):
        return obligation.started_at + (obligation.due_at - obligation.started_at) / 2
    last = day_of(obligation.due_at - timedelta(microseconds=1))
    day = last - timedelta(days=1)
    while not calendar.is_working_day(day):
        day -= timedelta(days=1)
    if day <= day_of(obligation.started_at):
        day = last
    return datetime.combine(day, time(0), VIETNAM)


def _remind(at: datetime, by: Actor) -> int:
    calendar, done = terms.calendar(), 0
    soon = Obligation.system("work").running().filter(due_at__gt=at, due_at__lte=at + HORIZON)
    for rows in _batches(soon):
        wanted = [(row, row.owed_by_id) for row in rows if remind_from(row, calendar) <= at]
        done += _notify(Notice.Kind.REMINDER, wanted, at, by)
    return done


def _tell_late(at: datetime, by: Actor) -> int:
    done = 0
    superiors: dict[UUID, UUID | None] = {}
    for rows in _batches(Obligation.system("work").overdue(at)):
        done += _notify(Notice.Kind.OVERDUE, [(row, row.owed_by_id) for row in rows], at, by)
        for row in rows:
            if row.owed_by_id not in superiors:
                superior = superior_on(row.owed_by, day_of(at))
                superiors[row.owed_by_id] = superior.pk if superior else None
        above = [(row, unit) for row in rows if (unit := superiors[row.owed_by_id]) is not None]
        done += _notify(Notice.Kind.ESCALATION, above, at, by)
    return done


def _batches(rows: Any) -> Iterator[Sequence[Obligation]]:
    """Yield the rows in order of their dates, each time anew from where the last ones ended."""
    rows = rows.select_related("owed_by", "term").order_by("due_at", "pk")
    part = list(rows[:BATCH])
    while part:
        yield part
        last = part[-1]
        after = Q(due_at__gt=last.due_at) | Q(due_at=last.due_at, pk__gt=last.pk)
        part = list(rows.filter(after, due_at__gte=last.due_at)[:BATCH])


def _notify(kind: str, wanted: Sequence[tuple[Obligation, UUID]], at: datetime, by: Actor) -> int:
    """Write the notices that were not written before for the same due date; return how many."""
    keys = {f"{kind}:{row.pk}:{row.due_at:%Y%m%d%H%M}": (row, unit) for row, unit in wanted}
    known = set(Effect.objects.filter(key__in=keys).values_list("key", flat=True))
    return sum(_once(key, row, unit, kind, at, by) for key, (row, unit) in keys.items() if key not in known)


def _once(key: str, row: Obligation, unit: UUID, kind: str, at: datetime, by: Actor) -> bool:
    try:
        with transaction.atomic():
            Effect.objects.create(key=key, at=at)
            Notice.objects.create(
                unit_id=unit,
                province_id=row.province_id,
                matter=row.matter,
                obligation=row,
                kind=kind,
                at=at,
                facts={"due_at": row.due_at.isoformat(), "owed_by": str(row.owed_by_id)},
            )
            audit.record(f"obligation.{kind}", by=by, on=row, unit=row.owed_by_id, at=at)
    except IntegrityError:
        if not Effect.objects.filter(key=key).exists():
            raise
        # Another worker was first.
        return False
    return True
