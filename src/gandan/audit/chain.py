"""How entries are bound to one another. Pure: no database, no clock."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: entries read, head hash, and the faults as (seq, code)."""

    entries: int
    head: str
    faults: tuple[tuple[int, str], ...]

    @property
    def intact(self) -> bool:
        return not self.faults


def verify(entries: Iterable[Mapping[str, Any]], *, start: str = GENESIS, first: int = 1) -> Verdict:
    """Recompute the chain over entries in order; report gaps ("gap") and altered entries ("altered")."""
    previous, expected, count = start, first, 0
    faults: list[tuple[int, str]] = []
    for entry in entries:
        if entry["seq"] != expected:
            faults.append((expected, "gap"))
        if link(previous, entry) != entry["hash"]:
            faults.append((entry["seq"], "altered"))
        previous, expected = entry["hash"], entry["seq"] + 1
        count += 1
    return Verdict(count, previous, tuple(faults))


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
