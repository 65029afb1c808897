"""One list on Monday morning; nobody sees a promise that is not theirs to see."""

from datetime import date, time, timedelta
from uuid import uuid4

import pytest
from django.utils import translation

from gandan.access import clock
from gandan.obligations import actions, kinds, worklist
from gandan.obligations.models import Obligation
from gandan.staffing import actions as staffing
from gandan.ui import cursors
from tests.cast import NOBODY
from tests.obligations.promises import at, do, midnight, one, start

pytestmark = pytest.mark.django_db

MONDAY = at("2026-11-23", time(7, 30))
SEALED = uuid4()


@pytest.fixture(autouse=True)
def _titles(monkeypatch):
    """Lend the promises of these tests a title, as a room does that registers a kind."""

    def summaries(actor, matters):
        return {matter: kinds.Summary("GD-1", f"Việc {matter}") for matter in matters if matter != SEALED}

    monkeypatch.setattr(kinds, "_KINDS", {"case": kinds.Kind("case", "case", summaries)})


def buckets(actor, moment=MONDAY, **more):
    return worklist.page(actor, moment, **more).counts


def test_the_list_says_what_is_due_today_this_week_overdue_waiting_and_later(cast):
    start(cast, when="2026-11-10")  # overdue since 14 November
    start(cast, when="2026-11-18")  # due today
    start(cast, when="2026-11-20")  # due on Thursday: 24 November is a holiday
    start(cast, "FB-01", event="received", when="2026-11-20")  # one this week, one on 7 December
    paused, _ = start(cast, when="2026-11-20")
    do(actions.suspend, "2026-11-21", matter=paused, ground="missing_papers")
    found = buckets(cast.actor("pao"))
    assert found == {"all": 6, "overdue": 1, "today": 1, "week": 3, "later": 1, "waiting": 1}
    for bucket, count in found.items():
        assert len(worklist.page(cast.actor("pao"), MONDAY, bucket=bucket).rows) == count


def test_every_running_promise_stands_in_exactly_one_of_overdue_week_and_later(cast):
    for day in range(40):
        start(cast, when=date(2026, 10, 15) + timedelta(days=day))
    actor = cast.actor("pao")
    seen = [
        row.obligation.pk for bucket in ("overdue", "week", "later", "waiting") for row in pages(actor, bucket=bucket)
    ]
    assert len(seen) == len(set(seen)) == buckets(actor)["all"] == 40


def pages(actor, **more):
    cursor = ""
    while True:
        page = worklist.page(actor, MONDAY, cursor=cursor, **more)
        yield from page.rows
        cursor = page.next_cursor
        if not cursor:
            return


def test_the_nearest_deadline_comes_first_with_its_clock(cast):
    start(cast, when="2026-11-20")
    start(cast, when="2026-11-10")
    rows = worklist.page(cast.actor("pao"), MONDAY).rows
    assert [row.clock.kind for row in rows] == ["late", "soon"]
    assert [row.due_at for row in rows] == sorted(row.due_at for row in rows)


def test_an_officer_may_look_at_their_own_alone(cast):
    mine, _ = start(cast, officer=cast.people["pao"])
    start(cast, officer=cast.people["chief"])
    page = worklist.page(cast.actor("pao"), MONDAY, mine=True)
    assert [row.obligation.matter for row in page.rows] == [mine] and page.counts["all"] == 1


def test_nobody_sees_the_promises_of_another_unit(cast):
    start(cast)
    start(cast, unit=cast.phieng_lua)
    start(cast, unit=cast.far_away)
    counts = {name: buckets(cast.actor(name))["all"] for name in ("truc", "pao", "lan", "commander", "stranger")}
    assert counts == {"truc": 1, "pao": 1, "lan": 1, "commander": 2, "stranger": 1}
    for name in ("registrar", "administrator"):
        assert buckets(cast.actor(name))["all"] == 0


def test_those_whom_a_matter_concerns_see_nothing_of_it(cast):
    """A matter about Nà Then, in the hands of the province: neither row nor count, to its commander either."""
    matter, _ = start(cast, unit=cast.province)
    assert buckets(cast.actor("commander"))["all"] == 1
    staffing.record_concern(matter=matter, by=NOBODY, unit=cast.na_then)
    for name in ("pao", "chief", "lan", "commander", "dispatcher", "stranger"):
        page = worklist.page(cast.actor(name), MONDAY)
        assert not page.rows and page.counts["all"] == 0
    assert buckets(cast.actor("inspector"))["all"] == 1
    assert buckets(cast.actor("auditor"))["all"] == 1


def test_a_matter_that_the_reader_may_not_open_shows_its_clock_only(cast):
    start(cast, matter=SEALED)
    (row,) = worklist.page(cast.actor("pao"), MONDAY).rows
    assert row.summary.title == "" and row.due_at


# Pages


def test_pages_follow_one_another_without_gap_or_repetition(cast):
    for day in range(60):
        start(cast, when=date(2026, 9, 10) + timedelta(days=day))
    seen = [row.obligation.pk for row in pages(cast.actor("pao"))]
    assert len(seen) == len(set(seen)) == 60


def test_promises_with_the_same_date_are_not_lost_between_two_pages(cast):
    for _ in range(2 * worklist.PAGE + 3):
        start(cast)
    seen = [row.obligation.pk for row in pages(cast.actor("pao"))]
    assert len(seen) == len(set(seen)) == 2 * worklist.PAGE + 3


def test_what_ends_or_comes_while_one_reads_on_skips_nothing_that_stays(cast):
    opened = [start(cast, when=date(2026, 9, 10) + timedelta(days=day))[0] for day in range(60)]
    actor = cast.actor("pao")
    first = worklist.page(actor, MONDAY)
    gone = [row.obligation.matter for row in first.rows[:5]] + opened[-3:]
    for matter in gone:
        do(actions.fulfil, MONDAY, "answered", matter=matter, late_entry=True)
    start(cast, when="2026-09-01")
    seen = [row.obligation.matter for row in first.rows]
    cursor = first.next_cursor
    while cursor:
        page = worklist.page(actor, MONDAY, cursor=cursor)
        seen += [row.obligation.matter for row in page.rows]
        cursor = page.next_cursor
    assert len(seen) == len(set(seen))
    assert set(opened) - set(gone) <= set(seen)


def test_a_page_address_holds_for_its_own_list_only(cast):
    for day in range(30):
        start(cast, when=date(2026, 10, 1) + timedelta(days=day))
    cursor = worklist.page(cast.actor("pao"), MONDAY).next_cursor
    for name, more in (("pao", {"bucket": "overdue"}), ("pao", {"mine": True}), ("chief", {})):
        with pytest.raises(worklist.WrongCursor):
            worklist.page(cast.actor(name), MONDAY, cursor=cursor, **more)
    for forged in ("x", cursor[:-2], cursors.sign(["x"], "another list")):
        with pytest.raises(worklist.WrongCursor):
            worklist.page(cast.actor("pao"), MONDAY, cursor=forged)


def test_a_list_takes_as_many_queries_however_long_it_is(cast, django_assert_num_queries):
    """One for the rows and one for the counts; the room that lends the titles asks once more. Where the list of
    all ends, those that wait are asked for."""
    actor = cast.actor("pao")
    for count, asked in ((1, 3), (40, 2)):
        for _ in range(count):
            start(cast)
        with django_assert_num_queries(asked):
            worklist.page(actor, MONDAY)
        with django_assert_num_queries(2):
            worklist.page(actor, MONDAY, bucket="overdue")


def test_promises_that_wait_stand_after_those_that_run_each_with_its_ground(cast):
    for day in range(26):
        start(cast, when=date(2026, 10, 15) + timedelta(days=day))
    for day in range(30):
        waiting, _ = start(cast, when=date(2026, 9, 10) + timedelta(days=day))
        do(actions.suspend, date(2026, 9, 10) + timedelta(days=day), matter=waiting, ground="missing_papers")
    rows = list(pages(cast.actor("pao")))
    assert [bool(row.waiting_for) for row in rows] == [False] * 26 + [True] * 30
    assert len({row.obligation.pk for row in rows}) == 56
    with translation.override("vi"):
        assert worklist.page(cast.actor("pao"), MONDAY, bucket="waiting").rows[0].waiting_for == "chờ bổ sung giấy tờ"


def test_counts_stop_at_a_thousand_and_one(cast, monkeypatch):
    monkeypatch.setattr(worklist, "MANY", 3)
    for _ in range(6):
        start(cast)
    assert buckets(cast.actor("pao"))["all"] == 4


# The commander


def test_the_commander_sees_the_oldest_late_promise_of_each_unit_and_who_has_it(cast):
    start(cast, when="2026-11-02", officer=cast.people["pao"])
    start(cast, when="2026-11-10")
    start(cast, unit=cast.phieng_lua, when="2026-11-20")
    loads = worklist.by_unit(cast.actor("commander"), MONDAY)
    assert [(load.unit, load.open, load.overdue, load.waiting) for load in loads] == [
        ("Xã Nà Then", 2, 2, 0),
        ("Xã Phiêng Lúa", 1, 0, 0),
    ]
    assert loads[0].oldest.obligation.started_at == at("2026-11-02")
    assert loads[0].oldest.obligation.assignee == cast.people["pao"]
    assert loads[1].oldest is None


def test_the_load_of_all_units_takes_a_fixed_number_of_queries(cast, django_assert_num_queries):
    for unit in (cast.na_then, cast.phieng_lua):
        start(cast, unit=unit, when="2026-11-02")
    actor = cast.actor("commander")
    with django_assert_num_queries(2):
        worklist.by_unit(actor, MONDAY)
    for _ in range(20):
        start(cast, when="2026-11-03")
    with django_assert_num_queries(2):
        worklist.by_unit(actor, MONDAY)


def test_a_list_can_be_narrowed_to_one_unit(cast):
    start(cast)
    start(cast, unit=cast.phieng_lua)
    commander = cast.actor("commander")
    assert buckets(commander, unit=cast.na_then.pk)["all"] == 1
    assert buckets(cast.actor("lan"), unit=cast.na_then.pk)["all"] == 0
    assert [title for _slug, title in worklist.units(commander)] == ["Xã Nà Then", "Xã Phiêng Lúa"]


# States asked in two ways


def test_each_state_is_the_same_asked_of_the_table_and_of_the_row(cast):
    start(cast, when="2026-11-10")
    start(cast, when="2026-11-20")
    for day in ("2026-11-12", "2026-11-25"):
        ended, _ = start(cast, when="2026-11-10")
        do(actions.fulfil, day, "answered", matter=ended)
    back, _ = start(cast, when="2026-11-10")
    do(actions.withdraw, "2026-11-12", matter=back)
    paused, _ = start(cast, when="2026-11-20")
    do(actions.suspend, "2026-11-21", matter=paused, ground="missing_papers")
    rows = list(Obligation.system("test").all())
    for moment in (MONDAY, midnight("2026-11-14"), at("2026-12-24")):
        for state in Obligation.STATES:
            asked = Obligation.system("test")
            asked = asked.overdue(moment) if state == "overdue" else getattr(asked, state)()
            assert set(asked) == {row for row in rows if row.is_in(state, moment)}, state


def test_a_promise_is_late_from_the_very_midnight_that_ends_its_day(cast):
    matter, (opened,) = start(cast)
    row = one(matter)
    assert row.is_in("overdue", opened.due_at)
    assert not row.is_in("overdue", opened.due_at - timedelta(microseconds=1))


def test_an_unknown_state_is_refused():
    with pytest.raises(ValueError, match="waiting"):
        Obligation().is_in("asleep", MONDAY)


def test_a_matter_shows_all_its_promises_with_their_clocks(cast, django_assert_num_queries):
    matter, _ = start(cast, "FB-01", event="received")
    actor = cast.actor("pao")
    with clock.at(MONDAY), django_assert_num_queries(2):
        found = worklist.for_matter(actor, matter, MONDAY)
        assert [len(list(row.events.all())) for row, _clock in found] == [1, 1]
    assert worklist.for_matter(cast.actor("lan"), matter, MONDAY) == []
