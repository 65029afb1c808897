"""When a term ends, and every step by which it gets there.

Rules, with their source where one is known (articles read on public pages, still to be checked by a lawyer):

- the day of the starting event is not counted; a term in hours starts at that instant
  (Civil Code 91/2015/QH13, article 147);
- a day ends at midnight in Vietnam, and an act is in time before that instant; a term in days or months whose
  last day is a day of rest ends with the next working day; a month ends on the same day number, else on its
  last day (Civil Code, article 148; Criminal Procedure Code 101/2015/QH13, article 134);
- working days are the days that the calendar says are worked, Saturdays worked in exchange included;
- hours run on through nights and holidays;
- half working days are counted in office hours;
- time in which the clock is paused is no part of the term (as in the Law on Denunciations 25/2018/QH14,
  article 34). In hours and office hours it is left out to the second. In days, a day counts when the clock
  runs at its end: the day of the pause does not count, the day of the resumption does. A term in months ends
  later by as many days as did not count. The last day is never a day that does not count (our rule);
- an extension begins where the term would have ended, before any day of rest is skipped (our rule).
"""

import calendar as months
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, Literal

from gandan.law.calendar import Calendar, DayRule
from gandan.law.office_hours import VIETNAM, OfficeHours, Pause, add_working_time, disjoint, working_time
from gandan.law.terms import WHOLE, Term, Unit

__all__ = [
    "VIETNAM",
    "Deadline",
    "Extension",
    "OfficeHours",
    "Pause",
    "Step",
    "add_working_time",
    "closing_of",
    "deadline",
    "deadline_of",
    "due_on",
]

_DAY = timedelta(days=1)
_LONGEST = 20_000
"""No term counts more of its unit."""

StepKind = Literal[
    "start",
    "term",
    "office",
    "skip",
    "make_up",
    "pause",
    "work",
    "count",
    "extend",
    "roll",
    "calendar",
    "provisional",
    "open",
    "due",
]


@dataclass(frozen=True, slots=True)
class Extension:
    """A decided extension with its ground; `code` names the rule of the term that allows it."""

    amount: Decimal
    unit: Unit
    ground: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the sum; `explain` turns steps into lines."""

    kind: StepKind
    facts: tuple[tuple[str, Any], ...] = ()

    def get(self, name: str) -> Any:
        """Return a fact of the step, or None."""
        return dict(self.facts).get(name)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The instant at which a term ends, the last day on which an act is in time, and the sum.

    An act is in time when it is done before `due_at`. `term` is the version that was applied, where known.
    """

    due_at: datetime
    last_day: date
    steps: tuple[Step, ...] = field(default=())
    term: Term | None = None


def due_on(received_on: date, working_days: int, calendar: Calendar) -> date:
    """Return the last day on which an answer is still in time.

    The day of receipt does not count; a Saturday worked to make up for a bridge day does.

    Raises CalendarNotDeclared rather than guess next year's Tết, ValueError below one working day.
    Source: Civil Code 91/2015/QH13, articles 147 and 148.
    """
    if working_days < 1:
        raise ValueError("a term has at least one working day")
    days = (received_on + timedelta(n) for n in range(1, _LONGEST))
    return next(islice(filter(calendar.is_working_day, days), working_days - 1, None))


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

    A half-day amount counts half working days, each half an ordinary day of `office_hours`. A pause that is
    still open does not move the date: count again when the clock is resumed. The due instant is in local time;
    for days and months it is the midnight that ends the last day, for hours it is exact to the second.

    A term in days, working days or months is extended by any of these; one in hours by hours; one in half
    working days by half or whole working days.

    Raises CalendarNotDeclared where a needed year is absent (never for hours), ValueError for a naive instant,
    an amount that is not above zero or not whole, and an extension in a unit that does not fit.
    """
    if started_at.tzinfo is None:
        raise ValueError("a clock starts at an aware instant")
    start = started_at.astimezone(VIETNAM).replace(microsecond=0)
    segments = [_Segment(Decimal(amount), unit), *(_Segment(e.amount, e.unit, e.ground) for e in extensions)]
    for segment in segments:
        _check(segment, unit)
    all_pauses = tuple(pauses)
    steps = [
        Step("start", (("at", start), ("unit", unit))),
        Step("term", (("amount", segments[0].amount), ("unit", unit))),
    ]
    sum_ = _Sum(start, segments, disjoint(all_pauses), calendar, steps)
    if unit == "hour":
        due = sum_.in_hours()
    elif unit == "half_day":
        due = sum_.in_office_hours(office_hours or OfficeHours())
    else:
        due = sum_.in_days()
    last_day = (due - timedelta(microseconds=1)).date()
    sum_.name_the_calendar()
    for pause in all_pauses:
        if pause.end is None and pause.start < due:
            steps.append(
                Step("open", (("from", pause.start.astimezone(VIETNAM)), ("ground", pause.ground), ("unit", unit)))
            )
    steps.append(Step("due", (("at", due), ("last_day", last_day))))
    return Deadline(due, last_day, tuple(steps))


def deadline_of(
    term: Term,
    started_at: datetime,
    calendar: Calendar,
    *,
    remote: bool = False,
    complex: bool = False,
    pauses: Iterable[Pause] = (),
    extensions: Iterable[Extension] = (),
    office_hours: OfficeHours | None = None,
) -> Deadline:
    """Return when a version of a term ends for a matter, as `deadline` counts it, holding to what the term allows.

    Raises ValueError for a pause whose ground the term does not list, for an extension that it does not list,
    of another length, or used more often than it allows; else as `deadline`.
    """
    standing, more = tuple(pauses), tuple(extensions)
    for pause in standing:
        if pause.ground not in term.pause_grounds:
            raise ValueError(f"the term {term.code} gives no pause for {pause.ground!r}")
    rules = {rule.code: rule for rule in term.extensions}
    for extension in more:
        rule = rules.get(extension.code)
        if rule is None:
            raise ValueError(f"the term {term.code} gives no extension {extension.code!r}")
        if extension.unit != rule.unit or extension.amount > rule.amount:
            raise ValueError(f"{extension.code} extends {term.code} by at most {rule.amount} {rule.unit}s")
        if sum(each.code == extension.code for each in more) > rule.times:
            raise ValueError(f"{extension.code} extends {term.code} at most {rule.times} times")
    amount = term.amount_for(remote=remote, complex=complex)
    found = deadline(
        amount, term.unit, started_at, calendar, pauses=standing, extensions=more, office_hours=office_hours
    )
    variant = (("ordinary", term.amount), ("remote", remote), ("complex", complex))
    steps = (
        Step("term", step.facts + variant) if step.kind == "term" and amount != term.amount else step
        for step in found.steps
    )
    return Deadline(found.due_at, found.last_day, tuple(steps), term)


def closing_of(day: date, office_hours: OfficeHours) -> datetime:
    """Return when the office closes on a working day: until then the desk is open, the legal term may run on.

    Raises ValueError when the office is closed all that day.
    """
    frames = office_hours.frames_on(day)
    if not frames:
        raise ValueError(f"the office does not open on {day}")
    return datetime.combine(day, frames[-1][1], VIETNAM)


@dataclass(frozen=True, slots=True)
class _Segment:
    amount: Decimal
    unit: Unit
    ground: str = ""


@dataclass(slots=True)
class _Sum:
    """A count on its way: what is given, and the steps so far."""

    start: datetime
    segments: Sequence[_Segment]
    pauses: Sequence[Pause]
    calendar: Calendar
    steps: list[Step]
    asked: set[int] = field(default_factory=set)
    noted: set[date] = field(default_factory=set)

    def in_days(self) -> datetime:
        paused = _paused_days(self.pauses)
        day = self.start.date()
        for segment in self._each():
            day = (self._months if segment.unit == "month" else self._days)(day, segment, paused)
        while True:
            rule = self._why_not(day)
            if rule is not None:
                self.steps.append(Step("roll", (("day", day), ("rule", rule))))
            elif day in paused:
                self.steps.append(Step("roll", (("day", day), ("ground", paused[day]))))
            else:
                self._note_make_up(day)
                return datetime.combine(day + _DAY, time(0), VIETNAM)
            day += _DAY

    def _days(self, before: date, segment: _Segment, paused: dict[date, str]) -> date:
        """Return the last of the days counted after the day `before`."""
        day, first, counted = before, None, 0
        while counted < segment.amount:
            day += _DAY
            if day in paused:
                self.steps.append(Step("pause", (("day", day), ("ground", paused[day]))))
                continue
            rule = self._why_not(day) if segment.unit == "working_day" else None
            if rule is not None:
                self.steps.append(Step("skip", (("day", day), ("rule", rule))))
                continue
            if segment.unit == "working_day":
                self._note_make_up(day)
            counted += 1
            first = first or day
        self._counted(segment, first or day, day)
        return day

    def _months(self, before: date, segment: _Segment, paused: dict[date, str]) -> date:
        """Return the same day number so many months later, moved on by the days that were paused until then."""
        last, day = _add_months(before, int(segment.amount)), before
        reached = last
        while (day := day + _DAY) <= last:
            if day in paused:
                self.steps.append(Step("pause", (("day", day), ("ground", paused[day]))))
                last += _DAY
        facts = (("reached", reached), ("paused", (last - reached).days))
        self._counted(segment, before, last, facts)
        return last

    def in_hours(self) -> datetime:
        due = self.start
        for segment in self._each():
            before, due = due, due + timedelta(seconds=int(segment.amount * 3600))
            self._counted(segment, before, due)
        for pause in self.pauses:
            assert pause.end is not None
            begin = max(pause.start, self.start)
            if begin < due and begin < pause.end:
                due += pause.end - begin
                self.steps.append(Step("pause", (("from", begin), ("to", pause.end), ("ground", pause.ground))))
        return due

    def in_office_hours(self, hours: OfficeHours) -> datetime:
        half = hours.seconds_a_day() // 2
        self.steps.append(Step("office", (("hours", hours), ("half_day", half))))
        due = self.start
        for segment in self._each():
            seconds = int(segment.amount) * half * (1 if segment.unit == "half_day" else 2)
            done = working_time(due, seconds, hours, self.calendar, pauses=self.pauses)
            self._day_by_day(due, done[-1].end)
            for stretch in done:
                facts = (("from", stretch.start), ("to", stretch.end), ("seconds", stretch.seconds))
                self.steps.append(Step("work", facts))
            due = done[-1].end
            self._counted(segment, done[0].start, due, (("seconds", seconds),))
        return due

    def _day_by_day(self, begin: datetime, end: datetime) -> None:
        """Write down each day of rest and each pause from one instant to another."""
        for pause in self.pauses:
            assert pause.end is not None
            if pause.start < end and begin < pause.end:
                facts = (("from", max(begin, pause.start)), ("to", pause.end), ("ground", pause.ground))
                self.steps.append(Step("pause", facts))
        day = begin.date()
        while day <= end.date():
            if (rule := self._why_not(day)) is not None:
                self.steps.append(Step("skip", (("day", day), ("rule", rule))))
            else:
                self._note_make_up(day)
            day += _DAY

    def _each(self) -> Iterable[_Segment]:
        """Give the term itself and then its extensions, each written down as it begins."""
        for index, segment in enumerate(self.segments):
            if index:
                facts = (("amount", segment.amount), ("unit", segment.unit), ("ground", segment.ground))
                self.steps.append(Step("extend", facts))
            yield segment

    def _counted(self, segment: _Segment, first: Any, last: Any, more: tuple[tuple[str, Any], ...] = ()) -> None:
        facts = (("amount", segment.amount), ("unit", segment.unit), ("from", first), ("to", last))
        self.steps.append(Step("count", facts + more))

    def _note_make_up(self, day: date) -> None:
        """Write down, once, that a day counts although it is a Saturday or Sunday: it is worked in exchange."""
        rule = self.calendar.year_of(day).days.get(day)
        if rule is not None and day not in self.noted:
            self.noted.add(day)
            self.steps.append(Step("make_up", (("day", day), ("rule", rule))))

    def _why_not(self, day: date) -> DayRule | None:
        self.asked.add(day.year)
        return self.calendar.why_not_working(day)

    def name_the_calendar(self) -> None:
        """Write down which years of the calendar were asked, in which version, and which are provisional."""
        years = [self.calendar.years[year] for year in sorted(self.asked)]
        for each in years:
            facts = (("year", each.year), ("version", each.version), ("decree", each.decree))
            self.steps.append(Step("calendar", (*facts, ("name", self.calendar.name))))
        self.steps.extend(Step("provisional", (("year", y.year),)) for y in years if y.status == "provisional")


_FITS: dict[Unit, tuple[Unit, ...]] = {
    "hour": ("hour",),
    "half_day": ("half_day", "working_day"),
    "day": ("day", "working_day", "month"),
    "working_day": ("day", "working_day", "month"),
    "month": ("day", "working_day", "month"),
}


def _check(segment: _Segment, unit: Unit) -> None:
    if segment.unit not in _FITS[unit]:
        raise ValueError(f"a term in {unit}s is not extended by {segment.unit}s")
    if not 0 < segment.amount <= _LONGEST:
        raise ValueError(f"no term counts {segment.amount} {segment.unit}s")
    if segment.unit in WHOLE and segment.amount != int(segment.amount):
        raise ValueError(f"a term counts whole {segment.unit}s, not {segment.amount}")


def _paused_days(pauses: Sequence[Pause]) -> dict[date, str]:
    """Return the days at whose end the clock stands still, with the ground: they do not count."""
    days: dict[date, str] = {}
    for pause in pauses:
        assert pause.end is not None
        day = pause.start.date()
        while day < pause.end.date():
            days[day] = pause.ground
            day += _DAY
    return days


def _add_months(day: date, amount: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + amount, 12)
    month += 1
    return date(year, month, min(day.day, months.monthrange(year, month)[1]))
