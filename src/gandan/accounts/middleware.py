"""Sessions end: after 30 idle minutes (10 on a shared machine), and after 12 hours whatever happens.
And whoever needs a second factor reaches nothing before it is shown."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from gandan.access import now
from gandan.access.actor import ANONYMOUS
from gandan.access.middleware import rule_of
from gandan.accounts import recent, second_factor, sessions
from gandan.accounts.sessions import BEGAN as BEGAN
from gandan.accounts.sessions import SEEN as SEEN

_NOT_OFTENER = 20
"""Seconds within which a session is not written again only to say that somebody is there."""


class SessionLimits:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Only a request that carries a session cookie can be signed in; public pages stay cookie-free.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            session, moment = request.session, now().timestamp()
            session.setdefault(BEGAN, moment)
            if sessions.has_ended(session, moment):
                return self._ended(request)
            request.idle_seconds = sessions.idle_seconds(session)  # type: ignore[attr-defined]
            if SEEN not in session or moment - session[SEEN] > _NOT_OFTENER:
                session[SEEN] = moment
        return self.get_response(request)

    def _ended(self, request: HttpRequest) -> HttpResponse:
        """Close the session; what was being sent waits for the same person to come back."""
        person = request.user.pk
        logout(request)
        if request.method == "POST" and request.POST:
            answer = redirect_to_login(reverse("go_on"))
            if recent.keep(request, answer, person):
                return answer
        return self.get_response(request)


class SecondFactor:
    """Leads who must have a second factor to setting one up or showing it; see `second_factor`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not settings.GANDAN_SECOND_FACTOR or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        if not request.user.is_authenticated or sessions.SHOWN in request.session:
            return None
        match = request.resolver_match
        name = match.view_name if match else ""
        if name in settings.GANDAN_BEFORE_SECOND_FACTOR:
            return None
        if not second_factor.is_demanded(request.actor):  # type: ignore[attr-defined]
            return None
        refuse = getattr(view, "refuse", None)
        if refuse is not None:
            if (rule_of(view, name) or ("",))[0] == "public":
                # What anybody may ask a program; asked as anybody, without the rights that wait for the factor.
                request.actor = ANONYMOUS  # type: ignore[attr-defined]
                return None
            answer: HttpResponse = refuse(
                request, 403, _("Your role needs a second factor. Set it up on the web pages.")
            )
            return answer
        if second_factor.has_one(request.user):
            here = request.get_full_path() if request.method == "GET" else reverse(settings.LOGIN_REDIRECT_URL)
            return redirect(f"{_way_to_show(request)}?{urlencode({'next': here})}")
        messages.warning(
            request, _("Your role decides about other people, so it needs a second factor. Set one up to go on.")
        )
        return redirect("mfa_index")


def _way_to_show(request: HttpRequest) -> str:
    from allauth.mfa.models import Authenticator

    has_app = Authenticator.objects.filter(user_id=request.user.pk, type=Authenticator.Type.TOTP).exists()
    return reverse("mfa_reauthenticate" if has_app else "mfa_reauthenticate_webauthn")
