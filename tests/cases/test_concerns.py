"""Whom a matter is about is shown to those who work on it, added to by them, and stepped back from with a reason."""

import io
import json
import zipfile
from importlib import import_module

import pyrage
import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.test import Client
from django.urls import reverse

from gandan.access import ANONYMOUS, Refused, today
from gandan.audit.models import AuditEntry
from gandan.cases import actions, concerns, owners, parcels, permissions
from gandan.cases.models import Case, Draft
from gandan.obligations import replay
from gandan.obligations.models import Obligation
from gandan.secrecy import retention
from gandan.secrecy.fields import SHOWN, unlock
from gandan.secrecy.vault import MARK
from gandan.staffing.models import Concern, Grant

pytestmark = pytest.mark.django_db
ACCUSED = "Thiếu tá Lý Thanh Liên"
SURE = {"reason": "Người trong vụ việc là em họ tôi.", "sure": "on"}


def about_us(world, code="DE-01", **options):
    values = {"by": ANONYMOUS, "channel": "web", "text": "Tôi tố cáo việc nhận tiền", "identity": {}, "anonymous": True}
    return world.case(code, **values | options)


def accusing(world, code="DE-01", **options):
    return about_us(world, code, concern={"unit": world.an, "named": ACCUSED}, **options)


def page(response, status=200):
    assert response.status_code == status, response.content.decode()[-3000:]
    return response.content.decode()


def columns():
    with connection.cursor() as cursor:
        cursor.execute("SELECT named FROM staffing_concern")
        return [row[0] for row in cursor.fetchall()]


def finds(world, case, *names):
    return {name for name in names if Case.for_(world.actor(name), "case.read").filter(pk=case.pk).exists()}


# Shown


@pytest.mark.parametrize("code", ["DE-01", "CO-01"])
def test_a_name_that_somebody_typed_on_the_web_reaches_the_inspector_sealed(world, at_desk, code):
    client = Client()
    said = {"text": "Cán bộ nhận tiền ở quán nước.", "named": ACCUSED, "anonymous": "no", "name": "Lò Thị Hoa"}
    draft = Draft.objects.create(data={"kind": code, "unit": world.an.slug, **said}, begun_on=today())
    address = reverse("report_step", args=[draft.pk, "check"])
    page(client.post(address))
    case = Case.system("tests").get()
    text = page(at_desk("inspector").get("case", case.pk))
    assert ACCUSED in text and "Xã An Lĩnh" in text and "Vụ việc nói về ai" in text
    assert all(value == "" or value.startswith(MARK) for value in columns())
    assert any(value.startswith(MARK) for value in columns())


def test_an_auditor_reads_of_a_sealed_matter_the_unit_and_not_the_name(world, at_desk):
    case = accusing(world)
    inspector = world.actor("inspector")
    concerns.name_officer(case=case, officer=world.pao, reason="Người này bị nêu tên", by=inspector)
    text = page(at_desk("auditor").get("case", case.pk))
    assert "Xã An Lĩnh" in text and ACCUSED not in text and world.pao.full_name not in text
    assert SHOWN in text
    plain = accusing(world, "CO-01")
    assert ACCUSED in page(at_desk("auditor").get("case", plain.pk))


def test_an_ordinary_matter_says_nothing_of_it(world, at_desk):
    text = page(at_desk("pao").get("case", world.case().pk))
    assert "Vụ việc nói về ai" not in text and "Ghi nhận cán bộ bị nêu" not in text


def test_the_body_outside_reads_the_name(world, settings, tmp_path):
    key = pyrage.x25519.Identity.generate()
    settings.GANDAN_OUTSIDE_KEY, settings.GANDAN_OUTSIDE = str(key.to_public()), tmp_path
    path = parcels.pack(accusing(world))
    with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(path.read_bytes(), [key]))) as archive:
        said = json.loads(archive.read("matter.json"))["about"]
    assert [each["named"] for each in said] == [ACCUSED, ""]


def test_an_erased_matter_keeps_that_it_is_about_the_unit_and_forgets_the_name(world):
    case = accusing(world)
    retention.erase(case.pk, "test")
    assert set(columns()) == {""} and Concern.system("tests").filter(matter=case.pk).count() == 2


def test_names_that_lay_open_are_sealed_by_the_upgrade_and_opened_on_the_way_back(world):
    case = accusing(world)
    step = import_module("gandan.cases.migrations.0011_names_of_officers_sealed")
    apps = MigrationLoader(connection).project_state(("cases", "0011_names_of_officers_sealed")).apps
    step.unseal(apps, None)
    assert sorted(columns()) == ["", ACCUSED]
    step.seal(apps, None)
    assert ACCUSED not in columns() and any(value.startswith(MARK) for value in columns())
    row = Concern.system("tests").get(matter=case.pk, kind="officer")
    unlock([row])
    assert row.named == ACCUSED


# Writing down an officer


def test_the_inspector_writes_down_an_officer_of_the_unit_with_a_reason(world, at_desk):
    case = accusing(world)
    desk = at_desk("inspector")
    assert world.pao.title in page(desk.get("case", case.pk))
    assert world.lan.title not in page(desk.get("case", case.pk)), "who serves elsewhere is found by name"
    before = AuditEntry.system("tests").filter(action="concern.record").count()
    page(desk.do("concern", case, officer=str(world.pao.pk)), 422)
    assert desk.do("concern", case, officer=str(world.pao.pk), reason="Người này nhận tiền").status_code == 302
    text = page(desk.get("case", case.pk))
    assert world.pao.title in text and "Người này nhận tiền" in text
    assert AuditEntry.system("tests").filter(action="concern.record").count() == before + 1
    entry = AuditEntry.system("tests").filter(action="concern.record").latest("seq")
    assert (entry.object_id, entry.unit_id, entry.reason) == (case.pk, world.seat.pk, "officer")
    assert world.fresh(case).holder == world.seat


def test_somebody_who_serves_elsewhere_is_found_by_name_and_then_chosen(world, at_desk):
    case, desk = accusing(world), at_desk("inspector")
    far = world.person("far", "officer", world.xa, "Hoàng Văn Xa")
    text = page(desk.do("concern", case, search="hoang", reason="Bị nêu tên"), 422)
    assert f'value="{world.lan.pk}"' in text and f'value="{far.pk}"' not in text, "only in the inspector's province"
    assert "Bị nêu tên" in text, "nothing typed is lost"
    assert not Concern.system("tests").filter(user=world.lan).exists()
    for wrong in (
        {"search": "khongcoai"},
        {},
        {"search": "hoang", "officer": str(world.pao.pk)},
        {"officer": str(far.pk)},
    ):
        page(desk.do("concern", case, reason="Bị nêu tên", **wrong), 422)
    answer = desk.do("concern", case, search="hoang", officer=str(world.lan.pk), reason="Bị nêu tên")
    assert answer.status_code == 302
    row = Concern.system("tests").get(user=world.lan)
    assert (row.kind, row.unit, row.matter) == ("officer", world.an, case.pk)


def test_an_inspector_who_is_written_down_loses_it_and_the_other_keeps_it(world, at_desk):
    second = world.person("second", "oversight", world.seat, "Vì Thị Hai")
    case, desk = accusing(world), at_desk("second")
    assert desk.get("case", case.pk).status_code == 200
    assert at_desk("inspector").do("concern", case, officer=str(second.pk), reason="Bị nêu tên").status_code == 302
    assert desk.get("case", case.pk).status_code == 404
    assert case.reference not in page(desk.get("case_list"))
    assert finds(world, case, "inspector", "second") == {"inspector"}
    assert world.fresh(case).holder == world.seat


def test_the_acting_inspector_who_is_named_goes_out_of_reach_and_it_moves_up(world, at_desk):
    case, desk = accusing(world), at_desk("inspector")
    actions.take(case=case, by=world.actor("inspector"))
    answer = desk.do("concern", case, officer=str(world.inspector.pk), reason="Tôi bị nêu tên")
    assert answer.status_code == 302 and answer["Location"] == reverse("case_list")
    found = world.fresh(case)
    assert (found.holder, found.officer) == (world.country, None) and not owners.ownerless().exists()
    assert finds(world, case, "inspector", "higher") == {"higher"}
    assert "Tôi bị nêu tên" in page(at_desk("higher").get("case", case.pk))


def test_a_higher_inspector_writes_down_the_one_of_the_unit_that_has_it(world, at_desk):
    case = accusing(world)
    assert at_desk("higher").do("concern", case, officer=str(world.inspector.pk), reason="Bị nêu").status_code == 302
    assert world.fresh(case).holder == world.country and not owners.ownerless().exists()


@pytest.mark.parametrize("name", ["pao", "chief", "commander", "auditor"])
def test_nobody_else_writes_down_anybody(world, at_desk, name):
    case = accusing(world)
    assert at_desk(name).do("concern", case, officer=str(world.lan.pk), reason="x").status_code == 403
    with pytest.raises(Refused):
        concerns.name_officer(case=case, officer=world.lan, reason="x", by=world.actor(name))
    ordinary = world.case()
    assert at_desk("inspector").do("concern", ordinary, officer=str(world.lan.pk), reason="x").status_code == 404
    with pytest.raises(Refused):
        concerns.name_officer(case=ordinary, officer=world.lan, reason="x", by=world.actor("inspector"))


def test_it_is_written_once_and_not_after_the_end(world):
    case, by = accusing(world), world.actor("inspector")
    concerns.name_officer(case=case, officer=world.pao, reason="Bị nêu", by=by)
    for officer, reason in ((world.pao, "Bị nêu"), (world.mai, " ")):
        with pytest.raises(Refused):
            concerns.name_officer(case=case, officer=officer, reason=reason, by=by)
    actions.withdraw(case=case, by=by)
    with pytest.raises(Refused):
        concerns.name_officer(case=case, officer=world.mai, reason="Bị nêu", by=by)
    with pytest.raises(Refused):
        concerns.step_back(case=case, reason="Quen biết", by=by)


# Stepping back


def test_an_inspector_steps_back_and_the_next_one_above_goes_on(world, at_desk):
    case, desk = accusing(world), at_desk("inspector")
    actions.take(case=case, by=world.actor("inspector"))
    due = set(Obligation.system("tests").open().filter(matter=case.pk).values_list("clock", "due_at"))
    assert "Xin không tham gia vụ việc này" in page(desk.get("case", case.pk))
    assert "em họ" in page(desk.do("recuse", case, reason="Là em họ tôi"), 422), "it asks to confirm"
    assert not Concern.system("tests").filter(kind="recused").exists()
    answer = desk.client.post(reverse("case_recuse", args=[case.pk]), SURE, follow=True)
    text = page(answer)
    assert answer.redirect_chain == [(reverse("case_list"), 302)]
    assert "đã chuyển lên thanh tra cấp trên" in text and case.reference not in text
    found = world.fresh(case)
    assert (found.holder, found.officer, found.taken_at) == (world.country, None, None)
    assert desk.get("case", case.pk).status_code == 404 and desk.do("recuse", case, **SURE).status_code == 404
    assert set(Obligation.system("tests").open().filter(matter=case.pk).values_list("clock", "due_at")) == due
    assert AuditEntry.system("tests").filter(action="concern.record", object_id=case.pk, reason="recused").count() == 1
    assert AuditEntry.system("tests").filter(action="case.move_up", object_id=case.pk).count() == 1
    text = page(at_desk("higher").get("case", case.pk))
    assert world.inspector.title in text and SURE["reason"] in text
    assert list(replay.check()) == []


def test_with_a_second_inspector_it_stays_where_it_is(world, at_desk):
    world.person("second", "oversight", world.seat, "Vì Thị Hai")
    case = accusing(world)
    actions.take(case=case, by=world.actor("inspector"))
    at_desk("inspector").do("recuse", case, **SURE)
    found = world.fresh(case)
    assert (found.holder, found.officer) == (world.seat, None)
    assert finds(world, case, "inspector", "second") == {"second"}


def test_when_the_last_inspector_steps_back_the_check_finds_it(world, at_desk):
    Grant.system("tests").filter(user=world.higher).update(valid_to=today())
    case = accusing(world)
    answer = at_desk("inspector").client.post(reverse("case_recuse", args=[case.pk]), SURE, follow=True)
    assert "hãy đề nghị cử thêm thanh tra" in page(answer)
    assert list(owners.ownerless()) == [case]


def test_with_a_body_outside_the_last_one_sends_it_there(world, at_desk, settings, tmp_path):
    key = pyrage.x25519.Identity.generate()
    settings.GANDAN_OUTSIDE_KEY, settings.GANDAN_OUTSIDE = str(key.to_public()), tmp_path
    settings.GANDAN_OUTSIDE_BODY = "Viện kiểm sát nhân dân tỉnh, 1 Trần Phú"
    Grant.system("tests").filter(user=world.higher).update(valid_to=today())
    case = accusing(world)
    answer = at_desk("inspector").client.post(reverse("case_recuse", args=[case.pk]), SURE, follow=True)
    assert "cơ quan bên ngoài" in page(answer)
    pending = permissions.pending(case)
    assert pending is not None and pending.to_body == settings.GANDAN_OUTSIDE_BODY


def test_an_officer_steps_back_from_an_ordinary_matter_and_the_chief_gives_it_to_another(world, at_desk):
    case = world.case()
    actions.take(case=case, by=world.actor("pao"))
    desk = at_desk("pao")
    answer = desk.client.post(reverse("case_recuse", args=[case.pk]), SURE, follow=True)
    assert "trở lại đơn vị" in page(answer) and case.reference not in page(answer)
    found = world.fresh(case)
    assert (found.holder, found.officer, found.state) == (world.an, None, Case.State.NEW)
    owed = Obligation.system("tests").open().filter(matter=case.pk)
    assert {row.assignee_id for row in owed} == {None}
    assert desk.get("case", case.pk).status_code == 404
    text = page(at_desk("chief").get("case", case.pk))
    assert world.pao.title in text and SURE["reason"] in text
    actions.assign(case=case, officer=world.mai, by=world.actor("chief"))
    actions.take(case=case, by=world.actor("mai"))
    actions.answer(case=case, text="Đã sửa.", by=world.actor("mai"))
    assert list(replay.check()) == []


def test_a_colleague_who_steps_back_leaves_it_with_whoever_has_it(world):
    case = world.case()
    actions.take(case=case, by=world.actor("pao"))
    concerns.step_back(case=case, reason="Là họ hàng", by=world.actor("mai"))
    assert world.fresh(case).officer == world.pao and world.fresh(case).taken_at


@pytest.mark.parametrize("name", ["commander", "auditor"])
def test_whoever_only_reads_has_nothing_to_step_back_from(world, at_desk, name):
    case = world.case()
    assert at_desk(name).do("recuse", case, **SURE).status_code == 403
    assert "Xin không tham gia" not in page(at_desk(name).get("case", case.pk))


def test_a_neighbour_neither_finds_it_nor_steps_back(world, at_desk):
    assert at_desk("lan").do("recuse", world.case(), **SURE).status_code == 404
    with pytest.raises(Refused):
        concerns.step_back(case=world.case(), reason="x", by=world.actor("lan"))
