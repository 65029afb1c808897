"""The worklist as one would first write it: models, one query for each count, templates for every row."""

from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from gandan.access import now, today
from gandan.access.clock import VIETNAM, day_of
from gandan.cases.models import Case
from gandan.obligations import explain, worklist
from gandan.obligations.models import Obligation
from gandan.staffing.models import Concern, Grant
from gandan.ui import cursors
from gandan.units.models import UnitHeir, UnitReach
from gandan.units.register import alphabetical


def scope(user: Any) -> Any:
    """Return the open obligations in the user's area by the tables of who stands above whom, as joins."""
    grants = Grant.system("plain").in_force(today()).filter(user=user)
    seats = grants.values("unit")
    beneath = UnitReach.objects.filter(ancestor__in=seats).values("descendant")
    inherited = UnitHeir.objects.filter(heir__in=beneath).values("origin")
    rows = Obligation.system("plain").filter(Q(owed_by__in=beneath) | Q(owed_by__in=inherited), discharged_at=None)
    concern = Concern.system("plain").filter(matter=OuterRef("matter"))
    return rows.exclude(Exists(concern.exclude(kind="recused"))).exclude(Exists(concern.filter(user=user)))


def desk(request: HttpRequest) -> HttpResponse:
    """The first page of the list, nearest date first."""
    at = now()
    day = datetime.combine(day_of(at) + timedelta(days=1), time(0), VIETNAM)
    week = day + timedelta(days=6 - day_of(at).weekday())
    everything = scope(request.user)
    running = everything.filter(suspended_at=None)
    waiting = everything.exclude(suspended_at=None)
    buckets = {
        "all": everything,
        "overdue": running.filter(due_at__lte=at),
        "today": running.filter(due_at__gt=at, due_at__lte=day),
        "week": running.filter(due_at__gt=at, due_at__lte=week),
        "later": running.filter(due_at__gt=week),
        "waiting": waiting,
    }
    counts = {name: min(rows.count(), worklist.MANY + 1) for name, rows in buckets.items()}
    size = worklist.PAGE
    found = list(running.select_related("owed_by", "assignee", "term").order_by("due_at", "pk")[: size + 1])
    if len(found) <= size:
        more = waiting.select_related("owed_by", "assignee", "term").order_by("due_at", "pk")
        found += list(more[: size + 1 - len(found)])
    following = ""
    if len(found) > size:
        found = found[:size]
        part = 1 if found[-1].suspended_at else 0
        digest = f"{request.user.pk}|all|False|None"
        following = cursors.sign([str(part), found[-1].due_at.isoformat(), str(found[-1].pk)], digest)
    cases = {
        case.pk: case
        for case in Case.system("plain").filter(pk__in=[o.matter for o in found]).select_related("procedure")
    }
    rows = []
    for o in found:
        case = cases[o.matter]
        rows.append(
            {
                "obligation": o,
                "due_at": o.due_at,
                "clock": worklist.state_of(o, at),
                "url_name": "case",
                "waiting_for": explain.ground(o.suspended_for),
                "summary": {
                    "title": case.title,
                    "reference": case.reference,
                    "note": f"{case.procedure.name} · {case.get_channel_display()}",
                },
            }
        )
    actor = request.actor  # type: ignore[attr-defined]
    here = reverse("desk")

    def address(view: str) -> str:
        return here if view == "all" else f"{here}?view={view}"

    context = {
        "page": {"rows": rows},
        "pills": [
            {
                "title": title,
                "count": counts[name],
                "url": address(name),
                "current": name == "all",
                "late": name == "overdue",
            }
            for name, title in worklist.BUCKETS.items()
        ],
        "other_scope": f"{here}?mine=1",
        "next_url": f"{here}?after={following}" if following else "",
        "lede": _("%(open)s open · %(overdue)s overdue · %(today)s due today")
        % {
            "open": _many(counts["all"]),
            "overdue": _many(counts["overdue"]),
            "today": _many(counts["today"]),
        },
        "may_receive": actor.can("case.receive"),
        "filter_form": _unit_filter(request.user, actor),
        "kept": [("view", "all")],
        "active": "",
    }
    return render(request, "plain/desk.html", context)


def _unit_filter(user: Any, actor: Any) -> Any:
    from gandan.obligations.forms import UnitForm

    reach = actor.reach("obligation.read")
    if not reach.provinces or reach.everything:
        return None
    units = scope(user).order_by().values_list("owed_by__slug", "owed_by__title").distinct()
    return UnitForm(units=sorted(units, key=lambda unit: alphabetical(unit[1])), initial={"unit": ""})


def _many(count: int) -> str:
    return f"{worklist.MANY}+" if count > worklist.MANY else str(count)
