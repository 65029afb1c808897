import csv
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from gandan.access import Reach, now, today
from gandan.access.decorators import needs, public
from gandan.cases import catalogue, results, search
from gandan.obligations import worklist
from gandan.portal import periods
from gandan.ui.tables import cell
from gandan.units.models import Unit, UnitReach, dated, find
from gandan.units.register import alphabetical
from gandan.units.views import office_of

SERVICES = ("FB-01", "RE-02", "ID-01", "DE-01")


@public("the first page")
def home(request: HttpRequest) -> HttpResponse:
    """What do you need today? The commonest things, the province's results, and where to find the rest."""
    found = {p.code: p for p in catalogue.current()}
    period = periods.quarter_of(today() - timedelta(days=30))
    province = Unit.objects.filter(dated(today()), level=Unit.Level.PROVINCE).order_by("slug").first()
    summary = _province_summary(province, period) if province else None
    return render(
        request,
        "portal/home.html",
        {
            "procedures": [found[code] for code in SERVICES if code in found],
            "summary": summary,
            "period": period,
            "province": province,
        },
    )


@public("procedures and units are published")
def site_search(request: HttpRequest) -> HttpResponse:
    """Procedures and units that hold the words, with or without diacritics."""
    text = request.GET.get("q", "").strip()[:120]
    words = search.fold(text).split()
    procedures = [
        p
        for p in catalogue.current()
        if words and all(w in search.fold(f"{p.name_vi} {p.name_en} {p.summary_vi} {p.summary_en}") for w in words)
    ]
    units = [u for u in find(text) if u.is_alive(today())][:12] if text else []
    return render(request, "portal/search.html", {"text": text, "procedures": procedures, "units": units})


@public("results are published")
def unit_results(request: HttpRequest, slug: str) -> HttpResponse:
    """What became of what people brought to a unit, with definitions, as a page, CSV or JSON."""
    unit = get_object_or_404(Unit.objects, slug=slug)
    chosen = _period(request)
    found = results.of_unit(unit, chosen.start, chosen.end) if chosen.has_begun(today()) else None
    form = request.GET.get("format", "")
    if form:
        return _download([found] if found else None, f"{slug}-{chosen.code}", form)
    return render(
        request,
        "portal/results.html",
        {
            "unit": unit,
            "results": found,
            "period": chosen,
            "office": office_of(unit),
            "periods": [
                {"title": p.title, "url": f"?period={p.code}", "current": p.code == chosen.code, "count": None}
                for p in periods.recent(today())
            ],
            "definitions": definitions(),
        },
        status=200 if found else 404,
    )


@public("results are published")
def open_data(request: HttpRequest) -> HttpResponse:
    """Every unit's results of one period side by side, in alphabetical order: no ranking."""
    chosen = _period(request)
    communes = Unit.objects.filter(dated(today()), level=Unit.Level.COMMUNE)
    units = sorted(communes, key=lambda unit: alphabetical(unit.title))[:400]
    begun = chosen.has_begun(today())
    rows = results.of_units(units, chosen.start, chosen.end) if begun else None
    form = request.GET.get("format", "")
    if form:
        return _download(rows, f"results-{chosen.code}", form)
    return render(
        request,
        "portal/open_data.html",
        {
            "rows": rows,
            "period": chosen,
            "definitions": definitions(),
            "periods": [
                {"title": p.title, "url": f"?period={p.code}", "current": p.code == chosen.code, "count": None}
                for p in periods.recent(today())
            ],
        },
        status=200 if begun else 404,
    )


def definitions() -> list[dict[str, str]]:
    """Return what each figure counts, in the reader's language."""
    return [
        {
            "name": _("Received"),
            "text": _("Matters received in the period, by the day of receipt, at the unit that received them."),
        },
        {
            "name": _("Settled"),
            "text": _(
                "Matters answered in the period, at the unit that has them now. "
                "One that was opened again counts when it is answered anew."
            ),
        },
        {
            "name": _("In time"),
            "text": _(
                "Promises that ended before their date, out of all promises that ended in the period. "
                "A matter may carry several promises. What was passed on ends when the receiver acknowledges it; "
                "what was withdrawn is not counted."
            ),
        },
        {
            "name": _("Median days"),
            "text": _("Half of the matters settled in the period took no longer than this, from receipt to answer."),
        },
        {
            "name": _("Not answered, and late"),
            "text": _(
                "Matters not answered today, and among them those of which a promise is past its date. "
                "A paused clock is not late."
            ),
        },
        {
            "name": _("Ratings after service"),
            "text": _(
                "Scores from 1 to 5 by those who chose to rate after an answer: all users after service, not a sample. "
                "A mean is shown from five scores on."
            ),
        },
        {"name": _("What is left out"), "text": _("Matters about units and officers; oversight publishes them apart.")},
    ]


@public("how data are used must be known to everybody")
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/privacy.html")


@public("what the interface offers is published")
def programs(request: HttpRequest) -> HttpResponse:
    """The operations that other programs may use, as plain text: address, what it takes, who may use it."""
    described = import_string(settings.GANDAN_INTERFACE)()
    groups: dict[str, list[dict[str, Any]]] = {}
    for address, methods in described["paths"].items():
        for method, entry in methods.items():
            body = next(iter(entry.get("requestBody", {}).get("content", {})), "")
            rule, _colon, words = entry["x-access"].partition(": ")
            groups.setdefault(entry["tags"][0], []).append(
                {
                    "id": entry["operationId"],
                    "method": method.upper(),
                    "address": address,
                    "description": entry.get("description", ""),
                    "takes": [p["name"] for p in entry.get("parameters", []) if p["in"] == "query"],
                    "body": body,
                    "needs": words if rule == "needs" else "",
                    "answers": sorted(entry["responses"]),
                }
            )
    return render(request, "portal/programs.html", {"groups": groups})


@public("how far these pages can be used by everybody")
def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/accessibility.html")


# Command


@needs("command.read")
def command(request: HttpRequest) -> HttpResponse:
    """Which units are late, with the oldest matter and its owner; load by unit; one line a unit."""
    actor = request.actor  # type: ignore[attr-defined]
    at = now()
    loads = worklist.by_unit(actor, at)
    beneath = _communes_beneath(actor.reach("command.read"))
    known = {load.unit_id for load in loads}
    return render(
        request,
        "portal/command.html",
        {
            "loads": loads,
            "late": [load for load in loads if load.overdue],
            "quiet": [unit for unit in beneath if unit.pk not in known],
            "totals": {
                name: sum(getattr(load, name) for load in loads) for name in ("open", "overdue", "today", "waiting")
            },
        },
    )


@needs("command.read")
def command_unit(request: HttpRequest, slug: str) -> HttpResponse:
    """One unit's open promises, nearest date first."""
    actor = request.actor  # type: ignore[attr-defined]
    unit = get_object_or_404(Unit.objects, slug=slug)
    try:
        page = worklist.page(actor, now(), unit=unit.pk, cursor=request.GET.get("after", ""))
    except worklist.WrongCursor:
        raise Http404 from None
    if not page.rows and unit not in _communes_beneath(actor.reach("command.read")):
        raise Http404
    next_url = f"{reverse('command_unit', args=[slug])}?after={page.next_cursor}" if page.next_cursor else ""
    found = results.of_unit(unit, *_this_year())
    return render(
        request, "portal/command_unit.html", {"unit": unit, "page": page, "next_url": next_url, "results": found}
    )


# Shared


def _province_summary(province: Unit, period: periods.Period) -> dict[str, Any]:
    beneath = UnitReach.objects.filter(dated(today()), ancestor=province).values_list("descendant", flat=True)
    units = list(Unit.objects.filter(pk__in=list(beneath), level=Unit.Level.COMMUNE))
    rows = results.of_units(units, period.start, period.end, medians=False)
    in_time, promises = sum(r.in_time for r in rows), sum(r.promises for r in rows)
    ratings, total = sum(r.ratings for r in rows), sum(r.rating_sum for r in rows)
    return {
        "units": len(units),
        "received": sum(r.received for r in rows),
        "settled": sum(r.settled for r in rows),
        "in_time": in_time,
        "promises": promises,
        "share": in_time / promises if promises else None,
        "late": sum(r.late for r in rows),
        "open": sum(r.open for r in rows),
        "ratings": ratings,
        "mean": total / ratings if ratings >= results.RATINGS_SHOWN_FROM else None,
    }


def _communes_beneath(reach: Reach) -> list[Unit]:
    rows = Unit.objects.filter(dated(today()), level=Unit.Level.COMMUNE)
    if not reach.everything:
        beneath = UnitReach.objects.filter(dated(today()), ancestor__in=reach.provinces | reach.units).values(
            "descendant"
        )
        rows = rows.filter(Q(pk__in=beneath))
    return sorted(rows, key=lambda unit: alphabetical(unit.title))


def _this_year() -> tuple[Any, Any]:
    period = periods.year_of(today().year)
    return period.start, period.end


def _period(request: HttpRequest) -> periods.Period:
    """Return the period asked for, the present quarter when none is named."""
    code = request.GET.get("period", "")
    found = periods.read(code) if code else periods.quarter_of(today())
    if found is None:
        raise Http404
    return found


def _download(rows: list[results.Results] | None, name: str, form: str) -> HttpResponse:
    """Return results as a file; there is none of a period that has not begun."""
    if rows is None:
        raise Http404
    table = results.table(rows)
    if form == "json":
        return JsonResponse(
            {"rows": table, "definitions": definitions(), "licence": "CC-BY-4.0"},
            json_dumps_params={"ensure_ascii": False},
        )
    if form != "csv":
        raise Http404
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.write("\ufeff")
    writer = csv.DictWriter(response, fieldnames=list(table[0]) if table else ["unit"])
    writer.writeheader()
    writer.writerows([{key: "" if value is None else cell(value) for key, value in row.items()} for row in table])
    return response
