"""What `gandan work` does for obligations. Every effect has a key that can be written only once, in the same
transaction as the effect itself: a worker may be killed, and several may run."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from gandan import audit
from gandan.access import Actor, SystemActor
from gandan.access.clock import day_of
from gandan.obligations import actions
from gandan.obligations.models import Effect, Notice, Obligation
from gandan.units.models import Unit, superior_on

_BATCH = 500


def tick(at: datetime) -> int:
    """Seed the calendar ahead, remind before promises fall due, tell the superior of late ones."""
    by = SystemActor("work", "obligation.read")
    done = actions.keep_years_seeded(by=by, on=day_of(at))
    done += _notices(at, by)
    return done


def _notices(at: datetime, by: Actor) -> int:
    done = 0
    running = Obligation.system("work").running().select_related("owed_by", "term")
    soon = running.filter(due_at__gt=at, due_at__lte=at + timedelta(days=2)).order_by("due_at", "id")
    for row in soon.iterator(chunk_size=_BATCH):
        left, length = row.due_at - at, row.due_at - row.started_at
        if left <= min(timedelta(days=1, hours=12), length / 2):
            done += _once(
                f"reminder:{row.pk}:{row.due_at:%Y%m%d%H%M}", row, row.owed_by_id, Notice.Kind.REMINDER, at, by
            )
    late = running.filter(due_at__lte=at, due_at__gt=at - timedelta(days=400)).order_by("due_at", "id")
    for row in late.iterator(chunk_size=_BATCH):
        stamp = f"{row.due_at:%Y%m%d%H%M}"
        done += _once(f"overdue:{row.pk}:{stamp}", row, row.owed_by_id, Notice.Kind.OVERDUE, at, by)
        superior = superior_on(row.owed_by, day_of(at))
        if superior is not None and superior.level != Unit.Level.COUNTRY:
            done += _once(f"escalation:{row.pk}:{stamp}", row, superior.pk, Notice.Kind.ESCALATION, at, by)
    return done


def _once(key: str, row: Obligation, unit_id: object, kind: str, at: datetime, by: Actor) -> int:
    """Write one notice unless its key was written before; return how many were written."""
    if Effect.objects.filter(key=key).exists():
        return 0
    try:
        with transaction.atomic():
            Effect.objects.create(key=key, at=at)
            Notice.objects.create(
                unit_id=unit_id,
                province_id=row.province_id,
                matter=row.matter,
                obligation=row,
                kind=kind,
                at=at,
                facts={"due_at": row.due_at.isoformat(), "owed_by": str(row.owed_by_id)},
            )
            audit.record(f"obligation.{kind}", by=by, on=row, unit=row.owed_by_id, at=at)
    except IntegrityError:
        return 0
    return 1
