"""The addresses of the design system alone, with a menu of its own: its tests need no other room."""

from typing import Any

from django.conf.urls.i18n import i18n_patterns
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from gandan.ui import gallery
from gandan.ui.headers import content_policy, headers, untraceable


class Officer:
    name = "Đại úy Lò Thị Xuân"
    user_id = "7"
    is_anonymous = False


class Nobody:
    name = ""
    user_id = None
    is_anonymous = True


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return menus as the provider of an installation does; on the desk somebody is signed in."""
    english = "/en" if request.path.startswith("/en/") else ""
    names = [gallery.t("Trang chủ", "Home"), gallery.t("Gửi phản ánh", "Report"), gallery.t("Thành phần", "Parts")]
    pages = ["/gallery/home/", "/gallery/form/", "/gallery/"]
    return {
        "navigation": [
            {"name": page, "title": name, "url": english + page} for name, page in zip(names, pages, strict=True)
        ],
        "side_navigation": [],
        "addresses": {
            "home": f"{english}/gallery/home/",
            "desk": f"{english}/gallery/desk/",
            "demo": f"{english}/gallery/",
            "theme": f"{english}/theme/",
            "keep_alive": "/keep-alive/",
            "account_login": "/sign-in/",
            "account_logout": "/sign-out/",
            "own_account": "/me/",
        },
        "actor": Officer() if "/desk/" in request.path else Nobody(),
    }


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("plain")


def failing(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("what the page for a server error must not show")


for view in (plain, failing):
    view.access_rule = ("public", "tests")  # type: ignore[attr-defined]

urlpatterns = [
    path("plain/", plain),
    path("failing/", failing),
    path("styled/", content_policy(style_src="'self' blob:")(plain)),
    path("placed/", headers(permissions_policy="geolocation=(self)", cache_control="max-age=60")(plain)),
    path("receipt/", untraceable(plain)),
    *i18n_patterns(path("", include("gandan.ui.urls")), prefix_default_language=False),
]
handler400 = "gandan.ui.views.bad_request"
handler403 = "gandan.ui.views.forbidden"
handler404 = "gandan.ui.views.not_found"
handler500 = "gandan.ui.views.server_error"
