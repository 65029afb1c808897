"""A first proposal for a year's calendar, from the package `holidays`, with what it is known to miss.

A seed is a start: an installation keeps its own calendar and corrects it by decree.
"""

from datetime import date

from gandan.law.calendar import CalendarYear, DayRule

FIRST_YEAR = 2015
DECIDED_UNTIL = 2026

# What `holidays` 0.109 does not know: 2 January 2026 was a day off (seen in the press), worked back on
# Saturday 10 January 2026 (from memory).
CORRECTIONS = {
    2026: {
        date(2026, 1, 2): DayRule(
            "swapped_rest", "nghỉ hoán đổi dịp Tết Dương lịch", "day of rest in exchange, New Year"
        ),
        date(2026, 1, 10): DayRule("swapped_work", "làm bù ngày 02/01/2026", "worked in exchange for 2 January 2026"),
    },
}


def seed_year(year: int) -> CalendarYear:
    """Return the proposed calendar of a year: decided up to 2026, provisional afterwards.

    Source: Labour Code 45/2019/QH14, article 112, through the package `holidays`. Raises ValueError before 2015.
    """
    if year < FIRST_YEAR:
        raise ValueError(f"calendars are seeded from {FIRST_YEAR} on")
    import holidays

    vietnamese = holidays.country_holidays("VN", years=year, language="vi")
    english = holidays.country_holidays("VN", years=year, language="en_US")
    days: dict[date, DayRule] = {}
    for day, name in sorted(vietnamese.items()):
        if day.year == year:
            swapped = "(" in name or "nghỉ" in name.lower()
            kind = "swapped_rest" if swapped and day.weekday() < 5 else "holiday"
            days[day] = DayRule(kind, name, english.get(day, name))  # type: ignore[arg-type]
    for day in getattr(vietnamese, "weekend_workdays", set()):
        if day.year == year:
            days[day] = DayRule("swapped_work", "ngày làm bù", "worked in exchange")
    days |= CORRECTIONS.get(year, {})
    return CalendarYear(year, "decided" if year <= DECIDED_UNTIL else "provisional", days)
