"""No open matter about the police is without an inspector who may read it, whatever becomes of the inspectors."""

import io
import json
import logging
import zipfile
from datetime import timedelta

import pyrage
import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation
from hypothesis import given
from hypothesis import settings as hypothesis

from gandan.access import ANONYMOUS, Refused, SystemActor, now, sql, today
from gandan.audit.models import AuditEntry
from gandan.cases import actions, jobs, owners, parcels, permissions, routing
from gandan.cases.models import Case, Transfer
from gandan.obligations import replay
from gandan.obligations.models import Obligation
from gandan.staffing import actions as staffing
from gandan.staffing import oversight
from gandan.staffing.models import Concern, Grant
from gandan.units import actions as units
from gandan.units.jobs import apply_due_acts
from tests.access.oracle import Oracle
from tests.access.test_oracle import QUIET, make, worlds
from tests.cases.conftest import BY

pytestmark = pytest.mark.django_db
REGISTRY = SystemActor("tests", "unit.enact", "unit.draft")


def complaint(world, **options):
    return world.case("CO-01", by=ANONYMOUS, channel="web", text="Tôi khiếu nại về thái độ tiếp dân", **options)


def ends(world, name):
    Grant.system("tests").filter(user=getattr(world, name), role="oversight").update(valid_to=today())


def readers(world, case, *names):
    return {name for name in names if permissions.may(world.fresh(case), world.actor(name), "case.note")}


@pytest.fixture
def body(settings, tmp_path):
    """A body outside with a key of its own."""
    key = pyrage.x25519.Identity.generate()
    settings.GANDAN_OUTSIDE_BODY = "Viện kiểm sát nhân dân tỉnh, 1 Trần Phú"
    settings.GANDAN_OUTSIDE_KEY = str(key.to_public())
    settings.GANDAN_OUTSIDE = tmp_path / "outside"
    return key


def test_a_matter_with_an_inspector_stays_where_it_is(world):
    case = complaint(world)
    assert jobs.keep_owned(now()) == 0 and not owners.is_ownerless(case)
    assert world.fresh(case).holder == world.seat


def test_when_the_inspectors_role_ends_it_moves_up_once_with_its_dates(world):
    case = complaint(world)
    actions.take(case=case, by=world.actor("inspector"))
    actions.accept(case=case, by=world.actor("inspector"))
    due = set(Obligation.system("tests").open().filter(matter=case.pk).values_list("clock", "due_at"))
    assert due
    ends(world, "inspector")
    assert owners.is_ownerless(case)
    assert jobs.keep_owned(now()) == 1
    assert jobs.keep_owned(now()) == 0, "once"
    found = world.fresh(case)
    assert (found.holder, found.officer, found.taken_at) == (world.country, None, None) and found.accepted_at
    owed = Obligation.system("tests").open().filter(matter=case.pk)
    assert set(owed.values_list("clock", "due_at")) == due, "the same dates"
    assert {row.owed_by for row in owed} == {world.country} and {row.assignee_id for row in owed} == {None}
    assert AuditEntry.system("tests").filter(action="case.move_up", object_id=case.pk).count() == 1
    assert case.events.filter(kind="moved_up").count() == 1
    assert list(replay.check()) == []
    actions.take(case=case, by=world.actor("higher"))
    actions.answer(case=case, text="Đã xem xét.", by=world.actor("higher"))
    assert list(replay.check()) == []


def test_when_the_inspector_steps_back_or_comes_to_be_named_it_moves_up(world):
    back, named = complaint(world), complaint(world)
    staffing.record_concern(matter=back.pk, by=BY, user=world.inspector, recused=True)
    staffing.record_concern(matter=named.pk, by=BY, unit=world.seat, user=world.inspector)
    assert jobs.keep_owned(now()) == 2
    for case in (back, named):
        assert world.fresh(case).holder == world.country
        assert readers(world, case, "inspector", "higher") == {"higher"}


def test_when_the_inspectors_account_is_closed_it_moves_up(world):
    case = complaint(world)
    type(world.inspector).objects.filter(pk=world.inspector.pk).update(is_active=False)
    assert jobs.keep_owned(now()) == 1
    assert world.fresh(case).holder == world.country


def test_a_second_inspector_at_the_same_unit_keeps_it(world):
    world.person("second", "oversight", world.seat, "Vì Thị Hai")
    case = complaint(world)
    staffing.record_concern(matter=case.pk, by=BY, user=world.inspector, recused=True)
    assert jobs.keep_owned(now()) == 0
    assert readers(world, case, "inspector", "second") == {"second"}


def test_what_stands_with_a_unit_that_a_reorganisation_ends_has_an_inspector_the_next_day(world, move_to):
    world.person("near", "oversight", world.binh, "Hà Văn Gần")
    case = complaint(world)
    actions.send(case=case, to_unit=world.binh, text="Thẩm quyền", by=world.actor("inspector"))
    actions.acknowledge(case=case, by=world.actor("near"))
    assert world.fresh(case).holder == world.binh
    act = units.draft_act(
        decree="2/NQ",
        title="Nhập",
        decided_on=today(),
        effective_on=today() + timedelta(days=1),
        seat=world.seat,
        by=REGISTRY,
        # The unit merges with the very one that the matter is about.
        steps=(("merge", {"from": [str(world.binh.pk)], "into": str(world.an.pk)}),),
    )
    assert units.check_act(act=act, by=REGISTRY) == []
    units.schedule_act(act=act, by=REGISTRY)
    move_to(now() + timedelta(days=1))
    apply_due_acts(now())
    assert world.fresh(case).holder == world.an, "the carrier took it to those it is about; they see nothing of it"
    assert not readers(world, case, "pao", "chief", "near")
    assert jobs.keep_owned(now()) == 1
    assert world.fresh(case).holder == world.seat
    assert readers(world, case, "inspector", "near") == {"inspector"}
    assert list(replay.check()) == []


def test_a_complaint_about_the_inspectorate_itself_goes_to_the_country_at_once(world):
    case = complaint(world, concern={"unit": world.seat})
    assert world.fresh(case).holder == world.country
    assert readers(world, case, "inspector", "higher") == {"higher"}


def test_where_nobody_is_left_and_no_body_is_named_it_is_told_without_saying_which(world, caplog):
    case = complaint(world)
    for name in ("inspector", "higher"):
        ends(world, name)
    with caplog.at_level(logging.ERROR):
        assert jobs.keep_owned(now()) == 0
    assert "1 matters" in caplog.text and str(case.pk) not in caplog.text and case.reference not in caplog.text
    assert world.fresh(case).holder == world.seat
    with pytest.raises(Refused):
        complaint(world)


def test_where_nobody_is_left_it_goes_sealed_to_the_body_outside_once(world, body):
    case = complaint(world)
    for name in ("inspector", "higher"):
        ends(world, name)
    assert jobs.keep_owned(now()) == 1
    assert jobs.keep_owned(now()) == 0, "once"
    sent = Transfer.system("tests").get(case=case)
    assert sent.to_body.startswith("Viện kiểm sát") and sent.acknowledged_at is None
    assert AuditEntry.system("tests").filter(action="case.send_outside", object_id=case.pk).count() == 1
    packed = parcels.path_of(case).read_bytes()
    assert b"khi\xe1\xba\xbfu n\xe1\xba\xa1i" not in packed and not list(parcels.path_of(case).parent.glob(".partial*"))
    with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(packed, [body]))) as opened:
        words = json.loads(opened.read("matter.json"))
    assert words["text"] == "Tôi khiếu nại về thái độ tiếp dân" and words["reference"] == case.reference
    assert words["person"]["name"] == "Lò Thị Hoa" and words["about"][0]["unit"] == "Xã An Lĩnh"
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(packed, [pyrage.x25519.Identity.generate()])


def test_a_complaint_that_finds_nobody_is_taken_in_and_goes_outside_at_once(world, body):
    for name in ("inspector", "higher"):
        ends(world, name)
    case = complaint(world)
    assert Transfer.system("tests").filter(case=case, acknowledged_at=None).exists() and parcels.path_of(case).exists()
    assert not readers(world, case, "pao", "chief", "commander", "dispatcher", "inspector")
    assert not owners.is_ownerless(case)


def test_an_inspector_who_comes_later_may_write_down_the_word_of_the_body_outside(world, body):
    case = complaint(world)
    for name in ("inspector", "higher"):
        ends(world, name)
    jobs.keep_owned(now())
    world.person("new", "oversight", world.seat, "Lê Mới")
    actions.acknowledge(case=case, number="12/VKS", by=world.actor("new"))
    assert world.fresh(case).state == Case.State.PASSED_ON
    assert owners.waiting(world.actor("auditor")) == 0


def test_it_is_never_sent_to_a_unit_whose_only_inspector_stepped_back(world):
    case = complaint(world)
    staffing.record_concern(matter=case.pk, by=BY, user=world.higher, recused=True)
    assert not routing.may_oversee(case.pk, world.country)
    with pytest.raises(Refused):
        actions.send(case=case, to_unit=world.country, text="Thẩm quyền", by=world.actor("inspector"))


def test_one_that_cannot_be_moved_keeps_no_other_from_its_inspector(world, monkeypatch):
    first, second = complaint(world), complaint(world)
    ends(world, "inspector")
    move_up = actions.move_up

    def fails_once(*, case, by):
        if case.pk == min(first.pk, second.pk):
            raise ValueError("a fault of ours")
        return move_up(case=case, by=by)

    monkeypatch.setattr(actions, "move_up", fails_once)
    assert jobs.keep_owned(now()) == 1
    monkeypatch.undo()
    assert jobs.keep_owned(now()) == 1 and not owners.ownerless().exists()


def test_what_an_inspector_had_sent_on_and_nobody_acknowledged_moves_too(world):
    case = complaint(world)
    actions.send(case=case, to_unit=world.country, text="Thẩm quyền", by=world.actor("inspector"))
    ends(world, "inspector")
    assert jobs.keep_owned(now()) == 1
    assert world.fresh(case).holder == world.country and permissions.pending(case) is None
    actions.take(case=case, by=world.actor("higher"))


def test_the_person_reads_under_the_code_who_has_the_matter_now(world):
    receipt = world.bring("CO-01", by=ANONYMOUS, channel="web", text="Tôi khiếu nại về thái độ tiếp dân")
    ends(world, "inspector")
    jobs.keep_owned(now())
    client = Client()
    for prefix, words in (("", "thời hạn không đổi"), ("/en", "with the same date")):
        with translation.override("vi"):
            text = client.post(prefix + reverse("follow"), {"code": receipt.code}).content.decode()
        assert words in text and "Việt Nam" in text


def test_the_daily_look_is_a_job_of_the_worker_and_a_line_of_the_check(world, capsys, monkeypatch):
    from gandan.config import installation, working

    complaint(world)
    assert installation._unowned() == []
    for name in ("inspector", "higher"):
        ends(world, name)
    (said,) = installation._unowned()
    assert said.startswith("1 open and without an inspector")
    monkeypatch.setattr(jobs, "_LOOKED", set())
    job = dict(working.jobs())["matters without an inspector"]
    assert job(now()) == 0 and job(now()) == 0 and {today()} == jobs._LOOKED


def test_gaps_are_told_from_roles_alone(world):
    def told():
        return {(gap.unit.title, gap.itself, gap.beneath) for gap in oversight.gaps(reach)}

    reach = world.actor("auditor").reach("grant.read")
    assert told() == set()
    ends(world, "higher")
    assert told() == {("Tỉnh Mường Sương", True, 0)}, "nobody is above the inspectorate itself"
    before = told()
    complaint(world)
    assert told() == before
    ends(world, "inspector")
    assert told() == {("Tỉnh Mường Sương", True, 2)}


def test_an_open_complaint_that_names_nobody_is_found_by_the_check(world):
    case = complaint(world)
    assert owners.unguarded() == 0
    Concern.system("tests").filter(matter=case.pk).delete()
    assert owners.unguarded() == 1


@hypothesis(max_examples=100, **QUIET)
@given(worlds())
def test_in_invented_worlds_nothing_is_left_without_an_owner_that_could_have_one(db, drawn):
    with transaction.atomic():
        sql.forget()
        _users, cases = make(drawn)
        oracle = Oracle.read(today())
        about_us = {row.matter for row in oracle.concerns if row.kind != "recused"}

        def owned(matter, unit):
            return any(
                held.role == "oversight"
                and held.unit == unit
                and oracle.reached(held, unit)
                and not oracle.concerned(held.user, matter)
                for held in oracle.grants
            )

        before = {case.pk: case.holder_id for case in cases}
        lost = {pk for pk, holder in before.items() if pk in about_us and not owned(pk, holder)}
        assert set(owners.ownerless().values_list("pk", flat=True)) == lost
        moved = jobs.keep_owned(now())
        after = dict(Case.system("tests").filter(pk__in=before).values_list("pk", "holder"))
        assert {pk for pk in before if before[pk] != after[pk]} <= lost
        assert moved == sum(before[pk] != after[pk] for pk in before)
        for pk in lost:
            assert owned(pk, after[pk]) == (before[pk] != after[pk])
        assert jobs.keep_owned(now()) == 0, "once"
        transaction.set_rollback(True)
    sql.forget()
