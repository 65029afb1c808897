"""From one engine to the other, with nothing lost: every table's digest is the same before and after.

The source is read in one piece while nobody can write to it, and is not changed. The target must be empty, and is
emptied again when anything fails.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from gandan.audit import triggers, verifying
from gandan.cases import word_index
from gandan.config import database, digests
from gandan.config.backup import databases
from gandan.config.backup.archive import BROKEN, NOT_EMPTY
from gandan.config.exits import OK, REFUSED, CommandError

TARGET = "target"
_BATCH = 2000


def move(to: str) -> int:
    """Copy the whole database to `to`, an address of PostgreSQL or a path for SQLite, and verify it there.

    Raises CommandError: the same engine, a target that is not empty, or a copy that differs.
    """
    values, vendor = _target(to)
    if vendor == connection.vendor:
        raise CommandError(f"this installation uses {vendor} already; name an address of the other engine", REFUSED)
    _refuse_what_is_not_migrated()
    began = time.monotonic()
    tables = digests.tables()
    with databases.known(values, TARGET) as using:
        try:
            call_command("migrate", database=using, verbosity=0, interactive=False)
            connections[using].close()
            with _still() as source:
                rows = _fill(source, values, vendor, tables)
                before = digests.contents(source, tables)
            triggers.install(using)
            word_index.rebuild(using)
            databases.refill_sequences(using)
            _verify(before, using, tables)
        except BaseException:
            _take_out(using, values, vendor)
            raise
    where = f"DATABASE_URL={_without_password(to)}" if vendor == "postgresql" else f"DATABASE_URL= (empty) and {to}"
    print(f"Moved {rows} rows in {len(tables)} tables in {time.monotonic() - began:.1f} s: every digest is the same.")
    print(f"The source was not changed. Start Gần Dân with {where}; keep the keys and files where they are.")
    return OK


def _target(to: str) -> tuple[dict[str, Any], str]:
    if to.startswith(("postgresql://", "postgres://")):
        values = database.postgresql(to)
        try:
            with psycopg.connect(**databases.address(values)) as raw:
                found = raw.execute(
                    "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()"
                ).fetchone()
        except psycopg.OperationalError as error:
            raise CommandError(f"{_without_password(to)} cannot be reached: {str(error).splitlines()[0]}") from None
        if found and found[0]:
            raise CommandError(f"{_without_password(to)} is not empty; name a database without tables", NOT_EMPTY)
        return values, "postgresql"
    path = Path(to).expanduser().absolute()
    if path.exists() and path.stat().st_size:
        raise CommandError(f"{path} exists already; name a new file", NOT_EMPTY)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return database.sqlite(path), "sqlite"


def _refuse_what_is_not_migrated() -> None:
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise CommandError(
            f"the database is older than this version ({waiting[0][0]} is not applied): start Gần Dân once, then move",
            REFUSED,
        )


@contextmanager
def _still() -> Iterator[Any]:
    """Give the driver's connection to the source while nobody writes to it."""
    values = settings.DATABASES["default"]
    if connection.vendor == "sqlite":
        with databases.opened_sqlite(Path(values["NAME"]), "rw") as raw:
            raw.isolation_level = None
            raw.execute("BEGIN IMMEDIATE")
            try:
                yield raw
            finally:
                raw.execute("ROLLBACK")
        return
    with psycopg.connect(**databases.address(values)) as opened:
        opened.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # Every act writes its entry behind this row: who waits for it changes nothing meanwhile.
        opened.execute("LOCK TABLE audit_audithead IN SHARE MODE")
        yield opened
        opened.rollback()


def _fill(source: Any, values: dict[str, Any], vendor: str, tables: list[digests.Table]) -> int:
    if vendor == "sqlite":
        with databases.opened_sqlite(Path(values["NAME"]), "rw") as goal:
            goal.execute("PRAGMA foreign_keys=OFF")
            with goal:
                for name, _ in _trigger_names():
                    goal.execute(f'DROP TRIGGER IF EXISTS "{name}"')
                for table in tables:
                    goal.execute(f'DELETE FROM "{table.name}"')  # noqa: S608 - our own names
                return sum(_to_sqlite(source, goal, table) for table in tables)
    with psycopg.connect(**databases.address(values)) as opened:
        opened.execute("SET TIME ZONE 'UTC'")
        for name, on in _trigger_names():
            opened.execute(f'DROP TRIGGER IF EXISTS "{name}" ON "{on}"'.encode())
        names = ", ".join(f'"{table.name}"' for table in tables)
        opened.execute(f"TRUNCATE {names}".encode())
        return sum(_to_postgresql(source, opened, table) for table in tables)


def _to_postgresql(source: sqlite3.Connection, goal: Any, table: digests.Table) -> int:
    columns = ", ".join(f'"{name}"' for name, _ in table.columns)
    count = 0
    with goal.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({columns}) FROM STDIN'.encode()) as copy:
        for row in digests.stream(source, f'SELECT {columns} FROM "{table.name}"'):  # noqa: S608 - our own names
            copy.write_row(row)
            count += 1
    return count


def _to_sqlite(source: Any, goal: sqlite3.Connection, table: digests.Table) -> int:
    columns = ", ".join(f'"{name}"' for name, _ in table.columns)
    told = ", ".join(_STORED_BY_SQLITE.get(kind.partition(":")[0], "{c}").replace("{c}", f'"{name}"')
                     for name, kind in table.columns)  # fmt: skip
    places = ", ".join("?" for _ in table.columns)
    into = f'INSERT INTO "{table.name}" ({columns}) VALUES ({places})'  # noqa: S608 - our own names
    batch: list[Any] = []
    count = 0
    for row in digests.stream(source, f'SELECT {told} FROM "{table.name}"'):  # noqa: S608 - our own names
        batch.append(row)
        if len(batch) == _BATCH:
            goal.executemany(into, batch)
            count, batch = count + len(batch), []
    goal.executemany(into, batch)
    return count + len(batch)


_STORED_BY_SQLITE = {
    "uuid": "replace({c}::text, '-', '')",
    "instant": "regexp_replace(to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), '\\.000000$', '')",
    "date": "{c}::text",
    "time": "regexp_replace(to_char({c}, 'HH24:MI:SS.US'), '\\.000000$', '')",
    "bool": "{c}::int",
    "json": "{c}::text",
    "decimal": "{c}::text",
    "duration": "(extract(epoch FROM {c}) * 1000000)::bigint",
}


def _trigger_names() -> list[tuple[str, str]]:
    return [(trigger.name, trigger.model._meta.db_table) for trigger in triggers.registered()]


def _verify(before: dict[str, digests.Content], using: str, tables: list[digests.Table]) -> None:
    """Hold the target against the source, and against its own rules and record."""
    with databases.raw(using) as raw:
        faults = digests.differences(before, digests.contents(raw, tables))
    faults += databases.faults(using) + word_index.faults(using)
    faults += [f"the rule {name} is not in place" for name in triggers.missing(using)]
    faults += [f"the record is broken at {seq}: {code}" for seq, code in verifying.verify(using=using).faults]
    if faults:
        raise CommandError(f"the copy differs, so it was taken out again: {'; '.join(faults[:5])}", BROKEN)


def _take_out(using: str, values: dict[str, Any], vendor: str) -> None:
    connections[using].close()
    if vendor == "postgresql":
        databases.drop_tables(using)
        return
    path = Path(values["NAME"])
    for leftover in (path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm", ".lock"))):
        leftover.unlink(missing_ok=True)


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", ":…@")).geturl()
