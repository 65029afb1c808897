"""Matters are found as people type: with diacritics or without, đ or d, in either Unicode form."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandan.cases import search
from gandan.cases.models import Case

VIETNAMESE = "aăâbcdđeêghiklmnoôơpqrstuưvxyàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
words = st.text(alphabet=VIETNAMESE + VIETNAMESE.upper() + "0123456789", min_size=1, max_size=7)


@given(st.lists(words, min_size=1, max_size=6))
def test_a_text_folds_the_same_in_both_unicode_forms_and_without_marks(parts):
    text = " ".join(parts)
    folded = search.fold(text)
    assert folded == search.fold(unicodedata.normalize("NFD", text)) == search.fold(unicodedata.normalize("NFC", text))
    assert folded == search.fold(folded) and folded.isascii() and len(folded.split()) == len(parts)


@pytest.mark.parametrize(
    ("typed", "folded"),
    [("Đường vào Nà Ớt", "duong vao na ot"), ("  ậ\u00a0ở\tữ ", "a o u"), ("113/QĐ-CA", "113 qd ca"), ("—", "")],
)
def test_worked_examples(typed, folded):
    assert search.fold(typed) == folded


@pytest.mark.parametrize("typed", ["GD-7K2M-9PQR", "gd 7k2m 9pqr", "7K2M9PQR", "gd7k2m9pqr"])
def test_a_reference_is_understood_however_it_is_spaced(typed):
    assert search.reference_in(typed) == "GD-7K2M-9PQR"


def test_words_are_no_reference():
    assert search.reference_in("đèn đường tắt") == search.reference_in("") == ""


TEXTS = {
    "light": "Cột đèn đường đầu bản bị đổ",
    "road": "ĐƯỜNG vào bản Nà Ớt sạt lở sau mưa",
    "duong": "Anh Dương xin xác nhận cư trú",
    "decomposed": unicodedata.normalize("NFD", "Mất trộm xe máy ở chợ Phiêng"),
    "percent": "Giảm 50% giá_vé",
}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("duong", {"light", "road", "duong"}),
        ("đường", {"light", "road", "duong"}),
        ("ĐƯỜNG", {"light", "road", "duong"}),
        (unicodedata.normalize("NFD", "đường"), {"light", "road", "duong"}),
        ("na ot", {"road"}),
        ("nà ớt", {"road"}),
        ("mat trom", {"decomposed"}),
        ("mất trộm", {"decomposed"}),
        ("trom mat", {"decomposed"}),
        ("duong na", {"road"}),
        ("cho phieng", {"decomposed"}),
        ("tro", {"decomposed"}),
        ("rom", set()),
        ("50", {"percent"}),
        ("%", set()),
        ("_", set()),
        ("50%", {"percent"}),
        ("不", set()),
        ("   ", set(TEXTS)),
    ],
)
def test_the_same_matters_are_found_on_both_engines(world, typed, found):
    by = world.actor("pao")
    names = {world.case(by=by, text=text, place="").pk: name for name, text in TEXTS.items()}
    rows = search.matching(Case.for_(by, "case.read"), typed)
    assert {names[case.pk] for case in rows} == found


@pytest.mark.django_db
def test_a_search_stays_inside_one_s_reach(world):
    theirs = world.case(unit=world.binh, by=world.actor("lan"), text="Đường sạt lở")
    assert not search.matching(Case.for_(world.actor("pao"), "case.read"), "duong").exists()
    assert not search.matching(Case.for_(world.actor("pao"), "case.read"), theirs.reference).exists()
    assert search.matching(Case.for_(world.actor("commander"), "case.read"), theirs.reference.lower()).exists()
