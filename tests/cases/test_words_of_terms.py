"""What a citizen reads of dates: ours before others', and no date where the clock stands still."""

import re

import pytest
from django.test import Client

from gandan.cases import actions, catalogue
from gandan.cases.models import Case
from gandan.obligations.models import Term
from tests.cases.test_public import code_in, fill, step

pytestmark = pytest.mark.django_db


def test_what_we_owe_stands_before_what_others_owe(cast):
    shown = Client().get("/en/procedures/CR-01/").text
    ours, others = shown.split("How long others have after us", 1)
    assert "another body's term" not in ours and others.count("another body's term") >= 3
    assert "Hand-over" in ours or "hand" in ours.lower()


def test_a_paused_promise_names_no_date_as_its_result(cast):
    client, base = fill("RE-02", "Xin đăng ký tạm trú", name="Hoa", phone="0900000001")
    code = code_in(step(client, base, "check"))
    assert "Vậy hạn là:" in client.post("/follow/", {"code": code}).text
    case, pao = Case.system("test").get(), cast.actor("pao")
    actions.take(case=case, by=pao)
    actions.ask_papers(case=case, items=["Giấy tờ chỗ ở"], by=pao)
    shown = client.post("/follow/", {"code": code}).text
    assert "Đang tạm dừng tính hạn" in shown and "Vậy hạn là:" not in shown
    assert not re.search(r"tạm dừng tính hạn từ \d\d:\d\d:\d\d", shown)


def test_a_law_is_named_in_words_and_not_by_its_initials(cast):
    named = [term.basis_vi for term in Term.objects.all()]
    named += [law for procedure in catalogue.current() for law in procedure.law_vi]
    assert len(named) > 60
    assert [each for each in named if re.search(r"\b(?:BL[A-Z]+|TTLT|TT|NĐ|NQ|QĐ) \d", each)] == []
