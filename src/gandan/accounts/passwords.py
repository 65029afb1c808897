"""Passwords that somebody who knows the office would try first."""

import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_OF_THE_HOUSE = ("gandan", "congan", "matkhau", "password", "canbo", "trucban", "anninh", "bocongan")
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm", "01234567890", "09876543210")
_LEFT = 6
"""Letters and digits that must remain when everything known is taken away."""


def folded(text: str) -> str:
    """Return letters and digits alone, without diacritics and case: what a guesser tries first."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return re.sub(r"[^a-z0-9]", "", plain)


class NotOfThisOffice:
    """Refuses a password that is hardly more than a name, the service's words, a year or a row of keys."""

    def validate(self, password: str, user: Any = None) -> None:
        rest = folded(password)
        for word in sorted(self._known(user), key=len, reverse=True):
            rest = rest.replace(word, "")
        rest = re.sub(r"(?:19|20)\d\d", "", rest)
        if len(_without_rows(_without_repeats(rest))) < _LEFT:
            raise ValidationError(self.get_help_text(), code="password_of_this_office")

    def get_help_text(self) -> str:
        return _(
            "Take words that have nothing to do with your name, your unit or the police, and no year or row of keys."
        )

    def _known(self, user: Any) -> set[str]:
        words = set(_OF_THE_HOUSE)
        for text in (getattr(user, "username", ""), getattr(user, "full_name", ""), *self.names(user)):
            parts = [folded(part) for part in re.split(r"[\s._@+-]+", text or "")]
            words |= {part for part in parts if len(part) >= 3} | {folded(text or "")}
        words.discard("")
        return words

    def names(self, user: Any) -> list[str]:
        """Return further names that are easily guessed; a room above knows the units."""
        return []


def _without_repeats(text: str) -> str:
    return re.sub(r"(.+?)\1+", r"\1", text)


def _without_rows(text: str) -> str:
    for row in _ROWS:
        for length in range(len(row), 3, -1):
            for begin in range(len(row) - length + 1):
                text = text.replace(row[begin : begin + length], "")
    return text
