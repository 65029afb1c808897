"""Reading an obligation's present from its past."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gandan.law import Calendar, Deadline, Extension, Pause, deadline
from gandan.obligations.models import Obligation, ObligationEvent

Kind = ObligationEvent.Kind


@dataclass
class Projection:
    """What the events of one obligation add up to."""

    amount: Decimal = Decimal(1)
    unit: str = "day"
    started_at: datetime | None = None
    due_at: datetime | None = None
    owed_by: UUID | None = None
    province: UUID | None = None
    assignee: UUID | None = None
    suspended_at: datetime | None = None
    discharged_at: datetime | None = None
    ending: str = ""
    pauses: list[Pause] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)
    suspended_ground: str = ""

    def deadline(self, calendar: Calendar) -> Deadline:
        """Return the due date as the law counts it from what has happened so far."""
        assert self.started_at is not None
        return deadline(
            self.amount,
            self.unit,  # type: ignore[arg-type]
            self.started_at,
            calendar,
            pauses=self.pauses,
            extensions=self.extensions,
        )


def fold(events: Iterable[Any]) -> Projection:
    """Return what the events add up to. Pure: the due dates stand in the events' facts."""
    now = Projection()
    for event in events:
        facts = event.facts
        match event.kind:
            case Kind.OPENED:
                now.amount, now.unit = Decimal(facts["amount"]), facts["unit"]
                now.started_at = event.at
                now.owed_by, now.province = UUID(facts["owed_by"]), _uuid(facts.get("province"))
                now.assignee = _uuid(facts.get("assignee"))
            case Kind.ASSIGNED:
                now.assignee = _uuid(facts.get("assignee"))
            case Kind.SUSPENDED:
                now.suspended_at, now.suspended_ground = event.at, event.ground
            case Kind.RESUMED:
                if now.suspended_at is not None:
                    now.pauses.append(Pause(now.suspended_at, event.at, now.suspended_ground))
                now.suspended_at = None
            case Kind.EXTENDED:
                now.extensions.append(Extension(Decimal(facts["amount"]), facts["unit"], event.ground))
            case Kind.TRANSFERRED:
                now.owed_by, now.province = UUID(facts["owed_by"]), _uuid(facts.get("province"))
                now.assignee = _uuid(facts.get("assignee"))
            case Kind.DISCHARGED | Kind.HANDED_OVER | Kind.WITHDRAWN:
                if now.suspended_at is not None:
                    now.pauses.append(Pause(now.suspended_at, max(event.at, now.suspended_at), now.suspended_ground))
                now.suspended_at = None
                now.discharged_at, now.ending = event.at, str(event.kind)
        if "due_at" in facts:
            now.due_at = datetime.fromisoformat(facts["due_at"])
    return now


@dataclass(frozen=True, slots=True)
class Difference:
    """An obligation whose stored present is not what its events say."""

    obligation: UUID
    column: str
    stored: Any
    replayed: Any

    def __str__(self) -> str:
        return f"{self.obligation}: {self.column} is {self.stored}, its events say {self.replayed}"


def compare(obligation: Obligation, events: Iterable[Any]) -> list[Difference]:
    found = fold(events)
    pairs = {
        "started_at": (obligation.started_at, found.started_at),
        "due_at": (obligation.due_at, found.due_at),
        "owed_by": (obligation.owed_by_id, found.owed_by),
        "province": (obligation.province_id, found.province),
        "assignee": (obligation.assignee_id, found.assignee),
        "suspended_at": (obligation.suspended_at, found.suspended_at),
        "discharged_at": (obligation.discharged_at, found.discharged_at),
        "ending": (obligation.ending, found.ending),
    }
    return [Difference(obligation.pk, name, a, b) for name, (a, b) in pairs.items() if a != b]


def check(batch: int = 2000) -> Iterator[Difference]:
    """Compare every obligation with the replay of its events."""
    rows = Obligation.system("replay-check").order_by("pk")
    last = None
    while True:
        part = list((rows.filter(pk__gt=last) if last else rows)[:batch])
        if not part:
            return
        last = part[-1].pk
        events: dict[UUID, list[ObligationEvent]] = {row.pk: [] for row in part}
        for event in ObligationEvent.system("replay-check").filter(obligation__in=part).order_by("obligation", "seq"):
            events[event.obligation_id].append(event)
        for row in part:
            yield from compare(row, events[row.pk])


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
