"""What a database holds, as numbers that two engines agree on.

The digest of a table is the sum of the SHA-256 of its rows, modulo 2²⁵⁶: whatever the order in which they are read,
and whether SQLite or PostgreSQL holds them. A row is spelled column by column, in the order of the columns' names:
texts with their length, instants in UTC to the microsecond, decimals with all their places, JSON with sorted keys.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import models

BATCH = 5000
_KINDS = {
    "BooleanField": "bool",
    "UUIDField": "uuid",
    "DateTimeField": "instant",
    "DateField": "date",
    "TimeField": "time",
    "JSONField": "json",
    "FloatField": "real",
    "BinaryField": "bytes",
    "DurationField": "duration",
}
_WHOLE_NUMBERS = ("IntegerField", "AutoField", "BigAutoField", "SmallAutoField", "BigIntegerField")


@dataclass(frozen=True, slots=True)
class Table:
    """A table and what each of its columns holds, sorted by name: text, int, bool, uuid, instant, date, time, json,
    real, bytes, or decimal:N with N places."""

    name: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Content:
    """How many rows a table holds, and their digest (64 hex digits)."""

    rows: int
    digest: str


def tables() -> list[Table]:
    """Return the tables of this version, the framework's own included; migrations are listed apart."""
    found: dict[str, Table] = {}
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            columns = sorted((str(field.column), kind_of(field)) for field in model._meta.local_concrete_fields)
            found[model._meta.db_table] = Table(model._meta.db_table, tuple(columns))
    return [found[name] for name in sorted(found)]


def kind_of(field: Any) -> str:
    """Return what a column holds. Raises TypeError for a kind that nobody has spelled yet."""
    while getattr(field, "remote_field", None) and isinstance(field, models.ForeignKey):
        field = field.target_field
    name = field.get_internal_type()
    if name in _KINDS:
        return _KINDS[name]
    if name == "DecimalField":
        return f"decimal:{field.decimal_places}"
    if name in _WHOLE_NUMBERS or name.startswith(("Positive", "Small")):
        return "int"
    if name in {"CharField", "TextField", "SlugField", "EmailField", "URLField", "FileField", "GenericIPAddressField"}:
        return "text"
    raise TypeError(f"{field} holds a {name}, which has no spelling here")


def present(raw: Any, wanted: Iterable[Table]) -> list[Table]:
    """Return the wanted tables with the columns that this database has: an older schema has fewer."""
    has = _columns(raw)
    return [
        Table(table.name, tuple(pair for pair in table.columns if pair[0] in has[table.name]))
        for table in wanted
        if table.name in has
    ]


def contents(raw: Any, wanted: Iterable[Table]) -> dict[str, Content]:
    """Return what each table holds. `raw` is a connection of sqlite3 or psycopg; for one instant of a database that
    is written to, it stands in a snapshot."""
    return {table.name: content(raw, table) for table in wanted}


def content(raw: Any, table: Table) -> Content:
    total = count = 0
    sha256, number = hashlib.sha256, int.from_bytes
    places = [place for place, (_, kind) in enumerate(table.columns) if kind in _SPELLED_HERE]
    spell = [_SPELLED_HERE.get(kind) for _, kind in table.columns]
    for row in rows(raw, table):
        if places:
            row = list(row)
            for place in places:
                row[place] = spell[place](row[place])  # type: ignore[misc]
        total += number(sha256("".join(row).encode()).digest(), "big")
        count += 1
    return Content(count, f"{total % (1 << 256):064x}")


def rows(raw: Any, table: Table) -> Iterator[Any]:
    """Yield the rows of a table, each column as text; memory does not grow with them."""
    engine = "sqlite" if isinstance(raw, sqlite3.Connection) else "postgresql"
    columns = ", ".join(_expression(engine, f'"{column}"', kind) for column, kind in table.columns)
    yield from stream(raw, f'SELECT {columns} FROM "{table.name}"')  # noqa: S608 - names of our own tables


def stream(raw: Any, statement: str) -> Iterator[Any]:
    """Yield the rows of a statement in batches, from a cursor that stays in the database."""
    if isinstance(raw, sqlite3.Connection):
        cursor = sqlite3.Connection.cursor(raw)
        cursor.execute(statement)
        while batch := cursor.fetchmany(BATCH):
            yield from batch
        return
    with raw.cursor(name="gandan_stream") as cursor:
        cursor.itersize = BATCH
        cursor.execute(statement)
        while batch := cursor.fetchmany(BATCH):
            yield from batch


def differences(one: Mapping[str, Content], other: Mapping[str, Content]) -> list[str]:
    """Return a sentence for each table that does not hold the same in both."""
    faults = []
    for name in sorted({*one, *other}):
        left, right = one.get(name), other.get(name)
        if left is None or right is None:
            faults.append(f"table {name} is missing on one side")
        elif left.rows != right.rows:
            faults.append(f"table {name} holds {right.rows} rows, not {left.rows}")
        elif left.digest != right.digest:
            faults.append(f"table {name} holds other rows")
    return faults


def _expression(engine: str, column: str, kind: str) -> str:
    """Return the SQL that spells a column as text. "-" is the absence of a value; it ends no other spelling."""
    if kind in _SPELLED_HERE:
        return f"{column}::text" if engine == "postgresql" else column
    base, _, places = kind.partition(":")
    text = _SPELLINGS[engine][base].replace("{c}", column).replace("{places}", places)
    return f"CASE WHEN {column} IS NULL THEN '-' ELSE {text} END"


_SPELLINGS = {
    "sqlite": {
        "text": "length({c}) || ':' || {c}",
        "int": "CAST({c} AS TEXT) || ','",
        "bool": "CAST({c} AS TEXT) || ','",
        "uuid": "{c} || ','",
        "instant": "{c} || CASE WHEN length({c}) = 19 THEN '.000000,' ELSE ',' END",
        "date": "{c} || ','",
        "time": "{c} || CASE WHEN length({c}) = 8 THEN '.000000,' ELSE ',' END",
        "decimal": "printf('%.{places}f,', {c})",
        "bytes": "lower(hex({c})) || ','",
        "duration": "CAST({c} AS TEXT) || ','",
    },
    "postgresql": {
        "text": "length({c}) || ':' || {c}",
        "int": "{c} || ','",
        "bool": "{c}::int || ','",
        "uuid": "replace({c}::text, '-', '') || ','",
        "instant": "to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US,')",
        "date": "to_char({c}, 'YYYY-MM-DD,')",
        "time": "to_char({c}, 'HH24:MI:SS.US,')",
        "decimal": "round({c}, {places}) || ','",
        "bytes": "encode({c}, 'hex') || ','",
        "duration": "(extract(epoch FROM {c}) * 1000000)::bigint || ','",
    },
}


@lru_cache(maxsize=4096)
def _json(text: str | None) -> str:
    if text is None:
        return "-"
    spelled = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"{len(spelled)}:{spelled}"


def _real(value: Any) -> str:
    return "-" if value is None else f"{float(value)!r},"


_SPELLED_HERE: dict[str, Any] = {"json": _json, "real": _real}


def _columns(raw: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    if isinstance(raw, sqlite3.Connection):
        names = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()]
        for name in names:
            found[name] = {row[1] for row in raw.execute(f'PRAGMA table_info("{name}")').fetchall()}
        return found
    listed = raw.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    )
    for name, column in listed.fetchall():
        found.setdefault(name, set()).add(column)
    return found
