"""Where every room's pages hang. Vietnamese without prefix, English under /en/."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import URLPattern, URLResolver, include, path

from gandan.config import api


def _pages() -> list[URLPattern | URLResolver]:
    patterns: list[URLPattern | URLResolver] = []
    for room in ("demo", "portal", "cases", "obligations", "staffing", "units", "secrecy", "accounts", "ui"):
        if (settings.PACKAGE / room / "urls.py").exists():
            patterns.append(path("", include(f"gandan.{room}.urls")))
    return patterns


urlpatterns = [
    *i18n_patterns(
        path("account/", include("gandan.accounts.sign_in")),
        *_pages(),
        prefix_default_language=False,
    ),
    *api.addresses(),
]

handler400 = "gandan.ui.views.bad_request"
handler403 = "gandan.ui.views.forbidden"
handler404 = "gandan.ui.views.not_found"
handler500 = "gandan.config.faults.server_error"
