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
    """Failed tries by source and altogether."""

    def __init__(self, name: str | None = None) -> None:
        self._name = secrets.token_hex(8) if name is None else name

    def too_many(self, source: str, at: datetime) -> bool:
        """Say whether a source, or all together, must wait."""
        own = limits.look(self._bucket("code"), source, _RATE, _BURST, at)
        return not own or not limits.look(self._bucket("codes"), _ALL, _ALL_RATE, _ALL_BURST, at)

    def failed(self, source: str, at: datetime) -> None:
        """Count one failure. Call it outside a transaction."""
        limits.take(self._bucket("code"), source, _RATE, _BURST, at)
        limits.take(self._bucket("codes"), _ALL, _ALL_RATE, _ALL_BURST, at)

    def _bucket(self, what: str) -> str:
        return f"{what}{self._name}"


guesses = Guesses("")
