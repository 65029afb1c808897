"""The pages: the worklist, one promise, the notices, the calendar and the terms."""

import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import translation

from gandan.access import clock
from gandan.obligations import jobs, worklist
from gandan.obligations.models import CalendarDay, CalendarYear, Notice, Term
from gandan.staffing import actions as staffing
from gandan.staffing.models import Grant
from gandan.units.models import UnitContact
from tests.cast import NOBODY
from tests.obligations.promises import at, one, start

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _vietnamese():
    """The language of one test's last page is not that of the next test's first address."""
    with translation.override("vi"):
        yield


@pytest.fixture
def sign_in(cast):
    """Return a function that opens a browser for somebody of the cast: `sign_in("pao").get("desk")`."""

    class Reader:
        def __init__(self, name):
            self.client = Client()
            if name:
                self.client.force_login(
                    cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend"
                )

        def get(self, name, *args, **query):
            return self.client.get(reverse(name, args=args), query)

        def post(self, name, *args, **values):
            return self.client.post(reverse(name, args=args), values)

    return Reader


def text(response):
    return response.content.decode()


# The desk


def test_the_desk_shows_what_is_owed_with_the_reason_of_each_clock(cast, sign_in):
    receipt = cast.brings(text="Cột đèn đầu bản bị đổ")
    page = text(sign_in("pao").get("desk"))
    assert "Cột đèn đầu bản bị đổ" in page and receipt.reference in page
    assert "Trả lời phản ánh" in page and "Lời hứa của tỉnh, không phải luật" in page
    assert "Cột đèn" not in text(sign_in("lan").get("desk"))


def test_the_desk_in_english_names_what_is_owed_in_english(cast, sign_in):
    cast.brings()
    page = text(sign_in("pao").client.get("/en/desk/"))
    assert "Answer the feedback" in page and "The province&#x27;s promise, not law" in page


@pytest.mark.parametrize("view", list(worklist.BUCKETS))
def test_every_view_of_the_desk_opens_empty_or_full(cast, sign_in, view):
    assert sign_in("pao").get("desk", view=view).status_code == 200
    start(cast)
    assert sign_in("pao").get("desk", view=view, mine="1").status_code == 200


def test_an_unknown_view_or_unit_is_not_there(cast, sign_in):
    assert sign_in("pao").get("desk", view="x").status_code == 404
    assert sign_in("commander").get("desk", unit="nowhere").status_code == 404


def test_the_desk_leads_on_to_the_next_page(cast, sign_in):
    for _ in range(worklist.PAGE + 1):
        start(cast)
    reader = sign_in("pao")
    first = text(reader.get("desk"))
    address = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = reader.client.get(address)
    assert second.status_code == 200 and 'rel="next"' not in text(second)


def test_the_address_of_another_list_shows_the_beginning_and_says_so(cast, sign_in):
    start(cast)
    answer = sign_in("pao").get("desk", after="nonsense")
    assert answer.status_code == 400
    assert "Trả kết quả đăng ký tạm trú" in text(answer)
    assert "danh sách khác" in text(answer)


def test_only_those_who_receive_matters_are_offered_to_record_one(cast, sign_in):
    intake = reverse("case_intake")
    main = {name: text(sign_in(name).get("desk")).split("<main", 1)[1] for name in ("pao", "commander")}
    assert intake in main["pao"] and intake not in main["commander"]


def test_those_who_see_a_province_can_narrow_the_list_to_a_unit(cast, sign_in):
    start(cast)
    start(cast, unit=cast.phieng_lua)
    reader = sign_in("dispatcher")
    assert "Xã Phiêng Lúa" in text(reader.get("desk"))
    narrowed = text(reader.get("desk", unit=cast.na_then.slug))
    assert narrowed.count('<span class="sub">Xã Phiêng Lúa</span>') == 0
    assert narrowed.count('<span class="sub">Xã Nà Then</span>') == 1
    assert 'name="unit"' not in text(sign_in("pao").get("desk"))


def test_somebody_without_a_role_today_is_welcomed_and_told(cast, sign_in):
    cast.appoint("former", "officer", cast.na_then, valid_to=date(2026, 1, 1))
    assert "vai trò" in text(sign_in("former").get("desk"))


def test_a_new_installation_tells_its_keepers_what_to_do_next(cast, sign_in):
    Grant.system("first-steps").exclude(role__in=["administrator", "oversight"]).update(valid_to=date(2026, 1, 1))
    shown = text(sign_in("administrator").get("desk"))
    assert "Việc cần làm tiếp theo" in shown and "Đến nay được 0 trên 2 xã, phường." in shown
    assert shown.count("chưa làm") == 8 and shown.count("xong<") == 0, "no decree on 2026 is written down yet"
    assert f'href="{reverse("invite")}">Mời cán bộ quản lý danh mục đơn vị</a>' in shown
    assert "<b>Ghi số điện thoại trực ban của từng xã, phường</b>" in shown, "only the registrar is led there"
    inspector = text(sign_in("inspector").get("desk"))
    assert f'href="{reverse("invite")}">Cử kiểm toán viên</a>' in inspector
    with translation.override("en"):
        assert "0 of 2 communes so far." in text(sign_in("administrator").get("desk"))


def test_what_is_done_is_ticked_off_for_the_registrar_who_goes_on(cast, sign_in):
    for unit in (cast.na_then, cast.phieng_lua):
        UnitContact.objects.create(unit=unit, duty_phone="0213 000 113", valid_from=date(2026, 1, 1))
    shown = text(sign_in("registrar").get("desk"))
    assert "Đến nay được 2 trên 2 xã, phường." in shown and "Đến nay được 1 trên 2 xã, phường." in shown
    assert (
        "<b>Mời lãnh đạo Công an tỉnh</b>" in shown and "<b>Ghi số điện thoại trực ban của từng xã, phường</b>" in shown
    )
    assert f'href="{reverse("terms")}">Đối chiếu các thời hạn với văn bản luật</a>' in shown
    assert "Việc cần làm tiếp theo" not in text(sign_in("chief").get("desk"))


def test_the_desk_asks_as_many_questions_however_long_it_is(cast, sign_in, django_assert_max_num_queries):
    reader = sign_in("pao")
    reader.get("desk")
    for _ in range(20):
        cast.brings()
    with django_assert_max_num_queries(16):
        reader.get("desk")


def test_htmx_gets_the_list_alone(cast, sign_in):
    start(cast)
    part = sign_in("pao").client.get(reverse("desk"), headers={"HX-Request": "true", "HX-Request-Type": "partial"})
    assert "<html" not in text(part) and "inbox" in text(part)


# One promise


def test_a_promise_is_printed_with_its_sum_its_events_and_the_version_of_its_law(cast, sign_in):
    matter, (opened,) = start(cast)
    page = text(sign_in("pao").get("obligation", opened.pk))
    assert "19/11/2026" in page and "RE-02.result" in page and "Luật Cư trú" in page
    assert "theo trí nhớ" in page and "bắt đầu tính hạn" in page


def test_the_promise_of_a_neighbour_is_not_there(cast, sign_in):
    _matter, (opened,) = start(cast)
    assert sign_in("lan").get("obligation", opened.pk).status_code == 404
    assert sign_in("stranger").get("obligation", opened.pk).status_code == 404


def test_a_promise_about_those_who_ask_is_not_there(cast, sign_in):
    matter, (opened,) = start(cast, unit=cast.province)
    staffing.record_concern(matter=matter, by=NOBODY, unit=cast.na_then)
    assert sign_in("commander").get("obligation", opened.pk).status_code == 404
    assert sign_in("inspector").get("obligation", opened.pk).status_code == 200


# Notices


def test_a_notice_is_read_and_marked_as_seen(cast, sign_in):
    cast.brings()
    with clock.at(at("2026-12-20")):
        jobs.tick(at("2026-12-20"))
        reader = sign_in("pao")
        page = text(reader.get("notices"))
        sent = list(Notice.system("test").filter(unit=cast.na_then))
        assert "quá hạn" in page and all(reverse("notice_seen", args=[notice.pk]) in page for notice in sent)
        for notice in sent:
            assert reader.post("notice_seen", notice.pk).status_code == 302
        assert "Không có thông báo nào." in text(reader.get("notices"))
        assert "quá hạn" in text(reader.get("notices", view="all"))
        assert sign_in("lan").post("notice_seen", notice.pk).status_code == 404
        assert reader.get("notices", after="x").status_code == 400


# The calendar

HOLIDAY = {"kind": "holiday", "name_vi": "Nghỉ lụt", "name_en": "Flood", "decree": "9/QĐ-UBND"}


def fields(form_page, name):
    """Return the names of the three boxes of a day, as the page has them."""
    return re.findall(rf'name="({name}_\w+)"', form_page)


def day_values(form_page):
    return HOLIDAY | dict(zip(fields(form_page, "day"), ("26", "11", "2026"), strict=True))


def test_the_calendar_shows_its_years_days_and_decrees(cast, sign_in):
    page = text(sign_in("auditor").get("calendar", year="2026"))
    assert "12729/VPCP-KGVX" in page and "Thêm ngày" not in page
    assert "tạm tính" in text(sign_in("registrar").get("calendar", year="2027"))
    assert sign_in("pao").get("calendar").status_code == 403


def test_a_day_is_shown_before_it_is_declared_and_declared_as_it_was_shown(cast, sign_in):
    matter, _ = start(cast, when="2026-11-23")
    reader = sign_in("registrar")
    values = day_values(text(reader.get("calendar_day")))
    shown = text(reader.post("calendar_day", **values))
    assert "1 việc phải làm có hạn mới" in shown and not CalendarDay.objects.filter(decree="9/QĐ-UBND").exists()
    said = shown.split('name="shown" value="', 1)[1].split('"', 1)[0]
    again = reader.post("calendar_day", **{**values, "name_en": "Storm"}, shown=said)
    assert again.status_code == 200 and not CalendarDay.objects.filter(decree="9/QĐ-UBND").exists()
    done = reader.post("calendar_day", **values, shown=said)
    assert done.status_code == 302 and CalendarDay.objects.filter(decree="9/QĐ-UBND").exists()
    assert one(matter).due_at == at("2026-12-01").replace(hour=0)


def test_a_day_without_decree_keeps_what_was_typed_and_says_why_not(cast, sign_in):
    reader = sign_in("registrar")
    values = day_values(text(reader.get("calendar_day"))) | {"kind": "swapped_work"}
    answer = reader.post("calendar_day", **values)
    assert answer.status_code == 422 and "Chỉ thứ Bảy hoặc Chủ nhật" in text(answer) and "Nghỉ lụt" in text(answer)


def test_a_day_is_taken_out_with_its_decree(cast, sign_in):
    reader = sign_in("registrar")
    assert "24/11/2026" in text(reader.get("calendar_day_remove", "2026-11-24"))
    assert reader.post("calendar_day_remove", "2026-11-24", decree="").status_code == 422
    assert reader.post("calendar_day_remove", "2026-11-24", decree="10/QĐ").status_code == 302
    page = text(reader.get("calendar", year="2026"))
    assert "10/QĐ" in page and "Những ngày đã bỏ" in page
    for wrong in ("2026-11-24", "2026-11-25", "tomorrow"):
        assert reader.get("calendar_day_remove", wrong).status_code == 404


def test_a_year_is_decided_on_its_page(cast, sign_in):
    reader = sign_in("registrar")
    assert reader.post("calendar_year_decide", 2027, decree="").status_code == 403
    assert reader.post("calendar_year_decide", 2027, decree="99/QĐ-TTg").status_code == 302
    assert CalendarYear.objects.get(year=2027).decree == "99/QĐ-TTg"
    assert reader.post("calendar_year_decide", 2040, decree="1").status_code == 404
    assert sign_in("auditor").post("calendar_year_decide", 2028, decree="1").status_code == 403


# The terms


def test_terms_are_shown_with_their_law_and_how_well_it_is_verified(cast, sign_in):
    page = text(sign_in("auditor").get("terms"))
    assert "CR-01.handover" in page and "Thông tư liên tịch 01/2017" in page and "cần kiểm tra lại" in page
    assert "cơ quan điều tra" in page.lower()


def test_a_term_gets_its_new_version_on_its_page(cast, sign_in):
    reader = sign_in("registrar")
    page = text(reader.get("term", "RE-02.result"))
    boxes = dict(zip(fields(page, "valid_from"), ("1", "1", "2027"), strict=True))
    values = {
        "amount": "4",
        "unit": "working_day",
        "basis_vi": "Luật mới",
        "basis_en": "New law",
        "evidence": "official",
        "note": "",
    }
    assert reader.post("term", "RE-02.result", **values, **boxes).status_code == 302
    assert Term.objects.get(code="RE-02.result", version=2).evidence == "official"
    again = reader.post("term", "RE-02.result", **values, **boxes)
    assert again.status_code == 422
    page = text(reader.get("terms"))
    assert "Luật mới" in page and "3 ngày làm việc" in page and "4 ngày làm việc" in page
    assert reader.get("term", "XX-99.x").status_code == 404


def test_a_file_of_terms_is_shown_and_then_taken_over(cast, sign_in):
    reader = sign_in("registrar")
    sent = reader.client.get(reverse("terms_file"))
    content = b"".join(sent.streaming_content).decode()
    changed = content.replace("vi: Chuyển tin báo đến cơ quan điều tra", "vi: Chuyển tin báo đi")
    file = SimpleUploadedFile("terms.yaml", changed.encode(), "text/yaml")
    shown = reader.post("terms_import", file=file)
    page = text(shown)
    assert shown.status_code == 200 and page.count("CR-01.handover") >= 1
    assert Term.objects.filter(code="CR-01.handover").count() == 1
    done = reader.post("terms_import", text=changed, confirm="1")
    assert done.status_code == 302
    assert Term.objects.get(code="CR-01.handover", version=2).name_vi == "Chuyển tin báo đi"
    assert "không thay đổi gì" in text(reader.post("terms_import", text=changed))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"terms: [",
        b"terms: 3",
        b"x" * 200_001,
        b"[" * 20_000,
        b"day: 2026-13-45",
        b"terms:\n- code: RE-99.x",
        b"- !!python/object:x",
    ],
)
def test_a_file_that_is_none_is_answered_in_a_sentence(cast, sign_in, content):
    file = SimpleUploadedFile("terms.yaml", content)
    answer = sign_in("registrar").post("terms_import", file=file)
    assert answer.status_code == 422 and "govuk-error-message" in text(answer)


def test_only_the_registrar_changes_calendar_and_terms(cast, sign_in):
    for name in ("auditor", "commander", "pao", "administrator"):
        for page in ("calendar_day", "terms_import"):
            assert sign_in(name).get(page).status_code == 403
    assert sign_in("").get("calendar").status_code == 302
