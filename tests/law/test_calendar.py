"""Which days are worked, and what is not known about it."""

import ast
from datetime import date
from pathlib import Path

import pytest

import gandan.law
from gandan.law import Calendar, CalendarNotDeclared, CalendarYear, DayRule, calendar_of, union
from gandan.law.seed import CORRECTIONS, DECIDED_UNTIL, FIRST_YEAR, UNVERIFIED, seed_year
from tests.law.dates import NATIONAL

pytestmark = pytest.mark.agnostic

MARKET = DayRule("holiday", "chợ phiên", "market day")
WORKED = DayRule("swapped_work", "làm bù", "worked in exchange", "12/QĐ")


def year(number: int, days: dict[date, DayRule] | None = None, **more: str) -> Calendar:
    return calendar_of([CalendarYear(number, more.pop("status", "decided"), days or {}, **more)])  # type: ignore[arg-type]


def test_the_second_of_january_2026_was_a_day_off_worked_back_on_a_saturday() -> None:
    rule = NATIONAL.why_not_working(date(2026, 1, 2))
    assert rule is not None
    assert rule.kind == "swapped_rest"
    assert rule.decree.startswith("12729/VPCP-KGVX")
    assert rule.published_on == date(2025, 12, 25)
    assert NATIONAL.is_working_day(date(2026, 1, 10))


def test_the_package_still_has_that_day_wrong() -> None:
    """When this fails, the correction may go."""
    import holidays

    known = holidays.country_holidays("VN", years=2026)
    assert date(2026, 1, 2) not in known
    assert date(2026, 1, 10) not in known.weekend_workdays


def test_a_weekend_rests_and_says_so() -> None:
    rule = NATIONAL.why_not_working(date(2026, 11, 22))
    assert rule is not None
    assert rule.name_vi == "ngày nghỉ hằng tuần"
    assert NATIONAL.why_not_working(date(2026, 11, 23)) is None


@pytest.mark.parametrize("number", range(FIRST_YEAR, 2031))
def test_every_day_of_rest_in_exchange_is_worked_back(number: int) -> None:
    calendar = calendar_of(seed_year(each) for each in range(number, number + 2))
    rests = [day for day, rule in calendar.years[number].days.items() if rule.kind == "swapped_rest"]
    works = {day for each in calendar.years.values() for day, rule in each.days.items() if rule.kind == "swapped_work"}
    assert all(day.weekday() < 5 for day in rests)
    for rest in rests:
        names = seed_year(number).days[rest].name_vi
        worked = date(*reversed([int(part) for part in names.rsplit(" ", 1)[1].split("/")]))
        assert worked in works or worked.year < number


def test_a_weekday_compensating_for_a_weekend_is_a_holiday_not_an_exchange() -> None:
    rule = NATIONAL.why_not_working(date(2026, 4, 27))
    assert rule is not None
    assert rule.kind == "holiday"


def test_years_that_wait_for_their_decree_are_provisional() -> None:
    assert NATIONAL.provisional_years() == tuple(range(DECIDED_UNTIL + 1, 2029))
    assert NATIONAL.is_provisional(date(2027, 1, 1))
    assert not NATIONAL.is_provisional(date(2026, 12, 31))


def test_what_could_not_be_verified_is_named() -> None:
    assert date(2026, 11, 24) in UNVERIFIED
    for day in UNVERIFIED:
        assert day in seed_year(day.year).days, f"{day} is not in the seed: nothing is left to verify"
        assert day not in CORRECTIONS


def test_a_year_before_the_first_is_refused() -> None:
    with pytest.raises(ValueError, match="2015"):
        seed_year(2014)


def test_an_absent_year_is_refused_and_named() -> None:
    with pytest.raises(CalendarNotDeclared, match="2040") as refused:
        NATIONAL.is_working_day(date(2040, 5, 5))
    assert refused.value.year == 2040


def test_a_year_declared_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        calendar_of([seed_year(2026), seed_year(2026)])


def test_a_day_of_another_year_is_refused() -> None:
    with pytest.raises(ValueError, match="does not belong"):
        CalendarYear(2026, "decided", {date(2025, 1, 1): MARKET})


def test_a_weekday_worked_in_exchange_is_refused() -> None:
    with pytest.raises(ValueError, match="worked anyway"):
        CalendarYear(2026, "decided", {date(2026, 6, 1): WORKED})


def test_a_calendar_cannot_be_changed_after_it_was_made() -> None:
    with pytest.raises(TypeError):
        NATIONAL.years[2026].days[date(2026, 6, 1)] = MARKET  # type: ignore[index]
    with pytest.raises(TypeError):
        NATIONAL.years[2040] = seed_year(2026)  # type: ignore[index]


def test_the_version_changes_with_the_days_and_with_nothing_else() -> None:
    plain = seed_year(2026)
    assert plain.version == CalendarYear(2026, "provisional", dict(plain.days), "12/QĐ").version
    more = CalendarYear(2026, "decided", {**plain.days, date(2026, 6, 1): MARKET})
    worked = CalendarYear(2026, "decided", {**plain.days, date(2026, 6, 6): WORKED})
    assert len({plain.version, more.version, worked.version, seed_year(2025).version}) == 4


def test_a_union_rests_when_any_of_its_calendars_does() -> None:
    local = year(2026, {date(2026, 6, 1): MARKET})
    both = union(NATIONAL, local, name="Mường Sương")
    assert both.name == "Mường Sương"
    assert both.why_not_working(date(2026, 6, 1)) == MARKET
    assert not both.is_working_day(date(2026, 2, 17))
    assert both.is_working_day(date(2026, 8, 22)), "a Saturday worked nationally is worked"


def test_in_a_union_declared_rest_comes_before_declared_work() -> None:
    saturday = date(2026, 8, 22)
    for calendars in [(NATIONAL, year(2026, {saturday: MARKET})), (year(2026, {saturday: MARKET}), NATIONAL)]:
        assert union(*calendars).why_not_working(saturday) == MARKET


def test_a_union_declares_only_years_that_all_declare() -> None:
    both = union(NATIONAL, year(2026))
    assert set(both.years) == {2026}
    with pytest.raises(CalendarNotDeclared):
        both.is_working_day(date(2025, 6, 2))


def test_a_union_is_provisional_when_a_part_is_and_keeps_the_decrees() -> None:
    both = union(year(2026, decree="1/QĐ"), year(2026, status="provisional", decree="2/QĐ"))
    assert both.provisional_years() == (2026,)
    assert both.years[2026].decree == "1/QĐ; 2/QĐ"


def test_a_union_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no calendars"):
        union()


def test_working_days_are_given_after_one_day_and_until_another() -> None:
    found = list(NATIONAL.working_days(date(2025, 8, 29), date(2025, 9, 5)))
    assert found == [date(2025, 9, 3), date(2025, 9, 4), date(2025, 9, 5)]


def loose(source: str, name: str) -> list[str]:
    """Return what a module of `law` may not do: import beyond the standard library, or read the clock."""
    import sys

    found = []
    tree = ast.parse(source)
    inside = {id(node) for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) for node in ast.walk(each)}
    for node in ast.walk(tree):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        for module in modules:
            lazy = module == "holidays" and name == "seed.py" and id(node) in inside
            if module.split(".")[0] not in sys.stdlib_module_names and not module.startswith("gandan.law") and not lazy:
                found.append(f"{name} imports {module}")
        if isinstance(node, ast.Attribute) and node.attr in ("now", "today", "utcnow", "time_ns", "monotonic"):
            found.append(f"{name} reads the clock: {node.attr}")
    return found


def test_the_law_stands_alone_and_never_reads_the_clock() -> None:
    folder = Path(gandan.law.__file__).parent
    assert [fault for each in sorted(folder.glob("*.py")) for fault in loose(each.read_text("utf-8"), each.name)] == []


@pytest.mark.parametrize(
    "planted",
    ["import holidays", "import django.db", "from gandan.access import now", "x = datetime.now()", "y = date.today()"],
)
def test_a_module_that_does_not_would_be_found(planted: str) -> None:
    assert loose(planted, "seed.py")
