"""What comes a second time is neither lost nor done twice: a changed form, a second click, words from an old page."""

from datetime import date, datetime, time, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from gandan.access import clock, now
from gandan.access.clock import VIETNAM
from gandan.cases import actions, guessing, sealing
from gandan.cases.models import Case, CaseEvent, CaseIdentity, Draft
from gandan.obligations.models import Obligation
from gandan.secrecy.fields import unlock, words
from tests.cases.test_public import code_in, fill, picture, step

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_guesses_yet(monkeypatch):
    monkeypatch.setattr("gandan.cases.public_views.guesses", guessing.Guesses())


def photo():
    return SimpleUploadedFile("a.png", picture("PNG"))


def other_photo():
    return SimpleUploadedFile("b.png", picture("PNG", color="red"))


def follow(receipt, do="", prefix="/en", **values):
    return Client().post(f"{prefix}/follow/", {"code": receipt.code, "do": do, **values})


def names(case):
    rows = list(case.attachments.order_by("pk"))
    unlock(rows)
    return sorted(row.name for row in rows)


def other_words(case):
    return [words(event.text) for event in case.events.all() if event.facts.get("conflict")]


# A form that was changed after it was sent


def test_words_that_were_changed_after_sending_reach_the_same_matter_and_it_is_said(cast):
    client, base = fill(text="Mất trộm xe máy biển 1234")
    step(client, base, "check")
    case = Case.system("test").get()
    onward = step(client, base, "what", text="Mất trộm xe máy biển 5678")
    told = client.get(onward["Location"])
    assert "Mất trộm xe máy biển 5678" in told.text and "chưa đến chúng tôi" in told.text
    answer = step(client, base, "check")
    assert answer.status_code == 409 and case.reference in answer.text and "1234" not in answer.text
    assert other_words(case) == ["Mất trộm xe máy biển 5678"] and Case.system("test").count() == 1
    unlock([draft := Draft.objects.get()])
    assert draft.data == {"kind": "FB-01"}, "the draft forgets what was sent"
    assert step(client, base, "check").status_code == 200, "then there is nothing new, and the receipt is shown"
    assert len(other_words(case)) == 1


def test_going_through_a_sent_form_without_changing_it_gives_the_receipt(cast):
    client, base = fill(anonymous="no", name="Hoa", phone="0912345678")
    first = step(client, base, "check")
    step(client, base, "where", place_name="Nà Then")
    step(client, base, "what", text="Đường tối")
    step(client, base, "who", anonymous="no", name="Hoa", phone="0912345678")
    again = step(client, base, "check")
    assert again.status_code == 200 and code_in(again) == code_in(first)
    assert not other_words(Case.system("test").get())


def test_a_change_can_be_left_out(cast):
    client, base = fill()
    first = step(client, base, "check")
    step(client, base, "what", text="Viết nhầm")
    left = step(client, base, "check", leave="1")
    assert code_in(left) == code_in(first) and not other_words(Case.system("test").get())
    unlock([draft := Draft.objects.get()])
    assert draft.data == {"kind": "FB-01"}


def test_every_part_of_a_sent_form_may_change_and_none_is_lost(cast):
    client, base = fill()
    step(client, base, "check")
    elsewhere = cast.phieng_lua
    step(client, base, "where", place_name=elsewhere.title)
    step(client, base, "what", text="Đường tối", place="Đầu bản")
    client.post(f"{base}/files/", {"file": photo(), "go": "1"})
    step(client, base, "who", anonymous="no", name="Lò Thị Hoa")
    assert step(client, base, "check").status_code == 409
    case = Case.system("test").get()
    (said,) = other_words(case)
    assert elsewhere.title in said and "Đầu bản" in said and names(case) == ["a.png"]
    row = CaseIdentity.system("test").get()
    unlock([row])
    assert "Hoa" in row.name + str(row.others)


@pytest.mark.parametrize(
    ("kind", "more"), [("DE-01", {"named": "Anh Tủa"}), ("CO-01", {"named": "Anh Tủa"}), ("AI-01", {})]
)
def test_a_change_reaches_a_sealed_matter_and_one_about_us(cast, kind, more):
    client, base = fill(kind, text="Lời đầu", name="Hoa")
    step(client, base, "check")
    step(client, base, "what", text="Lời sau", **more)
    assert step(client, base, "check").status_code == 409
    (said,) = other_words(Case.system("test").get())
    assert "Lời sau" in said and all(value in said for value in more.values())
    step(client, base, "what", text="Lời đầu")
    assert step(client, base, "check").status_code == 200, "the first words are no change"


def test_a_change_waits_sealed_like_the_draft_before_it(cast):
    client, base = fill()
    step(client, base, "check")
    step(client, base, "what", text="BI-MAT-KHONG-AI-BIET")
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM cases_draft")
        assert "BI-MAT" not in str(cursor.fetchall())


# A second click


def test_another_file_with_the_same_words_is_another_message(world):
    receipt = world.bring()
    for file in (photo(), photo(), other_photo()):
        assert follow(receipt, "message", text="Xem ảnh", file=file).status_code == 200
    assert names(receipt.case) == ["a.png", "b.png"]
    assert receipt.case.events.filter(kind="message_in").count() == 2, "the same file again is a second click"


def test_another_file_to_a_sealed_matter_is_not_lost_either(world):
    receipt = world.bring("DV-01")
    assert receipt.case.is_sealed
    for file in (photo(), photo(), other_photo()):
        follow(receipt, "message", text="Xem ảnh", file=file)
    assert names(receipt.case) == ["a.png", "b.png"]


def test_papers_from_a_page_that_still_asks_for_them_are_not_lost(world):
    receipt, pao = world.bring(), world.actor("pao")
    actions.ask_papers(case=receipt.case, items=["Ảnh"], by=pao)
    for file in (photo(), photo(), other_photo()):
        assert follow(receipt, "supply", text="Xem ảnh", file=file).status_code == 200
    assert names(receipt.case) == ["a.png", "b.png"]
    assert receipt.case.events.filter(kind="supplied").count() == 1


def test_the_same_words_in_answer_to_something_new_are_a_new_message(world):
    receipt = world.bring()
    follow(receipt, "message", text="Vâng")
    actions.message_out(case=receipt.case, text="Sáng mai chúng tôi đến, được không?", by=world.actor("pao"))
    follow(receipt, "message", text="Vâng")
    assert receipt.case.events.filter(kind="message_in").count() == 2


def answered(world, **options):
    receipt, pao = world.bring(**options), world.actor("pao")
    actions.take(case=receipt.case, by=pao)
    actions.answer(case=receipt.case, text="Đã xong", by=pao)
    return receipt


def test_opened_again_with_the_same_words_after_another_answer_is_open_again(world):
    receipt, pao = answered(world), world.actor("pao")
    for _click in range(2):
        told = follow(receipt, "reopen", text="Vẫn chưa xong")
        assert "open again, with a new date" in told.text and world.fresh(receipt.case).round == 2
    actions.take(case=receipt.case, by=pao)
    actions.answer(case=receipt.case, text="Lần này xong", by=pao)
    assert "open again, with a new date" in follow(receipt, "reopen", text="Vẫn chưa xong").text
    case = world.fresh(receipt.case)
    assert case.round == 3 and case.state == "new"
    assert Obligation.system("test").open().filter(matter=case.pk).exists()


def test_more_words_for_a_matter_that_is_open_again_arrive_as_a_message(world):
    receipt = answered(world)
    follow(receipt, "reopen", text="Chưa xong", file=photo())
    told = follow(receipt, "reopen", text="Chưa xong", file=other_photo())
    assert "Your message is with the unit." in told.text
    assert names(receipt.case) == ["a.png", "b.png"] and world.fresh(receipt.case).round == 2


def test_a_file_comes_along_when_a_matter_is_opened_again(world):
    receipt = answered(world)
    assert follow(receipt, "reopen", text="Chưa xong", file=photo()).status_code == 200
    assert names(receipt.case) == ["a.png"] and receipt.case.attachments.get().from_citizen


def test_a_file_comes_along_when_a_sealed_matter_is_opened_again(world):
    receipt = answered(world, code="DV-01")
    follow(receipt, "reopen", text="Chưa xong", file=photo())
    kept = receipt.case.attachments.get()
    assert kept.sealed_with is not None and sealing.bytes_of(kept).startswith(b"\x89PNG")


# Papers


@pytest.mark.parametrize("values", [{"file": True}, {"text": "Mai tôi mang đến"}])
def test_papers_come_as_a_file_or_as_words(world, values):
    receipt = world.bring()
    actions.ask_papers(case=receipt.case, items=["Ảnh"], by=world.actor("pao"))
    values = {**values, "file": photo()} if "file" in values else values
    assert follow(receipt, "supply", **values).status_code == 200
    case = world.fresh(receipt.case)
    assert case.asked_at is None and case.attachments.count() == ("file" in values)


def test_nothing_at_all_is_no_paper(world):
    receipt = world.bring()
    actions.ask_papers(case=receipt.case, items=["Ảnh"], by=world.actor("pao"))
    answer = follow(receipt, "supply")
    assert answer.status_code == 422 and "Choose the photo or file to send, or write a few words." in answer.text
    assert world.fresh(receipt.case).asked_at


PAUSED, GOES_ON = "The clock is paused until they come.", "The term goes on meanwhile"


def test_a_pause_is_told_only_where_a_clock_stands_still(world):
    for code, stands_still in (("FB-01", False), ("RE-01", True)):
        receipt = world.bring(code)
        actions.ask_papers(case=receipt.case, items=["Ảnh"], by=world.actor("pao"))
        paused = Obligation.system("test").waiting().filter(matter=receipt.case.pk)
        assert paused.exists() == stands_still, code
        page = follow(receipt).text
        assert (PAUSED in page, GOES_ON in page) == (stands_still, not stands_still)
        assert ("the clock runs on" in follow(receipt, "supply", text="Đây").text) == stands_still


def test_a_late_clock_is_not_said_to_stand_still(world):
    receipt = world.bring("RE-01")
    with clock.at(now() + timedelta(days=60)):
        actions.ask_papers(case=receipt.case, items=["Ảnh"], by=world.actor("pao"))
        page = follow(receipt).text
    assert PAUSED not in page and GOES_ON in page


# New dates


def test_the_new_date_of_an_apology_stands_in_the_timeline(world):
    receipt = world.bring()
    midnight = datetime.combine(date(2027, 1, 21), time(0), VIETNAM)
    actions.apologise(case=receipt.case, text="Vì mưa lũ", new_date=midnight, by=world.actor("chief"))
    page = follow(receipt, prefix="").text
    assert "Vì mưa lũ" in page and "Hẹn mới: 20/01/2027" in page
    assert "New date: 20/01/2027" in follow(receipt).text


def test_the_new_date_of_an_extension_stands_in_the_timeline(world):
    receipt, chief = world.bring(), world.actor("chief")
    promise = next(o for o in Obligation.system("test").open().filter(matter=receipt.case.pk) if o.term.extensions)
    actions.extend(
        case=receipt.case, obligation=promise, extension=promise.term.extensions[0]["code"], ground="Vì bão", by=chief
    )
    promise.refresh_from_db()
    last = (promise.due_at - timedelta(minutes=1)).astimezone(VIETNAM)
    assert receipt.case.events.filter(kind=CaseEvent.Kind.EXTENDED).exists()
    assert f"Hẹn mới: {last:%d/%m/%Y}" in follow(receipt, prefix="").text
