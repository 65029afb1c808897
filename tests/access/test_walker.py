"""Every address, by every role at every place: what comes, what shows, and what is written by whoever is refused."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from gandan.access.middleware import AccessMiddleware, rule_of
from tests.access import mutants, walker, world
from tests.access.walker import Cell, Walker, cells
from tests.access.world import PLACES

pytestmark = pytest.mark.django_db
LEAST = 5_000

NEVER = {
    "account_set_password": "only for accounts without a password, which our actions never make",
    "mfa_reauthenticate": "needs a second factor; tests/accounts shows one",
    "mfa_view_recovery_codes": "needs a second factor; tests/accounts shows one",
    "mfa_download_recovery_codes": "needs a second factor; tests/accounts shows one",
    "mfa_generate_recovery_codes": "needs a second factor; tests/accounts shows one",
    "mfa_deactivate_totp": "needs a second factor; tests/accounts shows one",
    "mfa_authenticate": "the second step of signing in; tests/accounts walks it",
    "account_reauthenticate": "nobody here has a password; tests/accounts asks again",
}
"""Addresses at which nobody of this world succeeds, with the reason; each answers as the matrix says."""


@pytest.fixture
def walked() -> Walker:
    return Walker(world.build())


def test_every_address_answers_everybody_as_the_matrix_says(walked, capsys, figure):
    chosen = list(cells(walked, whole=False))
    walked.walk(chosen)
    report(walked, capsys, figure)
    assert not walked.leaks, "\n".join(walked.leaks[:40])
    assert len(walked.walked) >= LEAST
    assert {cell.route for cell in walked.walked} == set(walked.parameters)
    never = set(walked.parameters) - walked.succeeded - set(NEVER)
    assert not never, f"nobody succeeds at {sorted(never)}"
    assert {cell.actor.partition("@")[2] for cell in walked.walked} >= set(PLACES)


def test_whoever_is_refused_leaves_every_row_as_it_was(walked):
    """The refused cells again, with nothing put back: not one row of any table differs, but for the record of it."""
    refused = [cell for cell in cells(walked, whole=False) if cell.method == "POST" and not walked.expected(cell)[1]]
    refused = [cell for cell in refused if walker.example(cell.route).body is not None][::4]
    before = walker.digest()
    with walker.quiet():
        for cell in refused:
            assert walked.ask(cell).status_code >= 300
    after = walker.digest()
    assert len(refused) > 300
    assert {table for table in before if before[table] != after[table]} <= {"audit_auditentry", "audit_audithead"}


@pytest.mark.long
def test_every_address_answers_everybody_about_every_place_by_every_method(walked, capsys, figure):
    walked.walk(cells(walked, whole=True))
    report(walked, capsys, figure)
    assert not walked.leaks, "\n".join(walked.leaks[:40])
    assert len(walked.walked) >= 10_000


def test_an_address_without_an_example_fails_the_walk(walked, figure):
    with pytest.raises(AssertionError, match="no example"):
        walked.check(Cell("address_of_tomorrow", "GET", "", "own"))
    figure.control("walker", "an address without an example", noticed=True)


def test_a_view_without_a_rule_is_refused(figure):
    request = RequestFactory().get("/")
    request.resolver_match = None
    with pytest.raises(ImproperlyConfigured):
        AccessMiddleware(lambda r: None).process_view(request, lambda r: None, (), {})
    assert rule_of(lambda r: None, "") is None
    figure.control("walker", "a view without a rule", noticed=True)


@pytest.mark.parametrize(
    ("rule", "route"),
    [("policy Case", "case"), ("@needs api_cases_in_reach", "api_cases_in_reach")],
    ids=["a table that asks nothing", "a door that stands open"],
)
def test_a_rule_that_is_taken_away_is_a_leak(walked, figure, request, rule, route):
    missing = next(each for each in mutants.mutants() if each.name == rule)
    chosen = [cell for cell in cells(walked, whole=False) if cell.route == route]
    with mutants.living(missing):
        walked.walk(chosen)
    figure.control("walker", request.node.callspec.id, noticed=bool(walked.leaks))
    assert walked.leaks


def report(walked: Walker, capsys, figure) -> None:
    with capsys.disabled():
        print(f"\nwalker: {len(walked.walked)} cells, {len(walked.leaks)} leaks, {len(walked.parameters)} addresses")
    without = [name for name in walked.parameters if walker.example(name) is None]
    figure(
        4,
        "walker",
        title="Answers that are not as the matrix of access says",
        target=f"none in at least {LEAST:,} cells (address, method, person, place); no address without an example",
        command="python -m pytest tests/access/test_walker.py -m 'not long' --results benchmarks/results/access",
        figures={
            "cells": len(walked.walked),
            "leaks": len(walked.leaks),
            "addresses": len(walked.parameters),
            "addresses without an example": len(without),
            "people": len({cell.actor for cell in walked.walked}),
        },
        kept=not walked.leaks and not without and len(walked.walked) >= LEAST,
    )
