"""When a term ends: what the tables of the page do not say."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from gandan.law import (
    Calendar,
    CalendarNotDeclared,
    Extension,
    ExtensionRule,
    OfficeHours,
    Pause,
    Term,
    closing_of,
    deadline,
    deadline_of,
    due_on,
    explain,
    render,
)
from tests.law.dates import NATIONAL, at, seeded

pytestmark = pytest.mark.agnostic


def test_the_clock_sleeps_through_national_day() -> None:
    assert due_on(date(2025, 8, 29), 3, NATIONAL) == date(2025, 9, 5)


def test_an_answer_is_owed_after_one_working_day_at_least() -> None:
    with pytest.raises(ValueError, match="at least one"):
        due_on(date(2025, 8, 29), 0, NATIONAL)


def test_a_day_ends_at_the_midnight_that_ends_it() -> None:
    found = deadline(3, "working_day", at("2025-08-29 22:40"), NATIONAL)
    assert found.last_day == date(2025, 9, 5)
    assert found.due_at == at("2025-09-06")
    assert found.due_at.utcoffset() == timedelta(hours=7)


def test_the_day_is_the_day_in_vietnam() -> None:
    """23:30 in Greenwich on Sunday is Monday morning in Lai Châu."""
    received = datetime.fromisoformat("2026-06-07T23:30:00+00:00")
    assert deadline(1, "working_day", received, NATIONAL).last_day == date(2026, 6, 9)


@pytest.mark.parametrize("unit", ["day", "working_day", "half_day", "month"])
def test_an_absent_year_is_refused(unit: str) -> None:
    with pytest.raises(CalendarNotDeclared) as refused:
        deadline(3, unit, at("2031-01-05"), NATIONAL)  # type: ignore[arg-type]
    assert refused.value.year == 2031


def test_only_the_year_that_is_needed_must_be_declared() -> None:
    only_2026 = seeded(2026, 2026)
    assert deadline(3, "working_day", at("2026-12-28"), only_2026).last_day == date(2026, 12, 31)
    with pytest.raises(CalendarNotDeclared):
        deadline(4, "working_day", at("2026-12-28"), only_2026)


def test_hours_need_no_calendar() -> None:
    assert deadline(24, "hour", at("2031-01-05 10:00"), Calendar()).due_at == at("2031-01-06 10:00")


def test_a_clock_that_starts_at_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        deadline(1, "day", datetime(2026, 6, 1, 9), NATIONAL)  # noqa: DTZ001


@pytest.mark.parametrize(("amount", "unit"), [(0, "day"), (-15, "day"), (0, "hour"), (Decimal("0.5"), "working_day")])
def test_a_term_without_length_or_of_half_a_day_is_refused(amount: Decimal, unit: str) -> None:
    with pytest.raises(ValueError, match=r"no term counts|counts whole"):
        deadline(amount, unit, at("2026-06-01"), NATIONAL)  # type: ignore[arg-type]


def test_half_an_hour_is_thirty_minutes() -> None:
    assert deadline(Decimal("0.5"), "hour", at("2026-06-01 10:00"), NATIONAL).due_at == at("2026-06-01 10:30")


@pytest.mark.parametrize(
    ("unit", "extended_by"),
    [("hour", "day"), ("hour", "working_day"), ("day", "hour"), ("working_day", "half_day"), ("half_day", "month")],
)
def test_an_extension_in_a_unit_that_does_not_fit_is_refused(unit: str, extended_by: str) -> None:
    with pytest.raises(ValueError, match="not extended by"):
        deadline(1, unit, at("2026-06-01"), NATIONAL, extensions=[Extension(Decimal(1), extended_by)])  # type: ignore[arg-type]


def test_fractions_of_a_second_are_dropped() -> None:
    start = at("2026-06-01 10:00:30") + timedelta(microseconds=999_999)
    assert deadline(24, "hour", start, NATIONAL).due_at == at("2026-06-02 10:00:30")


def test_a_pause_that_lasts_moves_nothing_and_is_told() -> None:
    pause = Pause(at("2026-06-03 10:00"), None, "missing_papers")
    found = deadline(7, "working_day", at("2026-06-01"), NATIONAL, pauses=[pause])
    assert found.due_at == deadline(7, "working_day", at("2026-06-01"), NATIONAL).due_at
    assert [line.facts["ground"] for line in explain(found).lines if line.code == "open"] == ["missing_papers"]


def test_a_pause_that_lasts_is_told_as_exactly_as_its_clock_counts() -> None:
    pause = Pause(at("2026-06-03 10:00:34"), None, "missing_papers")
    in_days = deadline(7, "working_day", at("2026-06-01"), NATIONAL, pauses=[pause])
    in_hours = deadline(96, "hour", at("2026-06-01"), NATIONAL, pauses=[pause])
    assert "từ 10:00 03/06/2026:" in " ".join(render(in_days, "vi"))
    assert "since 10:00 on 3 June 2026:" in " ".join(render(in_days, "en"))
    assert "từ 10:00:34 03/06/2026:" in " ".join(render(in_hours, "vi"))


def test_a_pause_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        Pause(at("2026-06-03"), at("2026-06-02"))


def test_a_pause_between_naive_instants_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        Pause(datetime(2026, 6, 3), at("2026-06-04"))  # noqa: DTZ001


def test_a_clock_never_ends_on_a_day_on_which_it_stood_still() -> None:
    """Moved over Tết to the 23rd, paused from then until the 26th: it may not be late as it runs on."""
    pause = Pause(at("2026-02-23 08:00"), at("2026-02-26 15:00"), "waiting")
    found = deadline(10, "day", at("2026-02-10"), NATIONAL, pauses=[pause])
    assert found.last_day == date(2026, 2, 26)
    assert pause.end is not None
    assert found.due_at > pause.end


def test_a_provisional_year_is_named_in_the_sum() -> None:
    codes = [line.code for line in explain(deadline(3, "working_day", at("2026-12-30"), NATIONAL)).lines]
    assert codes.count("provisional") == 1
    codes = [line.code for line in explain(deadline(1, "working_day", at("2026-12-30"), NATIONAL)).lines]
    assert "provisional" not in codes


TERM = Term(
    "DE-01.decide",
    Decimal(30),
    "day",
    basis_vi="Luật Tố cáo 25/2018/QH14, Điều 30",
    basis_en="Law on Denunciations 25/2018/QH14, art. 30",
    remote_amount=Decimal(45),
    extensions=(ExtensionRule("complex", 30, "day", times=1), ExtensionRule("very_complex", 30, "day", times=2)),
    pause_grounds=("assessment",),
)


def test_a_deadline_of_a_term_carries_its_citation_and_variant() -> None:
    found = deadline_of(TERM, at("2026-06-01"), NATIONAL, remote=True)
    assert found.last_day == date(2026, 7, 16)
    assert explain(found).basis_en == "Law on Denunciations 25/2018/QH14, art. 30"
    (said,) = [line.facts for line in explain(found).lines if line.code == "term"]
    assert (said["amount"], said["ordinary"], said["remote"]) == (45, 30, True)


def test_a_term_is_extended_as_often_as_it_allows() -> None:
    twice = [Extension(Decimal(30), "day", "two places", "very_complex")] * 2
    found = deadline_of(TERM, at("2026-06-01"), NATIONAL, extensions=twice)
    assert found.last_day == date(2026, 9, 3), "Sunday 30 August, an exchange and National Day are skipped"
    with pytest.raises(ValueError, match="at most 2 times"):
        deadline_of(TERM, at("2026-06-01"), NATIONAL, extensions=[*twice, twice[0]])


def test_an_extension_that_the_term_does_not_list_is_refused() -> None:
    with pytest.raises(ValueError, match="gives no extension"):
        deadline_of(TERM, at("2026-06-01"), NATIONAL, extensions=[Extension(Decimal(5), "day", "x", "favour")])


def test_an_extension_longer_than_the_term_allows_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 30 days"):
        deadline_of(TERM, at("2026-06-01"), NATIONAL, extensions=[Extension(Decimal(31), "day", "x", "complex")])


def test_a_pause_for_a_ground_that_the_term_does_not_list_is_refused() -> None:
    pause = Pause(at("2026-06-03"), at("2026-06-04"), "too_busy")
    with pytest.raises(ValueError, match="gives no pause"):
        deadline_of(TERM, at("2026-06-01"), NATIONAL, pauses=[pause])
    fine = Pause(at("2026-06-03"), at("2026-06-04"), "assessment")
    assert deadline_of(TERM, at("2026-06-01"), NATIONAL, pauses=[fine]).last_day == date(2026, 7, 2)


def test_the_desk_closes_before_the_day_ends() -> None:
    hours = OfficeHours(by_weekday={4: OfficeHours().frames[:1], 5: ()})
    assert closing_of(date(2026, 6, 1), hours) == at("2026-06-01 17:00")
    assert closing_of(date(2026, 6, 5), hours) == at("2026-06-05 11:30")
    with pytest.raises(ValueError, match="does not open"):
        closing_of(date(2026, 6, 6), hours)
