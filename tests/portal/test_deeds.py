"""Every code that the record may hold is told in words, in both languages."""

import ast
import re
from pathlib import Path

import pytest
from django.utils import translation

import gandan
from gandan.obligations import replay
from gandan.obligations.models import Notice
from gandan.portal.deeds import DEEDS, ENDED

pytestmark = pytest.mark.agnostic
WRITERS = {"record", "record_apart", "prepare", "enter", "_audit", "_tell"}
CODE = re.compile(r"[a-z_]+\.[a-z_]+")


def codes():
    """Return the codes that the house writes: the first word given to whatever writes an entry."""
    found = {*replay.ACTIONS.values(), *(f"obligation.{kind}" for kind in Notice.Kind.values)}
    for path in Path(gandan.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                value = node.args[0].value
                if name in WRITERS and isinstance(value, str) and CODE.fullmatch(value):
                    found.add(value)
    return found


def test_every_deed_that_the_house_writes_has_words_and_no_word_stands_for_nothing():
    assert len(codes()) > 50
    assert codes() == set(DEEDS)


def test_the_words_are_told_in_vietnamese_too():
    told = {**DEEDS, **ENDED}
    with translation.override("en"):
        english = {code: str(words) for code, words in told.items()}
    with translation.override("vi"):
        assert [code for code, words in told.items() if str(words) == english[code]] == []


def test_an_ending_alone_is_not_told_as_a_promise_kept():
    assert {code for code, _in_time in ENDED} < set(DEEDS)
    with translation.override("vi"):
        assert str(DEEDS["obligation.discharged"]) == "kết thúc việc phải làm"
        assert not any("đúng" in str(words) for words in DEEDS.values())
        assert {in_time for (_code, in_time), words in ENDED.items() if "đúng hạn" in str(words)} == {True}
