"""Papers are asked for once, and the clock stands still only while somebody is waited for: across a transfer, a
corrected kind and a new round. A promise ends with its matter, and is kept once."""

import random
from collections import Counter
from datetime import date, datetime, timedelta

import pytest
from django.db.models import Max
from django.utils import translation

from gandan.access import ANONYMOUS, Refused, clock, now
from gandan.audit import actions as audit
from gandan.audit.models import AuditEntry
from gandan.cases import actions, permissions, results
from gandan.cases.models import Case, CaseEvent, PaperRequest, Transfer
from gandan.obligations import actions as obligations
from gandan.obligations import replay
from gandan.obligations.models import Obligation, ObligationEvent
from tests.cases.conftest import BY

pytestmark = pytest.mark.django_db
OLD, NEW = "Giấy chứng minh chỗ ở", "Giấy đồng ý của chủ nhà"


@pytest.fixture(autouse=True)
def _in_vietnamese():
    with translation.override("vi"):
        yield


@pytest.fixture
def world(world):
    world.person("head", "chief", world.binh, "Nông Văn Tá", "Thiếu tá")
    return world


def owed(case):
    return {o.clock: o for o in Obligation.system("test").open().filter(matter=case.pk)}


def correct(world, case, code, by):
    actions.correct(case=case, procedure=world.procedure(code), ground="Ghi nhầm loại.", by=world.actor(by))


def asked(world, code="RE-02", item=OLD):
    receipt = world.bring(code)
    actions.take(case=receipt.case, by=world.actor("pao"))
    actions.ask_papers(case=receipt.case, items=[item], by=world.actor("pao"))
    return receipt


def pass_to_binh(world, case, move_to, hours=3):
    actions.send(case=case, text="Thuộc xã Bình Sơn", to_unit=world.binh, by=world.actor("pao"))
    move_to(now() + timedelta(hours=hours))
    actions.acknowledge(case=case, by=world.actor("head"))


def seen(client, receipt):
    return client.post("/follow/", {"code": receipt.code}).content.decode()


# Papers and a transfer


def test_what_the_sender_asked_for_the_receiver_waits_for(world, move_to, client):
    receipt = asked(world)
    case = receipt.case
    pass_to_binh(world, case, move_to)
    there, (promise,) = now(), owed(case).values()
    assert (promise.owed_by, promise.started_at, promise.suspended_at) == (world.binh, there, there)
    assert world.fresh(case).state == Case.State.WAITING and OLD in seen(client, receipt)
    with pytest.raises(Refused, match="chưa"):
        actions.ask_papers(case=case, items=[NEW], by=world.actor("lan"))
    move_to(now() + timedelta(days=2))
    actions.supply(case=case, by=ANONYMOUS, text="Đây ạ", from_citizen=True)
    (promise,) = owed(case).values()
    assert promise.suspended_at is None and promise.due_at > there + timedelta(days=4)
    assert world.fresh(case).state == Case.State.NEW and OLD not in seen(client, receipt).split("<ol")[0]
    assert list(replay.check()) == []


def test_a_kind_without_that_ground_runs_on_at_the_receiver_while_papers_are_waited_for(world, move_to):
    case = asked(world, "FB-01").case
    pass_to_binh(world, case, move_to)
    assert owed(case) and all(o.suspended_at is None for o in owed(case).values())
    actions.supply(case=case, by=world.actor("lan"))
    assert world.fresh(case).waiting_request() is None


def test_papers_that_came_while_the_matter_was_on_its_way_pause_nothing_after(world, move_to):
    """Bình Sơn acknowledged on paper at ten; the papers came to An Lĩnh at noon; both are written down later."""
    case = asked(world).case
    actions.send(case=case, text="Thuộc xã Bình Sơn", to_unit=world.binh, by=world.actor("pao"))
    there = now() + timedelta(hours=1)
    came = now() + timedelta(hours=3)
    move_to(came)
    actions.supply(case=case, by=world.actor("pao"))
    move_to(now() + timedelta(hours=2))
    actions.acknowledge(case=case, at=there, by=world.actor("head"))
    (promise,) = owed(case).values()
    pauses = replay.fold(promise.events.all()).pauses
    assert [(pause.start, pause.end) for pause in pauses] == [(there, came)] and promise.suspended_at is None
    assert list(replay.check()) == []


def test_papers_said_to_have_come_before_the_receiver_had_the_matter_are_taken(world, move_to):
    case = asked(world).case
    came = now() + timedelta(hours=1)
    pass_to_binh(world, case, move_to)
    actions.supply(case=case, at=came, by=world.actor("head"))
    (promise,) = owed(case).values()
    assert promise.suspended_at is None and replay.fold(promise.events.all()).pauses == []
    assert PaperRequest.system("test").get().supplied_at == came


def test_a_kind_corrected_after_a_transfer_still_waits_and_runs_on_with_the_papers(world, move_to):
    case = asked(world).case
    pass_to_binh(world, case, move_to)
    move_to(now() + timedelta(hours=2))
    correct(world, case, "RE-05", "head")
    (promise,) = owed(case).values()
    assert promise.clock == "RE-05.result" and promise.suspended_at == promise.started_at
    assert permissions.supply(world.fresh(case), world.actor("lan")) is None
    actions.supply(case=case, by=world.actor("lan"))
    assert owed(case)["RE-05.result"].suspended_at is None
    assert list(replay.check()) == []


def test_a_kind_is_corrected_after_a_transfer_when_the_papers_had_come_before(world, move_to):
    case = asked(world).case
    move_to(now() + timedelta(hours=1))
    actions.supply(case=case, by=world.actor("pao"))
    pass_to_binh(world, case, move_to)
    there = now()
    move_to(now() + timedelta(hours=1))
    correct(world, case, "RE-05", "head")
    (promise,) = owed(case).values()
    assert (promise.clock, promise.started_at, promise.suspended_at) == ("RE-05.result", there, None)
    assert not promise.events.filter(kind="suspended").exists(), "the days before are the sender's"
    assert list(replay.check()) == []


# Papers and a new round


def test_after_a_reopening_everybody_reads_the_papers_of_this_round(world, move_to, client, at_desk):
    receipt = asked(world)
    case = receipt.case
    move_to(now() + timedelta(days=1))
    actions.answer(case=case, text="Không cần nữa.", by=world.actor("pao"))
    assert world.fresh(case).waiting_request() is None
    actions.reopen(case=case, text="Chưa xong", by=ANONYMOUS, from_citizen=True)
    assert world.fresh(case).waiting_request() is None
    actions.take(case=case, by=world.actor("pao"))
    actions.ask_papers(case=case, items=[NEW], by=world.actor("pao"))
    assert world.fresh(case).waiting_request().items == [NEW]
    wanted = client.post("/api/v1/follow", {"code": receipt.code}, content_type="application/json").json()
    assert wanted["papers_wanted"] == [NEW]
    inset = at_desk("pao").get("case", case.pk).content.decode().split('class="govuk-inset-text"')[1].split("</ul>")[0]
    assert NEW in inset and OLD not in inset
    move_to(now() + timedelta(days=1))
    actions.supply(case=case, by=world.actor("pao"))
    came = {request.round: request.supplied_at for request in PaperRequest.system("test").all()}
    assert came == {1: None, 2: now()}, "the old papers never came, and nobody says that they did"


# What ends with its matter


def test_an_answered_matter_is_not_sent_away(world):
    case = world.case()
    actions.take(case=case, by=world.actor("pao"))
    actions.answer(case=case, text="Xong", by=world.actor("pao"))
    with pytest.raises(Refused, match="mở lại"):
        actions.send(case=case, text="Của Bình Sơn", to_unit=world.binh, by=world.actor("pao"))
    actions.reopen(case=case, text="Chưa xong", by=world.actor("chief"))
    actions.send(case=case, text="Của Bình Sơn", to_unit=world.binh, by=world.actor("pao"))


def test_what_was_answered_on_its_way_starts_no_clock_at_the_receiver(world, move_to):
    case = world.case("CR-01")
    actions.take(case=case, by=world.actor("pao"))
    actions.answer(case=case, text="Đã ghi nhận, sẽ chuyển.", by=world.actor("pao"))
    pass_to_binh(world, case, move_to)
    assert world.fresh(case).holder == world.binh and owed(case) == {}
    actions.close(case=case, by=world.actor("head"))
    assert world.fresh(case).state == Case.State.CLOSED


def test_closing_leaves_no_promise_running_that_nothing_can_keep(world, move_to):
    """As it stood when an answered matter could be sent away: the receiver owes what it can neither take nor answer."""
    case = world.case()
    actions.take(case=case, by=world.actor("pao"))
    actions.answer(case=case, text="Xong", by=world.actor("pao"))
    obligations.start(
        "received", matter=case.pk, kind="case", procedure="FB-01", unit=world.an, at=now(), by=world.actor("pao")
    )
    assert len(owed(case)) == 2
    move_to(now() + timedelta(days=1))
    actions.close(case=case, by=world.actor("chief"))
    assert owed(case) == {}
    late = Obligation.system("test").filter(matter=case.pk, discharged_at=now())
    assert {o.ending for o in late} == {"withdrawn"} and list(replay.check()) == []


# What a correction counts


def counted(world):
    found = results.of_unit(world.an, date(2026, 11, 1), date(2026, 12, 31))
    return found.in_time, found.promises


def test_correcting_to_and_fro_keeps_no_promise_a_second_time(world, move_to):
    case, other = world.case("FB-01"), world.case("RE-02")
    for each in (case, other):
        actions.take(case=each, by=world.actor("pao"))
    assert counted(world) == (1, 1)
    for code in ("FO-01", "FB-01", "FO-01", "FB-01"):
        move_to(now() + timedelta(minutes=10))
        correct(world, case, code, "chief")
        correct(world, other, {"FO-01": "FB-01", "FB-01": "RE-02"}[code], "chief")
        assert counted(world) == (1, 1), code
    assert set(owed(case)) == {"FB-01.answer"}
    assert list(replay.check()) == []


def test_a_promise_that_was_broken_counts_under_the_right_kind_and_once(world, move_to):
    case = world.case("RE-02")
    move_to(now() + timedelta(days=7))
    actions.take(case=case, by=world.actor("pao"))
    for code in ("FB-01", "FO-01", "FB-01"):
        move_to(now() + timedelta(minutes=10))
        correct(world, case, code, "chief")
        assert counted(world) == (0, 1), code
    assert list(replay.check()) == []


def test_word_given_to_the_person_counts_for_the_right_kind(world, move_to):
    case = world.case("CO-01", by=world.actor("duty"))
    actions.accept(case=case, by=world.actor("inspector"))
    move_to(now() + timedelta(hours=1))
    actions.message_out(case=case, text="Đã thụ lý.", by=world.actor("inspector"))
    world.person("thu", "chief", world.seat, "Đinh Thị Thu")
    reason = permissions.correct(world.fresh(case), world.actor("inspector"))
    assert reason is None
    correct(world, case, "DE-01", "inspector")
    assert set(owed(case)) == {"DE-01.decide"}


# Words


def test_the_date_of_an_apology_lies_within_a_year(world):
    case = world.case()
    far = datetime(2100, 1, 1, tzinfo=clock.VIETNAM)
    with pytest.raises(Refused, match="một năm"):
        actions.apologise(case=case, text="Mất điện", new_date=far, by=world.actor("pao"))
    actions.apologise(case=case, text="Mất điện", new_date=now() + timedelta(days=60), by=world.actor("pao"))


def test_a_change_of_the_calendar_is_told_once_to_whoever_waits(world, move_to, client):
    move_to(datetime(2026, 11, 29, 9, tzinfo=clock.VIETNAM))
    receipt, ended = world.bring(), world.case()
    actions.withdraw(case=ended, by=world.actor("pao"))
    assert clock.day_of(owed(receipt.case)["FB-01.answer"].due_at - timedelta(minutes=1)) == date(2026, 12, 14)
    day = {"kind": "holiday", "name_vi": "Nghỉ lụt", "name_en": "Flood", "decree": "9/QĐ"}
    moved = obligations.declare_day(day=date(2026, 12, 14), **day, by=BY)
    assert [move.obligation.clock for move in moved] == ["FB-01.answer"]
    line = CaseEvent.system("test").get(facts__has_key="calendar")
    assert line.case_id == receipt.case.pk and line.shown
    assert datetime.fromisoformat(line.facts["moved"][0]["after"]) == owed(receipt.case)["FB-01.answer"].due_at
    text = seen(client, receipt)
    assert all(word in text for word in ("14/12/2026 sang 15/12/2026", "9/QĐ"))
    assert AuditEntry.system("test").filter(object_id=receipt.case.pk, reason="calendar").count() == 1
    obligations.remove_day(day=date(2026, 12, 14), decree="10/QĐ", by=BY)
    assert CaseEvent.system("test").filter(facts__has_key="calendar").count() == 2
    assert "15/12/2026 sang 14/12/2026" in seen(client, receipt)
    assert list(replay.check()) == [] and audit.verify().intact


def test_a_matter_is_told_in_its_own_language_and_sealed_where_it_is(world, at_desk):
    plain, sealed = world.bring(language="en"), world.case("CO-01", by=world.actor("duty"))
    day = {"kind": "holiday", "name_vi": "Nghỉ lụt", "name_en": "Flood", "decree": "9/QĐ"}
    actions.accept(case=sealed, by=world.actor("inspector"))
    due = clock.day_of(owed(sealed)["CO-01.decide"].due_at - timedelta(minutes=1))
    obligations.declare_day(day=due, **day, by=BY)
    obligations.declare_day(day=date(2026, 11, 25), **day, by=BY)
    told = CaseEvent.system("test").filter(facts__has_key="calendar")
    assert "the date moves from 26/11/2026 to 27/11/2026" in told.get(case=plain.case).text
    assert "ngày hẹn" in at_desk("inspector").get("case", sealed.pk).content.decode()


# Any order of actions

OFTEN = {"ask": 5, "supply": 4, "send": 5, "acknowledge": 8, "correct": 5, "answer": 4, "reopen": 5, "take": 3}
OFTEN |= {"accept": 1, "extend": 2, "recall": 1, "tell": 1, "apologise": 1, "holiday": 1, "refused": 6}
OFTEN |= {"send_outside": 0.3, "close": 1.5, "withdraw": 0.3}
KINDS = ["FB-01", "FO-01", "RE-02", "RE-05", "RE-07", "CR-01"]


@pytest.mark.parametrize("seed", range(10))
def test_in_any_order_no_clock_waits_for_nothing_and_none_outlives_its_matter(world, seed):
    chance = random.Random(seed)
    with clock.at(datetime(2026, 11, 16, 9, tzinfo=clock.VIETNAM)):
        case, moment = world.case(chance.choice(["FB-01", "RE-02", "RE-07", "CR-01"])), now()
    done = Counter()
    for _step in range(30):
        moment += timedelta(minutes=chance.choice([3, 30, 200, 1500, 4000]))
        earlier = moment - timedelta(hours=chance.choice([1, 30])) if chance.random() < 0.3 else None
        with clock.at(moment):
            before, step = _written(case), _next(world, world.fresh(case), chance)
            try:
                _do(world, world.fresh(case), step, earlier, chance.choice(KINDS))
                done[step] += 1
            except Refused:
                assert _written(case) == before, step
            _holds(world, world.fresh(case), (seed, done))
    assert done.total() > 5 and list(replay.check()) == []


def _next(world, case, chance):
    """Draw what is done next: mostly something that the page offers, sometimes anything."""
    step = chance.choices(list(OFTEN), OFTEN.values())[0]
    if step == "refused":
        return chance.choice([name for name in OFTEN if name != "refused"])
    people = [world.actor("chief"), world.actor("head")]
    asked = permissions.ALL.get({"send_outside": "send", "tell": "message"}.get(step, step))
    while asked is not None and all(asked(case, by) for by in people):
        step = chance.choices(list(OFTEN), OFTEN.values())[0]
        asked = permissions.ALL.get({"send_outside": "send", "tell": "message"}.get(step, step))
    return step if step != "refused" else "tell"


def _do(world, case, step, when, kind):
    by = world.actor("chief" if case.holder_id == world.an.pk else "head")
    other = world.binh if case.holder_id == world.an.pk else world.an
    match step:
        case "take":
            actions.take(case=case, by=by)
        case "ask":
            actions.ask_papers(case=case, items=[OLD], by=by)
        case "supply":
            actions.supply(case=case, by=by, at=when)
        case "send":
            actions.send(case=case, text="Chuyển", to_unit=other, by=by)
        case "send_outside":
            actions.send(case=case, text="Chuyển", to_body="Cơ quan điều tra", by=by)
        case "acknowledge":
            outside = Transfer.system("test").filter(case=case, to_unit=None, acknowledged_at=None).exists()
            receiver = by if outside else world.actor("head" if other == world.binh else "chief")
            actions.acknowledge(case=case, number="1/PTN", by=receiver, at=when)
        case "recall":
            actions.recall(case=case, by=by)
        case "correct":
            actions.correct(case=case, procedure=world.procedure(kind), ground="Nhầm", by=by)
        case "extend":
            for promise in owed(case).values():
                for rule in promise.term.extensions:
                    actions.extend(case=case, obligation=promise, extension=rule["code"], ground="Phức tạp", by=by)
        case "accept":
            actions.accept(case=case, by=by)
        case "answer":
            actions.answer(case=case, text="Đã xong.", by=by, at=when)
        case "reopen":
            actions.reopen(case=case, text="Chưa xong", by=by)
        case "close":
            actions.close(case=case, by=by)
        case "withdraw":
            actions.withdraw(case=case, by=by)
        case "tell":
            actions.message_out(case=case, text="Đang làm", by=by)
        case "apologise":
            actions.apologise(case=case, text="Mưa lũ", new_date=now() + timedelta(days=40), by=by)
        case "holiday":
            day = clock.day_of(now()) + timedelta(days=2)
            obligations.declare_day(day=day, kind="holiday", name_vi="x", name_en="x", decree="1/QĐ", by=BY)


def _written(case):
    """Return all that an action writes, so that a refused one can be seen to write nothing."""
    rows = (CaseEvent, PaperRequest, Transfer, Obligation, ObligationEvent, AuditEntry)
    matter = Case.system("test").filter(pk=case.pk).values().get()
    papers = list(PaperRequest.system("test").values_list("pk", "round", "asked_at", "supplied_at").order_by("pk"))
    sent = list(Transfer.system("test").values_list("pk", "acknowledged_at", "recalled_at").order_by("pk"))
    return (matter, papers, sent, *(model.system("test").count() for model in rows))


def _holds(world, case, story):
    running = list(Obligation.system("test").open().filter(matter=case.pk))
    waits = case.waiting_request()
    assert waits is not None or not any(o.suspended_at for o in running), ("a clock waits for nothing", story)
    assert (waits is not None) == (case.state == Case.State.WAITING), story
    assert not (case.is_ended and running), ("a promise outlives its matter", story)
    assert {o.owed_by_id for o in running} <= {case.holder_id}, story
    by = world.actor("chief" if case.holder_id == world.an.pk else "head")
    letter = PaperRequest.system("test").filter(case=case, round=case.round).first()
    if not case.is_ended and not case.answered_at and (letter is None or letter.supplied_at is None):
        # Nobody is stuck: papers may be asked for, or those that were asked for may be recorded.
        assert (permissions.ask(case, by) is None) != (permissions.supply(case, by) is None), story
    began = case.events.filter(kind__in=("received", "reopened", "acknowledged")).aggregate(last=Max("at"))["last"]
    kept = Obligation.system("test").filter(matter=case.pk, started_at__gte=began, ending="discharged")
    assert kept.filter(term__ends_on="taken").count() <= 1, ("one acknowledgement counts twice", story)
    for promise in running:
        assert replay.compare(promise, promise.events.all()) == []
