"""Django's PostgreSQL engine, in which writers do not wait for one another's disk.

Every act binds its entry to the head of the record, a single row. Were that row locked until the commit is on the
disk, writers would go to the disk one after the other. So an act that has taken the head commits without waiting for
the disk, which lets the row go, and then waits at an empty commit of its own until the log is on the disk up to there,
together with all others who wait. The log is written in order: whatever was bound to an entry is lost with it or not
at all, and nothing is acknowledged before it is durable.
"""

from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._owes_the_disk = False

    def release_early(self) -> None:
        """Let the present transaction give its locks up before the disk has it; its commit waits for the disk after."""
        if not self._owes_the_disk and self.in_atomic_block:
            with self.wrap_database_errors, self.connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")
            self._owes_the_disk = True

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        if self._owes_the_disk:
            self._owes_the_disk = False
            with self.wrap_database_errors, self.connection.cursor() as cursor:
                # Its own transaction, under the session's own setting: it returns when the log is on the disk.
                cursor.execute("SELECT pg_logical_emit_message(true, 'gandan', '')")
                self.connection.commit()

    def _rollback(self) -> None:
        self._owes_the_disk = False
        super()._rollback()  # type: ignore[misc]

    def _close(self) -> None:
        self._owes_the_disk = False
        super()._close()  # type: ignore[misc]
