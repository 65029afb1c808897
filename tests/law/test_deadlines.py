"""When a term ends: the rules of the law as tables, as properties, and as a sum that anybody can count again."""

import random
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandan.law import Calendar, CalendarNotDeclared, Extension, OfficeHours, Pause, clock_state, deadline, render
from gandan.law.calendar import calendar_of
from gandan.law.deadlines import VIETNAM, add_working_time
from gandan.law.seed import seed_year

pytestmark = pytest.mark.agnostic
CALENDAR = calendar_of(seed_year(year) for year in range(2023, 2029))
NINE = time(9)


def at(day: str, moment: time = NINE) -> datetime:
    return datetime.combine(date.fromisoformat(day), moment, VIETNAM)


def last(amount, unit, day, **options):
    return deadline(amount, unit, at(day), CALENDAR, **options).last_day.isoformat()


def test_the_clock_sleeps_through_national_day():
    assert last(3, "working_day", "2025-08-29") == "2025-09-05"


def test_the_second_of_january_2026_was_a_day_off_and_worked_back_on_a_saturday():
    assert not CALENDAR.is_working_day(date(2026, 1, 2))
    assert CALENDAR.is_working_day(date(2026, 1, 10))


@pytest.mark.parametrize(
    ("amount", "unit", "received", "ends", "why"),
    [
        (1, "working_day", "2026-11-20", "2026-11-23", "Friday's next working day is Monday"),
        (1, "working_day", "2026-11-21", "2026-11-23", "Saturday counts like Friday"),
        (1, "working_day", "2026-11-22", "2026-11-23", "Sunday counts like Friday"),
        (1, "working_day", "2026-11-23", "2026-11-25", "24 November 2026 is a holiday"),
        (2, "working_day", "2026-02-13", "2026-02-24", "Tết 2026: 16 to 20 February, weekends on both sides"),
        (3, "working_day", "2026-01-07", "2026-01-10", "the Saturday worked in exchange counts"),
        (15, "day", "2026-11-06", "2026-11-23", "a Saturday and a Sunday at the end are skipped"),
        (15, "day", "2026-11-09", "2026-11-25", "a holiday at the end is skipped"),
        (1, "day", "2026-02-14", "2026-02-23", "a chain of Sunday, Tết and weekend is skipped together"),
        (10, "day", "2024-02-20", "2024-03-01", "a leap year's February"),
        (1, "month", "2026-01-30", "2026-03-02", "February has no 30th; the 28th is a Saturday"),
        (1, "month", "2026-03-31", "2026-05-04", "30 April and 1 May are holidays, then a weekend"),
        (2, "month", "2026-05-11", "2026-07-13", "the same day number two months on is a Saturday"),
    ],
)  # fmt: skip
def test_terms_in_days_and_months(amount, unit, received, ends, why):
    assert last(amount, unit, received) == ends, why


def test_a_term_in_hours_runs_through_the_night():
    found = deadline(24, "hour", at("2026-11-20", time(22, 40)), CALENDAR)
    assert found.due_at == at("2026-11-21", time(22, 40))


def test_a_day_ends_at_midnight_and_not_before():
    assert deadline(1, "day", at("2026-11-18"), CALENDAR).due_at == at("2026-11-20", time(0))


def test_an_absent_year_is_refused():
    with pytest.raises(CalendarNotDeclared) as refused:
        deadline(3, "working_day", at("2031-01-05"), CALENDAR)
    assert refused.value.year == 2031


def test_hours_need_no_calendar():
    assert deadline(24, "hour", at("2031-01-05"), Calendar()).due_at == at("2031-01-06")


def test_a_paused_day_does_not_count():
    pause = Pause(at("2026-11-17", time(15)), at("2026-11-19", time(8)), "missing_papers")
    assert last(3, "working_day", "2026-11-16", pauses=[pause]) == "2026-11-23"


def test_a_pause_within_one_day_moves_nothing():
    pause = Pause(at("2026-11-17", time(9)), at("2026-11-17", time(15)), "missing_papers")
    assert last(3, "working_day", "2026-11-16", pauses=[pause]) == last(3, "working_day", "2026-11-16")


def test_an_extension_starts_where_the_term_would_have_ended():
    found = last(20, "day", "2026-03-02", extensions=[Extension(Decimal(2), "month", "complex")])
    assert found == "2026-05-22"


HOURS = OfficeHours(((time(8), time(12)), (time(13), time(17))))


@pytest.mark.parametrize(
    ("start", "minutes", "ends"),
    [
        (at("2026-11-16", time(7)), 60, at("2026-11-16", time(9))),
        (at("2026-11-16", time(18)), 60, at("2026-11-17", time(9))),
        (at("2026-11-16", time(11, 30)), 60, at("2026-11-16", time(13, 30))),
        (at("2026-11-16", time(16)), 60, at("2026-11-16", time(17))),
        (at("2026-11-16", time(16)), 61, at("2026-11-17", time(8, 1))),
        (at("2026-11-20", time(16)), 120, at("2026-11-23", time(9))),
        (at("2026-02-13", time(16, 30)), 60, at("2026-02-23", time(8, 30))),
    ],
)
def test_office_hours_carry_the_rest_to_the_next_frame(start, minutes, ends):
    assert add_working_time(start, timedelta(minutes=minutes), HOURS, CALENDAR) == ends


def test_one_second_more_than_the_day_holds_is_due_one_second_after_the_next_opening():
    found = add_working_time(at("2026-11-16", time(16)), timedelta(hours=1, seconds=1), HOURS, CALENDAR)
    assert found == at("2026-11-17", time(8, 0, 1))


DAYS = st.dates(date(2024, 1, 1), date(2027, 6, 1))
UNITS = st.sampled_from(["day", "working_day"])


@given(DAYS, st.integers(1, 60))
def test_the_working_days_after_receipt_are_as_many_as_the_term(day, amount):
    found = deadline(amount, "working_day", datetime.combine(day, NINE, VIETNAM), CALENDAR).last_day
    counted = sum(CALENDAR.is_working_day(day + timedelta(n)) for n in range(1, (found - day).days + 1))
    assert counted == amount and CALENDAR.is_working_day(found)


@given(DAYS, st.integers(1, 60), st.integers(0, 20), st.integers(0, 20), UNITS)
def test_a_later_receipt_and_a_longer_term_never_end_earlier(day, amount, later, more, unit):
    first = deadline(amount, unit, datetime.combine(day, NINE, VIETNAM), CALENDAR)
    second = deadline(amount + more, unit, datetime.combine(day + timedelta(later), NINE, VIETNAM), CALENDAR)
    assert first.due_at <= second.due_at


def recount(lines: list[str]) -> date:
    """Count a printed sum again, day by day, from its words alone."""
    text = "\n".join(lines)
    day = datetime.strptime(re.search(r"from \d\d:\d\d (\S+);", text)[1], "%d/%m/%Y").date()
    skipped = {
        datetime.strptime(d, "%d/%m/%Y").date() for d in re.findall(r"^(?:Skip|Paused on) \w+ (\S+):", text, re.M)
    }
    rolled = {datetime.strptime(d, "%d/%m/%Y").date() for d in re.findall(r"last day, \w+ (\S+),", text)}
    left = int(re.search(r"Count (\d+) ", text)[1])
    while left:
        day += timedelta(1)
        left -= day not in skipped
    while day in rolled:
        day += timedelta(1)
    return day


def cases(count: int):
    chance = random.Random(2026)
    for _ in range(count):
        start = at("2024-01-01") + timedelta(minutes=chance.randrange(1_250 * 1440))
        pauses = []
        if chance.random() < 0.3:
            begin = start + timedelta(hours=chance.randrange(1, 90))
            pauses = [Pause(begin, begin + timedelta(hours=chance.randrange(1, 200)), "missing_papers")]
        yield deadline(chance.randrange(1, 46), chance.choice(["day", "working_day"]), start, CALENDAR, pauses=pauses)


def test_ten_thousand_sums_are_counted_again_from_their_words():
    for found in cases(10_000):
        assert recount(render(found, "en")) == found.last_day


def test_one_omitted_skip_makes_the_recount_fail():
    found = deadline(5, "working_day", at("2026-11-19"), CALENDAR)
    lines = render(found, "en")
    without = [line for line in lines if "24/11/2026" not in line or not line.startswith("Skip")]
    assert len(without) == len(lines) - 1 and recount(without) != found.last_day


def test_both_languages_say_the_same_days():
    for found in cases(200):
        days = [re.findall(r"\d\d/\d\d/\d{4}", line) for line in render(found, "vi")]
        assert days == [re.findall(r"\d\d/\d\d/\d{4}", line) for line in render(found, "en")]


@pytest.mark.parametrize(
    ("moment", "kind", "days"),
    [("2026-11-16", "idle", 4), ("2026-11-17", "soon", 3), ("2026-11-20", "soon", 0), ("2026-11-21", "late", 1)],
)
def test_a_clock_says_how_it_stands(moment, kind, days):
    state = clock_state(at("2026-11-10"), at("2026-11-21", time(0)), at(moment))
    assert (state.kind, state.days) == (kind, days)


def test_what_is_done_at_the_very_midnight_is_late():
    due = at("2026-11-21", time(0))
    assert clock_state(at("2026-11-10"), due, due, discharged_at=due).kind == "done_late"
    before = due - timedelta(microseconds=1)
    assert clock_state(at("2026-11-10"), due, due, discharged_at=before).kind == "done_in_time"


@settings(max_examples=50)
@given(st.integers(1, 40), DAYS)
def test_counting_twice_gives_the_same(amount, day):
    start = datetime.combine(day, NINE, VIETNAM)
    assert deadline(amount, "day", start, CALENDAR) == deadline(amount, "day", start, CALENDAR)
