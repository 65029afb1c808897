"""A deadline as a printed sum, in Vietnamese and English.

The lines alone suffice to count again: each skipped and each paused day stands in them, each with its reason.
`explain` gives the lines as codes with facts, `render` as sentences.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from types import MappingProxyType
from typing import Any

from gandan.law.calendar import WEEKLY_REST, DayRule
from gandan.law.deadlines import Deadline, Step
from gandan.law.office_hours import VIETNAM, Frame, OfficeHours

Grounds = Callable[[str], str]

_CODE_VI = "Bộ luật Dân sự số 91/2015/QH13"
_CODE_EN = "Civil Code 91/2015/QH13"
_UNITS_VI = {
    "hour": "giờ",
    "day": "ngày",
    "working_day": "ngày làm việc",
    "month": "tháng",
}
_UNITS_EN = {
    "hour": "hour",
    "day": "day",
    "working_day": "working day",
    "month": "month",
}
_WEEKDAYS_VI = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")
_WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_RULES_VI = {
    "hour": f"tính liên tục từng giờ, kể cả đêm và ngày nghỉ (Điều 147 {_CODE_VI})",
    "day": (
        "không tính ngày đầu; ngày cuối rơi vào ngày nghỉ thì hết hạn vào ngày làm việc kế tiếp "
        f"(Điều 147 và Điều 148 {_CODE_VI})"
    ),
    "working_day": f"không tính ngày đầu; chỉ tính ngày làm việc (Điều 147 và Điều 148 {_CODE_VI})",
    "half_day": "chỉ tính trong giờ làm việc",
    "month": (
        "hết hạn vào ngày cùng số của tháng cuối, tháng không có ngày đó thì vào ngày cuối tháng; "
        f"rơi vào ngày nghỉ thì hết hạn vào ngày làm việc kế tiếp (Điều 147 và Điều 148 {_CODE_VI})"
    ),
}
_RULES_EN = {
    "hour": f"hours run on through nights and holidays ({_CODE_EN}, article 147)",
    "day": (
        "the first day is not counted; a last day of rest moves to the next working day "
        f"({_CODE_EN}, articles 147 and 148)"
    ),
    "working_day": (f"the first day is not counted; only working days count ({_CODE_EN}, articles 147 and 148)"),
    "half_day": "only office hours count",
    "month": (
        "it ends on the same day number of the last month, else on that month's last day; a day of rest moves "
        f"to the next working day ({_CODE_EN}, articles 147 and 148)"
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the sum: a code for the sentence, and what it says.

    Codes: start, term, office, skip, make_up, pause.days, pause.time, work, count, count.month, extend, roll, calendar,
    provisional, open, due.day, due.time. Facts are dates, instants, amounts, rules and codes of grounds.
    """

    code: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The lines in their order, and the citation in both languages."""

    lines: tuple[Line, ...]
    basis_vi: str = ""
    basis_en: str = ""


def explain(deadline: Deadline) -> Explanation:
    """Return the sum of a deadline as lines; neighbouring days with one and the same reason share a line."""
    lines: list[Line] = []
    for (kind, _), group in groupby(deadline.steps, key=_reason()):
        steps = list(group)
        facts = dict(steps[0].facts)
        if "day" in facts:
            facts["until"] = steps[-1].get("day")
            facts["days"] = len(steps)
        lines.append(Line(_code(kind, facts), MappingProxyType(facts)))
    term = deadline.term
    return Explanation(tuple(lines), term.basis_vi if term else "", term.basis_en if term else "")


def render(explanation: Explanation | Deadline, language: str, *, basis: str = "", grounds: Grounds = str) -> list[str]:
    """Return the sum as sentences, one a line, in English for `en` and else in Vietnamese.

    `basis` is the citation where the deadline knows no term; `grounds` names a ground's code in words.
    """
    if isinstance(explanation, Deadline):
        explanation = explain(explanation)
    english = language == "en"
    basis = basis or (explanation.basis_en if english else explanation.basis_vi)
    said = (_english if english else _vietnamese)(basis, grounds)
    return [said[line.code](line.facts) for line in explanation.lines]


def amount_words(amount: Decimal | int | str, unit: str, language: str) -> str:
    """Return an amount of time in words: “3 ngày làm việc”, “half a working day”."""
    amount = Decimal(amount)
    if unit == "half_day":
        if amount == 1:
            return "half a working day" if language == "en" else "nửa ngày làm việc"
        return amount_words(amount / 2, "working_day", language)
    number = f"{amount.normalize():f}"
    if language == "en":
        return f"{number} {_UNITS_EN[unit]}{'' if amount == 1 else 's'}"
    return f"{number.replace('.', ',')} {_UNITS_VI[unit]}"


def duration_words(seconds: int, language: str) -> str:
    """Return a length of time in words: “3 giờ 45 phút”, “1 hour 30 minutes”."""
    hours, rest = divmod(seconds, 3600)
    parts = [(hours, "giờ", "hour"), (rest // 60, "phút", "minute"), (rest % 60, "giây", "second")]
    if language == "en":
        return " ".join(f"{n} {en}{'' if n == 1 else 's'}" for n, _, en in parts if n) or "0 seconds"
    return " ".join(f"{n} {vi}" for n, vi, _ in parts if n) or "0 giây"


def _reason() -> Callable[[Step], tuple[str, Any]]:
    """Return a key that stays the same while days follow each other for one reason."""
    before: list[Any] = [None, None, 0]

    def key(step: Step) -> tuple[str, Any]:
        facts = dict(step.facts)
        day = facts.pop("day", None)
        same = before[0] == (step.kind, facts) and day is not None and day == before[1] + timedelta(days=1)
        before[:] = [(step.kind, facts), day, before[2] + (not same)]
        return step.kind, before[2]

    return key


def _code(kind: str, facts: Mapping[str, Any]) -> str:
    if kind == "pause":
        return "pause.days" if "day" in facts else "pause.time"
    if kind == "count" and facts["unit"] == "month":
        return "count.month"
    if kind == "due":
        return "due.day" if _is_midnight(facts["at"]) else "due.time"
    return kind


Sentence = Callable[[Mapping[str, Any]], str]


def _vietnamese(basis: str, grounds: Grounds) -> dict[str, Sentence]:
    """Return the sentence of each code in Vietnamese."""

    def amount(facts: Mapping[str, Any]) -> str:
        return amount_words(facts["amount"], facts["unit"], "vi")

    def term(facts: Mapping[str, Any]) -> str:
        unit = facts["unit"]
        usual = ""
        if "ordinary" in facts:
            grounds_ = [
                w for w, on in (("vùng sâu, vùng xa", facts["remote"]), ("vụ việc phức tạp", facts["complex"])) if on
            ]
            usual = f" ({', '.join(grounds_)}; thông thường {amount_words(facts['ordinary'], unit, 'vi')})"
        cited = f" Căn cứ: {basis}." if basis else ""
        return f"Thời hạn: {amount(facts)}{usual}.{cited} Cách tính: {_RULES_VI[unit]}."

    def office(facts: Mapping[str, Any]) -> str:
        hours: OfficeHours = facts["hours"]
        others = [f"; {_WEEKDAYS_VI[d]}: {_frames(f) or 'nghỉ'}" for d, f in sorted(hours.by_weekday.items())]
        half = duration_words(facts["half_day"], "vi")
        return f"Giờ làm việc: {_frames(hours.frames)}{''.join(others)}. Nửa ngày làm việc là {half}."

    def skip(facts: Mapping[str, Any]) -> str:
        return f"Bỏ qua {_days_vi(facts)}: {_rule_vi(facts['rule'])}."

    def pause_time(facts: Mapping[str, Any]) -> str:
        span = f"từ {_instant(facts['from'])} đến {_instant(facts['to'])}"
        lasted = duration_words(int((facts["to"] - facts["from"]).total_seconds()), "vi")
        return f"Tạm dừng tính hạn {span} ({lasted}): {grounds(facts['ground'])}."

    def work(facts: Mapping[str, Any]) -> str:
        span = f"từ {_clock(facts['from'])} đến {_clock(facts['to'])}"
        lasted = duration_words(facts["seconds"], "vi")
        return f"Tính {_day_vi(facts['from'].date())} {span}: {lasted}."

    def count(facts: Mapping[str, Any]) -> str:
        return f"Đủ {amount(facts)}: từ {_when_vi(facts['from'])} đến {_when_vi(facts['to'])}."

    def count_month(facts: Mapping[str, Any]) -> str:
        reached = f"{amount(facts)} kể từ {_day_vi(facts['from'])} là {_day_vi(facts['reached'])}"
        if not facts["paused"]:
            return f"{reached}."
        return f"{reached}; cộng thêm {facts['paused']} ngày tạm dừng: {_day_vi(facts['to'])}."

    def roll(facts: Mapping[str, Any]) -> str:
        if "rule" in facts:
            moved = f"{_rest_vi(facts['rule'])}, nên hạn chuyển sang ngày làm việc kế tiếp"
        else:
            moved = f"khi đang tạm dừng tính hạn ({grounds(facts['ground'])}), nên hạn chuyển sang ngày kế tiếp"
        return f"Ngày cuối rơi vào {_days_vi(facts)}, {moved}."

    def calendar(facts: Mapping[str, Any]) -> str:
        name = f" {facts['name']}" if facts["name"] else ""
        decree = f", theo {facts['decree']}" if facts["decree"] else ""
        return f"Lịch làm việc{name} năm {facts['year']}{decree}, bản {facts['version']}."

    return {
        "start": lambda f: f"Bắt đầu từ {_instant(_begun(f))} {_day_vi(f['at'].date(), dated=False)}.",
        "term": term,
        "office": office,
        "skip": skip,
        "make_up": lambda f: f"Vẫn tính {_days_vi(f)}: {_rule_vi(f['rule'])}.",
        "pause.days": lambda f: f"Tạm dừng tính hạn {_days_vi(f)}: {grounds(f['ground'])}.",
        "pause.time": pause_time,
        "work": work,
        "count": count,
        "count.month": count_month,
        "extend": lambda f: f"Gia hạn thêm {amount(f)}: {grounds(f['ground'])}.",
        "roll": roll,
        "calendar": calendar,
        "provisional": lambda f: f"Lịch nghỉ năm {f['year']} là tạm tính, sẽ tính lại khi có quyết định.",
        "open": lambda f: (
            f"Đang tạm dừng tính hạn từ {_instant(_began(f))}: {grounds(f['ground'])}; "
            "hạn sẽ được tính lại khi hết tạm dừng."
        ),
        "due.day": lambda f: f"Hạn: hết {_day_vi(f['last_day'])}.",
        "due.time": lambda f: f"Hạn: {_instant(f['at'])}.",
    }


def _english(basis: str, grounds: Grounds) -> dict[str, Sentence]:
    """Return the sentence of each code in English."""

    def amount(facts: Mapping[str, Any]) -> str:
        return amount_words(facts["amount"], facts["unit"], "en")

    def term(facts: Mapping[str, Any]) -> str:
        unit = facts["unit"]
        usual = ""
        if "ordinary" in facts:
            grounds_ = [
                w for w, on in (("remote commune", facts["remote"]), ("complex matter", facts["complex"])) if on
            ]
            usual = f" ({', '.join(grounds_)}; otherwise {amount_words(facts['ordinary'], unit, 'en')})"
        cited = f" Legal basis: {basis}." if basis else ""
        return f"Term: {amount(facts)}{usual}.{cited} How it is counted: {_RULES_EN[unit]}."

    def office(facts: Mapping[str, Any]) -> str:
        hours: OfficeHours = facts["hours"]
        others = [f"; {_WEEKDAYS_EN[d]}: {_frames(f) or 'closed'}" for d, f in sorted(hours.by_weekday.items())]
        half = duration_words(facts["half_day"], "en")
        return f"Office hours: {_frames(hours.frames)}{''.join(others)}. Half a working day is {half}."

    def skip(facts: Mapping[str, Any]) -> str:
        return f"Skip {_days_en(facts)}: {_rule_en(facts['rule'])}."

    def pause_time(facts: Mapping[str, Any]) -> str:
        span = f"from {_instant_en(facts['from'])} to {_instant_en(facts['to'])}"
        lasted = duration_words(int((facts["to"] - facts["from"]).total_seconds()), "en")
        return f"The clock stood still {span} ({lasted}): {grounds(facts['ground'])}."

    def work(facts: Mapping[str, Any]) -> str:
        span = f"from {_clock(facts['from'])} to {_clock(facts['to'])}"
        lasted = duration_words(facts["seconds"], "en")
        return f"Count {_day_en(facts['from'].date())} {span}: {lasted}."

    def count(facts: Mapping[str, Any]) -> str:
        return f"That makes {amount(facts)}: from {_when_en(facts['from'])} to {_when_en(facts['to'])}."

    def count_month(facts: Mapping[str, Any]) -> str:
        reached = f"{amount(facts)} from {_day_en(facts['from'])} is {_day_en(facts['reached'])}"
        if not facts["paused"]:
            return f"{reached}."
        days = amount_words(facts["paused"], "day", "en")
        return f"{reached}; {days} of pause later it is {_day_en(facts['to'])}."

    def roll(facts: Mapping[str, Any]) -> str:
        why = _rule_en(facts["rule"]) if "rule" in facts else f"the clock stood still, {grounds(facts['ground'])}"
        return f"The term does not end on {_days_en(facts)}: {why}; it moves to the next day."

    def calendar(facts: Mapping[str, Any]) -> str:
        name = f" of {facts['name']}" if facts["name"] else ""
        decree = f", by {facts['decree']}" if facts["decree"] else ""
        return f"Working calendar{name} for {facts['year']}{decree}, version {facts['version']}."

    return {
        "start": lambda f: f"It begins at {_instant_en(_begun(f))}, a {_WEEKDAYS_EN[f['at'].weekday()]}.",
        "term": term,
        "office": office,
        "skip": skip,
        "make_up": lambda f: f"{_days_en(f)} counts: {_rule_en(f['rule'])}.",
        "pause.days": lambda f: f"The clock stood still on {_days_en(f)}: {grounds(f['ground'])}.",
        "pause.time": pause_time,
        "work": work,
        "count": count,
        "count.month": count_month,
        "extend": lambda f: f"Extended by {amount(f)}: {grounds(f['ground'])}.",
        "roll": roll,
        "calendar": calendar,
        "provisional": lambda f: (
            f"The calendar of {f['year']} is provisional; the date will be counted again when it is decided."
        ),
        "open": lambda f: (
            f"The clock has stood still since {_instant_en(_began(f))}: {grounds(f['ground'])}; "
            "the date will be counted again when it runs on."
        ),
        "due.day": lambda f: f"Due: by the end of {_day_en(f['last_day'])}.",
        "due.time": lambda f: f"Due: {_instant_en(f['at'])}.",
    }


def _rule_vi(rule: DayRule) -> str:
    return f"{rule.name_vi} (theo {rule.decree})" if rule.decree else rule.name_vi


def _rule_en(rule: DayRule) -> str:
    return f"{rule.name_en} (by {rule.decree})" if rule.decree else rule.name_en


def _rest_vi(rule: DayRule) -> str:
    """Return that a day is one of rest, and by what, where that is more than the weekend."""
    if rule == WEEKLY_REST:
        return rule.name_vi
    return f"ngày nghỉ ({rule.name_vi}, theo {rule.decree})" if rule.decree else f"ngày nghỉ ({rule.name_vi})"


def _days_vi(facts: Mapping[str, Any]) -> str:
    first, last, days = facts["day"], facts["until"], facts["days"]
    if days == 1:
        return _day_vi(first)
    if days == 2:
        return f"{_day_vi(first)} và {_day_vi(last)}"
    return f"từ {_day_vi(first)} đến hết {_day_vi(last)} ({days} ngày)"


def _days_en(facts: Mapping[str, Any]) -> str:
    first, last, days = facts["day"], facts["until"], facts["days"]
    if days == 1:
        return _day_en(first)
    if days == 2:
        return f"{_day_en(first)} and {_day_en(last)}"
    return f"{_day_en(first)} to {_day_en(last)} ({days} days)"


def _day_vi(day: date, *, dated: bool = True) -> str:
    return f"{_WEEKDAYS_VI[day.weekday()]} {day:%d/%m/%Y}" if dated else f"({_WEEKDAYS_VI[day.weekday()]})"


def _day_en(day: date) -> str:
    return f"{_WEEKDAYS_EN[day.weekday()]} {day.day} {_MONTHS_EN[day.month - 1]} {day.year}"


def _when_vi(moment: date) -> str:
    return _instant(moment) if isinstance(moment, datetime) else _day_vi(moment)


def _when_en(moment: date) -> str:
    return _instant_en(moment) if isinstance(moment, datetime) else _day_en(moment)


def _instant(moment: datetime) -> str:
    return f"{_clock(moment)} {moment.astimezone(VIETNAM):%d/%m/%Y}"


def _instant_en(moment: datetime) -> str:
    local = moment.astimezone(VIETNAM)
    return f"{_clock(moment)} on {local.day} {_MONTHS_EN[local.month - 1]} {local.year}"


def _began(facts: Mapping[str, Any]) -> datetime:
    """Return when a pause that is still open began, as exactly as the clock counts."""
    return _begun({"at": facts["from"], "unit": facts["unit"]})


def _begun(facts: Mapping[str, Any]) -> datetime:
    """Return the start as it is told: a clock in days does not care for the second."""
    start: datetime = facts["at"]
    return start if facts["unit"] in ("hour", "half_day") else start.replace(second=0)


def _clock(moment: datetime) -> str:
    """Write the time to the minute, and to the second where it needs one."""
    local = moment.astimezone(VIETNAM)
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def _frames(frames: Iterable[Frame]) -> str:
    return ", ".join(f"{begin:%H:%M}–{end:%H:%M}" for begin, end in frames)


def _is_midnight(moment: datetime) -> bool:
    local = moment.astimezone(VIETNAM)
    return (local.hour, local.minute, local.second) == (0, 0, 0)
