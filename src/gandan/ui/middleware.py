"""Headers that every answer carries: what the browser may load, remember and tell others."""

from collections.abc import Callable, Iterable, Mapping

from django.conf import settings
from django.http import HttpRequest, HttpResponse

POWERS_OFF = (
    "accelerometer=(), autoplay=(), browsing-topics=(), camera=(), display-capture=(), encrypted-media=(), "
    "fullscreen=(self), geolocation=(), gyroscope=(), hid=(), idle-detection=(), magnetometer=(), microphone=(), "
    "midi=(), payment=(), publickey-credentials-create=(self), publickey-credentials-get=(self), "
    "screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"
)


def policy(directives: Mapping[str, str | Iterable[str]]) -> str:
    """Return a Content-Security-Policy from directives; values are words or lists of words."""
    return "; ".join(
        f"{name} {value if isinstance(value, str) else ' '.join(value)}".strip() for name, value in directives.items()
    )


class SecurityHeaders:
    """Set what the view has not set itself (see `headers`); a private answer is never kept."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy = policy(settings.SECURE_CSP)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        directives = getattr(response, "content_policy", None)
        headers = response.headers
        headers.setdefault(
            "Content-Security-Policy", policy({**settings.SECURE_CSP, **directives}) if directives else self.policy
        )
        headers.setdefault("Permissions-Policy", POWERS_OFF)
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cache-Control", "no-store" if _is_private(request, response) else "no-cache")
        if _signs_out(response):
            # Not "storage": answers that wait there for a connection must survive the officer's leaving.
            headers.setdefault("Clear-Site-Data", '"cache"')
        return response


def _is_private(request: HttpRequest, response: HttpResponse) -> bool:
    cookie = settings.SESSION_COOKIE_NAME
    return request.method not in ("GET", "HEAD") or cookie in request.COOKIES or cookie in response.cookies


def _signs_out(response: HttpResponse) -> bool:
    morsel = response.cookies.get(settings.SESSION_COOKIE_NAME)
    return morsel is not None and not morsel.value
