"""Reorganisations: read as a whole, applied as a whole, and nothing that was open is lost."""

import re
from datetime import date, timedelta
from fractions import Fraction
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from gandan.access import Refused, now, today
from gandan.audit import triggers
from gandan.obligations.models import Obligation
from gandan.staffing.models import Grant
from gandan.units import actions, acts, jobs, reach, recorded
from gandan.units.models import (
    Placement,
    Succession,
    Unit,
    UnitHeir,
    UnitReach,
    UnitVersion,
    ancestors,
    find,
    province_of,
    successors_of,
    superior_on,
)
from gandan.units.restating import restate_table
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


def told(cast, *steps, effective=DAY):
    with translation.override("en"):
        act = draft(cast, *steps, effective=effective, decree=str(uuid4()))
        return " ".join(actions.check_act(act=act, by=NOBODY))


def rename(unit, name="Khác"):
    return "rename", {"unit": str(unit.pk), "name": name}


def move(unit, parent, chain="police"):
    return "move", {"unit": str(unit.pk), "chain": chain, "parent": str(parent.pk)}


def dissolve(unit):
    return "dissolve", {"unit": str(unit.pk)}


def divide(unit, *shares):
    into = [{"unit": f"new:9800{n}", "share": share} for n, share in enumerate(shares, start=3)]
    return "divide", {"from": str(unit.pk), "into": into}


def established(cast, *codes):
    one, _merging = merge(cast)
    return [("establish", one[1] | {"code": code, "name": f"Mới {code}"}) for code in codes]


def test_a_registrar_changes_only_units_of_their_own_area(cast):
    cast.appoint("clerk", "registrar", cast.na_then)
    seat = {"seat": cast.na_then, "decided_on": DAY, "effective_on": DAY, "title": "Sắp xếp"}
    clerk = cast.actor("clerk")
    act = actions.draft_act(decree="3", by=clerk, **seat)
    mine, other = str(cast.na_then.pk), str(cast.phieng_lua.pk)
    outside = (
        rename(cast.phieng_lua),
        dissolve(cast.phieng_lua),
        move(cast.phieng_lua, cast.na_then),
        move(cast.na_then, cast.phieng_lua),
        ("merge", {"from": [mine, other], "into": mine}),
        ("merge", {"from": [mine], "into": other}),
        ("divide", {"from": mine, "into": [{"unit": "new:98003"}, {"unit": other}]}),
        established(cast, "98003")[0],
    )
    with translation.override("en"):
        for step in outside:
            with pytest.raises(Refused, match="(Phiêng Lúa|Sương Mai) lies outside the area of your role"):
                actions.add_step(act=act, kind=step[0], data=step[1], by=clerk)
            with pytest.raises(Refused, match="lies outside"):
                actions.draft_act(decree="4", by=clerk, steps=[step], **seat)
        rows = [{"old": "98002", "new": "98003", "type": "Xã", "name": "X", "share": ""}]
        with pytest.raises(Refused, match="lies outside"):
            actions.add_parts(act=act, rows=rows, by=clerk)
        assert not act.steps.exists()
        # A role may have shrunk since the act was drafted.
        wide = actions.draft_act(decree="5", by=NOBODY, steps=[rename(cast.phieng_lua)], **seat)
        assert actions.check_act(act=wide, by=clerk) == []
        for deed in (actions.schedule_act, actions.preview_act):
            with pytest.raises(Refused, match="Phiêng Lúa lies outside"):
                deed(act=wide, by=clerk)
    actions.add_step(act=act, kind="rename", data=rename(cast.na_then)[1], by=clerk)
    assert actions.check_act(act=act, by=clerk) == []
    assert actions.schedule_act(act=act, by=clerk).state == "in_force"


def test_a_registrar_of_a_province_reaches_all_beneath_it_and_nobody_next_door(cast):
    registrar = cast.actor("registrar")
    act = draft(cast)
    for unit in (cast.na_then, cast.phieng_lua, cast.province):
        actions.add_step(act=act, kind="rename", data=rename(unit)[1], by=registrar)
    for step in (rename(cast.far_away), rename(cast.other_province), move(cast.na_then, cast.far_away)):
        with pytest.raises(Refused):
            actions.add_step(act=act, kind=step[0], data=step[1], by=registrar)


def test_nobody_comes_to_stand_above_themselves(cast):
    a, b = cast.na_then, cast.phieng_lua
    ring = "would stand under one another in a ring"
    assert "Xã Nà Then would stand under itself" in told(cast, move(a, a))
    assert ring in told(cast, move(a, b), move(b, a))
    assert ring in told(cast, move(cast.province, a)), "the commune stands under the province already"
    assert ring in told(cast, move(cast.country, cast.far_away, "administrative"))
    new = established(cast, "98003")[0]
    under = (new[0], new[1] | {"police": str(a.pk)})
    assert ring in told(cast, under, ("move", {"unit": str(a.pk), "chain": "police", "parent": "new:98003"}))
    assert not told(cast, move(a, b), move(b, cast.country))


def test_a_ring_that_would_close_on_a_later_day_is_found(cast):
    enact(draft(cast, move(cast.na_then, cast.phieng_lua)))
    earlier = DAY - timedelta(days=30)
    assert "in a ring" in told(cast, move(cast.phieng_lua, cast.na_then), effective=earlier)


def test_a_ring_in_the_rows_cannot_hold_up_the_house(cast):
    Placement.objects.filter(unit=cast.province, chain="police").update(parent=cast.na_then)
    reach.rebuild()
    above = UnitReach.objects.filter(descendant=cast.na_then).values_list("ancestor", flat=True)
    assert sorted(above) == sorted([cast.na_then.pk, cast.province.pk])
    assert cast.province in ancestors(cast.na_then)


def test_an_act_of_an_earlier_day_does_not_rewrite_what_a_later_one_settled(cast):
    enact(draft(cast, *merge(cast)))
    new = Unit.objects.get(title="Xã Then Lúa")
    before = DAY - timedelta(days=30)
    a, b = cast.na_then, cast.phieng_lua
    ends = r"Xã Nà Then ends on .* by another act"
    for step in (
        dissolve(a),
        rename(a),
        move(a, cast.country),
        move(cast.far_away, a),
        ("merge", {"from": [str(a.pk)], "into": str(b.pk)}),
        ("merge", {"from": [str(cast.far_away.pk)], "into": str(a.pk)}),
    ):
        assert re.search(ends, told(cast, step, effective=before)), step
    assert "succeeds Xã Nà Then on" in told(cast, dissolve(new)), "on the same day it takes in two"
    assert not told(cast, rename(cast.province), effective=before)


def test_a_name_and_a_place_in_the_chain_are_changed_apart(cast):
    unit, before = cast.na_then, DAY - timedelta(days=30)
    enact(draft(cast, rename(unit, "Mới")))
    assert "Xã Mới has its name and type from" in told(cast, rename(unit, "Cũ"), effective=before)
    assert "Xã Mới has its name and type from" in told(cast, rename(unit, "Cũ")), "twice on one day"
    assert "has its name and type from" in told(cast, dissolve(unit), effective=before)
    enact(draft(cast, move(unit, cast.country), effective=before, decree="2/NQ"))
    assert superior_on(unit, before) == cast.country and unit.name_on(before) == "Xã Nà Then"
    assert "stands under Việt Nam from" in told(cast, move(unit, cast.province), effective=before)
    assert "stands under Việt Nam from" in told(cast, dissolve(unit), effective=before)
    assert not told(cast, move(unit, cast.country, "administrative"), effective=before)


def test_no_unit_moves_under_one_that_ends_by_the_same_act(cast):
    fault = told(cast, move(cast.na_then, cast.phieng_lua), dissolve(cast.phieng_lua))
    assert "Xã Nà Then would move under Xã Phiêng Lúa, which ends by the same act." in fault
    assert not told(cast, move(cast.na_then, cast.country), dissolve(cast.phieng_lua))


@pytest.mark.parametrize(
    ("shares", "fault"),
    [
        (("0.3333333333", "0.3333333333", "0.3333333334"), "more than 8 decimals"),
        (("1/3", "1/3", "1/3"), "more than 8 decimals"),
        (("0.33333333", "0.33333333", "0.33333333"), "sum to 0.99999999"),
        (("0.4", "NaN"), "not a number"),
        (("1/0", "1"), "not a number"),
        (("1e-1", "0.9"), "not a number"),
        (("0", "1"), "sum to 1"),
        (("0.33333333", "0.33333333", "0.33333334"), ""),
        (("2/5", "3/5"), ""),
    ],
)
def test_shares_are_kept_exactly_or_refused(cast, shares, fault):
    new = established(cast, *(f"9800{n}" for n, _share in enumerate(shares, start=3)))
    steps = (*new, divide(cast.na_then, *shares))
    found = told(cast, *steps)
    assert (fault in found) if fault else not found
    if not fault:
        enact(draft(cast, *steps))
        rows = Succession.objects.filter(predecessor=cast.na_then)
        assert sum(row.share for row in rows) == 1
        register = recorded.from_database()
        table = restate_table(b"code,a\n98001,9\n", register, DAY - timedelta(days=1), DAY)
        assert sum(Fraction(line.split(",")[3]) for line in table.splitlines()[1:]) == 9


def test_what_would_break_on_its_day_is_a_fault_of_the_check(cast):
    a, b = cast.na_then, cast.phieng_lua
    new, other = established(cast, "98003", "98004")
    half = [{"unit": "new:98003", "share": "0.5"}, {"unit": "new:98003", "share": "0.5"}]
    assert "changes and ends by the same act" in told(cast, move(a, b), dissolve(a))
    assert "changes and ends by the same act" in told(cast, rename(a), dissolve(a))
    assert "names the same successor twice" in told(cast, new, ("divide", {"from": str(a.pk), "into": half}))
    renamed = ("rename", {"unit": "new:98003", "name": "M"})
    merging = ("merge", {"from": [str(a.pk)], "into": "new:98003"})
    assert "a unit that the same act establishes" in told(cast, new, merging, renamed)
    assert "a second time" in told(cast, rename(a), rename(a, "Nữa"))
    assert "is too long" in told(cast, ("change_type", {"unit": str(a.pk), "type": "x" * 60}))
    assert "is too long" in told(cast, rename(a, "x" * 101))
    assert "is too long" in told(cast, (new[0], new[1] | {"type": "x" * 21}), merging)
    assert "neither a province" in told(cast, (new[0], new[1] | {"level": "planet"}))
    assert "no official code" in told(cast, (new[0], new[1] | {"level": "province"}))
    assert "is given to two units" not in told(cast, new, other)
    long = rename(a, "Đường " * 16)
    enact(draft(cast, long))


def test_an_act_that_cannot_be_applied_holds_up_none_behind_it(cast, move_to, caplog):
    day = DAY + timedelta(days=3)
    first = enact(draft(cast, rename(cast.na_then, "Một"), effective=day, decree="1/NQ"))
    second = enact(draft(cast, rename(cast.phieng_lua, "Hai"), effective=day, decree="2/NQ"))
    enact(draft(cast, dissolve(cast.na_then), effective=DAY, decree="3/NQ"))
    move_to(now() + timedelta(days=3))
    assert jobs.apply_due_acts(now()) == 1
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.state, second.state) == ("drafted", "in_force")
    assert str(first.pk) in caplog.text
    caplog.clear()
    assert jobs.apply_due_acts(now()) == 0 and not caplog.text, "it is told once, not in every round"
    client = visitor(cast, "registrar")
    assert "Đã đến ngày của văn bản này" in client.get(f"/admin/units/acts/{first.pk}/").text
    assert "đã đến ngày mà chưa có hiệu lực" in client.get("/admin/units/").text


def test_a_fault_of_the_house_is_told_after_the_others_and_tried_again(cast, move_to, monkeypatch):
    day = DAY + timedelta(days=3)
    first = enact(draft(cast, rename(cast.na_then, "Một"), effective=day, decree="1/NQ"))
    second = enact(draft(cast, rename(cast.phieng_lua, "Hai"), effective=day, decree="2/NQ"))
    whole = actions.bring_into_force

    def broken(*, act, by):
        if act.pk == first.pk:
            raise RuntimeError("the power went")
        return whole(act=act, by=by)

    move_to(now() + timedelta(days=3))
    monkeypatch.setattr(actions, "bring_into_force", broken)
    with pytest.raises(RuntimeError):
        jobs.apply_due_acts(now())
    first.refresh_from_db(), second.refresh_from_db()
    assert (first.state, second.state) == ("scheduled", "in_force")
    monkeypatch.undo()
    assert jobs.apply_due_acts(now()) == 1


def visitor(cast, name):
    client = Client()
    client.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_a_scheduled_act_is_not_taken_off_its_day_without_a_word(cast):
    act = enact(draft(cast, rename(cast.na_then), effective=DAY + timedelta(days=3)))
    client, page = visitor(cast, "registrar"), f"/admin/units/acts/{act.pk}/"
    assert f"{page}check/" not in client.get(page).text
    client.post(f"{page}check/")
    with pytest.raises(Refused):
        actions.check_act(act=act, by=NOBODY)
    act.refresh_from_db()
    assert act.state == "scheduled"
    values = {"kind": "rename", "code": "98002", "value": "Khác"}
    assert "không còn chốt ngày" in client.post(f"{page}steps/", values, follow=True).text
    act.refresh_from_db()
    assert act.state == "drafted" and f"{page}check/" in client.get(page).text


def test_a_search_says_when_it_does_not_show_all(cast):
    for number in range(31):
        actions.establish(
            level="commune", code=f"96{number:03}", name=f"Suối {number}", type="Xã", valid_from=DAY, by=NOBODY
        )
    client = Client()
    many, few = client.get("/units/", {"q": "suoi"}).text, client.get("/units/", {"q": "suoi 3"}).text
    assert many.count("suoi-") == 30 and "30 đơn vị đầu tiên" in many
    assert "đơn vị đầu tiên" not in few


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
