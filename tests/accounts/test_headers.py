"""Every answer of every address carries the whole set of headers: pages, refusals, faults, files, redirects."""

import re

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.accounts.conftest import sign_in
from tests.house.routes import routes

pytestmark = pytest.mark.django_db
ALWAYS = {
    "Content-Security-Policy": re.compile(r"default-src 'none'; .*frame-ancestors 'none'"),
    "Permissions-Policy": re.compile(r"camera="),
    "Cross-Origin-Opener-Policy": re.compile(r"^same-origin$"),
    "Cross-Origin-Resource-Policy": re.compile(r"^same-origin$"),
    "X-Content-Type-Options": re.compile(r"^nosniff$"),
    "Referrer-Policy": re.compile(r"^(?:same-origin|no-referrer)$"),
    "Cache-Control": re.compile(r"."),
    "Strict-Transport-Security": re.compile(r"^max-age=31536000$"),
}
FOR_OTHER_PLACES = {"/api/v1/openapi.json": "the description of the interface, which any program may read"}
_VALUES = {"uuid": "6f1b7a52-7d9c-4a30-9a55-3e2d8a54c0de", "int": "7", "str": "x", "slug": "x", "path": "x"}


def missing(response):
    faults = [name for name, value in ALWAYS.items() if not value.search(response.headers.get(name, ""))]
    if "unsafe" in response.headers.get("Content-Security-Policy", ""):
        faults.append("unsafe")
    return faults


def addresses():
    pattern = re.compile(r"<(?:(\w+):)?\w+>")
    return sorted({pattern.sub(lambda m: _VALUES.get(m[1] or "str", "x"), route.pattern) for route in routes()})


class Answers:
    """What the walk saw, of everybody together."""

    def __init__(self):
        self.seen, self.people, self.faults = 0, [], {}


ANSWERS = Answers()


@pytest.fixture
def secure(settings, monkeypatch):
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.unrecorded("the addresses are walked with values that mean nothing")
@pytest.mark.parametrize("name", ["", "pao", "auditor"])
def test_every_address_answers_with_the_whole_set(staff, secure, figure, name):
    client = Client(raise_request_exception=False, headers={"x-forwarded-proto": "https"})
    if name:
        sign_in(client, name)
    faults, seen = {}, set()
    for path in addresses():
        for method in ("get", "post", "head", "options"):
            response = getattr(client, method)(path)
            for close in response._resource_closers:
                # Not the response itself: that would close the test's own connection to the database.
                close()
            seen.add(response.status_code)
            wrong = missing(response)
            if path in FOR_OTHER_PLACES and wrong == ["Cross-Origin-Resource-Policy"]:
                wrong = []
            if name and response.headers.get("Cache-Control") == "no-cache" and "gandan-session" in client.cookies:
                wrong.append("kept though private")
            if wrong:
                faults[f"{method} {path} {response.status_code}"] = wrong
            if path.endswith("/logout/") and method == "post" and name:
                sign_in(client, name)
    ANSWERS.seen += len(addresses()) * 4
    ANSWERS.people.append(name or "a visitor")
    ANSWERS.faults |= faults
    print(f"{len(addresses()) * 4} answers, {len(faults)} without the whole set, statuses {sorted(seen)}")
    figure(
        19,
        "headers",
        title="Answers without the whole set of protecting headers",
        target="none, at every address by every method, for a visitor and for two people signed in",
        command="python -m pytest tests/accounts/test_headers.py --results benchmarks/results/accounts",
        figures={
            "addresses": len(addresses()),
            "answers": ANSWERS.seen,
            "without the whole set": sorted(ANSWERS.faults),
            "headers": len(ALWAYS),
            "people": list(ANSWERS.people),
        },
        kept=not ANSWERS.faults and len(ANSWERS.people) >= 3,
    )
    assert faults == {}
    assert {200, 302, 404, 405} <= seen
    assert len(get_resolver().reverse_dict) > 0


@pytest.mark.parametrize("path", ["/nothing/", "/static/nothing.css", "/en/nothing/", "/api/v1/nothing"])
def test_what_is_not_there_carries_them_too(client, secure, path):
    response = client.get(path, headers={"x-forwarded-proto": "https"})
    assert response.status_code == 404 and missing(response) == []


def test_a_fault_a_bad_host_and_a_forged_form_carry_them_too(secure, monkeypatch):
    https = {"x-forwarded-proto": "https"}
    bad_host = Client(headers={**https, "host": "elsewhere.example"}).get("/")
    assert bad_host.status_code == 400 and missing(bad_host) == []
    forged = Client(enforce_csrf_checks=True, headers=https).post("/account/login/", {"login": "pao"})
    assert forged.status_code == 403 and missing(forged) == []
    monkeypatch.setattr("gandan.accounts.views.guessing.may_open_links", lambda *_: 1 / 0)
    fault = Client(raise_request_exception=False, headers=https).get("/account/recovery/x/")
    assert fault.status_code == 500 and missing(fault) == []


@pytest.mark.parametrize("header", ALWAYS)
def test_the_check_sees_a_missing_header(client, secure, figure, header):
    response = client.get("/nothing/", headers={"x-forwarded-proto": "https"})
    del response[header]
    noticed = missing(response) == [header]
    figure.control("headers", f"an answer without {header}", noticed=noticed)
    assert noticed


def test_the_check_sees_a_policy_that_allows_scripts_in_the_page(client, secure, figure):
    response = client.get("/nothing/", headers={"x-forwarded-proto": "https"})
    response["Content-Security-Policy"] += "; script-src 'unsafe-inline'"
    noticed = missing(response) == ["unsafe"]
    figure.control("headers", "a policy that allows scripts in the page", noticed=noticed)
    assert noticed
