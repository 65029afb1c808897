"""A complaint about a unit or an officer does not exist for those it is about."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from gandan.access import ANONYMOUS, Refused, now, today
from gandan.cases import actions, permissions, results, routing, summaries
from gandan.cases.models import Case
from gandan.obligations import worklist
from gandan.staffing import actions as staffing
from gandan.staffing.models import Concern, Grant

pytestmark = pytest.mark.django_db
CONCERNED = ("pao", "mai", "chief", "duty")
NOT_CONCERNED_BUT_NOT_INSPECTORS = ("lan", "commander", "dispatcher")


def complaint(world, **options):
    return world.case("CO-01", by=ANONYMOUS, channel="web", text="Tôi khiếu nại về thái độ tiếp dân", **options)


def drawn(desk):
    """Return every page that this person can open from the list, without tokens."""
    pages = [
        desk.get("case_list"),
        desk.get("case_list", view="unfinished"),
        desk.get("case_list", view="mine"),
        desk.get("case_list", q="khieu nai"),
        desk.get("case_list", procedure="CO-01"),
        desk.get("desk"),
    ]
    if desk.user.username not in ("auditor",):
        pages.append(desk.get("notices"))
    strip = re.compile(rb'name="csrfmiddlewaretoken" value="[^"]*"|name="submission" value="[^"]*"')
    return [strip.sub(b"", page.content) for page in pages]


@pytest.mark.parametrize("name", [*CONCERNED, *NOT_CONCERNED_BUT_NOT_INSPECTORS])
def test_their_pages_are_the_same_with_and_without_it(world, at_desk, name):
    world.case()
    desk = at_desk(name)
    before = drawn(desk)
    case = complaint(world)
    assert drawn(desk) == before
    assert desk.get("case", case.pk).status_code == 404
    unknown = uuid4()
    assert desk.get("case", case.pk).content.replace(str(case.pk).encode(), b"") == desk.get(
        "case", unknown
    ).content.replace(str(unknown).encode(), b"")


@pytest.mark.parametrize("name", CONCERNED)
def test_it_is_neither_counted_nor_timed_nor_summarised_for_them(world, name):
    actor = world.actor(name)
    before = (
        Case.for_(actor, "case.read").count(),
        worklist.page(actor, now()).counts,
        results.table([results.of_unit(world.an, today() - timedelta(days=30), today() + timedelta(days=1))]),
    )
    case = complaint(world)
    after = (
        Case.for_(actor, "case.read").count(),
        worklist.page(actor, now()).counts,
        results.table([results.of_unit(world.an, today() - timedelta(days=30), today() + timedelta(days=1))]),
    )
    assert after == before
    assert summaries.summaries(actor, [case.pk]) == {}
    assert worklist.for_matter(actor, case.pk, now()) == []


@pytest.mark.parametrize("name", [*CONCERNED, *NOT_CONCERNED_BUT_NOT_INSPECTORS])
def test_they_cannot_act_on_a_row_that_they_loaded_before_it_concerned_them(world, name):
    case, actor = world.case(), world.actor(name)
    stale = world.fresh(case)
    staffing.record_concern(matter=case.pk, by=world.actor("inspector"), unit=world.an)
    assert not any(permissions.may(stale, actor, c) for c in ("case.read", "case.take", "case.note", "case.assign"))
    for refused in (
        lambda: actions.take(case=stale, by=actor),
        lambda: actions.note(case=stale, text="x", by=actor),
        lambda: actions.assign(case=stale, officer=world.pao, by=actor),
        lambda: actions.send(case=stale, text="x", to_body="UBND xã", by=actor),
    ):
        with pytest.raises(Refused):
            refused()


def test_the_inspector_works_it_to_the_end(world, at_desk):
    case = complaint(world)
    assert case.holder == world.seat and case.received_by == world.an
    desk = at_desk("inspector")
    assert case.reference in desk.get("case_list").content.decode()
    assert "Lò Thị Hoa" not in desk.get("case", case.pk).content.decode()
    assert "Lò Thị Hoa" in desk.do("reveal", case, reason="verify").content.decode()
    for action, values in (
        ("accept", {}),
        ("note", {"text": "Đã hỏi Trưởng Công an xã"}),
        ("answer", {"text": "Khiếu nại đúng một phần.", "outcome": "settled"}),
        ("close", {}),
    ):
        assert desk.do(action, case, **values).status_code == 302, action
    assert world.fresh(case).state == Case.State.CLOSED


def test_the_auditor_reads_it_without_the_name_and_changes_nothing(world, at_desk):
    case = complaint(world)
    desk = at_desk("auditor")
    text = desk.get("case", case.pk).content.decode()
    assert case.reference in text and "Lò Thị Hoa" not in text
    assert desk.do("note", case, text="x").status_code == 403


def test_feedback_that_names_an_officer_is_a_matter_about_the_police(world):
    case = world.case(by=ANONYMOUS, concern={"unit": world.an, "named": "anh công an trực đêm"})
    rows = Concern.system("tests").filter(matter=case.pk)
    assert {row.kind for row in rows} == {"unit", "officer"}
    assert case.holder == world.seat


def test_an_officer_named_by_account_does_not_see_it_wherever_he_serves(world):
    case = world.case(unit=world.binh, by=ANONYMOUS, concern={"unit": world.binh, "user": world.pao})
    assert not permissions.may(case, world.actor("pao"), "case.read")


def test_an_officer_who_stepped_back_sees_it_no_more(world, at_desk):
    case = world.case()
    staffing.record_concern(matter=case.pk, by=world.actor("inspector"), user=world.pao, recused=True)
    assert at_desk("pao").get("case", case.pk).status_code == 404
    assert at_desk("mai").get("case", case.pk).status_code == 200
    with pytest.raises(Refused):
        actions.assign(case=case, officer=world.pao, by=world.actor("chief"))


# Where it goes


def test_a_complaint_about_the_province_goes_to_the_country(world):
    case = world.case("DE-01", by=ANONYMOUS, concern={"unit": world.seat})
    assert case.holder == world.country and case.province is None
    assert Case.for_(world.actor("higher"), "case.read").filter(pk=case.pk).exists()
    assert not Case.for_(world.actor("inspector"), "case.read").filter(pk=case.pk).exists()


def test_an_inspector_who_lately_served_there_does_not_get_it(world):
    Grant.objects.create(
        user=world.inspector,
        role="officer",
        unit=world.an,
        valid_from=today() - timedelta(days=300),
        valid_to=today() - timedelta(days=30),
    )
    assert routing.oversight_for([world.an], world.an) == world.country
    assert routing.oversight_for([world.binh], world.binh) == world.seat


def test_an_accused_or_signed_out_inspector_does_not_get_it(world):
    assert routing.oversight_for([world.an], world.an, world.inspector) == world.country
    world.inspector.is_active = False
    world.inspector.save()
    assert routing.oversight_for([world.an], world.an) == world.country


def test_an_ended_grant_routes_nothing(world):
    Grant.system("tests").filter(user=world.inspector).update(valid_to=today())
    assert routing.oversight_for([world.an], world.an) == world.country


def test_without_any_inspector_the_person_hears_where_to_go(world):
    Grant.system("tests").filter(role="oversight").update(valid_to=today())
    with pytest.raises(Refused):
        complaint(world)
    assert not Case.system("tests").exists() and not Concern.system("tests").exists()


def test_it_is_never_sent_to_those_it_is_about_nor_to_a_unit_without_an_inspector(world):
    case, inspector = complaint(world), world.actor("inspector")
    for unit in (world.an, world.binh):
        with pytest.raises(Refused):
            actions.send(case=case, text="Xem xét", to_unit=unit, by=inspector)
    actions.send(case=case, text="Vượt thẩm quyền", to_unit=world.country, by=inspector)
    moved = actions.acknowledge(case=case, by=world.actor("higher"))
    assert moved.holder == world.country


def test_it_is_given_only_to_an_inspector(world, at_desk):
    case, inspector = complaint(world), world.actor("inspector")
    second = world.person("second", "oversight", world.seat, "Mùa A Lử")
    Grant.objects.create(user=second, role="officer", unit=world.an, valid_from=today() - timedelta(days=90))
    with pytest.raises(Refused):
        actions.assign(case=case, officer=second, by=inspector)
    text = at_desk("inspector").get("case", case.pk).content.decode()
    offered = text.partition('id="assign_officer"')[2].partition("</select>")[0]
    assert str(world.inspector.pk) in offered and str(second.pk) not in offered


def test_its_answer_is_not_rated_in_anybody_s_figures(world):
    case, inspector = complaint(world), world.actor("inspector")
    actions.take(case=case, by=inspector)
    actions.answer(case=case, text="Xong", by=inspector)
    with pytest.raises(Refused):
        actions.rate(case=case, score=1, told_until_when=None, by=ANONYMOUS)


def test_its_receipt_can_be_asked_for_again_with_the_same_form(world):
    submission = uuid4()
    first = world.bring("CO-01", by=ANONYMOUS, submission=submission)
    again = world.bring("CO-01", by=ANONYMOUS, submission=submission)
    assert again.code == first.code and Concern.system("tests").count() == 1
    with pytest.raises(actions.Conflict):
        world.bring("CO-01", by=ANONYMOUS, submission=submission, concern={"unit": world.an, "named": "ai đó"})


def test_the_address_of_every_action_is_as_closed_as_the_page(world, at_desk):
    from gandan.cases.desk_views import ACTIONS

    case, desk = complaint(world), at_desk("chief")
    for name, doing in ACTIONS.items():
        # A door that the role does not open says so of every matter, also of one that does not exist.
        expected = 404 if world.actor("chief").can_any(doing.capabilities) else 403
        for key in (case.pk, uuid4()):
            answer = desk.client.post(reverse(f"case_{name}", args=[key]), {"text": "x"})
            assert answer.status_code == expected, name
