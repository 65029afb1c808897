"""What an auditor looks for: a sample that anybody can draw again, and clocks that were moved just in time."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.utils.translation import gettext as _

from gandan.access import Actor
from gandan.access.clock import VIETNAM
from gandan.accounts.models import User
from gandan.audit.models import AuditEntry
from gandan.cases.models import Case, CaseEvent
from gandan.obligations import explain, replay
from gandan.obligations.models import Obligation, ObligationEvent
from gandan.portal.deeds import DEEDS, ENDED
from gandan.units.models import Unit

Kind = ObligationEvent.Kind
SIZE = 30
SHOWN = 200
"""Lines of a list on a page; the file holds all of them."""
READINGS = ("case.read", "access.read", "identity.reveal")
"""Actions of the record that tell of somebody who read something."""


# A sample


@dataclass(frozen=True, slots=True)
class Draw:
    """Thirty matters that a seed gives: the same for everybody who reaches the same matters, on any day."""

    seed: str
    before: date
    by_unit: bool
    population: int
    cases: list[Case]


def draw(actor: Actor, *, seed: str, before: date, by_unit: bool, size: int = SIZE) -> Draw:
    """Return the matters received before a day whose numbers come first.

    A matter's number is the SHA-256 of "seed:id", so that nobody can choose it and everybody can compute it. By
    unit, each unit gives its first matter before any gives its second: small units are looked at too.
    """
    start = datetime.combine(before, datetime.min.time(), tzinfo=VIETNAM)
    rows = Case.for_(actor, "case.read").filter(received_at__lt=start).values_list("pk", "received_by_id")
    numbered = sorted((hashlib.sha256(f"{seed}:{key.hex}".encode()).digest(), key, unit) for key, unit in rows)
    if by_unit:
        taken: dict[UUID, int] = defaultdict(int)
        ranked = []
        for number, key, unit in numbered:
            ranked.append((taken[unit], number, key))
            taken[unit] += 1
        keys = [key for _, _, key in sorted(ranked)[:size]]
    else:
        keys = [key for _, key, _ in numbered[:size]]
    found = {
        case.pk: case
        for case in Case.for_(actor, "case.read")
        .filter(pk__in=keys)
        .select_related("procedure", "holder", "received_by")
    }
    return Draw(seed, before, by_unit, len(numbered), [found[key] for key in keys])


# Lists


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are looked at, and what counts as "just before"."""

    start: datetime
    end: datetime
    near: timedelta


@dataclass(frozen=True, slots=True)
class Finding:
    """A line of a list: what happened to which matter, with what it should be held against."""

    at: datetime
    recorded_at: datetime
    what: str
    clock: str
    unit: str
    matter: UUID
    obligation: UUID | None
    left: timedelta | None
    """From the event to the date that stood before it; since the closing, for what was reopened."""
    ground: str
    reference: str = ""

    @property
    def left_text(self) -> str:
        """Return the span in days, hours and minutes, as "1 d 3:05"."""
        if self.left is None:
            return ""
        minutes = round(self.left.total_seconds() / 60)
        days, rest = divmod(minutes, 24 * 60)
        clock = f"{rest // 60}:{rest % 60:02d}"
        return _("%(days)d d %(clock)s") % {"days": days, "clock": clock} if days else clock


def paused(actor: Actor, window: Window) -> list[Finding]:
    return _just_before(actor, window, (Kind.SUSPENDED,))


def extended(actor: Actor, window: Window) -> list[Finding]:
    return _just_before(actor, window, (Kind.EXTENDED,))


def closed(actor: Actor, window: Window) -> list[Finding]:
    return _just_before(actor, window, (Kind.DISCHARGED, Kind.HANDED_OVER, Kind.WITHDRAWN))


def late(actor: Actor, window: Window) -> list[Finding]:
    """What was written down late: marked so, or more than five minutes after it took effect."""
    rows = _events(actor, window).filter(
        Q(facts__late_entry=True) | Q(recorded_at__gt=F("at") + replay.PROMPT),
    )
    return _referenced(actor, [_finding(event, None) for event in rows])


def reopened(actor: Actor, window: Window) -> list[Finding]:
    """Matters that were opened again soon after they had been answered or closed."""
    matters = Case.for_(actor, "case.read")
    again = CaseEvent.system("audit-desk").filter(
        kind=CaseEvent.Kind.REOPENED, at__gte=window.start, at__lt=window.end, case__in=matters.values("pk")
    )
    found = []
    ends: dict[UUID, list[CaseEvent]] = defaultdict(list)
    events = list(again.select_related("case", "case__holder").order_by("-at"))
    ending = (CaseEvent.Kind.ANSWERED, CaseEvent.Kind.CLOSED)
    before = CaseEvent.system("audit-desk").filter(kind__in=ending, case__in={event.case_id for event in events})
    for end in before.order_by("at"):
        ends[end.case_id].append(end)
    for event in events:
        last = next((end for end in reversed(ends[event.case_id]) if end.at <= event.at), None)
        if last is not None and event.at - last.at <= window.near:
            found.append(
                Finding(
                    event.at,
                    event.recorded_at,
                    str(event.get_kind_display()),
                    "",
                    event.case.holder.title,
                    event.case_id,
                    None,
                    event.at - last.at,
                    "",
                    event.case.reference,
                )
            )
    return found


LISTS: dict[str, Callable[[Actor, Window], list[Finding]]] = {
    "paused": paused,
    "extended": extended,
    "closed": closed,
    "late": late,
    "reopened": reopened,
}


def _events(actor: Actor, window: Window) -> Any:
    owed = Obligation.for_(actor, "obligation.read")
    return (
        ObligationEvent.system("audit-desk")
        .filter(obligation__in=owed.values("pk"), at__gte=window.start, at__lt=window.end)
        .select_related("obligation", "obligation__owed_by")
        .order_by("-at", "pk")
    )


def _just_before(actor: Actor, window: Window, kinds: Sequence[str]) -> list[Finding]:
    """Return the events of these kinds that came within the window's span before the date as it stood then."""
    events = list(_events(actor, window).filter(kind__in=kinds))
    stood = _dates_before(events)
    found = []
    for event in events:
        left = stood[event.pk] - event.at if stood[event.pk] is not None else None
        if left is not None and timedelta(0) < left <= window.near:
            found.append(_finding(event, left))
    return _referenced(actor, found)


def _dates_before(events: Iterable[ObligationEvent]) -> dict[UUID, datetime | None]:
    """Return the due date that stood before each event: that of the last event before it that counted one."""
    wanted: dict[UUID, list[ObligationEvent]] = defaultdict(list)
    for event in events:
        wanted[event.obligation_id].append(event)
    dates: dict[UUID, list[tuple[int, datetime]]] = defaultdict(list)
    keys = list(wanted)
    for start in range(0, len(keys), 500):
        rows = ObligationEvent.system("audit-desk").filter(obligation__in=keys[start : start + 500]).order_by("seq")
        for key, seq, facts in rows.values_list("obligation_id", "seq", "facts"):
            if "due_at" in facts:
                dates[key].append((seq, datetime.fromisoformat(facts["due_at"])))
    return {
        event.pk: next((due for seq, due in reversed(dates[key]) if seq < event.seq), None)
        for key, each in wanted.items()
        for event in each
    }


def _finding(event: ObligationEvent, left: timedelta | None) -> Finding:
    row = event.obligation
    return Finding(
        event.at,
        event.recorded_at,
        str(event.get_kind_display()),
        row.clock,
        row.owed_by.title,
        row.matter,
        row.pk,
        left,
        explain.ground(event.ground),
    )


def _referenced(actor: Actor, found: list[Finding]) -> list[Finding]:
    """Return the findings with the references of their matters, as far as they are cases."""
    keys = list({each.matter for each in found})
    names: dict[UUID, str] = {}
    for start in range(0, len(keys), 500):
        part = Case.for_(actor, "case.read").filter(pk__in=keys[start : start + 500])
        names.update(part.values_list("pk", "reference"))
    return [replace(each, reference=names.get(each.matter, "")) for each in found]


# One matter


def promises(actor: Actor, matter: UUID) -> list[dict[str, Any]]:
    """Return every promise of a matter as a printed sum, with what happened to it."""
    rows = (
        Obligation.for_(actor, "obligation.read")
        .filter(matter=matter)
        .select_related("term", "owed_by", "assignee")
        .prefetch_related("events")
        .order_by("started_at", "clock", "pk")
    )
    return [
        {
            "row": row,
            "name": explain.name(row),
            "basis": explain.basis(row),
            "lines": explain.lines(row),
            # A paused clock has no date: it moves with the pause.
            "due_at": None if row.suspended_at else row.due_at,
            "events": explain.events(row),
        }
        for row in rows
    ]


def entries_about(matter: UUID, owed: Iterable[UUID]) -> list[dict[str, Any]]:
    """Return all entries of the record about a matter and its promises, in their order, with names."""
    keys = [matter, *owed]
    return named(AuditEntry.system("audit-desk").filter(object_id__in=keys).order_by("seq"))


def named(entries: Iterable[AuditEntry]) -> list[dict[str, Any]]:
    """Return audit entries with what they tell in words and the names of their actors and units: the record itself
    holds codes and ids only."""
    rows = list(entries)
    people = {u.pk: u.title for u in User.objects.filter(pk__in={e.actor_id for e in rows if e.actor_id})}
    units = {u.pk: u.title for u in Unit.objects.filter(pk__in={e.unit_id for e in rows if e.unit_id})}
    kept = _kept({e.object_id for e in rows if (e.action, True) in ENDED and e.object_id})
    return [
        {
            "entry": e,
            "deed": _deed(e, kept),
            "actor": people.get(e.actor_id, "") if e.actor_id else "",
            "unit": units.get(e.unit_id, "") if e.unit_id else "",
        }
        for e in rows
    ]


def _deed(entry: AuditEntry, kept: dict[UUID, bool]) -> Any:
    """Return what an entry tells in words, with how a promise ended where that is known."""
    if entry.object_id in kept and (entry.action, True) in ENDED:
        return ENDED[entry.action, kept[entry.object_id]]
    return DEEDS.get(entry.action, entry.action)


def _kept(promises: set[UUID]) -> dict[UUID, bool]:
    """Return of each promise that has ended whether it ended before its date."""
    rows = Obligation.system("audit-desk").filter(pk__in=promises, discharged_at__isnull=False)
    return {key: ended < due for key, ended, due in rows.values_list("pk", "discharged_at", "due_at")}
