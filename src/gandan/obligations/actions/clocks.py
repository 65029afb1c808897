"""Starting, pausing, extending and ending clocks.

`at` is when something took effect; the record keeps beside it when it was written down. What was written down
late shows both, and a promise that was late already leaves the late ones only by an entry that says so.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now
from gandan.access.clock import day_of
from gandan.obligations import permissions, replay, terms
from gandan.obligations.ledger import Ledger, save_new
from gandan.obligations.models import Notice, Obligation, ObligationEvent
from gandan.units.models import Unit, province_of
from gandan.units.standing import Standing, standing

Kind = ObligationEvent.Kind


def start(
    *events: str,
    matter: UUID,
    kind: str,
    procedure: str,
    unit: Unit,
    at: datetime,
    by: Actor,
    complex: bool = False,
    officer: Any = None,
    stands: Standing | None = None,
) -> list[Obligation]:
    """Start every clock of our own that these events start, by the terms in force that day. `stands` says how the
    unit stands that day, where the caller has asked."""
    _not_ahead(at)
    on = day_of(at)
    found = [term for term in terms.started_by(procedure, on, events) if term.body == terms.OURS]
    if not found:
        return []
    with audit.together(savepoint=False):
        calendar, recorded = terms.calendar(), now()
        place = stands if stands is not None and (stands.unit.pk, stands.on) == (unit.pk, on) else standing(unit.pk, on)
        ledgers = [
            Ledger.open(
                kind=kind,
                matter=matter,
                term=term,
                amount=terms.amount_of(term, remote=place.remote, complex=complex),
                owed_by=unit.pk,
                province=place.province,
                assignee=officer.pk if officer is not None else None,
                at=at,
                recorded_at=recorded,
                actor_id=by.user_id,
                calendar=calendar,
                remote=place.remote,
                complex=complex,
            )
            for term in found
        ]
        added = [(ledger, event) for ledger in ledgers for event in ledger.added]
        save_new(ledgers)
        for ledger, event in added:
            _record(ledger.obligation, event, by)
    return [ledger.obligation for ledger in ledgers]


def fulfil(event: str, *, matter: UUID, at: datetime, by: Actor, late_entry: bool = False) -> int:
    """Discharge every open clock of the matter that this event ends; return how many.

    Raises Refused when a promise that is late already would be in time by this entry, unless `late_entry` says
    that it was kept then and is only written down now: both times stand in the record.
    """
    ending = Kind.HANDED_OVER if event == "handed_over" else Kind.DISCHARGED
    return _end(_open(matter).filter(term__ends_on=event), ending, at=at, by=by, late_entry=late_entry)


def fulfil_again(event: str, *, matter: UUID, at: datetime, since: datetime, by: Actor) -> int:
    """End the clocks that were started again at `since`, and that this event, before they were started again, ends.

    What was kept is kept once and by the clock that ran then: started again it ends as withdrawn. What was broken
    counts as broken, unless a clock started since has counted for the event already.
    """
    mine = Obligation.system("own-matter").filter(matter=matter, term__ends_on=event, started_at__gte=since)
    counted = mine.filter(ending=Obligation.Ending.DISCHARGED).exists()
    count, recorded = 0, now()
    with transaction.atomic():
        for ledger in _ledgers(_open(matter).filter(term__ends_on=event)):
            row = ledger.obligation
            ended = max(at, row.started_at)
            broken = row.suspended_at is None and ended >= row.due_at and not counted
            ledger.add(
                Kind.DISCHARGED if broken else Kind.WITHDRAWN,
                at=ended,
                recorded_at=recorded,
                actor_id=by.user_id,
                ground="" if broken else "before",
                facts=_entry(row, ended, recorded, late_entry=True),
            )
            save(ledger, by)
            count += 1
    return count


def withdraw(*, matter: UUID, at: datetime, by: Actor, ground: str = "withdrawn") -> int:
    """End every open clock of a matter that its bringer took back."""
    return _end(_open(matter), Kind.WITHDRAWN, at=at, by=by, ground=ground, late_entry=True)


def hand_over(
    *,
    matter: UUID,
    at: datetime,
    by: Actor,
    to_unit: Unit | None = None,
    ground: str = "",
    late_entry: bool = False,
) -> int:
    """End every open clock here because another authority has acknowledged the matter."""
    facts = {"to": str(to_unit.pk)} if to_unit is not None else {}
    return _end(
        _open(matter),
        Kind.HANDED_OVER,
        at=at,
        by=by,
        ground=ground,
        facts=facts,
        late_entry=late_entry,
    )


def suspend(
    *,
    matter: UUID,
    ground: str,
    at: datetime,
    by: Actor,
    decision: str = "",
    late_entry: bool = False,
    until: datetime | None = None,
) -> int:
    """Pause every running clock of the matter whose term names this ground; return how many.

    `until` is when the pause ended, where it has ended already: a clock that started only then is not paused.
    A promise that is late stays late: its clock is not paused. Raises Refused for a pause that overlaps another,
    and for one entered after the date had passed unless `late_entry` says so.
    """
    _not_ahead(until or at)
    count, recorded = 0, now()
    with transaction.atomic():
        for ledger in _ledgers(_open(matter).filter(suspended_at=None)):
            begin = max(at, ledger.obligation.started_at)
            if not ledger.can_pause(ground, begin) or (until is not None and until <= begin):
                continue
            if any(pause.end is not None and begin < pause.end for pause in ledger.projection().pauses):
                raise Refused(_("The clock stood still at that time already. Give the time at which this pause began."))
            facts = {"decision": decision} if decision else {}
            facts |= _entry(ledger.obligation, begin, recorded, late_entry)
            ledger.add(Kind.SUSPENDED, at=begin, recorded_at=recorded, actor_id=by.user_id, ground=ground, facts=facts)
            if until is not None:
                ledger.add(Kind.RESUMED, at=until, recorded_at=recorded, actor_id=by.user_id)
            save(ledger, by, reason=ground)
            count += 1
    return count


def resume(*, matter: UUID, at: datetime, by: Actor) -> int:
    """Let every paused clock of the matter run on; its due date moves by the time it stood still."""
    _not_ahead(at)
    count = 0
    with transaction.atomic():
        for ledger in _ledgers(_open(matter).exclude(suspended_at=None)):
            since = ledger.obligation.suspended_at
            if since is not None and at < since:
                raise Refused(_("A clock cannot run on before it stood still. Check the time."))
            ledger.add(Kind.RESUMED, at=at, recorded_at=now(), actor_id=by.user_id)
            save(ledger, by)
            count += 1
    return count


def extend(
    *, obligation: Obligation, extension: str, ground: str, at: datetime, by: Actor, decision: str = ""
) -> Obligation:
    """Extend a clock as its term allows. Raises Refused for an extension the law does not list, one too many,
    one without a ground, and one written down when the promise was late already."""
    _not_ahead(at)
    with transaction.atomic():
        ledger, recorded = _locked(obligation), now()
        row = ledger.obligation
        rules = {rule["code"]: rule for rule in row.term.extensions}
        if extension not in rules:
            raise Refused(_("The law gives no such extension for this term."))
        if not ground.strip():
            raise Refused(_("Write the ground of the extension: the person will read it."))
        if row.discharged_at is not None:
            raise Refused(_("This promise has ended; there is nothing to extend."))
        if row.suspended_at is None and row.due_at <= recorded:
            raise Refused(
                _("The term has passed already. A late promise cannot be extended; tell the person and answer.")
            )
        rule = rules[extension]
        used = sum(1 for event in ledger.events if event.kind == Kind.EXTENDED and event.facts.get("code") == extension)
        if used >= int(rule.get("times", 1)):
            raise Refused(_("This extension was used as often as the law allows."))
        ledger.add(
            Kind.EXTENDED,
            at=max(at, row.started_at),
            recorded_at=recorded,
            actor_id=by.user_id,
            ground=ground.strip(),
            facts={"code": extension, "amount": str(rule["amount"]), "unit": rule["unit"], "decision": decision},
        )
        save(ledger, by, reason=extension)
    return row


def assign(*, matter: UUID, officer: Any, by: Actor) -> int:
    """Name the officer who works on the matter's open clocks, or nobody; return how many changed."""
    count = 0
    wanted = officer.pk if officer is not None else None
    with transaction.atomic():
        for ledger in _ledgers(_open(matter)):
            if ledger.obligation.assignee_id == wanted:
                continue
            at = now()
            ledger.add(
                Kind.ASSIGNED,
                at=max(at, ledger.obligation.started_at),
                recorded_at=at,
                actor_id=by.user_id,
                facts={"assignee": str(wanted) if wanted else None},
            )
            save(ledger, by)
            count += 1
    return count


def transfer(
    *, obligation: Obligation, to_unit: Unit, at: datetime, by: Actor, ground: str, reason: str = "succession"
) -> bool:
    """Move an open clock to the unit that a reorganisation names, or that takes the matter over because nobody else
    may: same clock, same due date, new owner (or the same one under another province). Moves nothing twice."""
    with transaction.atomic():
        ledger = _locked(obligation)
        row = ledger.obligation
        above = province_of(to_unit, day_of(at))
        province = above.pk if above else None
        if row.discharged_at is not None or (row.owed_by_id, row.province_id) == (to_unit.pk, province):
            return False
        ledger.add(
            Kind.TRANSFERRED,
            at=max(at, row.started_at),
            recorded_at=now(),
            actor_id=by.user_id,
            ground=ground,
            facts={
                "owed_by": str(to_unit.pk),
                "province": str(province) if province else None,
                "assignee": str(row.assignee_id) if row.assignee_id else None,
                "from": str(row.owed_by_id),
            },
        )
        save(ledger, by, reason=reason)
    return True


def see_notice(*, notice: Notice, by: Actor) -> None:
    """Write down that somebody of the unit has seen a notice."""
    refusal = permissions.see(notice, by)
    if refusal:
        raise Refused(refusal)
    with transaction.atomic():
        unseen = Notice.system("see-notice").filter(pk=notice.pk, seen_at=None)
        if unseen.update(seen_at=now(), seen_by_id=by.user_id):
            audit.record("obligation.notice_seen", by=by, on=notice, unit=notice.unit_id)


def is_remote(unit: Unit, on: date) -> bool:
    """Say whether the unit counts as remote on a day; without a recorded legal basis it does not."""
    version = unit.version_on(on)
    return bool(version and version.remote)


def _not_ahead(at: datetime) -> None:
    if at > now():
        raise Refused(_("This time lies in the future. Check the date and the hour."))


def _entry(row: Obligation, at: datetime, recorded: datetime, late_entry: bool) -> dict[str, Any]:
    """Return the facts that mark an entry made late. Raises Refused when it would undo a breach unmarked."""
    undoes = row.suspended_at is None and at < row.due_at <= recorded - replay.PROMPT
    if undoes and not late_entry:
        raise Refused(_("This promise was late when this was written down. Enter it as late: both times are kept."))
    return {"late_entry": True} if late_entry and recorded - at > replay.PROMPT else {}


def _end(
    rows: Any,
    ending: str,
    *,
    at: datetime,
    by: Actor,
    ground: str = "",
    facts: dict[str, Any] | None = None,
    late_entry: bool = False,
) -> int:
    _not_ahead(at)
    count, recorded = 0, now()
    with transaction.atomic():
        for ledger in _ledgers(rows):
            ended = max(at, ledger.obligation.started_at)
            ledger.add(
                ending,
                at=ended,
                recorded_at=recorded,
                actor_id=by.user_id,
                ground=ground,
                facts={**(facts or {}), **_entry(ledger.obligation, ended, recorded, late_entry)},
            )
            save(ledger, by)
            count += 1
    return count


def _open(matter: UUID) -> Any:
    return Obligation.system("own-matter").open().filter(matter=matter)


def _ledgers(rows: Any) -> list[Ledger]:
    locked = list(rows.select_for_update(of=("self",)).select_related("term").order_by("clock", "id"))
    if not locked:
        return []
    calendar = terms.calendar()
    return [Ledger.load(row, calendar) for row in locked]


def _locked(obligation: Obligation) -> Ledger:
    rows = Obligation.system("own-matter").select_for_update(of=("self",)).select_related("term")
    return Ledger.load(rows.get(pk=obligation.pk), terms.calendar())


def save(ledger: Ledger, by: Actor, reason: str = "") -> None:
    """Save a ledger; each event gets its entry in the audit record, committed to it."""
    added, row = list(ledger.added), ledger.obligation
    ledger.save()
    for event in added:
        _record(row, event, by, reason)


def _record(row: Obligation, event: ObligationEvent, by: Actor, reason: str = "") -> None:
    audit.record(
        replay.ACTIONS[event.kind],
        by=by,
        on=row,
        unit=row.owed_by_id,
        reason=reason,
        values=replay.committed(event),
    )
