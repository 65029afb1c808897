"""What every answer tells the browser it may do."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from gandan.ui.middleware import SecurityHeaders, policy

pytestmark = pytest.mark.agnostic


def test_every_answer_carries_the_whole_set() -> None:
    for path in ("/plain/", "/gallery/", "/nothing/"):
        headers = Client().get(path).headers
        assert headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
            "object-src 'none'; frame-ancestors 'none'"
        )
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-cache"
        for power in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics"):
            assert f"{power}=()" in headers["Permissions-Policy"]


def test_directives_are_words_or_lists_of_words() -> None:
    assert policy({"img-src": ["'self'", "data:"], "base-uri": "'none'", "sandbox": ""}) == (
        "img-src 'self' data:; base-uri 'none'; sandbox"
    )


def test_a_view_may_replace_single_directives() -> None:
    shown = Client().get("/styled/")["Content-Security-Policy"]
    assert "style-src 'self' blob:;" in shown
    assert "script-src 'self';" in shown


def test_a_view_may_set_its_own_headers() -> None:
    headers = Client().get("/placed/").headers
    assert headers["Permissions-Policy"] == "geolocation=(self)"
    assert headers["Cache-Control"] == "max-age=60"


def test_an_untraceable_page_leaves_no_address_and_no_copy() -> None:
    headers = Client().get("/receipt/").headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def through(request: HttpRequest, **cookies: str) -> HttpResponse:
    def view(_request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        for name, value in cookies.items():
            response.set_cookie(name, value)
        return response

    return SecurityHeaders(view)(request)


def test_whatever_belongs_to_a_session_is_never_kept(settings: Any) -> None:
    settings.SESSION_COOKIE_NAME = "session"
    make = RequestFactory()
    assert through(make.get("/"))["Cache-Control"] == "no-cache"
    assert through(make.post("/"))["Cache-Control"] == "no-store"
    assert through(make.get("/"), session="a")["Cache-Control"] == "no-store"
    signed_in = make.get("/")
    signed_in.COOKIES["session"] = "a"
    assert through(signed_in)["Cache-Control"] == "no-store"


def test_signing_out_clears_copies_but_not_what_waits_to_be_sent(settings: Any) -> None:
    settings.SESSION_COOKIE_NAME = "session"

    def leave(_request: HttpRequest) -> HttpResponse:
        response = HttpResponse()
        response.delete_cookie("session")
        return response

    make = RequestFactory()
    assert SecurityHeaders(leave)(make.post("/"))["Clear-Site-Data"] == '"cache"'
    assert "Clear-Site-Data" not in through(make.get("/"), session="a").headers
