"""Reading and writing whole tables, faster than row by row through the framework."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection


def read(table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return all rows as the engine writes them down: keys and instants as text."""
    quoted = [connection.ops.quote_name(name) for name in columns]
    if connection.vendor == "postgresql":
        quoted = [f"{name}::text" for name in quoted]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(quoted)} FROM {connection.ops.quote_name(table)}")  # noqa: S608 - own names
        return cursor.fetchall()


def write(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add rows as `read` gives them, inside the caller's transaction."""
    name = connection.ops.quote_name(table)
    quoted = ", ".join(connection.ops.quote_name(column) for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {name} ({quoted}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(columns))
        statement = f"INSERT INTO {name} ({quoted}) VALUES ({marks})"  # noqa: S608 - own names
        cursor.executemany(statement, rows)  # type: ignore[arg-type] # a generator is enough


def roomy() -> None:
    """Let this connection keep a gigabyte of pages while very much is written in random order."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size = -1000000")


def refresh_statistics() -> None:
    """Tell the engine's planner how large the tables are now."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
