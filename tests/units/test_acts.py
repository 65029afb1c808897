"""Reorganisations: read as a whole, applied as a whole, and nothing that was open is lost."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from gandan.access import Refused, today
from gandan.audit import triggers
from gandan.obligations.models import Obligation
from gandan.staffing.models import Grant
from gandan.units import actions, acts
from gandan.units.models import (
    Placement,
    Unit,
    UnitHeir,
    UnitVersion,
    ancestors,
    find,
    province_of,
    successors_of,
    superior_on,
)
from tests.cast import NOBODY

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 23)


def draft(cast, *steps, effective=DAY, decree="1/NQ"):
    return actions.draft_act(
        decree=decree,
        title="Sắp xếp",
        decided_on=effective - timedelta(days=10),
        effective_on=effective,
        seat=cast.province,
        by=NOBODY,
        steps=steps,
    )


def merge(cast, code="98003", name="Then Lúa"):
    seat = str(cast.province.pk)
    new = {"code": code, "name": name, "type": "Xã", "level": "commune", "administrative": seat, "police": seat}
    return ("establish", new), (
        "merge",
        {"from": [str(cast.na_then.pk), str(cast.phieng_lua.pk)], "into": f"new:{code}"},
    )


def test_the_steps_of_an_act_name_its_units_in_one_question(cast, django_assert_num_queries):
    act = draft(
        cast, *merge(cast), ("dissolve", {"unit": str(cast.far_away.pk)}), ("rename", {"unit": "?", "name": "X"})
    )
    with translation.override("en"):
        steps = list(act.steps.all())
        with django_assert_num_queries(1):
            told = acts.sentences(steps)
    assert told[0] == "Establish Xã Then Lúa, code 98003"
    assert told[1] == "Xã Nà Then, Xã Phiêng Lúa go whole into Xã Then Lúa"
    assert told[2] == "Xã Xa Xôi ends without successor" and told[3] == "? is called X"


def test_what_was_looked_at_can_be_enacted_from_there(cast):
    act = draft(cast, *merge(cast))
    assert actions.check_act(act=act, by=NOBODY) == []
    client = Client()
    client.force_login(cast.people["registrar"], backend="allauth.account.auth_backends.AuthenticationBackend")
    preview = client.get(f"/admin/units/acts/{act.pk}/preview/").text
    assert f'action="/admin/units/acts/{act.pk}/schedule/"' in preview and "được chuyển cho đơn vị kế tục" in preview
    client.post(f"/admin/units/acts/{act.pk}/schedule/")
    assert "/schedule/" not in client.get(f"/admin/units/acts/{act.pk}/preview/").text


def test_only_who_may_change_a_contact_is_offered_it(cast):
    for name, offered in (("registrar", True), ("chief", True), ("pao", False), ("stranger", False)):
        client = Client()
        client.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
        assert ("/contact/" in client.get(f"/units/{cast.na_then.slug}/").text) is offered, name


def enact(act):
    assert actions.check_act(act=act, by=NOBODY) == []
    return actions.schedule_act(act=act, by=NOBODY)


def test_a_merger_carries_open_promises_records_and_officers(cast):
    receipt = cast.brings()
    owed = Obligation.system("test").filter(matter=receipt.case.pk).order_by("clock")
    before = list(owed.values_list("clock", "due_at"))
    act = enact(draft(cast, *merge(cast)))
    new = Unit.objects.get(title="Xã Then Lúa")
    cast.na_then.refresh_from_db()
    assert act.state == "in_force" and successors_of(cast.na_then) == [new]
    receipt.case.refresh_from_db()
    assert receipt.case.holder == new and receipt.case.received_by == cast.na_then
    assert list(owed.values_list("clock", "due_at")) == before
    assert {row.owed_by for row in owed} == {new}
    assert set(UnitHeir.objects.filter(heir=new).values_list("origin", flat=True)) == {
        cast.na_then.pk,
        cast.phieng_lua.pk,
    }
    roles = Grant.system("test").filter(unit=new).values_list("user__username", "role")
    assert ("pao", "officer") in roles and ("chief", "chief") not in roles
    assert not cast.actor("chief").can("case.read")


def test_enacting_twice_moves_nothing_twice(cast):
    cast.brings()
    act = enact(draft(cast, *merge(cast)))
    events = Obligation.system("test").first().events.count()
    actions.bring_into_force(act=act, by=NOBODY)
    assert Obligation.system("test").first().events.count() == events


def test_an_error_in_one_room_undoes_the_whole_act(cast, monkeypatch):
    from gandan.cases.succession import CaseCarrier

    def broken(self, act, by):
        raise RuntimeError("the power went")

    monkeypatch.setattr(CaseCarrier, "carry", broken)
    act = draft(cast, *merge(cast))
    actions.check_act(act=act, by=NOBODY)
    with pytest.raises(RuntimeError):
        actions.schedule_act(act=act, by=NOBODY)
    cast.na_then.refresh_from_db()
    assert cast.na_then.valid_to is None and not Unit.objects.filter(title="Xã Then Lúa").exists()


def test_a_preview_tells_what_would_move_and_moves_nothing(cast):
    receipt = cast.brings()
    act = draft(cast, *merge(cast))
    lines = actions.preview_act(act=act, by=NOBODY)
    assert {line.kind for line in lines} >= {"Open promise", "Open matter", "Grant"} or len(lines) > 3
    receipt.case.refresh_from_db()
    assert receipt.case.holder == cast.na_then and not Unit.objects.filter(title="Xã Then Lúa").exists()


def test_a_scheduled_act_waits_for_its_day(cast):
    act = enact(draft(cast, *merge(cast), effective=DAY + timedelta(days=3)))
    assert act.state == "scheduled" and cast.na_then.is_alive(today())
    with pytest.raises(Refused):
        actions.bring_into_force(act=act, by=NOBODY)


def faults(cast, *steps):
    return " ".join(actions.check_act(act=draft(cast, *steps, decree=str(uuid4())), by=NOBODY))


def test_an_act_is_checked_as_a_whole(cast):
    establish, merging = merge(cast)
    seat = str(cast.province.pk)
    one = str(cast.na_then.pk)
    assert "no step" in faults(cast) or "chưa" in faults(cast)
    assert faults(cast, merging)
    assert faults(cast, establish, merging, ("dissolve", {"unit": one}))
    assert faults(cast, ("dissolve", {"unit": seat})), "communes would stand under nothing"
    assert faults(cast, (*establish[:1], establish[1] | {"code": "9800"}), merging)
    taken = (establish[0], establish[1] | {"code": "97001"})
    assert faults(cast, taken, ("merge", {"from": [one], "into": "new:97001"}))
    parts = [{"unit": "new:98003", "share": "0.4"}, {"unit": seat, "share": "0.4"}]
    assert faults(cast, establish, ("divide", {"from": one, "into": parts}))
    assert not faults(cast, establish, merging)


def test_a_division_without_shares_is_declared_unknown_and_its_records_go_to_one_heir(cast):
    (establish, _merging) = merge(cast)
    other = (establish[0], establish[1] | {"code": "98004", "name": "Then Hạ"})
    parts = [{"unit": "new:98003", "share": None}, {"unit": "new:98004", "share": None, "primary": True}]
    receipt = cast.brings()
    enact(draft(cast, establish, other, ("divide", {"from": str(cast.na_then.pk), "into": parts})))
    heirs = UnitHeir.objects.filter(origin=cast.na_then)
    assert [row.heir.title for row in heirs] == ["Xã Then Hạ"]
    receipt.case.refresh_from_db()
    assert receipt.case.holder.title == "Xã Then Hạ"


def test_the_registrar_chooses_the_successor_of_each_open_matter_in_a_division(cast):
    (establish, _merging) = merge(cast)
    other = (establish[0], establish[1] | {"code": "98004", "name": "Then Hạ"})
    parts = [{"unit": "new:98003", "share": "0.5"}, {"unit": "new:98004", "share": "0.5"}]
    receipt = cast.brings()
    act = draft(cast, establish, other, ("divide", {"from": str(cast.na_then.pk), "into": parts}))
    assert actions.check_act(act=act, by=NOBODY) == []
    actions.assign_rows(act=act, assignments={str(receipt.case.pk): "new:98004"}, by=NOBODY)
    act.refresh_from_db()
    actions.schedule_act(act=act, by=NOBODY)
    receipt.case.refresh_from_db()
    assert receipt.case.holder.title == "Xã Then Hạ"


def test_a_ward_by_change_of_type_keeps_its_code(cast):
    enact(draft(cast, ("change_type", {"unit": str(cast.na_then.pk), "type": "Phường"})))
    versions = UnitVersion.objects.filter(unit=cast.na_then).order_by("valid_from")
    assert [v.full_name for v in versions] == ["Xã Nà Then", "Phường Nà Then"]
    assert {v.code for v in versions} == {"98001"}
    assert cast.na_then.name_on(DAY - timedelta(days=1)) == "Xã Nà Then"


def test_a_unit_may_move_in_one_chain_only(cast):
    enact(draft(cast, ("move", {"unit": str(cast.na_then.pk), "chain": "police", "parent": str(cast.country.pk)})))
    assert superior_on(cast.na_then, DAY) == cast.country
    assert superior_on(cast.na_then, DAY, Placement.Chain.ADMINISTRATIVE) == cast.province
    assert superior_on(cast.na_then, DAY - timedelta(days=1)) == cast.province


@pytest.mark.parametrize("table", [UnitVersion, Placement])
def test_the_database_refuses_overlapping_periods(cast, table):
    row = table.objects.filter(unit=cast.na_then).first()
    row.pk, row.valid_from, row._state.adding = None, DAY, True
    row.pk = uuid4()
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_every_trigger_is_in_place(cast):
    assert triggers.missing() == []


def test_lai_chau_is_loaded_with_both_chains(db):
    assert actions.load_reference(province="12", by=NOBODY) > 150
    hat = next(unit for unit in find("Quyet Tien") if unit.valid_to)
    april = date(2025, 4, 1)
    assert superior_on(hat, april).title == "Tỉnh Lai Châu"
    assert superior_on(hat, april, Placement.Chain.ADMINISTRATIVE).title == "Thành phố Lai Châu"
    assert superior_on(hat, date(2025, 2, 1)).title == "Thành phố Lai Châu"
    assert [u.title for u in successors_of(hat)] == ["Phường Đoàn Kết"]
    assert province_of(hat).title == "Tỉnh Lai Châu"
    assert [u.title for u in ancestors(successors_of(hat)[0])] == ["Tỉnh Lai Châu", "Việt Nam"]


def test_the_communes_of_dong_nai_that_became_wards_can_be_entered(db):
    actions.load_reference(province="75", by=NOBODY)
    seat = Unit.objects.get(level="province", valid_to=None)
    day = date(2026, 4, 30)
    long_thanh = UnitVersion.objects.on(day).get(code="26368").unit
    act = actions.draft_act(
        decree="2026",
        title="Thành phố Đồng Nai",
        decided_on=day,
        effective_on=day,
        seat=seat,
        by=NOBODY,
        steps=[
            ("change_type", {"unit": str(seat.pk), "type": "Thành phố"}),
            ("change_type", {"unit": str(long_thanh.pk), "type": "Phường"}),
        ],
    )
    enact(act)
    assert long_thanh.name_on(date(2026, 4, 29)) == "Xã Long Thành"
    assert long_thanh.name_on(day) == "Phường Long Thành"
    assert seat.name_on(day) == "Thành phố Đồng Nai"


def test_a_unit_is_found_by_the_spelling_of_another_list(db):
    actions.load_reference(province="12", by=NOBODY)
    for one, other in (("can ho", "Kan Hồ"), ("Tung Qua Lìn", "tong qua lin"), ("la nhi thang", "Lản Nhì Thàng")):
        assert find(one) and find(one) == find(other), one
