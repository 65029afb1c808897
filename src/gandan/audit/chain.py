"""How entries are bound to one another. Pure: no database, no clock."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring as _quoted
from typing import Any
from uuid import UUID

VERSION = b"\x01"
GENESIS = "0" * 64
FIELDS = (
    "seq",
    "at",
    "actor_id",
    "grant_id",
    "capability",
    "action",
    "object_type",
    "object_id",
    "unit_id",
    "reason",
    "commitment",
)
SPELLED = (*FIELDS, "hash")
"""The columns of an entry as text, in the order in which `verify` reads them."""
WORST = 1000
"""How many faults are told one by one; a chain with more is broken, and says how many it has."""

Spelled = Sequence[Any]
"""One entry by `SPELLED`: seq an int, at as UTC text to the microsecond, ids as 32 hex digits or None."""


def canonical(values: Mapping[str, Any]) -> bytes:
    """Return the one spelling of `values`: sorted keys, no spaces, UTC to the microsecond, UTF-8."""
    return json.dumps(
        {key: _plain(value) for key, value in values.items()},
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()


def link(previous: str, entry: Mapping[str, Any]) -> str:
    """Return the hash of an entry that follows `previous` (hex SHA-256 of previous ‖ version ‖ entry)."""
    row = {name: entry[name] for name in FIELDS}
    return hashlib.sha256(bytes.fromhex(previous) + VERSION + canonical(row)).hexdigest()


def commit(key: bytes, values: Mapping[str, Any]) -> str:
    """Return a keyed commitment to `values`; without the key it tells nothing about them."""
    return hmac.new(key, canonical(values), hashlib.sha256).hexdigest()


def spell(entry: Mapping[str, Any]) -> Spelled:
    """Return an entry as `verify` reads it."""
    return tuple(_plain(entry[name]) for name in SPELLED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: entries read, the last number and hash, and the faults as (seq, code).

    The codes: gap, altered, head (the head row tells another end), rewritten, truncated, signature, instance
    and checkpoint (see `gandan.audit.checkpoints`).
    """

    entries: int
    head: str
    faults: tuple[tuple[int, str], ...]
    last: int = 0

    @property
    def intact(self) -> bool:
        return not self.faults


class Reading:
    """A verification under way: bounded memory, whatever the length of the chain.

    `expected` maps numbers to the hashes that checkpoints or the head row promise for them.
    """

    def __init__(self, *, start: str = GENESIS, first: int = 1, expected: Mapping[int, Iterable[str]] | None = None):
        self.previous = start
        self.next = first
        self.entries = 0
        self.faults: list[tuple[int, str]] = []
        self._expected = {number: frozenset(hashes) for number, hashes in (expected or {}).items()}

    def read(self, rows: Iterable[Spelled]) -> None:
        """Check the next rows, in order of their numbers."""
        previous, following, count, digest = _bytes(self.previous), self.next, 0, self.previous
        sha256, expected, quoted = hashlib.sha256, self._expected, _quoted
        for row in rows:
            seq, at, actor, grant, capability, action, kind, thing, unit, reason, commitment, digest = row
            if seq != following:
                self._fault(following, "gap")
            try:
                # The canonical spelling, written out: keys in order, as `canonical` gives them.
                text = (
                    f'{{"action":{quoted(action)},"actor_id":{_id(actor)},"at":"{at}","capability":{quoted(capability)}'
                    f',"commitment":{quoted(commitment)},"grant_id":{_id(grant)},"object_id":{_id(thing)}'
                    f',"object_type":{quoted(kind)},"reason":{quoted(reason)},"seq":{seq:d},"unit_id":{_id(unit)}}}'
                )
                whole = sha256(previous + VERSION + text.encode()).hexdigest() == digest
            except (TypeError, ValueError):
                whole = False  # a column holds what no entry ever held
            if not whole:
                self._fault(seq, "altered")
            if expected and seq in expected and any(digest != promised for promised in expected[seq]):
                self._fault(seq, "rewritten")
            previous, following = _bytes(digest), (seq + 1 if isinstance(seq, int) else following + 1)
            count += 1
        self.previous, self.next, self.entries = digest, following, self.entries + count

    def verdict(self) -> Verdict:
        return Verdict(self.entries, self.previous, tuple(self.faults), self.next - 1)

    def _fault(self, seq: int, code: str) -> None:
        if len(self.faults) < WORST:
            self.faults.append((seq, code))


def verify(entries: Iterable[Mapping[str, Any]], *, start: str = GENESIS, first: int = 1) -> Verdict:
    """Recompute the chain over entries in order; report gaps ("gap") and altered entries ("altered")."""
    reading = Reading(start=start, first=first)
    reading.read(_spelled(entries))
    return reading.verdict()


def _spelled(entries: Iterable[Mapping[str, Any]]) -> Iterator[Spelled]:
    for entry in entries:
        yield spell(entry)


def _id(text: str | None) -> str:
    return "null" if text is None else f'"{text}"'


def _bytes(digest: Any) -> bytes:
    try:
        return bytes.fromhex(digest)
    except (TypeError, ValueError):
        return b""  # no hash at all: this entry and the next one are faults


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, UUID):
        return value.hex
    if value is None or isinstance(value, str | int | bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    return str(value)
