from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import Refused, now, today
from gandan.access.authority import authority
from gandan.access.decorators import needs, public
from gandan.access.roles import ROLE_NAMES, Role
from gandan.accounts import guessing
from gandan.accounts.recent import needs_recent
from gandan.staffing import actions, oversight, permissions
from gandan.staffing.forms import InvitationForm, PasswordForm
from gandan.staffing.models import Grant, Invitation
from gandan.units.models import Unit


@needs("grant.read")
def people(request: HttpRequest) -> HttpResponse:
    """Who has which role in the reader's area, and which invitations wait."""
    actor = request.actor  # type: ignore[attr-defined]
    grants = (
        Grant.for_(actor, "grant.read")
        .select_related("user", "unit")
        .in_force(today())
        .order_by("unit__slug", "role", "user__full_name")
    )
    rows = [
        {"grant": grant, "role": ROLE_NAMES[grant.role], "why_not": permissions.end(grant=grant, by=actor)}
        for grant in grants[:500]
    ]
    waiting = []
    if actor.can("account.read"):
        waiting = list(
            Invitation.for_(actor, "account.read")
            .select_related("unit")
            .filter(accepted_at=None, withdrawn_at=None)
            .order_by("-invited_at")[:100]
        )
        for invitation in waiting:
            invitation.role_name = ROLE_NAMES[Role(invitation.role)]
    may_invite = actor.can_any(("account.invite", "grant.oversight"))
    may_help = actor.can_any(("account.close", "grant.oversight"))
    # Told from roles alone: the page is the same whether or not anybody has complained.
    gaps = oversight.gaps(actor.reach("grant.read"))
    context = {"gaps": gaps, "rows": rows, "waiting": waiting, "may_invite": may_invite, "may_help": may_help}
    return render(request, "staffing/people.html", context)


@needs("account.invite", "grant.oversight")
def invite(request: HttpRequest) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    form = InvitationForm(request.POST or None, units=_units_in_reach(actor))
    if request.method == "POST" and form.is_valid():
        ask = needs_recent(request)
        if ask is not None:
            return ask
        try:
            invited = actions.invite(by=actor, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            address = request.build_absolute_uri(_invitation_path(invited.token))
            response = render(
                request,
                "staffing/invited.html",
                {
                    "invitation": invited.invitation,
                    "address": address,
                    "role": ROLE_NAMES[Role(invited.invitation.role)],
                },
            )
            response["Cache-Control"] = "no-store"
            return response
    return render(request, "staffing/invite.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@needs("account.invite", "grant.oversight")
def withdraw_invitation(request: HttpRequest, invitation: Any) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    found = get_object_or_404(Invitation.for_(actor, "account.read"), pk=invitation)
    actions.withdraw_invitation(invitation=found, by=actor)
    messages.success(request, _("The invitation was withdrawn."))
    return redirect("people")


@require_POST
@needs("grant.end", "grant.oversight")
def end_grant(request: HttpRequest, grant: Any) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    found = get_object_or_404(Grant.for_(actor, "grant.read"), pk=grant)
    actions.end_grant(grant=found, by=actor)
    messages.success(request, _("The role ends today."))
    return redirect("people")


@public("the random token in the address is the key")
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Open an invitation: choose a password and come in."""
    at = now()
    if not guessing.may_open_links(request, at):
        return render(request, "429.html", status=429)
    invitation = actions.open_invitation(token)
    if invitation is None:
        guessing.link_closed(request, at)
        return render(request, "staffing/invitation_closed.html", status=410)
    form = PasswordForm(request.POST or None, invitation=invitation)
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.accept_invitation(token=token, password=form.cleaned_data["password"])
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
            answer = redirect(settings.LOGIN_REDIRECT_URL)
            guessing.remember(request, answer, user.username)
            return answer
    response = render(
        request,
        "staffing/accept.html",
        {"form": form, "invitation": invitation, "role": ROLE_NAMES[Role(invitation.role)]},
        status=422 if form.errors else 200,
    )
    response["Referrer-Policy"] = "same-origin"
    response["Cache-Control"] = "no-store"
    return response


def _units_in_reach(actor: Any) -> Any:
    reach = actor.reach("account.invite") | actor.reach("grant.oversight")
    current = Unit.objects.filter(valid_to=None)
    if reach.everything:
        return current.order_by("slug")
    inside = Q(pk__in=reach.units)
    if reach.provinces:
        inside |= Q(pk__in=authority().units_under(reach.provinces))
    return current.filter(inside).order_by("slug")


def _invitation_path(token: str) -> str:
    return reverse("accept_invitation", args=[token])
