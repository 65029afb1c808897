"""One obligation with its events, in memory: the only place where events are made.

Live actions load a ledger, add to it and save; the history of a province is written from thousands of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from gandan.access import sql
from gandan.access.clock import day_of
from gandan.audit import actions as audit
from gandan.audit.models import AuditEntry
from gandan.law import Calendar
from gandan.obligations import replay
from gandan.obligations.calendar import KeptCalendar
from gandan.obligations.models import Obligation, ObligationEvent, Term

Kind = ObligationEvent.Kind
_PROJECTED = (
    *("owed_by", "province", "assignee", "due_at"),
    *("suspended_at", "suspended_for", "discharged_at", "ending"),
)


class OutOfOrder(ValueError):
    """An event that cannot follow those before it."""


@dataclass
class Ledger:
    """`calendar` is the one that `terms.calendar` returns."""

    obligation: Obligation
    events: list[ObligationEvent]
    calendar: Calendar
    added: list[ObligationEvent] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        *,
        kind: str,
        matter: UUID,
        term: Term,
        amount: Decimal,
        owed_by: UUID,
        province: UUID | None,
        assignee: UUID | None,
        at: datetime,
        recorded_at: datetime,
        actor_id: UUID | None,
        calendar: Calendar,
        key: UUID | None = None,
        remote: bool = False,
        complex: bool = False,
    ) -> "Ledger":
        """Start a clock. The due date is counted by `law` and kept with the event; `remote` and `complex` say why
        the amount is not the ordinary one."""
        obligation = Obligation(
            id=key or uuid4(),
            kind=kind,
            matter=matter,
            clock=term.code,
            term=term,
            owed_by_id=owed_by,
            province_id=province,
            assignee_id=assignee,
            started_at=at,
            due_at=at,
        )
        ledger = cls(obligation, [], calendar)
        facts = {
            "amount": str(amount.normalize()),
            "unit": term.unit,
            "owed_by": str(owed_by),
            "province": str(province) if province else None,
            "assignee": str(assignee) if assignee else None,
            "term_version": term.version,
        }
        facts |= {name: True for name, holds in (("remote", remote), ("complex", complex)) if holds}
        ledger.add(Kind.OPENED, at=at, recorded_at=recorded_at, actor_id=actor_id, facts=facts)
        return ledger

    @classmethod
    def load(cls, obligation: Obligation, calendar: Calendar) -> "Ledger":
        return cls(obligation, sorted(obligation.events.all(), key=lambda event: event.seq), calendar)

    def can_pause(self, ground: str, at: datetime) -> bool:
        """Say whether the clock may stand still from an instant on: it runs, its term lists the ground, and its
        date has not passed. A promise that is late stays late."""
        row = self.obligation
        runs = row.discharged_at is None and row.suspended_at is None
        return runs and ground in row.term.pause_grounds and at < row.due_at

    def add(
        self,
        kind: str,
        *,
        at: datetime,
        recorded_at: datetime,
        actor_id: UUID | None = None,
        ground: str = "",
        facts: dict[str, Any] | None = None,
    ) -> ObligationEvent:
        """Add an event and bring the projections up to date.

        Raises OutOfOrder after the end, for a second pause or one that overlaps another, for running on without a
        pause, and for an instant before the start (or, running on, before the pause).
        """
        before = self.projection()
        self._refuse_disorder(before, kind, at)
        event = ObligationEvent(
            obligation=self.obligation,
            seq=len(self.events) + 1,
            kind=kind,
            at=at,
            recorded_at=recorded_at,
            actor_id=actor_id,
            ground=ground[:200],
            facts=dict(facts or {}),
        )
        counts = before.counts(kind)
        after = before.add(event)
        if counts:
            due_at, versions = self._count(after)
            event.facts |= {"due_at": due_at.isoformat(), "calendar": versions}
            after.due_at = due_at
        self.events.append(event)
        self.added.append(event)
        self._project(after)
        return event

    def projection(self) -> replay.Projection:
        return replay.fold(self.events)

    def save(self) -> None:
        """Write the new events and the projections inside the caller's transaction."""
        if self.obligation._state.adding:
            sql.add([self.obligation])
        else:
            self.obligation.save(update_fields=_PROJECTED)
        sql.add(self.added)
        self.added = []

    def _count(self, found: replay.Projection) -> tuple[datetime, dict[str, int]]:
        """Return when the term ends, and the versions of the years by which that was counted."""
        assert isinstance(self.calendar, KeptCalendar) and found.started_at is not None
        counted = found.deadline(self.calendar)
        return counted.due_at, self.calendar.used(day_of(found.started_at), counted.last_day)

    def _refuse_disorder(self, now: replay.Projection, kind: str, at: datetime) -> None:
        if (now.started_at is None) != (kind == Kind.OPENED):
            raise OutOfOrder("a clock is opened first, and once")
        if now.discharged_at is not None:
            raise OutOfOrder("nothing follows the end of a clock")
        if now.started_at is not None and at < now.started_at:
            raise OutOfOrder("an event lies before the start of its clock")
        if kind == Kind.SUSPENDED:
            if now.suspended_at is not None:
                raise OutOfOrder("the clock stands still already")
            if any(pause.end is not None and at < pause.end for pause in now.pauses):
                raise OutOfOrder("two pauses overlap")
        if kind == Kind.RESUMED and (now.suspended_at is None or at < now.suspended_at):
            raise OutOfOrder("a clock runs on after it stood still")

    def _project(self, found: replay.Projection) -> None:
        row = self.obligation
        assert found.due_at is not None and found.owed_by is not None
        row.due_at, row.owed_by_id, row.province_id = found.due_at, found.owed_by, found.province
        row.assignee_id = found.assignee
        row.suspended_at, row.suspended_for = found.suspended_at, found.suspended_for
        row.discharged_at, row.ending = found.discharged_at, found.ending


def entries_of(ledgers: Iterable[Ledger], reason: str) -> list[AuditEntry]:
    """Return an entry for each event that is not saved yet, committed to it, ready for `audit.record_history`."""
    return [
        audit.prepare(
            replay.ACTIONS[event.kind],
            at=event.recorded_at,
            actor_id=event.actor_id,
            object_type="obligations.obligation",
            object_id=ledger.obligation.pk,
            unit_id=ledger.obligation.owed_by_id,
            reason=reason,
            values=replay.committed(event),
        )
        for ledger in ledgers
        for event in ledger.added
    ]


def save_new(ledgers: Sequence[Ledger]) -> None:
    """Write the few new ledgers of one matter inside the caller's transaction."""
    sql.add([ledger.obligation for ledger in ledgers])
    sql.add([event for ledger in ledgers for event in ledger.added])
    for ledger in ledgers:
        ledger.added = []


def save_all(ledgers: Sequence[Ledger], batch: int = 1000) -> None:
    """Write many new ledgers at once."""
    Obligation.objects.bulk_create([ledger.obligation for ledger in ledgers], batch_size=batch)
    ObligationEvent.objects.bulk_create([event for ledger in ledgers for event in ledger.added], batch_size=batch)
    for ledger in ledgers:
        ledger.added = []
