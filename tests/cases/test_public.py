"""The citizen's side: nothing typed is lost, nothing is sent twice, and the code alone opens the matter."""

import io
import re
import unicodedata
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from gandan.access import Refused, clock, now
from gandan.cases import actions, guessing, jobs, uploads
from gandan.cases.models import Case, CaseIdentity, Draft, Rating
from gandan.secrecy.fields import unlock

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_guesses_yet(monkeypatch):
    monkeypatch.setattr("gandan.cases.public_views.guesses", guessing.Guesses())


def begin(kind="FB-01"):
    client = Client()
    answer = client.post("/report/", {"kind": kind})
    assert answer.status_code == 302
    return client, answer["Location"].rsplit("/", 2)[0]


def step(client, base, name, /, **data):
    return client.post(f"{base}/{name}/", data)


def fill(kind="FB-01", text="Đường tối", **who):
    client, base = begin(kind)
    assert step(client, base, "where", place_name="Nà Then").status_code == 302
    assert step(client, base, "what", text=text).status_code == 302
    assert step(client, base, "files").status_code == 302
    assert step(client, base, "who", **(who or {"anonymous": "yes"})).status_code == 302
    return client, base


def code_in(answer):
    # Four times four digits with one sign between: a reference that has only digits in it is none of them.
    return re.sub(r"\D", "", re.search(r"\d{4}\D\d{4}\D\d{4}\D\d{4}", answer.content.decode())[0])


def test_a_report_is_sent_once_and_answered_by_the_same_receipt(cast):
    client, base = fill()
    first = step(client, base, "check")
    again = step(client, base, "check")
    assert first.status_code == again.status_code == 200
    assert code_in(first) == code_in(again) and Case.system("test").count() == 1
    assert first["Cache-Control"] == "no-store"
    reloaded = client.get(f"{base}/check/").content.decode()
    assert "GD-" not in reloaded, "a reload shows no receipt"
    assert f'action="{base}/check/"' in reloaded, "but it can be asked for, if the line was cut"


def test_an_anonymous_report_keeps_no_name_even_when_one_was_typed(cast):
    client, base = fill(anonymous="yes", name="Hoa", phone="0912345678")
    step(client, base, "check")
    assert not CaseIdentity.system("test").exists()
    unlock([draft := Draft.objects.get()])
    assert draft.data == {"kind": "FB-01"}, "the draft forgets what was sent"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("where", {"place_name": ""}),
        ("where", {"place_name": "Không Có"}),
        ("what", {"text": "  "}),
        ("what", {"text": "x" * 20_001}),
        ("who", {}),
        ("who", {"anonymous": "no"}),
        ("who", {"anonymous": "no", "name": "x" * 5_000}),
        ("who", {"anonymous": "no", "name": "Hoa", "phone": "12"}),
    ],
)
def test_bad_input_is_answered_by_a_sentence_and_kept(cast, name, data):
    client, base = begin()
    step(client, base, "where", place_name="Nà Then")
    step(client, base, "what", text="Đường tối")
    answer = step(client, base, name, **data)
    text = answer.content.decode()
    assert answer.status_code == 422 and 'role="alert"' in text
    for value in data.values():
        assert not value.strip() or value[:200] in text
    assert Case.system("test").count() == 0


def test_text_in_either_unicode_form_is_found_by_either_and_without_marks(cast):
    client, base = fill(text=unicodedata.normalize("NFD", "Đường dẫn nước bị vỡ ở Phiêng Ậ"))
    step(client, base, "check")
    officer = Client()
    officer.force_login(cast.people["pao"], backend="allauth.account.auth_backends.AuthenticationBackend")
    for words in ("đường dẫn nước", "DUONG DAN NUOC", unicodedata.normalize("NFD", "đường"), "phieng a"):
        assert "GD-" in officer.get("/desk/cases/", {"q": words}).content.decode(), words
    neighbour = Client()
    neighbour.force_login(cast.people["lan"], backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "GD-" not in neighbour.get("/desk/cases/", {"q": "duong"}).content.decode()


def test_script_in_a_text_is_words_and_nothing_more(cast):
    client, base = fill(text="<script>alert(1)</script> ‮đảo chiều")
    assert "<script>alert" not in client.get(f"{base}/check/").content.decode()
    code = code_in(step(client, base, "check"))
    assert "<script>alert" not in client.post("/follow/", {"code": code}).content.decode()


def test_a_step_that_was_left_out_is_asked_for(cast):
    client, base = begin()
    assert client.get(f"{base}/check/")["Location"].endswith("/where/")
    assert client.get(f"{base}/nothing/").status_code == 404
    assert client.get(f"/report/{uuid4()}/what/").status_code == 404


def test_drafts_that_nobody_sent_are_cleared_after_three_days(cast):
    begin()
    jobs.tick(now() + timedelta(days=3))
    assert Draft.objects.count() == 1
    jobs.tick(now() + timedelta(days=4))
    assert Draft.objects.count() == 0


def test_the_code_opens_the_matter_by_post_only_and_in_any_spacing(cast):
    client, base = fill()
    code = code_in(step(client, base, "check"))
    spaced = " ".join(re.findall("....", code))
    assert "Nà Then" in client.post("/follow/", {"code": spaced}).content.decode()
    assert client.get("/follow/", {"code": code}).status_code == 200
    assert "GD-" not in client.get("/follow/", {"code": code}).content.decode()
    for wrong in ("1", "0000 0000 0000 0000", "x" * 41):
        assert client.post("/follow/", {"code": wrong}).status_code == 422


def test_guessing_by_the_way_of_files_is_held_off_too(cast):
    client, address = Client(), f"/follow/files/{uuid4()}/"
    for number in range(guessing.PER_SOURCE_AN_HOUR):
        assert client.post(address, {"code": f"{number:016}"}).status_code == 404
    assert client.post(address, {"code": f"{99:016}"}).status_code == 429
    assert client.post("/follow/", {"code": f"{99:016}"}).status_code == 429


def test_guessing_is_held_off(cast):
    client = Client()
    for number in range(guessing.PER_SOURCE_AN_HOUR):
        assert client.post("/follow/", {"code": f"{number:016}"}).status_code == 422
    assert client.post("/follow/", {"code": f"{99:016}"}).status_code == 429
    with clock.at(now() + timedelta(hours=2)):
        assert client.post("/follow/", {"code": f"{99:016}"}).status_code == 422


def test_a_message_a_score_and_a_withdrawal_come_under_the_code(cast):
    client, base = fill()
    code = code_in(step(client, base, "check"))
    for _ in range(2):
        client.post("/follow/", {"code": code, "do": "message", "text": "Thêm một ý"})
    case = Case.system("test").get()
    assert case.events.filter(kind="message_in").count() == 1, "a second click writes nothing"
    pao = cast.actor("pao")
    actions.take(case=case, by=pao)
    actions.answer(case=case, text="Đã xong", by=pao)
    for score in ("9", "5", "1"):
        client.post("/follow/", {"code": code, "do": "rate", "score": score})
    assert [r.score for r in Rating.system("test")] == [5]
    assert not {f.name for f in Rating._meta.get_fields()} & {"case", "user", "given_at", "created_at"}
    client.post("/follow/", {"code": code, "do": "reopen", "text": "Chưa xong"})
    case.refresh_from_db()
    assert case.round == 2 and case.state == "new"
    client.post("/follow/", {"code": code, "do": "withdraw"})
    case.refresh_from_db()
    assert case.state == "withdrawn"


def picture(form="JPEG", color="green", **options):
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (40, 30), color).save(out, form, **options)
    return out.getvalue()


def test_a_picture_is_drawn_anew_without_its_hidden_data(cast):
    from PIL import Image

    exif = Image.Exif()
    exif[0x010E] = "HIDDEN-PLACE"
    kept = uploads.receive(SimpleUploadedFile("../../ảnh‮.jpg", picture(exif=exif)))
    assert b"HIDDEN-PLACE" not in kept.content and kept.name == "ảnh.jpg" and kept.media_type == "image/jpeg"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ\x90 program",
        b"<svg onload=alert(1)>",
        b"%PDF-1.7 broken",
        picture()[:200],
        b"GIF89a" + b"\0" * 50,
        b"PK\x03\x04zip",
    ],
)
def test_what_is_no_picture_is_refused_by_what_it_is(cast, data):
    with pytest.raises(Refused):
        uploads.receive(SimpleUploadedFile("photo.jpg", data, content_type="image/jpeg"))


def test_a_file_too_large_is_refused_by_name(cast):
    with pytest.raises(Refused, match="big"):
        uploads.receive(SimpleUploadedFile("big.jpg", b"x" * (uploads.LIMIT + 1)))


def test_files_of_a_draft_go_with_the_matter_and_open_by_the_code_only(cast):
    client, base = begin()
    step(client, base, "where", place_name="Nà Then")
    step(client, base, "what", text="Có ảnh")
    client.post(f"{base}/files/", {"file": SimpleUploadedFile("a.png", picture("PNG"))})
    step(client, base, "who", anonymous="yes")
    code = code_in(step(client, base, "check"))
    attachment = Case.system("test").get().attachments.get()
    answer = client.post(f"/follow/files/{attachment.pk}/", {"code": code})
    assert answer.status_code == 200 and "attachment" in answer["Content-Disposition"]
    assert "sandbox" in answer["Content-Security-Policy"]
    assert b"".join(answer.streaming_content).startswith(b"\x89PNG")
    assert client.post(f"/follow/files/{attachment.pk}/", {"code": "0" * 16}).status_code == 404


def test_no_page_of_a_draft_or_under_a_code_stays_in_a_browser(cast):
    client, base = fill(anonymous="no", name="Lò Thị Hoa", phone="0912345678")
    pages = [client.get(f"{base}/{name}/") for name in ("where", "what", "files", "who", "check")]
    assert "Lò Thị Hoa" in pages[-1].text, "what was typed comes back from the draft, whoever goes back"
    assert "Đường tối" in pages[1].text and "0912345678" in pages[3].text
    pages += [step(client, base, "what", text=""), step(client, base, "what", text="Đường tối")]
    sent = step(client, base, "check")
    code = code_in(sent)
    pages += [sent, client.get(f"{base}/check/"), client.get(f"{base}/what/")]
    pages += [step(client, base, "what", text="Khác"), client.get(f"{base}/what/"), step(client, base, "check")]
    pages += [client.post("/follow/", {"code": code}), client.post("/follow/", {"code": "0" * 16})]
    pages += [client.post("/follow/", {"code": code, "do": "message", "text": ""})]
    assert [page["Cache-Control"] for page in pages] == ["no-store"] * len(pages)


def test_the_receipt_is_called_by_one_name(cast):
    client, base = fill()
    assert "Giấy hẹn" in step(client, base, "check").text
    assert "giấy hẹn" in client.get(f"{base}/check/").text and "giấy hẹn" in client.get("/follow/").text


def test_the_minutes_of_the_forum_are_our_own_promise(cast):
    page = Client().get("/procedures/FO-01/").text
    assert "Công bố biên bản diễn đàn" in page
    assert "Cơ quan khác giải quyết tiếp" not in page and "thời hạn của cơ quan khác" not in page
