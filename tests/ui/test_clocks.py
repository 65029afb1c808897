"""A clock is told in words first; the ring and the colour only repeat them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.template import engines
from django.utils import translation

from gandan.law import ClockState, clock_state
from gandan.law.deadlines import VIETNAM
from gandan.ui.templatetags.gandan import clock_words

pytestmark = pytest.mark.agnostic

AT = datetime(2026, 11, 23, 9, 0, tzinfo=VIETNAM)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MIDNIGHT = datetime(2026, 11, 24, 0, 0, tzinfo=VIETNAM)


def read(started: datetime, due: datetime, **state: Any) -> tuple[ClockState, datetime]:
    return clock_state(started, due, AT, **state), due


CASES = [
    (read(AT - DAY, MIDNIGHT + 8 * DAY), "còn 8 ngày", "8 days left"),
    (read(AT - 5 * DAY, MIDNIGHT + DAY), "còn 1 ngày", "1 day left"),
    (read(AT - 5 * DAY, MIDNIGHT), "hạn hôm nay", "due today"),
    (read(AT - 5 * DAY, AT + 8 * HOUR), "hạn hôm nay 17:00", "due today 17:00"),
    (read(AT - 10 * HOUR, AT + 14 * HOUR), "còn 14 giờ", "14 hours left"),
    (read(AT - 23.5 * HOUR, AT + 0.5 * HOUR), "còn chưa đến 1 giờ", "less than an hour left"),
    (read(AT - 10 * DAY, MIDNIGHT - 4 * DAY), "quá hạn 4 ngày", "4 days overdue"),
    (read(AT - 25 * HOUR, AT - HOUR), "quá hạn 1 giờ", "1 hour overdue"),
    (read(AT - 24.5 * HOUR, AT - 0.5 * HOUR), "quá hạn chưa đến 1 giờ", "less than an hour overdue"),
    (read(AT - 5 * DAY, AT - 2 * HOUR), "quá hạn 2 giờ", "2 hours overdue"),
    (read(AT - 10 * DAY, AT - 8 * DAY, suspended=True), "tạm dừng tính hạn", "clock paused"),
    (read(AT - 10 * DAY, AT + DAY, discharged_at=AT - DAY), "xong đúng hạn", "done in time"),
    (read(AT - 20 * DAY, MIDNIGHT - 9 * DAY, discharged_at=AT - 5 * DAY), "xong, chậm 4 ngày", "done, 4 days late"),
    (read(AT - 30 * HOUR, AT - 6 * HOUR, discharged_at=AT - 3 * HOUR), "xong, chậm 3 giờ", "done, 3 hours late"),
    (
        read(AT - 30 * HOUR, AT - 6 * HOUR, discharged_at=AT - 5.9 * HOUR),
        "xong, chậm chưa đến 1 giờ",
        "done, less than an hour late",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("clock", "vi", "en"), CASES)
def test_every_state_of_a_clock_has_words(clock: tuple[ClockState, datetime], vi: str, en: str) -> None:
    state, due_at = clock
    with translation.override("vi"):
        assert clock_words(state, due_at) == vi
    with translation.override("en"):
        assert clock_words(state, due_at) == en


def test_a_short_clock_that_is_very_late_is_told_in_days(vietnamese: None) -> None:
    state, due_at = read(AT - 6 * DAY, AT - 5 * DAY)
    assert clock_words(state, due_at) == "quá hạn 5 ngày"


def test_a_state_that_no_clock_has_is_refused() -> None:
    with pytest.raises(ValueError, match="broken"):
        clock_words(ClockState("broken", 1, 1, 0.5))  # type: ignore[arg-type]


def draw(state: ClockState, due_at: datetime, extra: str = "show_due=True") -> str:
    page = engines["django"].from_string("{% load gandan %}{% clock_chip state due_at " + extra + " %}")
    return page.render({"state": state, "due_at": due_at})


def test_the_ring_shows_the_share_of_time_used(vietnamese: None) -> None:
    shown = draw(*read(AT - DAY, AT + 3 * DAY))
    assert 'stroke-dasharray="25 100"' in shown
    assert 'aria-hidden="true"' in shown


def test_the_due_date_stands_beneath_on_demand(vietnamese: None) -> None:
    clock = read(AT - 5 * DAY, MIDNIGHT)
    assert "hết ngày 23/11/2026" in draw(*clock)
    assert "hết ngày" not in draw(*clock, extra="")


def test_a_paused_clock_shows_no_due_date_because_it_moves(vietnamese: None) -> None:
    assert "<time" not in draw(*read(AT - 10 * DAY, AT - 8 * DAY, suspended=True))


def test_a_finished_clock_says_that_the_date_was_its_due_date(vietnamese: None) -> None:
    assert "hạn là <time" in draw(*read(AT - 10 * DAY, MIDNIGHT, discharged_at=AT - DAY))
