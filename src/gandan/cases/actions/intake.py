"""A matter comes in: once, however often it is sent, and with a receipt that is true."""

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
from gandan.access.clock import VIETNAM, day_of
from gandan.cases import follow, owners, permissions, routing, sealing, word_index
from gandan.cases.actions.acting import Kind, attach, enter, line_of, locked_row, refuse, start_clocks, user_of, write
from gandan.cases.actions.passing import send_outside
from gandan.cases.actions.working import give_answer
from gandan.cases.files import File
from gandan.cases.models import (
    Case,
    CaseEvent,
    CaseIdentity,
    Procedure,
)
from gandan.cases.search import index_text
from gandan.obligations import actions as obligations
from gandan.secrecy import keys
from gandan.secrecy.fields import unlock, words, write_with
from gandan.staffing import actions as staffing
from gandan.units.models import Unit
from gandan.units.standing import standing

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


class SameWords(Refused):
    """The officer recorded the same words a moment ago: only he knows whether this is the same matter."""

    def __init__(self, case: Case) -> None:
        super().__init__(
            _("You recorded the same words at %(at)s, as %(reference)s. Is it the same matter, or another person's?")
            % {"at": f"{case.recorded_at.astimezone(VIETNAM):%H:%M}", "reference": case.reference}
        )
        self.case = case


class NotKept(Refused):
    """The matter had been recorded before, and what was typed now could not be added to it."""

    def __init__(self, case: Case, why: Any) -> None:
        super().__init__(
            _("This was recorded before, as %(reference)s. The answer typed here was not kept: %(why)s")
            % {"reference": case.reference, "why": why}
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

    def is_again(self, case: Case) -> bool:
        """Say whether this is the very form of a matter, sent once more with nothing changed."""
        mine = (self.submission, self.channel, self.at, self.complex)
        return mine == (case.submission, case.channel, case.received_at, case.complex) and self.says_as(case)

    def says_as(self, case: Case) -> bool:
        return self.digest == case.digest


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


def recorded_lately(*, by: Actor, **matter: Any) -> None:
    """Raise SameWords when this officer recorded the same words just now, and it was not this very form.

    A form that comes back with the browser's “back” carries a new number, because a private page is fetched anew:
    without a question it would be a second matter. But an empty form opened for the next person looks just the same,
    and people without a name often bring the same words (“the whole hamlet has no light”): whoever were given the
    first one's receipt would hold the code to another person's matter, and their own would be lost. Nothing that the
    browser sends tells the two apart in every browser, so the officer is asked, and the code of the first is never
    shown again. Only the very same form, unchanged to the hour, is answered with its own receipt (see `receive`); a
    form that was kept open and sent again with another hour or channel asks too.
    """
    coming = _coming(**matter)
    mine = CaseEvent.system("same-words").filter(kind=Kind.RECEIVED, actor_id=by.user_id, case__digest=coming.digest)
    lately = mine.filter(recorded_at__gt=now() - _SAME_MATTER) | mine.filter(case__submission=coming.submission)
    found = list(Case.system("same-words").filter(pk__in=lately.values("case")).order_by("-recorded_at", "pk"))
    if found and by.user_id is not None and not any(coming.is_again(case) for case in found):
        raise SameWords(found[0])


def same_matter(*, first: UUID, by: Actor, answer: str = "", **matter: Any) -> Receipt:
    """Return the receipt, without its code, of the matter about which the officer was asked; an answer settles it.

    Raises Refused when what is sent is not what was recorded then, and NotKept when it cannot be settled any more.
    """
    mine = CaseEvent.system("same-words").filter(kind=Kind.RECEIVED, actor_id=by.user_id, case=first).values("case")
    found = Case.system("same-words").filter(pk__in=mine).select_related("procedure", "holder")
    case: Case | None = found.first() if by.user_id is not None else None
    coming = _coming(**matter)
    if case is None or not coming.says_as(case) or coming.complex != case.complex:
        raise Refused(
            _("What stands here is not what you recorded then. Write what is new on the page of that matter.")
        )
    receipt = Receipt(case, "", again=True)
    if answer.strip():
        with transaction.atomic():
            _settle_again(receipt.case, answer, by)
    return receipt


def settle_on_the_spot(*, answer: str, by: Actor, **matter: Any) -> Receipt:
    """Receive, take, answer and close at once what was settled while the person stood at the desk.

    `matter` is what `receive` takes. All or nothing: when the answer may not be given here, nothing is written.
    What had been recorded before is settled now; raises NotKept when that may not be.
    """
    with transaction.atomic():
        try:
            receipt = receive(by=by, **matter)
        except Conflict as conflict:
            other_words: Conflict | None = conflict
        else:
            other_words = None
            if receipt.again:
                _settle_again(receipt.case, answer, by)
            else:
                _settle(receipt.case, answer, by)
    if other_words is not None:
        # Raised only now, so that the other words are kept.
        raise other_words
    return receipt


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
    refuse(permissions.receive(present, by, about_us=concern is not None))
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
    lines = [line_of(case, Kind.RECEIVED, by, case.recorded_at, at=at, shown=True, facts={"channel": coming.channel})]
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
    attach(case, coming.files, from_citizen=True)
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
    start_clocks(case, ("received", "complete"), at, by, stands=then)
    if concern is not None and settings.GANDAN_OUTSIDE_BODY and owners.is_ownerless(case):
        send_outside(case, by)
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
            write(case, Kind.MESSAGE_IN, by, text=words, facts={"digest": coming.digest, "conflict": True})
            attach(case, coming.files, from_citizen=True)
            _add_person(case, coming.identity)
            enter("case.message_in", case, by, reason="same-submission-other-words")
    return Receipt(case, "", again=True, other_words=True)


def _settle_again(case: Case, text: str, by: Actor) -> None:
    """Settle what had been recorded before, unless a second click says what was said already."""
    if case.answered_at and words(case.answer) == text.strip():
        return
    try:
        _settle(case, text, by)
    except Refused as refusal:
        raise NotKept(case, str(refusal)) from refusal


def _settle(case: Case, text: str, by: Actor) -> None:
    locked = locked_row(case)
    refuse(permissions.settle(locked, by))
    if permissions.owes_hand_over(locked):
        raise Refused(_("The law orders this matter to be handed over. Leave the answer empty, then send it on."))
    if locked.officer is not None and locked.officer.pk != by.user_id:
        raise Refused(
            _("%(name)s has this matter in hand. The chief can give it to somebody else.")
            % {"name": locked.officer.title}
        )
    # On the spot: when the person came, even if it is typed from the paper book in the evening; yet never before
    # what has happened to the matter since.
    at = max(locked.received_at, locked.events.aggregate(last=Max("at"))["last"])
    if locked.taken_at is None or locked.officer is None:
        locked.officer, locked.taken_at = user_of(by), locked.taken_at or at
        locked.save(update_fields=["officer", "taken_at"])
        write(locked, Kind.TAKEN, by, at=at, shown=True)
        obligations.fulfil("taken", matter=locked.pk, at=at, by=by, late_entry=True)
        obligations.assign(matter=locked.pk, officer=locked.officer, by=by)
    give_answer(locked, text, Case.Outcome.SETTLED, by, at, late=True)
    locked.closed_at = at
    locked.save(update_fields=["closed_at"])
    write(locked, Kind.CLOSED, by, at=at, shown=True, facts={"on_the_spot": True})
    obligations.fulfil("closed", matter=locked.pk, at=at, by=by, late_entry=True)
    # As when a matter is closed otherwise: what nothing can keep any more ends with it.
    obligations.withdraw(matter=locked.pk, at=at, by=by, ground="closed")
    enter("case.settle", locked, by)
    case.refresh_from_db()


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


def _reference() -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"GD-{letters[:4]}-{letters[4:]}"


def _title(text: str) -> str:
    """Return the first words of a text as its title."""
    first = " ".join(text.split())
    return first if len(first) <= 90 else first[:89].rsplit(" ", 1)[0] + "…"
