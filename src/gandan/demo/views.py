"""One click to sit in a chair. Only where the demo runs, which serves loopback alone."""

from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import Refused, today
from gandan.access.decorators import public
from gandan.accounts.models import User
from gandan.cases import follow
from gandan.cases.models import Case
from gandan.demo import build, renewal, story, trials
from gandan.demo.forms import FIGURES, FiguresForm, NumberForm
from gandan.obligations.models import Obligation
from gandan.staffing.models import Grant

CHAIRS = (
    "officer",
    "duty_officer",
    "chief",
    "commander",
    "oversight",
    "auditor",
    "registrar",
    "administrator",
)
STORY = "gandan_story"
_IN_HAND = 3
"""How many codes lie ready for the citizen's chair."""


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
    followed = Case.system("demo").exclude(follow_hash="").exclude(anonymous=True).select_related("procedure", "holder")
    told = _story(request)
    return render(
        request,
        "demo/demo.html",
        {
            "chairs": [
                {"role": role, **_words()[role], "user": user} for role in CHAIRS if (user := _sitter(role)) is not None
            ],
            "codes": [
                {"case": case, "code": follow.code_for(case.submission)}
                for case in followed.unfinished().order_by("received_at")[:_IN_HAND]
            ],
            "story": told,
            "steps": told.steps() if told else [],
            "why_no_story": story.why_not(),
            "sealed": story.sealed(),
            "may_restate": trials.has_merged(len(FIGURES)),
            "may_put_back": renewal.possible(),
        },
    )


@require_POST
@public("the demo's story; absent elsewhere")
@_demo_only
def begin_story(request: HttpRequest) -> HttpResponse:
    """Begin the guided story, or begin it anew with another call."""
    try:
        case, act = story.begin()
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("demo")
    response = redirect(f"{reverse('demo')}#story")
    response.set_signed_cookie(
        STORY, f"{case}:{act}", salt=STORY, max_age=86_400, httponly=True, samesite="Lax", secure=False
    )
    return response


@require_POST
@public("what a visitor of the demo may try; absent elsewhere")
@_demo_only
def twice(request: HttpRequest) -> HttpResponse:
    """Lay a form ready that is to be sent twice."""
    return redirect("report_step", draft=story.same_form_twice().pk, step="check")


@public("what a visitor of the demo may try; absent elsewhere")
@_demo_only
def restated(request: HttpRequest) -> HttpResponse:
    """Carry three figures over the merger: 4 + 7 + 2."""
    form = FiguresForm(request.GET if "a" in request.GET else FIGURES)
    found = None
    if form.is_valid():
        try:
            found = trials.restate([str(form.cleaned_data[name]) for name in FIGURES])
        except LookupError:
            raise Http404 from None
    return render(request, "demo/restated.html", {"form": form, "restated": found}, status=422 if form.errors else 200)


@public("what a visitor of the demo may try; absent elsewhere")
@_demo_only
def tampered(request: HttpRequest) -> HttpResponse:
    """Alter one entry in a copy of the record and verify both; the record itself is not touched."""
    form = NumberForm(request.GET if "number" in request.GET else {"number": "40"})
    found = trials.tamper(form.cleaned_data["number"]) if form.is_valid() else None
    if form.is_valid() and found is None:
        form.add_error("number", _("The copy has no entry with this number. Choose a smaller one."))
    return render(request, "demo/tampered.html", {"form": form, "tampering": found}, status=422 if form.errors else 200)


@require_POST
@public("the demo is put back by whoever sits before it; absent elsewhere")
@_demo_only
def put_back(request: HttpRequest) -> HttpResponse:
    """Build the province anew and forget what visitors did."""
    if not renewal.possible():
        raise Http404
    logout(request)
    try:
        renewal.put_back()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The province stands as it was built, ending today."))
    response = redirect("demo")
    response.delete_cookie(STORY, samesite="Lax")
    return response


@require_POST
@public("the demo's chairs have no password; absent elsewhere")
@_demo_only
def sit(request: HttpRequest) -> HttpResponse:
    """Sit down in the chosen chair."""
    role = request.POST.get("role", "")
    if role == "citizen":
        logout(request)
        return redirect("home")
    user = _sitter(role, request.POST.get("unit", "")) if role in CHAIRS else None
    if user is None:
        raise Http404
    logout(request)
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    to = request.POST.get("to", "")
    if to.startswith("/") and url_has_allowed_host_and_scheme(to, {request.get_host()}):
        return redirect(to)
    return redirect(
        {"commander": "command", "auditor": "audit_desk", "registrar": "unit_acts", "administrator": "people"}.get(
            role, "desk"
        )
    )


def _story(request: HttpRequest) -> story.Story | None:
    told = request.get_signed_cookie(STORY, default="", salt=STORY) or ""
    case, _colon, act = told.partition(":")
    return story.read(case, act) if act else None


def _sitter(role: str, unit: str = "") -> User | None:
    """Return who sits in a chair: at the unit named, at the commune with the most open promises, or at the province."""
    if unit:
        try:
            return story.sitter(role, UUID(unit))
        except ValueError:
            return None
    grants = Grant.system("demo").in_force(today()).filter(role=role).select_related("user")
    if role in ("officer", "duty_officer", "chief"):
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
        "duty_officer": {
            "title": _("Duty officer"),
            "text": _("Record in two minutes what somebody brings or tells by phone, and hand it on."),
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
            "text": _("Look at the merger of July 2025, draft an act, edit the calendar.")
            if today() >= build.DECIDED
            else _("Draft an act that moves units, edit the calendar."),
        },
        "administrator": {"title": _("Administrator"), "text": _("Invite people and end roles; no matter opens here.")},
    }
