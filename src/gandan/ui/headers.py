"""Decorators for views whose answers need other headers than the house's."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

View = Callable[..., HttpResponse]


def content_policy(**directives: str) -> Callable[[View], View]:
    """Replace directives of the Content-Security-Policy for one view: `@content_policy(style_src="'self' blob:")`."""
    chosen = {name.replace("_", "-"): value for name, value in directives.items()}

    def wrap(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = view(request, *args, **kwargs)
            response.content_policy = chosen  # type: ignore[attr-defined]
            return response

        return answer

    return wrap


def headers(**values: str) -> Callable[[View], View]:
    """Set headers for one view: `@headers(permissions_policy="geolocation=(self)", cache_control="max-age=300")`."""
    chosen = {name.replace("_", "-").title(): value for name, value in values.items()}

    def wrap(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = view(request, *args, **kwargs)
            for name, value in chosen.items():
                response.headers[name] = value
            return response

        return answer

    return wrap


def untraceable(view: View) -> View:
    """Keep the page out of caches, and its address out of the Referer header of what is opened from it.

    Browsers then also send `Origin: null` with forms, which the CSRF check refuses: use it on pages that hold
    no form, such as a receipt.
    """
    return headers(referrer_policy="no-referrer", cache_control="no-store")(view)
