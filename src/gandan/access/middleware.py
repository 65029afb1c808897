"""At the door: who is this, and does the view let them in?"""

import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy

from gandan.access.actor import ANONYMOUS, Actor
from gandan.access.authority import authority
from gandan.access.errors import Refused

logger = logging.getLogger(__name__)

_SECRET = re.compile(r"password|secret|token|credential")
_NUMBER_OF_OURS = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")


def rule_of(view: Any, name: str) -> tuple[str, ...] | None:
    """Return the access rule that a view declares, or that the settings declare for a foreign view."""
    rule = getattr(view, "access_rule", None) or getattr(getattr(view, "view_class", None), "access_rule", None)
    return rule or settings.GANDAN_FOREIGN_VIEWS.get(name)


class AccessMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = SimpleLazyObject(lambda: _actor(request))  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        match = request.resolver_match
        rule = rule_of(view, match.view_name if match else "")
        if rule is None:
            return _without_rule(request, view)
        kind, *capabilities = rule
        if kind == "public":
            return None
        actor = request.actor  # type: ignore[attr-defined]
        # An operation for programs answers in its own form; a page by a page.
        refuse = getattr(view, "refuse", None)
        if actor.is_anonymous:
            if refuse:
                return refuse(request, 401, "")
            return signed_out(request) if request.method == "POST" else redirect_to_login(request.get_full_path())
        if kind == "signed_in" or actor.can_any(capabilities):
            return None
        sentence = gettext_lazy("Your role does not include this page. Ask the administrator of your unit.")
        return refuse(request, 403, sentence) if refuse else refusal(request, str(sentence))

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Refused):
            return refusal(request, str(error))
        return None


def _without_rule(request: HttpRequest, view: Any) -> HttpResponse:
    """Refuse a view that says nothing about who may come in: a loud error where it is built, a page and a line in the
    log where it is served."""
    fault = f"{getattr(view, '__qualname__', view)} declares no access rule"
    if settings.GANDAN_STRICT:
        raise ImproperlyConfigured(fault)
    logger.error("%s; nobody is let in", fault)
    sentence = gettext_lazy("This page cannot be opened. Tell the administrator.")
    refuse = getattr(view, "refuse", None)
    answer: HttpResponse = refuse(request, 403, sentence) if refuse else refusal(request, str(sentence))
    return answer


def signed_out(request: HttpRequest) -> HttpResponse:
    """Return what somebody wrote to whom the door has closed meanwhile, and the way in, to the page they came from."""
    came = urlsplit(request.META.get("HTTP_REFERER", ""))
    back = came.path if came.netloc == request.get_host() and came.path.startswith("/") else "/"
    context = {"address": redirect_to_login(back).url, "typed": _typed(request)}
    answer = TemplateResponse(request, "401.html", context, status=401).render()
    answer["Cache-Control"] = "no-store"
    return answer


def _typed(request: HttpRequest) -> list[str]:
    """Return what a person wrote into a form, and no secret and no number of ours."""
    told = [
        value.strip()
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken" and not _SECRET.search(name)
        for value in values
    ]
    return [value for value in dict.fromkeys(told) if value and value != "on" and not _NUMBER_OF_OURS.fullmatch(value)]


def refusal(request: HttpRequest, sentence: str) -> HttpResponse:
    """Return the page that says why not."""
    return TemplateResponse(request, "403.html", {"sentence": sentence}, status=403).render()


def _actor(request: HttpRequest) -> Actor:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return ANONYMOUS
    return authority().actor(user)
