"""Who settles what, where somebody says so."""

import pytest

from gandan.law import NotStated, who_settles

pytestmark = pytest.mark.agnostic


def test_a_denunciation_of_the_chief_goes_to_the_director_of_the_province() -> None:
    found = who_settles("denunciation", "chief")
    assert found.settler == "province_director"
    assert "224/2025" in found.basis_vi


def test_so_does_one_of_a_deputy_and_of_the_unit_itself() -> None:
    assert who_settles("denunciation", "deputy_chief").settler == "province_director"
    assert who_settles("denunciation", "unit").settler == "province_director"


def test_one_of_an_officer_is_settled_by_the_chief() -> None:
    assert who_settles("denunciation", "officer").settler == "commune_chief"


def test_a_complaint_comes_back_to_the_chief_first_and_to_the_province_after() -> None:
    for about in ("officer", "chief"):
        assert who_settles("complaint", about).settler == "commune_chief"  # type: ignore[arg-type]
        second = who_settles("complaint", about, "second")  # type: ignore[arg-type]
        assert (second.settler, second.evidence) == ("province_director", "memory")


def test_a_crime_report_is_for_the_investigating_agency() -> None:
    assert who_settles("crime_report", "offence").settler == "investigating_agency"


def test_where_nothing_is_stated_nothing_is_guessed() -> None:
    with pytest.raises(NotStated, match="second instance"):
        who_settles("denunciation", "officer", "second")
