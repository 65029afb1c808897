"""What holds of every term, whenever it begins."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gandan.law import (
    Calendar,
    CalendarYear,
    DayRule,
    Extension,
    OfficeHours,
    Pause,
    add_working_time,
    calendar_of,
    deadline,
    render,
    union,
)
from gandan.law.office_hours import VIETNAM
from tests.law.dates import seeded

pytestmark = pytest.mark.agnostic

NATIONAL = seeded(2018, 2034)

steadily = settings(max_examples=150)

INSTANTS = st.datetimes(datetime(2019, 1, 1), datetime(2026, 6, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0, tzinfo=VIETNAM)
)
DAY_UNITS = st.sampled_from(["day", "working_day", "month"])
UNITS = st.sampled_from(["hour", "day", "working_day", "half_day", "month"])
AMOUNTS = st.integers(1, 40)
LATER = st.timedeltas(timedelta(0), timedelta(days=40))


@st.composite
def pauses(draw: st.DrawFn, after: datetime, most: int = 3) -> list[Pause]:
    found = []
    for _ in range(draw(st.integers(0, most))):
        begin = after + draw(st.timedeltas(timedelta(0), timedelta(days=60)))
        found.append(Pause(begin, begin + draw(st.timedeltas(timedelta(0), timedelta(days=12))), "waiting"))
    return found


@steadily
@given(INSTANTS, st.integers(1, 60))
def test_the_working_days_after_receipt_are_as_many_as_the_term(start: datetime, amount: int) -> None:
    found = deadline(amount, "working_day", start, NATIONAL)
    assert len(list(NATIONAL.working_days(start.date(), found.last_day))) == amount
    assert NATIONAL.is_working_day(found.last_day)


@steadily
@given(INSTANTS, LATER, AMOUNTS, UNITS)
def test_who_comes_later_is_never_answered_earlier(start: datetime, later: timedelta, amount: int, unit: str) -> None:
    first = deadline(amount, unit, start, NATIONAL)  # type: ignore[arg-type]
    assert first.due_at <= deadline(amount, unit, start + later, NATIONAL).due_at  # type: ignore[arg-type]


@steadily
@given(st.data(), INSTANTS, LATER, AMOUNTS, st.sampled_from(["hour", "day", "working_day", "half_day"]))
def test_nor_when_the_clock_was_paused(
    data: st.DataObject, start: datetime, later: timedelta, amount: int, unit: str
) -> None:
    held = data.draw(pauses(start))
    first = deadline(amount, unit, start, NATIONAL, pauses=held)  # type: ignore[arg-type]
    second = deadline(amount, unit, start + later, NATIONAL, pauses=held)  # type: ignore[arg-type]
    assert first.due_at <= second.due_at


@steadily
@given(st.data(), INSTANTS, AMOUNTS, st.integers(0, 20), UNITS)
def test_a_longer_term_never_ends_earlier(
    data: st.DataObject, start: datetime, amount: int, more: int, unit: str
) -> None:
    held = data.draw(pauses(start))
    first = deadline(amount, unit, start, NATIONAL, pauses=held)  # type: ignore[arg-type]
    assert first.due_at <= deadline(amount + more, unit, start, NATIONAL, pauses=held).due_at  # type: ignore[arg-type]


@steadily
@given(st.data(), INSTANTS, AMOUNTS, UNITS)
def test_a_pause_never_makes_a_term_end_earlier_nor_before_the_pause_ended(
    data: st.DataObject, start: datetime, amount: int, unit: str
) -> None:
    plain = deadline(amount, unit, start, NATIONAL)  # type: ignore[arg-type]
    held = data.draw(pauses(start))
    found = deadline(amount, unit, start, NATIONAL, pauses=held)  # type: ignore[arg-type]
    assert plain.due_at <= found.due_at
    for pause in held:
        assert pause.end is not None
        if pause.start < found.due_at and pause.start < pause.end:
            assert pause.end <= found.due_at


@steadily
@given(st.data(), INSTANTS, AMOUNTS, UNITS)
def test_pauses_count_alike_in_any_order_and_cut_in_two(
    data: st.DataObject, start: datetime, amount: int, unit: str
) -> None:
    held = data.draw(pauses(start))
    halves = []
    for pause in held:
        assert pause.end is not None
        middle = (pause.start + (pause.end - pause.start) / 2).replace(microsecond=0)
        assume(pause.start <= middle)
        halves += [Pause(middle, pause.end, pause.ground), Pause(pause.start, middle, pause.ground)]
    found = {
        deadline(amount, unit, start, NATIONAL, pauses=each).due_at  # type: ignore[arg-type]
        for each in (held, held[::-1], halves, held + halves)
    }
    assert len(found) == 1


@steadily
@given(st.data(), INSTANTS, AMOUNTS, DAY_UNITS, st.integers(0, 2), AMOUNTS, DAY_UNITS)
def test_the_last_day_is_a_working_day_on_which_the_clock_ran(
    data: st.DataObject, start: datetime, amount: int, unit: str, times: int, more: int, in_unit: str
) -> None:
    assume(unit != "month" or amount <= 12)
    assume(in_unit != "month" or more <= 6)
    held = data.draw(pauses(start))
    extensions = [Extension(Decimal(more), in_unit, "more")] * times  # type: ignore[arg-type]
    found = deadline(amount, unit, start, NATIONAL, pauses=held, extensions=extensions)  # type: ignore[arg-type]
    assert NATIONAL.is_working_day(found.last_day)
    assert found.due_at.time() == time(0)
    assert found.due_at.date() == found.last_day + timedelta(days=1)
    midnight = found.due_at
    assert not any(pause.start < midnight <= pause.end for pause in held if pause.end is not None)


@steadily
@given(st.data(), INSTANTS, AMOUNTS, UNITS)
def test_counting_again_gives_the_same_to_the_letter(
    data: st.DataObject, start: datetime, amount: int, unit: str
) -> None:
    held = data.draw(pauses(start))
    first = deadline(amount, unit, start, NATIONAL, pauses=held)  # type: ignore[arg-type]
    again = deadline(amount, unit, start, calendar_of(NATIONAL.years.values()), pauses=iter(held))  # type: ignore[arg-type]
    assert first == again
    for language in ("vi", "en"):
        assert "\n".join(render(first, language)).encode() == "\n".join(render(again, language)).encode()


@steadily
@given(INSTANTS, AMOUNTS, UNITS, st.sets(st.integers(0, 90), max_size=12))
def test_one_more_holiday_never_makes_a_term_end_earlier(
    start: datetime, amount: int, unit: str, offsets: set[int]
) -> None:
    more = union(NATIONAL, _with_holidays({start.date() + timedelta(days=each) for each in offsets}))
    assert deadline(amount, unit, start, NATIONAL).due_at <= deadline(amount, unit, start, more).due_at  # type: ignore[arg-type]


@steadily
@given(st.data(), INSTANTS, st.integers(1, 400_000))
def test_working_time_is_all_worked_and_nothing_is_worked_twice(
    data: st.DataObject, start: datetime, seconds: int
) -> None:
    held = data.draw(pauses(start))
    hours = OfficeHours()
    end = add_working_time(start, seconds, hours, NATIONAL, pauses=held)
    assert open_seconds(start, end, hours, held) == seconds
    assert open_seconds(start, end - timedelta(seconds=1), hours, held) == seconds - 1


def open_seconds(start: datetime, end: datetime, hours: OfficeHours, held: list[Pause]) -> int:
    """Return how many seconds of office time lie in [start, end), by cutting at every edge there is."""
    edges = {start, end}
    for pause in held:
        assert pause.end is not None
        edges |= {pause.start, pause.end}
    for n in range((end.date() - start.date()).days + 1):
        day = start.date() + timedelta(days=n)
        edges |= {datetime.combine(day, moment, VIETNAM) for frame in hours.frames for moment in frame}
        edges.add(datetime.combine(day, time(0), VIETNAM))
    found = 0
    inside = sorted(edge for edge in edges if start <= edge <= end)
    for lower, upper in pairwise(inside):
        opened = any(opening <= lower.time() < closing for opening, closing in hours.frames)
        paused = any(pause.end is not None and pause.start <= lower < pause.end for pause in held)
        if opened and not paused and NATIONAL.is_working_day(lower.date()):
            found += int((upper - lower).total_seconds())
    return found


def _with_holidays(days: set[date]) -> Calendar:
    """Return a calendar of the same years with these holidays only."""
    rule = DayRule("holiday", "ngày nghỉ của địa phương", "local holiday")
    return calendar_of(
        CalendarYear(year, "decided", {day: rule for day in days if day.year == year}) for year in NATIONAL.years
    )
