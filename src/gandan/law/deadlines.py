"""When a term ends, and every step by which it gets there.

Rules, with their source where one is known:

- the day of the starting event is not counted (Civil Code 91/2015/QH13, article 147);
- a term in days or months that ends on a day of rest ends with the next working day (article 148);
- a month ends on the same day number, else on its last day;
- working days are the days that the calendar says are worked, Saturdays worked in exchange included;
- hours run on through nights and holidays;
- half working days are counted in office hours;
- while a clock is paused no day counts, from the day of the pause until the day before it is resumed; a
  clock in hours stands still for exactly that time (our rule: the unexpired part runs on afterwards);
- an extension begins where the term would have ended, before any day of rest is skipped;
- a day ends at midnight in Vietnam; the act is in time before that instant.
"""

import calendar as months
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from gandan.law.calendar import Calendar, DayRule
from gandan.law.terms import Unit

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
_DAY = timedelta(days=1)
_FOREVER = 20_000

StepKind = Literal["start", "count", "skip", "pause", "roll", "extend", "due", "provisional"]


@dataclass(frozen=True, slots=True)
class Pause:
    """An interval [start, end) in which the clock stands still, with its legal ground; open when end is None."""

    start: datetime
    end: datetime | None
    ground: str = ""

    def __post_init__(self) -> None:
        if self.end is not None and self.end < self.start:
            raise ValueError("a pause ends before it starts")


@dataclass(frozen=True, slots=True)
class Extension:
    """A decided extension with its ground."""

    amount: Decimal
    unit: Unit
    ground: str = ""


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Frames of work on a working day as local times, in order: the lunch break lies between two frames."""

    frames: tuple[tuple[time, time], ...] = ((time(7, 30), time(11, 30)), (time(13, 30), time(17, 0)))

    def __post_init__(self) -> None:
        flat = [moment for frame in self.frames for moment in frame]
        if not flat or flat != sorted(set(flat)):
            raise ValueError("office hours are frames in order that do not touch or overlap")


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the sum."""

    kind: StepKind
    facts: tuple[tuple[str, Any], ...] = ()

    def get(self, name: str) -> Any:
        return dict(self.facts).get(name)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The instant at which a term ends (an act is in time before it), its last day, and the sum."""

    due_at: datetime
    last_day: date
    steps: tuple[Step, ...] = field(default=())


def deadline(
    amount: Decimal | int,
    unit: Unit,
    started_at: datetime,
    calendar: Calendar,
    *,
    pauses: Iterable[Pause] = (),
    extensions: Iterable[Extension] = (),
    office_hours: OfficeHours | None = None,
) -> Deadline:
    """Return when a term of `amount` `unit`s that started at an aware instant ends.

    A pause that is still open does not move the date: it is computed when the clock is resumed. Raises
    CalendarNotDeclared where a needed year is absent, ValueError for a naive instant.
    """
    if started_at.tzinfo is None:
        raise ValueError("a clock starts at an aware instant")
    start = started_at.astimezone(VIETNAM)
    closed = sorted((p for p in pauses if p.end is not None), key=lambda p: p.start)
    segments = [(Decimal(amount), unit, ""), *((e.amount, e.unit, e.ground) for e in extensions)]
    steps = [Step("start", (("at", start), ("unit", unit)))]
    if unit == "hour":
        return _in_hours(segments, start, closed, calendar, steps)
    if unit == "half_day":
        return _in_office_hours(segments, start, closed, calendar, steps, office_hours or OfficeHours())
    return _in_days(segments, start, closed, calendar, steps)


def _in_days(
    segments: Sequence[tuple[Decimal, Unit, str]],
    start: datetime,
    pauses: Sequence[Pause],
    calendar: Calendar,
    steps: list[Step],
) -> Deadline:
    paused = _paused_days(pauses)
    day = start.date()
    for index, (amount, unit, ground) in enumerate(segments):
        if index:
            steps.append(Step("extend", (("amount", amount), ("unit", unit), ("ground", ground))))
        day = _count(day, amount, unit, paused, calendar, steps)
    last = day
    while (rule := calendar.why_not_working(last)) is not None:
        steps.append(Step("roll", (("day", last), ("rule", rule))))
        last += _DAY
    return _finish(last, calendar, steps)


def _count(
    start: date, amount: Decimal, unit: Unit, paused: dict[date, str], calendar: Calendar, steps: list[Step]
) -> date:
    """Return the last counted day of one segment that begins after `start`."""
    if unit == "month":
        last = _add_months(start, int(amount))
        # Every paused day between start and end moves the end by one day.
        day = start
        while (day := day + _DAY) <= last:
            if day in paused:
                steps.append(Step("pause", (("day", day), ("ground", paused[day]))))
                last += _DAY
        steps.append(Step("count", (("amount", amount), ("unit", unit), ("from", start), ("to", last))))
        return last
    wanted, counted, day = int(amount) if unit != "hour" else -(-int(amount) // 24), 0, start
    first = None
    while counted < wanted:
        day += _DAY
        if day in paused:
            steps.append(Step("pause", (("day", day), ("ground", paused[day]))))
            continue
        rule = calendar.why_not_working(day) if unit == "working_day" else None
        if rule is not None:
            steps.append(Step("skip", (("day", day), ("rule", rule))))
            continue
        counted += 1
        first = first or day
        if counted > _FOREVER:
            raise ValueError("a term longer than fifty years")
    steps.append(Step("count", (("amount", amount), ("unit", unit), ("from", first or day), ("to", day))))
    return day


def _in_hours(
    segments: Sequence[tuple[Decimal, Unit, str]],
    start: datetime,
    pauses: Sequence[Pause],
    calendar: Calendar,
    steps: list[Step],
) -> Deadline:
    due = start
    for index, (amount, unit, ground) in enumerate(segments):
        if index:
            steps.append(Step("extend", (("amount", amount), ("unit", unit), ("ground", ground))))
        if unit != "hour":
            day = _count(due.date(), amount, unit, _paused_days(pauses), calendar, steps)
            due = datetime.combine(day, due.timetz())
            continue
        before = due
        due += timedelta(hours=float(amount))
        steps.append(Step("count", (("amount", amount), ("unit", unit), ("from", before), ("to", due))))
    for pause in pauses:
        begin, end = max(pause.start.astimezone(VIETNAM), start), pause.end
        if end is not None and begin < due and end > begin:
            steps.append(Step("pause", (("from", begin), ("to", end.astimezone(VIETNAM)), ("ground", pause.ground))))
            due += end - begin
    steps.append(Step("due", (("at", due), ("last_day", due.date()))))
    return Deadline(due, due.date(), tuple(steps))


def _in_office_hours(
    segments: Sequence[tuple[Decimal, Unit, str]],
    start: datetime,
    pauses: Sequence[Pause],
    calendar: Calendar,
    steps: list[Step],
    hours: OfficeHours,
) -> Deadline:
    day_length = sum((_length(frame) for frame in hours.frames), timedelta())
    due = start
    for index, (amount, unit, ground) in enumerate(segments):
        if index:
            steps.append(Step("extend", (("amount", amount), ("unit", unit), ("ground", ground))))
        if unit not in ("half_day", "working_day"):
            raise ValueError(f"a clock in office hours is not extended by {unit}s")
        work = day_length * float(amount) / (2 if unit == "half_day" else 1)
        before = due
        due = add_working_time(due, work, hours, calendar, pauses=pauses)
        for day in _days_between(before.date(), due.date()):
            rule = calendar.why_not_working(day)
            if rule is not None:
                steps.append(Step("skip", (("day", day), ("rule", rule))))
        steps.append(Step("count", (("amount", amount), ("unit", unit), ("from", before), ("to", due))))
    steps.append(Step("due", (("at", due), ("last_day", due.date()))))
    return Deadline(due, due.date(), tuple(steps))


def add_working_time(
    start: datetime, work: timedelta, hours: OfficeHours, calendar: Calendar, *, pauses: Sequence[Pause] = ()
) -> datetime:
    """Return the instant at which `work` of office time has passed since `start`, to the second.

    Work that ends exactly at closing ends at closing, not at the next opening. Paused time is not worked.
    """
    left = work
    day = start.astimezone(VIETNAM).date()
    begin = start.astimezone(VIETNAM)
    while True:
        if calendar.is_working_day(day):
            for opening, closing in hours.frames:
                lower = max(begin, datetime.combine(day, opening, VIETNAM))
                upper = datetime.combine(day, closing, VIETNAM)
                for piece, end in _without(lower, upper, pauses):
                    if end - piece >= left:
                        return piece + left
                    left -= end - piece
        day += _DAY


def _without(lower: datetime, upper: datetime, pauses: Sequence[Pause]) -> list[tuple[datetime, datetime]]:
    """Return the parts of [lower, upper) that no closed pause covers."""
    pieces = [(lower, upper)] if lower < upper else []
    for pause in pauses:
        if pause.end is None:
            continue
        cut = []
        for begin, end in pieces:
            if pause.end <= begin or pause.start >= end:
                cut.append((begin, end))
                continue
            if begin < pause.start:
                cut.append((begin, pause.start.astimezone(VIETNAM)))
            if pause.end < end:
                cut.append((pause.end.astimezone(VIETNAM), end))
        pieces = cut
    return pieces


def _paused_days(pauses: Sequence[Pause]) -> dict[date, str]:
    """Return the days that do not count: from the day of each pause until the day before it is resumed."""
    days: dict[date, str] = {}
    for pause in pauses:
        if pause.end is None:
            continue
        day, end = pause.start.astimezone(VIETNAM).date(), pause.end.astimezone(VIETNAM).date()
        while day < end:
            days[day] = pause.ground
            day += _DAY
    return days


def _finish(last: date, calendar: Calendar, steps: list[Step]) -> Deadline:
    if calendar.is_provisional(last):
        steps.append(Step("provisional", (("year", last.year),)))
    due = datetime.combine(last + _DAY, time(0), VIETNAM)
    steps.append(Step("due", (("at", due), ("last_day", last))))
    return Deadline(due, last, tuple(steps))


def _add_months(day: date, amount: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + amount, 12)
    month += 1
    return date(year, month, min(day.day, months.monthrange(year, month)[1]))


def _days_between(first: date, last: date) -> list[date]:
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def _length(frame: tuple[time, time]) -> timedelta:
    return datetime.combine(date.min, frame[1]) - datetime.combine(date.min, frame[0])


def rule_name(rule: DayRule, language: str) -> str:
    return rule.name_en if language == "en" else rule.name_vi
