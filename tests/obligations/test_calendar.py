"""The working calendar: declared by decree, changed in the open, never to the harm of what was missed already."""

from datetime import date, datetime

import pytest

from gandan.access import Refused, clock, now
from gandan.obligations import actions, explain, jobs, replay, terms
from gandan.obligations.calendar import almanac
from gandan.obligations.models import CalendarDay, CalendarYear, Notice
from tests.cast import NOBODY
from tests.obligations.promises import at, do, midnight, one, start

pytestmark = pytest.mark.django_db

FLOOD = {"day": date(2026, 11, 26), "kind": "holiday", "name_vi": "Nghỉ lụt", "name_en": "Flood", "decree": "9/QĐ"}


def test_the_friday_after_new_year_2026_was_a_day_of_rest(cast):
    calendar = terms.calendar()
    assert not calendar.is_working_day(date(2026, 1, 2)) and calendar.is_working_day(date(2026, 1, 10))


def test_years_without_a_decree_are_provisional(cast):
    assert not terms.calendar().is_provisional(date(2026, 3, 2))
    assert terms.calendar().provisional_years() == (2027, 2028)


def test_two_years_ahead_are_kept_seeded_and_seeded_once(cast, move_to):
    move_to(at("2027-01-02"))
    assert jobs.tick(now()) == 1
    assert jobs.tick(now()) == 0
    assert terms.calendar().is_provisional(date(2029, 1, 2))


def test_a_new_holiday_moves_open_dates_and_never_a_missed_one(cast):
    open_matter, _ = start(cast, when="2026-11-23")
    missed, _ = start(cast, when="2026-11-10")
    before = one(missed).due_at
    assert one(open_matter).due_at == midnight("2026-11-28")
    moved = actions.declare_day(**FLOOD, by=NOBODY)
    assert [(m.obligation.matter, m.before, m.after) for m in moved] == [
        (open_matter, midnight("2026-11-28"), midnight("2026-12-01"))
    ]
    assert one(open_matter).due_at == midnight("2026-12-01") and one(missed).due_at == before
    event = one(open_matter).events.last()
    assert (event.kind, event.ground) == ("recomputed", "9/QĐ")
    assert datetime.fromisoformat(event.facts["before"]) == midnight("2026-11-28")
    assert list(replay.check()) == []


def test_the_owner_is_told_of_the_old_and_the_new_date(cast):
    matter, _ = start(cast, when="2026-11-23")
    actions.declare_day(**FLOOD, by=NOBODY)
    notice = Notice.system("test").get()
    assert (notice.kind, notice.unit, notice.matter) == ("recomputed", cast.na_then, matter)
    assert notice.facts["before"] != notice.facts["after"]


def test_a_preview_shows_what_would_move_and_moves_nothing(cast):
    start(cast, when="2026-11-23")
    (move,) = actions.preview_day(**FLOOD)
    assert (move.before, move.after) == (midnight("2026-11-28"), midnight("2026-12-01"))
    assert not CalendarDay.objects.filter(day=FLOOD["day"]).exists()
    assert one(move.obligation.matter).due_at == midnight("2026-11-28")
    assert terms.calendar().is_working_day(FLOOD["day"])


def test_a_day_taken_out_again_gives_back_the_former_date(cast):
    matter, _ = start(cast, when="2026-11-23")
    actions.declare_day(**FLOOD, by=NOBODY)
    assert [m.after for m in actions.preview_removal(day=FLOOD["day"])] == [midnight("2026-11-28")]
    actions.remove_day(day=FLOOD["day"], decree="10/QĐ", by=NOBODY)
    assert one(matter).due_at == midnight("2026-11-28")
    kept = CalendarDay.objects.get(day=FLOOD["day"])
    assert (kept.decree, kept.ended_by, kept.until - kept.since) == ("9/QĐ", "10/QĐ", 1)


def test_a_day_declared_anew_replaces_what_it_was(cast):
    actions.declare_day(**FLOOD, by=NOBODY)
    actions.declare_day(**{**FLOOD, "name_vi": "Nghỉ bão", "decree": "11/QĐ"}, by=NOBODY)
    assert terms.calendar().why_not_working(FLOOD["day"]).name_vi == "Nghỉ bão"
    assert CalendarDay.objects.filter(day=FLOOD["day"]).count() == 2


def test_no_date_is_moved_into_the_past(cast):
    """The holiday is taken back on the very day that it had won."""
    matter, _ = start(cast, when="2026-11-23")
    actions.declare_day(**FLOOD, by=NOBODY)
    with clock.at(at("2026-11-30")):
        assert actions.preview_removal(day=FLOOD["day"]) == []
        assert actions.remove_day(day=FLOOD["day"], decree="10/QĐ", by=NOBODY) == []
    assert one(matter).due_at == midnight("2026-12-01")
    assert list(replay.check()) == []


def test_a_clock_that_stands_still_is_counted_by_the_calendar_on_which_it_runs_on(cast):
    matter, _ = start(cast, when="2026-11-20")
    assert one(matter).due_at == midnight("2026-11-27")
    do(actions.suspend, "2026-11-23", matter=matter, ground="missing_papers")
    with clock.at(at("2026-11-24")):
        assert actions.declare_day(**FLOOD, by=NOBODY) == []
    do(actions.resume, "2026-11-25", matter=matter)
    assert one(matter).due_at == midnight("2026-12-01")
    assert list(replay.check()) == []


def test_clocks_in_hours_sleep_through_no_holiday(cast):
    matter, (opened,) = start(cast, "CR-01", event="received", when="2026-11-25", unit=cast.phieng_lua)
    with clock.at(at("2026-11-25")):
        assert actions.declare_day(**FLOOD, by=NOBODY) == []
    assert one(matter).due_at == opened.due_at


def test_the_sum_of_a_missed_date_stays_as_it_was_counted(cast):
    """A holiday declared too late does not turn the printed sum against the date that was promised."""
    matter, _ = start(cast, when="2026-11-10")
    before = explain.lines(one(matter))
    actions.declare_day(**{**FLOOD, "day": date(2026, 11, 11)}, by=NOBODY)
    assert explain.lines(one(matter)) == before


@pytest.mark.parametrize(
    "wrong",
    [{"decree": " "}, {"kind": "swapped_work"}, {"kind": "feast"}, {"day": date(2040, 1, 1)}],
)
def test_a_day_is_declared_by_decree_and_as_what_it_can_be(cast, wrong):
    with pytest.raises(Refused):
        actions.declare_day(**{**FLOOD, **wrong}, by=NOBODY)
    with pytest.raises(Refused):
        actions.preview_day(**{**FLOOD, **wrong})


def test_an_ordinary_day_cannot_be_taken_out(cast):
    with pytest.raises(Refused):
        actions.remove_day(day=date(2026, 11, 26), decree="1/QĐ", by=NOBODY)
    with pytest.raises(Refused):
        actions.remove_day(day=date(2026, 9, 2), decree=" ", by=NOBODY)


def test_a_year_is_decided_once_by_decree(cast):
    with pytest.raises(Refused):
        actions.decide_year(year=2027, decree=" ", by=NOBODY)
    actions.decide_year(year=2027, decree="99/QĐ-TTg", by=NOBODY)
    assert not terms.calendar().is_provisional(date(2027, 3, 1))
    with pytest.raises(Refused):
        actions.decide_year(year=2027, decree="100/QĐ", by=NOBODY)
    with pytest.raises(Refused):
        actions.decide_year(year=2040, decree="100/QĐ", by=NOBODY)


def test_a_former_version_of_a_year_can_be_read_again(cast):
    version = CalendarYear.objects.get(year=2027).version
    actions.decide_year(year=2027, decree="99/QĐ-TTg", by=NOBODY)
    actions.declare_day(**{**FLOOD, "day": date(2027, 6, 1)}, by=NOBODY)
    then, present = almanac().as_of({"2027": version}), almanac().present
    assert then.is_provisional(date(2027, 6, 1)) and then.is_working_day(date(2027, 6, 1))
    assert not present.is_provisional(date(2027, 6, 1)) and not present.is_working_day(date(2027, 6, 1))


def test_a_change_that_was_undone_leaves_no_trace_in_what_is_read(cast):
    """Two changes bear the same version when the first was rolled back; they must not be taken for one another."""
    from django.db import transaction

    start(cast, when="2026-11-23")
    with transaction.atomic():
        actions.declare_day(**FLOOD, by=NOBODY)
        transaction.set_rollback(True)
    assert terms.calendar().is_working_day(FLOOD["day"])
    actions.declare_day(**{**FLOOD, "day": date(2026, 11, 25)}, by=NOBODY)
    assert terms.calendar().is_working_day(FLOOD["day"])
    assert not terms.calendar().is_working_day(date(2026, 11, 25))
