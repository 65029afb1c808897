"""Holding off those who guess codes, without keeping anybody's address.

Failures are counted in buckets that all processes share. A bucket's name is a keyed hash, under a key outside the
database, of another one whose key is drawn when the server starts, lives in memory and gives other names every day:
what stands in the table leads back to nobody, and is deleted once the bucket is full again.
"""

import secrets
from datetime import datetime

from gandan.accounts import limits

PER_SOURCE_AN_HOUR = 10
ALTOGETHER_A_MINUTE = 60
_BURST, _RATE = 10, 0.99
"""At most burst and rate together within any hour: fewer than eleven, so ten."""
_ALL_BURST, _ALL_RATE = 30, 30 * 60
"""Thirty at once and thirty more in a minute."""
_ALL = "everybody"


class Guesses:
    """Failed tries by source and altogether. A source is one name, or two around midnight, when names change."""

    def __init__(self, name: str | None = None) -> None:
        self._name = secrets.token_hex(8) if name is None else name

    def begin(self, source: str, at: datetime) -> bool:
        """Take a try of a source; say whether there was one, or the source, or all together, must wait.

        It is taken before the code is looked at: of many at one moment none slips through while the first is still
        being counted. Call this, `right` and `wrong` outside a transaction.
        """
        if not limits.look(self._bucket("codes"), _ALL, _ALL_RATE, _ALL_BURST, at):
            return False
        taken: list[str] = []
        for name in source.split():
            if not limits.take(self._bucket("code"), name, _RATE, _BURST, at):
                self._give_back(taken, at)
                return False
            taken.append(name)
        return True

    def right(self, source: str, at: datetime) -> None:
        """Give the try back: the code was a right one."""
        self._give_back(source.split(), at)

    def wrong(self, at: datetime) -> None:
        """Count a failure with those of all others; the try stays taken."""
        limits.take(self._bucket("codes"), _ALL, _ALL_RATE, _ALL_BURST, at)

    def _give_back(self, names: list[str], at: datetime) -> None:
        for name in names:
            limits.give_back(self._bucket("code"), name, _RATE, at)

    def _bucket(self, what: str) -> str:
        return f"{what}{self._name}"


guesses = Guesses("")
