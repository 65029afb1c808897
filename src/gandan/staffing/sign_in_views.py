"""Helping somebody who cannot sign in, or must not any more."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from gandan.access import Refused
from gandan.access.decorators import needs
from gandan.accounts import actions as accounts
from gandan.accounts import second_factor, sessions
from gandan.accounts.models import User
from gandan.accounts.recent import needs_recent
from gandan.staffing import permissions
from gandan.staffing.models import Grant
from gandan.staffing.sign_in_forms import HelpForm


@needs("account.close", "grant.oversight")
def person_sign_in(request: HttpRequest, person: UUID) -> HttpResponse:
    """Where a person is signed in, and the ways to help: a new password, a new second factor, an end."""
    actor = request.actor  # type: ignore[attr-defined]
    user = _in_reach(actor, person)
    why_not = permissions.help_sign_in(user=user, by=actor)
    form = HelpForm(request.POST or None, is_active=user.is_active)
    context: dict[str, Any] = {"person": user, "why_not": why_not, "form": form}
    if request.method == "POST":
        if why_not is not None:
            raise Refused(why_not)
        ask = needs_recent(request)
        if ask is not None:
            return ask
        if form.is_valid():
            chosen, reason = form.cleaned_data["what"], form.cleaned_data["reason"]
            if chosen == "link":
                made = accounts.make_recovery_link(user=user, reason=reason, by=actor)
                address = request.build_absolute_uri(reverse("recover_account", args=[made.token]))
                response = render(request, "staffing/recovery_link.html", context | {"address": address})
                response["Cache-Control"] = "no-store"
                return response
            _do(chosen, user, reason, actor)
            messages.success(request, _SAID[chosen]())
            return redirect("person_sign_in", person=user.pk)
    context |= {"places": sessions.places(user), "has_factor": second_factor.has_one(user)}
    return render(request, "staffing/person_sign_in.html", context, status=422 if form.errors else 200)


_SAID: dict[str, Any] = {
    "factor": lambda: _("The second factor was taken away; the person sets up a new one at the next sign-in."),
    "sessions": lambda: _("The person was signed out everywhere."),
    "close": lambda: _("The account is closed."),
    "reopen": lambda: _("The account is open again."),
}


def _do(chosen: str, user: User, reason: str, actor: Any) -> None:
    if chosen == "factor":
        second_factor.reset(user=user, reason=reason, by=actor)
    elif chosen == "sessions":
        sessions.end(user=user, by=actor, reason=reason)
    elif chosen == "close":
        accounts.close(user=user, reason=reason, by=actor)
    else:
        accounts.reopen(user=user, reason=reason, by=actor)


def _in_reach(actor: Any, person: UUID) -> User:
    for capability in ("account.close", "grant.oversight"):
        if Grant.for_(actor, capability).filter(user=person).exists():
            return User.objects.get(pk=person)
    raise Http404
