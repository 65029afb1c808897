"""Reading an obligation's present from its past, and doubting both.

Events are read in the order in which they were written down. What was entered late keeps both its times: it
changes what follows from it, never what stood in the record before.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings

from gandan.audit import chain
from gandan.audit.models import AuditEntry
from gandan.law import Calendar, CalendarNotDeclared, Deadline, Extension, Pause, deadline
from gandan.obligations.calendar import Almanac, almanac_afresh
from gandan.obligations.models import Obligation, ObligationEvent

Kind = ObligationEvent.Kind
PROMPT = timedelta(minutes=5)
"""What is written down within this time was written down at once; what comes later shows both its times."""
ENDINGS = (Kind.DISCHARGED, Kind.HANDED_OVER, Kind.WITHDRAWN)
_COUNTED = (Kind.OPENED, Kind.RESUMED, Kind.EXTENDED, Kind.RECOMPUTED)

ACTIONS: Mapping[str, str] = {
    Kind.OPENED: "obligation.start",
    Kind.ASSIGNED: "obligation.assign",
    Kind.SUSPENDED: "obligation.suspend",
    Kind.RESUMED: "obligation.resume",
    Kind.EXTENDED: "obligation.extend",
    Kind.RECOMPUTED: "obligation.recompute",
    Kind.TRANSFERRED: "obligation.transfer",
    Kind.HANDED_OVER: "obligation.handed_over",
    Kind.DISCHARGED: "obligation.discharged",
    Kind.WITHDRAWN: "obligation.withdrawn",
}
"""The action by which the audit record names each event."""


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
    suspended_for: str = ""
    remote: bool = False
    complex: bool = False
    calendar: Mapping[str, int] = field(default_factory=dict)
    """The versions of the calendar by which `due_at` was counted."""

    def counts(self, kind: str) -> bool:
        """Say whether an event of this kind, coming now, counts the due date anew."""
        return kind in _COUNTED or (kind in ENDINGS and self.suspended_at is not None)

    def add(self, event: Any) -> "Projection":
        """Take in the next event. The due date is read from it, not counted."""
        facts = event.facts
        match event.kind:
            case Kind.OPENED:
                self.amount, self.unit = Decimal(facts["amount"]), facts["unit"]
                self.started_at = event.at
                self.remote, self.complex = facts.get("remote", False), facts.get("complex", False)
                self._pass_to(facts)
            case Kind.ASSIGNED:
                self.assignee = _uuid(facts.get("assignee"))
            case Kind.SUSPENDED:
                self.suspended_at, self.suspended_for = event.at, event.ground
            case Kind.RESUMED:
                self._run_on(event.at)
            case Kind.EXTENDED:
                extension = Extension(Decimal(facts["amount"]), facts["unit"], event.ground, facts.get("code", ""))
                self.extensions.append(extension)
            case Kind.TRANSFERRED:
                self._pass_to(facts)
            case Kind.DISCHARGED | Kind.HANDED_OVER | Kind.WITHDRAWN:
                self._run_on(event.at)
                self.discharged_at, self.ending = event.at, str(event.kind)
        if "due_at" in facts:
            self.due_at, self.calendar = datetime.fromisoformat(facts["due_at"]), facts.get("calendar", {})
        return self

    def deadline(self, calendar: Calendar) -> Deadline:
        """Return the due date as the law counts it from what has happened so far."""
        assert self.started_at is not None
        return deadline(
            self.amount,
            self.unit,  # type: ignore[arg-type]
            self.started_at,
            calendar,
            pauses=self.all_pauses,
            extensions=self.extensions,
        )

    @property
    def all_pauses(self) -> list[Pause]:
        """The pauses with the one that lasts still, if any: it moves the date only when it ends."""
        if self.suspended_at is None:
            return self.pauses
        return [*self.pauses, Pause(self.suspended_at, None, self.suspended_for)]

    def _pass_to(self, facts: Mapping[str, Any]) -> None:
        self.owed_by, self.province = UUID(facts["owed_by"]), _uuid(facts.get("province"))
        self.assignee = _uuid(facts.get("assignee"))

    def _run_on(self, at: datetime) -> None:
        if self.suspended_at is not None and at > self.suspended_at:
            self.pauses.append(Pause(self.suspended_at, at, self.suspended_for))
        self.suspended_at, self.suspended_for = None, ""


def fold(events: Iterable[Any]) -> Projection:
    """Return what the events add up to."""
    found = Projection()
    for event in events:
        found.add(event)
    return found


def committed(event: Any) -> dict[str, Any]:
    """Return what the audit record commits to: the whole event, so that altering it is found."""
    return {
        "seq": event.seq,
        "kind": str(event.kind),
        "at": event.at,
        "recorded_at": event.recorded_at,
        "actor": event.actor_id,
        "ground": event.ground,
        "facts": event.facts,
    }


@dataclass(frozen=True, slots=True)
class Difference:
    """An obligation of which what is stored, what its events say and what the law counts are not the same."""

    obligation: UUID
    column: str
    stored: Any
    replayed: Any

    def __str__(self) -> str:
        return f"{self.obligation}: {self.column} is {self.stored}, its events say {self.replayed}"


def compare(obligation: Obligation, events: Iterable[Any]) -> list[Difference]:
    """Return the columns that differ from what the events add up to."""
    found = fold(events)
    pairs = {
        "started_at": (obligation.started_at, found.started_at),
        "due_at": (obligation.due_at, found.due_at),
        "owed_by": (obligation.owed_by_id, found.owed_by),
        "province": (obligation.province_id, found.province),
        "assignee": (obligation.assignee_id, found.assignee),
        "suspended_at": (obligation.suspended_at, found.suspended_at),
        "suspended_for": (obligation.suspended_for, found.suspended_for),
        "discharged_at": (obligation.discharged_at, found.discharged_at),
        "ending": (obligation.ending, found.ending),
    }
    return [Difference(obligation.pk, name, a, b) for name, (a, b) in pairs.items() if a != b]


def recount(obligation: UUID, events: Sequence[Any], kept: Almanac) -> list[Difference]:
    """Count every due date of the events again, each by the calendar that stood when it was written down."""
    found, differences = Projection(), []
    for event in events:
        counts = found.counts(event.kind)
        found.add(event)
        if not counts:
            continue
        try:
            counted: Any = found.deadline(kept.as_of(event.facts.get("calendar", {}))).due_at
        except CalendarNotDeclared as absent:
            counted = str(absent)
        if counted != found.due_at:
            differences.append(Difference(obligation, f"due date of event {event.seq}", found.due_at, counted))
    return differences


def check(batch: int = 1000) -> Iterator[Difference]:
    """Compare every obligation with the replay of its events, count its dates again, and compare the events with
    what the audit record committed to."""
    rows = Obligation.system("replay-check").order_by("pk")
    kept, record, last = almanac_afresh(), _Record(), None
    while part := list((rows.filter(pk__gt=last) if last else rows)[:batch]):
        last = part[-1].pk
        events: dict[UUID, list[ObligationEvent]] = {row.pk: [] for row in part}
        for event in ObligationEvent.system("replay-check").filter(obligation__in=part).order_by("obligation", "seq"):
            events[event.obligation_id].append(event)
        for row in part:
            yield from compare(row, events[row.pk])
            yield from recount(row.pk, events[row.pk], kept)
        record.read(events)
    yield from record.differences()


class _Record:
    """What the audit record committed to, held against the events themselves."""

    def __init__(self) -> None:
        self.key = settings.GANDAN_KEYS["audit"]
        self.matching = 0
        self.wrong: list[Difference] = []

    def read(self, events: Mapping[UUID, Sequence[ObligationEvent]]) -> None:
        promised: dict[UUID, list[str]] = defaultdict(list)
        rows = AuditEntry.system("replay-check").filter(object_id__in=events, action__in=ACTIONS.values())
        for key, commitment in rows.exclude(commitment="").order_by("seq").values_list("object_id", "commitment"):
            promised[key].append(commitment)
        for key, wanted in promised.items():
            found = [chain.commit(self.key, committed(event)) for event in events[key]]
            self.matching += len(set(wanted) & set(found))
            if set(wanted) - set(found):
                self.wrong.append(Difference(key, "an event", "altered or missing", "as the audit record has it"))
            elif found[0] in wanted and len(wanted) != len(found):
                self.wrong.append(Difference(key, "an event", "not in the audit record", "fewer events"))

    def differences(self) -> Iterator[Difference]:
        """Yield what differs; when nothing at all agrees it is the key that is another one, which is one fault."""
        if self.wrong and not self.matching:
            yield Difference(self.wrong[0].obligation, "the key of the audit record", "another one", "nothing agrees")
        else:
            yield from self.wrong


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None
