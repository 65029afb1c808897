"""Holds: placed and lifted on a page by inspectors, with ground and reason, and honoured by forgetting."""

import unicodedata
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import translation

from gandan.access import ANONYMOUS, Refused, now, today
from gandan.audit.models import AuditEntry
from gandan.cases import actions, holds
from gandan.secrecy import retention
from gandan.secrecy.models import Hold
from gandan.staffing import actions as staffing
from gandan.staffing.models import Grant
from tests.cases.conftest import BY

pytestmark = pytest.mark.django_db
GROUND, REASON = "15/QĐ-VKS, VKSND tỉnh", "Cần làm chứng cứ trong vụ án."


def complaint(world, **options):
    return world.case("CO-01", by=ANONYMOUS, channel="web", text="Tôi khiếu nại về thái độ tiếp dân", **options)


def places(desk, case, **values):
    typed = {"submission": uuid4(), "reference": case.reference, "ground": GROUND, "reason": REASON}
    return desk.post("hold_place", **{**typed, **values})


def entries(action):
    return AuditEntry.system("tests").filter(action=action).count()


def all_holds():
    return Hold.system("tests").order_by("placed_at")


def test_an_inspector_holds_any_matter_and_the_record_says_so(world, at_desk):
    ordinary, about_us = world.case(), complaint(world)
    desk = at_desk("inspector")
    for case in (ordinary, about_us):
        assert places(desk, case).status_code == 302
    assert entries("hold.place") == 2
    text = desk.get("hold_list").content.decode()
    assert ordinary.reference in text and about_us.reference in text and REASON in text and "Đỗ Minh Thu" in text
    assert reverse("case", args=[about_us.pk]) in text, "a link to what he may read"
    assert reverse("case", args=[ordinary.pk]) not in text, "the reference alone to what he may not"
    assert REASON in desk.get("case", about_us.pk).content.decode()


def test_the_auditor_sees_it_on_the_list_and_on_the_matter_and_changes_nothing(world, at_desk):
    case = world.case()
    places(at_desk("inspector"), case)
    desk = at_desk("auditor")
    for page in (desk.get("hold_list"), desk.get("case", case.pk)):
        assert REASON in page.content.decode() and "hold_lift" not in page.content.decode()
    hold = all_holds().get()
    assert places(desk, case).status_code == 403
    assert desk.post("hold_lift", hold.pk, because="x").status_code == 403
    assert "/lift/" not in desk.get("hold_list").content.decode()


@pytest.mark.parametrize("name", ["pao", "chief", "duty", "commander", "dispatcher"])
def test_those_who_work_on_it_neither_know_of_it_nor_place_one(world, at_desk, name):
    case = world.case()
    places(at_desk("inspector"), case)
    desk = at_desk(name)
    assert desk.get("hold_list").status_code == 403 and places(desk, case).status_code == 403
    assert REASON not in desk.get("case", case.pk).content.decode()
    with pytest.raises(Refused):
        holds.place(case=case, ground=GROUND, reason=REASON, submission=uuid4(), by=world.actor(name))


def test_an_inspector_whom_the_matter_concerns_finds_nothing(world, at_desk):
    case, unknown = complaint(world, concern={"unit": world.seat}), "GD-2222-2222"
    desk = at_desk("inspector")
    told = places(desk, case)
    other = desk.post("hold_place", submission=uuid4(), reference=unknown, ground=GROUND, reason=REASON)
    assert (told.status_code, other.status_code) == (422, 422)
    assert str(told.context["place_form"].errors) == str(other.context["place_form"].errors), "no oracle"
    assert places(at_desk("higher"), case).status_code == 302
    hold = all_holds().get()
    assert desk.post("hold_lift", hold.pk, because="x").status_code == 404
    assert case.reference not in desk.get("hold_list").content.decode()
    with pytest.raises(Refused):
        holds.lift(hold=hold, because="x", by=world.actor("inspector"))


def test_an_inspector_who_stepped_back_later_neither_sees_nor_lifts_it(world, at_desk):
    case = complaint(world)
    places(at_desk("inspector"), case)
    staffing.record_concern(matter=case.pk, by=BY, user=world.inspector, recused=True)
    desk, hold = at_desk("inspector"), all_holds().get()
    assert case.reference not in desk.get("hold_list").content.decode()
    assert desk.post("hold_lift", hold.pk, because="x").status_code == 404


def test_an_inspector_whose_role_has_ended_is_turned_away(world, at_desk):
    case = world.case()
    desk = at_desk("inspector")
    Grant.system("tests").filter(user=world.inspector).update(valid_to=today())
    assert desk.get("hold_list").status_code == 403 and places(desk, case).status_code == 403
    assert not all_holds().exists()


def test_another_provinces_inspector_finds_nothing(world, at_desk):
    world.person("far", "oversight", world.elsewhere, "Xa Xa")
    case = world.case()
    assert places(at_desk("far"), case).status_code == 422
    places(at_desk("inspector"), case)
    desk = at_desk("far")
    assert case.reference not in desk.get("hold_list").content.decode()
    assert desk.post("hold_lift", all_holds().get().pk, because="x").status_code == 404


def test_the_same_form_twice_and_the_same_order_twice_are_one_hold(world, at_desk):
    case, number = world.case(), uuid4()
    desk = at_desk("inspector")
    for _ in range(2):
        assert places(desk, case, submission=number).status_code == 302
    assert places(desk, case, reason="Lý do khác").status_code == 302
    assert all_holds().count() == entries("hold.place") == 1
    assert places(desk, case, ground="16/QĐ").status_code == 302
    assert all_holds().count() == 2


def test_the_form_that_comes_back_with_the_browsers_back_places_no_second_hold_after_the_first_was_lifted(
    world, at_desk
):
    case, number = world.case(), uuid4()
    desk = at_desk("inspector")
    places(desk, case, submission=number)
    desk.post("hold_lift", all_holds().get().pk, because="Hết cần")
    assert places(desk, case, submission=number).status_code == 302
    assert not all_holds().filter(lifted_at=None).exists() and entries("hold.place") == 1
    assert places(desk, case).status_code == 302, "the same order may be given anew"
    assert all_holds().filter(lifted_at=None).count() == 1


def test_a_form_that_was_used_for_one_matter_holds_no_other(world, at_desk):
    number, desk = uuid4(), at_desk("inspector")
    assert places(desk, world.case(), submission=number).status_code == 302
    assert places(desk, world.case(), submission=number).status_code == 409
    assert all_holds().count() == entries("hold.place") == 1


def test_lifting_needs_a_reason_and_happens_once(world, at_desk):
    case = world.case()
    desk = at_desk("inspector")
    places(desk, case)
    hold = all_holds().get()
    assert desk.post("hold_lift", hold.pk, because="  ").status_code == 422
    assert desk.post("hold_lift", hold.pk, because="Vụ án đã xong").status_code == 302
    assert desk.post("hold_lift", hold.pk, because="Lại").status_code == 302
    assert entries("hold.lift") == 1
    found = all_holds().get()
    assert (found.lifted_because, found.lifted_by_id) == ("Vụ án đã xong", world.inspector.pk)
    assert desk.client.get(reverse("hold_lift", args=[hold.pk])).status_code == 405
    assert desk.client.get(reverse("hold_place")).status_code == 405


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "dài " * 1250}, "reason"),
        ({"ground": ""}, "ground"),
        ({"ground": "Q" * 121}, "ground"),
        ({"reference": "GD-XXXX-9999"}, "reference"),
        ({"reference": "đường"}, "reference"),
        ({"submission": "no uuid"}, "submission"),
    ],
)
def test_what_is_left_out_or_too_long_is_told_and_everything_typed_stays(world, at_desk, values, field):
    case = world.case()
    answer = places(at_desk("inspector"), case, **values)
    assert answer.status_code == 422 and field in answer.context["place_form"].errors
    text = answer.content.decode()
    assert (values.get("reason", REASON).strip() in text and case.reference in text) or "reference" in values
    assert not all_holds().exists()


def test_words_come_in_one_unicode_form_and_the_reference_as_it_is_typed(world, at_desk):
    case = world.case()
    loose = unicodedata.normalize("NFD", REASON)
    assert loose != REASON
    typed = f"  {case.reference.lower()} "
    assert places(at_desk("inspector"), case, reason=loose, reference=typed).status_code == 302
    assert all_holds().get().reason == REASON


def test_the_page_speaks_english_and_vietnamese_and_no_script_runs(world, at_desk):
    case = world.case()
    desk = at_desk("inspector")
    places(desk, case, reason="<script>alert(1)</script>")
    address = reverse("hold_list")
    with translation.override("vi"):
        vi, en = (desk.client.get(each).content.decode() for each in (address, f"/en{address}"))
    assert "Vụ việc đang được giữ lại" in vi and "Matters under a hold" in en
    assert "<script>alert" not in vi and "&lt;script&gt;alert" in vi


def test_a_held_matter_outlives_its_period_until_the_hold_is_lifted(world, move_to):
    case, inspector = world.case(), world.actor("inspector")
    actions.withdraw(case=case, by=world.actor("pao"))
    hold = holds.place(case=case, ground=GROUND, reason=REASON, submission=uuid4(), by=inspector)
    move_to(now() + timedelta(days=4000))
    retention.tick(now())
    assert world.fresh(case).text
    holds.lift(hold=hold, because="Hết cần", by=world.actor("inspector"))
    retention.tick(now())
    assert world.fresh(case).text == ""
    with pytest.raises(Refused):
        holds.place(case=case, ground=GROUND, reason=REASON, submission=uuid4(), by=world.actor("inspector"))


def test_a_hold_placed_while_the_night_forgets_is_seen_before_anything_is_gone(world, move_to, monkeypatch):
    case = world.case()
    actions.withdraw(case=case, by=world.actor("pao"))
    move_to(now() + timedelta(days=4000))
    looked, asked = Hold.system, []

    def before_it_was_placed(reason):
        # Which matters are held is asked once for names and once for words, and again for each matter.
        asked.append(reason)
        return looked(reason).none() if len(asked) <= 2 else looked(reason)

    holds.place(case=case, ground=GROUND, reason=REASON, submission=uuid4(), by=world.actor("inspector"))
    monkeypatch.setattr(Hold, "system", before_it_was_placed)
    retention.run(now())
    monkeypatch.undo()
    assert world.fresh(case).text, "put back"
    assert not AuditEntry.system("tests").filter(action="matter.erase").exists()


def test_openings_name_the_matter_by_its_reference(world, at_desk):
    ordinary, about_us = world.case(), complaint(world)
    at_desk("pao").do("reveal", ordinary, reason="contact")
    at_desk("inspector").do("reveal", about_us, reason="verify")
    text = at_desk("inspector").get("openings").content.decode()
    for case in (ordinary, about_us):
        assert case.reference in text
    assert str(ordinary.pk) not in text, "an inspector does not read ordinary matters"
    assert f'href="{reverse("case", args=[about_us.pk])}"' in text
    text = at_desk("auditor").get("openings").content.decode()
    assert f'href="{reverse("case", args=[ordinary.pk])}"' in text
