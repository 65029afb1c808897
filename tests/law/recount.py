"""Counting a printed sum again, from its words alone.

Nothing of the product is imported here, no calendar is known, and no day is looked up: a day is left out when
the text says so. What a line says twice (weekdays, numbers of days, lengths of time) must agree with itself.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise

DAY = timedelta(days=1)
_NEVER = datetime(1, 1, 1)  # noqa: DTZ001  the words name no time zone
WEEKDAYS = {
    "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_CLOCK = r"\d\d:\d\d(?::\d\d)?"
_NAMED = {lang: "|".join(names) for lang, names in WEEKDAYS.items()}
_DATE = {"vi": r"\d\d/\d\d/\d{4}", "en": rf"\d{{1,2}} (?:{'|'.join(MONTHS)}) \d{{4}}"}
DATED = {lang: rf"(?:{_NAMED[lang]}) {_DATE[lang]}" for lang in WEEKDAYS}
INSTANT = {"vi": rf"{_CLOCK} {_DATE['vi']}", "en": rf"{_CLOCK} on {_DATE['en']}"}
DAYS = {
    "vi": rf"{DATED['vi']}|{DATED['vi']} và {DATED['vi']}|từ {DATED['vi']} đến hết {DATED['vi']} \(\d+ ngày\)",
    "en": rf"{DATED['en']}|{DATED['en']} and {DATED['en']}|{DATED['en']} to {DATED['en']} \(\d+ days\)",
}
AMOUNT = {
    "vi": r"nửa ngày làm việc|[\d,]+ (?:ngày làm việc|ngày|giờ|tháng)",
    "en": r"half a working day|[\d.]+ (?:working days?|days?|hours?|months?)",
}
FORMS: dict[str, dict[str, str]] = {
    "start": {
        "vi": rf"Bắt đầu từ (?P<instant>{INSTANT['vi']}) \((?P<weekday>{_NAMED['vi']})\)\.",
        "en": rf"It begins at (?P<instant>{INSTANT['en']}), a (?P<weekday>{_NAMED['en']})\.",
    },
    "term": {
        "vi": rf"Thời hạn: (?P<amount>{AMOUNT['vi']})(?: \(.*?\))?\.(?: Căn cứ: .*)? Cách tính: (?P<rule>.*)\.",
        "en": rf"Term: (?P<amount>{AMOUNT['en']})(?: \(.*?\))?\.(?: Legal basis: .*)?"
        r" How it is counted: (?P<rule>.*)\.",
    },
    "office": {
        "vi": r"Giờ làm việc: (?P<frames>.*)\. Nửa ngày làm việc là (?P<half>.*)\.",
        "en": r"Office hours: (?P<frames>.*)\. Half a working day is (?P<half>.*)\.",
    },
    "skip": {"vi": rf"Bỏ qua (?P<days>{DAYS['vi']}): .+\.", "en": rf"Skip (?P<days>{DAYS['en']}): .+\."},
    "make_up": {"vi": rf"Vẫn tính {DATED['vi']}: .+\.", "en": rf"{DATED['en']} counts: .+\."},
    "pause_days": {
        "vi": rf"Tạm dừng tính hạn (?P<days>{DAYS['vi']}): .*\.",
        "en": rf"The clock stood still on (?P<days>{DAYS['en']}): .*\.",
    },
    "pause_time": {
        "vi": rf"Tạm dừng tính hạn từ (?P<begin>{INSTANT['vi']}) đến (?P<end>{INSTANT['vi']})"
        r" \((?P<length>[^)]*)\): .*\.",
        "en": rf"The clock stood still from (?P<begin>{INSTANT['en']}) to (?P<end>{INSTANT['en']})"
        r" \((?P<length>[^)]*)\): .*\.",
    },
    "work": {
        "vi": rf"Tính (?P<day>{DATED['vi']}) từ (?P<begin>{_CLOCK}) đến (?P<end>{_CLOCK}): (?P<length>.*)\.",
        "en": rf"Count (?P<day>{DATED['en']}) from (?P<begin>{_CLOCK}) to (?P<end>{_CLOCK}): (?P<length>.*)\.",
    },
    "count": {
        "vi": rf"Đủ (?:{AMOUNT['vi']}): từ .+ đến (?P<to>{DATED['vi']}|{INSTANT['vi']})\.",
        "en": rf"That makes (?:{AMOUNT['en']}): from .+ to (?P<to>{DATED['en']}|{INSTANT['en']})\.",
    },
    "months": {
        "vi": rf"(?:{AMOUNT['vi']}) kể từ {DATED['vi']} là {DATED['vi']}"
        rf"(?:; cộng thêm \d+ ngày tạm dừng: {DATED['vi']})?\.",
        "en": rf"(?:{AMOUNT['en']}) from {DATED['en']} is {DATED['en']}"
        rf"(?:; \d+ days? of pause later it is {DATED['en']})?\.",
    },
    "extend": {
        "vi": rf"Gia hạn thêm (?P<amount>{AMOUNT['vi']}): .*\.",
        "en": rf"Extended by (?P<amount>{AMOUNT['en']}): .*\.",
    },
    "roll": {
        "vi": rf"Ngày cuối rơi vào (?P<days>{DAYS['vi']}), .*, nên hạn chuyển sang ngày (?:làm việc )?kế tiếp\.",
        "en": rf"The term does not end on (?P<days>{DAYS['en']}): .*; it moves to the next day\.",
    },
    "calendar": {
        "vi": r"Lịch làm việc.* năm \d{4}.*, bản [0-9a-f]{8}\.",
        "en": r"Working calendar.* for \d{4}.*, version [0-9a-f]{8}\.",
    },
    "provisional": {"vi": r"Lịch nghỉ năm \d{4} là tạm tính.*", "en": r"The calendar of \d{4} is provisional.*"},
    "open": {"vi": r"Đang tạm dừng tính hạn từ .*", "en": r"The clock has stood still since .*"},
    "due_day": {"vi": rf"Hạn: hết (?P<day>{DATED['vi']})\.", "en": rf"Due: by the end of (?P<day>{DATED['en']})\."},
    "due_time": {"vi": rf"Hạn: (?P<instant>{INSTANT['vi']})\.", "en": rf"Due: (?P<instant>{INSTANT['en']})\."},
}
PATTERNS = {lang: {name: re.compile(forms[lang]) for name, forms in FORMS.items()} for lang in ("vi", "en")}


class Disagrees(AssertionError):
    """The words do not lead to the date that they state, or contradict each other."""


@dataclass
class Text:
    """What the lines say."""

    start: datetime
    segments: list[tuple[float, str]] = field(default_factory=list)
    frames: dict[int, list[tuple[time, time]]] = field(default_factory=dict)
    half: int = 0
    skipped: set[date] = field(default_factory=set)
    paused: set[date] = field(default_factory=set)
    rolled: set[date] = field(default_factory=set)
    spans: list[tuple[datetime, datetime]] = field(default_factory=list)
    worked: list[tuple[datetime, datetime]] = field(default_factory=list)
    stated: list[date] = field(default_factory=list)
    """Where each part of the term is said to end; an instant for hours."""
    due: datetime = _NEVER

    def agree(self, part: int, end: date) -> None:
        if len(self.stated) != len(self.segments) or self.stated[part] != end:
            raise Disagrees(f"part {part + 1} of the term leads to {end}, not to one of {self.stated}")


def recount(lines: list[str], language: str) -> datetime:
    """Return the due instant that the lines lead to. Raises Disagrees when they state another one."""
    text = read(lines, language)
    count: dict[str, Callable[[Text], datetime]] = {"hour": _hours, "office": _office}
    found = count.get(text.segments[0][1], _days)(text)
    if found != text.due:
        raise Disagrees(f"the lines lead to {found}, and state {text.due}")
    return found


def kind_of(line: str, language: str) -> str:
    """Return what a line is about."""
    names = [name for name, pattern in PATTERNS[language].items() if pattern.fullmatch(line)]
    if len(names) != 1:
        raise Disagrees(f"{line!r} is {names or 'no known sentence'}")
    return names[0]


def read(lines: list[str], language: str) -> Text:
    text = Text(_NEVER)
    in_office = False
    for line in lines:
        kind = kind_of(line, language)
        match = PATTERNS[language][kind].fullmatch(line)
        assert match is not None
        said = match.groupdict()
        if kind == "start":
            text.start = _instant(said["instant"], language)
            if WEEKDAYS[language][text.start.weekday()] != said["weekday"]:
                raise Disagrees(f"{text.start:%Y-%m-%d} is no {said['weekday']}")
        elif kind == "term":
            in_office = said["rule"] in ("chỉ tính trong giờ làm việc", "only office hours count")
            text.segments.append(_amount(said["amount"], in_office))
        elif kind == "extend":
            text.segments.append(_amount(said["amount"], in_office))
        elif kind == "office":
            text.frames, text.half = _frames(said["frames"], language), _length(said["half"])
        elif kind in ("skip", "pause_days", "roll"):
            days = {"skip": text.skipped, "pause_days": text.paused, "roll": text.rolled}[kind]
            days |= set(_span(said["days"], language))
        elif kind == "pause_time":
            begin, end = _instant(said["begin"], language), _instant(said["end"], language)
            _agree(end - begin, said["length"])
            text.spans.append((begin, end))
        elif kind == "work":
            day = _dated(said["day"], language)
            begin, end = (datetime.combine(day, _clock(said[name])) for name in ("begin", "end"))
            _agree(end - begin, said["length"])
            text.worked.append((begin, end))
        elif kind == "count":
            exact = not re.fullmatch(DATED[language], said["to"])
            text.stated.append((_instant if exact else _dated)(said["to"], language))
        elif kind == "months":
            text.stated.append(_dated(re.findall(DATED[language], line)[-1], language))
        elif kind == "due_day":
            text.due = datetime.combine(_dated(said["day"], language) + DAY, time(0))
        elif kind == "due_time":
            text.due = _instant(said["instant"], language)
    return text


def _days(text: Text) -> datetime:
    day = text.start.date()
    for part, (amount, unit) in enumerate(text.segments):
        if unit == "month":
            end = _months_later(day, int(amount))
            while (day := day + DAY) <= end:
                end += DAY * (day in text.paused)
            day = end
        else:
            left = int(amount)
            while left:
                day += DAY
                left -= not (day in text.paused or (unit == "working_day" and day in text.skipped))
        text.agree(part, day)
    while day in text.rolled:
        day += DAY
    return datetime.combine(day + DAY, time(0))


def _hours(text: Text) -> datetime:
    due = text.start
    for part, (amount, _) in enumerate(text.segments):
        due += timedelta(hours=amount)
        text.agree(part, due)
    return due + sum((end - begin for begin, end in text.spans), timedelta())


def _office(text: Text) -> datetime:
    """Count office time in the stretches that are left free, and compare with the stretches that are printed."""
    seconds = sum(int((end - begin).total_seconds()) for begin, end in text.worked)
    if seconds != int(sum(amount for amount, _ in text.segments)) * text.half:
        raise Disagrees("the stretches do not make up the term")
    found = text.start
    for part, (amount, _) in enumerate(text.segments):
        found = _worked(text, found, int(amount) * text.half)
        text.agree(part, found)
    return found


def _worked(text: Text, start: datetime, left: int) -> datetime:
    """Return when so many seconds of office time have passed."""
    day = start.date()
    while day <= text.due.date() + 30 * DAY:
        frames = [] if day in text.skipped else text.frames.get(day.weekday(), text.frames[-1])
        for opening, closing in frames:
            for begin, end in _free(text, max(start, datetime.combine(day, opening)), datetime.combine(day, closing)):
                stretch = int((end - begin).total_seconds())
                if stretch >= left:
                    return begin + timedelta(seconds=left)
                left -= stretch
        day += DAY
    raise Disagrees("the work never ends")


def _free(text: Text, lower: datetime, upper: datetime) -> list[tuple[datetime, datetime]]:
    """Return the parts of an interval in which the clock did not stand still."""
    edges = sorted({lower, upper, *(edge for span in text.spans for edge in span if lower < edge < upper)})
    pairs = pairwise(edges) if lower < upper else []
    return [(a, b) for a, b in pairs if not any(begin <= a < end for begin, end in text.spans)]


def _months_later(day: date, amount: int) -> date:
    month = day.month + amount
    year = day.year + (month - 1) // 12
    month = (month - 1) % 12 + 1
    number = day.day
    while True:
        try:
            return date(year, month, number)
        except ValueError:
            number -= 1


def _amount(words: str, in_office: bool) -> tuple[float, str]:
    """Return the number and unit; in office hours the number of half days."""
    if words in ("nửa ngày làm việc", "half a working day"):
        return 1, "office"
    number, unit = words.replace(",", ".").split(" ", 1)
    if in_office:
        return 2 * float(number), "office"
    unit = {"ngày làm việc": "working_day", "ngày": "day", "giờ": "hour", "tháng": "month"}.get(unit, unit)
    return float(number), unit.removesuffix("s").replace(" ", "_")


def _span(words: str, language: str) -> list[date]:
    found = [_dated(each, language) for each in re.findall(DATED[language], words)]
    days = [found[0] + DAY * n for n in range((found[-1] - found[0]).days + 1)]
    stated = re.search(r"\((\d+) (?:ngày|days)\)", words)
    if len(days) != (int(stated[1]) if stated else len(found)):
        raise Disagrees(f"{words} are not so many days")
    return days


def _dated(words: str, language: str) -> date:
    match = re.fullmatch(rf"({_NAMED[language]}) ({_DATE[language]})", words)
    assert match is not None
    day = _date(match[2])
    if WEEKDAYS[language][day.weekday()] != match[1]:
        raise Disagrees(f"{words} is no {match[1]}")
    return day


def _date(words: str) -> date:
    if "/" in words:
        return date(*reversed([int(part) for part in words.split("/")]))
    day, month, year = words.split(" ")
    return date(int(year), MONTHS.index(month) + 1, int(day))


def _instant(words: str, language: str) -> datetime:
    clock, day = words.split(" on " if language == "en" else " ", 1)
    return datetime.combine(_date(day), _clock(clock))


def _clock(words: str) -> time:
    return time(*(int(part) for part in words.split(":")))


def _frames(words: str, language: str) -> dict[int, list[tuple[time, time]]]:
    """Return the frames of each weekday that has its own, and under -1 those of the others."""
    ordinary, *others = words.split("; ")
    found = {-1: _intervals(ordinary)}
    for each in others:
        weekday, frames = each.split(": ", 1)
        found[WEEKDAYS[language].index(weekday)] = [] if frames in ("nghỉ", "closed") else _intervals(frames)
    return found


def _intervals(words: str) -> list[tuple[time, time]]:
    pairs = (each.split("–") for each in words.split(", "))
    return [(_clock(begin), _clock(end)) for begin, end in pairs]


def _length(words: str) -> int:
    seconds = {"giờ": 3600, "hour": 3600, "phút": 60, "minute": 60, "giây": 1, "second": 1}
    parts = re.findall(r"(\d+) (\w+)", words)
    return sum(int(number) * seconds[unit.removesuffix("s")] for number, unit in parts)


def _agree(span: timedelta, words: str) -> None:
    if int(span.total_seconds()) != _length(words):
        raise Disagrees(f"{words} is not {span}")
