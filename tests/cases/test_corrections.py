"""A kind that was chosen wrongly is put right, and what happened earlier is written down with both its times."""

import re
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import translation

from gandan.access import Refused, clock, now
from gandan.audit.models import AuditEntry
from gandan.cases import actions
from gandan.cases.models import Case, CaseEvent
from gandan.obligations import replay
from gandan.obligations.models import Obligation
from gandan.staffing.models import Concern

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_vietnamese():
    with translation.override("vi"):
        yield


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=clock.VIETNAM)


def page(answer):
    return answer.content.decode()


def owed(case):
    return {o.clock: o for o in Obligation.system("test").open().filter(matter=case.pk)}


def correct(world, case, code, by="chief", **options):
    options = {"ground": "Người dân xin xác nhận cư trú, không phải góp ý.", **options}
    return actions.correct(case=case, procedure=world.procedure(code), by=world.actor(by), **options)


# Correcting the kind


def test_the_right_kind_has_its_clock_from_the_day_of_receipt(world, move_to):
    case = world.case("FB-01")
    move_to(now() + timedelta(days=1))
    before = owed(case)
    correct(world, case, "RE-02")
    after = owed(case)
    assert world.fresh(case).procedure.code == "RE-02"
    assert after and not set(after) & set(before), "the former promises run on"
    assert {o.started_at for o in after.values()} == {case.received_at}
    ended = Obligation.system("test").filter(pk__in=[o.pk for o in before.values()])
    assert {o.ending for o in ended} == {"withdrawn"}, "a correction is neither kept nor broken"
    assert list(replay.check()) == []


def test_the_person_reads_both_kinds_and_the_ground_and_the_record_keeps_the_codes(world, client):
    receipt = world.bring("FB-01")
    correct(world, receipt.case, "RE-09")
    words = {
        "": ("Phản ánh, kiến nghị", "Xác nhận thông tin về cư trú"),
        "/en": ("Feedback or proposal", "Confirmation of residence data"),
    }
    for prefix, names in words.items():
        text = page(client.post(f"{prefix}/follow/", {"code": receipt.code}))
        assert all(name in text for name in names) and "không phải góp ý." in text
    entry = AuditEntry.system("test").get(action="case.correct")
    assert (entry.object_id, entry.reason, entry.capability) == (receipt.case.pk, "FB-01>RE-09", "case.assign")


def test_what_has_happened_before_counts_for_the_new_clocks(world, move_to):
    case = world.case("RE-02")
    actions.take(case=case, by=world.actor("pao"))
    actions.ask_papers(case=case, items=["Giấy chứng minh chỗ ở"], by=world.actor("pao"))
    move_to(now() + timedelta(days=2))
    actions.supply(case=case, by=world.actor("pao"))
    correct(world, case, "RE-01")
    running = owed(case)
    assert running and all(o.started_at == case.received_at and o.suspended_at is None for o in running.values())
    paused = [o for o in running.values() if o.events.filter(kind="suspended").exists()]
    assert paused, "the days on which the person was awaited are not the unit's"
    assert list(replay.check()) == []


def test_a_clock_that_waits_for_papers_waits_on_under_the_right_kind(world):
    case = world.case("RE-02")
    actions.take(case=case, by=world.actor("pao"))
    actions.ask_papers(case=case, items=["Giấy chứng minh chỗ ở"], by=world.actor("pao"))
    correct(world, case, "RE-01")
    assert any(o.suspended_at for o in owed(case).values()) and world.fresh(case).state == Case.State.WAITING


def test_a_promise_broken_under_the_former_kind_stays_told(world, move_to):
    case = world.case("RE-09")
    move_to(now() + timedelta(days=3))
    correct(world, case, "FB-01")
    line = CaseEvent.system("test").get(case=case, kind="corrected")
    assert line.facts["late"] is True


def test_a_matter_that_turns_out_to_be_about_the_police_leaves_the_unit_at_once(world, at_desk):
    case = world.case("FB-01")
    actions.take(case=case, by=world.actor("pao"))
    chief = at_desk("chief")
    answer = chief.do("correct", case, kind="DE-01", ground="Người dân tố cáo cán bộ xã.", named="cán bộ trực")
    assert answer.status_code == 302 and answer["Location"] == reverse("case_list")
    assert chief.get("case", case.pk).status_code == at_desk("pao").get("case", case.pk).status_code == 404
    moved = world.fresh(case)
    assert (moved.holder, moved.officer, moved.state) == (world.seat, None, Case.State.NEW)
    assert Concern.system("test").filter(matter=case.pk).count() == 2
    assert {o.owed_by_id for o in owed(case).values()} == {world.seat.pk}
    assert at_desk("inspector").get("case", case.pk).status_code == 200
    assert list(replay.check()) == []


def test_why_a_kind_cannot_be_corrected_is_said(world):
    case, unnamed = world.case("FB-01"), world.case("FB-01", anonymous=True)
    for wrong, sentence in (
        ({"code": "RE-02", "by": "pao"}, "Vai trò"),
        ({"code": "FB-01"}, "loại đó rồi"),
        ({"code": "RE-02", "ground": "  "}, "Viết vì sao"),
    ):
        code = wrong.pop("code")
        with pytest.raises(Refused, match=sentence):
            correct(world, case, code, **wrong)
    with pytest.raises(Refused, match="họ tên"):
        correct(world, unnamed, "RE-02")
    actions.take(case=case, by=world.actor("pao"))
    actions.answer(case=case, text="Đã làm.", by=world.actor("pao"))
    with pytest.raises(Refused, match="trả lời"):
        correct(world, case, "RE-02")
    assert world.fresh(case).procedure.code == "FB-01"


def test_two_corrections_at_once_leave_one_set_of_clocks(world, at_desk):
    case = world.case("FB-01")
    chief = at_desk("chief")
    first = chief.do("correct", case, kind="RE-02", ground="Đăng ký tạm trú")
    again = chief.do("correct", case, kind="RE-02", ground="Đăng ký tạm trú")
    assert first.status_code == 302 and again.status_code == 422, "the kind is not offered a second time"
    assert "Đăng ký tạm trú" in page(again), "what was typed is kept"
    assert CaseEvent.system("test").filter(case=case, kind="corrected").count() == 1


# Written down later


def test_an_answer_given_on_friday_and_typed_on_monday_keeps_its_promise_and_both_times(world, at_desk, move_to):
    move_to(at("2026-11-19T09:00:00"))
    case = world.case("RE-09")
    actions.take(case=case, by=world.actor("pao"))
    promise = next(o for o in owed(case).values() if o.term.ends_on == "answered")
    given = case.received_at + timedelta(hours=1)
    move_to(at("2026-11-23T09:00:00"))
    assert promise.due_at < now(), "by now it would be late"
    values = {"text": "Đã xác nhận.", "outcome": "settled", "earlier_at": "10:00"}
    day = {"earlier_on_day": "19", "earlier_on_month": "11", "earlier_on_year": "2026"}
    assert at_desk("pao").do("answer", case, **values, **day).status_code == 302
    promise.refresh_from_db()
    assert promise.discharged_at == given < promise.due_at
    event = promise.events.get(kind="discharged")
    assert event.facts["late_entry"] is True and event.recorded_at == now()
    text = page(at_desk("chief").get("case", case.pk))
    assert "19/11/2026" in text and "23/11/2026, 09:00" in text, "everybody sees when it was written down"
    assert list(replay.check()) == []


@pytest.mark.parametrize(
    ("day", "hour", "status"),
    [
        (("23", "11", "2026"), "", 422),
        (("", "", ""), "08:59", 422),
        (("31", "2", "2026"), "08:59", 422),
        (("24", "11", "2026"), "08:59", 409),
        (("1", "1", "2026"), "08:59", 409),
    ],
)
def test_a_time_that_cannot_be_is_told_and_the_answer_is_kept(world, at_desk, day, hour, status):
    case = world.case("FB-01")
    actions.take(case=case, by=world.actor("pao"))
    parts = dict(zip(("earlier_on_day", "earlier_on_month", "earlier_on_year"), day, strict=True))
    answer = at_desk("pao").do("answer", case, text="Đã dựng lại cột.", outcome="settled", earlier_at=hour, **parts)
    assert answer.status_code == status and "Đã dựng lại cột." in page(answer)
    assert world.fresh(case).answered_at is None


def test_papers_that_came_earlier_end_the_pause_when_they_came(world, move_to):
    case = world.case("RE-02")
    actions.take(case=case, by=world.actor("pao"))
    actions.ask_papers(case=case, items=["Giấy chứng minh chỗ ở"], by=world.actor("pao"))
    came = now() + timedelta(days=1)
    move_to(now() + timedelta(days=3))
    actions.supply(case=case, by=world.actor("pao"), at=came)
    resumed = [o.events.get(kind="resumed") for o in owed(case).values() if o.events.filter(kind="resumed").exists()]
    assert resumed and {event.at for event in resumed} == {came}


def test_an_acknowledgement_on_paper_counts_from_the_day_on_the_paper(world, move_to):
    case = world.case("CR-01")
    actions.take(case=case, by=world.actor("pao"))
    actions.send(case=case, text="Chuyển theo thẩm quyền", to_body="Cơ quan điều tra", by=world.actor("pao"))
    there = now() + timedelta(hours=5)
    move_to(now() + timedelta(days=4))
    with pytest.raises(Refused, match="sớm hơn"):
        actions.acknowledge(case=case, number="12/PTN", at=case.received_at - timedelta(days=1), by=world.actor("pao"))
    actions.acknowledge(case=case, number="12/PTN", at=there, by=world.actor("pao"))
    ended = Obligation.system("test").filter(matter=case.pk, ending="handed_over")
    assert ended.exists() and {o.discharged_at for o in ended} == {there}
    assert world.fresh(case).state == Case.State.PASSED_ON


def test_what_was_settled_at_the_desk_was_settled_when_the_person_came(world, move_to):
    came = now() - timedelta(days=2)
    receipt = actions.settle_on_the_spot(
        answer="Đã hướng dẫn.",
        by=world.actor("pao"),
        submission=uuid4(),
        procedure=world.procedure("RE-09"),
        unit=world.an,
        channel="desk",
        text="Xin xác nhận cư trú",
        identity={"name": "Lò Thị Hoa"},
        received_at=came,
    )
    case = world.fresh(receipt.case)
    assert case.answered_at == case.closed_at == came and case.recorded_at == now()
    assert all(
        o.discharged_at < o.due_at for o in Obligation.system("test").filter(matter=case.pk).exclude(discharged_at=None)
    )


# Words of the public pages


def test_a_term_that_the_citizen_must_keep_reads_as_the_citizens_own(world, client):
    for prefix, words in (
        ("", ("Bạn có bao nhiêu thời gian", "thời hạn của chính bạn")),
        ("/en", ("How long you have yourself", "your own term")),
    ):
        text = page(client.get(f"{prefix}/procedures/CO-01/"))
        assert all(word in text for word in words)
    assert "your own term" not in page(client.get("/en/procedures/FB-01/"))


def test_other_words_under_the_same_number_are_told_with_the_reference(world, client, monkeypatch):
    receipt = world.bring()

    def conflict(**_values):
        raise actions.Conflict(receipt.case)

    monkeypatch.setattr("gandan.cases.public_views.actions.receive", conflict)
    base = client.post("/en/report/", {"kind": "FB-01"})["Location"].rsplit("/", 2)[0]
    for name, values in (("where", {"place_name": "An Lĩnh"}), ("what", {"text": "x"}), ("who", {"anonymous": "yes"})):
        assert client.post(f"{base}/{name}/", values).status_code == 302
    answer = client.post(f"{base}/check/")
    assert answer.status_code == 409 and receipt.reference in page(answer) and "Both are kept" in page(answer)


def test_every_page_of_the_report_offers_a_way_out_at_once(world, client):
    base = client.post("/report/", {"kind": "FB-01"})["Location"].rsplit("/", 2)[0]
    client.post(f"{base}/where/", {"place_name": "An Lĩnh"})
    client.post(f"{base}/what/", {"text": "x"})
    client.post(f"{base}/who/", {"anonymous": "yes"})
    for address in ("/report/", *(f"{base}/{step}/" for step in ("where", "what", "files", "who", "check"))):
        assert "data-exit" in page(client.get(address)), address


def test_what_is_on_its_way_here_is_counted_in_the_menu(world, at_desk):
    def badges(name):
        menu = re.findall(r'<li><a href="/desk/cases/" (.*?)</li>', page(at_desk(name).get("case_list")))
        return [("case_list", number) for link in menu for number in re.findall(r'class="badge">(\d+)', link)]

    case = world.case()
    assert badges("lan") == []
    actions.take(case=case, by=world.actor("pao"))
    actions.send(case=case, text="Thuộc xã Bình Sơn", to_unit=world.binh, by=world.actor("pao"))
    assert badges("lan") == [("case_list", "1")] and badges("pao") == badges("commander") == []


# What an officer does with a browser


def form(**values):
    return {
        "submission": str(uuid4()),
        "procedure": "FB-01",
        "text": "Cột đèn đầu bản bị đổ",
        "name": "Lò Thị Hoa",
        "channel": "desk",
        "received_on_day": "23",
        "received_on_month": "11",
        "received_on_year": "2026",
        "received_at": "08:50",
        "unit": "xa-an-linh-99001-2018",
        **values,
    }


def test_a_form_that_came_back_with_the_back_button_makes_no_second_matter(world, at_desk, move_to):
    desk = at_desk("duty")
    first, again = (desk.post("case_intake", **form()) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 409) and Case.system("test").count() == 1
    assert not re.search(r"\d{4} \d{4} \d{4} \d{4}", page(again)), "the code may be another person's"
    desk.post("case_intake", **form(name="Vàng Thị Dở"))
    at_desk("pao").post("case_intake", **form())
    assert Case.system("test").count() == 3, "another person, or another officer, is another matter"
    move_to(now() + timedelta(minutes=16))
    desk.post("case_intake", **form())
    assert Case.system("test").count() == 4


def test_a_slip_in_the_year_is_told_and_everything_typed_is_kept(world, at_desk):
    answer = at_desk("duty").post("case_intake", **form(received_on_year="2019"))
    assert answer.status_code == 422 and "90" in page(answer) and "Cột đèn đầu bản bị đổ" in page(answer)
    assert not Case.system("test").exists()


def test_who_was_signed_out_meanwhile_reads_the_own_words_again(world, client):
    case = world.case()
    place = reverse("case", args=[case.pk])
    answer = client.post(
        f"{place}note/", {"text": "Đã gọi cho bà Hoa, hẹn chiều mai."}, HTTP_REFERER=f"http://testserver{place}"
    )
    text = page(answer)
    assert answer.status_code == 401 and "no-store" in answer["Cache-Control"]
    assert "Đã gọi cho bà Hoa, hẹn chiều mai." in text and f"next={place}" in text
    assert "next=/" in page(client.post(f"{place}note/", {"text": "a b"}, HTTP_REFERER="https://example.org/x"))
    assert not case.events.filter(kind="noted").exists()


def test_a_promise_that_does_not_count_any_more_is_not_called_kept(world, at_desk, client):
    receipt = world.bring("RE-02")
    correct(world, receipt.case, "FB-01")
    for text in (
        page(at_desk("pao").get("case", receipt.case.pk)),
        page(client.post("/follow/", {"code": receipt.code})),
    ):
        assert "không còn tính nữa" in text and "đúng hạn" not in text.split("<main", 1)[1]
