"""What the house says to people, and in which languages: messages, catalogues, and words left bare.

python -m tests.house.words [ROOM ...]     print the entries that the catalogues still lack, ready to fill in
"""

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from django.template.base import Lexer, TokenType
from django.utils.translation import trim_whitespace
from django.utils.translation.template import (
    block_re,
    constant_re,
    context_re,
    endblock_re,
    inline_re,
    plural_re,
)

from tests.house import tree

Key = tuple[str | None, str]
"""A message as a catalogue knows it: its context, if any, and its English sentence."""

_FUNCTIONS = {
    # name: (number of sentences, whether a context comes first)
    "_": (1, False),
    "gettext": (1, False),
    "gettext_lazy": (1, False),
    "gettext_noop": (1, False),
    "ngettext": (2, False),
    "ngettext_lazy": (2, False),
    "pgettext": (1, True),
    "pgettext_lazy": (1, True),
    "npgettext": (2, True),
    "npgettext_lazy": (2, True),
}


@dataclass(frozen=True)
class Message:
    """A sentence that the code says, and where."""

    key: Key
    place: str
    room: str


def in_python(module: ast.Module, place: str, room: str) -> tuple[list[Message], list[str]]:
    """Return the messages of a module, and the calls whose sentence is not written out."""
    messages, faults = [], []
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        name = tree.called(node)
        if name not in _FUNCTIONS:
            continue
        count, has_context = _FUNCTIONS[name]
        context: str | None = None
        arguments = list(node.args)
        if has_context and arguments:
            context = _constant(arguments.pop(0))
        for argument in arguments[:1]:
            sentence = _constant(argument)
            if sentence is None:
                faults.append(f"{place}:{node.lineno}: {name}() is given something else than a written sentence")
            else:
                messages.append(Message((context, sentence), f"{place}:{node.lineno}", room))
        if len(arguments) < count:
            faults.append(f"{place}:{node.lineno}: {name}() lacks a sentence")
    return messages, faults


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def in_template(text: str, place: str, room: str) -> list[Message]:
    """Return the messages of a template."""
    messages: list[Message] = []
    block: list[str] | None = None
    context: str | None = None
    trimmed = plural = False
    for token in Lexer(text).tokenize():
        where = f"{place}:{token.lineno}"
        if block is not None:
            if token.token_type == TokenType.BLOCK and endblock_re.match(token.contents):
                sentence = "".join(block)
                messages.append(Message((context, trim_whitespace(sentence) if trimmed else sentence), where, room))
                block = None
            elif token.token_type == TokenType.BLOCK and plural_re.match(token.contents):
                plural = True
            elif not plural:
                block.append(f"%({token.contents})s" if token.token_type == TokenType.VAR else _percent(token.contents))
            continue
        if token.token_type not in {TokenType.BLOCK, TokenType.VAR}:
            continue
        for quoted in constant_re.findall(token.contents):
            messages.append(Message((None, _unquoted(quoted)), where, room))
        if token.token_type == TokenType.VAR:
            continue
        if found := inline_re.match(token.contents):
            messages.append(Message((_context(found[2]), _percent(_unquoted(found[1]))), where, room))
        elif found := block_re.match(token.contents):
            block, plural = [], False
            trimmed = "trimmed" in token.split_contents()
            context = _context(found[1])
    return messages


def _context(text: str | None) -> str | None:
    found = context_re.match(text or "")
    return _unquoted(found[1]) if found else None


def _unquoted(text: str) -> str:
    text = text.removeprefix("_(").removesuffix(")").strip()
    return text[1:-1] if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0] else text


def _percent(text: str) -> str:
    return text.replace("%", "%%")


def said() -> tuple[list[Message], list[str]]:
    """Return every message of the house, and what keeps a sentence from being found."""
    messages, faults = [], []
    for path, module in tree.modules().items():
        found, wrong = in_python(module, tree.shown(path), tree.room_of(path))
        messages += found
        faults += wrong
    for path in tree.templates().values():
        messages += in_template(path.read_text(encoding="utf-8"), tree.shown(path), tree.room_of(path))
    return messages, faults


def catalogues(language: str = "vi") -> dict[str, Catalog]:
    """Return the catalogue of each room in a language."""
    found = {}
    for path in sorted(tree.SOURCE.glob(f"*/locale/{language}/LC_MESSAGES/django.po")):
        with path.open("rb") as file:
            found[tree.room_of(path)] = read_po(file, locale=language, abort_invalid=True)
    return found


# Words left bare

# Names of their own, the same in every language.
NAMES = ("Gần Dân", "Mường Sương", "Lai Châu", "Tiếng Việt", "English", "Asia/Ho_Chi_Minh", "Việt Nam")
# A citation is the name of a decision.
_CITATION = re.compile(r"(Nghị quyết|Nghị định|Thông tư|Quyết định|Luật)( số)? \d+/\d{4}/[\w-]+")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_VIETNAMESE = re.compile("[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE)
_SPOKEN_ATTRIBUTES = {"alt", "title", "aria-label", "aria-description", "placeholder", "data-l", "label"}
_UNTRANSLATED_ELEMENTS = {"script", "style", "code", "kbd", "svg", "samp"}
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_SENTENCE_CALLS = {"Refused", "ValidationError"}
_SENTENCE_WORDS = {"label", "help_text", "verbose_name", "verbose_name_plural", "empty_label"}


def speaks(text: str) -> bool:
    """Say whether a text holds a word that would have to be translated."""
    return bool(_LETTERS.search(_without_names(text)))


def _without_names(text: str) -> str:
    for name in NAMES:
        text = text.replace(name, "")
    return _CITATION.sub("", text)


class _BareText(HTMLParser):
    """Collects what a person would read, except inside translate="no", lang="…" and code."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[int, str]] = []
        self.silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._attributes(tag, attrs)
        if tag in _VOID:
            return
        exempt = ("translate", "no") in attrs or (tag != "html" and any(name == "lang" for name, _ in attrs))
        if self.silent or exempt or tag in _UNTRANSLATED_ELEMENTS:
            self.silent.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._attributes(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.silent:
            while self.silent.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.silent and speaks(data):
            self.found.append((self.getpos()[0], " ".join(data.split())))

    def _attributes(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.silent or ("translate", "no") in attrs:
            return
        spoken = _SPOKEN_ATTRIBUTES | ({"value"} if tag == "input" and ("type", "submit") in attrs else set())
        for name, value in attrs:
            if name in spoken and value and speaks(value):
                self.found.append((self.getpos()[0], f"{name}: {value}"))
        if tag == "meta" and ("name", "description") in attrs:
            self.found += [(self.getpos()[0], v) for n, v in attrs if n == "content" and v and speaks(v)]


def bare_in_template(text: str) -> list[tuple[int, str]]:
    """Return (line, words) of text that a template shows without asking the catalogue."""
    parts: list[str] = []
    translating = commented = False
    for token in Lexer(text).tokenize():
        if token.token_type == TokenType.BLOCK:
            word = token.contents.split()[0] if token.contents.split() else ""
            translating = word in {"blocktranslate", "blocktrans"} or (
                translating and word not in {"endblocktranslate", "endblocktrans"}
            )
            commented = word in {"comment", "verbatim"} or (commented and word not in {"endcomment", "endverbatim"})
            parts.append("\n" * token.contents.count("\n"))
        elif token.token_type == TokenType.TEXT and not translating and not commented:
            parts.append(token.contents)
        elif token.token_type == TokenType.VAR:
            parts.append("0")
        else:
            parts.append("\n" * token.contents.count("\n"))
    reader = _BareText()
    reader.feed("".join(parts))
    reader.close()
    return reader.found


def bare_in_python(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Return (line, words) of sentences that Python says to people without asking the catalogue.

    These are words with Vietnamese letters anywhere but in docstrings, and written words given as a label,
    help text, refusal or message.
    """
    exempt = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
    exempt |= {
        id(argument)
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and tree.called(node) in _FUNCTIONS
        for argument in node.args
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in exempt:
            if speaks(node.value) and _VIETNAMESE.search(_without_names(node.value)) and not _says_both(node.value):
                yield node.lineno, node.value
        elif isinstance(node, ast.Call):
            yield from _bare_arguments(node)


def _says_both(text: str) -> bool:
    """Say whether a text is a whole page of its own that speaks both languages, for when all else has failed."""
    return text.startswith("<!DOCTYPE html>") and 'lang="vi"' in text and 'lang="en"' in text


def _bare_arguments(call: ast.Call) -> Iterator[tuple[int, str]]:
    name = tree.called(call)
    spoken: list[ast.expr] = [word.value for word in call.keywords if word.arg in _SENTENCE_WORDS]
    if name in _SENTENCE_CALLS:
        spoken += call.args[:1]
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(owner, ast.Name) and owner.id == "messages":
        spoken += call.args[1:2]
    for argument in spoken:
        for node in _written(argument):
            if speaks(node.value):
                yield node.lineno, node.value


def _written(node: ast.expr) -> Iterator[ast.Constant]:
    """Return the words that an expression writes out itself."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node
        return
    parts = {
        ast.JoinedStr: ("values",),
        ast.BinOp: ("left", "right"),
        ast.BoolOp: ("values",),
        ast.IfExp: ("body", "orelse"),
        ast.List: ("elts",),
        ast.Tuple: ("elts",),
        ast.Dict: ("values",),
    }.get(type(node), ())
    for name in parts:
        found = getattr(node, name)
        for part in found if isinstance(found, list) else [found]:
            yield from _written(part)


def placeholders(text: str | Iterable[str]) -> set[str]:
    """Return the named places of a sentence: %(name)s and {name}."""
    sentence = text if isinstance(text, str) else " ".join(text)
    return set(re.findall(r"%\((\w+)\)[sd]", sentence)) | set(re.findall(r"(?<!{){(\w*)}(?!})", sentence))


def place(path: Path, line: int, words: str) -> str:
    return f"{tree.shown(path)}:{line}: {words[:90]}"


def lacking(rooms: Iterable[str]) -> list[str]:
    """Return the entries that no catalogue has, each with the places that say it, for the rooms named (or all)."""
    translated = {
        (entry.context, entry.id if isinstance(entry.id, str) else entry.id[0])
        for catalogue in catalogues().values()
        for entry in catalogue
        if entry.id and entry.string and not entry.fuzzy
    }
    wanted = set(rooms) or set(tree.rooms())
    places: dict[Key, list[Message]] = {}
    for message in said()[0]:
        if message.key not in translated:
            places.setdefault(message.key, []).append(message)
    entries = []
    for (context, sentence), found in places.items():
        # A sentence that several rooms say belongs to the lowest of them.
        if min((message.room for message in found), key=tree.height) not in wanted:
            continue
        lines = [f"#: {message.place}" for message in found]
        lines += [f"msgctxt {json.dumps(context, ensure_ascii=False)}"] if context else []
        lines += [f"msgid {json.dumps(sentence, ensure_ascii=False)}", 'msgstr ""', ""]
        entries.append("\n".join(lines))
    return entries


if __name__ == "__main__":
    from django.conf import settings

    settings.configure()
    print("\n".join(lacking(sys.argv[1:])))
