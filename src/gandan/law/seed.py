"""A first proposal for a year's calendar, from the package `holidays`, with what it is known to miss.

A seed is a start: an installation keeps its own calendar and corrects it by decree.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from gandan.law.calendar import CalendarYear, DayRule

FIRST_YEAR = 2015
DECIDED_UNTIL = 2026
"""The last year whose holidays were all announced; later ones follow rules of thumb and are provisional."""

_NEW_YEAR_2026 = "12729/VPCP-KGVX (25/12/2025)"
_CULTURE_DAY = "80-NQ/TW"

# What `holidays` 0.109 does not know. The press quotes the letter of the Government Office: public employees
# rest on Friday 2 January 2026 and work on Saturday 10 January 2026 instead.
CORRECTIONS: Mapping[date, DayRule] = {
    date(2026, 1, 2): DayRule(
        "swapped_rest",
        "nghỉ hoán đổi, làm bù thứ Bảy 10/01/2026",
        "day of rest in exchange for Saturday 10/01/2026",
        _NEW_YEAR_2026,
        date(2025, 12, 25),
    ),
    date(2026, 1, 10): DayRule(
        "swapped_work",
        "làm bù cho ngày nghỉ 02/01/2026",
        "worked in exchange for 02/01/2026",
        _NEW_YEAR_2026,
        date(2025, 12, 25),
    ),
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a day of the seed is not sure, in the words of the page on which the calendar is kept."""

    vi: str
    en: str


_EXCHANGE_2026 = Doubt(
    "Việc nghỉ thứ Hai 31/08/2026 và làm bù thứ Bảy 22/08/2026 mới thấy ở một nguồn, chưa thấy văn bản.",
    "The exchange of Monday 31 August for Saturday 22 August 2026 was seen in one source only, and in no decree.",
)
UNVERIFIED: Mapping[date, Doubt] = {
    date(2026, 8, 22): _EXCHANGE_2026,
    date(2026, 8, 31): _EXCHANGE_2026,
    date(2026, 11, 24): Doubt(
        "Nghị quyết 80-NQ/TW chọn ngày này; chưa thấy văn bản sửa Điều 112 Bộ luật Lao động.",
        "Resolution 80-NQ/TW chose the day; no text was found that amends the Labour Code, article 112.",
    ),
}
"""Days of decided years that rest on one source or on a plan: check them against the decree and correct them."""


def seed_year(year: int) -> CalendarYear:
    """Return the proposed calendar of a year: decided up to 2026, provisional afterwards.

    Source: Labour Code 45/2019/QH14, articles 111 and 112, through the package `holidays`, with CORRECTIONS.
    Raises ValueError before 2015.
    """
    if year < FIRST_YEAR:
        raise ValueError(f"calendars are seeded from {FIRST_YEAR} on")
    import holidays

    # The neighbours are read too: a day of one year may be worked back in the next.
    around = range(year - 1, year + 2)
    vietnamese = holidays.country_holidays("VN", years=around, language="vi")
    english = holidays.country_holidays("VN", years=around, language="en_US")
    days: dict[date, DayRule] = {}
    for rest, name in sorted(vietnamese.items()):
        worked = _exchanged_for(name)
        if worked is not None:
            rules = {rest: _rest_for(worked), worked: _work_for(rest)}
        else:
            decree = _CULTURE_DAY if (rest.month, rest.day) == (11, 24) else ""
            rules = {rest: DayRule("holiday", name, english.get(rest, name), decree)}
        days |= {day: rule for day, rule in rules.items() if day.year == year}
    days |= {day: rule for day, rule in CORRECTIONS.items() if day.year == year}
    return CalendarYear(year, "decided" if year <= DECIDED_UNTIL else "provisional", days)


def _exchanged_for(name: str) -> date | None:
    """Return the Saturday worked for a day of rest, as the package writes it into the day's name."""
    found = re.search(r"thay cho ngày (\d\d)/(\d\d)/(\d{4})", name)
    return date(int(found[3]), int(found[2]), int(found[1])) if found else None


def _rest_for(worked: date) -> DayRule:
    saturday = ("thứ Bảy", "Saturday") if worked.weekday() == 5 else ("Chủ nhật", "Sunday")
    return DayRule(
        "swapped_rest",
        f"nghỉ hoán đổi, làm bù {saturday[0]} {worked:%d/%m/%Y}",
        f"day of rest in exchange for {saturday[1]} {worked:%d/%m/%Y}",
    )


def _work_for(rest: date) -> DayRule:
    return DayRule("swapped_work", f"làm bù cho ngày nghỉ {rest:%d/%m/%Y}", f"worked in exchange for {rest:%d/%m/%Y}")
