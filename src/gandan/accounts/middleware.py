"""Sessions end: after 30 idle minutes, and after 12 hours whatever happens."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

from gandan.access import now

BEGAN, SEEN = "began", "seen"


class SessionLimits:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Only a request that carries a session cookie can be signed in; public pages stay cookie-free.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            moment = now().timestamp()
            began = request.session.setdefault(BEGAN, moment)
            seen = request.session.get(SEEN, moment)
            if moment - seen > settings.GANDAN_IDLE_SECONDS or moment - began > settings.GANDAN_SESSION_SECONDS:
                logout(request)
            elif moment - seen > 20 or SEEN not in request.session:
                request.session[SEEN] = moment
        return self.get_response(request)
