"""What a clock shows at an instant."""

from datetime import UTC, timedelta

import pytest

from gandan.law import clock_state, is_overdue, time_left
from tests.law.dates import at

pytestmark = pytest.mark.agnostic

DUE = at("2026-11-21")
"""The midnight that ends Friday 20 November."""
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("moment", "kind", "days"),
    [
        ("2026-11-11", "idle", 9),
        ("2026-11-16 23:59:59", "idle", 4),
        ("2026-11-17 00:00", "soon", 3),
        ("2026-11-20 00:00", "soon", 0),
        ("2026-11-20 23:59:59", "soon", 0),
        ("2026-11-21 00:00", "late", 1),
        ("2026-11-21 23:59", "late", 1),
        ("2026-11-23 08:00", "late", 3),
    ],
)
def test_a_clock_says_how_it_stands(moment: str, kind: str, days: int) -> None:
    state = clock_state(at("2026-11-06"), DUE, at(moment))
    assert (state.kind, state.days, state.in_hours) == (kind, days, False)


@pytest.mark.parametrize(
    ("moment", "kind", "hours"),
    [
        ("2026-11-22 22:41", "soon", 23),
        ("2026-11-23 22:00", "soon", 0),
        ("2026-11-23 22:40", "late", 0),
        ("2026-11-24 01:40", "late", 3),
    ],
)
def test_a_clock_of_a_day_is_told_in_hours(moment: str, kind: str, hours: int) -> None:
    state = clock_state(at("2026-11-22 22:40"), at("2026-11-23 22:40"), at(moment))
    assert (state.kind, state.hours, state.in_hours) == (kind, hours, True)


def test_forty_eight_hours_are_told_in_hours_and_a_minute_more_is_not() -> None:
    start = at("2026-11-20 10:00")
    assert clock_state(start, start + timedelta(hours=48), start).in_hours
    assert not clock_state(start, start + timedelta(hours=48, minutes=1), start).in_hours


def test_what_is_done_at_the_very_midnight_is_late() -> None:
    start = at("2026-11-06")
    assert clock_state(start, DUE, DUE, discharged_at=DUE).kind == "done_late"
    assert clock_state(start, DUE, DUE, discharged_at=DUE - INSTANT).kind == "done_in_time"


def test_what_was_done_late_says_by_how_much_for_ever() -> None:
    state = clock_state(at("2026-11-06"), DUE, at("2027-05-01"), discharged_at=at("2026-11-24 10:00"))
    assert (state.kind, state.days) == ("done_late", 4)


def test_a_paused_clock_is_never_late() -> None:
    state = clock_state(at("2026-11-06"), DUE, at("2026-12-24"), suspended=True)
    assert (state.kind, state.days) == ("hold", 0)
    assert not is_overdue(DUE, at("2026-12-24"), suspended=True)


def test_overdue_begins_with_the_due_instant() -> None:
    assert not is_overdue(DUE, DUE - INSTANT)
    assert is_overdue(DUE, DUE)
    assert not is_overdue(DUE, DUE, discharged=True)


def test_overdue_and_the_clock_agree() -> None:
    for hours in range(-72, 72):
        moment = DUE + timedelta(hours=hours)
        assert is_overdue(DUE, moment) == (clock_state(at("2026-11-06"), DUE, moment).kind == "late")


def test_days_are_days_in_vietnam_whatever_the_instants_are_written_in() -> None:
    """18:00 in Greenwich on the 19th is one in the morning of the 20th, the last day."""
    moment = at("2026-11-20 01:00").astimezone(UTC)
    left = time_left(DUE.astimezone(UTC), moment)
    assert (left.late, left.days, left.hours) == (False, 0, 23)


def test_the_last_day_is_a_day_in_vietnam_too() -> None:
    """Three in the morning of the 21st is still the 20th in Greenwich."""
    due_at = at("2026-11-21 03:00").astimezone(UTC)
    assert time_left(due_at, at("2026-11-20 23:00")).days == 1
    assert time_left(due_at, at("2026-11-21 00:00")).days == 0


@pytest.mark.parametrize(("moment", "share"), [("2026-11-01", 0.0), ("2026-11-06", 0.0), ("2026-11-30", 1.0)])
def test_the_share_of_time_used_lies_between_none_and_all(moment: str, share: float) -> None:
    assert clock_state(at("2026-11-06"), DUE, at(moment)).used_share == share


def test_half_of_the_time_is_half() -> None:
    assert clock_state(at("2026-11-01"), DUE, at("2026-11-11")).used_share == 0.5
