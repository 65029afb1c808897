"""A new version meets the tables of the old one: first a copy of the database, then the migrations.

The copy lies in `snapshots` of the home folder until it is 35 days old, as long as a backup lives. It holds the
database alone: files never change, and keys are elsewhere.
"""

from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from gandan import __version__
from gandan.access import now
from gandan.config.backup import databases
from gandan.config.exits import REFUSED, CommandError

DAYS = 35
_FOLDER = "snapshots"


def pending() -> list[str]:
    """Return the migrations that this version has and the database has not, in order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def snapshot_before_migrating() -> Path | None:
    """Copy a filled database whose tables are about to change; return the copy, None where nothing is to lose.

    Raises CommandError when the copy cannot be made: then nothing has been changed. A demo is not copied.
    """
    if settings.GANDAN_DEMO or not databases.applied_migrations() or not pending():
        return None
    folder = settings.GANDAN_HOME / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    goal = folder / f"before-{__version__}-{now():%Y%m%d-%H%M%S}"
    partial = goal.with_name(f".{goal.name}")
    try:
        databases.snapshot(partial)
        partial.chmod(0o600)
        partial.rename(goal)
    except (CommandError, OSError) as error:
        partial.unlink(missing_ok=True)
        raise CommandError(
            f"the tables must change for version {__version__}, and no copy could be made before: {error}", REFUSED
        ) from None
    print(f"The tables change for version {__version__}. The database as it was: {goal}", flush=True)
    return goal


def clear_old_snapshots(at: datetime) -> int:
    """Remove copies older than a backup may be; return how many."""
    old = (at - timedelta(days=DAYS)).timestamp()
    count = 0
    for path in (settings.GANDAN_HOME / _FOLDER).glob("*before-*"):
        if path.stat().st_mtime < old:
            path.unlink(missing_ok=True)
            count += 1
    return count
