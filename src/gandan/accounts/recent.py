"""Is it still the person who signed in? Asked again before what is hard to undo, without losing what was typed."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.account.signals import authentication_step_completed
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from gandan.access import now
from gandan.accounts.sessions import CONFIRMED

MINUTES = 15
KEPT = "kept"
_KEPT_SECONDS = 3600
_KEPT_LETTERS = 200_000
_NEVER_KEPT = ("csrfmiddlewaretoken", "password", "code", "credential")
View = Callable[..., HttpResponse]


def needs_recent(request: HttpRequest, minutes: int = MINUTES) -> HttpResponse | None:
    """Return None when the person proved who they are within `minutes`, else the answer that asks them to.

    A form that was being sent is kept in the session, and offered again afterwards:

        if ask := needs_recent(request):
            return ask
    """
    if is_recent(request, minutes):
        return None
    target = request.get_full_path()
    if request.method not in ("GET", "HEAD"):
        keep(request, request.user.pk)
        target = reverse("go_on")
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': target})}")


def recent(minutes: int = MINUTES) -> Callable[[View], View]:
    """Decorate a view that only somebody who proved lately who they are may use; inside `@needs`."""

    def wrap(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return needs_recent(request, minutes) or view(request, *args, **kwargs)

        return answer

    return wrap


def is_recent(request: HttpRequest, minutes: int = MINUTES) -> bool:
    """Say whether the person proved within `minutes` who they are. Chairs of the demo have nothing to prove."""
    age = now().timestamp() - request.session.get(CONFIRMED, 0)
    if 0 <= age <= minutes * 60:
        return True
    return bool(settings.GANDAN_DEMO) and not get_reauthentication_flows(request.user)


def keep(request: HttpRequest, user_id: Any) -> bool:
    """Keep a form that cannot be taken now, for an hour, for this person alone; False when it is too large.

    Passwords, codes and files are not kept.
    """
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        if not any(word in name for word in _NEVER_KEPT)
        for value in values
        if isinstance(value, str)
    ]
    if sum(len(name) + len(value) for name, value in fields) > _KEPT_LETTERS:
        return False
    request.session[KEPT] = {
        "for": str(user_id),
        "to": request.get_full_path(),
        "fields": fields,
        "files": bool(request.FILES),
        "at": now().timestamp(),
    }
    return True


def kept(request: HttpRequest) -> dict[str, Any] | None:
    """Return the form that was kept for the person who is signed in, or None."""
    found: dict[str, Any] | None = request.session.get(KEPT)
    if found is None:
        return None
    if found["for"] != str(request.user.pk) or now().timestamp() - found["at"] > _KEPT_SECONDS:
        del request.session[KEPT]
        return None
    return found


def listen() -> None:
    authentication_step_completed.connect(_proved, dispatch_uid="gandan.accounts.recent.proved")


def _proved(sender: Any, request: HttpRequest, reauthenticated: bool = False, **_: Any) -> None:
    if reauthenticated:
        request.session[CONFIRMED] = now().timestamp()
