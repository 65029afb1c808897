from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from gandan.access import Refused, now, today
from gandan.access.decorators import needs, signed_in
from gandan.obligations import actions, explain, terms, worklist
from gandan.obligations.forms import EVIDENCE_NAMES, UNIT_NAMES, DayForm, DecreeForm, TermForm
from gandan.obligations.models import CalendarDay, CalendarYear, Notice, Obligation, Term
from gandan.ui.fragments import render_page


@signed_in("everybody's first page; it shows what one's grants open")
def desk(request: HttpRequest) -> HttpResponse:
    """What is owed: due today, this week, overdue, waiting for others."""
    actor = request.actor  # type: ignore[attr-defined]
    if not actor.can("obligation.read"):
        return render(request, "obligations/welcome.html")
    bucket = request.GET.get("view", "all")
    if bucket not in worklist.BUCKETS:
        raise Http404
    mine = request.GET.get("mine") == "1"
    try:
        page = worklist.page(actor, now(), bucket=bucket, mine=mine, cursor=request.GET.get("after", ""))
    except worklist.WrongCursor:
        return redirect("desk")
    context = {
        "page": page,
        "bucket": bucket,
        "mine": mine,
        "pills": [
            {
                "title": title,
                "count": page.counts[name],
                "url": _address(name, mine),
                "current": name == bucket,
                "late": name == "overdue",
            }
            for name, title in worklist.BUCKETS.items()
        ],
        "other_scope": _address(bucket, not mine),
        "next_url": _address(bucket, mine, page.next_cursor) if page.next_cursor else "",
        "lede": _lede(page.counts),
    }
    return render_page(request, "obligations/desk.html", "obligations/desk_list.html", context)


@needs("obligation.read")
def obligation(request: HttpRequest, obligation: Any) -> HttpResponse:
    """One promise as a sum: from what, which days were skipped and why, by which article."""
    actor = request.actor  # type: ignore[attr-defined]
    rows = Obligation.for_(actor, "obligation.read").select_related("term", "owed_by", "assignee")
    found = get_object_or_404(rows, pk=obligation)
    row = worklist.dress(actor, [found], now())[0]
    return render(
        request,
        "obligations/obligation.html",
        {
            "row": row,
            "name": explain.name(found),
            "basis": explain.basis(found),
            "evidence": EVIDENCE_NAMES.get(found.term.evidence, ""),
            "lines": explain.lines(found),
            "events": [
                {"at": event.at, "title": event.get_kind_display(), "text": explain.ground(event.ground)}
                for event in found.events.all()
            ],
        },
    )


@needs("obligation.read")
def notices(request: HttpRequest) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    rows = (
        Notice.for_(actor, "obligation.read")
        .select_related("unit", "obligation", "obligation__term", "obligation__owed_by")
        .order_by("seen_at", "-at")[:100]
    )
    return render(request, "obligations/notices.html", {"rows": rows})


@require_POST
@needs("obligation.read")
def notice_seen(request: HttpRequest, notice: Any) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    found = get_object_or_404(Notice.for_(actor, "obligation.read"), pk=notice)
    actions.see_notice(notice=found, by=actor)
    return redirect("notices")


@needs("calendar.read")
def calendar(request: HttpRequest) -> HttpResponse:
    """The working calendar: its years, the days that differ, and by which decree."""
    years = list(CalendarYear.objects.order_by("year"))
    chosen = _chosen_year(request, years)
    days = CalendarDay.objects.filter(year=chosen).order_by("day") if chosen else []
    return render(
        request,
        "obligations/calendar.html",
        {
            "years": [
                {"title": str(y.year), "url": f"?year={y.year}", "current": y == chosen, "count": None} for y in years
            ],
            "year": chosen,
            "days": days,
            "decree_form": DecreeForm(),
            "can_edit": request.actor.can("calendar.edit"),  # type: ignore[attr-defined]
        },
    )


@needs("calendar.edit")
def calendar_day(request: HttpRequest) -> HttpResponse:
    """Enter a day; first show which promises would move."""
    actor = request.actor  # type: ignore[attr-defined]
    form = DayForm(request.POST or None, initial={"kind": CalendarDay.Kind.HOLIDAY})
    moved: list[Obligation] | None = None
    if request.method == "POST" and form.is_valid():
        try:
            if "confirm" in request.POST:
                moved = actions.declare_day(by=actor, **form.cleaned_data)
                messages.success(request, _moved(len(moved)))
                return redirect(f"{reverse('calendar')}?year={form.cleaned_data['day'].year}")
            with transaction.atomic():
                moved = actions.declare_day(by=actor, **form.cleaned_data)
                transaction.set_rollback(True)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        finally:
            terms.forget()
    return render(
        request,
        "obligations/calendar_day.html",
        {"form": form, "moved": moved, "moved_sentence": _moved(len(moved)) if moved is not None else ""},
        status=422 if form.errors else 200,
    )


@require_POST
@needs("calendar.edit")
def calendar_day_remove(request: HttpRequest, day: str) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    form = DecreeForm(request.POST)
    try:
        when = date.fromisoformat(day)
    except ValueError:
        raise Http404 from None
    if not form.is_valid():
        raise Refused(_("Write the number of the decree by which this day is taken out."))
    moved = actions.remove_day(day=when, decree=form.cleaned_data["decree"], by=actor)
    messages.success(request, _moved(len(moved)))
    return redirect(f"{reverse('calendar')}?year={when.year}")


@require_POST
@needs("calendar.edit")
def calendar_year_decide(request: HttpRequest, year: int) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    get_object_or_404(CalendarYear.objects, year=year)
    form = DecreeForm(request.POST)
    if not form.is_valid():
        raise Refused(_("Write the number of the decree that decides the year."))
    actions.decide_year(year=year, decree=form.cleaned_data["decree"], by=actor)
    messages.success(request, _("The calendar of %(year)d is decided now.") % {"year": year})
    return redirect(f"{reverse('calendar')}?year={year}")


@needs("calendar.read")
def term_list(request: HttpRequest) -> HttpResponse:
    """Every term with its law and how well that is verified."""
    rows = [
        {"term": term, "unit": UNIT_NAMES[term.unit], "evidence": EVIDENCE_NAMES.get(term.evidence, "")}
        for term in Term.objects.filter(valid_to=None).order_by("code")
    ]
    return render(
        request,
        "obligations/terms.html",
        {"rows": rows, "can_edit": request.actor.can("calendar.edit")},  # type: ignore[attr-defined]
    )


@needs("calendar.edit")
def term_edit(request: HttpRequest, code: str) -> HttpResponse:
    """Give a term a new version from a day on."""
    actor = request.actor  # type: ignore[attr-defined]
    latest = Term.objects.filter(code=code).order_by("-version").first()
    if latest is None:
        raise Http404
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
    versions = Term.objects.filter(code=code).order_by("-version")
    return render(
        request,
        "obligations/term.html",
        {"form": form, "term": latest, "versions": versions},
        status=422 if form.errors else 200,
    )


def _address(bucket: str, mine: bool, after: str = "") -> str:
    values = {"view": bucket, "mine": "1" if mine else "", "after": after}
    kept = {name: value for name, value in values.items() if value and (name, value) != ("view", "all")}
    return f"{reverse('desk')}{'?' + urlencode(kept) if kept else ''}"


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


def _chosen_year(request: HttpRequest, years: list[CalendarYear]) -> CalendarYear | None:
    wanted = request.GET.get("year", str(today().year))
    return next((year for year in years if str(year.year) == wanted), years[-1] if years else None)
