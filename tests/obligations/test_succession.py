"""A merger may not swallow a promise."""

from datetime import date, timedelta

import pytest

from gandan.access import Refused, now
from gandan.access.clock import day_of
from gandan.obligations import actions, inbox, jobs, replay
from gandan.obligations.models import Notice, Obligation
from gandan.obligations.succession import ObligationCarrier
from gandan.units import actions as units
from gandan.units.models import Succession, Unit
from tests.cast import NOBODY
from tests.obligations.promises import at, do, midnight, one, start

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 23)


def enact(cast, *steps, effective=DAY, assignments=None):
    act = units.draft_act(
        decree="1670/NQ",
        title="Sắp xếp",
        decided_on=effective - timedelta(days=10),
        effective_on=effective,
        seat=cast.province,
        by=NOBODY,
        steps=steps,
    )
    if assignments:
        units.assign_rows(act=act, assignments=assignments, by=NOBODY)
    assert units.check_act(act=act, by=NOBODY) == []
    return act


def new_commune(cast, code="98003", name="Then Lúa", seat=None):
    above = str((seat or cast.province).pk)
    return (
        "establish",
        {"code": code, "name": name, "type": "Xã", "level": "commune", "administrative": above, "police": above},
    )


def merged(cast, **options):
    both = {"from": [str(cast.na_then.pk), str(cast.phieng_lua.pk)], "into": "new:98003"}
    return enact(cast, new_commune(cast), ("merge", both), **options)


def test_open_promises_pass_to_the_successor_with_the_same_clock_and_date(cast):
    matter, (opened,) = start(cast)
    late, _ = start(cast, when="2026-11-02", unit=cast.phieng_lua)
    paused, _ = start(cast, when="2026-11-20")
    do(actions.suspend, "2026-11-21", matter=paused, ground="missing_papers")
    ended, _ = start(cast)
    do(actions.fulfil, "2026-11-17", "answered", matter=ended)
    units.schedule_act(act=merged(cast), by=NOBODY)
    heir = Unit.objects.get(title="Xã Then Lúa")
    for each in (matter, late, paused):
        assert one(each).owed_by == heir
    assert one(ended).owed_by == cast.na_then
    assert one(matter).due_at == opened.due_at and one(paused).suspended_at == at("2026-11-21")
    event = one(matter).events.last()
    assert (event.kind, event.at, event.ground) == ("transferred", midnight("2026-11-23"), "1670/NQ")
    assert event.facts["from"] == str(cast.na_then.pk)
    assert list(replay.check()) == []


def test_the_preview_names_every_promise_and_moves_none(cast):
    matter, _ = start(cast)
    lines = units.preview_act(act=merged(cast), by=NOBODY)
    (line,) = [line for line in lines if line.object_id == matter]
    assert (line.unit_id, line.title) == (cast.na_then.pk, "RE-02.result") and line.successor_id
    assert one(matter).owed_by == cast.na_then


def test_carrying_again_moves_nothing_twice(cast):
    matter, _ = start(cast)
    act = units.schedule_act(act=merged(cast), by=NOBODY)
    events = one(matter).events.count()
    assert ObligationCarrier().carry(act, NOBODY) == 0
    assert one(matter).events.count() == events


def test_in_a_division_the_registrar_says_who_takes_which_matter(cast):
    chosen, _ = start(cast)
    other, _ = start(cast)
    parts = [{"unit": "new:98004", "share": None, "primary": True}, {"unit": "new:98005", "share": None}]
    steps = (
        new_commune(cast, "98004", "Then Trên"),
        new_commune(cast, "98005", "Then Dưới"),
        ("divide", {"from": str(cast.na_then.pk), "into": parts}),
    )
    units.schedule_act(act=enact(cast, *steps, assignments={str(chosen): "new:98005"}), by=NOBODY)
    heir = Succession.objects.get(predecessor=cast.na_then, primary=True).successor
    assert (one(chosen).owed_by.title, one(other).owed_by) == ("Xã Then Dưới", heir)


def test_an_act_back_dated_behind_the_start_of_a_clock_keeps_its_order(cast):
    matter, (opened,) = start(cast, when="2026-11-20")
    units.schedule_act(act=merged(cast, effective=date(2026, 11, 18)), by=NOBODY)
    event = one(matter).events.last()
    assert event.kind == "transferred" and event.at == opened.started_at
    assert list(replay.check()) == []


def test_a_commune_that_moves_to_another_province_takes_its_promises_along(cast):
    matter, _ = start(cast)
    move = {"unit": str(cast.na_then.pk), "parent": str(cast.other_province.pk)}
    steps = [("move", {**move, "chain": chain}) for chain in ("police", "administrative")]
    units.schedule_act(act=enact(cast, *steps), by=NOBODY)
    row = one(matter)
    assert (row.owed_by, row.province_id) == (cast.na_then, cast.other_province.pk)
    assert Obligation.for_(cast.actor("stranger"), "obligation.read").filter(matter=matter).exists()
    assert not Obligation.for_(cast.actor("commander"), "obligation.read").filter(matter=matter).exists()
    assert list(replay.check()) == []


def test_a_promise_that_nobody_would_take_over_stops_the_act(cast):
    matter, _ = start(cast, unit=cast.country)
    act = merged(cast)
    act.ended_units = lambda: [cast.country.pk]
    act.successor_for = lambda unit, matter=None: None
    with pytest.raises(Refused):
        ObligationCarrier().carry(act, NOBODY)
    assert one(matter).owed_by == cast.country


def test_notices_that_nobody_has_seen_are_sent_to_the_successor(cast):
    matter, _ = start(cast, when="2026-11-02")
    jobs.tick(now())
    seen = Notice.system("test").filter(unit=cast.na_then).first()
    assert seen is not None and day_of(seen.at) == DAY
    units.schedule_act(act=merged(cast), by=NOBODY)
    assert not Notice.system("test").filter(unit=cast.na_then, seen_at=None).exists()
    assert Notice.system("test").filter(unit__title="Xã Then Lúa", matter=matter).exists()


def test_the_merged_commune_still_reads_the_notices_that_were_seen_before(cast):
    start(cast, when="2026-11-02")
    jobs.tick(now())
    actions.see_notice(notice=Notice.system("test").get(unit=cast.na_then), by=cast.actor("pao"))
    units.schedule_act(act=merged(cast), by=NOBODY)
    assert inbox.page(cast.actor("lan"), now(), unseen=False).entries[0].notice.unit == cast.na_then


def test_the_neighbour_sees_what_its_own_new_unit_inherited(cast):
    """Officer Pao and Captain Lan serve the merged commune, and both see what either of them owed."""
    mine, _ = start(cast)
    hers, _ = start(cast, unit=cast.phieng_lua)
    assert not Obligation.for_(cast.actor("lan"), "obligation.read").filter(matter=mine).exists()
    units.schedule_act(act=merged(cast), by=NOBODY)
    for name in ("pao", "lan"):
        seen = Obligation.for_(cast.actor(name), "obligation.read").filter(matter__in=[mine, hers])
        assert seen.count() == 2
