"""Finding matters as people type: with diacritics or without, đ or d, in either Unicode form."""

import unicodedata
from typing import Any

from gandan.cases import word_index


def fold(text: str) -> str:
    """Return lower-case letters and digits of `text` without marks, đ as d, one space between words.

    The same for both Unicode forms of the same text, so that it needs no engine's own folding.
    """
    plain = unicodedata.normalize("NFD", text.lower()).replace("đ", "d")
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join("".join(c if c.isascii() and c.isalnum() else " " for c in bare).split())


def index_text(*texts: str) -> str:
    """Return what is stored beside a matter for searching, with spaces at both ends of every word."""
    return f" {fold(' '.join(texts))} "


def reference_in(text: str) -> str:
    """Return the reference that somebody typed, however they spaced it, or an empty string."""
    letters = "".join(c for c in text.upper() if c.isascii() and c.isalnum())
    letters = letters.removeprefix("GD") if len(letters) == 10 else letters
    return f"GD-{letters[:4]}-{letters[4:]}" if len(letters) == 8 else ""


def matching(rows: Any, text: str) -> Any:
    """Narrow rows of matters to those whose reference was typed; else to those that hold the words side by side; else,
    where there are none, to those that hold all of them. The last word may be incomplete; so may each, in the last
    way. Nothing but spaces narrows nothing; a text without letters or digits finds nothing.

    The same rows on both engines: the words were folded to plain letters and digits when they were stored. Narrow by
    everything else first, for what is found decides which way counts.
    """
    if not text.strip():
        return rows
    reference = reference_in(text)
    if reference and (named := rows.filter(reference=reference)).exists():
        return named
    words = fold(text).split()
    if not words:
        return rows.none()
    found = word_index.holding(rows, words, together=True) if len(words) > 1 else None
    if found is None:
        found = word_index.holding(rows, words, together=False)
    return rows.none() if found is None else found
