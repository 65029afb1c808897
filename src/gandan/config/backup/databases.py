"""Copying a database while it is written to, and putting the copy somewhere: a scratch place, or an empty installation.

SQLite by its own online backup; PostgreSQL by pg_dump, the digests being read in the same snapshot.
"""

import os
import secrets
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, connections

from gandan.audit import chain
from gandan.config import database, digests
from gandan.config.backup.archive import BROKEN, NOT_EMPTY
from gandan.config.exits import CommandError

SCRATCH = "scratch"
FILE_COLUMN = "sha256"
"""Every table that names files has a column of this name."""
SESSIONS = "django_session"
"""Who is signed in at the moment of a copy, and what waits for them: no copy keeps it, and a restore ends it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a database held at one instant: its tables with the columns that were spelled, the end of the record, and
    the digests of the files that it names."""

    tables: dict[str, digests.Content]
    columns: dict[str, list[str]]
    audit_head: list[Any]
    files: frozenset[str]


def snapshot(copy: Path) -> Snapshot:
    """Copy the database to `copy` as it is at one instant, writers going on; return what it holds then."""
    if connection.vendor == "sqlite":
        with opened_sqlite(Path(_settings()["NAME"]), "ro") as source, sqlite3.connect(copy) as goal:
            source.backup(goal)
            goal.execute("PRAGMA journal_mode=DELETE")
            goal.execute("PRAGMA secure_delete=ON")
            if goal.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [SESSIONS]).fetchone():
                goal.execute(f"DELETE FROM {SESSIONS}")  # noqa: S608 - a constant
        goal.close()
        with opened_sqlite(copy, "ro") as raw:
            return look(raw)
    with psycopg.connect(**address(_settings())) as raw:
        raw.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = raw.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        _run("pg_dump", _settings(), "--format=custom", "--compress=1", "--no-owner", "--no-privileges",
             f"--exclude-table-data=*.{SESSIONS}", f"--snapshot={row[0]}", f"--file={copy}")  # fmt: skip
        found = look(raw)
        if SESSIONS in found.tables:
            found.tables[SESSIONS] = digests.Content(0, f"{0:064x}")
        return found


def look(raw: Any) -> Snapshot:
    """Return what a database holds, seen through the driver's own connection."""
    tables = digests.present(raw, digests.tables())
    columns = {table.name: [name for name, _ in table.columns] for table in tables}
    head = None
    if "audit_audithead" in columns:
        head = raw.execute("SELECT seq, hash FROM audit_audithead WHERE id = 1").fetchone()
    files: set[str] = set()
    for name, found in columns.items():
        if FILE_COLUMN in found:
            rows = digests.stream(raw, f'SELECT DISTINCT "{FILE_COLUMN}" FROM "{name}"')  # noqa: S608 - our own names
            files |= {row[0] for row in rows if row[0]}
    return Snapshot(digests.contents(raw, tables), columns, list(head or (0, chain.GENESIS)), frozenset(files))


def applied_migrations() -> list[str]:
    from django.db.migrations.recorder import MigrationRecorder

    return sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations())


def refuse_a_filled_one() -> None:
    """Raise CommandError when the installation's database holds anything."""
    name = _settings()["NAME"]
    if connection.vendor == "sqlite" and not (Path(name).exists() and Path(name).stat().st_size):
        return  # looking into it would make it
    if connection.introspection.table_names():
        raise CommandError("the installation is not empty; restore into a new folder or database", NOT_EMPTY)


@contextmanager
def scratch(copy: Path) -> Iterator[str]:
    """Put a copy into a place of its own, give the name under which Django reaches it, and remove it afterwards."""
    if connection.vendor == "sqlite":
        with known(database.sqlite(copy)) as using:
            yield using
        return
    values = _settings()
    name = f"{values['NAME'][:40]}_verify_{secrets.token_hex(4)}"
    with psycopg.connect(**address(values), autocommit=True) as raw:
        try:
            raw.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
        except psycopg.errors.InsufficientPrivilege:
            raise CommandError(
                "verifying needs a scratch database: give the database's user the right to create one (CREATEDB)"
            ) from None
    try:
        _restore_postgresql(copy, {**values, "NAME": name}, "--jobs=2")
        with known({**values, "NAME": name}) as using:
            yield using
    finally:
        with psycopg.connect(**address(values), autocommit=True) as raw:
            raw.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


def put(copy: Path) -> None:
    """Put a copy into the empty installation. All or nothing."""
    if connection.vendor == "sqlite":
        goal = Path(_settings()["NAME"])
        connection.close()
        for leftover in (goal, goal.with_name(f"{goal.name}-wal"), goal.with_name(f"{goal.name}-shm")):
            leftover.unlink(missing_ok=True)
        copy.rename(goal)
        _sync_folder(goal.parent)
        return
    connection.close()
    _restore_postgresql(copy, _settings(), "--single-transaction")


def take_out() -> None:
    """Empty the installation's database again: what was put there did not hold."""
    if connection.vendor == "sqlite":
        connection.close()
        goal = Path(_settings()["NAME"])
        for leftover in (goal, goal.with_name(f"{goal.name}-wal"), goal.with_name(f"{goal.name}-shm")):
            leftover.unlink(missing_ok=True)
        return
    drop_tables("default")


def drop_tables(using: str) -> None:
    """Drop every table of a database that was empty before we filled it."""
    chosen = connections[using]
    with chosen.cursor() as cursor:
        for table in chosen.introspection.table_names(cursor):
            cursor.execute(f"DROP TABLE IF EXISTS {chosen.ops.quote_name(table)} CASCADE")


def refill_sequences(using: str) -> None:
    """Let every sequence go on behind the highest number in its table."""
    chosen = connections[using]
    statements = chosen.ops.sequence_reset_sql(no_style(), apps.get_models(include_auto_created=True))
    with chosen.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def faults(using: str) -> list[str]:
    """Return what the engine itself finds wrong with a database."""
    chosen = connections[using]
    if chosen.vendor != "sqlite":
        return []  # PostgreSQL checks every row and key while it restores
    with chosen.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        found = [row[0] for row in cursor.fetchall() if row[0] != "ok"]
        cursor.execute("PRAGMA foreign_key_check")
        found += [f"a row of {row[0]} points to a row of {row[2]} that is not there" for row in cursor.fetchmany(20)]
    return found


@contextmanager
def raw(using: str) -> Iterator[Any]:
    """Give the driver's own connection, PostgreSQL's inside a transaction of one snapshot."""
    values = connections[using].settings_dict
    if connections[using].vendor == "sqlite":
        with opened_sqlite(Path(values["NAME"]), "ro") as opened:
            yield opened
        return
    with psycopg.connect(**address(values)) as opened:
        opened.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield opened


def address(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return Django's settings of a PostgreSQL as psycopg's."""
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    return {**values.get("OPTIONS", {}), **{name: str(values[key]) for name, key in names.items() if values[key]}}


def _settings() -> dict[str, Any]:
    return dict(settings.DATABASES["default"])


@contextmanager
def known(values: Mapping[str, Any], name: str = SCRATCH) -> Iterator[str]:
    """Let Django know a second database by a name for a while."""
    connections.settings[name] = {**connections.settings["default"], **values}
    try:
        yield name
    finally:
        connections[name].close()
        del connections[name]
        del connections.settings[name]


@contextmanager
def opened_sqlite(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=30)
    try:
        yield opened
    finally:
        opened.close()


def _restore_postgresql(copy: Path, values: Mapping[str, Any], how: str) -> None:
    try:
        _run("pg_restore", values, "--no-owner", "--no-privileges", "--exit-on-error", how,
             f"--dbname={values['NAME']}", str(copy))  # fmt: skip
    except CommandError as error:
        raise CommandError(f"the database in the backup cannot be restored: {error}", BROKEN) from None


def _run(program: str, values: Mapping[str, Any], *arguments: str) -> None:
    """Run one of PostgreSQL's own programs, the password kept out of the list of processes."""
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = {**os.environ, **{variable: str(values[key]) for variable, key in names.items() if values[key]}}
    try:
        done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise CommandError(f"{program} is not installed: apt-get install postgresql-client") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise CommandError(f"{program} failed: {said[-1] if said else done.returncode}")


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
