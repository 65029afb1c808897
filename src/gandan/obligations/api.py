"""The working calendar, the terms of the law, and what is owed, for other programs."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema

from gandan.access import now, today
from gandan.access.decorators import needs, public
from gandan.access.interface import Day, Declined, Words, absent, may_refuse, text
from gandan.obligations import explain, terms, worklist
from gandan.obligations.models import CalendarDay, CalendarYear, Obligation, Term
from gandan.units.models import Unit

router = Router(tags=["obligations"])

Bucket = Literal["all", "overdue", "today", "week", "later", "waiting"]


class Year(Schema):
    year: int
    status: Literal["decided", "provisional"]
    """A provisional year is expected and not yet decreed; dates counted by it may move."""
    decree: str


class Years(Schema):
    years: list[Year]


class DifferentDay(Schema):
    day: date
    kind: Literal["holiday", "swapped_rest", "swapped_work"]
    name: str
    decree: str


class YearDays(Year):
    days: list[DifferentDay]
    """Days that differ from their weekday. Saturdays and Sundays are free unless they stand here."""


class TermRow(Schema):
    code: str
    procedure: str
    name: str
    amount: float
    unit: str
    remote_amount: float | None
    complex_amount: float | None
    remote_complex_amount: float | None
    starts_on: str
    ends_on: str
    owed_by: str
    law: str
    promise: bool
    """True for a promise of the province, not a term of law."""
    valid_from: date


class Terms(Schema):
    on: date
    terms: list[TermRow]


class Owed(Schema):
    """One promise: what is owed, by whom, until when."""

    id: UUID
    matter: UUID | None
    reference: str
    title: str
    owed: str
    unit: str
    assignee: str
    started_at: datetime
    due_at: datetime | None
    """Null while the clock stands still."""
    state: str
    waiting_for: str


class Worklist(Schema):
    rows: list[Owed]
    counts: dict[str, int]
    """Counted up to a thousand and one."""
    next: str | None


class Happened(Schema):
    at: datetime
    title: str
    text: str
    by: str


class OwedInFull(Owed):
    law: str
    sum: list[str]
    events: list[Happened]


class WorklistAsked(Words):
    view: Bucket = "all"
    mine: bool = False
    unit: text(80) = ""  # type: ignore[valid-type]
    after: text(400) = ""  # type: ignore[valid-type]


class TermsAsked(Words):
    on: Day | None = None
    procedure: text(20) = ""  # type: ignore[valid-type]


@router.get("/calendar", response=Years)
@public("the working calendar binds everybody")
def calendar_years(request: HttpRequest) -> Any:
    """The years of the working calendar."""
    return {"years": [_year(year) for year in CalendarYear.objects.order_by("year")]}


@router.get("/calendar/{int:year}", response=YearDays)
@public("the working calendar binds everybody")
@may_refuse(404)
def calendar_days(request: HttpRequest, year: int) -> Any:
    """The days of one year that differ from their weekday, with their decree."""
    found = CalendarYear.objects.filter(year=year).first() if year < 10_000 else None
    if found is None:
        raise Declined(404, _("The calendar of this year is not declared yet."))
    days = CalendarDay.objects.filter(year=found, until=None).order_by("day")
    shown = [{"day": d.day, "kind": d.kind, "name": _own(d, "name"), "decree": d.decree} for d in days]
    return {**_year(found), "days": shown}


@router.get("/terms", response=Terms)
@public("what the law and the province promise is public")
def term_table(request: HttpRequest, words: Query[TermsAsked]) -> Any:
    """The terms in force on a day: how long, from which event until which, owed by whom, by which law."""
    on = words.on or today()
    rows = terms.in_force(words.procedure, on) if words.procedure else terms.all_in_force(on)
    return {"on": on, "terms": [term_row(term) for term in rows]}


@router.get("/worklist", response=Worklist)
@needs("obligation.read")
@may_refuse(400, 404)
def owed_list(request: HttpRequest, words: Query[WorklistAsked]) -> Any:
    """What is owed in one's reach, in the order of the worklist."""
    actor = request.actor  # type: ignore[attr-defined]
    unit = Unit.objects.filter(slug=words.unit).first() if words.unit else None
    if words.unit and unit is None:
        raise Declined(404, _("We know no unit with this address. Search for it by its name."))
    at = now()
    try:
        page = worklist.page(
            actor, at, bucket=words.view, mine=words.mine, unit=unit.pk if unit else None, cursor=words.after
        )
    except worklist.WrongCursor:
        raise Declined(400, _("That page belongs to another list. Here is the beginning of this one.")) from None
    rows = [_row(row) for row in page.rows]
    return {"rows": rows, "counts": page.counts, "next": page.next_cursor or None}


@router.get("/obligations/{uuid:obligation}", response=OwedInFull)
@needs("obligation.read")
@may_refuse(404)
def owed_in_full(request: HttpRequest, obligation: UUID) -> Any:
    """One promise as a sum: from what, which days were skipped and why, by which article."""
    actor = request.actor  # type: ignore[attr-defined]
    rows = Obligation.for_(actor, "obligation.read").select_related("term", "owed_by", "assignee")
    found = rows.prefetch_related("events").filter(pk=obligation).first()
    if found is None:
        raise Declined(404, absent())
    row = worklist.dress(actor, [found], now())[0]
    return {
        **_row(row),
        "law": explain.basis(found),
        "sum": explain.lines(found),
        "events": [
            {"at": e["at"], "title": str(e["title"]), "text": str(e["text"]), "by": str(e["by"])}
            for e in explain.events(found)
        ],
    }


def _row(row: worklist.Row) -> dict[str, Any]:
    owed: Any = row.obligation
    return {
        "id": owed.pk,
        # A matter that the reader may not open shows its clock only.
        "matter": owed.matter if row.summary.reference else None,
        "reference": row.summary.reference,
        "title": row.summary.title,
        "owed": explain.name(owed),
        "unit": owed.owed_by.slug,
        "assignee": owed.assignee.title if owed.assignee else "",
        "started_at": owed.started_at,
        "due_at": None if owed.suspended_at else owed.due_at,
        "state": row.clock.kind,
        "waiting_for": row.waiting_for,
    }


def term_row(term: Term) -> dict[str, Any]:
    """Return a term as it is published: with its citation, without the notes of administrators."""
    amounts = ("remote_amount", "complex_amount", "remote_complex_amount")
    return {
        "code": term.code,
        "procedure": term.procedure,
        "name": _own(term, "name"),
        "amount": float(term.amount),
        "unit": term.unit,
        **{name: None if getattr(term, name) is None else float(getattr(term, name)) for name in amounts},
        "starts_on": term.starts_on,
        "ends_on": term.ends_on,
        "owed_by": term.body,
        "law": _own(term, "basis"),
        "promise": term.evidence == "policy",
        "valid_from": term.valid_from,
    }


def _year(year: CalendarYear) -> dict[str, Any]:
    return {"year": year.year, "status": year.status, "decree": year.decree}


def _own(row: Any, what: str) -> str:
    return str(getattr(row, f"{what}_{'en' if get_language() == 'en' else 'vi'}"))
