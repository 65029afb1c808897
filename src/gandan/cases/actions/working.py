"""A matter is worked on: taken, asked about, extended, answered, closed, opened again, corrected, taken back."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import Any

from django.db import transaction
from django.db.models import Min
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now
from gandan.cases import permissions, sealing
from gandan.cases.actions.acting import (
    CALENDAR,
    MISSING_PAPERS,
    Kind,
    attach,
    began,
    enter,
    lock,
    locked_row,
    moment,
    needed,
    pause_for_papers,
    refuse,
    said_before,
    start_clocks,
    user_of,
    write,
)
from gandan.cases.actions.passing import hand_to_oversight
from gandan.cases.files import File
from gandan.cases.models import (
    Case,
    CaseEvent,
    PaperRequest,
    Procedure,
    Transfer,
)
from gandan.obligations import actions as obligations
from gandan.obligations.models import Obligation


def take(*, case: Case, by: Actor, officer: Any = None) -> Case:
    """Take the matter in hand; this is also the word to the person that somebody has it."""
    with transaction.atomic():
        locked = lock(case, "take", by)
        if officer is not None:
            refuse(permissions.work(locked, officer))
        taker = officer or user_of(by)
        locked.officer = taker
        locked.taken_at = locked.taken_at or now()
        locked.save(update_fields=["officer", "taken_at"])
        write(locked, Kind.TAKEN, by, shown=True)
        obligations.fulfil("taken", matter=locked.pk, at=now(), by=by)
        obligations.assign(matter=locked.pk, officer=taker, by=by)
        enter("case.take", locked, by)
    return locked


def assign(*, case: Case, officer: Any, by: Actor) -> Case:
    """Give the matter to an officer of the unit."""
    with transaction.atomic():
        locked = lock(case, "assign", by)
        refuse(permissions.work(locked, officer))
        if locked.officer_id == officer.pk:
            raise Refused(_("%(name)s has this matter already.") % {"name": officer.title})
        locked.officer = officer
        locked.save(update_fields=["officer"])
        write(locked, Kind.ASSIGNED, by, facts={"officer": str(officer.pk)}, text=officer.title)
        obligations.assign(matter=locked.pk, officer=officer, by=by)
        enter("case.assign", locked, by)
    return locked


def note(*, case: Case, text: str, by: Actor) -> CaseEvent:
    """Write an internal note; the person does not see it."""
    with transaction.atomic():
        locked = lock(case, "note", by)
        words = needed(text, _("Write the note."))
        if before := said_before(locked, Kind.NOTED, words, by):
            return before
        line = write(locked, Kind.NOTED, by, text=words)
        enter("case.note", locked, by)
    return line


def accept(*, case: Case, by: Actor, complex: bool = False) -> Case:
    """Accept the matter formally (thụ lý), which starts the clock of the decision.

    `complex` says that it is a complex matter, for which the law gives a longer term.
    """
    with transaction.atomic():
        locked = lock(case, "accept", by)
        at = now()
        locked.complex = locked.complex or complex
        locked.accepted_at = at
        locked.taken_at = locked.taken_at or at
        locked.officer = locked.officer or user_of(by)
        locked.save(update_fields=["accepted_at", "taken_at", "officer", "complex"])
        write(locked, Kind.ACCEPTED, by, shown=True, facts={"complex": locked.complex})
        obligations.fulfil("taken", matter=locked.pk, at=at, by=by)
        obligations.fulfil("accepted", matter=locked.pk, at=at, by=by)
        start_clocks(locked, ("accepted",), at, by)
        enter("case.take", locked, by, reason="accepted")
    return locked


def ask_papers(*, case: Case, items: Sequence[str], by: Actor, text: str = "") -> PaperRequest:
    """Ask for everything that is missing, once, in one letter; the clock pauses where the law lets it."""
    wanted = [" ".join(item.split()) for item in items if item.strip()]
    if not wanted:
        raise Refused(_("List at least one missing paper."))
    with transaction.atomic():
        locked = lock(case, "ask", by)
        at = now()
        locked.asked_at = at
        locked.taken_at = locked.taken_at or at
        locked.save(update_fields=["asked_at", "taken_at"])
        request: PaperRequest = locked.paper_requests.create(
            round=locked.round, items=wanted, note=text.strip(), asked_at=at
        )
        listed = "\n".join(f"– {item}" for item in wanted) if locked.is_sealed else ""
        said = "\n".join(part for part in (listed, text.strip()) if part)
        write(locked, Kind.ASKED, by, shown=True, text=said, facts={} if listed else {"items": wanted})
        obligations.fulfil("taken", matter=locked.pk, at=at, by=by)
        obligations.suspend(matter=locked.pk, ground=MISSING_PAPERS, at=at, by=by)
        enter("case.ask", locked, by)
    return request


def supply(
    *,
    case: Case,
    by: Actor,
    text: str = "",
    files: Sequence[File] = (),
    from_citizen: bool = False,
    at: datetime | None = None,
) -> Case:
    """The missing papers have come; the clock runs on. `at` is when they came, if that is written down later."""
    if not case.is_sealed:
        sealing.lay_open(files)
    with transaction.atomic():
        locked = locked_row(case) if from_citizen else lock(case, "supply", by)
        if locked.asked_at is None:
            raise Refused(_("No papers are being waited for."))
        said, at = at, moment(at, after=locked.asked_at)
        # An older letter whose papers never came is not this one.
        locked.paper_requests.filter(round=locked.round, supplied_at=None).update(supplied_at=at)
        locked.asked_at = None
        locked.save(update_fields=["asked_at"])
        attach(locked, files, from_citizen=from_citizen)
        write(locked, Kind.SUPPLIED, by, at=said, shown=True, text=text.strip())
        # What came while the matter was on its way to us had come when our clocks began.
        obligations.resume(matter=locked.pk, at=max(at, began(locked)), by=by)
        enter("case.supply", locked, by)
    return locked


def extend(*, case: Case, obligation: Obligation, extension: str, ground: str, by: Actor, decision: str = "") -> Case:
    """Extend a term before it passes: the ground, an apology and one new date go to the person at once.

    `decision` is the number of the decision of the authority that grants the extension, where it is not ours.
    """
    with transaction.atomic():
        locked = lock(case, "extend", by)
        if obligation.matter != locked.pk:
            raise Refused(_("This promise belongs to another matter."))
        changed = obligations.extend(
            obligation=obligation, extension=extension, ground=ground, at=now(), by=by, decision=decision.strip()
        )
        write(
            locked,
            Kind.EXTENDED,
            by,
            shown=True,
            text=ground.strip(),
            facts={"clock": changed.clock, "due_at": changed.due_at.isoformat(), "decision": decision.strip()},
        )
        enter("case.extend", locked, by, reason=extension)
    return locked


def apologise(*, case: Case, text: str, new_date: datetime, by: Actor) -> Case:
    """Tell the person why the promise will be late and by which one new date, best before the old date passes.

    The promise itself stays as it was: an apology moves no clock, and one that comes late says so.
    """
    with transaction.atomic():
        locked = lock(case, "apologise", by)
        at = now()
        owed = Obligation.system("own-matter").open().filter(matter=locked.pk).order_by("due_at").first()
        if new_date <= at or (owed is not None and new_date <= owed.due_at):
            raise Refused(_("The new date must lie after today and after the date that was promised."))
        if new_date > at + _FURTHEST:
            raise Refused(_("The new date lies more than a year ahead. Name a day by which you will answer."))
        write(
            locked,
            Kind.APOLOGISED,
            by,
            shown=True,
            text=needed(text, _("Write the reason.")),
            facts={
                "new_date": new_date.isoformat(),
                "round": locked.round,
                "late": bool(owed is not None and owed.suspended_at is None and owed.due_at <= at),
            },
        )
        enter("case.note", locked, by, reason="apology")
    return locked


def answer(
    *, case: Case, text: str, by: Actor, outcome: str = Case.Outcome.SETTLED, at: datetime | None = None
) -> Case:
    """Answer the person. The promise is kept when this is written.

    `at` is when the answer was given, if it is written down only later (the line was down, the officer on the
    road): the promise is judged by it, and both times stand in the record.
    """
    with transaction.atomic():
        locked = lock(case, "answer", by)
        given = moment(at, after=max(began(locked), locked.asked_at or locked.received_at))
        give_answer(locked, text, outcome, by, given, late=at is not None)
        enter("case.answer", locked, by, reason=str(outcome))
    return locked


def give_answer(case: Case, text: str, outcome: str, by: Actor, at: datetime, *, late: bool) -> None:
    """Write the answer of a locked matter, given at `at`, and end what it keeps; `late` says it is written later."""
    case.answer = needed(text, _("Write the answer: the person will read it."))
    case.answered_at, case.outcome, case.asked_at = at, outcome, None
    case.save(update_fields=["answer", "answered_at", "outcome", "asked_at"])
    # What was sent and not acknowledged is ours to answer after all; a hand-over by law stays on its way.
    pending = Transfer.system("own-matter").filter(case=case, acknowledged_at=None, recalled_at=None)
    pending.filter(statutory=False).update(recalled_at=at)
    written = at if late else None
    write(case, Kind.ANSWERED, by, at=written, shown=True, text=case.answer, facts={"outcome": str(outcome)})
    # An answer says more than that somebody has the matter, or that it was accepted or not.
    for event in ("taken", "accepted", "notified", "answered"):
        obligations.fulfil(event, matter=case.pk, at=at, by=by, late_entry=late)
    start_clocks(case, ("answered",), at, by)


def close(*, case: Case, by: Actor) -> Case:
    """Close an answered matter. A promise that nothing can keep any more ends with it, neither kept nor broken."""
    with transaction.atomic():
        locked = lock(case, "close", by)
        at = now()
        locked.closed_at = at
        locked.save(update_fields=["closed_at"])
        write(locked, Kind.CLOSED, by, shown=True)
        locked.transfers.filter(acknowledged_at=None, recalled_at=None).update(recalled_at=at)
        obligations.fulfil("closed", matter=locked.pk, at=at, by=by)
        obligations.withdraw(matter=locked.pk, at=at, by=by, ground="closed")
        enter("case.close", locked, by)
    return locked


def reopen(*, case: Case, text: str, by: Actor, from_citizen: bool = False, files: Sequence[File] = ()) -> Case:
    """The person says that it is not settled, or a superior orders it: a new round with its own clock."""
    if not case.is_sealed:
        sealing.lay_open(files)
    with transaction.atomic():
        locked = locked_row(case) if from_citizen else lock(case, "reopen", by)
        refuse(permissions.reopening(locked))
        at = now()
        # The answer has reached the person, who speaks of it; nothing else of the former round is wiped out.
        obligations.fulfil("closed", matter=locked.pk, at=at, by=by)
        locked.round += 1
        locked.answered_at, locked.closed_at, locked.outcome = None, None, ""
        locked.taken_at, locked.accepted_at, locked.asked_at = None, None, None
        locked.save(
            update_fields=["round", "answered_at", "closed_at", "outcome", "taken_at", "accepted_at", "asked_at"]
        )
        write(
            locked,
            Kind.REOPENED,
            by,
            shown=True,
            text=needed(text, _("Say what is not settled.")),
            facts={"round": locked.round, "from_citizen": from_citizen},
        )
        attach(locked, files, from_citizen=from_citizen)
        start_clocks(locked, ("received", "complete"), at, by)
        enter("case.reopen", locked, by)
    return locked


def correct(*, case: Case, procedure: Procedure, ground: str, by: Actor, named: str = "") -> Case:
    """Put right a kind that was chosen wrongly; the person reads both kinds and the ground.

    The clocks of the former kind end without counting as kept or broken, and those of the right one are counted
    from the same beginning, pauses included, so that nobody gains or loses time. What was kept already is not kept
    again, however often the kind changes. A matter that turns out to be
    about the police (`named`: whom) leaves its unit for the nearest inspector above.
    """
    with transaction.atomic():
        locked = lock(case, "correct", by)
        refuse(permissions.becoming(locked, procedure))
        former, at = locked.procedure, now()
        late = Obligation.system("own-matter").overdue(at).filter(matter=locked.pk).exists()
        words = needed(ground, _("Write why the kind was wrong: the person will read it."))
        start = began(locked)
        obligations.withdraw(matter=locked.pk, at=at, by=by, ground=f"corrected: {former.code} > {procedure.code}")
        locked.procedure = procedure
        locked.save(update_fields=["procedure"])
        names = {"from_vi": former.name_vi, "from_en": former.name_en}
        names |= {"to_vi": procedure.name_vi, "to_en": procedure.name_en}
        facts = {"from": former.code, "to": procedure.code, "late": late, **names}
        if locked.is_sealed:
            sealing.reseal(locked)
        write(locked, Kind.CORRECTED, by, shown=True, text=words, facts=facts)
        audit.record(
            "case.correct",
            by=by,
            on=locked,
            unit=locked.holder_id,
            capability="case.assign",
            reason=f"{former.code}>{procedure.code}",
        )
        if procedure.about_service and not permissions.is_about_us(locked, by):
            hand_to_oversight(locked, named, by)
        _start_again(locked, start, by)
    return locked


def withdraw(*, case: Case, by: Actor, text: str = "") -> Case:
    """The person takes the matter back; its clocks end without counting as kept or broken."""
    with transaction.atomic():
        # A person under the code is nobody to us; an officer writes it down for a person who came to say so.
        locked = locked_row(case) if by.is_anonymous else lock(case, "withdraw", by)
        if locked.is_ended:
            raise Refused(permissions.ENDED)
        at = now()
        locked.withdrawn_at, locked.asked_at = at, None
        locked.save(update_fields=["withdrawn_at", "asked_at"])
        Transfer.system("own-matter").filter(case=locked, acknowledged_at=None, recalled_at=None).update(recalled_at=at)
        write(locked, Kind.WITHDRAWN, by, shown=True, text=text.strip())
        obligations.withdraw(matter=locked.pk, at=at, by=by)
        enter("case.withdraw", locked, by)
    return locked


def _start_again(case: Case, start: datetime, by: Actor) -> None:
    """Start the clocks of another kind at the old beginning, and tell them in order what has happened since."""
    start_clocks(case, ("received", "complete"), start, by)
    past: list[tuple[datetime, Callable[[], Any]]] = []

    def happened(event: str, at: datetime | None) -> None:
        if at is not None:
            past.append((at, partial(obligations.fulfil_again, event, matter=case.pk, at=at, since=start, by=by)))

    happened("taken", case.taken_at)
    happened("accepted", case.accepted_at)
    if case.accepted_at is not None:
        past.append((case.accepted_at, partial(start_clocks, case, ("accepted",), case.accepted_at, by)))
    told = case.events.filter(kind=Kind.MESSAGE_OUT, at__gte=case.accepted_at or start)
    happened("notified", told.exclude(facts__has_key=CALENDAR).aggregate(first=Min("at"))["first"])
    request = case.paper_requests.filter(round=case.round).first()
    if request is not None:
        past.append((request.asked_at, partial(pause_for_papers, case, by)))
    for _at, tell in sorted(past, key=itemgetter(0)):
        tell()


_FURTHEST = timedelta(days=366)
"""How far ahead the one new date of an apology may lie."""
