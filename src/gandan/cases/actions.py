"""What is done with a matter, from the moment somebody brings it.

Each action is one transaction: the fact on the case, a line in its timeline, the clocks that it starts or
ends, and one entry in the audit record. Each locks the case first and asks its permission again, so that a
stale page or a second click does nothing twice.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now
from gandan.access.clock import day_of
from gandan.audit.models import AuditEntry
from gandan.cases import follow, permissions, routing
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
from gandan.obligations.models import Obligation
from gandan.staffing import actions as staffing
from gandan.units.models import Unit, province_of

Kind = CaseEvent.Kind
MISSING_PAPERS = "missing_papers"
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class Conflict(Refused):
    """The same submission with other words: both are kept, and a person decides."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that has been checked and stored under its digest."""

    sha256: str
    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the person takes home. `code` is shown on the receipt only and stored nowhere."""

    case: Case
    code: str
    again: bool = False

    @property
    def reference(self) -> str:
        return self.case.reference


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

    `concern` ({unit, named}) says that the matter is about a unit or an officer: it then goes to the nearest
    inspector above. Nothing is refused for being addressed wrongly; it is sent on afterwards. Raises Conflict
    when the submission came before with other words: both are kept.
    """
    at = received_at or now()
    if at > now():
        raise Refused(_("The time of receipt lies in the future. Check the date and the time."))
    text, title, place = text.strip(), title.strip(), place.strip()
    identity = {name: value.strip() for name, value in (identity or {}).items() if value and value.strip()}
    if anonymous:
        identity = {}
    if procedure.about_service and concern is None:
        concern = {}
    digest = _digest(procedure.code, unit.pk, text, title, place, identity, anonymous, [file.sha256 for file in files])
    with transaction.atomic():
        again = Case.system("same-submission").select_for_update().filter(submission=submission).first()
        if again is not None:
            return _again(again, digest, text, by)
        holder = routing.oversight_for(routing.subjects_of(concern, unit), unit) if concern is not None else unit
        province = province_of(holder, day_of(at))
        code = follow.code_for(submission)
        case: Case = Case.objects.create(
            reference=_reference(),
            procedure=procedure,
            channel=channel,
            language=language,
            anonymous=anonymous,
            title=(title or _title(text))[:200],
            text=text,
            place=place[:200],
            received_by=unit,
            holder=holder,
            province=province,
            received_at=at,
            recorded_at=now(),
            submission=submission,
            digest=digest,
            complex=complex,
            follow_hash=follow.stored(code, anonymous=anonymous),
            folded=index_text(title or _title(text), text, place),
        )
        if identity:
            CaseIdentity.objects.create(
                case=case,
                name=identity.get("name", "")[:120],
                phone=identity.get("phone", "")[:30],
                address=identity.get("address", "")[:300],
                wish=identity.get("wish", "code")[:10],
            )
        _attach(case, files, from_citizen=True)
        if concern is not None:
            # The concern stands before anything else can be read of the matter.
            staffing.record_concern(
                matter=case.pk,
                by=by,
                unit=concern.get("unit") or unit,
                user=concern.get("user"),
                named=concern.get("named", ""),
            )
        _write(case, Kind.RECEIVED, by, at=at, shown=True, facts={"channel": channel})
        for event in ("received", "complete"):
            obligations.start(
                event, matter=case.pk, kind="case", procedure=procedure.code, unit=holder, at=at, by=by, complex=complex
            )
        audit.record("case.receive", by=by, on=case, unit=holder, values={"digest": digest})
    return Receipt(case, code)


def take(*, case: Case, by: Actor, officer: Any = None) -> Case:
    """Take the matter in hand; this is also the word to the person that somebody has it."""
    with transaction.atomic():
        locked = _lock(case, "take", by)
        locked.officer_id = officer.pk if officer is not None else by.user_id
        locked.taken_at = locked.taken_at or now()
        locked.save(update_fields=["officer", "taken_at"])
        _write(locked, Kind.TAKEN, by, shown=True)
        obligations.fulfil("taken", matter=locked.pk, at=now(), by=by)
        if officer is not None or by.user_id:
            obligations.assign(matter=locked.pk, officer=locked.officer, by=by)
        _audit("case.take", locked, by)
    return locked


def assign(*, case: Case, officer: Any, by: Actor) -> Case:
    """Give the matter to an officer of the unit."""
    with transaction.atomic():
        locked = _lock(case, "assign", by)
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
        line = _write(locked, Kind.NOTED, by, text=_needed(text, _("Write the note.")))
        _audit("case.note", locked, by)
    return line


def accept(*, case: Case, by: Actor) -> Case:
    """Accept the matter formally (thụ lý), which starts the clock of the decision."""
    with transaction.atomic():
        locked = _lock(case, "accept", by)
        at = now()
        locked.accepted_at = at
        locked.taken_at = locked.taken_at or at
        locked.officer_id = locked.officer_id or by.user_id
        locked.save(update_fields=["accepted_at", "taken_at", "officer"])
        _write(locked, Kind.ACCEPTED, by, shown=True)
        obligations.fulfil("taken", matter=locked.pk, at=at, by=by)
        obligations.fulfil("accepted", matter=locked.pk, at=at, by=by)
        obligations.start(
            "accepted",
            matter=locked.pk,
            kind="case",
            procedure=locked.procedure.code,
            unit=locked.holder,
            at=at,
            by=by,
            complex=locked.complex,
            officer=locked.officer,
        )
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
        _write(locked, Kind.ASKED, by, shown=True, text=text.strip(), facts={"items": wanted})
        obligations.fulfil("taken", matter=locked.pk, at=at, by=by)
        obligations.suspend(matter=locked.pk, ground=MISSING_PAPERS, at=at, by=by)
        _audit("case.ask", locked, by)
    return request


def supply(*, case: Case, by: Actor, text: str = "", files: Sequence[File] = (), from_citizen: bool = False) -> Case:
    """The missing papers have come; the clock runs on."""
    with transaction.atomic():
        locked = _locked(case) if from_citizen else _lock(case, "supply", by)
        if locked.asked_at is None:
            raise Refused(_("No papers are being waited for."))
        at = now()
        locked.paper_requests.filter(supplied_at=None).update(supplied_at=at)
        locked.asked_at = None
        locked.save(update_fields=["asked_at"])
        _attach(locked, files, from_citizen=from_citizen)
        _write(locked, Kind.SUPPLIED, by, shown=True, text=text.strip())
        obligations.resume(matter=locked.pk, at=at, by=by)
        _audit("case.supply", locked, by)
    return locked


def extend(*, case: Case, obligation: Obligation, extension: str, ground: str, by: Actor) -> Case:
    """Extend a term before it passes: the ground, an apology and one new date go to the person at once."""
    with transaction.atomic():
        locked = _lock(case, "extend", by)
        changed = obligations.extend(obligation=obligation, extension=extension, ground=ground, at=now(), by=by)
        _write(
            locked,
            Kind.EXTENDED,
            by,
            shown=True,
            text=ground.strip(),
            facts={"clock": changed.clock, "due_at": changed.due_at.isoformat()},
        )
        _audit("case.extend", locked, by, reason=extension)
    return locked


def apologise(*, case: Case, text: str, new_date: datetime, by: Actor) -> Case:
    """Tell the person, before the promise is broken, why it will be late and by which one new date.

    The promise itself stays as it was: an apology moves no clock.
    """
    with transaction.atomic():
        locked = _lock(case, "message", by)
        if new_date <= now():
            raise Refused(_("The new date must lie in the future."))
        if locked.events.filter(kind=Kind.APOLOGISED, facts__round=locked.round).exists():
            raise Refused(_("An apology names one new date, and that was given before. Answer now."))
        _write(
            locked,
            Kind.APOLOGISED,
            by,
            shown=True,
            text=_needed(text, _("Write the reason.")),
            facts={"new_date": new_date.isoformat(), "round": locked.round},
        )
        _audit("case.note", locked, by, reason="apology")
    return locked


def send(*, case: Case, text: str, by: Actor, to_unit: Unit | None = None, to_body: str = "") -> Transfer:
    """Send the matter to the body that it belongs to, with a note that the person can read.

    Our clock runs on until the receiver acknowledges. A hand-over that the law orders is sent in this way too.
    """
    with transaction.atomic():
        locked = _lock(case, "send", by)
        if to_unit is None and not to_body.strip():
            raise Refused(_("Choose the unit, or name the body, that the matter goes to."))
        if to_unit is not None and to_unit.pk == locked.holder_id:
            raise Refused(_("The matter is with this unit already."))
        owed = Obligation.system("own-matter").open().filter(matter=locked.pk, term__ends_on="handed_over")
        transfer: Transfer = locked.transfers.create(
            from_unit=locked.holder,
            to_unit=to_unit,
            to_body=to_body.strip()[:200],
            statutory=owed.exists(),
            note=_needed(text, _("Write why the matter goes there: the person will read it.")),
            sent_at=now(),
        )
        name = to_unit.title if to_unit is not None else to_body.strip()
        _write(locked, Kind.SENT, by, shown=True, text=text.strip(), facts={"to": name})
        _audit("case.handover", locked, by, reason="sent")
    return transfer


def acknowledge(*, case: Case, by: Actor, number: str = "") -> Case:
    """The receiver has the matter. Our clock ends here; the receiver's own begins now."""
    with transaction.atomic():
        locked = _locked(case)
        if reason := permissions.acknowledge(locked, by):
            raise Refused(reason)
        at = now()
        transfer = locked.transfers.select_for_update(of=("self",)).filter(acknowledged_at=None).get()
        if transfer.to_unit_id is None and not number.strip():
            raise Refused(_("Write the number of the paper by which the other body acknowledged."))
        transfer.acknowledged_at, transfer.acknowledgement = at, number.strip()[:120]
        transfer.save(update_fields=["acknowledged_at", "acknowledgement"])
        obligations.fulfil("handed_over", matter=locked.pk, at=at, by=by)
        obligations.hand_over(matter=locked.pk, at=at, by=by, to_unit=transfer.to_unit, ground=number.strip())
        _write(locked, Kind.ACKNOWLEDGED, by, shown=True, facts={"number": number.strip()})
        if transfer.to_unit is None:
            locked.passed_on_at, locked.asked_at = at, None
            locked.save(update_fields=["passed_on_at", "asked_at"])
            _write(locked, Kind.PASSED_ON, by, shown=True, facts={"to": transfer.to_body})
        else:
            province = province_of(transfer.to_unit, day_of(at))
            locked.holder, locked.province = transfer.to_unit, province
            locked.officer, locked.taken_at, locked.accepted_at, locked.asked_at = None, None, None, None
            locked.save(update_fields=["holder", "province", "officer", "taken_at", "accepted_at", "asked_at"])
            for event in ("received", "complete"):
                obligations.start(
                    event,
                    matter=locked.pk,
                    kind="case",
                    procedure=locked.procedure.code,
                    unit=transfer.to_unit,
                    at=at,
                    by=by,
                    complex=locked.complex,
                )
        _audit("case.handover", locked, by, reason="acknowledged")
    return locked


def answer(*, case: Case, text: str, by: Actor, outcome: str = Case.Outcome.SETTLED) -> Case:
    """Answer the person. The promise is kept when this is written."""
    with transaction.atomic():
        locked = _lock(case, "answer", by)
        _answer(locked, text, outcome, by)
        _audit("case.answer", locked, by, reason=str(outcome))
    return locked


def settle_on_the_spot(*, case: Case, text: str, by: Actor) -> Case:
    """Take, answer and close at once what was settled while the person stood at the desk."""
    with transaction.atomic():
        locked = _locked(case)
        if not (by.reach("case.settle") or by.concerned_reach("case.settle")).covers(
            locked.holder_id, locked.province_id
        ):
            raise Refused(permissions.NOT_YOURS)
        if locked.is_ended or locked.answered_at:
            raise Refused(permissions.ENDED)
        at = now()
        locked.officer_id, locked.taken_at = by.user_id, locked.taken_at or at
        locked.save(update_fields=["officer", "taken_at"])
        _write(locked, Kind.TAKEN, by, shown=True)
        obligations.fulfil("taken", matter=locked.pk, at=at, by=by)
        _answer(locked, text, Case.Outcome.SETTLED, by)
        locked.closed_at = at
        locked.save(update_fields=["closed_at"])
        _write(locked, Kind.CLOSED, by, shown=True, facts={"on_the_spot": True})
        obligations.fulfil("closed", matter=locked.pk, at=at, by=by)
        _audit("case.settle", locked, by)
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
        if locked.answered_at is None or locked.withdrawn_at or locked.passed_on_at:
            raise Refused(_("Only an answered matter is reopened."))
        at = now()
        locked.round += 1
        locked.answered_at, locked.closed_at, locked.outcome, locked.taken_at = None, None, "", None
        locked.asked_at = None
        locked.save(update_fields=["round", "answered_at", "closed_at", "outcome", "taken_at", "asked_at"])
        _write(
            locked,
            Kind.REOPENED,
            by,
            shown=True,
            text=_needed(text, _("Say what is not settled.")),
            facts={"round": locked.round, "from_citizen": from_citizen},
        )
        for event in ("received", "complete"):
            obligations.start(
                event,
                matter=locked.pk,
                kind="case",
                procedure=locked.procedure.code,
                unit=locked.holder,
                at=at,
                by=by,
                complex=locked.complex,
                officer=locked.officer,
            )
        _audit("case.reopen", locked, by)
    return locked


def withdraw(*, case: Case, by: Actor, text: str = "") -> Case:
    """The person takes the matter back; its clocks end without counting as kept or broken."""
    with transaction.atomic():
        locked = _locked(case)
        if locked.is_ended:
            raise Refused(permissions.ENDED)
        at = now()
        locked.withdrawn_at, locked.asked_at = at, None
        locked.save(update_fields=["withdrawn_at", "asked_at"])
        _write(locked, Kind.WITHDRAWN, by, shown=True, text=text.strip())
        obligations.withdraw(matter=locked.pk, at=at, by=by)
        _audit("case.withdraw", locked, by)
    return locked


def message_out(*, case: Case, text: str, by: Actor) -> CaseEvent:
    with transaction.atomic():
        locked = _lock(case, "message", by)
        line = _write(locked, Kind.MESSAGE_OUT, by, shown=True, text=_needed(text, _("Write the message.")))
        obligations.fulfil("notified", matter=locked.pk, at=now(), by=by)
        _audit("case.note", locked, by, reason="message")
    return line


def message_in(*, case: Case, text: str, by: Actor, files: Sequence[File] = ()) -> CaseEvent:
    """A message from the person under the code."""
    with transaction.atomic():
        locked = _locked(case)
        line = _write(locked, Kind.MESSAGE_IN, by, shown=True, text=_needed(text, _("Write your message.")))
        _attach(locked, files, from_citizen=True)
        _audit("case.message_in", locked, by)
    return line


def rate(*, case: Case, score: int, told_until_when: bool | None, by: Actor) -> None:
    """Keep a score without a link to the matter or the person; once for each round of an answered matter."""
    if score not in range(1, 6):
        raise Refused(_("Choose a score from 1 to 5."))
    with transaction.atomic():
        locked = _locked(case)
        if locked.answered_at is None:
            raise Refused(_("A matter is rated after it has been answered."))
        if locked.rated_round >= locked.round:
            raise Refused(_("You have rated this answer already. Thank you."))
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


def record_reading(*, case: Case, by: Actor) -> None:
    """Write down who read the matter; once an hour for the same reader is enough to answer for it."""
    lately = AuditEntry.system("reading").filter(
        object_id=case.pk, actor_id=by.user_id, action="case.read", at__gt=now() - timedelta(hours=1)
    )
    if not lately.exists():
        with transaction.atomic():
            _audit("case.read", case, by)


def _answer(case: Case, text: str, outcome: str, by: Actor) -> None:
    at = now()
    case.answer = _needed(text, _("Write the answer: the person will read it."))
    case.answered_at, case.outcome, case.asked_at = at, outcome, None
    case.save(update_fields=["answer", "answered_at", "outcome", "asked_at"])
    _write(case, Kind.ANSWERED, by, shown=True, text=case.answer, facts={"outcome": str(outcome)})
    obligations.fulfil("answered", matter=case.pk, at=at, by=by)
    obligations.start(
        "answered",
        matter=case.pk,
        kind="case",
        procedure=case.procedure.code,
        unit=case.holder,
        at=at,
        by=by,
        officer=case.officer,
    )


def _again(case: Case, digest: str, text: str, by: Actor) -> Receipt:
    if case.digest == digest:
        return Receipt(case, follow.code_for(case.submission), again=True)
    # Other words under the same number: keep them where the unit will see them, and say so.
    if not case.events.filter(kind=Kind.MESSAGE_IN, facts__digest=digest).exists():
        _write(case, Kind.MESSAGE_IN, by, shown=True, text=text, facts={"digest": digest, "conflict": True})
        _audit("case.message_in", case, by, reason="same-submission-other-words")
    return Receipt(case, "", again=True)


def _lock(case: Case, action: str, by: Actor) -> Case:
    locked = _locked(case)
    if reason := permissions.ALL[action](locked, by):
        raise Refused(reason)
    return locked


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
    line: CaseEvent = case.events.create(
        kind=kind,
        at=at or now(),
        recorded_at=now(),
        actor_id=by.user_id,
        actor_name=by.name[:120],
        unit_id=case.holder_id,
        shown=shown,
        text=text,
        facts=facts or {},
    )
    return line


def _attach(case: Case, files: Sequence[File], *, from_citizen: bool) -> None:
    Attachment.objects.bulk_create(
        Attachment(
            case=case,
            sha256=file.sha256,
            name=file.name,
            media_type=file.media_type,
            size=file.size,
            from_citizen=from_citizen,
            added_at=now(),
        )
        for file in files
    )


def _audit(action: str, case: Case, by: Actor, reason: str = "") -> None:
    audit.record(action, by=by, on=case, unit=case.holder_id, reason=reason)


def _needed(text: str, sentence: str) -> str:
    if not text.strip():
        raise Refused(sentence)
    return text.strip()


def _digest(*values: Any) -> str:
    plain = json.dumps([str(v) if isinstance(v, UUID) else v for v in values], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def _reference() -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"GD-{letters[:4]}-{letters[4:]}"


def _title(text: str) -> str:
    """Return the first words of a text as its title."""
    first = " ".join(text.split())
    return first if len(first) <= 90 else first[:89].rsplit(" ", 1)[0] + "…"
