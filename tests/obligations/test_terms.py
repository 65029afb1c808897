"""Terms as data: taken over from a file, versioned, never altered; a promise keeps the version it began with."""

import copy
import re
from datetime import date
from decimal import Decimal

import pytest

from gandan.access import Refused
from gandan.audit.models import AuditEntry
from gandan.obligations import actions, terms
from gandan.obligations.actions.versions import EVIDENCE
from gandan.obligations.models import Term
from tests.cast import NOBODY
from tests.obligations.promises import one, start

pytestmark = pytest.mark.django_db

GOOD = {
    "code": "RE-99.result",
    "vi": "a",
    "en": "a",
    "amount": 3,
    "unit": "day",
    "starts_on": "received",
    "ends_on": "answered",
    "evidence": "memory",
}


def test_every_term_of_the_package_has_both_names_a_law_and_a_mark_of_evidence(cast):
    assert Term.objects.count() >= 40
    for term in Term.objects.all():
        assert term.name_vi and term.name_en and term.basis_vi and term.basis_en, term.code
        assert term.evidence in EVIDENCE
        assert term.procedure == term.code.split(".")[0]
        terms.value_of(term)


def test_no_term_of_the_package_claims_to_be_checked(cast):
    """Nobody has compared any of them with the official text clause by clause."""
    assert not Term.objects.filter(evidence="official").exists()


def test_a_term_does_not_reach_back_before_its_law(cast):
    assert terms.in_force("PD-01", date(2025, 12, 31)) == []
    assert [term.code for term in terms.in_force("PD-01", date(2026, 1, 1), starts_on="received")] == ["PD-01.respond"]


def test_a_term_gets_a_new_version_and_old_promises_keep_theirs(cast):
    matter, _ = start(cast, when="2026-11-16")
    term = Term.objects.get(code="RE-02.result")
    actions.amend_term(term=term, columns={"amount": 5}, valid_from=date(2026, 11, 20), by=NOBODY)
    assert one(matter).term.version == 1
    later, _ = start(cast, when="2026-11-23")
    assert one(later).term.version == 2
    term.refresh_from_db()
    assert term.valid_to == date(2026, 11, 20)


@pytest.mark.parametrize(
    ("columns", "day"),
    [
        ({"amount": 9}, date(2021, 7, 1)),
        ({}, date(2026, 12, 1)),
        ({"amount": Decimal("-1")}, date(2026, 12, 1)),
        ({"amount": Decimal("1.5")}, date(2026, 12, 1)),
        ({"remote_amount": Decimal("0")}, date(2026, 12, 1)),
    ],
)
def test_a_version_that_begins_too_early_changes_nothing_or_has_no_length_is_refused(cast, columns, day):
    term = Term.objects.get(code="RE-02.result")
    with pytest.raises(Refused):
        actions.amend_term(term=term, columns=columns, valid_from=day, by=NOBODY)


def test_the_file_of_the_package_changes_nothing_the_second_time(cast):
    assert actions.import_terms(data=actions.reference_terms(), by=NOBODY) == []


def test_a_changed_file_adds_versions_of_what_changed_and_nothing_else(cast):
    data = copy.deepcopy(actions.reference_terms())
    entry = next(entry for entry in data["terms"] if entry["code"] == "RE-02.result")
    entry["amount"] = 4
    data["terms"].append(GOOD)
    shown = actions.import_terms(data=data, by=NOBODY, valid_from=date(2027, 1, 1), dry_run=True)
    assert [(c.after.code, c.before and c.before.version, c.after.version) for c in shown] == [
        ("RE-02.result", 1, 2),
        ("RE-99.result", None, 1),
    ]
    assert not Term.objects.filter(code="RE-99.result").exists()
    before = AuditEntry.system("test").count()
    done = actions.import_terms(data=data, by=NOBODY, valid_from=date(2027, 1, 1))
    assert [c.after.code for c in done] == [c.after.code for c in shown]
    assert AuditEntry.system("test").count() == before + 2
    assert [t.amount for t in terms.in_force("RE-02", date(2026, 12, 31))] == [3]
    assert [t.amount for t in terms.in_force("RE-02", date(2027, 1, 1))] == [4]


def test_a_file_may_name_the_first_day_itself(cast):
    actions.import_terms(data={"terms": [GOOD | {"valid_from": date(2026, 12, 1)}]}, by=NOBODY)
    assert Term.objects.get(code="RE-99.result").valid_from == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"amount": None}, "amount"),
        ({"unit": "moon"}, "moon"),
        ({"evidence": "hearsay"}, "hearsay"),
        ({"amount": -1}, "RE-99"),
        ({"amount": 1.5}, "RE-99"),
        ({"amount": 10**9}, "RE-99"),
        ({"amount": 0.333, "unit": "hour"}, "RE-99"),
        ({"amount": "many"}, "many"),
        ({"amount": float("nan")}, "RE-99"),
        ({"code": "RE99"}, "RE99"),
        ({"vi": "x" * 201}, "vi"),
        ({"en": ["a"]}, "en"),
        ({"valid_from": "tomorrow"}, "2026-07-01"),
        ({"extensions": [{"code": "x"}]}, "RE-99"),
        ({"extensions": [{"code": "x", "amount": 1.5, "unit": "day"}]}, "RE-99"),
        ({"pause_grounds": "papers"}, "RE-99"),
        ({"renewal or replacement.": None}, "renewal"),
    ],
)
def test_a_faulty_entry_is_answered_by_its_name(cast, entry, words):
    data = {"terms": [GOOD | entry]}
    assert re.search(words, " ".join(actions.check_terms(data)))
    with pytest.raises(Refused):
        actions.import_terms(data=data, by=NOBODY)
    assert not Term.objects.filter(code__startswith="RE-99").exists()


@pytest.mark.parametrize("data", [None, [], {"terms": 1}, {"terms": ["x"]}, {"terms": [GOOD, GOOD]}, {"terms": [{}]}])
def test_what_is_no_file_of_terms_is_answered_in_a_sentence(data):
    assert actions.check_terms(data)
