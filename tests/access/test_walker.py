"""Every address, by every role at every place: what comes, what shows, and what is written by whoever is refused."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory

from gandan.access.middleware import AccessMiddleware, rule_of
from tests.access import walker, world
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


def test_every_address_answers_everybody_as_the_matrix_says(walked, capsys):
    chosen = list(cells(walked, whole=False))
    walked.walk(chosen)
    report(walked, capsys)
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
def test_every_address_answers_everybody_about_every_place_by_every_method(walked, capsys):
    walked.walk(cells(walked, whole=True))
    report(walked, capsys)
    assert not walked.leaks, "\n".join(walked.leaks[:40])
    assert len(walked.walked) >= 10_000


def test_an_address_without_an_example_fails_the_walk(walked):
    with pytest.raises(AssertionError, match="no example"):
        walked.check(Cell("address_of_tomorrow", "GET", "", "own"))


def test_a_view_without_a_rule_is_refused():
    request = RequestFactory().get("/")
    request.resolver_match = None
    with pytest.raises(ImproperlyConfigured):
        AccessMiddleware(lambda r: None).process_view(request, lambda r: None, (), {})
    assert rule_of(lambda r: None, "") is None


def report(walked: Walker, capsys) -> None:
    with capsys.disabled():
        print(f"\nwalker: {len(walked.walked)} cells, {len(walked.leaks)} leaks, {len(walked.parameters)} addresses")
