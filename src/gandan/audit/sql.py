"""The record as text, straight from the database: what the verification reads, and what a bundle holds."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from django.db import connections

from gandan.access.sql import added, insertion
from gandan.audit.chain import GENESIS, Spelled

if TYPE_CHECKING:
    from gandan.audit.models import AuditEntry

BATCH = 5000
_ENTRY, _HEAD = "audit_auditentry", "audit_audithead"


def locked_head() -> tuple[int, str] | None:
    """Lock the end of the record until the transaction ends and return its number and hash; None before the first."""
    with connections["default"].cursor() as cursor:
        lock = " FOR UPDATE" if cursor.db.vendor == "postgresql" else ""
        cursor.execute(f"SELECT seq, hash FROM {_HEAD} WHERE id = 1{lock}")  # noqa: S608 - our own names
        row = cursor.fetchone()
    return (row[0], row[1]) if row else None


def append(entries: "Sequence[AuditEntry]") -> None:
    """Add bound entries and move the head to the last; on PostgreSQL at once, while others wait at the head."""
    last, (insert, values) = entries[-1], insertion(entries)
    move = f"UPDATE {_HEAD} SET seq = %s, hash = %s WHERE id = 1"  # noqa: S608 - our own names
    with connections["default"].cursor() as cursor:
        if cursor.db.vendor == "postgresql":
            cursor.execute(f"WITH moved AS ({move}) {insert}", [last.seq, last.hash, *values])
        else:
            cursor.execute(insert, values)
            cursor.execute(move, [last.seq, last.hash])
    added(entries)


def entries(*, after: int = 0, upto: int | None = None, using: str = "default") -> Iterator[Spelled]:
    """Yield the entries with a number above `after`, up to `upto`, in order, as `chain.SPELLED` lists them.

    Read from a cursor that stays in the database: memory does not grow with the record.
    """
    connection = connections[using]
    select = _SQLITE if connection.vendor == "sqlite" else _POSTGRESQL
    limit = "" if upto is None else f" AND seq <= {upto:d}"
    with connection.chunked_cursor() as cursor:
        cursor.execute(f"{select} FROM {_ENTRY} WHERE seq > {after:d}{limit} ORDER BY seq")
        while rows := cursor.fetchmany(BATCH):
            yield from rows


def head(using: str = "default") -> tuple[int, str]:
    """Return the number and hash of the last entry, as the head row tells them."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT seq, hash FROM {_HEAD} WHERE id = 1")  # noqa: S608 - a constant
        row = cursor.fetchone()
    return (row[0], row[1]) if row else (0, GENESIS)


def hash_at(seq: int, using: str = "default") -> str:
    """Return the stored hash of one entry, or "" when it is not there."""
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT hash FROM {_ENTRY} WHERE seq = {seq:d}")  # noqa: S608 - a number
        row: Any = cursor.fetchone()
    return str(row[0]) if row else ""


def _instant_sqlite(column: str) -> str:
    """An instant as Django stores it ("2026-11-23 02:00:00" or with six digits more) in the one spelling; anything
    else stays as it is, and so is found."""
    return (
        f"CASE WHEN {column} GLOB '????-??-?? ??:??:??' THEN substr({column}, 1, 10) || 'T' || substr({column}, 12)"
        f" || '.000000Z' WHEN {column} GLOB '????-??-?? ??:??:??.??????'"
        f" THEN substr({column}, 1, 10) || 'T' || substr({column}, 12) || 'Z' ELSE {column} END"
    )


_SQLITE = (
    f"SELECT seq, {_instant_sqlite('at')}, actor_id, grant_id, capability, action, object_type, object_id,"
    " unit_id, reason, commitment, hash"
)
_POSTGRESQL = (
    "SELECT seq, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
    " replace(actor_id::text, '-', ''), replace(grant_id::text, '-', ''), capability, action, object_type,"
    " replace(object_id::text, '-', ''), replace(unit_id::text, '-', ''), reason, commitment, hash"
)


# Counting changes, see `completeness`

_COUNT = "audit_change_count"


def count_changes(tables: Sequence[tuple[str, Iterable[str]]], record: str, using: str) -> None:
    """Install triggers that count the changes of each table, and the entries added to the record.

    PostgreSQL keeps a row for each change with its transaction, so that writers never wait for one another;
    SQLite, which lets one writer in at a time, keeps a sum for each table.
    """
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {_COUNT} (tab text PRIMARY KEY, n integer NOT NULL)")
        else:
            cursor.execute(f"CREATE TABLE IF NOT EXISTS {_COUNT} (tab text NOT NULL, txn bigint NOT NULL)")
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {_COUNT}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"  # noqa: S608 - a constant
                f" INSERT INTO {_COUNT} VALUES (TG_TABLE_NAME, txid_current()); RETURN NULL; END $$"
            )
        for table, columns in [*tables, (record, ())]:
            for event in ("insert", "update", "delete") if table != record else ("insert",):
                of = " OF " + ", ".join(f'"{c}"' for c in columns) if event == "update" and columns else ""
                name = f"{table}_count_{event}"
                if connection.vendor == "sqlite":
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{name}"')
                    cursor.execute(
                        f'CREATE TRIGGER "{name}" AFTER {event.upper()}{of} ON "{table}" BEGIN'  # noqa: S608 - our own names
                        f" INSERT INTO {_COUNT} VALUES ('{table}', 1) ON CONFLICT (tab) DO UPDATE SET n = n + 1; END"
                    )
                else:
                    cursor.execute(f'DROP TRIGGER IF EXISTS "{name}" ON "{table}"')
                    cursor.execute(
                        f'CREATE TRIGGER "{name}" AFTER {event.upper()}{of} ON "{table}"'
                        f" FOR EACH ROW EXECUTE FUNCTION {_COUNT}()"
                    )


def stop_counting(tables: Sequence[str], record: str, using: str) -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        for table in [*tables, record]:
            for event in ("insert", "update", "delete"):
                on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
                cursor.execute(f'DROP TRIGGER IF EXISTS "{table}_count_{event}"{on}')
        cursor.execute(f"DROP TABLE IF EXISTS {_COUNT}")


def change_counts(using: str) -> dict[str, int]:
    connection = connections[using]
    what = "tab, n" if connection.vendor == "sqlite" else "tab, count(*)"
    group = "" if connection.vendor == "sqlite" else " GROUP BY tab"
    # The driver's own cursor: the counting is no query of the code that is watched.
    with contextlib.closing(connection.connection.cursor()) as cursor:
        cursor.execute(f"SELECT {what} FROM {_COUNT}{group}")  # noqa: S608 - constants
        return dict(cursor.fetchall())
