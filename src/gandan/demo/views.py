"""One click to sit in a chair. Only where the demo runs, which serves loopback alone."""

from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth import login, logout
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import today
from gandan.access.decorators import public
from gandan.accounts.models import User
from gandan.cases import follow
from gandan.cases.models import Case
from gandan.obligations.models import Obligation
from gandan.staffing.models import Grant

CHAIRS = ("officer", "chief", "commander", "oversight", "auditor", "registrar", "administrator")


def _demo_only(view: Any) -> Any:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        if not settings.GANDAN_DEMO:
            raise Http404
        answer: HttpResponse = view(request, *args, **options)
        return answer

    return guarded


@public("the demo's front hall; absent elsewhere")
@_demo_only
def demo(request: HttpRequest) -> HttpResponse:
    """Choose a chair, and follow a guided story."""
    chairs = [{"role": role, **_words()[role], "user": user} for role in CHAIRS if (user := _sitter(role)) is not None]
    followed = Case.system("demo").exclude(follow_hash="").exclude(anonymous=True).select_related("procedure", "holder")
    return render(
        request,
        "demo/demo.html",
        {
            "chairs": chairs,
            "codes": [
                {"case": case, "code": follow.code_for(case.submission)}
                for case in followed.unfinished().order_by("received_at")[:3]
            ],
        },
    )


@require_POST
@public("the demo's chairs have no password; absent elsewhere")
@_demo_only
def sit(request: HttpRequest) -> HttpResponse:
    """Sit down in the chosen chair."""
    role = request.POST.get("role", "")
    if role == "citizen":
        logout(request)
        return redirect("home")
    user = _sitter(role) if role in CHAIRS else None
    if user is None:
        raise Http404
    logout(request)
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return redirect(
        {"commander": "command", "auditor": "audit_desk", "registrar": "unit_acts", "administrator": "people"}.get(
            role, "desk"
        )
    )


def _sitter(role: str) -> User | None:
    """Return who sits in a chair: at the commune with the most open promises, or at the province."""
    grants = Grant.system("demo").in_force(today()).filter(role=role).select_related("user")
    if role in ("officer", "chief"):
        busiest = (
            Obligation.system("demo")
            .open()
            .filter(owed_by__level="commune")
            .values("owed_by")
            .annotate(n=Count("pk"))
            .order_by("-n", "owed_by")
            .first()
        )
        if busiest is not None:
            grants = grants.filter(unit=busiest["owed_by"])
    elif role == "oversight":
        grants = grants.filter(unit__level="province")
    grant = grants.order_by("user__username").first()
    return grant.user if grant else None


def _words() -> dict[str, dict[str, str]]:
    return {
        "officer": {
            "title": _("Commune officer"),
            "text": _("See what is due today, take a matter, ask for papers, answer."),
        },
        "chief": {"title": _("Chief of the commune police"), "text": _("Assign, extend with a ground, close.")},
        "commander": {
            "title": _("Province commander"),
            "text": _("See which units are late, with the oldest matter and its owner."),
        },
        "oversight": {
            "title": _("Oversight inspector"),
            "text": _("Work on complaints that those concerned cannot see."),
        },
        "auditor": {"title": _("Auditor"), "text": _("Draw 30 matters from a seed and follow each trail.")},
        "registrar": {
            "title": _("Registrar"),
            "text": _("Look at the merger of July 2025, draft an act, edit the calendar."),
        },
        "administrator": {"title": _("Administrator"), "text": _("Invite people and end roles; no matter opens here.")},
    }
