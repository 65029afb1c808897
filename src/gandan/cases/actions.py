"""What is done with a matter, from the moment somebody brings it.

Each action is one transaction: the fact on the case, a line in its timeline, the clocks that it starts or
ends, and one entry in the audit record. Each locks the case first and asks its permission again, so that a
stale page or a second click does nothing twice.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now, sql
from gandan.access.authority import authority
from gandan.access.clock import VIETNAM, day_of
from gandan.accounts.models import User
from gandan.audit.models import AuditEntry
from gandan.cases import follow, owners, parcels, permissions, routing, sealing, word_index
from gandan.cases.files import File
from gandan.cases.models import (
    Attachment,
    Case,
    CaseEvent,
    CaseIdentity,
    PaperRequest,
    Procedure,
    Rating,
    Transfer,
)
from gandan.cases.search import index_text
from gandan.obligations import actions as obligations
from gandan.obligations.explain import NO_INSPECTOR
from gandan.obligations.models import Obligation
from gandan.secrecy import fields, keys
from gandan.secrecy.fields import unlock, words, write_with
from gandan.staffing import actions as staffing
from gandan.units.models import Unit, province_of
from gandan.units.standing import Standing, standing

Kind = CaseEvent.Kind
MISSING_PAPERS = "missing_papers"
_SECOND_CLICK = timedelta(minutes=2)
_SAME_MATTER = timedelta(minutes=15)
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class Conflict(Refused):
    """The same submission with other words: both are kept, and a person decides."""

    def __init__(self, case: Case) -> None:
        super().__init__(
            _("This form was sent before with other words, as %(reference)s. Both are kept and will be read.")
            % {"reference": case.reference}
        )
        self.case = case


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the person takes home. `code` is shown on the receipt only and stored nowhere."""

    case: Case
    code: str
    again: bool = False
    other_words: bool = False

    @property
    def reference(self) -> str:
        return self.case.reference

    @property
    def received_at(self) -> datetime:
        return self.case.received_at


@dataclass(frozen=True, slots=True)
class _Coming:
    """What comes in, cleaned of spaces."""

    submission: UUID
    procedure: Procedure
    unit: Unit
    channel: str
    text: str
    title: str
    place: str
    identity: dict[str, str]
    anonymous: bool
    at: datetime
    language: str
    files: tuple[File, ...]
    concern: dict[str, Any] | None
    complex: bool

    @property
    def digest(self) -> str:
        """Return what tells these words from other ones; the hour and the channel do not count."""
        concern = self.concern or {}
        values = [
            self.procedure.code,
            str(self.unit.pk),
            self.text,
            self.title,
            self.place,
            self.identity,
            self.anonymous,
            [file.sha256 for file in self.files],
            self.concern is not None,
            str(getattr(concern.get("unit"), "pk", "")),
            str(getattr(concern.get("user"), "pk", "")),
            concern.get("named", "").strip(),
        ]
        return follow.digest(json.dumps(values, sort_keys=True, ensure_ascii=False))


def receive(
    *,
    submission: UUID,
    procedure: Procedure,
    unit: Unit,
    channel: str,
    text: str,
    by: Actor,
    title: str = "",
    place: str = "",
    identity: dict[str, str] | None = None,
    anonymous: bool = False,
    received_at: datetime | None = None,
    language: str = "vi",
    files: Sequence[File] = (),
    concern: dict[str, Any] | None = None,
    complex: bool = False,
) -> Receipt:
    """Receive a matter. The same submission gives the same case and the same receipt, however often it comes.

    `concern` ({unit, user, named}, all optional) says that the matter is about a unit or an officer: it then
    goes to the nearest inspector above. Nothing is refused for being addressed wrongly; it is sent on afterwards.
    Raises Conflict when the submission came before with other words: both are kept.
    """
    coming = _coming(
        submission=submission,
        procedure=procedure,
        unit=unit,
        channel=channel,
        text=text,
        title=title,
        place=place,
        identity=identity,
        anonymous=anonymous,
        received_at=received_at,
        language=language,
        files=files,
        concern=concern,
        complex=complex,
    )
    receipt = _receive(coming, by)
    if receipt.other_words:
        raise Conflict(receipt.case)
    return receipt


def recorded_lately(*, by: Actor, procedure: Procedure, unit: Unit, text: str, **matter: Any) -> Receipt | None:
    """Return the receipt of the very same matter that this officer recorded a quarter of an hour ago or less.

    A form that comes back with the browser's “back” carries a new number: without this it would be a new matter.
    """
    coming = _coming(procedure=procedure, unit=unit, text=text, **matter)
    mine = CaseEvent.system("same-words").filter(kind=Kind.RECEIVED, actor_id=by.user_id)
    lately = mine.filter(recorded_at__gt=now() - _SAME_MATTER, case__digest=coming.digest).values("case")
    case: Case | None = Case.system("same-words").filter(pk__in=lately).select_related("procedure", "holder").first()
    if case is None or by.user_id is None:
        return None
    return Receipt(case, follow.again(case.submission, case.follow_hash, anonymous=case.anonymous), again=True)


def settle_on_the_spot(*, answer: str, by: Actor, **matter: Any) -> Receipt:
    """Receive, take, answer and close at once what was settled while the person stood at the desk.

    `matter` is what `receive` takes. All or nothing: when the answer may not be given here, nothing is written.
    """
    with transaction.atomic():
        try:
            receipt = receive(by=by, **matter)
        except Conflict as conflict:
            other_words: Conflict | None = conflict
        else:
            other_words = None
            if not receipt.again:
                _settle(receipt.case, answer, by)
    if other_words is not None:
        # Raised only now, so that the other words are kept.
        raise other_words
    return receipt


def take(*, case: Case, by: Actor, officer: Any = None) -> Case:
    """Take the matter in hand; this is also the word to the person that somebody has it."""
    with transaction.atomic():
        locked = _lock(case, "take", by)
        if officer is not None:
            _refuse(permissions.work(locked, officer))
        taker = officer or _user(by)
        locked.officer = taker
        locked.taken_at = locked.taken_at or now()
        locked.save(update_fields=["officer", "taken_at"])
        _write(locked, Kind.TAKEN, by, shown=True)
        obligations.fulfil("taken", matter=locked.pk, at=now(), by=by)
        obligations.assign(matter=locked.pk, officer=taker, by=by)
        _audit("case.take", locked, by)
    return locked


def assign(*, case: Case, officer: Any, by: Actor) -> Case:
    """Give the matter to an officer of the unit."""
    with transaction.atomic():
        locked = _lock(case, "assign", by)
        _refuse(permissions.work(locked, officer))
        if locked.officer_id == officer.pk:
            raise Refused(_("%(name)s has this matter already.") % {"name": officer.title})
        locked.officer = officer
        locked.save(update_fields=["officer"])
        _write(locked, Kind.ASSIGNED, by, facts={"officer": str(officer.pk)}, text=officer.title)
        obligations.assign(matter=locked.pk, officer=officer, by=by)
        _audit("case.assign", locked, by)
    return locked


def note(*, case: Case, text: str, by: Actor) -> CaseEvent:
    """Write an internal note; the person does not see it."""
    with transaction.atomic():
        locked = _lock(case, "note", by)
        words = _needed(text, _("Write the note."))
        if before := _said_before(locked, Kind.NOTED, words, by):
            return before
        line = _write(locked, Kind.NOTED, by, text=words)
        _audit("case.note", locked, by)
    return line


def accept(*, case: Case, by: Actor, complex: bool = False) -> Case:
    """Accept the matter formally (thụ lý), which starts the clock of the decision.

    `complex` says that it is a complex matter, for which the law gives a longer term.
    """
    with transaction.atomic():
        locked = _lock(case, "accept", by)
        at = now()
        locked.complex = locked.complex or complex
        locked.accepted_at = at
        locked.taken_at = locked.taken_at or at
        locked.officer = locked.officer or _user(by)
        locked.save(update_fields=["accepted_at", "taken_at", "officer", "complex"])
        _write(locked, Kind.ACCEPTED, by, shown=True, facts={"complex": locked.complex})
        obligations.fulfil("taken", matter=locked.pk, at=at, by=by)
        obligations.fulfil("accepted", matter=locked.pk, at=at, by=by)
        _start(locked, ("accepted",), at, by)
        _audit("case.take", locked, by, reason="accepted")
    return locked


def ask_papers(*, case: Case, items: Sequence[str], by: Actor, text: str = "") -> PaperRequest:
    """Ask for everything that is missing, once, in one letter; the clock pauses where the law lets it."""
    wanted = [" ".join(item.split()) for item in items if item.strip()]
    if not wanted:
        raise Refused(_("List at least one missing paper."))
    with transaction.atomic():
        locked = _lock(case, "ask", by)
        at = now()
        locked.asked_at = at
        locked.taken_at = locked.taken_at or at
        locked.save(update_fields=["asked_at", "taken_at"])
        request: PaperRequest = locked.paper_requests.create(
            round=locked.round, items=wanted, note=text.strip(), asked_at=at
        )
        listed = "\n".join(f"– {item}" for item in wanted) if locked.is_sealed else ""
        said = "\n".join(part for part in (listed, text.strip()) if part)
        _write(locked, Kind.ASKED, by, shown=True, text=said, facts={} if listed else {"items": wanted})
        obligations.fulfil("taken", matter=locked.pk, at=at, by=by)
        obligations.suspend(matter=locked.pk, ground=MISSING_PAPERS, at=at, by=by)
        _audit("case.ask", locked, by)
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
        locked = _locked(case) if from_citizen else _lock(case, "supply", by)
        if locked.asked_at is None:
            raise Refused(_("No papers are being waited for."))
        said, at = at, _moment(at, after=locked.asked_at)
        locked.paper_requests.filter(supplied_at=None).update(supplied_at=at)
        locked.asked_at = None
        locked.save(update_fields=["asked_at"])
        _attach(locked, files, from_citizen=from_citizen)
        _write(locked, Kind.SUPPLIED, by, at=said, shown=True, text=text.strip())
        obligations.resume(matter=locked.pk, at=at, by=by)
        _audit("case.supply", locked, by)
    return locked


def extend(*, case: Case, obligation: Obligation, extension: str, ground: str, by: Actor, decision: str = "") -> Case:
    """Extend a term before it passes: the ground, an apology and one new date go to the person at once.

    `decision` is the number of the decision of the authority that grants the extension, where it is not ours.
    """
    with transaction.atomic():
        locked = _lock(case, "extend", by)
        if obligation.matter != locked.pk:
            raise Refused(_("This promise belongs to another matter."))
        changed = obligations.extend(
            obligation=obligation, extension=extension, ground=ground, at=now(), by=by, decision=decision.strip()
        )
        _write(
            locked,
            Kind.EXTENDED,
            by,
            shown=True,
            text=ground.strip(),
            facts={"clock": changed.clock, "due_at": changed.due_at.isoformat(), "decision": decision.strip()},
        )
        _audit("case.extend", locked, by, reason=extension)
    return locked


def apologise(*, case: Case, text: str, new_date: datetime, by: Actor) -> Case:
    """Tell the person why the promise will be late and by which one new date, best before the old date passes.

    The promise itself stays as it was: an apology moves no clock, and one that comes late says so.
    """
    with transaction.atomic():
        locked = _lock(case, "apologise", by)
        at = now()
        owed = Obligation.system("own-matter").open().filter(matter=locked.pk).order_by("due_at").first()
        if new_date <= at or (owed is not None and new_date <= owed.due_at):
            raise Refused(_("The new date must lie after today and after the date that was promised."))
        _write(
            locked,
            Kind.APOLOGISED,
            by,
            shown=True,
            text=_needed(text, _("Write the reason.")),
            facts={
                "new_date": new_date.isoformat(),
                "round": locked.round,
                "late": bool(owed is not None and owed.suspended_at is None and owed.due_at <= at),
            },
        )
        _audit("case.note", locked, by, reason="apology")
    return locked


def send(*, case: Case, text: str, by: Actor, to_unit: Unit | None = None, to_body: str = "") -> Transfer:
    """Send the matter to the body that it belongs to, with a note that the person can read.

    Our clock runs on until the receiver acknowledges. A hand-over that the law orders is sent in this way too.
    Raises Refused when a matter about the police would go to those it is about, or to a unit without an inspector.
    """
    with transaction.atomic():
        locked = _lock(case, "send", by)
        body = " ".join(to_body.split())
        if (to_unit is None) == (not body):
            raise Refused(_("Choose the unit, or name the body, that the matter goes to: one of the two."))
        if to_unit is not None:
            _refuse(_unfit(locked, to_unit))
        owed = Obligation.system("own-matter").open().filter(matter=locked.pk, term__ends_on="handed_over")
        transfer: Transfer = locked.transfers.create(
            from_unit=locked.holder,
            to_unit=to_unit,
            to_body=body[:200],
            statutory=owed.exists(),
            note=_needed(text, _("Write why the matter goes there: the person will read it.")),
            sent_at=now(),
        )
        name = to_unit.title if to_unit is not None else body
        _write(locked, Kind.SENT, by, shown=True, text=text.strip(), facts={"to": name})
        _audit("case.handover", locked, by, reason="sent")
    return transfer


def recall(*, case: Case, by: Actor) -> Case:
    """Take back what was sent and nobody acknowledged: it was the wrong body, or it does not answer."""
    with transaction.atomic():
        locked = _lock(case, "recall", by)
        transfer = _pending(locked)
        transfer.recalled_at = now()
        transfer.save(update_fields=["recalled_at"])
        _write(locked, Kind.RECALLED, by, shown=True, facts={"to": _receiver(transfer)})
        _audit("case.handover", locked, by, reason="recalled")
    return locked


def acknowledge(*, case: Case, by: Actor, number: str = "", at: datetime | None = None) -> Case:
    """The receiver has the matter. The sender's clock ends here; the receiver's own begins.

    `at` is when the receiver acknowledged, if that is written down later.
    """
    with transaction.atomic():
        locked = _lock(case, "acknowledge", by)
        transfer = _pending(locked)
        said, at = at, _moment(at, after=transfer.sent_at)
        late = said is not None
        number = number.strip()[:120]
        if transfer.to_unit is None and not number:
            raise Refused(_("Write the number of the paper by which the other body acknowledged."))
        transfer.acknowledged_at, transfer.acknowledgement = at, number
        transfer.save(update_fields=["acknowledged_at", "acknowledgement"])
        obligations.fulfil("handed_over", matter=locked.pk, at=at, by=by, late_entry=late)
        obligations.hand_over(matter=locked.pk, at=at, by=by, to_unit=transfer.to_unit, ground=number, late_entry=late)
        if transfer.to_unit is None:
            _write(locked, Kind.ACKNOWLEDGED, by, at=said, shown=True, facts={"number": number, "to": transfer.to_body})
            locked.passed_on_at, locked.asked_at = at, None
            locked.save(update_fields=["passed_on_at", "asked_at"])
            _write(locked, Kind.PASSED_ON, by, at=said, shown=True, facts={"to": transfer.to_body})
        else:
            locked.holder, locked.province = transfer.to_unit, province_of(transfer.to_unit, day_of(at))
            locked.officer, locked.taken_at, locked.accepted_at, locked.asked_at = None, None, None, None
            locked.save(update_fields=["holder", "province", "officer", "taken_at", "accepted_at", "asked_at"])
            name = transfer.to_unit.title
            _write(locked, Kind.ACKNOWLEDGED, by, at=said, shown=True, facts={"number": number, "to": name})
            _start(locked, ("received", "complete"), at, by)
        _audit("case.handover", locked, by, reason="acknowledged")
    return locked


def answer(
    *, case: Case, text: str, by: Actor, outcome: str = Case.Outcome.SETTLED, at: datetime | None = None
) -> Case:
    """Answer the person. The promise is kept when this is written.

    `at` is when the answer was given, if it is written down only later (the line was down, the officer on the
    road): the promise is judged by it, and both times stand in the record.
    """
    with transaction.atomic():
        locked = _lock(case, "answer", by)
        moment = _moment(at, after=locked.asked_at or _began(locked))
        _answer(locked, text, outcome, by, moment, late=at is not None)
        _audit("case.answer", locked, by, reason=str(outcome))
    return locked


def close(*, case: Case, by: Actor) -> Case:
    """Close an answered matter."""
    with transaction.atomic():
        locked = _lock(case, "close", by)
        at = now()
        locked.closed_at = at
        locked.save(update_fields=["closed_at"])
        _write(locked, Kind.CLOSED, by, shown=True)
        obligations.fulfil("closed", matter=locked.pk, at=at, by=by)
        _audit("case.close", locked, by)
    return locked


def reopen(*, case: Case, text: str, by: Actor, from_citizen: bool = False) -> Case:
    """The person says that it is not settled, or a superior orders it: a new round with its own clock."""
    with transaction.atomic():
        locked = _locked(case) if from_citizen else _lock(case, "reopen", by)
        _refuse(permissions.reopening(locked))
        at = now()
        # The answer has reached the person, who speaks of it; nothing else of the former round is wiped out.
        obligations.fulfil("closed", matter=locked.pk, at=at, by=by)
        locked.round += 1
        locked.answered_at, locked.closed_at, locked.outcome = None, None, ""
        locked.taken_at, locked.accepted_at, locked.asked_at = None, None, None
        locked.save(
            update_fields=["round", "answered_at", "closed_at", "outcome", "taken_at", "accepted_at", "asked_at"]
        )
        _write(
            locked,
            Kind.REOPENED,
            by,
            shown=True,
            text=_needed(text, _("Say what is not settled.")),
            facts={"round": locked.round, "from_citizen": from_citizen},
        )
        _start(locked, ("received", "complete"), at, by)
        _audit("case.reopen", locked, by)
    return locked


def correct(*, case: Case, procedure: Procedure, ground: str, by: Actor, named: str = "") -> Case:
    """Put right a kind that was chosen wrongly; the person reads both kinds and the ground.

    The clocks of the former kind end without counting as kept or broken, and those of the right one are counted
    from the same beginning, pauses included, so that nobody gains or loses time. A matter that turns out to be
    about the police (`named`: whom) leaves its unit for the nearest inspector above.
    """
    with transaction.atomic():
        locked = _lock(case, "correct", by)
        _refuse(permissions.becoming(locked, procedure))
        former, at = locked.procedure, now()
        late = Obligation.system("own-matter").overdue(at).filter(matter=locked.pk).exists()
        words = _needed(ground, _("Write why the kind was wrong: the person will read it."))
        began = _began(locked)
        obligations.withdraw(matter=locked.pk, at=at, by=by, ground=f"corrected: {former.code} > {procedure.code}")
        locked.procedure = procedure
        locked.save(update_fields=["procedure"])
        names = {"from_vi": former.name_vi, "from_en": former.name_en}
        names |= {"to_vi": procedure.name_vi, "to_en": procedure.name_en}
        facts = {"from": former.code, "to": procedure.code, "late": late, **names}
        if locked.is_sealed:
            sealing.reseal(locked)
        _write(locked, Kind.CORRECTED, by, shown=True, text=words, facts=facts)
        audit.record(
            "case.correct",
            by=by,
            on=locked,
            unit=locked.holder_id,
            capability="case.assign",
            reason=f"{former.code}>{procedure.code}",
        )
        if procedure.about_service and not permissions.is_about_us(locked, by):
            _hand_to_oversight(locked, named, by)
        _start_again(locked, began, by)
    return locked


def withdraw(*, case: Case, by: Actor, text: str = "") -> Case:
    """The person takes the matter back; its clocks end without counting as kept or broken."""
    with transaction.atomic():
        # A person under the code is nobody to us; an officer writes it down for a person who came to say so.
        locked = _locked(case) if by.is_anonymous else _lock(case, "withdraw", by)
        if locked.is_ended:
            raise Refused(permissions.ENDED)
        at = now()
        locked.withdrawn_at, locked.asked_at = at, None
        locked.save(update_fields=["withdrawn_at", "asked_at"])
        Transfer.system("own-matter").filter(case=locked, acknowledged_at=None, recalled_at=None).update(recalled_at=at)
        _write(locked, Kind.WITHDRAWN, by, shown=True, text=text.strip())
        obligations.withdraw(matter=locked.pk, at=at, by=by)
        _audit("case.withdraw", locked, by)
    return locked


def move_up(*, case: Case, by: Actor) -> bool:
    """Give an open matter about the police that nobody of its unit may read any more to the nearest inspector above
    whom it does not concern, and where there is none, to the body outside; say whether it moved.

    Clocks and dates stay as they are. What has an owner is left alone, so that it moves once however often this runs.
    """
    with transaction.atomic():
        locked = _locked(case)
        if not owners.is_ownerless(locked):
            return False
        above = routing.next_above(locked.pk, locked.holder)
        if above is None:
            return _send_outside(locked, by)
        at, former = now(), locked.holder
        coming = locked.transfers.filter(acknowledged_at=None, recalled_at=None, to_unit=above)
        coming.update(recalled_at=at)
        obligations.assign(matter=locked.pk, officer=None, by=by)
        locked.holder, locked.province = above, province_of(above, day_of(at))
        locked.officer, locked.taken_at = None, None
        locked.save(update_fields=["holder", "province", "officer", "taken_at"])
        for promise in Obligation.system("own-matter").open().filter(matter=locked.pk).order_by("clock", "id"):
            obligations.transfer(
                obligation=promise, to_unit=above, at=at, by=by, ground=NO_INSPECTOR, reason=NO_INSPECTOR
            )
        _write(locked, Kind.MOVED_UP, by, shown=True, facts={"from": former.title, "to": above.title})
        _audit("case.move_up", locked, by, reason=NO_INSPECTOR)
    return True


def message_out(*, case: Case, text: str, by: Actor) -> CaseEvent:
    """Write to the person under the code; where the law orders word to the person, this is that word."""
    with transaction.atomic():
        locked = _lock(case, "message", by)
        words = _needed(text, _("Write the message."))
        if before := _said_before(locked, Kind.MESSAGE_OUT, words, by):
            return before
        line = _write(locked, Kind.MESSAGE_OUT, by, shown=True, text=words)
        obligations.fulfil("notified", matter=locked.pk, at=now(), by=by)
        _audit("case.note", locked, by, reason="message")
    return line


def message_in(*, case: Case, text: str, by: Actor, files: Sequence[File] = ()) -> CaseEvent:
    """A message from the person under the code."""
    if not case.is_sealed:
        sealing.lay_open(files)
    with transaction.atomic():
        locked = _locked(case)
        line = _write(locked, Kind.MESSAGE_IN, by, shown=True, text=_needed(text, _("Write your message.")))
        _attach(locked, files, from_citizen=True)
        _audit("case.message_in", locked, by)
    return line


def rate(*, case: Case, score: int, told_until_when: bool | None, by: Actor) -> None:
    """Keep a score without a link to the matter or the person; once for each round of an answered matter.

    No audit entry is written: its place in the record would be the link.
    """
    if score not in range(1, 6):
        raise Refused(_("Choose a score from 1 to 5."))
    with transaction.atomic():
        locked = _locked(case)
        _refuse(permissions.rate(locked))
        locked.rated_round = locked.round
        locked.save(update_fields=["rated_round"])
        Rating.objects.create(
            unit=locked.holder,
            province=locked.province,
            procedure=locked.procedure.code,
            month=day_of(now()).replace(day=1),
            score=score,
            told_until_when=told_until_when,
        )


def record_reading(*, case: Case, by: Actor, part: str = "") -> None:
    """Write down who read the matter, or a `part` of it; once an hour for the same reader is enough."""
    lately = AuditEntry.system("reading").filter(
        object_id=case.pk, actor_id=by.user_id, action="case.read", reason=part, at__gt=now() - timedelta(hours=1)
    )
    if not lately.exists():
        with transaction.atomic():
            _audit("case.read", case, by, reason=part)


def _coming(
    *,
    submission: UUID,
    procedure: Procedure,
    unit: Unit,
    channel: str,
    text: str,
    title: str = "",
    place: str = "",
    identity: dict[str, str] | None = None,
    anonymous: bool = False,
    received_at: datetime | None = None,
    language: str = "vi",
    files: Sequence[File] = (),
    concern: dict[str, Any] | None = None,
    complex: bool = False,
) -> _Coming:
    return _Coming(
        submission=submission,
        procedure=procedure,
        unit=unit,
        channel=channel,
        text=text.strip(),
        title=title.strip(),
        place=place.strip(),
        identity={n: v.strip() for n, v in (identity or {}).items() if v and v.strip()} if not anonymous else {},
        anonymous=anonymous,
        at=received_at or now(),
        language=language,
        files=tuple(files),
        concern={} if concern is None and procedure.about_service else concern,
        complex=complex,
    )


def _receive(coming: _Coming, by: Actor) -> Receipt:
    if coming.at > now():
        raise Refused(_("The time of receipt lies in the future. Check the date and the time."))
    if coming.procedure.confidentiality != Procedure.Confidentiality.SEALED:
        sealing.lay_open(coming.files)
    before = _sent_before(coming, by)
    if before is not None:
        return before
    for attempt in range(follow.ATTEMPTS):
        # Counted outside the transaction: for an unnamed matter it takes a while on purpose.
        code = follow.code_for(coming.submission, attempt)
        hashed, reporter = follow.kept(code, anonymous=coming.anonymous)
        try:
            with audit.together():
                return Receipt(_open(coming, hashed, reporter, by), code)
        except IntegrityError:
            # The same form was sent twice at the same moment, and the other one was first; or the digits are taken.
            before = _sent_before(coming, by)
            if before is not None:
                return before
            if not _is_taken(hashed):
                raise
    raise RuntimeError("no free follow-up code was found")


def _open(coming: _Coming, hashed: str, reporter: bytes, by: Actor) -> Case:
    concern, at = coming.concern, coming.at
    present = routing.serving(coming.unit)
    unit = present.unit
    _refuse(permissions.receive(present, by, about_us=concern is not None))
    holder, on = unit, day_of(at)
    if concern is not None:
        holder = routing.oversight_for(routing.subjects_of(concern, unit), unit, concern.get("user"))
    then = present if (holder.pk, on) == (unit.pk, present.on) else standing(holder.pk, on)
    sealed = coming.procedure.confidentiality == Procedure.Confidentiality.SEALED
    title, text = (coming.title or _title(coming.text))[:200], coming.text
    if sealed:
        text = "\n\n".join(part for part in (coming.title, text) if part)
        title = sealing.neutral_title(coming.procedure)
    case = Case(
        reference=_reference(),
        procedure=coming.procedure,
        channel=coming.channel,
        language=coming.language,
        anonymous=coming.anonymous,
        title=title,
        text=text,
        place=coming.place[:200],
        received_by=unit,
        holder=holder,
        province_id=then.province,
        received_at=at,
        recorded_at=now(),
        submission=coming.submission,
        digest=coming.digest,
        complex=coming.complex,
        follow_hash=hashed,
        folded="" if sealed else index_text(title, coming.text, coming.place),
    )
    lines = [_line(case, Kind.RECEIVED, by, case.recorded_at, at=at, shown=True, facts={"channel": coming.channel})]
    person = []
    if coming.identity:
        wish = coming.identity.get("wish", "code")[:10]
        person.append(CaseIdentity(case=case, **_person(coming.identity), wish=wish))
    if sealed or person:
        # An unnamed reporter's code opens the sealed words by itself, whoever keeps the other keys.
        write_with(keys.of_new(case.pk, reporter=reporter if sealed else b""), case, *person, *lines)
    for rows in ([case], person, lines):
        sql.add(rows)
    word_index.keep(case.pk, new=True)
    _attach(case, coming.files, from_citizen=True)
    if concern is not None:
        # The concern stands before anything else can be read of the matter.
        staffing.record_concern(matter=case.pk, by=by, unit=concern.get("unit") or unit)
        if concern.get("user") or concern.get("named", "").strip():
            staffing.record_concern(
                matter=case.pk,
                by=by,
                unit=concern.get("unit") or unit,
                user=concern.get("user"),
                named=concern.get("named", ""),
            )
    _start(case, ("received", "complete"), at, by, stands=then)
    if concern is not None and settings.GANDAN_OUTSIDE_BODY and owners.is_ownerless(case):
        _send_outside(case, by)
    audit.record("case.receive", by=by, on=case, unit=holder, values={"digest": case.digest})
    return case


def _sent_before(coming: _Coming, by: Actor) -> Receipt | None:
    """Return the receipt that the same submission got before; keep its words when they are others now."""
    if not sql.rows(_with_submission, (), (coming.submission,)):
        return None
    with transaction.atomic():
        rows = Case.system("same-submission").select_for_update(of=("self",)).select_related("procedure", "holder")
        case = rows.filter(submission=coming.submission).first()
        if case is None:
            return None
        if case.digest == coming.digest:
            code = follow.again(case.submission, case.follow_hash, anonymous=case.anonymous)
            return Receipt(case, code, again=True)
        # Other words under the same number: keep them where the unit will see them, and say so.
        if not case.events.filter(kind=Kind.MESSAGE_IN, facts__digest=coming.digest).exists():
            words = "\n".join(part for part in (coming.title, coming.place, coming.text) if part)
            _write(case, Kind.MESSAGE_IN, by, text=words, facts={"digest": coming.digest, "conflict": True})
            _attach(case, coming.files, from_citizen=True)
            _add_person(case, coming.identity)
            _audit("case.message_in", case, by, reason="same-submission-other-words")
    return Receipt(case, "", again=True, other_words=True)


def _settle(case: Case, text: str, by: Actor) -> None:
    locked = _locked(case)
    _refuse(permissions.settle(locked, by))
    # On the spot: when the person came, even if it is typed from the paper book in the evening.
    at = locked.received_at
    locked.officer = _user(by)
    locked.taken_at = at
    locked.save(update_fields=["officer", "taken_at"])
    _write(locked, Kind.TAKEN, by, at=at, shown=True)
    obligations.fulfil("taken", matter=locked.pk, at=at, by=by, late_entry=True)
    obligations.assign(matter=locked.pk, officer=locked.officer, by=by)
    _answer(locked, text, Case.Outcome.SETTLED, by, at, late=True)
    locked.closed_at = at
    locked.save(update_fields=["closed_at"])
    _write(locked, Kind.CLOSED, by, at=at, shown=True, facts={"on_the_spot": True})
    obligations.fulfil("closed", matter=locked.pk, at=at, by=by, late_entry=True)
    _audit("case.settle", locked, by)
    case.refresh_from_db()


def _answer(case: Case, text: str, outcome: str, by: Actor, at: datetime, *, late: bool) -> None:
    case.answer = _needed(text, _("Write the answer: the person will read it."))
    case.answered_at, case.outcome, case.asked_at = at, outcome, None
    case.save(update_fields=["answer", "answered_at", "outcome", "asked_at"])
    # What was sent and not acknowledged is ours to answer after all; a hand-over by law stays on its way.
    pending = Transfer.system("own-matter").filter(case=case, acknowledged_at=None, recalled_at=None)
    pending.filter(statutory=False).update(recalled_at=at)
    written = at if late else None
    _write(case, Kind.ANSWERED, by, at=written, shown=True, text=case.answer, facts={"outcome": str(outcome)})
    # An answer says more than that somebody has the matter, or that it was accepted or not.
    for event in ("taken", "accepted", "notified", "answered"):
        obligations.fulfil(event, matter=case.pk, at=at, by=by, late_entry=late)
    _start(case, ("answered",), at, by)


def _start(case: Case, events: Sequence[str], at: datetime, by: Actor, stands: Standing | None = None) -> None:
    obligations.start(
        *events,
        matter=case.pk,
        kind="case",
        procedure=case.procedure.code,
        unit=case.holder,
        at=at,
        by=by,
        complex=case.complex,
        officer=case.officer,
        stands=stands,
    )


def _start_again(case: Case, began: datetime, by: Actor) -> None:
    """Start the clocks of another kind at the old beginning, and tell them what has happened since."""
    _start(case, ("received", "complete"), began, by)
    if case.taken_at:
        obligations.fulfil("taken", matter=case.pk, at=case.taken_at, by=by, late_entry=True)
    if case.accepted_at:
        obligations.fulfil("accepted", matter=case.pk, at=case.accepted_at, by=by, late_entry=True)
        _start(case, ("accepted",), case.accepted_at, by)
    requests = PaperRequest.system("own-matter").filter(case=case, round=case.round).order_by("asked_at")
    for request in requests:
        obligations.suspend(matter=case.pk, ground=MISSING_PAPERS, at=request.asked_at, by=by, late_entry=True)
        if request.supplied_at:
            obligations.resume(matter=case.pk, at=request.supplied_at, by=by)


def _hand_to_oversight(case: Case, named: str, by: Actor) -> None:
    """Take the matter away from those whom it is about, to the nearest inspector above them."""
    unit = case.holder
    above = routing.oversight_for([unit], unit)
    staffing.record_concern(matter=case.pk, by=by, unit=unit)
    if named.strip():
        staffing.record_concern(matter=case.pk, by=by, unit=unit, named=named)
    case.holder, case.province = above, province_of(above, day_of(now()))
    case.officer, case.taken_at, case.accepted_at = None, None, None
    case.save(update_fields=["holder", "province", "officer", "taken_at", "accepted_at"])
    if settings.GANDAN_OUTSIDE_BODY and owners.is_ownerless(case):
        _send_outside(case, by)


def _send_outside(case: Case, by: Actor) -> bool:
    """Pack a matter that no inspector of the house may read for the body outside; False where none is named.

    Our clocks run on until somebody here may write down that body's word.
    """
    if not settings.GANDAN_OUTSIDE_BODY:
        return False
    case.transfers.filter(acknowledged_at=None, recalled_at=None).update(recalled_at=now())
    note = _(
        "Every inspector here is absent or concerned. What you brought goes there sealed; only that body opens it."
    )
    to = settings.GANDAN_OUTSIDE_BODY
    case.transfers.create(from_unit=case.holder, to_body=to, note=note, sent_at=now())
    _write(case, Kind.SENT, by, shown=True, text=note, facts={"to": to})
    parcels.pack(case)
    _audit("case.send_outside", case, by, reason=NO_INSPECTOR)
    return True


def _began(case: Case) -> datetime:
    """Return when the present clocks began: at receipt, when it was opened again, or when it came from elsewhere."""
    starts = case.events.filter(kind__in=(Kind.RECEIVED, Kind.REOPENED, Kind.ACKNOWLEDGED))
    # A merger that brings sender and receiver together acknowledges too, and begins nothing.
    last = starts.exclude(facts__has_key="decree").aggregate(last=Max("at"))["last"]
    return last or case.received_at


def _moment(at: datetime | None, *, after: datetime) -> datetime:
    """Return when something happened: now, or as it is said. Raises Refused for what cannot have been."""
    if at is None:
        return now()
    if at > now():
        raise Refused(_("This time lies in the future. Check the date and the hour."))
    if at < after:
        raise Refused(
            _("This time lies before what had to come first (%(first)s). Check the date and the hour.")
            % {"first": f"{after.astimezone(VIETNAM):%d/%m/%Y, %H:%M}"}
        )
    return at


def _unfit(case: Case, unit: Unit) -> str | None:
    """Return why a matter cannot go to a unit."""
    if unit.pk == case.holder_id:
        return _("The matter is with this unit already.")
    if not unit.is_alive(day_of(now())):
        return _("%(unit)s has ended. Choose the unit that serves there now.") % {"unit": unit.title}
    about_us = Case.system("routing").filter(authority().has_subject("id"), pk=case.pk).exists()
    if about_us and not routing.may_oversee(case.pk, unit):
        return _("A matter about the police goes only to a unit with an inspector whom it does not concern.")
    return None


def _pending(case: Case) -> Transfer:
    rows = case.transfers.select_for_update(of=("self",)).select_related("to_unit")
    transfer: Transfer = rows.get(acknowledged_at=None, recalled_at=None)
    return transfer


def _receiver(transfer: Transfer) -> str:
    return transfer.to_unit.title if transfer.to_unit is not None else transfer.to_body


def _with_submission(submission: UUID) -> Any:
    return Case.system("same-submission").filter(submission=submission).values_list("pk")


def _is_taken(hashed: str) -> bool:
    return bool(Case.system("follow-code").filter(follow_hash=hashed).exists())


def _person(identity: dict[str, str]) -> dict[str, str]:
    return {
        "name": identity.get("name", "")[:120],
        "phone": identity.get("phone", "")[:30],
        "address": identity.get("address", "")[:300],
    }


def _add_person(case: Case, identity: dict[str, str]) -> None:
    """Keep another name or number that came for the same matter, beside the first and under the same lock."""
    if not identity:
        return
    row, _made = CaseIdentity.system("same-submission").get_or_create(case=case)
    unlock([row])
    if _person(identity) != {"name": row.name, "phone": row.phone, "address": row.address}:
        row.others = [*row.others, _person(identity)]
        row.save(update_fields=["others"])


def _lock(case: Case, action: str, by: Actor) -> Case:
    locked = _locked(case)
    _refuse(permissions.ALL[action](locked, by))
    return locked


def _refuse(reason: permissions.Reason) -> None:
    if reason:
        raise Refused(reason)


def _locked(case: Case) -> Case:
    rows = Case.system("own-action").select_for_update(of=("self",)).select_related("procedure", "holder", "officer")
    locked: Case = rows.get(pk=case.pk)
    return locked


def _write(
    case: Case,
    kind: str,
    by: Actor,
    *,
    at: datetime | None = None,
    shown: bool = False,
    text: str = "",
    facts: dict[str, Any] | None = None,
) -> CaseEvent:
    line = _line(case, kind, by, _after_the_last(case), at=at, shown=shown, text=text, facts=facts)
    fields.prepare([line])
    sql.add([line])
    return line


def _line(
    case: Case,
    kind: str,
    by: Actor,
    written: datetime,
    *,
    at: datetime | None = None,
    shown: bool = False,
    text: str = "",
    facts: dict[str, Any] | None = None,
) -> CaseEvent:
    case.__dict__["_last_written"] = written
    return CaseEvent(
        case=case,
        kind=kind,
        at=at or written,
        recorded_at=written,
        actor_id=by.user_id,
        actor_name=by.name[:120],
        unit_id=case.holder_id,
        shown=shown,
        text=text,
        facts=facts or {},
    )


def _after_the_last(case: Case) -> datetime:
    """Return the present, later than every line before, so that lines of one moment keep their order."""
    last = case.__dict__.get("_last_written") or case.events.aggregate(last=Max("recorded_at"))["last"]
    return now() if last is None else max(now(), last + timedelta(microseconds=1))


def _attach(case: Case, files: Sequence[File], *, from_citizen: bool) -> None:
    laid = [sealing.laid_down(case, file) for file in files]
    Attachment.objects.bulk_create(
        Attachment(
            case=case,
            sha256=sha256,
            sealed_with=sealed_with,
            name=file.name,
            media_type=file.media_type,
            size=file.size,
            from_citizen=from_citizen,
            added_at=now(),
        )
        for file, (sha256, sealed_with) in zip(files, laid, strict=True)
    )


def _audit(action: str, case: Case, by: Actor, reason: str = "") -> None:
    audit.record(action, by=by, on=case, unit=case.holder_id, reason=reason)


def _said_before(case: Case, kind: str, text: str, by: Actor) -> CaseEvent | None:
    """Return the line that a second click would write again: the same words by the same person, just now."""
    last: CaseEvent | None = case.events.order_by("-recorded_at").first()
    if last is None or (last.kind, words(last.text), last.actor_id) != (kind, text, by.user_id):
        return None
    return last if now() - last.recorded_at < _SECOND_CLICK else None


def _user(by: Actor) -> User | None:
    return User.objects.get(pk=by.user_id) if by.user_id is not None else None


def _needed(text: str, sentence: str) -> str:
    if not text.strip():
        raise Refused(sentence)
    return text.strip()


def _reference() -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"GD-{letters[:4]}-{letters[4:]}"


def _title(text: str) -> str:
    """Return the first words of a text as its title."""
    first = " ".join(text.split())
    return first if len(first) <= 90 else first[:89].rsplit(" ", 1)[0] + "…"
