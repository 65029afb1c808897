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


def matching(rows: Any, text: str) -> Any:
    """Narrow rows of matters to those that hold every word of `text`, or whose reference it is."""
    reference = text.strip().upper().replace(" ", "")
    words = fold(text).split()
    if not words:
        return rows
    condition = Q()
    for word in words:
        condition &= Q(folded__contains=f" {word}")
    return rows.filter(condition | Q(reference=reference))
