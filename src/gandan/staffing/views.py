import unicodedata
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import Refused, now, today
from gandan.access.authority import authority
from gandan.access.decorators import needs, public
from gandan.access.roles import ROLE_NAMES, Role
from gandan.accounts import guessing
from gandan.accounts.models import User
from gandan.accounts.recent import needs_recent
from gandan.staffing import actions, oversight, paging, permissions
from gandan.staffing.forms import InvitationForm, PasswordForm, PeopleForm, RoleForm
from gandan.staffing.models import Grant, Invitation
from gandan.ui import cursors
from gandan.units.models import Unit, fold

PAGE = 50
_ORDER = ("unit__slug", "role", "user__full_name", "pk")
_WAITING_ORDER = ("-invited_at", "pk")


@needs("grant.read", "grant.oversight")
def people(request: HttpRequest) -> HttpResponse:
    """Who has or will have which role in the reader's area, and which invitations wait; by name, past roles too."""
    actor = request.actor  # type: ignore[attr-defined]
    form = PeopleForm(request.GET or None)
    sought = form.cleaned_data["q"] if form.is_valid() else ""
    known, invited = _grants(actor, everybody=bool(sought)), _invitations(actor)
    grants = known.filter(_named(sought, "user__")) if sought else known.exclude(valid_to__lte=today())
    waiting = invited.filter(_named(sought), accepted_at=None, withdrawn_at=None)
    of = f"{actor.user_id}|{sought}"
    try:
        found, after = paging.page(
            grants.select_related("user", "unit"),
            known=known,
            order=_ORDER,
            size=PAGE,
            after=request.GET.get("after", ""),
            of=f"roles|{of}",
        )
        invitations, waiting_after = paging.page(
            waiting.select_related("unit"),
            known=invited,
            order=_WAITING_ORDER,
            size=PAGE,
            after=request.GET.get("waiting", ""),
            of=f"invitations|{of}",
        )
    except cursors.WrongCursor:
        return redirect(_people_url(q=sought))
    context = {
        # Told from roles alone: the page is the same whether or not anybody has complained.
        "gaps": oversight.gaps(actor.reach("grant.read") | actor.reach("grant.oversight")),
        "rows": [_row(grant, actor) for grant in found],
        "waiting": [
            {
                "invitation": invitation,
                "role": ROLE_NAMES[Role(invitation.role)],
                "why_not": permissions.withdraw(invitation=invitation, by=actor),
            }
            for invitation in invitations
        ],
        "next_url": after and _people_url(q=sought, after=after),
        "waiting_url": waiting_after and _people_url(q=sought, waiting=waiting_after),
        "filter_form": form,
        "forms": [form] if form.errors else [],
        "sought": sought,
        "may_invite": actor.can_any(("account.invite", "grant.oversight")),
        "may_give": actor.can_any(("grant.give", "grant.oversight")),
        "may_help": actor.can_any(("account.close", "grant.oversight")),
    }
    return render(request, "staffing/people.html", context)


@needs("grant.give", "grant.oversight")
def give_role(request: HttpRequest, person: UUID) -> HttpResponse:
    """Give a role to somebody who has an account, with the days from and until which it holds."""
    actor = request.actor  # type: ignore[attr-defined]
    user = get_object_or_404(_people_in_reach(actor), pk=person)
    why_not = permissions.give(user=user, by=actor)
    form = RoleForm(request.POST or None, units=_units_in_reach(actor))
    if request.method == "POST":
        if why_not is not None:
            raise Refused(why_not)
        ask = needs_recent(request)
        if ask is not None:
            return ask
        if form.is_valid():
            try:
                actions.give_grant(user=user, by=actor, **form.given())
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, _("The role was given."))
                return redirect(_people_url(q=user.username))
    held = _grants(actor, everybody=True).filter(user=user).exclude(valid_to__lte=today())
    context = {
        "person": user,
        "why_not": why_not,
        "form": form,
        "held": [_row(grant, actor) for grant in held.select_related("user", "unit").order_by(*_ORDER)],
    }
    return render(request, "staffing/give_role.html", context, status=422 if form.errors else 200)


@needs("account.invite", "grant.oversight")
def invite(request: HttpRequest) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    form = InvitationForm(request.POST or None, units=_units_in_reach(actor))
    if request.method == "POST" and form.is_valid() and _is_new(form, actor):
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
    found = get_object_or_404(_invitations(actor), pk=invitation)
    actions.withdraw_invitation(invitation=found, by=actor)
    messages.success(request, _("The invitation was withdrawn."))
    return redirect("people")


@require_POST
@needs("grant.end", "grant.oversight")
def end_grant(request: HttpRequest, grant: Any) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    found = get_object_or_404(_grants(actor), pk=grant)
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


def _grants(actor: Any, *, everybody: bool = False) -> Any:
    """Return the roles that somebody reads: inspectors those of inspectors and auditors, or, where they look for a
    person, everybody's in their area, since they may appoint anybody."""
    watched = Grant.for_(actor, "grant.oversight")
    return Grant.for_(actor, "grant.read") | (watched if everybody else watched.filter(role__in=permissions.WATCHING))


def _invitations(actor: Any) -> Any:
    watched = Invitation.for_(actor, "grant.oversight").filter(role__in=permissions.WATCHING)
    return Invitation.for_(actor, "account.read") | watched


def _people_in_reach(actor: Any) -> Any:
    """Return everybody who has, had or will have a role in the area in which the actor gives roles."""
    grants = Grant.for_(actor, "grant.give") | Grant.for_(actor, "grant.oversight")
    return User.objects.filter(pk__in=grants.values("user"))


def _row(grant: Grant, actor: Any) -> dict[str, Any]:
    return {
        "grant": grant,
        "role": ROLE_NAMES[Role(grant.role)],
        "last_day": grant.valid_to and max(grant.valid_to - timedelta(days=1), grant.valid_from),
        "why_not": permissions.end(grant=grant, by=actor),
    }


def _named(sought: str, of: str = "") -> Q:
    """Return the condition that a name or user name has every word sought, in any case, in SQLite too."""
    condition = Q()
    for word in unicodedata.normalize("NFC", sought).split():
        fits = Q(**{f"{of}username__icontains": word})
        for each in (word, word.capitalize(), word.lower(), word.upper()):
            fits |= Q(**{f"{of}full_name__icontains": each})
        plain = fold(word)
        if plain and " " not in plain:
            fits |= Q(**{f"{of}username__icontains": plain})
        condition &= fits
    return condition


def _is_new(form: InvitationForm, actor: Any) -> bool:
    """Say whether nobody in the actor's area has the user name; of anybody beyond it nothing is told."""
    if not _people_in_reach(actor).filter(username=form.cleaned_data["username"]).exists():
        return True
    form.add_error(
        "username",
        _("Somebody in your area has this user name. If it is the same person, give the role under People and roles."),
    )
    return False


def _people_url(**query: str) -> str:
    given = {name: value for name, value in query.items() if value}
    return reverse("people") + (f"?{urlencode(given)}" if given else "")


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
