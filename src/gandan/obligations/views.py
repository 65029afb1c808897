from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import Refused, now, today
from gandan.access.decorators import needs, signed_in
from gandan.law.explanations import amount_words
from gandan.obligations import actions, doubts, drawing, explain, first_steps, inbox, terms, worklist
from gandan.obligations.forms import (
    BODY_NAMES,
    EVIDENCE_NAMES,
    DayForm,
    DecreeForm,
    TermForm,
    TermsFileForm,
    UnitForm,
)
from gandan.obligations.models import CalendarDay, CalendarYear, Notice, Obligation, Term
from gandan.ui import cursors
from gandan.ui.fragments import render_page
from gandan.units.models import Unit

# What is owed


@signed_in("everybody's first page; it shows what one's grants open")
def desk(request: HttpRequest) -> HttpResponse:
    """What is owed: due today, this week, overdue, waiting for others."""
    actor = request.actor  # type: ignore[attr-defined]
    if not actor.can("obligation.read"):
        return render(request, "obligations/welcome.html", {"first_steps": first_steps.of(actor)})
    bucket = request.GET.get("view", "all")
    if bucket not in worklist.BUCKETS:
        raise Http404
    mine = request.GET.get("mine") == "1"
    unit = _chosen_unit(request)
    whose = unit.pk if unit else None
    at, status = now(), 200
    try:
        cursor = request.GET.get("after", "")
        page = worklist.page(actor, at, bucket=bucket, mine=mine, unit=whose, cursor=cursor)
    except worklist.WrongCursor:
        messages.warning(request, _("That page belongs to another list. Here is the beginning of this one."))
        page, status = worklist.page(actor, at, bucket=bucket, mine=mine, unit=whose), 400

    def address(view: str = bucket, mine: bool = mine, after: str = "") -> str:
        values = {"view": view, "mine": mine and "1", "unit": unit.slug if unit else "", "after": after}
        return _address("desk", {name: value for name, value in values.items() if value and value != "all"})

    context = {
        "page": page,
        "table": drawing.table(page.rows) if page.rows else "",
        "mine": mine,
        "pills": [
            {
                "title": title,
                "count": page.counts[name],
                "url": address(name),
                "current": name == bucket,
                "late": name == "overdue",
            }
            for name, title in worklist.BUCKETS.items()
        ],
        "other_scope": address(mine=not mine),
        "next_url": address(after=page.next_cursor) if page.next_cursor else "",
        "lede": _lede(page.counts),
        # An inspector's desk is empty in a new installation: what is lacking is told there as well.
        "first_steps": first_steps.of(actor) if not page.rows and bucket == "all" else [],
        "may_receive": actor.can("case.receive"),
        "filter_form": _unit_filter(actor, unit),
        "kept": [(name, value) for name, value in (("view", bucket), ("mine", "1" if mine else "")) if value],
        "active": unit.title if unit else "",
    }
    return render_page(request, "obligations/desk.html", "obligations/desk_list.html", context, status)


@needs("obligation.read")
def obligation(request: HttpRequest, obligation: UUID) -> HttpResponse:
    """One promise as a sum: from what, which days were skipped and why, by which article."""
    actor = request.actor  # type: ignore[attr-defined]
    rows = Obligation.for_(actor, "obligation.read").select_related("term", "owed_by", "assignee")
    found = get_object_or_404(rows.prefetch_related("events"), pk=obligation)
    return render(
        request,
        "obligations/obligation.html",
        {
            "row": worklist.dress(actor, [found], now())[0],
            "name": explain.name(found),
            "basis": explain.basis(found),
            "evidence": EVIDENCE_NAMES.get(found.term.evidence, ""),
            "lines": explain.lines(found),
            # A paused clock has no date: it moves with the pause.
            "due_at": None if found.suspended_at else found.due_at,
            "events": explain.events(found),
        },
    )


@needs("obligation.read")
def notices(request: HttpRequest) -> HttpResponse:
    """Reminders, late promises and changed dates, as sent to the units in which one serves."""
    actor = request.actor  # type: ignore[attr-defined]
    every = request.GET.get("view") == "all"
    status = 200
    try:
        page = inbox.page(actor, now(), unseen=not every, cursor=request.GET.get("after", ""))
    except cursors.WrongCursor:
        messages.warning(request, _("That page belongs to another list. Here is the beginning of this one."))
        page, status = inbox.page(actor, now(), unseen=not every), 400
    view = {"view": "all"} if every else {}
    return render(
        request,
        "obligations/notices.html",
        {
            "page": page,
            "pills": [
                {"title": _("Not seen yet"), "count": page.unseen, "url": reverse("notices"), "current": not every},
                {"title": _("All"), "count": None, "url": _address("notices", {"view": "all"}), "current": every},
            ],
            "next_url": _address("notices", {**view, "after": page.next_cursor}) if page.next_cursor else "",
        },
        status=status,
    )


@require_POST
@needs("obligation.read")
def notice_seen(request: HttpRequest, notice: UUID) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    found = get_object_or_404(Notice.for_(actor, "obligation.read"), pk=notice)
    actions.see_notice(notice=found, by=actor)
    return redirect("notices")


# The calendar


@needs("calendar.read")
def calendar(request: HttpRequest) -> HttpResponse:
    """The working calendar: its years, the days that differ, by which decree, and what was changed."""
    years = list(CalendarYear.objects.order_by("year"))
    chosen = _chosen_year(request, years)
    rows = CalendarDay.objects.filter(year=chosen).select_related("year").order_by("day", "since")
    days = list(rows) if chosen else []
    return render(
        request,
        "obligations/calendar.html",
        {
            "years": [
                {"title": str(y.year), "url": f"?year={y.year}", "current": y == chosen, "count": None} for y in years
            ],
            "year": chosen,
            "to_be_confirmed": chosen is not None and doubts.is_to_be_confirmed(chosen),
            "days": [(day, doubts.about(day)) for day in days if day.until is None],
            "former": [day for day in days if day.until is not None],
            "decree_form": DecreeForm(),
            "can_edit": request.actor.can("calendar.edit"),  # type: ignore[attr-defined]
        },
    )


@needs("calendar.edit")
def calendar_day(request: HttpRequest) -> HttpResponse:
    """Enter a day; what would move is shown first, and confirmed as it was shown."""
    actor = request.actor  # type: ignore[attr-defined]
    form = DayForm(request.POST or None, initial={"kind": CalendarDay.Kind.HOLIDAY})
    moves = None
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("shown") == form.said():
                moved = actions.declare_day(by=actor, **form.cleaned_data)
                messages.success(request, _moved(len(moved)))
                return redirect(f"{reverse('calendar')}?year={form.cleaned_data['day'].year}")
            moves = actions.preview_day(**form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return render(
        request,
        "obligations/calendar_day.html",
        {
            "form": form,
            "moves": moves,
            "said": form.said() if moves is not None else "",
            "moved_sentence": _moved(len(moves)) if moves is not None else "",
        },
        status=422 if form.errors else 200,
    )


@needs("calendar.edit")
def calendar_day_remove(request: HttpRequest, day: str) -> HttpResponse:
    """Take a day out; what would move is shown first."""
    actor = request.actor  # type: ignore[attr-defined]
    try:
        when = date.fromisoformat(day)
    except ValueError:
        raise Http404 from None
    kept = get_object_or_404(CalendarDay.objects, day=when, until=None)
    form = DecreeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        moved = actions.remove_day(day=when, decree=form.cleaned_data["decree"], by=actor)
        messages.success(request, _moved(len(moved)))
        return redirect(f"{reverse('calendar')}?year={when.year}")
    moves = actions.preview_removal(day=when)
    return render(
        request,
        "obligations/calendar_day_remove.html",
        {"form": form, "day": kept, "moves": moves, "moved_sentence": _moved(len(moves))},
        status=422 if form.errors else 200,
    )


@require_POST
@needs("calendar.edit")
def calendar_year_decide(request: HttpRequest, year: int) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    get_object_or_404(CalendarYear.objects, year=year)
    form = DecreeForm(request.POST)
    decree = form.cleaned_data["decree"] if form.is_valid() else ""
    actions.decide_year(year=year, decree=decree, by=actor)
    messages.success(request, _("The calendar of %(year)d is decided now.") % {"year": year})
    return redirect(f"{reverse('calendar')}?year={year}")


# The terms


@needs("calendar.read")
def term_list(request: HttpRequest) -> HttpResponse:
    """Every term in force with its law and how well that is verified."""
    return render(
        request,
        "obligations/terms.html",
        {
            "rows": [_shown(term) for term in terms.all_in_force(today())],
            "coming": [_shown(term) for term in Term.objects.filter(valid_from__gt=today()).order_by("code")],
            "can_edit": request.actor.can("calendar.edit"),  # type: ignore[attr-defined]
        },
    )


@needs("calendar.edit")
def term_edit(request: HttpRequest, code: str) -> HttpResponse:
    """Give a term a new version from a day on."""
    actor = request.actor  # type: ignore[attr-defined]
    versions = list(Term.objects.filter(code=code).order_by("-version"))
    if not versions:
        raise Http404
    latest = versions[0]
    form = TermForm(request.POST or None, instance=Term.objects.get(pk=latest.pk), initial={"valid_from": today()})
    if request.method == "POST" and form.is_valid():
        try:
            actions.amend_term(
                term=latest,
                columns={name: form.cleaned_data[name] for name in form.Meta.fields},
                valid_from=form.cleaned_data["valid_from"],
                by=actor,
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The new version of %(code)s is recorded.") % {"code": code})
            return redirect("terms")
    return render(
        request,
        "obligations/term.html",
        {"form": form, "term": latest, "name": _own(latest, "name"), "versions": [_shown(each) for each in versions]},
        status=422 if form.errors else 200,
    )


@needs("calendar.edit")
def terms_import(request: HttpRequest) -> HttpResponse:
    """Take over terms from a file; what it changes is shown first, and confirmed as it was shown."""
    actor = request.actor  # type: ignore[attr-defined]
    form = TermsFileForm(request.POST or None, request.FILES or None)
    changes = None
    if request.method == "POST" and form.is_valid():
        given = {"data": form.cleaned_data["data"], "valid_from": form.cleaned_data["valid_from"], "by": actor}
        confirmed = "confirm" in request.POST and not request.FILES
        try:
            changes = actions.import_terms(**given, dry_run=not confirmed)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if confirmed:
                messages.success(request, _taken_over(len(changes)))
                return redirect("terms")
    return render(
        request,
        "obligations/terms_import.html",
        {
            "form": form,
            "text": form.cleaned_data.get("text", "") if changes is not None else "",
            "changes": None
            if changes is None
            else [
                {"before": _shown(each.before) if each.before else None, "after": _shown(each.after)}
                for each in changes
            ],
        },
        status=422 if form.errors else 200,
    )


@needs("calendar.read")
def terms_file(request: HttpRequest) -> FileResponse:
    """The file of terms that comes with the package, as an example to change."""
    path = actions.REFERENCE / "terms.yaml"
    return FileResponse(path.open("rb"), as_attachment=True, filename="terms.yaml", content_type="text/plain")


# What pages say


def _chosen_unit(request: HttpRequest) -> Unit | None:
    slug = request.GET.get("unit", "")
    return get_object_or_404(Unit.objects, slug=slug) if slug else None


def _unit_filter(actor: Any, unit: Unit | None) -> UnitForm | None:
    """Return the filter for those who see a whole province; a nation is looked into through its provinces."""
    reach = actor.reach("obligation.read")
    if not reach.provinces or reach.everything:
        return None
    return UnitForm(units=worklist.units(actor), initial={"unit": unit.slug if unit else ""})


def _address(name: str, values: dict[str, Any]) -> str:
    return reverse(name) + (f"?{urlencode(values)}" if values else "")


def _lede(counts: dict[str, int]) -> str:
    return _("%(open)s open · %(overdue)s overdue · %(today)s due today") % {
        name if name != "all" else "open": _many(counts[name]) for name in ("all", "overdue", "today")
    }


def _many(count: int) -> str:
    return f"{worklist.MANY}+" if count > worklist.MANY else str(count)


def _moved(count: int) -> str:
    if not count:
        return _("No open promise moves.")
    return ngettext("%(n)d open promise gets a new date.", "%(n)d open promises get a new date.", count) % {"n": count}


def _taken_over(count: int) -> str:
    if not count:
        return _("The file changes nothing.")
    return ngettext("%(n)d term is taken over.", "%(n)d terms are taken over.", count) % {"n": count}


def _own(term: Term, what: str) -> str:
    """Return the name or basis of a term in the reader's language."""
    return str(getattr(term, f"{what}_{'en' if get_language() == 'en' else 'vi'}"))


def _shown(term: Term) -> dict[str, Any]:
    def words(amount: Any) -> str:
        return amount_words(amount, term.unit, get_language() or "vi") if amount is not None else ""

    return {
        "term": term,
        "name": _own(term, "name"),
        "basis": _own(term, "basis"),
        "amount": words(term.amount),
        "remote": words(term.remote_amount),
        "complex": words(term.complex_amount),
        "remote_complex": words(term.remote_complex_amount),
        "evidence": EVIDENCE_NAMES.get(term.evidence, ""),
        "body": BODY_NAMES.get(term.body, term.body),
        "ours": term.body == terms.OURS,
        "last_day": term.valid_to - timedelta(days=1) if term.valid_to else None,
    }


def _chosen_year(request: HttpRequest, years: list[CalendarYear]) -> CalendarYear | None:
    wanted = request.GET.get("year", str(today().year))
    return next((year for year in years if str(year.year) == wanted), years[-1] if years else None)
