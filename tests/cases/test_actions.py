"""What is done with a matter, from receipt to closing, and what is refused with a sentence."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from gandan.access import ANONYMOUS, Refused, SystemActor, now
from gandan.access.clock import VIETNAM
from gandan.audit import actions as audit
from gandan.audit.models import AuditEntry
from gandan.cases import actions, follow, jobs, search
from gandan.cases.actions import intake
from gandan.cases.files import File
from gandan.cases.models import Attachment, Case, CaseIdentity, Rating
from gandan.obligations.models import Obligation
from gandan.secrecy.fields import unlock

pytestmark = pytest.mark.django_db
A_PAPER = File("a" * 64, "don.pdf", "application/pdf", 1200)


def clocks(case):
    return {o.clock: o for o in Obligation.system("tests").filter(matter=case.pk).order_by("started_at")}


def kinds(case):
    return [event.kind for event in case.events.all()]


def entries(case):
    return list(AuditEntry.system("tests").filter(object_id=case.pk).order_by("seq").values_list("action", "reason"))


# Receiving


def test_a_matter_is_received_with_a_number_a_code_and_clocks(world):
    receipt = world.bring()
    assert receipt.reference.startswith("GD-") and len(receipt.code) == 16 and not receipt.again
    case = receipt.case
    assert case.state == Case.State.NEW and case.holder == world.an and case.province == world.seat
    assert set(clocks(case)) == {"FB-01.acknowledge", "FB-01.answer"}
    assert kinds(case) == ["received"] and entries(case) == [("case.receive", "")]
    assert case.follow_hash == follow.stored(receipt.code, anonymous=False)


def test_a_theft_at_night_is_counted_from_its_minute(world, move_to):
    at = datetime(2026, 11, 22, 22, 40, tzinfo=VIETNAM)
    case = world.case("CR-01", received_at=at)
    assert clocks(case)["CR-01.handover"].due_at == at + timedelta(hours=24)
    assert case.recorded_at > case.received_at


def test_in_a_remote_commune_the_law_gives_more_hours(world):
    world.person("xuan", "officer", world.xa, "Lường Thị Xuân")
    case = world.case("CR-01", unit=world.xa, by=world.actor("xuan"))
    assert clocks(case)["CR-01.handover"].due_at == case.received_at + timedelta(hours=48)


def test_the_future_is_refused(world):
    with pytest.raises(Refused, match=r"tương lai|future"):
        world.bring(received_at=now() + timedelta(minutes=2))


def test_the_same_form_gives_the_same_matter_and_the_same_receipt(world):
    submission = uuid4()
    first = world.bring(submission=submission)
    second = world.bring(submission=submission)
    assert second.again and second.case == first.case
    assert (second.reference, second.code, second.received_at) == (first.reference, first.code, first.received_at)
    assert len(clocks(first.case)) == 2 and kinds(first.case) == ["received"]


def test_an_unnamed_matter_shows_its_code_again_only_for_the_same_form(world):
    submission = uuid4()
    first = world.bring(submission=submission, anonymous=True)
    assert first.case.follow_hash.startswith("a") and first.code not in first.case.follow_hash
    assert world.bring(submission=submission, anonymous=True).code == first.code
    assert world.bring(anonymous=True).code != first.code


def test_an_unnamed_matter_keeps_no_name(world):
    case = world.case(anonymous=True, identity={"name": "Lò Thị Hoa"})
    assert not CaseIdentity.system("tests").filter(case=case).exists()


def test_the_same_form_with_other_words_is_kept_and_said(world):
    submission = uuid4()
    case = world.case(submission=submission)
    other = {"submission": submission, "text": "Đèn đã sửa, nay lại tắt.", "files": [A_PAPER]}
    for _ in range(2):
        with pytest.raises(actions.Conflict) as told:
            world.bring(**other, identity={"name": "Lò Thị Hoa", "phone": "0999999999"})
    assert case.reference in str(told.value) and told.value.case == case
    kept = [event for event in case.events.all() if event.facts.get("conflict")]
    assert len(kept) == 1 and "nay lại tắt" in kept[0].text
    assert "0999999999" not in kept[0].text + str(kept[0].facts)
    person = CaseIdentity.system("tests").get(case=case)
    unlock([person])
    assert person.others[0]["phone"] == "0999999999"
    assert [file.sha256 for file in case.attachments.all()] == ["a" * 64]
    assert Case.system("tests").count() == 1


def test_the_same_form_sent_twice_at_the_same_moment_is_one_matter(world, monkeypatch):
    submission, asked, ask = uuid4(), [], intake._sent_before
    first = world.bring(submission=submission)
    # The second one looked before the first was written, and finds out only when it writes.
    monkeypatch.setattr(intake, "_sent_before", lambda *a: ask(*a) if asked.append(1) or len(asked) > 1 else None)
    second = world.bring(submission=submission)
    assert second.again and (second.case, second.code) == (first.case, first.code) and len(asked) == 2


def test_two_codes_never_meet(world, monkeypatch):
    real = follow.code_for
    monkeypatch.setattr(
        follow, "code_for", lambda submission, attempt=0: real(submission, attempt) if attempt else "7" * 16
    )
    first, submission = world.bring(), uuid4()
    second = world.bring(submission=submission)
    assert first.code == "7" * 16 != second.code
    assert world.bring(submission=submission).code == second.code


def test_what_was_settled_at_the_desk_is_one_action(world):
    receipt = actions.settle_on_the_spot(
        answer="Đã gọi điện lực, đèn sáng lại.",
        by=world.actor("pao"),
        submission=uuid4(),
        procedure=world.procedure("FB-01"),
        unit=world.an,
        channel="desk",
        text="Đèn tắt",
    )
    case = world.fresh(receipt.case)
    assert case.state == Case.State.CLOSED and case.officer == world.pao
    assert kinds(case) == ["received", "taken", "answered", "closed"]
    assert all(o.discharged_at for o in clocks(case).values())


def test_other_words_are_kept_even_when_they_claim_to_be_settled(world):
    submission = uuid4()
    case = world.case(submission=submission)
    with pytest.raises(actions.Conflict):
        actions.settle_on_the_spot(
            answer="Xong",
            by=world.actor("pao"),
            submission=submission,
            procedure=world.procedure("FB-01"),
            unit=world.an,
            channel="desk",
            text="Việc khác hẳn",
        )
    assert kinds(case) == ["received", "message_in"] and world.fresh(case).state == Case.State.NEW


def test_who_may_not_settle_writes_nothing_at_all(world):
    with pytest.raises(Refused):
        actions.settle_on_the_spot(
            answer="Xong",
            by=world.actor("duty"),
            submission=uuid4(),
            procedure=world.procedure("FB-01"),
            unit=world.an,
            channel="desk",
            text="Đèn tắt",
        )
    assert not Case.system("tests").exists()


# Working it


def test_from_hand_to_answer_to_closing(world):
    case, pao = world.case(), world.actor("pao")
    actions.take(case=case, by=pao)
    assert clocks(case)["FB-01.acknowledge"].ending == "discharged"
    assert clocks(case)["FB-01.answer"].assignee == world.pao
    actions.answer(case=case, text="Đã thay cột mới.", by=pao)
    assert world.fresh(case).state == Case.State.ANSWERED and clocks(case)["FB-01.answer"].discharged_at
    actions.close(case=case, by=world.actor("chief"))
    assert world.fresh(case).state == Case.State.CLOSED
    assert kinds(case) == ["received", "taken", "answered", "closed"]
    assert [action for action, _ in entries(case)] == ["case.receive", "case.take", "case.answer", "case.close"]
    assert audit.verify().intact


def test_a_second_click_changes_nothing(world):
    case, pao = world.case(), world.actor("pao")
    stale = world.fresh(case)
    actions.take(case=case, by=pao)
    for action, by in ((actions.take, "pao"), (actions.take, "mai")):
        with pytest.raises(Refused):
            action(case=stale, by=world.actor(by))
    assert kinds(case) == ["received", "taken"]


def test_a_colleague_hears_who_has_it_and_the_chief_may_take_over(world):
    case = world.case()
    actions.take(case=case, by=world.actor("pao"))
    with pytest.raises(Refused, match="Vàng A Pao"):
        actions.take(case=case, by=world.actor("mai"))
    assert actions.take(case=case, by=world.actor("chief")).officer == world.chief


def test_a_matter_is_given_only_to_somebody_who_can_answer_it(world):
    case, chief = world.case(), world.actor("chief")
    for stranger in (world.lan, world.duty, world.commander):
        with pytest.raises(Refused):
            actions.assign(case=case, officer=stranger, by=chief)
    actions.assign(case=case, officer=world.mai, by=chief)
    assert clocks(case)["FB-01.answer"].assignee == world.mai
    with pytest.raises(Refused):
        actions.assign(case=case, officer=world.mai, by=chief)
    with pytest.raises(Refused):
        actions.assign(case=case, officer=world.pao, by=world.actor("pao"))


def test_missing_papers_are_asked_for_once_and_the_clock_stands_still(world, move_to):
    case, pao = world.case("RE-01"), world.actor("pao")
    actions.take(case=case, by=pao)
    due = clocks(case)["RE-01.result"].due_at
    with pytest.raises(Refused):
        actions.ask_papers(case=case, items=[" ", ""], by=pao)
    request = actions.ask_papers(case=case, items=["Giấy tờ về nhà", "  Ảnh   chân dung "], by=pao)
    assert request.items == ["Giấy tờ về nhà", "Ảnh chân dung"]
    assert world.fresh(case).state == Case.State.WAITING and clocks(case)["RE-01.result"].suspended_at
    with pytest.raises(Refused):
        actions.ask_papers(case=case, items=["Thêm một tờ"], by=pao)
    move_to(now() + timedelta(days=4))
    actions.supply(case=case, by=ANONYMOUS, from_citizen=True, files=[A_PAPER])
    clock = clocks(case)["RE-01.result"]
    assert clock.suspended_at is None and clock.due_at > due
    assert world.fresh(case).state == Case.State.IN_HAND and Attachment.system("tests").filter(case=case).exists()
    with pytest.raises(Refused):
        actions.supply(case=case, by=pao)
    with pytest.raises(Refused):
        actions.ask_papers(case=case, items=["Thêm một tờ"], by=pao)


def test_a_complaint_about_nobody_of_ours_is_accepted_formally_once(world):
    case, pao = world.case("FB-01"), world.actor("pao")
    with pytest.raises(Refused):
        actions.accept(case=case, by=pao)
    complaint = world.case("CO-01")
    inspector = world.actor("inspector")
    actions.accept(case=complaint, by=inspector, complex=True)
    decide = clocks(complaint)["CO-01.decide"]
    assert clocks(complaint)["CO-01.accept"].discharged_at
    assert (decide.due_at - decide.started_at).days >= 45
    with pytest.raises(Refused):
        actions.accept(case=complaint, by=inspector)


def test_a_term_is_extended_by_law_with_a_ground_before_it_passes(world, move_to):
    case, chief = world.case(), world.actor("chief")
    promise = clocks(case)["FB-01.answer"]
    with pytest.raises(Refused):
        actions.extend(case=case, obligation=promise, extension="extend_promise", ground=" ", by=chief)
    with pytest.raises(Refused):
        actions.extend(
            case=case, obligation=promise, extension="extend_promise", ground="Mưa lũ", by=world.actor("pao")
        )
    actions.extend(case=case, obligation=promise, extension="extend_promise", ground="Đường sạt lở", by=chief)
    assert clocks(case)["FB-01.answer"].due_at > promise.due_at
    line = case.events.get(kind="extended")
    assert line.shown and line.text == "Đường sạt lở" and line.facts["due_at"]
    with pytest.raises(Refused):
        actions.extend(case=case, obligation=promise, extension="extend_promise", ground="Lần nữa", by=chief)
    other = clocks(world.case())["FB-01.answer"]
    with pytest.raises(Refused):
        actions.extend(case=case, obligation=other, extension="extend_promise", ground="Nhầm việc", by=chief)
    move_to(other.due_at + timedelta(hours=1))
    with pytest.raises(Refused):
        actions.extend(case=world.fresh(case), obligation=other, extension="extend_promise", ground="Muộn", by=chief)


def test_an_apology_names_one_new_date_and_moves_no_clock(world):
    case, pao = world.case(), world.actor("pao")
    due = max(o.due_at for o in clocks(case).values())
    with pytest.raises(Refused):
        actions.apologise(case=case, text="Chờ vật tư", new_date=now() + timedelta(hours=1), by=pao)
    actions.apologise(case=case, text="Chờ vật tư", new_date=due + timedelta(days=5), by=pao)
    assert max(o.due_at for o in clocks(case).values()) == due
    line = case.events.get(kind="apologised")
    assert line.shown and line.facts["late"] is False
    with pytest.raises(Refused):
        actions.apologise(case=case, text="Lại chờ", new_date=due + timedelta(days=9), by=pao)


def test_an_apology_after_the_date_says_so(world, move_to):
    case = world.case()
    due = max(o.due_at for o in clocks(case).values())
    move_to(due + timedelta(days=1))
    actions.apologise(case=case, text="Chúng tôi chậm", new_date=due + timedelta(days=5), by=world.actor("pao"))
    assert case.events.get(kind="apologised").facts["late"] is True


def test_messages_go_both_ways_and_notes_stay_inside(world):
    case, pao = world.case(), world.actor("pao")
    actions.message_out(case=case, text="Mai chúng tôi đến.", by=pao)
    actions.message_in(case=case, text="Vâng, tôi ở nhà.", by=ANONYMOUS)
    actions.note(case=case, text="Nhớ mang thước.", by=world.actor("duty"))
    shown = [event.text for event in case.events.filter(shown=True) if event.text]
    assert sorted(shown) == ["Mai chúng tôi đến.", "Vâng, tôi ở nhà."]
    with pytest.raises(Refused):
        actions.message_out(case=case, text="  ", by=pao)


def test_a_second_click_says_nothing_twice(world, move_to):
    case, pao = world.case(), world.actor("pao")
    for _ in range(2):
        actions.note(case=case, text="Nhớ mang thước.", by=pao)
    for _ in range(2):
        actions.message_out(case=case, text="Mai chúng tôi đến.", by=pao)
    assert kinds(case) == ["received", "noted", "message_out"]
    move_to(now() + timedelta(hours=1))
    actions.message_out(case=case, text="Mai chúng tôi đến.", by=pao)
    assert kinds(case).count("message_out") == 2


def test_an_officer_records_for_his_own_unit_only(world):
    for name, unit in (("pao", world.binh), ("dispatcher", world.xa), ("inspector", world.an), ("commander", world.an)):
        with pytest.raises(Refused):
            world.case(unit=unit, by=world.actor(name))
    assert world.case(unit=world.binh, by=world.actor("dispatcher")).holder == world.binh


def test_an_answer_needs_words_a_hand_and_an_open_matter(world):
    case, pao = world.case(), world.actor("pao")
    with pytest.raises(Refused):
        actions.answer(case=case, text="Xong", by=pao)
    actions.take(case=case, by=pao)
    with pytest.raises(Refused):
        actions.answer(case=case, text="  ", by=pao)
    actions.answer(case=case, text="Xong", by=pao)
    for refused in (
        lambda: actions.answer(case=case, text="Xong nữa", by=pao),
        lambda: actions.ask_papers(case=case, items=["Đơn"], by=pao),
        lambda: actions.take(case=case, by=world.actor("mai")),
        lambda: actions.close(case=case, by=pao),
    ):
        with pytest.raises(Refused):
            refused()


def test_not_settled_opens_a_round_with_clocks_of_its_own(world, move_to):
    case, pao = world.case(), world.actor("pao")
    with pytest.raises(Refused):
        actions.reopen(case=case, text="Chưa xong", by=ANONYMOUS, from_citizen=True)
    actions.take(case=case, by=pao)
    actions.answer(case=case, text="Xong", by=pao)
    actions.close(case=case, by=world.actor("chief"))
    move_to(now() + timedelta(days=3))
    again = actions.reopen(case=case, text="Đèn lại tắt", by=ANONYMOUS, from_citizen=True)
    assert again.round == 2 and again.state == Case.State.NEW and again.officer == world.pao
    rows = Obligation.system("tests").filter(matter=case.pk)
    assert rows.count() == 4 and rows.open().count() == 2
    actions.take(case=case, by=pao)
    actions.ask_papers(case=case, items=["Ảnh chụp"], by=pao)


def test_a_reopened_complaint_can_be_accepted_again(world):
    case, inspector = world.case("CO-01"), world.actor("inspector")
    actions.accept(case=case, by=inspector)
    actions.answer(case=case, text="Khiếu nại không đúng.", outcome=Case.Outcome.UNFOUNDED, by=inspector)
    assert clocks(case)["CO-01.send"].discharged_at is None
    actions.reopen(case=case, text="Tôi không đồng ý", by=ANONYMOUS, from_citizen=True)
    actions.accept(case=case, by=inspector)
    assert sorted(o.clock for o in Obligation.system("tests").open().filter(matter=case.pk)) == ["CO-01.decide"]


def test_a_report_of_a_crime_is_not_closed_before_it_is_handed_over(world):
    case, pao, chief = world.case("CR-01"), world.actor("pao"), world.actor("chief")
    actions.take(case=case, by=pao)
    transfer = actions.send(case=case, text="Thuộc thẩm quyền điều tra", to_body="Cơ quan CSĐT tỉnh", by=pao)
    assert transfer.statutory
    actions.answer(case=case, text="Đã chuyển cơ quan điều tra.", by=pao)
    with pytest.raises(Refused):
        actions.close(case=case, by=chief)
    with pytest.raises(Refused):
        actions.acknowledge(case=case, by=pao)
    actions.acknowledge(case=case, by=pao, number="15/TN")
    assert clocks(case)["CR-01.handover"].ending == "handed_over"
    assert world.fresh(case).state == Case.State.PASSED_ON
    with pytest.raises(Refused):
        actions.reopen(case=case, text="Sao lâu thế", by=ANONYMOUS, from_citizen=True)


# Sending on


def test_the_receivers_word_ends_the_senders_clock_and_starts_its_own(world, move_to):
    case, pao, lan = world.case(), world.actor("pao"), world.actor("lan")
    actions.send(case=case, text="Cột điện thuộc Bình Sơn", to_unit=world.binh, by=pao)
    assert world.fresh(case).holder == world.an
    with pytest.raises(Refused):
        actions.send(case=case, text="Lần nữa", to_unit=world.binh, by=pao)
    with pytest.raises(Refused):
        actions.acknowledge(case=case, by=pao)
    with pytest.raises(Refused):
        actions.take(case=case, by=lan)
    move_to(now() + timedelta(hours=5))
    moved = actions.acknowledge(case=case, by=lan)
    assert moved.holder == world.binh and moved.received_by == world.an and moved.officer is None
    rows = Obligation.system("tests").filter(matter=case.pk)
    assert {o.ending for o in rows.filter(owed_by=world.an)} == {"handed_over"}
    assert {o.started_at for o in rows.open()} == {now()} and {o.owed_by for o in rows.open()} == {world.binh}
    assert not Case.for_(pao, "case.read").filter(pk=case.pk).exists()
    actions.take(case=case, by=lan)


def test_what_nobody_acknowledged_is_taken_back(world):
    case, pao = world.case(), world.actor("pao")
    with pytest.raises(Refused):
        actions.recall(case=case, by=pao)
    actions.send(case=case, text="Nhầm", to_unit=world.binh, by=pao)
    actions.recall(case=case, by=pao)
    with pytest.raises(Refused):
        actions.acknowledge(case=case, by=world.actor("lan"))
    actions.send(case=case, text="Đúng nơi", to_body="UBND xã", by=pao)


def test_a_matter_goes_to_one_living_receiver_with_a_note(world):
    case, pao = world.case(), world.actor("pao")
    for wrong in (
        {"text": "Không nơi nào"},
        {"text": "Hai nơi", "to_unit": world.binh, "to_body": "UBND xã"},
        {"text": "Chính mình", "to_unit": world.an},
        {"text": " ", "to_unit": world.binh},
    ):
        with pytest.raises(Refused):
            actions.send(case=case, by=pao, **wrong)


def test_who_answers_takes_back_what_was_sent(world):
    case, pao = world.case(), world.actor("pao")
    actions.take(case=case, by=pao)
    actions.send(case=case, text="Có lẽ của Bình Sơn", to_unit=world.binh, by=pao)
    actions.answer(case=case, text="Thôi, chúng tôi làm rồi.", by=pao)
    with pytest.raises(Refused):
        actions.acknowledge(case=case, by=world.actor("lan"))


# Ending it


def test_the_person_takes_the_matter_back(world):
    case = world.case()
    actions.withdraw(case=case, by=ANONYMOUS)
    assert world.fresh(case).state == Case.State.WITHDRAWN
    assert {o.ending for o in clocks(case).values()} == {"withdrawn"}
    for by in (ANONYMOUS, world.actor("pao")):
        with pytest.raises(Refused):
            actions.withdraw(case=case, by=by)


def test_an_officer_writes_down_a_withdrawal_but_not_a_neighbour(world):
    case = world.case()
    with pytest.raises(Refused):
        actions.withdraw(case=case, by=world.actor("lan"))
    actions.withdraw(case=case, text="Chị Hoa đến nói thôi", by=world.actor("pao"))
    assert case.events.get(kind="withdrawn").actor_name == "Thượng úy Vàng A Pao"


def test_an_answer_is_rated_once_a_round_without_a_link(world):
    case, pao = world.case(), world.actor("pao")
    with pytest.raises(Refused):
        actions.rate(case=case, score=5, told_until_when=True, by=ANONYMOUS)
    actions.take(case=case, by=pao)
    actions.answer(case=case, text="Xong", by=pao)
    before = AuditEntry.system("tests").count()
    actions.rate(case=case, score=4, told_until_when=True, by=ANONYMOUS)
    assert AuditEntry.system("tests").count() == before
    with pytest.raises(Refused):
        actions.rate(case=case, score=1, told_until_when=None, by=ANONYMOUS)
    row = Rating.system("tests").get()
    assert row.unit == world.an and row.month.day == 1
    with pytest.raises(Refused):
        actions.rate(case=case, score=6, told_until_when=None, by=ANONYMOUS)


def test_silence_closes_an_answered_matter_but_no_owed_hand_over(world, move_to):
    quiet, crime, pao = world.case(), world.case("CR-01"), world.actor("pao")
    for case in (quiet, crime):
        actions.take(case=case, by=pao)
        actions.answer(case=case, text="Xong", by=pao)
    move_to(now() + timedelta(days=16))
    assert jobs.tick(now()) >= 1
    assert world.fresh(quiet).state == Case.State.CLOSED and world.fresh(crime).state == Case.State.ANSWERED
    assert jobs.tick(now()) == 0


def test_a_job_does_only_what_it_says(world):
    case = world.case()
    with pytest.raises(Refused):
        actions.take(case=case, by=SystemActor("work", "case.close"))


def test_each_refusal_leaves_no_trace(world):
    case = world.case()
    before = (kinds(case), entries(case))
    for name in ("lan", "commander", "auditor"):
        for refused in (
            lambda by: actions.take(case=case, by=by),
            lambda by: actions.note(case=case, text="x", by=by),
            lambda by: actions.answer(case=case, text="x", by=by),
            lambda by: actions.assign(case=case, officer=world.lan, by=by),
        ):
            with pytest.raises(Refused):
                refused(world.actor(name))
    assert (kinds(case), entries(case)) == before


def test_reading_is_written_down_once_an_hour(world, move_to):
    case, pao = world.case(), world.actor("pao")
    actions.record_reading(case=case, by=pao)
    actions.record_reading(case=case, by=pao)
    actions.record_reading(case=case, by=pao, part="file:1")
    move_to(now() + timedelta(hours=2))
    actions.record_reading(case=case, by=pao)
    assert [e for e in entries(case) if e[0] == "case.read"] == [
        ("case.read", ""),
        ("case.read", "file:1"),
        ("case.read", ""),
    ]


def test_the_words_for_searching_are_kept_with_the_matter(world):
    case = world.case(text="Đường vào bản bị sạt", place="Nà Ớt")
    assert " duong vao ban " in case.folded and " na ot " in case.folded
    assert search.matching(Case.system("tests"), "ĐƯỜNG").get() == case
