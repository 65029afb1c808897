"""Working time waits for opening, sleeps over lunch and holidays, and ends to the second."""

from datetime import date, time

import pytest

from gandan.law import CalendarNotDeclared, OfficeHours, Pause, add_working_time
from tests.law.dates import NATIONAL, at

pytestmark = pytest.mark.agnostic

HOURS = OfficeHours(((time(8), time(12)), (time(13), time(17))))
MINUTE, HOUR = 60, 3600


@pytest.mark.parametrize(
    ("start", "seconds", "ends", "why"),
    [
        ("2026-11-16 07:00", HOUR, "2026-11-16 09:00", "before opening it waits for opening"),
        ("2026-11-16 18:00", HOUR, "2026-11-17 09:00", "after closing it waits for the next day"),
        ("2026-11-16 11:30", HOUR, "2026-11-16 13:30", "lunch"),
        ("2026-11-16 12:00", HOUR, "2026-11-16 14:00", "at the beginning of lunch"),
        ("2026-11-16 13:00", HOUR, "2026-11-16 14:00", "at its end"),
        ("2026-11-16 11:00", HOUR, "2026-11-16 12:00", "what ends as lunch begins ends then"),
        ("2026-11-16 16:00", HOUR, "2026-11-16 17:00", "what ends at closing ends at closing"),
        ("2026-11-16 16:00", HOUR + 1, "2026-11-17 08:00:01", "a second more ends a second after opening"),
        ("2026-11-16 16:00", 61 * MINUTE, "2026-11-17 08:01", "the rest is carried over"),
        ("2026-11-20 16:00", 2 * HOUR, "2026-11-23 09:00", "over a weekend"),
        ("2026-02-13 16:30", HOUR, "2026-02-23 08:30", "over a weekend, Tết and a weekend"),
        ("2026-11-21 10:00", HOUR, "2026-11-23 09:00", "received on a Saturday"),
        ("2026-08-21 16:30", HOUR, "2026-08-22 08:30", "a Saturday that is worked"),
        ("2026-06-01 08:00", 40 * HOUR, "2026-06-05 17:00", "a week of work"),
        ("2026-06-01 08:00", 40 * HOUR + 1, "2026-06-08 08:00:01", "a second more"),
    ],
)
def test_working_time_ends(start: str, seconds: int, ends: str, why: str) -> None:
    assert add_working_time(at(start), seconds, HOURS, NATIONAL) == at(ends), why


def test_two_targets_from_one_start_may_end_on_different_days() -> None:
    start = at("2026-11-20 16:00")
    assert add_working_time(start, 30 * MINUTE, HOURS, NATIONAL) == at("2026-11-20 16:30")
    assert add_working_time(start, 4 * HOUR, HOURS, NATIONAL) == at("2026-11-23 11:00")


@pytest.mark.parametrize(
    ("begin", "end", "ends", "why"),
    [
        ("2026-11-16 09:00", "2026-11-16 10:30", "2026-11-16 15:30", "an hour and a half of work"),
        ("2026-11-16 12:00", "2026-11-16 13:00", "2026-11-16 14:00", "lunch is no work"),
        ("2026-11-16 20:00", "2026-11-17 06:00", "2026-11-16 14:00", "when the work was done"),
        ("2026-11-16 11:00", "2026-11-16 14:00", "2026-11-16 16:00", "two hours of work around lunch"),
        ("2026-11-16 11:00", "2026-11-19 10:00", "2026-11-19 12:00", "over days; what ends as lunch begins ends then"),
        ("2026-11-15 00:00", "2026-11-16 09:00", "2026-11-16 15:00", "paused as it began"),
    ],
)
def test_hold_is_added_as_working_time(begin: str, end: str, ends: str, why: str) -> None:
    """Five hours from eight o'clock end at two, for lunch lies between twelve and one."""
    held = [Pause(at(begin), at(end), "waiting")]
    assert add_working_time(at("2026-11-16 08:00"), 5 * HOUR, HOURS, NATIONAL) == at("2026-11-16 14:00")
    assert add_working_time(at("2026-11-16 08:00"), 5 * HOUR, HOURS, NATIONAL, pauses=held) == at(ends), why


def test_weekdays_may_have_hours_of_their_own() -> None:
    hours = OfficeHours(HOURS.frames, {4: ((time(8), time(11)),), 2: ()})
    assert add_working_time(at("2026-11-20 10:00"), 2 * HOUR, hours, NATIONAL) == at("2026-11-23 09:00")
    assert add_working_time(at("2026-11-17 16:00"), 2 * HOUR, hours, NATIONAL) == at("2026-11-19 09:00")


def test_a_saturday_worked_in_exchange_has_ordinary_hours_unless_it_has_its_own() -> None:
    assert HOURS.frames_on(date(2026, 8, 22)) == HOURS.frames
    short = OfficeHours(HOURS.frames, {5: ((time(8), time(10)),)})
    assert add_working_time(at("2026-08-21 16:30"), 3 * HOUR, short, NATIONAL) == at("2026-08-24 08:30")


@pytest.mark.parametrize(
    "frames",
    [
        (),
        ((time(8), time(12)), (time(11), time(17))),
        ((time(8), time(12)), (time(12), time(17))),
        ((time(13), time(17)), (time(8), time(12))),
        ((time(12), time(8)),),
    ],
)
def test_frames_out_of_order_are_refused(frames: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(ValueError, match="frame"):
        OfficeHours(frames)


def test_a_weekday_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="weekday"):
        OfficeHours(by_weekday={7: HOURS.frames})


def test_no_work_and_an_office_that_never_opens_are_refused() -> None:
    with pytest.raises(ValueError, match="no work"):
        add_working_time(at("2026-11-16 08:00"), 0, HOURS, NATIONAL)
    closed = OfficeHours(HOURS.frames, dict.fromkeys(range(7), ()))
    with pytest.raises(CalendarNotDeclared):
        add_working_time(at("2026-11-16 08:00"), 1, closed, NATIONAL)
