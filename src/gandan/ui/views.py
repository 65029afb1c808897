"""Pages that belong to no room: the choice of colours, what went wrong, and the gallery of all components."""

import logging

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import get_template
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from gandan.ui.context import THEME_COOKIE, THEMES, Page
from gandan.ui.fragments import render_page

logger = logging.getLogger(__name__)

_YEAR = 365 * 24 * 60 * 60


@csrf_exempt  # A stranger's page could at worst dim the lights; without a token public pages need no cookie.
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Remember the reader's choice of colours and go back to the page."""
    chosen = request.POST.get("theme", "")
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = "/en/" if get_language() == "en" else "/"
    response = redirect(back)
    if chosen in THEMES:
        response.set_cookie(
            THEME_COOKIE, chosen, max_age=_YEAR, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
        )
    else:
        response.delete_cookie(THEME_COOKIE, samesite="Lax")
    return response


theme.access_rule = ("public", "the colours of one's own screen")  # type: ignore[attr-defined]


def gallery(request: HttpRequest, page: str = "") -> HttpResponse:
    """Show every component in every state, or a whole sample page; only where nothing is real."""
    if not (settings.DEBUG or settings.GANDAN_DEMO):
        raise Http404
    from gandan.ui import gallery as samples

    shown = samples.context()
    if page == "form":
        shown["form"] = samples.faulty_form()
    if page == "desk":
        shown["side_navigation"] = samples.side_navigation()
        asked = request.GET.get("q", "")
        shown["matters"] = [matter for matter in shown["matters"] if asked in matter["title"]]
        shown["filter"] = samples.SampleFilter(request.GET or None)
        return render_page(request, "ui/gallery_desk.html", "ui/gallery_desk_list.html", shown)
    return render(request, f"ui/gallery_{page}.html" if page else "ui/gallery.html", shown)


gallery.access_rule = (  # type: ignore[attr-defined]
    "public",
    "samples of the design system, with invented words; shown in the demo only",
)


def conversions(request: HttpRequest) -> HttpResponse:
    """Show an everyday page to somebody who has to leave ours at once."""
    tables = [
        {
            "title": gettext("Weight"),
            "rows": [
                (gettext("1 lạng"), 100, "g"),
                (gettext("1 yến"), 10, "kg"),
                (gettext("1 tạ"), 100, "kg"),
                (gettext("1 tấn"), 1000, "kg"),
            ],
        },
        {
            "title": gettext("Land, as measured in the north"),
            "rows": [
                (gettext("1 thước"), 24, "m²"),
                (gettext("1 sào"), 360, "m²"),
                (gettext("1 mẫu"), 3600, "m²"),
                (gettext("1 hectare"), 10_000, "m²"),
            ],
        },
    ]
    return render(request, "ui/conversions.html", {"tables": tables})


conversions.access_rule = ("public", "weights and measures")  # type: ignore[attr-defined]


# What went wrong. These pages are also drawn when half the house is down, so they ask nothing of anybody.


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request could not be read."""
    return _fault(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: the reader may not do this. The template also takes `sentence`, which says why."""
    return _fault(request, 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: there is nothing at this address for this reader."""
    return _fault(request, 404)


def conflict(request: HttpRequest) -> HttpResponse:
    """409: the same thing came twice in different words, or somebody changed it meanwhile."""
    return _fault(request, 409)


def too_many(request: HttpRequest) -> HttpResponse:
    """429: too many tries in a short time."""
    return _fault(request, 429)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault. Drawn without context processors, because one of them may be what failed."""
    try:
        body = get_template("500.html").render({"ui": Page(request)})
    except Exception:
        logger.exception("the page for a server error could not be drawn")
        body = _PLAIN_FAULT
    return HttpResponse(body, status=500)


def _fault(request: HttpRequest, code: int) -> HttpResponse:
    return render(request, f"{code}.html", status=code)


_PLAIN_FAULT = """<!DOCTYPE html>
<html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lỗi ở phía chúng tôi</title></head>
<body><h1>Lỗi ở phía chúng tôi</h1><p>Hãy thử lại sau ít phút. Việc gấp: gọi <a href="tel:113">113</a>.</p>
<p lang="en">Something failed on our side. Please try again in a few minutes. If it cannot wait, call 113.</p>
</body></html>
"""
