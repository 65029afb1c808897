"""Two languages, none half spoken: no bare words, no message missing, fuzzy, idle or told in two ways."""

import ast
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from tests.house import tree, words
from tests.house.words import Key, Message

# Data come in their own language: the invented province, the law, the readers of official lists, the drawings.
DATA = ("demo", "law")
READERS_OF_DATA = ("reference", "formats", "gallery")
# Carried away and run far from any catalogue: says each sentence in both languages.
TRAVELS_ALONE = ("verify_bundle",)


def bare_words() -> list[str]:
    faults = []
    for path in tree.templates().values():
        if path.name == "attrs.html":  # a list of attributes, not text
            continue
        faults += [words.place(path, *found) for found in words.bare_in_template(path.read_text(encoding="utf-8"))]
    for path, module in tree.modules().items():
        silent = path.stem in (*READERS_OF_DATA, *TRAVELS_ALONE) or "migrations" in path.parts
        if tree.room_of(path) not in DATA and not silent:
            faults += [words.place(path, *found) for found in words.bare_in_python(module)]
    return faults


def test_no_word_is_left_bare():
    tree.none(bare_words())


@pytest.mark.parametrize(
    "planted",
    [
        "<p>Hello there</p>",
        "<p>{% if x %}Quá hạn{% endif %}</p>",
        '<img alt="A ridge">',
        '<input type="submit" value="Send">',
        "<button>{{ icon }} Gửi đi</button>",
        "<p lang='vi'>Tiếng Việt</p><p>bare again</p>",
    ],
)
def test_a_bare_word_in_a_template_would_be_found(planted):
    assert words.bare_in_template(planted)


@pytest.mark.parametrize(
    "fine",
    [
        "<p>{% translate 'Hello there' %}</p>",
        "<p>{% blocktranslate %}Hello {{ name }}{% endblocktranslate %}</p>",
        "{# a note #}{% comment %}another{% endcomment %}<!-- a third -->",
        '<p translate="no">GD-ABCD</p><a lang="en" href="/en/">English</a>',
        '<p class="big red">113 – {{ count }} %</p>',
    ],
)
def test_what_is_translated_passes(fine):
    assert words.bare_in_template(fine) == []


@pytest.mark.parametrize(
    "planted",
    [
        'raise Refused("You may not do that.")',
        'x = forms.CharField(label="Name")',
        'messages.success(request, "Saved.")',
        'title = "Quá hạn"',
        'raise Refused(f"{name} may not")',
        'raise Refused("Yes" if fine else other)',
        'page = "<!DOCTYPE html><html lang=vi><p>Lỗi rồi</p>"',
    ],
)
def test_a_bare_word_in_python_would_be_found(planted):
    assert list(words.bare_in_python(ast.parse(planted)))


def test_a_translated_word_in_python_passes():
    fine = (
        'raise Refused(_("You may not do that."))\nx = CharField(label=_("Name"), help_text="")\n"""Quá hạn."""\n'
        'raise ValidationError(self.error_messages["incomplete"], code="incomplete")\n'
        'hint = _("Enter the name of the commune, for example Bản Mây")'
    )
    assert list(words.bare_in_python(ast.parse(fine))) == []


# Catalogues


def faults_of(
    said: Iterable[Message], catalogues: Mapping[str, Catalog], *, framework: Iterable[str] = ()
) -> list[str]:
    """Return everything that is wrong between what is said and what is translated."""
    faults = []
    spoken: dict[Key, Message] = {message.key: message for message in said}
    translated: dict[Key, dict[str, object]] = defaultdict(dict)
    for room, catalogue in catalogues.items():
        for entry in catalogue:
            if not entry.id:
                continue
            sentence = entry.id if isinstance(entry.id, str) else entry.id[0]
            key = (entry.context, sentence)
            texts = [entry.string] if isinstance(entry.string, str) else list(entry.string)
            where = f"{room}: {sentence[:70]!r}"
            if entry.fuzzy:
                faults.append(f"fuzzy in {where}")
            elif not all(texts):
                faults.append(f"empty in {where}")
            else:
                translated[key][room] = tuple(texts)
                lost = words.placeholders(entry.id) ^ words.placeholders(texts)
                if lost:
                    faults.append(f"placeholders {', '.join(sorted(lost))} differ in {where}")
            if key not in spoken and sentence not in set(framework):
                faults.append(f"nobody says {where}")
    for key, message in spoken.items():
        if key not in translated and not any(key[1] == entry for entry in framework):
            faults.append(f"missing: {key[1][:70]!r} said at {message.place}")
    for key, rooms in translated.items():
        if len(set(rooms.values())) > 1:
            faults.append(f"told in two ways by {', '.join(sorted(rooms))}: {key[1][:70]!r}")
    return faults


def test_every_message_is_translated_once_and_used():
    messages, faults = words.said()
    tree.none(faults)
    assert messages, "no message was found"
    tree.none(faults_of(messages, words.catalogues()))


def catalogue(text: str) -> Catalog:
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=1; plural=0;\\n"\n\n'
    return read_po(io.BytesIO((head + text).encode()), locale="vi")


def message(sentence: str) -> Message:
    return Message((None, sentence), "views.py:1", "cases")


@pytest.mark.parametrize(
    ("catalogues", "fault"),
    [
        ({}, "missing: 'Close'"),
        ({"cases": 'msgid "Close"\nmsgstr ""\n'}, "empty in cases"),
        ({"cases": '#, fuzzy\nmsgid "Close"\nmsgstr "Đóng"\n'}, "fuzzy in cases"),
        ({"cases": 'msgid "Close"\nmsgstr "Đóng"\n\nmsgid "Open"\nmsgstr "Mở"\n'}, "nobody says cases: 'Open'"),
        ({"cases": 'msgid "Close"\nmsgstr "Đóng"\n', "ui": 'msgid "Close"\nmsgstr "Tắt"\n'}, "told in two ways"),
        ({"cases": 'msgid "Close"\nmsgstr "Đóng %(name)s"\n'}, "placeholders name differ"),
    ],
)
def test_a_faulty_catalogue_would_be_found(catalogues, fault):
    found = faults_of([message("Close")], {room: catalogue(text) for room, text in catalogues.items()})
    assert any(one.startswith(fault) for one in found), found


def test_a_whole_catalogue_passes():
    assert faults_of([message("Close")], {"cases": catalogue('msgid "Close"\nmsgstr "Đóng"\n')}) == []


def test_a_computed_sentence_would_be_found():
    messages, faults = words.in_python(ast.parse("_(f'{x} is late')"), "views.py", "cases")
    assert not messages and faults


def test_messages_of_templates_are_read():
    text = (
        '{% translate "One" %}{% trans "Two" context "place" %}'
        '{{ x|default:_("Three") }}{% include "a" with t=_("Four") %}'
        "{% blocktranslate trimmed with n=count %}\n  Five {{ n }}\n  of 10%{% endblocktranslate %}"
        "{% blocktranslate count n=1 %}Six{% plural %}Sixes{% endblocktranslate %}"
    )
    found = {message.key for message in words.in_template(text, "a.html", "cases")}
    assert found == {
        (None, "One"),
        ("place", "Two"),
        (None, "Three"),
        (None, "Four"),
        (None, "Five %(n)s of 10%%"),
        (None, "Six"),
    }


def test_what_is_lacking_can_be_printed(monkeypatch):
    """A sentence of two rooms goes to the catalogue of the lower one."""
    both = [Message((None, "Close"), "a.py:1", "cases"), Message((None, "Close"), "b.py:2", "ui")]
    monkeypatch.setattr(words, "said", lambda: (both, []))
    monkeypatch.setattr(words, "catalogues", dict)
    assert words.lacking(["cases"]) == []
    assert words.lacking(["ui"]) == ['#: a.py:1\n#: b.py:2\nmsgid "Close"\nmsgstr ""\n']


def test_catalogues_declare_how_vietnamese_counts():
    wrong = [
        tree.shown(path)
        for path in tree.SOURCE.glob("*/locale/vi/LC_MESSAGES/django.po")
        if "nplurals=1; plural=0;" not in path.read_text(encoding="utf-8")
    ]
    tree.none(wrong)
