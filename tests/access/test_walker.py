"""Walking every route as every role, with a canary in every field that belongs to somebody.

The world has a matter and its promises in the reader's own commune, in the neighbouring one, and in another
province, and a complaint about the reader's own unit. Every text in them is a canary that names its place. A
page may show canaries of places that its reader reaches, and of no other.
"""

import re
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory
from django.urls import get_resolver, reverse

from gandan.access import sql
from gandan.access.middleware import AccessMiddleware, rule_of
from gandan.access.policies import Policy
from gandan.cases.models import Case
from gandan.obligations.models import Obligation

pytestmark = pytest.mark.django_db

ROLES = {
    "pao": {"own"},
    "truc": {"own"},
    "chief": {"own"},
    "lan": {"near"},
    "dispatcher": {"own", "near"},
    "commander": {"own", "near"},
    "inspector": {"complaint"},
    "minister": {"complaint", "abroad"},
    "auditor": {"own", "near", "complaint"},
    "registrar": set(),
    "administrator": set(),
    "stranger": {"far"},
}
IDENTITY = {"pao", "truc", "chief", "lan", "inspector", "minister"}
CANARY = re.compile(r"CANARY-(own|near|far|complaint|abroad)-(\w+)")


@dataclass
class World:
    cast: Any
    cases: dict[str, Case]

    def arguments(self, place: str) -> dict[str, Any]:
        case = self.cases[place]
        promise = Obligation.system("walker").filter(matter=case.pk).first()
        return {
            "case": case.pk,
            "matter": case.pk,
            "obligation": promise.pk,
            "slug": case.received_by.slug,
            "code": "FB-01",
            "file": uuid4(),
            "notice": uuid4(),
            "act": uuid4(),
            "invitation": uuid4(),
            "grant": uuid4(),
            "draft": uuid4(),
            "step": "what",
            "token": "none",
            "rest": "nothing",
            "position": 1,
            "day": "2026-11-26",
            "year": 2026,
        }


@pytest.fixture
def world(cast) -> World:
    def brings(place, unit, code="FB-01"):
        words = {name: f"CANARY-{place}-{name}" for name in ("text", "place", "name", "address")}
        receipt = cast.brings(
            code,
            words["text"],
            unit=unit,
            title=f"CANARY-{place}-title",
            place=words["place"],
            identity={"name": words["name"], "address": words["address"]},
        )
        return receipt.case

    return World(
        cast,
        {
            "own": brings("own", cast.na_then),
            "near": brings("near", cast.phieng_lua),
            "far": brings("far", cast.far_away),
            "complaint": brings("complaint", cast.na_then, "DE-01"),
        },
    )


def routes() -> list[tuple[str, tuple[str, ...]]]:
    """Return every named route with the names of its arguments."""
    found = {}
    for name, entries in get_resolver().reverse_dict.lists():
        if isinstance(name, str):
            found[name] = tuple(entries[0][0][0][1])
    return sorted(found.items())


def visit(client: Client, name: str, parameters: tuple[str, ...], given: dict[str, Any]) -> Any:
    missing = [p for p in parameters if p not in given]
    assert not missing, f"route {name} has no example for {missing}"
    return client.get(reverse(name, kwargs={p: given[p] for p in parameters}), headers={"accept-language": "en"})


def seen(response: Any) -> set[tuple[str, str]]:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    headers = " ".join(f"{k}: {v}" for k, v in response.items())
    return set(CANARY.findall(body.decode("utf-8", "replace") + headers))


@pytest.mark.parametrize("name", [*ROLES, ""])
def test_no_page_shows_what_its_reader_does_not_reach(world, name):
    client = Client()
    if name:
        client.force_login(world.cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    allowed, cells = ROLES.get(name, set()), 0
    for route, parameters in routes():
        if route in ("demo", "demo_sit", "account_logout"):
            continue
        for place in world.cases if parameters else ("own",):
            response = visit(client, route, parameters, world.arguments(place))
            cells += 1
            assert response.status_code in (200, 302, 400, 401, 403, 404, 405, 410, 422), (
                route,
                place,
                response.status_code,
            )
            for canary, field in seen(response):
                assert canary in allowed, f"{name or 'anonymous'} sees {canary}.{field} on {route}"
                if field in ("name", "address"):
                    assert name in IDENTITY, f"{name} sees {canary}.{field} on {route}"
    assert cells > 60


@pytest.mark.parametrize(("name", "places"), ROLES.items())
def test_a_matter_opens_to_those_who_reach_it_and_is_absent_for_all_others(world, name, places):
    client = Client()
    client.force_login(world.cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    for place, case in world.cases.items():
        status = client.get(reverse("case", args=[case.pk])).status_code
        if place in places:
            assert status == 200, (name, place)
        else:
            assert status in (403, 404), (name, place, status)


def test_a_complaint_leaves_no_trace_on_the_pages_of_those_concerned(cast):
    names = ("desk", "case_list", "notices", "command", "open_data")
    cast.brings("FB-01", "Một việc khác")

    def pages():
        found = {}
        for person in ("pao", "truc", "chief", "commander", "dispatcher"):
            client = Client()
            client.force_login(cast.people[person], backend="allauth.account.auth_backends.AuthenticationBackend")
            for name in names:
                text = client.get(reverse(name)).content.decode()
                found[person, name] = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
        return found

    before = pages()
    cast.brings("DE-01", "Cán bộ đòi tiền")
    cast.brings("CO-01", "Phạt sai")
    assert pages() == before


def test_an_unsafe_method_that_is_refused_changes_nothing(world):
    case = world.cases["own"]
    before = list(Case.system("walker").order_by("pk").values())
    client = Client()
    client.force_login(world.cast.people["lan"], backend="allauth.account.auth_backends.AuthenticationBackend")
    refused = 0
    for route, parameters in routes():
        if parameters == ("case",) and route != "case":
            status = client.post(reverse(route, kwargs={"case": case.pk}), {"text": "x", "items": "x"}).status_code
            assert status in (403, 404, 405), (route, status)
            refused += 1
    assert refused >= 10 and list(Case.system("walker").order_by("pk").values()) == before


def test_the_walker_fails_when_a_policy_is_neutralised(world, monkeypatch):
    from django.db.models import Q

    monkeypatch.setattr(Policy, "condition", lambda self, actor, capability: Q())
    sql.forget()
    with pytest.raises(AssertionError, match="sees"):
        test_no_page_shows_what_its_reader_does_not_reach(world, "lan")


def test_the_walker_fails_when_concerns_are_neutralised(world, monkeypatch):
    from django.db.models import Q

    from gandan.staffing.authority import GrantAuthority

    monkeypatch.setattr(GrantAuthority, "subject", lambda self: Q(pk__in=[]))
    monkeypatch.setattr(GrantAuthority, "about", lambda self, actor: Q(pk__in=[]))
    sql.forget()
    with pytest.raises(AssertionError, match="sees complaint"):
        test_no_page_shows_what_its_reader_does_not_reach(world, "commander")


def test_a_view_without_a_rule_is_refused():
    request = RequestFactory().get("/")
    request.resolver_match = None
    with pytest.raises(ImproperlyConfigured):
        AccessMiddleware(lambda r: None).process_view(request, lambda r: None, (), {})
    assert rule_of(lambda r: None, "") is None
