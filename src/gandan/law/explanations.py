"""A deadline as a printed sum, in Vietnamese and English.

The lines alone suffice to count again: every skipped and every paused day stands in them.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from gandan.law.deadlines import VIETNAM, Deadline, Step, rule_name

_UNITS_VI = {
    "hour": "giờ",
    "day": "ngày",
    "working_day": "ngày làm việc",
    "half_day": "nửa ngày làm việc",
    "month": "tháng",
}
_UNITS_EN = {
    "hour": "hour",
    "day": "day",
    "working_day": "working day",
    "half_day": "half working day",
    "month": "month",
}
_DAYS = ("day", "working_day", "month")
_WEEKDAYS_VI = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")
_WEEKDAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def render(deadline: Deadline, language: str, *, basis: str = "", grounds: Callable[[str], str] = str) -> list[str]:
    """Return the sum as sentences, one a line. `basis` is the citation; `grounds` names a ground's code."""
    lines = []
    for step in deadline.steps:
        text = (_english if language == "en" else _vietnamese)(step, grounds)
        if step.kind == "start" and basis:
            text += f" Căn cứ: {basis}." if language != "en" else f" Legal basis: {basis}."
        lines.append(text)
    return lines


def _vietnamese(step: Step, grounds: Callable[[str], str]) -> str:
    match step.kind:
        case "start":
            counted = "ngày đầu không tính" if step.get("unit") in _DAYS else "tính liên tục từ phút này"
            if step.get("unit") == "half_day":
                counted = "tính theo giờ làm việc"
            return f"Bắt đầu tính từ {_instant(step.get('at'))}; {counted}."
        case "count":
            how_many = amount_words(step.get("amount"), step.get("unit"), "vi")
            return f"Tính {how_many}: từ {_when(step.get('from'), 'vi')} đến {_when(step.get('to'), 'vi')}."
        case "skip":
            return f"Bỏ qua {_when(step.get('day'), 'vi')}: {rule_name(step.get('rule'), 'vi')}."
        case "pause" if step.get("day"):
            return f"Tạm dừng {_when(step.get('day'), 'vi')}: {grounds(step.get('ground'))}."
        case "pause":
            span = f"từ {_instant(step.get('from'))} đến {_instant(step.get('to'))}"
            return f"Tạm dừng {span}: {grounds(step.get('ground'))}."
        case "roll":
            why = rule_name(step.get("rule"), "vi")
            return f"Ngày cuối {_when(step.get('day'), 'vi')} là {why}, nên lùi sang ngày kế tiếp."
        case "extend":
            how_many = amount_words(step.get("amount"), step.get("unit"), "vi")
            return f"Gia hạn thêm {how_many}: {grounds(step.get('ground'))}."
        case "provisional":
            return f"Lịch nghỉ năm {step.get('year')} là tạm tính, sẽ tính lại khi có quyết định."
        case _:
            return _due(step, "vi")


def _english(step: Step, grounds: Callable[[str], str]) -> str:
    match step.kind:
        case "start":
            counted = "the first day is not counted" if step.get("unit") in _DAYS else "it runs on from this minute"
            if step.get("unit") == "half_day":
                counted = "counted in office hours"
            return f"Counted from {_instant(step.get('at'))}; {counted}."
        case "count":
            how_many = amount_words(step.get("amount"), step.get("unit"), "en")
            return f"Count {how_many}: from {_when(step.get('from'), 'en')} to {_when(step.get('to'), 'en')}."
        case "skip":
            return f"Skip {_when(step.get('day'), 'en')}: {rule_name(step.get('rule'), 'en')}."
        case "pause" if step.get("day"):
            return f"Paused on {_when(step.get('day'), 'en')}: {grounds(step.get('ground'))}."
        case "pause":
            span = f"from {_instant(step.get('from'))} to {_instant(step.get('to'))}"
            return f"Paused {span}: {grounds(step.get('ground'))}."
        case "roll":
            return (
                f"The last day, {_when(step.get('day'), 'en')}, is a {rule_name(step.get('rule'), 'en')}: the next day."
            )
        case "extend":
            how_many = amount_words(step.get("amount"), step.get("unit"), "en")
            return f"Extended by {how_many}: {grounds(step.get('ground'))}."
        case "provisional":
            return f"The calendar of {step.get('year')} is provisional and will be counted again when it is decided."
        case _:
            return _due(step, "en")


def _due(step: Step, language: str) -> str:
    at: datetime = step.get("at")
    last: date = step.get("last_day")
    if at.astimezone(VIETNAM).date() == last:
        return f"Hạn: {_instant(at)}." if language == "vi" else f"Due: {_instant(at)}."
    if language == "vi":
        return f"Hạn: hết {_when(last, 'vi')}."
    return f"Due: by the end of {_when(last, 'en')}."


def amount_words(amount: Decimal | int | str, unit: str, language: str) -> str:
    """Return an amount of time in words: “3 ngày làm việc”, “1 half working day”."""
    amount = Decimal(amount)
    number = f"{amount.normalize():f}"
    if language == "vi":
        return f"{number.replace('.', ',')} {_UNITS_VI[unit]}"
    return f"{number} {_UNITS_EN[unit]}{'' if amount == 1 else 's'}"


def _when(moment: Any, language: str) -> str:
    if isinstance(moment, datetime):
        return _instant(moment)
    names = _WEEKDAYS_EN if language == "en" else _WEEKDAYS_VI
    return f"{names[moment.weekday()]} {moment:%d/%m/%Y}"


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(VIETNAM):%H:%M %d/%m/%Y}"
