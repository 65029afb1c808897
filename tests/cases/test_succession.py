"""A reorganisation swallows no matter: what is open passes on, what is closed is read by the heir."""

from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from gandan.access import Refused, now
from gandan.access.clock import VIETNAM
from gandan.audit import actions as audit
from gandan.cases import actions, permissions, results
from gandan.cases.models import Case, CaseEvent, Transfer
from gandan.cases.succession import CaseCarrier
from gandan.obligations import replay
from gandan.obligations.models import Obligation
from gandan.units import actions as units
from gandan.units.models import Unit
from tests.cases.conftest import BY, Desk

pytestmark = pytest.mark.django_db
DAY = date(2026, 12, 1)


def act_of(world, *steps, decree="09/NQ"):
    act = units.draft_act(
        decree=decree,
        title="Sắp xếp",
        decided_on=date(2026, 11, 20),
        effective_on=DAY,
        seat=world.seat,
        by=BY,
        steps=steps,
    )
    assert units.check_act(act=act, by=BY) == []
    act.refresh_from_db()
    return act


def new_commune(world, code="99009", name="Sơn Lĩnh"):
    seat = str(world.seat.pk)
    return (
        "establish",
        {"code": code, "name": name, "type": "Xã", "level": "commune", "administrative": seat, "police": seat},
    )


def merger(world):
    """An Lĩnh and Bình Sơn become Sơn Lĩnh."""
    both = [str(world.an.pk), str(world.binh.pk)]
    return act_of(world, new_commune(world), ("merge", {"from": both, "into": "new:99009"}))


def enact(act, move_to):
    move_to(datetime(DAY.year, DAY.month, DAY.day, 0, 5, tzinfo=VIETNAM))
    act.refresh_from_db()
    units.schedule_act(act=act, by=BY)
    act.refresh_from_db()
    return act


def heir():
    return Unit.objects.get(title="Xã Sơn Lĩnh")


def test_an_open_matter_passes_with_its_clocks_and_the_same_dates(world, move_to):
    case, closed = world.case(), world.case(text="Xong rồi")
    actions.take(case=case, by=world.actor("pao"))
    actions.withdraw(case=closed, by=world.actor("pao"))
    due = {o.clock: o.due_at for o in Obligation.system("tests").filter(matter=case.pk)}
    enact(merger(world), move_to)
    moved, stayed = world.fresh(case), world.fresh(closed)
    assert moved.holder == heir() and moved.received_by == world.an and moved.province == world.seat
    assert stayed.holder == world.an
    rows = Obligation.system("tests").filter(matter=case.pk)
    assert {o.clock: o.due_at for o in rows} == due
    assert {o.owed_by for o in rows.open()} == {heir()}
    line = case.events.get(kind=CaseEvent.Kind.SUCCEEDED)
    assert line.shown and line.facts == {"from": "Xã An Lĩnh", "to": "Xã Sơn Lĩnh", "decree": "09/NQ"}
    assert not list(replay.check()) and audit.verify().intact


def test_officers_go_on_at_the_heir_and_read_what_was_closed_before(world, move_to):
    case, closed = world.case(), world.case(text="Xong rồi")
    actions.withdraw(case=closed, by=world.actor("pao"))
    enact(merger(world), move_to)
    for name in ("pao", "lan"):
        desk = Desk(Client(), getattr(world, name))
        assert desk.get("case", case.pk).status_code == 200
        assert desk.get("case", closed.pk).status_code == 200
    actions.take(case=case, by=world.actor("lan"))
    actions.answer(case=case, text="Sơn Lĩnh đã làm.", by=world.actor("lan"))
    with pytest.raises(Refused):
        actions.close(case=case, by=world.actor("chief"))


def test_the_preview_names_each_open_matter_and_moves_nothing(world, move_to):
    case = world.case()
    act = merger(world)
    lines = [line for line in units.preview_act(act=act, by=BY) if line.object_id == case.pk]
    assert case.reference in {line.title for line in lines}
    assert world.fresh(case).holder == world.an and not Unit.objects.filter(title="Xã Sơn Lĩnh").exists()


def test_carrying_twice_moves_nothing_twice(world, move_to):
    case = world.case()
    act = enact(merger(world), move_to)
    assert CaseCarrier().carry(act, BY) == 0
    assert case.events.filter(kind="succeeded").count() == 1


def test_what_was_on_its_way_to_an_ended_unit_arrives_at_the_heir(world, move_to):
    world.person("xuan", "officer", world.xa, "Lường Thị Xuân")
    case = world.case(unit=world.xa, by=world.actor("xuan"))
    actions.send(case=case, text="Của An Lĩnh", to_unit=world.an, by=world.actor("xuan"))
    enact(merger(world), move_to)
    assert Transfer.system("tests").get().to_unit == heir()
    assert actions.acknowledge(case=case, by=world.actor("pao")).holder == heir()


def test_what_was_on_its_way_between_two_that_merge_is_there(world, move_to):
    case = world.case()
    actions.send(case=case, text="Của Bình Sơn", to_unit=world.binh, by=world.actor("pao"))
    enact(merger(world), move_to)
    assert world.fresh(case).holder == heir()
    transfer = Transfer.system("tests").get()
    assert transfer.acknowledged_at is not None and transfer.to_unit == heir()
    assert Obligation.system("tests").filter(matter=case.pk).open().count() == 2
    actions.send(case=case, text="Sang cơ quan khác", to_body="UBND xã", by=world.actor("pao"))


def test_in_a_division_the_registrar_s_choice_counts_else_the_primary_heir(world, move_to):
    one, other = world.case(text="Ở lại"), world.case(text="Sang bên kia")
    north, south = new_commune(world, "99010", "Bắc Lĩnh"), new_commune(world, "99011", "Nam Lĩnh")
    parts = [
        {"unit": "new:99010", "share": "0.6", "primary": True},
        {"unit": "new:99011", "share": "0.4", "primary": False},
    ]
    act = act_of(world, north, south, ("divide", {"from": str(world.an.pk), "into": parts}))
    move_to(datetime(DAY.year, DAY.month, DAY.day, 0, 5, tzinfo=VIETNAM))
    units.schedule_act(act=act, by=BY)
    north_unit, south_unit = Unit.objects.get(title="Xã Bắc Lĩnh"), Unit.objects.get(title="Xã Nam Lĩnh")
    assert {world.fresh(c).holder for c in (one, other)} == {north_unit}
    # The registrar had chosen: played again on the matter as it was.
    Case.system("tests").filter(pk=other.pk).update(holder=world.an)
    act.refresh_from_db()
    act.assignments = {str(other.pk): str(south_unit.pk)}
    assert CaseCarrier().carry(act, BY) == 1
    assert world.fresh(other).holder == south_unit


def test_a_complaint_stays_with_the_inspector_and_away_from_the_heirs(world, move_to):
    case = world.case("CO-01", by=world.actor("duty"))
    enact(merger(world), move_to)
    assert world.fresh(case).holder == world.seat
    for name in ("pao", "lan"):
        assert Desk(Client(), getattr(world, name)).get("case", case.pk).status_code == 404


def test_a_complaint_about_an_ended_unit_finds_its_inspector(world, move_to):
    enact(merger(world), move_to)
    ended = Unit.objects.get(pk=world.an.pk)
    case = world.case("CO-01", unit=heir(), by=world.actor("pao"), concern={"unit": ended})
    assert case.holder == world.seat and not permissions.may(case, world.actor("lan"), "case.read")


def test_a_form_begun_before_the_merger_reaches_the_heir(world, move_to):
    enact(merger(world), move_to)
    case = world.case(unit=world.an)
    assert case.received_by == case.holder == heir()
    assert {o.owed_by for o in Obligation.system("tests").filter(matter=case.pk)} == {heir()}


def test_the_results_of_the_heir_are_the_sum_of_its_parts(world, move_to):
    world.case()
    world.case(unit=world.binh, by=world.actor("lan"))
    done = world.case(text="Xong")
    actions.take(case=done, by=world.actor("pao"))
    actions.answer(case=done, text="Xong", by=world.actor("pao"))
    enact(merger(world), move_to)
    found = results.of_unit(heir(), date(2026, 11, 1), now().date() + timedelta(days=1))
    assert found.parts == 2 and (found.received, found.settled, found.open) == (3, 1, 2)
