"""Bringing something reads well on a small phone: grouped choices, one button that goes on, nothing cut off unseen."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from gandan.cases.models import Draft
from gandan.secrecy.fields import unlock
from tests.cases.test_public import begin, picture, step

pytestmark = pytest.mark.django_db


def at_files():
    client, base = begin()
    step(client, base, "where", place_name="Nà Then")
    step(client, base, "what", text="Có ảnh")
    return client, base


def photo():
    return SimpleUploadedFile("a.png", picture("PNG"))


def test_what_can_be_brought_stands_in_groups(cast):
    shown = Client().get("/en/report/").text
    titles = re.findall(r'<p class="choices-title">([^<]+)</p>', shown)
    assert titles[:2] == ["Reporting and proposing", "Complaints about us"] and len(titles) == len(set(titles)) > 4


def test_going_on_takes_a_chosen_file_along(cast):
    client, base = at_files()
    answer = client.post(f"{base}/files/", {"file": photo(), "go": "1"})
    assert answer["Location"] == f"{base}/who/" and Draft.objects.get().files.count() == 1


def test_adding_stays_on_the_page_and_needs_a_file(cast):
    client, base = at_files()
    assert client.post(f"{base}/files/", {"file": photo(), "add": "1"})["Location"] == f"{base}/files/"
    refused = client.post(f"{base}/files/", {"add": "1"})
    assert refused.status_code == 422 and "Chọn ảnh hoặc tệp cần thêm" in refused.text
    assert client.post(f"{base}/files/", {"go": "1"})["Location"] == f"{base}/who/"


@pytest.mark.parametrize(
    ("prefix", "words"), [("", "Tệp này không có gì bên trong"), ("/en", "submitted file is empty")]
)
def test_an_empty_file_is_told_in_plain_words(cast, prefix, words):
    client, base = at_files()
    answer = client.post(f"{prefix}{base}/files/", {"file": SimpleUploadedFile("a.pdf", b""), "go": "1"})
    assert answer.status_code == 422 and words in answer.text


def test_a_long_paste_is_told_and_not_cut_off_by_the_browser(cast):
    client, base = at_files()
    page = client.get(f"{base}/who/").text
    assert "maxlength" not in page
    answer = step(client, base, "who", anonymous="no", name="Hòa" * 100)
    assert "Viết ngắn lại: nhiều nhất 120 ký tự, hiện có 300." in answer.text and "Hòa" * 100 in answer.text


def test_what_is_needed_is_not_called_optional(cast):
    client, base = begin()
    several = step(client, base, "where", place_name="xã").text
    assert "Chọn xã, phường" in several and "không bắt buộc" not in several
    step(client, base, "where", place_name="Nà Then")
    step(client, base, "what", text="Đường tối")
    who = client.get(f"{base}/who/").text
    assert re.search(r">Tên\s*</label>", who) and re.search(r">Số điện thoại\s*<span class=\"optional\">", who)


def test_a_choice_for_another_name_is_dropped(cast):
    client, base = begin()
    several = step(client, base, "where", place_name="xã").text
    assert cast.na_then.slug in several
    onward = step(client, base, "where", place_name="Phiêng Lúa", unit=cast.na_then.slug)
    assert onward.status_code == 302, "one commune has the new name, and nothing need be asked"
    draft = Draft.objects.get()
    unlock([draft])
    assert draft.data["unit"] == cast.phieng_lua.slug


def test_a_choice_for_another_name_is_asked_for_again_where_several_fit(cast):
    client, base = begin()
    answer = step(client, base, "where", place_name="xã", unit="phuong-khac-202507")
    assert answer.status_code == 422 and "Bạn đã đổi tên xã, phường: hãy chọn lại." in answer.text
    assert "phuong-khac-202507" not in answer.text
