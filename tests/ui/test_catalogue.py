"""Every sentence of ours has its Vietnamese, and nothing stands in the catalogue that nobody says."""

import ast
import re
from pathlib import Path

import pytest
from django.utils.translation.template import templatize

import gandan.ui

pytestmark = pytest.mark.agnostic

ROOM = Path(gandan.ui.__file__).parent
CATALOGUE = ROOM / "locale/vi/LC_MESSAGES/django.po"
BORROWED = {"This field is required."}
"""Sentences of Django's own that we say in our words."""
_TEXT = r"""u?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_CALLS = re.compile(rf"\b(n?p?gettext|_)\(\s*{_TEXT}(?:,\s*{_TEXT})?")


def _unquoted(block: str) -> str:
    return "".join(ast.literal_eval(line) for line in re.findall(r'"(?:[^"\\]|\\.)*"', block))


def entries() -> list[tuple[str, str]]:
    """Return (message, translation) of every entry, the head left out."""
    found = []
    for block in CATALOGUE.read_text(encoding="utf-8").split("\n\n"):
        message = re.search(r'^msgid ((?:".*"\n?)+)', block, re.MULTILINE)
        said = re.search(r'^msgstr(?:\[0\])? ((?:".*"\n?)+)', block, re.MULTILINE)
        if message and said and _unquoted(message[1]):
            found.append((_unquoted(message[1]), _unquoted(said[1])))
    return found


def said() -> set[str]:
    """Return every sentence that our code and our templates ask a translation for."""
    sources = [path.read_text(encoding="utf-8") for path in ROOM.rglob("*.py")]
    sources += [templatize(path.read_text(encoding="utf-8"), origin=str(path)) for path in ROOM.rglob("*.html")]
    found = set()
    for source in sources:
        source = re.sub(r"gettext_lazy as _", "", source)
        for name, first, second in _CALLS.findall(source):
            with_context = name.endswith("pgettext")
            found.add(ast.literal_eval(second if with_context else first))
    return found


def test_every_sentence_is_translated_and_none_is_left_over() -> None:
    translated = {message for message, _ in entries()}
    assert said() - translated == set()
    assert translated - said() - BORROWED == set()


def test_no_translation_is_missing_or_doubtful_or_loses_a_value() -> None:
    assert "fuzzy" not in CATALOGUE.read_text(encoding="utf-8")
    places = re.compile(r"%\((\w+)\)s|\{(\w+)\}")
    for message, translation in entries():
        assert translation, message
        assert set(places.findall(message)) == set(places.findall(translation)), message


def test_the_catalogue_speaks_vietnamese() -> None:
    head = CATALOGUE.read_text(encoding="utf-8").split("\n\n", 1)[0]
    assert "charset=UTF-8" in head
    assert "nplurals=1; plural=0;" in head
