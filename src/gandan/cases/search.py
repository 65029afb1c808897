"""Finding matters as people type: with diacritics or without, đ or d, in either Unicode form."""

import unicodedata
from typing import Any

from django.db.models import Q


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
    """Narrow rows of matters to those that hold every word of `text` (or one that begins with it), or whose
    reference it is. Nothing but spaces narrows nothing; a text without letters or digits finds nothing.

    The same rows on both engines: the words were folded to plain letters and digits when they were stored.
    """
    if not text.strip():
        return rows
    words = fold(text).split()
    condition = Q(pk__in=[]) if not words else Q()
    for word in words:
        condition &= Q(folded__contains=f" {word}")
    reference = reference_in(text)
    return rows.filter(condition | Q(reference=reference) if reference else condition)
