"""The whole interface against its own description, by cases that nobody thought of.

    python -m pytest tests/api/test_contract.py                                        5,000 cases
    python -m tests.api --cases 50000 --results benchmarks/results/hostile             the long form, its figures kept

Each case is a request drawn from the description (as described, and broken on purpose) by somebody: nobody, or
a person of each kind. Every check of schemathesis looks at every answer: no fault of the server, only statuses,
kinds of content and fields that are described, refusal of what is not, no way in without signing in.
"""

import copy
import json
import logging
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.conf import settings as house
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import path
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from gandan.access.interface import refuse
from gandan.cases import follow, guessing
from gandan.cases.models import Case
from gandan.config import api
from gandan.obligations.models import Obligation
from tests.api.conftest import BACKEND

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

CASES = int(os.environ.get("GANDAN_CONTRACT_CASES", "5000"))
PEOPLE = ("", "pao", "commander", "auditor", "registrar")
"""Who asks: nobody, an officer, a commander, an auditor, and somebody who reads no matter."""
PLAUSIBLE = {
    "text": ["Đèn đường hỏng từ hôm qua", "Con đường vào bản bị sạt lở", "Có người đốt rác cạnh trường học"],
    "name": ["Lò Thị Mai", "Giàng A Pao", "Vàng Văn Thắng"],
    "phone": ["0912345678", "0912 345 678", ""],
    "place": ["Bản Nà Hỳ", "Cạnh cầu treo", ""],
    "address": ["Bản Nà Hỳ", "", "Tổ 3"],
    "about": ["", " ", "Ông A"],
}
"""What people write, three draws of four, so that something is received; the fourth is what nobody would write."""
CONFIG = {
    # Who asks is decided here, not drawn.
    "generation": {"with-security-parameters": False},
    "checks": {
        # What the description cannot say (a name that this procedure needs, a file that is a picture) is refused
        # with 422, what belongs to another state of things with 409, too many codes with 429.
        "positive_data_acceptance": {"expected-statuses": ["2xx", 400, 401, 403, 404, 409, 422, 429]},
        "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 413, 415, 422, 429]},
    },
}


@dataclass
class Outcome:
    """What came of the cases: how many by operation and status, and every fault."""

    answers: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def cases(self) -> int:
        return sum(self.answers.values())

    def statuses(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for name, number in self.answers.items():
            found[name.rsplit(" ", 1)[1]] += number
        return found


def known_values(cast: Any) -> dict[str, list[Any]]:
    """Return values that exist, so that cases reach behind the first door."""
    code = cast.brings().code
    cast.brings(unit=cast.phieng_lua)
    cast.brings("DE-01", "Cán bộ đòi tiền")
    matters = [str(key) for key in Case.system("test").values_list("pk", flat=True)]
    promises = [str(key) for key in Obligation.system("test").values_list("pk", flat=True)[:8]]
    units = [cast.na_then.slug, cast.phieng_lua.slug, cast.province.slug, "no-such-unit"]
    return {
        "procedure": ["FB-01", "DE-01", "RE-02", "none"],
        "code": [code, f"{code[:4]} {code[4:]}", "1234567890123456"],
        "unit": units,
        "under": units,
        "slug": units,
        "case": matters,
        "obligation": promises,
        "year": [2026, 2027, 1999],
    }


def described(known: dict[str, list[Any]]) -> dict[str, Any]:
    """Return the description in which fields that name something name what exists (or, once, what does not)."""
    found = copy.deepcopy(api.document())
    for address, methods in found["paths"].items():
        for entry in methods.values():
            for parameter in entry.get("parameters", []):
                name = parameter["name"]
                if name == "code" and "/procedures/" in address:
                    parameter["schema"] = {"type": "string", "enum": ["FB-01", "none"]}
                elif name in known:
                    kind = "integer" if name == "year" else "string"
                    parameter["schema"] = {"type": kind, "enum": known[name]}
            for content in entry.get("requestBody", {}).get("content", {}).values():
                _name(content["schema"], known)
    for name in ("Brought", "Code", "Message"):
        _name(found["components"]["schemas"][name], known)
    # What does not exist is asked for by the broken half.
    for name in ("procedure", "unit"):
        found["components"]["schemas"]["Brought"]["properties"][name]["enum"] = known[name][:2]
    for name, values in PLAUSIBLE.items():
        described_as = found["components"]["schemas"]["Brought"]["properties"]
        likely = [{"type": "string", "enum": [value]} for value in values]
        described_as[name] = {"anyOf": [*likely, described_as[name]]}
    return found


def _name(schema: dict[str, Any], known: dict[str, list[Any]]) -> None:
    for name in ("procedure", "code", "unit"):
        if name in schema.get("properties", {}):
            schema["properties"][name] = {"type": "string", "enum": known[name]}


def run(description: dict[str, Any], cookies: dict[str, dict[str, str]], cases: int, known: Any = None) -> Outcome:
    """Send as many cases, shared among the operations, half of them broken; return what came of them.

    With `known`, the unbroken half names what exists.
    """
    load_all_checks()
    outcome = Outcome()
    described_better = described(known) if known else description
    for mode, told in ((GenerationMode.POSITIVE, described_better), (GenerationMode.NEGATIVE, description)):
        schema = schemathesis.openapi.from_dict(told, config=schemathesis.Config.from_dict(CONFIG))
        schema.app = get_wsgi_application()
        # Which sets up the logs again.
        logging.getLogger("django.request").setLevel(logging.CRITICAL)
        every = [found.ok() for found in schema.get_all_operations()]
        # An operation without anything to vary gives few cases; the others take its share.
        varied = [
            each for each in every if _entry(told, each).get("requestBody") or _entry(told, each).get("parameters")
        ]
        for operation in every if mode is GenerationMode.POSITIVE else varied:
            # Some operations have only so many cases; the others make up for them.
            share = cases * 13 // len(varied) // 20 if operation in varied else 5
            _ask(operation, mode, share, cookies, _checks(told, operation, mode), outcome)
    return outcome


def _given(entry: dict[str, Any]) -> set[str]:
    return {name for name, value in entry.items() if value}


def _entry(description: dict[str, Any], operation: Any) -> Any:
    return description["paths"][operation.path][operation.method.lower()]


def _checks(description: dict[str, Any], operation: Any, mode: Any) -> list[Any]:
    checks = CHECKS.get_all()
    if "multipart/form-data" in _entry(description, operation).get("requestBody", {}).get("content", {}):
        # In a form everything is text: a number in place of words is words.
        checks = [check for check in checks if check.__name__ != "negative_data_rejection"]
    return checks


def _ask(
    operation: Any, mode: Any, share: int, cookies: dict[str, dict[str, str]], checks: Any, outcome: Outcome
) -> None:
    label = f"{operation.method.upper()} {operation.path}"

    def answered(case: Any, who: str) -> None:
        guessing.guesses.__init__()  # type: ignore[misc]
        case.cookies.update(cookies[who])
        # The cookie is a real one: the check then asks again without it, and with a false one.
        case._has_explicit_auth = bool(cookies[who])
        answer = case.call()
        outcome.answers[f"{label} {answer.status_code}"] += 1
        try:
            case.validate_response(answer, checks=checks)
        except FailureGroup as found:
            outcome.faults += [f"{label} as {who or 'nobody'}: {fault}"[:900] for fault in found.exceptions]

    quick: dict[str, Any] = {
        "derandomize": True,
        "database": None,
        "deadline": None,
        "phases": [Phase.generate],
        "suppress_health_check": list(HealthCheck),
    }
    drawn = given(case=operation.as_strategy(generation_mode=mode), who=st.sampled_from(list(cookies)))
    try:
        drawn(settings(max_examples=share, **quick)(answered))()
    except Unsatisfiable:
        # There is no broken way to ask this.
        assert mode is GenerationMode.NEGATIVE


@pytest.fixture
def cookies(cast: Any) -> dict[str, dict[str, str]]:
    """Who asks, with the cookie of each."""
    found: dict[str, dict[str, str]] = {"": {}}
    for name in PEOPLE[1:]:
        client = Client()
        client.force_login(cast.people[name], backend=BACKEND)
        found[name] = {house.SESSION_COOKIE_NAME: client.cookies[house.SESSION_COOKIE_NAME].value}
    return found


@pytest.fixture(autouse=True)
def quiet() -> Any:
    """A refusal a line would bury what matters."""
    logger = logging.getLogger("django.request")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


def test_the_interface_keeps_to_its_description(cast, cookies, monkeypatch, figure):
    # The slow step of a code is reckoned once for each code, instead of at each of a thousand visits.
    monkeypatch.setattr(follow, "hash_secret_raw", cache(follow.hash_secret_raw))
    outcome = run(api.document(), cookies, CASES, known_values(cast))
    statuses = outcome.statuses()
    broken = sum(number for status, number in statuses.items() if status.startswith("5"))
    print(f"{outcome.cases} cases, {len(outcome.faults)} faults, {dict(sorted(statuses.items()))}")
    figure(
        7,
        "api",
        title="Faults of the interface against its own description",
        target="no fault of the server, no answer that is not described, no way in without signing in, in 50,000 cases",
        command="python -m tests.api --cases 50000 --results benchmarks/results/hostile",
        figures={
            "cases": outcome.cases,
            "faults": len(outcome.faults),
            "faults of the server": broken,
            "operations": len({name.rsplit(" ", 1)[0] for name in outcome.answers}),
            "answers by status": dict(sorted(statuses.items())),
        },
        settings={"cases": CASES, "people": len(PEOPLE)},
        kept=not outcome.faults and not broken and outcome.cases >= 50_000,
        note="" if outcome.cases >= 50_000 else f"{outcome.cases} cases instead of 50,000",
    )
    assert not outcome.faults, "\n".join(dict.fromkeys(outcome.faults))
    assert not any(status.startswith("5") for status in statuses)
    assert outcome.cases >= CASES
    # The cases got behind the doors: things were received, followed and read.
    for name in ("POST /api/v1/matters 201", "POST /api/v1/follow 200", "GET /api/v1/cases/{case} 200"):
        assert outcome.answers[name], name


# The control: operations that break the promise must be found.


def planted(answer: Callable[[HttpRequest], HttpResponse], rule: tuple[str, ...]) -> Any:
    def view(request: HttpRequest) -> HttpResponse:
        return answer(request)

    view.__dict__.update({"access_rule": rule, "refuse": refuse, "csrf_exempt": True, "reads_its_body": True})
    return view


def crash(request: HttpRequest) -> HttpResponse:
    if len(request.GET.get("n", "")) > 1:
        return JsonResponse({"told": "wrong"}, status=500)
    return JsonResponse({"told": "well"})


def tell_too_much(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"told": 5})


@pytest.mark.parametrize(
    ("answer", "locked", "fault"),
    [(crash, False, "Server error"), (tell_too_much, False, "violates schema"), (crash, True, "auth")],
    ids=["a fault of the server", "an answer that is not described", "a door that stands open"],
)
def test_a_broken_operation_would_be_found(cast, cookies, monkeypatch, figure, request, answer, locked, fault):
    from gandan.config import urls

    route = path("api/v1/planted", planted(answer if not locked else tell_well, ("public", "a control")))
    monkeypatch.setattr(urls, "urlpatterns", [route, *urls.urlpatterns])
    monkeypatch.setattr(house, "ROOT_URLCONF", "gandan.config.urls")
    _resolve_anew()
    described_as: dict[str, Any] = json.loads(json.dumps(api.document()))
    described_as["paths"] = {
        "/api/v1/planted": {
            "get": {
                "parameters": [{"name": "n", "in": "query", "schema": {"type": "string"}}],
                "responses": {
                    "200": {
                        "description": "",
                        "content": {
                            "application/json": {
                                "schema": {"type": "object", "properties": {"told": {"type": "string"}}}
                            }
                        },
                    },
                    "401": {"description": ""},
                },
                **({"security": [{"session": []}]} if locked else {}),
            }
        }
    }
    try:
        outcome = run(described_as, cookies, 60)
    finally:
        monkeypatch.undo()
        _resolve_anew()
    noticed = any(fault.lower() in each.lower() for each in outcome.faults)
    figure.control("api", request.node.callspec.id, noticed=noticed)
    assert noticed, outcome.faults[:3]


def tell_well(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"told": "well"})


def _resolve_anew() -> None:
    from django.urls import clear_url_caches

    clear_url_caches()
