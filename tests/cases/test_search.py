"""Matters are found as people type: with diacritics or without, đ or d, in either Unicode form."""

import unicodedata

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gandan.cases import search, word_index
from gandan.cases.models import Case
from gandan.secrecy import retention

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


WAYS = {
    "few are read": {},
    "the index is asked": {"NEAR": 0},
    "the index names too many": {"NEAR": 0, "FEW": 0},
    "the newest are enough": {"ENOUGH": 1},
}


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Each way to the rows, which else depends on how many there are."""
    for name, value in WAYS[request.param].items():
        monkeypatch.setattr(word_index, name, value)


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
def test_the_same_matters_are_found_on_both_engines(world, way, typed, found):
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


@pytest.mark.django_db
def test_words_side_by_side_come_before_words_anywhere(world):
    by = world.actor("pao")
    together = world.case(by=by, text="Có người bán ma túy ở chợ", place="")
    apart = world.case(by=by, text="Ma chay kéo dài, người ta nói đến túy quyền", place="")
    rows = Case.for_(by, "case.read")
    assert [case.pk for case in search.matching(rows, "ma túy")] == [together.pk]
    assert [case.pk for case in search.matching(rows, "Ma tu")] == [together.pk]  # still typing
    assert {case.pk for case in search.matching(rows, "túy ma")} == {together.pk, apart.pk}
    assert [case.pk for case in search.matching(rows.filter(pk=apart.pk), "ma túy")] == [apart.pk]


@pytest.mark.django_db
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(st.lists(st.sampled_from(["ma", "mang", "túy", "đá", "xe", "x" * 60, "x" * 61]), max_size=7), max_size=6),
    st.lists(st.sampled_from(["ma", "mâng", "tuy", "m", "Đá", "x" * 60, "x" * 45]), min_size=1, max_size=3),
)
def test_what_is_found_is_what_the_texts_hold(world, way, texts, typed):
    by = world.actor("pao")
    chosen = Case.for_(by, "case.read").filter(
        pk__in=[world.case(by=by, text=" ".join(["Việc", *words]), place="").pk for words in texts]
    )
    asked = search.fold(" ".join(typed)).split()
    stored = dict(chosen.values_list("pk", "folded"))
    found = {key for key, text in stored.items() if f" {' '.join(asked)}" in text} if len(asked) > 1 else set()
    found = found or {
        key
        for key, text in stored.items()
        if all(f" {word}" in text if len(word) > 1 else f" {word} " in text for word in asked)
    }
    assert set(search.matching(chosen, " ".join(typed)).values_list("pk", flat=True)) == found


@pytest.mark.django_db
def test_the_index_follows_the_words_of_a_matter(world):
    by = world.actor("pao")
    case = world.case(by=by, text="Mất trộm xe máy", place="")
    rows = Case.system("test")
    assert search.matching(rows, "trộm xe").get() == case and word_index.faults() == []
    Case.system("test").filter(pk=case.pk).update(folded="")
    word_index.keep(case.pk)
    assert not search.matching(rows, "trộm xe").exists() and word_index.faults() == []
    Case.system("test").filter(pk=case.pk).update(folded=" mat trom ")
    if connection.vendor == "sqlite":
        assert word_index.faults() == ["the words of 1 matters are not indexed as they stand"]
    word_index.rebuild()
    assert search.matching(rows, "mất trộm").get() == case and word_index.faults() == []


@pytest.mark.sqlite
@pytest.mark.django_db
def test_words_that_were_taken_out_leave_the_file(world):
    by = world.actor("pao")
    kept = world.case(by=by, text="Cột đèn đổ", place="")
    case = world.case(by=by, text="Kẻ xyzzyplugh lấy trộm", place="")

    def pieces():
        with connection.cursor() as cursor:
            cursor.execute("SELECT block FROM cases_word_index_data")
            return b"".join(row[0] for row in cursor.fetchall())

    word_index.condense()
    assert b"xyzzyplugh" in pieces()
    retention.erase(case.pk, "test")
    word_index.condense()
    assert b"xyzzyplugh" not in pieces()
    assert search.matching(Case.system("test"), "đèn").get() == kept
