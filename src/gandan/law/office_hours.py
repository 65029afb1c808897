"""Working time: the hours in which an office is open, and work that begins, waits and ends within them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from gandan.law.calendar import Calendar

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
Frame = tuple[time, time]
_DAY = timedelta(days=1)
_ORDINARY: tuple[Frame, ...] = ((time(7, 30), time(11, 30)), (time(13, 30), time(17, 0)))


@dataclass(frozen=True, slots=True)
class Pause:
    """An interval [start, end) in which the clock stands still, with its legal ground; open when end is None.

    Raises ValueError for an end before the start, and for instants without a time zone.
    """

    start: datetime
    end: datetime | None
    ground: str = ""

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or (self.end is not None and self.end.tzinfo is None):
            raise ValueError("a pause lies between aware instants")
        if self.end is not None and self.end < self.start:
            raise ValueError("a pause ends before it starts")


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Frames of work as local times, in order: the lunch break lies between two frames.

    `frames` hold on an ordinary working day; `by_weekday` (0 is Monday) replaces them on some weekdays. A
    Saturday worked in exchange has the ordinary frames unless Saturday has its own. The default hours are our
    assumption: each unit sets its own.

    Raises ValueError for frames that are out of order, touch or overlap, and for no ordinary frame.
    """

    frames: tuple[Frame, ...] = _ORDINARY
    by_weekday: Mapping[int, tuple[Frame, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.frames:
            raise ValueError("an ordinary working day has at least one frame")
        for weekday in self.by_weekday:
            if weekday not in range(7):
                raise ValueError(f"there is no weekday {weekday}")
        for frames in (self.frames, *self.by_weekday.values()):
            flat = [moment for frame in frames for moment in frame]
            if flat != sorted(set(flat)):
                raise ValueError("office hours are frames in order that do not touch or overlap")
        object.__setattr__(self, "by_weekday", MappingProxyType(dict(self.by_weekday)))

    def frames_on(self, day: date) -> tuple[Frame, ...]:
        """Return the frames of a day that is worked."""
        return self.by_weekday.get(day.weekday(), self.frames)

    def seconds_a_day(self) -> int:
        """Return the length of an ordinary working day in seconds."""
        midnight = date.min
        spans = (datetime.combine(midnight, end) - datetime.combine(midnight, begin) for begin, end in self.frames)
        return int(sum(spans, timedelta()).total_seconds())


@dataclass(frozen=True, slots=True)
class Worked:
    """A stretch of working time [start, end) within one frame of one day."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        return int((self.end - self.start).total_seconds())


def add_working_time(
    start: datetime,
    seconds: int,
    office_hours: OfficeHours,
    calendar: Calendar,
    *,
    pauses: Sequence[Pause] = (),
) -> datetime:
    """Return the instant at which `seconds` of office time have passed since an aware `start`.

    Before opening, the clock waits for opening; after closing, for the next working day's opening. What does
    not fit before closing is carried over. Work that ends exactly at closing ends at closing, one second more
    ends one second after the next opening. Paused time is not worked. Fractions of a second of `start` are
    dropped.

    Raises ValueError for no work and for a naive start, CalendarNotDeclared for a needed year that is absent.
    """
    return working_time(start, seconds, office_hours, calendar, pauses=pauses)[-1].end


def working_time(
    start: datetime,
    seconds: int,
    office_hours: OfficeHours,
    calendar: Calendar,
    *,
    pauses: Sequence[Pause] = (),
) -> tuple[Worked, ...]:
    """Return the stretches in which the work is done, as `add_working_time` counts them."""
    if seconds <= 0:
        raise ValueError("there is no work to add")
    if start.tzinfo is None:
        raise ValueError("work starts at an aware instant")
    begin = start.astimezone(VIETNAM).replace(microsecond=0)
    standing = disjoint(pauses)
    left, day = timedelta(seconds=seconds), begin.date()
    done: list[Worked] = []
    while True:
        if calendar.is_working_day(day):
            for opening, closing in office_hours.frames_on(day):
                lower = max(begin, datetime.combine(day, opening, VIETNAM))
                upper = datetime.combine(day, closing, VIETNAM)
                for piece, end in _without(lower, upper, standing):
                    if end - piece >= left:
                        return (*done, Worked(piece, piece + left))
                    done.append(Worked(piece, end))
                    left -= end - piece
        day += _DAY


def disjoint(pauses: Sequence[Pause]) -> tuple[Pause, ...]:
    """Return the closed pauses in order, in whole seconds of local time, without overlaps and empty ones.

    Time that two pauses share belongs to the one that began first.
    """
    found: list[Pause] = []
    for pause in sorted((each for each in pauses if each.end is not None), key=lambda each: each.start):
        assert pause.end is not None
        start = pause.start.astimezone(VIETNAM).replace(microsecond=0)
        end = pause.end.astimezone(VIETNAM).replace(microsecond=0)
        if found:
            before = found[-1].end
            assert before is not None
            start = max(start, before)
        if start < end:
            found.append(Pause(start, end, pause.ground))
    return tuple(found)


def _without(lower: datetime, upper: datetime, pauses: Sequence[Pause]) -> list[tuple[datetime, datetime]]:
    """Return the parts of [lower, upper) that no pause covers; the pauses are disjoint and in order."""
    pieces: list[tuple[datetime, datetime]] = []
    for pause in pauses:
        assert pause.end is not None
        if pause.end <= lower or pause.start >= upper:
            continue
        if lower < pause.start:
            pieces.append((lower, pause.start))
        lower = pause.end
    if lower < upper:
        pieces.append((lower, upper))
    return pieces
