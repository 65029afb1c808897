"""Numbers, dates and times as people here write them."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from django.template import engines
from django.utils import translation

from gandan.ui.templatetags import gandan

pytestmark = pytest.mark.agnostic

EVENING = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
"""17:00 in Vietnam."""
MIDNIGHT = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
"""The instant at which 20 November ends in Vietnam."""


@pytest.mark.parametrize(
    ("value", "vi", "en"),
    [
        (1234.5, "1.234,5", "1,234.5"),
        (1234567, "1.234.567", "1,234,567"),
        (Decimal("0.30"), "0,3", "0.3"),
        (-3, "\u22123", "\u22123"),
        (0, "0", "0"),
        ("12", "12", "12"),
        (None, "", ""),
        ("", "", ""),
        ("chưa báo cáo", "", ""),
        (float("nan"), "", ""),
        (True, "", ""),
    ],
)
def test_numbers_group_as_the_language_does(value: Any, vi: str, en: str) -> None:
    with translation.override("vi"):
        assert gandan.number(value) == vi
    with translation.override("en"):
        assert gandan.number(value) == en


def test_places_round_half_up(vietnamese: None) -> None:
    assert gandan.number(2.345, 2) == "2,35"
    assert gandan.number(2.5, 0) == "3"
    assert gandan.number(4, 1) == "4,0"
    assert gandan.number(-0.04, 1) == "0,0"


def test_a_share_becomes_a_percentage(vietnamese: None) -> None:
    assert gandan.percent(0.94) == "94,0%"
    assert gandan.percent(Decimal("0.125"), 0) == "13%"
    assert gandan.percent(1) == "100,0%"
    assert gandan.percent(None) == ""


def test_sizes_are_told_in_thousands_of_bytes(vietnamese: None) -> None:
    assert gandan.human_size(999) == "999 byte"
    assert gandan.human_size(412_000) == "412 kB"
    assert gandan.human_size(999_600) == "1,0 MB"
    assert gandan.human_size(1_240_000) == "1,2 MB"
    assert gandan.human_size(None) == ""


def test_a_code_stands_in_groups_of_four() -> None:
    assert gandan.code16("1234567890123456") == "1234 5678 9012 3456"
    assert gandan.code16("1234 5678 9012 3456") == "1234 5678 9012 3456"
    assert gandan.code16(None) == ""


@pytest.mark.parametrize(
    ("number", "shown", "dialled"),
    [
        ("113", "113", "113"),
        ("02130000113", "0213 0000 113", "02130000113"),
        ("0912345678", "0912 345 678", "0912345678"),
        ("+84 912 345 678", "+84 912 345 678", "+84912345678"),
    ],
)
def test_a_telephone_number_dials(number: str, shown: str, dialled: str) -> None:
    assert gandan.phone(number) == f'<a class="tel num" href="tel:{dialled}">{shown}</a>'


def test_a_telephone_number_is_escaped() -> None:
    assert "<b>" not in gandan.phone('0213"><b>')
    assert gandan.phone("") == ""


def test_instants_are_told_in_vietnams_time(vietnamese: None) -> None:
    assert gandan.vn_date(EVENING) == '<time class="num" datetime="2026-11-20">20/11/2026</time>'
    assert gandan.vn_time(EVENING) == '<time class="num" datetime="2026-11-20T17:00:00+07:00">17:00</time>'
    assert ">20/11/2026, 17:00<" in gandan.vn_datetime(EVENING)
    assert ">21/11/2026<" in gandan.vn_date(MIDNIGHT)
    assert gandan.vn_time(time(7, 5)) == '<time class="num" datetime="07:05:00">07:05</time>'


def test_english_names_the_month(english: None) -> None:
    assert ">20 November 2026<" in gandan.vn_date(date(2026, 11, 20))
    assert ">20 November 2026, 17:00<" in gandan.vn_datetime(EVENING)


def test_a_midnight_is_due_at_the_end_of_the_day_before(vietnamese: None) -> None:
    assert ">hết ngày 20/11/2026<" in gandan.due(MIDNIGHT)
    assert 'datetime="2026-11-21T00:00:00+07:00"' in gandan.due(MIDNIGHT)
    assert ">20/11/2026, 17:00<" in gandan.due(EVENING)


@pytest.mark.parametrize("tell", [gandan.vn_date, gandan.vn_time, gandan.vn_datetime, gandan.due])
def test_no_time_is_no_text(tell: Any) -> None:
    assert tell(None) == ""
    assert tell("soon") == ""


def test_bare_dates_and_numbers_follow_the_formats_too() -> None:
    page = engines["django"].from_string("{{ day }} · {{ at }} · {{ figure|floatformat:'1g' }}")
    shown = {"day": date(2026, 11, 20), "at": EVENING, "figure": 1234.5}
    with translation.override("vi"):
        assert page.render(shown) == "20/11/2026 · 20/11/2026, 17:00 · 1.234,5"
    with translation.override("en"):
        assert page.render(shown) == "20 November 2026 · 20 November 2026, 17:00 · 1,234.5"


def test_days_are_typed_day_first_in_both_languages() -> None:
    from django import forms

    for language in ("vi", "en"):
        with translation.override(language):
            assert forms.DateField().clean("03/11/2026") == date(2026, 11, 3)
