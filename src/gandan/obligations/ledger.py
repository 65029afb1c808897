"""One obligation with its events, in memory: the only place where events are made.

Live actions load a ledger, add to it and save; the history of a province is written from thousands of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from gandan.law import Calendar
from gandan.obligations import replay
from gandan.obligations.models import Obligation, ObligationEvent, Term

Kind = ObligationEvent.Kind


@dataclass
class Ledger:
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
    ) -> "Ledger":
        """Start a clock. The due date is counted by `law` and kept with the event."""
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
        ledger.add(Kind.OPENED, at=at, recorded_at=recorded_at, actor_id=actor_id, facts=facts)
        return ledger

    @classmethod
    def load(cls, obligation: Obligation, calendar: Calendar) -> "Ledger":
        return cls(obligation, list(obligation.events.order_by("seq")), calendar)

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
        """Add an event and bring the projections up to date."""
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
        self.events.append(event)
        self.added.append(event)
        if kind in (Kind.OPENED, Kind.RESUMED, Kind.EXTENDED, Kind.RECOMPUTED):
            event.facts["due_at"] = replay.fold(self.events).deadline(self.calendar).due_at.isoformat()
        self._project()
        return event

    def projection(self) -> replay.Projection:
        return replay.fold(self.events)

    def save(self) -> None:
        """Write the new events and the projections inside the caller's transaction."""
        if self.obligation._state.adding:
            self.obligation.save(force_insert=True)
        else:
            self.obligation.save()
        ObligationEvent.objects.bulk_create(self.added)
        self.added = []

    def _project(self) -> None:
        found, row = self.projection(), self.obligation
        assert found.due_at is not None and found.owed_by is not None
        row.due_at, row.owed_by_id, row.province_id = found.due_at, found.owed_by, found.province
        row.assignee_id, row.suspended_at = found.assignee, found.suspended_at
        row.discharged_at, row.ending = found.discharged_at, found.ending


def save_all(ledgers: Sequence[Ledger], batch: int = 1000) -> None:
    """Write many new ledgers at once."""
    Obligation.objects.bulk_create([ledger.obligation for ledger in ledgers], batch_size=batch)
    ObligationEvent.objects.bulk_create([event for ledger in ledgers for event in ledger.added], batch_size=batch)
    for ledger in ledgers:
        ledger.added = []
