"""Django's SQLite engine, with full durability and a fair queue for writers.

SQLite lets one writer in at a time and makes the others poll; under load the wait is unfair and runs into
seconds. Here every writing transaction, and every single write outside one, first takes a lock on
`<database>.lock`, in which the kernel keeps the order.
"""

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base

_WRITES = re.compile(r"\s*(insert|update|delete|replace|create|drop|alter|vacuum|reindex)\b", re.IGNORECASE)


@lru_cache(maxsize=2_048)
def _with_marks(query: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


class GatedCursor(base.SQLiteCursorWrapper):
    """A cursor that passes the gate for a write outside a transaction."""

    gate: "DatabaseWrapper"

    def execute(self, query: Any, params: Any = None) -> Any:
        if self.gate.in_atomic_block:
            return super().execute(query, params)
        with self.gate.gate_for(query):
            return super().execute(query, params)

    def convert_query(self, query: Any, *, param_names: Any = None) -> Any:
        # Statements come back all day: their marks are turned into SQLite's once.
        if param_names is None and type(query) is str:
            return _with_marks(query)
        return super().convert_query(query, param_names=param_names)

    def executemany(self, query: Any, param_list: Any) -> Any:
        with self.gate.gate_for(query):
            return super().executemany(query, param_list)


def _made_private(name: str) -> None:
    """Make the file of a new database readable by its owner only; SQLite gives its journal the same rights.

    One that is there is not opened: closing it would drop the locks that this process holds on it.
    """
    with suppress(OSError):
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


class DatabaseWrapper(base.DatabaseWrapper):
    # SQLite refuses JSON_VALID in a CHECK while `trusted_schema` is off; Django writes valid JSON by itself.
    data_type_check_constraints = {
        name: check for name, check in base.DatabaseWrapper.data_type_check_constraints.items() if name != "JSONField"
    }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._lock: int | None = None
        self._lock_owner = 0
        self._held = False

    def get_new_connection(self, conn_params: Any) -> Any:
        if not self.is_in_memory_db():
            _made_private(str(self.settings_dict["NAME"]))
        return super().get_new_connection(conn_params)

    def create_cursor(self, name: Any = None) -> Any:
        cursor = self.connection.cursor(factory=GatedCursor)
        cursor.gate = self
        return cursor

    @contextmanager
    def gate_for(self, query: Any) -> Iterator[None]:
        if self._held or self.in_atomic_block or not _WRITES.match(str(query)):
            yield
            return
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _start_transaction_under_autocommit(self) -> None:
        self._enter()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._leave()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._leave()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._leave()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._leave()
            if self._lock is not None and self._lock_owner == os.getpid():
                os.close(self._lock)
            self._lock = None

    def _enter(self) -> None:
        if self._held or self.is_in_memory_db():
            return
        if self._lock is None or self._lock_owner != os.getpid():
            # One descriptor a connection, opened after fork: a shared one would not exclude.
            self._lock = os.open(f"{self.settings_dict['NAME']}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._lock_owner = os.getpid()
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._held = True

    def _leave(self) -> None:
        if self._held and self._lock is not None:
            self._held = False
            fcntl.flock(self._lock, fcntl.LOCK_UN)
