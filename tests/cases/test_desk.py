"""The officers' pages: the list, the quick intake, one matter and everything that can be done to it."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import translation

from gandan.access import now
from gandan.cases import actions, uploads
from gandan.cases.models import Case, CaseIdentity
from gandan.obligations.models import Obligation
from gandan.secrecy.fields import words
from gandan.staffing.models import Concern

pytestmark = pytest.mark.django_db
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\x89\x99=\x1d\x00\x00\x00\x00IEND\xaeB`\x82"
)


def page(response):
    return response.content.decode()


def intake(**values):
    return {
        "submission": str(uuid4()),
        "procedure": "FB-01",
        "text": "Cột đèn đầu bản bị đổ",
        "place": "Bản Phiêng",
        "name": "Lò Thị Hoa",
        "phone": "0912 345 678",
        "channel": "phone",
        "received_on_day": "23",
        "received_on_month": "11",
        "received_on_year": "2026",
        "received_at": "08:50",
        "unit": "xa-an-linh-99001-2018",
        **values,
    }


# Intake


def test_one_screen_records_a_matter_and_answers_with_the_receipt(at_desk, world):
    desk = at_desk("duty")
    assert 'name="submission"' in page(desk.get("case_intake"))
    response = desk.post("case_intake", **intake())
    case = Case.system("tests").get()
    text = page(response)
    assert response.status_code == 200 and case.reference in text and "no-store" in response["Cache-Control"]
    assert re.search(r"\d{4} \d{4} \d{4} \d{4}", text) and reverse("case", args=[case.pk]) in text
    assert case.channel == "phone" and case.received_by == world.an
    assert words(CaseIdentity.system("tests").get().phone) == "0912 345 678"


def test_a_double_click_gives_one_matter_and_the_same_receipt(at_desk, world):
    desk, values = at_desk("pao"), intake()
    first, second = (page(desk.post("case_intake", **values)) for _ in range(2))
    code = re.compile(r"\d{4} \d{4} \d{4} \d{4}")
    assert code.search(first)[0] == code.search(second)[0] and Case.system("tests").count() == 1


def test_other_words_under_the_same_form_are_told(at_desk, world):
    desk, values = at_desk("pao"), intake()
    desk.post("case_intake", **values)
    response = desk.post("case_intake", **{**values, "text": "Cột đèn thứ hai cũng đổ"})
    case = Case.system("tests").get()
    assert response.status_code == 409 and case.reference in page(response)
    assert "Cột đèn thứ hai cũng đổ" in page(response)
    assert case.events.filter(kind="message_in").count() == 1


def test_what_was_typed_stays_when_something_is_wrong(at_desk, world):
    desk = at_desk("pao")
    for wrong in (
        {"received_at": "25:70"},
        {"received_on_month": "13"},
        {"procedure": "XX-99"},
        {"procedure": "RE-01", "anonymous": "on"},
        {"received_at": "23:59"},
        {"unit": "xa-binh-son-99002-2018"},
    ):
        response = desk.post("case_intake", **intake(**wrong))
        assert response.status_code == 422, wrong
        assert "govuk-error-summary" in page(response) and "Cột đèn đầu bản bị đổ" in page(response)
    assert not Case.system("tests").exists()


def test_settled_on_the_spot_is_closed_at_once(at_desk, world):
    response = at_desk("pao").post("case_intake", **intake(settled="Đã hướng dẫn xong."))
    assert response.status_code == 200 and "Đã hướng dẫn xong." in page(response)
    assert Case.system("tests").get().state == Case.State.CLOSED


def test_a_duty_officer_is_not_offered_to_settle(at_desk, world):
    desk = at_desk("duty")
    assert 'name="settled"' not in page(desk.get("case_intake"))
    desk.post("case_intake", **intake(settled="Xong"))
    assert Case.system("tests").get().state == Case.State.NEW


def test_a_complaint_about_the_unit_leaves_its_lists_at_once(at_desk, world):
    desk = at_desk("pao")
    text = page(desk.post("case_intake", **intake(about_us="on", named="Thượng úy Pao")))
    case = Case.system("tests").get()
    assert case.holder == world.seat and case.reference in text
    assert reverse("case", args=[case.pk]) not in text
    assert desk.get("case", case.pk).status_code == 404
    assert case.reference not in page(desk.get("case_list"))


def test_an_inspector_records_a_complaint_at_his_own_post(at_desk, world):
    desk = at_desk("inspector")
    text = page(desk.get("case_intake"))
    assert world.an.slug in text and world.binh.slug in text and world.xa.slug not in text
    response = desk.post("case_intake", **intake(procedure="CO-01", text="Cán bộ nói năng thô lỗ", named="anh Pao"))
    case = Case.system("tests").get()
    assert response.status_code == 200 and case.received_by == case.holder == world.seat
    assert {(c.kind, c.unit) for c in Concern.system("tests")} == {("unit", world.an), ("officer", world.an)}
    assert desk.get("case", case.pk).status_code == 200 and at_desk("chief").get("case", case.pk).status_code == 404


def test_who_only_reads_records_nothing(at_desk, world):
    assert at_desk("commander").get("case_intake").status_code == 403
    assert at_desk("auditor").post("case_intake", **intake()).status_code == 403


# The list


def test_the_list_shows_the_own_unit_only(at_desk, world):
    ours, theirs = world.case(), world.case(unit=world.binh, by=world.actor("lan"))
    assert ours.reference in page(at_desk("pao").get("case_list"))
    assert theirs.reference not in page(at_desk("pao").get("case_list"))
    province = page(at_desk("commander").get("case_list"))
    assert ours.reference in province and theirs.reference in province


def test_the_list_is_narrowed(at_desk, world):
    pao = world.actor("pao")
    light, road = world.case(text="Đèn đường tắt"), world.case("RE-02", text="Tạm trú ở bản Nà Ớt")
    actions.take(case=road, by=pao)
    desk = at_desk("pao")
    for query, found, left_out in (
        ({"q": "den duong"}, light, road),
        ({"q": "NÀ ỚT"}, road, light),
        ({"q": light.reference.lower().replace("-", " ")}, light, road),
        ({"state": "new"}, light, road),
        ({"procedure": "RE-02"}, road, light),
        ({"officer": "me"}, road, light),
        ({"officer": "nobody"}, light, road),
        ({"officer": str(world.pao.pk)}, road, light),
        ({"view": "mine"}, road, light),
    ):
        if query.get("officer") == str(world.pao.pk):
            text = page(at_desk("mai").get("case_list", **query))
        else:
            text = page(desk.get("case_list", **query))
        assert found.reference in text and left_out.reference not in text, query
    assert light.reference in page(at_desk("commander").get("case_list", unit=world.an.slug))
    assert light.reference not in page(at_desk("commander").get("case_list", unit=world.binh.slug))


def test_a_filter_that_does_not_exist_is_told(at_desk, world):
    response = at_desk("pao").get("case_list", state="overjoyed")
    assert response.status_code == 200 and "govuk-error-summary" in page(response)
    assert at_desk("pao").get("case_list", view="secret").status_code == 404


def test_pages_follow_each_other_without_gap_or_double(at_desk, world):
    by = world.actor("pao")
    cases = [world.case(by=by, received_at=now() - timedelta(minutes=n // 2)) for n in range(60)]
    desk, seen, url = at_desk("pao"), [], reverse("case_list")
    while url:
        text = page(desk.client.get(url))
        seen += re.findall(r"GD-\w{4}-\w{4}", text)
        after = re.search(r'href="([^"]*)" rel="next"', text)
        url = after[1].replace("&amp;", "&") if after else ""
    assert seen == [c.reference for c in sorted(cases, key=lambda c: (-c.received_at.timestamp(), c.pk))]


def test_a_page_address_of_another_list_begins_at_the_top(at_desk, world):
    for _ in range(30):
        world.case()
    desk = at_desk("pao")
    after = re.search(r"after=([^\"&]+)", page(desk.get("case_list")))[1]
    response = desk.client.get(f"{reverse('case_list')}?view=unfinished&after={after}")
    assert response.status_code == 302 and "after" not in response["Location"]
    assert desk.get("case_list", after="junk").status_code == 302


def test_the_list_asks_no_question_per_row(at_desk, world, django_assert_max_num_queries):
    for n in range(3):
        world.case(text=f"Việc {n}")
    desk = at_desk("pao")
    desk.get("case_list")
    with django_assert_max_num_queries(40) as few:
        desk.get("case_list")
    for n in range(20):
        world.case(text=f"Việc khác {n}")
    with django_assert_max_num_queries(len(few)):
        desk.get("case_list")


# One matter


def test_a_matter_shows_its_promises_as_sums_its_owner_and_who_read_it(at_desk, world):
    case = world.case()
    desk = at_desk("pao")
    text = page(desk.get("case", case.pk))
    assert case.title in text and case.reference in text and "Lò Thị Hoa" not in text and "•••" in text
    assert Obligation.system("tests").filter(matter=case.pk).count() == 2 == text.count('class="sum"')
    assert "Thượng úy Vàng A Pao" in text.split("Who read it")[-1] or "Vàng A Pao" in text


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("code", ["FB-01", "CR-01", "RE-01", "VR-01"])
def test_a_matter_is_drawn_in_both_languages(at_desk, world, language, code):
    case = world.case(code)
    with translation.override(language):
        response = at_desk("chief").get("case", case.pk)
        assert response.status_code == 200 and f'lang="{language}"' in page(response)
        assert at_desk("chief").get("case_receipt", case.pk).status_code == 200
        assert at_desk("chief").get("case_intake").status_code == 200
        assert at_desk("chief").get("case_list").status_code == 200


def test_the_neighbour_finds_nothing(at_desk, world):
    case = world.case()
    desk = at_desk("lan")
    assert desk.get("case", case.pk).status_code == 404
    assert desk.get("case_receipt", case.pk).status_code == 404
    for action in ("take", "note", "answer", "send", "acknowledge", "withdraw"):
        assert desk.do(action, case, text="x").status_code == 404
    assert [event.kind for event in case.events.all()] == ["received"]


@pytest.mark.parametrize("name", ["commander", "dispatcher", "auditor"])
def test_the_name_is_not_for_those_above(at_desk, world, name):
    case = world.case()
    text = page(at_desk(name).get("case", case.pk))
    assert case.reference in text and "Lò Thị Hoa" not in text and "0912" not in text


def test_nobody_acts_by_a_link(at_desk, world):
    case = world.case()
    assert at_desk("pao").get("case_take", case.pk).status_code == 405


def test_everything_is_done_from_the_page(at_desk, world):
    case = world.case("RE-01")
    pao, chief = at_desk("pao"), at_desk("chief")
    steps = [
        (chief, "assign", {"officer": str(world.pao.pk)}, "new"),
        (pao, "take", {}, "in_hand"),
        (pao, "note", {"text": "Gọi lại chiều nay"}, "in_hand"),
        (pao, "message", {"text": "Mời bạn bổ sung"}, "in_hand"),
        (pao, "ask", {"items": "Giấy tờ nhà\nẢnh", "text": ""}, "waiting"),
        (pao, "supply", {"text": "Đủ"}, "in_hand"),
        (
            pao,
            "apologise",
            {"text": "Chờ cấp trên", "new_date_day": "30", "new_date_month": "12", "new_date_year": "2026"},
            "in_hand",
        ),
        (pao, "answer", {"text": "Đã đăng ký", "outcome": "settled"}, "answered"),
        (chief, "reopen", {"text": "Sai tên"}, "new"),
        (pao, "take", {}, "in_hand"),
        (pao, "answer", {"text": "Đã sửa tên", "outcome": "settled"}, "answered"),
        (chief, "close", {}, "closed"),
    ]
    for desk, action, values, state in steps:
        response = desk.do(action, case, **values)
        assert response.status_code == 302 and response["Location"] == reverse("case", args=[case.pk]), (
            action,
            page(response),
        )
        assert world.fresh(case).state == state, action
        assert desk.get("case", case.pk).status_code == 200


def test_a_term_is_extended_from_the_page(at_desk, world):
    case = world.case()
    promise = Obligation.system("tests").get(matter=case.pk, clock="FB-01.answer")
    chief = at_desk("chief")
    assert f"{promise.pk}:extend_promise" in page(chief.get("case", case.pk))
    response = chief.do("extend", case, clock=f"{promise.pk}:extend_promise", ground="Đường sạt lở")
    assert response.status_code == 302
    before = promise.due_at
    promise.refresh_from_db()
    assert promise.due_at > before
    assert chief.do("extend", case, clock="x:y", ground="").status_code == 422


def test_a_stale_page_is_answered_by_a_sentence_and_keeps_the_words(at_desk, world):
    case = world.case()
    pao, mai = at_desk("pao"), at_desk("mai")
    pao.do("take", case)
    refused = mai.do("take", case)
    assert refused.status_code == 409 and "Vàng A Pao" in page(refused) and "flash--error" in page(refused)
    pao.do("answer", case, text="Đã xong", outcome="settled")
    late = mai.do("answer", case, text="Câu trả lời dài tôi vừa gõ", outcome="settled")
    assert late.status_code == 409
    assert "govuk-error-summary" in page(late) and "Câu trả lời dài tôi vừa gõ" in page(late)
    assert world.fresh(case).answer == "Đã xong"


def test_an_empty_form_says_what_is_missing(at_desk, world):
    case = world.case()
    desk = at_desk("chief")
    for action in ("note", "message", "ask", "send", "assign", "apologise"):
        response = desk.do(action, case)
        assert response.status_code == 422 and "govuk-error-summary" in page(response), action


def test_what_is_not_offered_says_why(at_desk, world):
    case = world.case()
    with translation.override("en"):
        text = page(at_desk("duty").get("case", case.pk))
        assert reverse("case_take", args=[case.pk]) not in text
        text = page(at_desk("pao").get("case", case.pk))
    assert "Take the matter in hand first." in text and "No papers are being waited for." in text


# Sending on


def test_a_matter_sent_on_is_seen_acknowledged_and_worked_by_the_receiver(at_desk, world):
    case = world.case()
    pao, lan = at_desk("pao"), at_desk("lan")
    assert pao.do("send", case, to_unit="binh son", text="Cột đèn ở Bình Sơn").status_code == 302
    listed = page(lan.get("case_list", view="arriving"))
    assert case.reference in listed and case.reference not in page(lan.get("case_list"))
    seen = page(lan.get("case", case.pk))
    assert "Cột đèn ở Bình Sơn" in seen and "Lò Thị Hoa" not in seen
    assert reverse("case_acknowledge", args=[case.pk]) in seen and reverse("case_answer", args=[case.pk]) not in seen
    assert lan.do("note", case, text="x").status_code == 409
    assert lan.do("acknowledge", case).status_code == 302
    assert "Lò Thị Hoa" in page(lan.do("reveal", case, reason="contact"))
    assert pao.get("case", case.pk).status_code == 404
    assert lan.do("take", case).status_code == 302


def test_internal_notes_do_not_travel_before_the_receipt_is_acknowledged(at_desk, world):
    case = world.case()
    actions.note(case=case, text="Ghi chú nội bộ", by=world.actor("pao"))
    actions.send(case=case, text="Của Bình Sơn", to_unit=world.binh, by=world.actor("pao"))
    assert "Ghi chú nội bộ" not in page(at_desk("lan").get("case", case.pk))
    assert "Ghi chú nội bộ" in page(at_desk("pao").get("case", case.pk))


def test_the_receiver_is_found_by_name_or_code_or_told(at_desk, world):
    case, pao = world.case(), at_desk("pao")
    for typed in ("Không đâu cả", "99999"):
        response = pao.do("send", case, to_unit=typed, text="Lý do")
        assert response.status_code == 422 and typed in page(response)
    assert pao.do("send", case, to_unit="99002", text="Lý do").status_code == 302
    assert pao.do("recall", case).status_code == 302
    assert pao.do("send", case, to_body="UBND xã", text="Lý do").status_code == 302


def test_after_the_sender_let_go_its_page_leads_to_the_list(at_desk, world):
    case = world.case()
    actions.send(case=case, text="Của Bình Sơn", to_unit=world.binh, by=world.actor("pao"))
    world.person("pao", "officer", world.binh, "")
    response = at_desk("pao").do("acknowledge", case)
    assert response["Location"] == reverse("case", args=[case.pk])


# Files and paper


def test_a_file_is_handed_out_as_a_download_that_runs_nothing(at_desk, world, settings, tmp_path):
    from django.core.files.uploadedfile import SimpleUploadedFile

    settings.MEDIA_ROOT = tmp_path
    kept = uploads.receive(SimpleUploadedFile("ảnh.png", PNG))
    case = world.case(files=[kept])
    file = case.attachments.get()
    response = at_desk("pao").get("case_file", case.pk, file.pk)
    assert response["Content-Disposition"].startswith("attachment") and response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"] and "no-store" in response["Cache-Control"]
    assert b"".join(response.streaming_content)[:4] == b"\x89PNG"
    assert at_desk("lan").get("case_file", case.pk, file.pk).status_code == 404
    other = world.case()
    assert at_desk("pao").get("case_file", other.pk, file.pk).status_code == 404


def test_a_paper_is_scanned_in_when_it_comes(at_desk, world, settings, tmp_path):
    from django.core.files.uploadedfile import SimpleUploadedFile

    settings.MEDIA_ROOT = tmp_path
    case, pao = world.case("RE-01"), at_desk("pao")
    pao.do("ask", case, items="Ảnh")
    refused = pao.do("supply", case, file=SimpleUploadedFile("a.exe", b"MZ\x90"), text="Có ảnh rồi")
    assert refused.status_code == 409 and "a.exe" in page(refused) and "Có ảnh rồi" in page(refused)
    assert pao.do("supply", case, file=SimpleUploadedFile("a.png", PNG)).status_code == 302
    assert case.attachments.get().from_citizen is False


def test_the_receipt_is_printed_again_without_the_code(at_desk, world):
    receipt = world.bring()
    text = page(at_desk("pao").get("case_receipt", receipt.case.pk))
    assert receipt.reference in text and receipt.code not in text.replace(" ", "")
