"""What became of what people brought: counted with numerator and denominator, never without what it counts."""

from datetime import date, datetime, timedelta

import pytest

from gandan.access import ANONYMOUS, now, today
from gandan.access.clock import VIETNAM
from gandan.cases import actions, results
from gandan.cases.models import Rating
from gandan.obligations.models import Obligation
from gandan.units.models import UnitHeir

pytestmark = pytest.mark.django_db
OCTOBER = (date(2026, 10, 1), date(2026, 11, 1))


def settle(world, case, by="pao"):
    actor = world.actor(by)
    actions.take(case=case, by=actor)
    actions.answer(case=case, text="Xong", by=actor)


@pytest.fixture
def october(world, move_to):
    """Three matters in An Lĩnh in October: one answered in 2 days, one in 20 (late), one still open."""
    move_to(datetime(2026, 10, 5, 9, tzinfo=VIETNAM))
    fast, slow, _waiting = (world.case(text=f"Việc {n}") for n in range(3))
    world.case(unit=world.binh, by=world.actor("lan"))
    move_to(datetime(2026, 10, 7, 9, tzinfo=VIETNAM))
    settle(world, fast)
    move_to(datetime(2026, 10, 25, 9, tzinfo=VIETNAM))
    settle(world, slow)
    return fast, slow


def test_the_figures_of_a_month(world, october):
    found = results.of_unit(world.an, *OCTOBER)
    assert (found.received, found.settled, found.open) == (3, 2, 1)
    # Two promises a matter: to take it in hand and to answer. The slow one broke both; the open one is late twice.
    assert (found.in_time, found.promises) == (2, 4) and found.in_time_share == 0.5
    assert found.median_days == 11.0 and found.late == 1


def test_a_month_in_which_nothing_happened_says_nothing(world, october):
    found = results.of_unit(world.an, date(2026, 8, 1), date(2026, 9, 1))
    assert (found.received, found.settled, found.promises) == (0, 0, 0)
    assert found.in_time_share is None and found.median_days is None and found.rating_mean is None


def test_the_day_ends_at_midnight_in_vietnam(world, move_to):
    move_to(datetime(2026, 10, 31, 23, 59, tzinfo=VIETNAM))
    world.case()
    move_to(datetime(2026, 11, 1, 0, 1, tzinfo=VIETNAM))
    world.case()
    assert results.of_unit(world.an, *OCTOBER).received == 1


def test_what_was_withdrawn_is_neither_kept_nor_broken(world):
    actions.withdraw(case=world.case(), by=ANONYMOUS)
    found = results.of_unit(world.an, today().replace(day=1), today() + timedelta(days=1))
    assert (found.received, found.promises, found.open) == (1, 0, 0)


def test_what_was_sent_on_is_received_by_one_and_settled_by_the_other(world):
    case = world.case()
    actions.send(case=case, text="Của Bình Sơn", to_unit=world.binh, by=world.actor("pao"))
    actions.acknowledge(case=case, by=world.actor("lan"))
    settle(world, case, "lan")
    begin, end = today().replace(day=1), today() + timedelta(days=1)
    ours, theirs = results.of_units([world.an, world.binh], begin, end)
    assert (ours.received, ours.settled, ours.open) == (1, 0, 0)
    assert (theirs.received, theirs.settled, theirs.in_time) == (0, 1, 2)


def test_ratings_are_a_stream_of_their_own_and_too_few_say_nothing(world):
    for n in range(results.RATINGS_SHOWN_FROM):
        case = world.case(text=f"Việc {n}")
        settle(world, case)
        found = results.of_unit(world.an, today().replace(day=1), today() + timedelta(days=1))
        assert found.rating_mean is None and found.ratings == n
        actions.rate(case=case, score=4 if n else 5, told_until_when=None, by=ANONYMOUS)
    found = results.of_unit(world.an, today().replace(day=1), today() + timedelta(days=1))
    assert found.rating_mean == pytest.approx((5 + 4 * (results.RATINGS_SHOWN_FROM - 1)) / results.RATINGS_SHOWN_FROM)
    assert {row.month for row in Rating.system("tests")} == {today().replace(day=1)}


def test_matters_about_the_police_enter_no_figure(world):
    inspector = world.actor("inspector")
    case = world.case("CO-01", by=ANONYMOUS)
    actions.accept(case=case, by=inspector)
    actions.answer(case=case, text="Xong", by=inspector)
    begin, end = today().replace(day=1), today() + timedelta(days=1)
    for unit in (world.an, world.seat, world.country):
        found = results.of_unit(unit, begin, end)
        assert (found.received, found.settled, found.promises, found.open, found.late) == (0, 0, 0, 0, 0)


def test_an_heir_counts_the_units_that_it_inherited(world, october):
    UnitHeir.objects.create(heir=world.binh, origin=world.an, since=today())
    found = results.of_unit(world.binh, *OCTOBER)
    assert found.parts == 1 and (found.received, found.settled) == (4, 2) and found.median_days == 11.0


def test_a_province_s_table_asks_a_fixed_number_of_questions(world, october, django_assert_num_queries):
    units = [world.an, world.binh, world.xa, world.seat, world.elsewhere]
    with django_assert_num_queries(7) as asked:
        results.of_units(units[:1], *OCTOBER)
    with django_assert_num_queries(len(asked)):
        rows = results.of_units(units, *OCTOBER)
    assert [row.unit for row in rows] == units and sum(row.received for row in rows) == 4


def test_rows_for_a_file_say_nothing_where_nothing_is_known(world, october):
    ours, theirs = results.table(results.of_units([world.an, world.xa], *OCTOBER))
    assert ours["in_time"] == 2 and ours["promises_ended"] == 4 and ours["median_days"] == 11.0
    assert theirs["median_days"] is None and theirs["rating_mean"] is None and theirs["received"] == 0
    assert ours["rating_stream"] and now()


def test_late_are_matters_that_still_wait_and_never_more_than_wait(world, move_to):
    """An answered matter whose closing is overdue keeps nobody waiting."""
    move_to(datetime(2026, 10, 5, 9, tzinfo=VIETNAM))
    answered, waiting = world.case("AV-01", by=world.actor("pao")), world.case(text="Còn chờ")
    actions.take(case=answered, by=world.actor("pao"))
    actions.answer(case=answered, text="Quyết định", by=world.actor("pao"))
    move_to(datetime(2026, 11, 23, 9, tzinfo=VIETNAM))
    late = Obligation.system("tests").overdue(now())
    assert late.filter(matter=answered.pk).exists() and late.filter(matter=waiting.pk).exists()
    found = results.of_unit(world.an, *OCTOBER)
    assert (found.late, found.open) == (1, 1)
    actions.withdraw(case=waiting, by=ANONYMOUS)
    found = results.of_unit(world.an, *OCTOBER)
    assert (found.late, found.open) == (0, 0)
