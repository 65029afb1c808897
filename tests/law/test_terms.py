"""Terms are data with versions, variants and a mark of how well they are known."""

from datetime import date
from decimal import Decimal

import pytest

from gandan.law import ExtensionRule, NoTerm, Term, term_in_force

pytestmark = pytest.mark.agnostic


def version(number: int, amount: int, valid_from: str, valid_to: str | None = None) -> Term:
    return Term(
        "CO-01.decide",
        Decimal(amount),
        "day",
        version=number,
        valid_from=date.fromisoformat(valid_from),
        valid_to=date.fromisoformat(valid_to) if valid_to else None,
        complex_amount=Decimal(amount + 15),
        remote_amount=Decimal(amount + 20),
    )


VERSIONS = [
    version(1, 30, "2012-07-01", "2021-01-01"),
    version(2, 25, "2021-01-01", "2026-07-01"),
    version(3, 20, "2026-07-01"),
]


@pytest.mark.parametrize(
    ("on", "amount"),
    [("2012-07-01", 30), ("2020-12-31", 30), ("2021-01-01", 25), ("2026-06-30", 25), ("2026-07-01", 20)],
)
def test_a_matter_has_the_version_in_force_on_its_day(on: str, amount: int) -> None:
    assert term_in_force(VERSIONS, "CO-01.decide", date.fromisoformat(on)).amount == amount
    assert term_in_force(reversed(VERSIONS), "CO-01.decide", date.fromisoformat(on)).amount == amount


def test_a_day_before_the_first_version_and_an_unknown_code_have_no_term() -> None:
    with pytest.raises(NoTerm, match="2012-06-30"):
        term_in_force(VERSIONS, "CO-01.decide", date(2012, 6, 30))
    with pytest.raises(NoTerm, match=r"CO-09\.x"):
        term_in_force(VERSIONS, "CO-09.x", date(2026, 11, 23))


def test_a_term_ends_on_the_day_before_its_end_is_stated() -> None:
    only = [version(1, 30, "2012-07-01", "2021-01-01")]
    assert term_in_force(only, "CO-01.decide", date(2020, 12, 31)).version == 1
    with pytest.raises(NoTerm):
        term_in_force(only, "CO-01.decide", date(2021, 1, 1))


def test_the_latest_of_two_versions_that_overlap_is_in_force() -> None:
    overlapping = [*VERSIONS, version(4, 10, "2026-09-01")]
    assert term_in_force(overlapping, "CO-01.decide", date(2026, 11, 23)).version == 4


def test_the_variant_of_a_matter_is_chosen() -> None:
    found = term_in_force(VERSIONS, "CO-01.decide", date(2026, 11, 23), remote=True)
    assert found.amount == 40
    assert found.remote_amount is None
    assert found.version == 3


@pytest.mark.parametrize(
    ("remote", "complex_", "both", "wanted"),
    [(45, 40, 60, 60), (45, 40, None, 45), (None, 40, None, 40), (None, None, None, 30)],
)
def test_a_variant_that_the_law_does_not_give_falls_back(
    remote: int | None, complex_: int | None, both: int | None, wanted: int
) -> None:
    amounts = [None if each is None else Decimal(each) for each in (remote, complex_, both)]
    term = Term(
        "X.y", Decimal(30), "day", remote_amount=amounts[0], complex_amount=amounts[1], remote_complex_amount=amounts[2]
    )
    assert term.amount_for(remote=True, complex=True) == wanted
    assert term.amount_for() == 30
    assert term.amount_for(remote=True) == (remote or 30)
    assert term.amount_for(complex=True) == (complex_ or 30)


@pytest.mark.parametrize("amount", ["0", "-15"])
def test_a_term_without_length_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="no length"):
        Term("X.y", Decimal(amount), "day")
    with pytest.raises(ValueError, match="no length"):
        Term("X.y", Decimal(1), "day", remote_amount=Decimal(amount))


@pytest.mark.parametrize("unit", ["day", "working_day", "half_day", "month"])
def test_a_part_of_a_day_is_refused(unit: str) -> None:
    with pytest.raises(ValueError, match="counts whole"):
        Term("X.y", Decimal("0.5"), unit)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="counts whole"):
        Term("X.y", Decimal(1), unit, complex_amount=Decimal("1.5"))  # type: ignore[arg-type]


def test_a_part_of_an_hour_is_a_term() -> None:
    assert Term("X.y", Decimal("0.5"), "hour").amount == Decimal("0.5")


def test_an_extension_names_who_decides_and_when_to_ask() -> None:
    rule = ExtensionRule("extend_2", 2, "month", 1, "procuracy", ask_before=5)
    assert (rule.by, rule.ask_before) == ("procuracy", 5)
