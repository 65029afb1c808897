"""What people bring, for other programs: procedures, bringing something, following it, and the officers' lists."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import File, Form, Query, Router, Schema
from ninja.files import UploadedFile
from ninja.responses import Status
from pydantic import Field

from gandan.access import ANONYMOUS, now, today
from gandan.access.decorators import needs, public
from gandan.access.interface import Declined, Words, absent, may_refuse, text
from gandan.cases import actions, catalogue, follow, permissions, public_forms, sealing, search, uploads
from gandan.cases import files as kept_files
from gandan.cases.guessing import guesses
from gandan.cases.models import Case, CaseEvent, Procedure, Transfer
from gandan.cases.repeats import is_second_click
from gandan.obligations import explain, terms, worklist
from gandan.obligations.api import Owed, TermRow, term_row
from gandan.obligations.models import Obligation
from gandan.secrecy.middleware import source_of
from gandan.ui import cursors
from gandan.units.models import Unit

router = Router(tags=["cases"])
PAGE = 25

State = Literal["new", "in_hand", "waiting", "answered", "closed", "passed_on", "withdrawn"]
View = Literal["all", "unfinished", "mine", "arriving"]


# What goes out


class ProcedureRow(Schema):
    code: str
    name: str
    group: str
    summary: str
    online: bool
    identity: Literal["named", "optional", "secret"]
    """Whether the name is needed, may be left out, or is kept secret."""
    about_service: bool
    call_instead: str


class Procedures(Schema):
    procedures: list[ProcedureRow]


class ProcedureDetail(ProcedureRow):
    version: int
    bring: list[str]
    cost: str
    law: list[str]
    valid_from: datetime | str
    terms: list[TermRow]


class Promised(Schema):
    name: str
    due_at: datetime
    law: str


class Holder(Schema):
    slug: str
    name: str


class ReceiptOut(Schema):
    """What the person keeps. The code is given to the sender of these very words and stored nowhere."""

    reference: str
    code: str
    received_at: datetime
    procedure: str
    holder: Holder
    promises: list[Promised]


class Line(Schema):
    at: datetime
    title: str
    text: str
    by: str


class Kept(Schema):
    id: UUID
    name: str
    media_type: str
    size: int


class PromiseShown(Schema):
    name: str
    state: str
    due_at: datetime | None
    """Null while the clock stands still."""
    law: str
    sum: list[str]


class Followed(Schema):
    reference: str
    procedure: str
    title: str
    state: State
    state_name: str
    received_at: datetime
    holder: Holder
    officer: str
    answer: str
    papers_wanted: list[str]
    promises: list[PromiseShown]
    timeline: list[Line]
    files: list[Kept]


class CaseRow(Schema):
    id: UUID
    reference: str
    title: str
    procedure: str
    state: State
    holder: Holder
    officer: str
    received_at: datetime


class Cases(Schema):
    rows: list[CaseRow]
    next: str | None


class CaseDetail(CaseRow):
    """A matter as its officers read it. Who brought it is read on the page, never here."""

    text: str
    place: str
    channel: str
    anonymous: bool
    round: int
    complex: bool
    outcome: str
    answer: str
    obligations: list[Owed]
    timeline: list[Line]
    files: list[Kept]


# What comes in

_Code = text(40, shortest=1)


class Brought(Words):
    """Something that somebody brings. `id` is drawn at random by the sender: sent again with the same words it
    gives the same receipt; sent with other words, both are kept and the answer is 409."""

    id: UUID
    procedure: text(20, shortest=1)  # type: ignore[valid-type]
    unit: text(80, shortest=1)  # type: ignore[valid-type]
    text: text(public_forms.LONG, shortest=1)  # type: ignore[valid-type]
    place: text(200) = ""  # type: ignore[valid-type]
    anonymous: bool = False
    name: text(120) = ""  # type: ignore[valid-type]
    phone: text(30) = ""  # type: ignore[valid-type]
    address: text(300) = ""  # type: ignore[valid-type]
    about: text(200) = ""  # type: ignore[valid-type]
    """In a complaint: the officer's name or number, when known."""


class Code(Words):
    code: _Code  # type: ignore[valid-type]


class Message(Words):
    code: _Code  # type: ignore[valid-type]
    text: text(5000, shortest=1)  # type: ignore[valid-type]


class CasesAsked(Words):
    view: View = "all"
    q: text(200) = ""  # type: ignore[valid-type]
    state: State | None = None
    procedure: text(20) = ""  # type: ignore[valid-type]
    unit: text(80) = ""  # type: ignore[valid-type]
    after: text(400) = ""  # type: ignore[valid-type]
    limit: Annotated[int, Field(ge=1, le=100)] = PAGE


# Procedures


@router.get("/procedures", response=Procedures)
@public("procedures are published")
def procedure_list(request: HttpRequest) -> Any:
    """Everything that people bring, in the order of the catalogue."""
    return {"procedures": [_procedure(p) for p in catalogue.current()]}


@router.get("/procedures/{str:code}", response=ProcedureDetail)
@public("procedures are published")
@may_refuse(404)
def procedure_detail(request: HttpRequest, code: str) -> Any:
    """One procedure: what to bring, cost, time and law."""
    found = catalogue.in_force(code[:20])
    if found is None or found.code != code:
        raise Declined(404, _("There is no procedure with this code."))
    return {
        **_procedure(found),
        "version": found.version,
        "bring": _own(found, "bring"),
        "cost": _own(found, "cost"),
        "law": _own(found, "law"),
        "valid_from": found.valid_from.isoformat(),
        "terms": [term_row(term) for term in terms.in_force(found.code, today())],
    }


# Bringing something


@router.post("/matters", response={200: ReceiptOut, 201: ReceiptOut})
@public("anybody may bring something")
@may_refuse(404, 409)
def bring(request: HttpRequest, words: Brought) -> Any:
    """Bring something: 201 and the receipt; 200 and the same receipt when the same words come again."""
    return _brought(words, [])


@router.post("/matters/with-files", response={200: ReceiptOut, 201: ReceiptOut})
@public("anybody may bring something")
@may_refuse(404, 409)
def bring_with_files(request: HttpRequest, words: Form[Brought], files: File[list[UploadedFile]]) -> Any:
    """Bring something with up to five pictures (JPEG, PNG, WebP) or PDFs of 10 MB each."""
    return _brought(words, files)


def _brought(words: Brought, files: Sequence[UploadedFile]) -> Status:
    procedure = next((p for p in catalogue.current() if p.online and p.code == words.procedure), None)
    if procedure is None:
        raise Declined(404, _("There is no procedure with this code that can be brought online."))
    unit = Unit.objects.filter(slug=words.unit, level=Unit.Level.COMMUNE).first()
    if unit is None:
        raise Declined(404, _("We know no commune with this address. Search for it by its name."))
    _check_person(words, procedure)
    receipt = actions.receive(
        submission=words.id,
        procedure=procedure,
        unit=unit,
        channel=Case.Channel.WEB,
        text=words.text,
        place=words.place,
        anonymous=words.anonymous,
        by=ANONYMOUS,
        identity={"name": words.name, "phone": words.phone, "address": words.address},
        language=get_language() or "vi",
        files=_kept(files),
        concern={"unit": unit, "named": words.about} if procedure.about_service else None,
    )
    return Status(200 if receipt.again else 201, _receipt(receipt))


def _check_person(words: Brought, procedure: Procedure) -> None:
    """Ask of the person what the page asks, in its words."""
    given = {"name": words.name, "phone": words.phone, "address": words.address}
    form = public_forms.WhoForm({**given, "anonymous": "yes" if words.anonymous else "no"}, procedure=procedure)
    if "anonymous" not in form.fields and words.anonymous:
        raise Declined(422, _("This procedure needs a name."), [("anonymous", _("This procedure needs a name."))])
    if not form.is_valid():
        faults = [(str(name), str(fault)) for name, found in form.errors.items() for fault in found]
        raise Declined(422, _("Some fields are not as described; each is named below."), faults)


def _kept(files: Sequence[UploadedFile]) -> list[kept_files.File]:
    if len(files) > uploads.FILES:
        raise Declined(422, _("Five files are enough."), [("files", _("Five files are enough."))])
    return [uploads.receive(file) for file in files]


def _receipt(receipt: actions.Receipt) -> dict[str, Any]:
    case = receipt.case
    owed = Obligation.system("receipt").open().filter(matter=case.pk).select_related("term").order_by("due_at", "pk")
    return {
        "reference": case.reference,
        "code": receipt.code,
        "received_at": case.received_at,
        "procedure": case.procedure.code,
        "holder": _holder(case),
        "promises": [{"name": explain.name(o), "due_at": o.due_at, "law": explain.basis(o)} for o in owed],
    }


# Following it


@router.post("/follow", response=Followed)
@public("the code is the key; it travels in the body of a POST only")
@may_refuse(404, 429)
def follow_matter(request: HttpRequest, words: Code) -> Any:
    """Follow a matter by the sixteen digits of its receipt."""
    return _followed(_matter(request, words.code))


@router.post("/follow/message", response=Followed)
@public("the code is the key; it travels in the body of a POST only")
@may_refuse(404, 409, 429)
def follow_message(request: HttpRequest, words: Message) -> Any:
    """Write to the unit under the code. The same words again within ten minutes are the same message."""
    return _followed(_told(request, words, []))


@router.post("/follow/files", response=Followed)
@public("the code is the key; it travels in the body of a POST only")
@may_refuse(404, 409, 429)
def follow_files(request: HttpRequest, words: Form[Message], files: File[list[UploadedFile]]) -> Any:
    """Write to the unit under the code and add files."""
    return _followed(_told(request, words, files))


def _told(request: HttpRequest, words: Message, files: Sequence[UploadedFile]) -> Case:
    case = _matter(request, words.code)
    kept = _kept(files)
    if not is_second_click(case, CaseEvent.Kind.MESSAGE_IN, words.text, kept):
        actions.message_in(case=case, text=words.text, by=ANONYMOUS, files=kept)
    return case


def _matter(request: HttpRequest, typed: str) -> Case:
    """Return the matter that a code opens. Wrong codes are counted as on the page, together with those there."""
    source, at = source_of(request), now()
    if not guesses.begin(source, at):
        raise Declined(429, _("Too many codes were tried from here. Wait an hour, or ask at the unit."))
    code = follow.clean(typed)
    rows = Case.system("follow-code").select_related("procedure", "holder", "officer")
    found: Case | None = rows.filter(follow_hash__in=follow.lookups(code)).first() if code else None
    if found is None:
        guesses.wrong(at)
        raise Declined(404, _("We find no matter with this code. Check the 16 digits on your receipt."))
    guesses.right(source, at)
    return found


def _followed(case: Case) -> dict[str, Any]:
    at = now()
    owed = Obligation.system("follow-code").filter(matter=case.pk).select_related("term").prefetch_related("events")
    papers = case.waiting_request()
    events, files = list(case.events.filter(shown=True)), list(case.attachments.filter(shown=True))
    sealing.open_words(case, events, files, [papers] if papers else [])
    return {
        "reference": case.reference,
        "procedure": case.procedure.code,
        "title": case.title,
        "state": case.state,
        "state_name": case.get_state(),
        "received_at": case.received_at,
        "holder": _holder(case),
        "officer": case.officer.title if case.officer else "",
        "answer": case.answer,
        "papers_wanted": papers.items if papers else [],
        "promises": [
            {
                "name": explain.name(o),
                "state": worklist.state_of(o, at).kind,
                "due_at": None if o.suspended_at else o.due_at,
                "law": explain.basis(o),
                "sum": explain.lines(o),
            }
            for o in owed.order_by("due_at", "pk")
        ],
        "timeline": [_line(event, for_citizen=True) for event in events],
        "files": [_file(file) for file in files],
    }


# The officers' lists


@router.get("/cases", response=Cases)
@needs("case.read")
@may_refuse(400, 404)
def cases_in_reach(request: HttpRequest, words: Query[CasesAsked]) -> Any:
    """Matters in one's reach, newest first, as in the list of the desk."""
    actor = request.actor  # type: ignore[attr-defined]
    rows = _VIEWS[words.view](actor)
    if words.unit:
        unit = Unit.objects.filter(slug=words.unit).first()
        if unit is None:
            raise Declined(404, _("We know no unit with this address. Search for it by its name."))
        rows = rows.filter(holder=unit)
    if words.state:
        rows = getattr(rows, words.state)()
    if words.procedure:
        rows = rows.filter(procedure__code=words.procedure)
    rows = search.matching(rows, words.q)
    digest = f"cases|{actor.user_id}|{words.view}|{words.q}|{words.state}|{words.procedure}|{words.unit}"
    if words.after:
        try:
            at, last = cursors.read(words.after, digest)
        except cursors.WrongCursor:
            raise Declined(400, _("That page belongs to another list. Begin again without it.")) from None
        rows = rows.filter(received_at__lte=at).filter(Q(received_at__lt=at) | Q(pk__gt=last))
    ordered = rows.select_related("procedure", "holder", "officer").order_by("-received_at", "pk")
    found = list(ordered[: words.limit + 1])
    following = None
    if len(found) > words.limit:
        found = found[: words.limit]
        following = cursors.sign([found[-1].received_at.isoformat(), str(found[-1].pk)], digest)
    return {"rows": [_row(case) for case in found], "next": following}


_VIEWS: dict[str, Callable[[Any], Any]] = {
    "all": lambda actor: Case.for_(actor, "case.read"),
    "unfinished": lambda actor: Case.for_(actor, "case.read").unfinished(),
    "mine": lambda actor: Case.for_(actor, "case.read").unfinished().filter(officer=actor.user_id),
    "arriving": lambda actor: Case.system("arriving").filter(pk__in=Transfer.arriving(actor).values("case")),
}


@router.get("/cases/{uuid:case}", response=CaseDetail)
@needs("case.read")
@may_refuse(404)
def case_in_reach(request: HttpRequest, case: UUID) -> Any:
    """One matter as its page shows it, without who brought it. The reading is written down."""
    actor = request.actor  # type: ignore[attr-defined]
    related = ("procedure", "holder", "officer")
    found = Case.for_(actor, "case.read").select_related(*related).filter(pk=case).first()
    if found is None:
        arriving = Transfer.arriving(actor).filter(case=case)
        found = Case.system("arriving").select_related(*related).filter(pk__in=arriving.values("case")).first()
    if found is None:
        raise Declined(404, absent())
    actions.record_reading(case=found, by=actor)
    ours = permissions.may(found, actor, "case.read")
    events = found.events.all() if ours else found.events.filter(shown=True)
    return {
        **_row(found),
        **{name: getattr(found, name) for name in ("text", "place", "channel", "anonymous", "round", "complex")},
        "outcome": found.outcome,
        "answer": found.answer,
        "obligations": [_owed(found, promise, clock) for promise, clock in worklist.for_matter(actor, case, now())],
        "timeline": [_line(event) for event in events],
        "files": [_file(file) for file in found.attachments.all()],
    }


# Shared


def _procedure(found: Procedure) -> dict[str, Any]:
    return {
        "code": found.code,
        "name": found.name,
        "group": found.group,
        "summary": _own(found, "summary"),
        "online": found.online,
        "identity": found.identity,
        "about_service": found.about_service,
        "call_instead": found.call_instead,
    }


def _holder(case: Case) -> dict[str, str]:
    return {"slug": case.holder.slug, "name": case.holder.title}


def _row(case: Case) -> dict[str, Any]:
    return {
        "id": case.pk,
        "reference": case.reference,
        "title": case.title,
        "procedure": case.procedure.code,
        "state": case.state,
        "holder": _holder(case),
        "officer": case.officer.title if case.officer else "",
        "received_at": case.received_at,
    }


def _owed(case: Case, promise: Obligation, clock: Any) -> dict[str, Any]:
    return {
        "id": promise.pk,
        "matter": case.pk,
        "reference": case.reference,
        "title": case.title,
        "owed": explain.name(promise),
        "unit": promise.owed_by.slug,
        "assignee": promise.assignee.title if promise.assignee else "",
        "started_at": promise.started_at,
        "due_at": None if promise.suspended_at else promise.due_at,
        "state": clock.kind,
        "waiting_for": explain.ground(promise.suspended_for),
    }


def _line(event: CaseEvent, *, for_citizen: bool = False) -> dict[str, Any]:
    """Return a line of the timeline; to the citizen the officer is named only who took or answered it."""
    parts = [*(f"– {item}" for item in event.facts.get("items", [])), event.facts.get("to", ""), event.text]
    named = not for_citizen or event.kind in (CaseEvent.Kind.TAKEN, CaseEvent.Kind.ANSWERED)
    return {
        "at": event.at,
        "title": event.get_kind_display(),
        "text": "\n".join(str(part) for part in parts if part),
        "by": event.actor_name if named else "",
    }


def _file(file: Any) -> dict[str, Any]:
    return {"id": file.pk, "name": file.name, "media_type": file.media_type, "size": file.size}


def _own(row: Any, what: str) -> Any:
    return getattr(row, f"{what}_{'en' if get_language() == 'en' else 'vi'}")
