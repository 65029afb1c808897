"""A new version copies the database before it changes the tables; what cannot be copied is not changed."""

import os
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from gandan.access import now
from gandan.config import upgrading
from gandan.config.exits import REFUSED, CommandError
from tests.durability import kills

_BACK = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", "audit", "0001", verbosity=0)
"""
_UP = """
import django
django.setup()
from gandan.config import installation, upgrading
print(len(upgrading.pending()))
print(upgrading.snapshot_before_migrating())
installation.migrate()
print(len(upgrading.pending()), upgrading.snapshot_before_migrating())
"""


@pytest.fixture
def earlier(prepared):
    """An installation whose tables are one migration behind, and that is not a demo."""
    copy = prepared.copy()
    copy.environment["GANDAN_DEMO"] = "0"
    kills.script(copy, _BACK)
    yield copy
    prepared.drop(copy)


def test_the_tables_are_copied_before_they_change(earlier):
    said = kills.script(earlier, _UP).splitlines()
    assert int(said[0]) >= 1
    snapshot = Path(said[2])
    assert snapshot.parent == earlier.home / "snapshots" and str(snapshot) in said[1]
    assert snapshot.stat().st_mode & 0o777 == 0o600
    assert said[3] == "0 None", "nothing is left to do, so nothing is copied"
    if not earlier.environment["DATABASE_URL"]:
        database = sqlite3.connect(snapshot)
        assert database.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        names = {row[0] for row in database.execute("SELECT name FROM django_migrations WHERE app = 'audit'")}
        database.close()
        assert names and all(name.startswith("0001") for name in names), "the copy is of before"


def test_without_a_copy_nothing_is_changed(monkeypatch, settings, tmp_path, db):
    settings.GANDAN_DEMO, settings.GANDAN_HOME = False, tmp_path
    monkeypatch.setattr(upgrading, "pending", lambda: ["cases.9999_of_tomorrow"])

    def full(copy):
        copy.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(upgrading.databases, "snapshot", full)
    with pytest.raises(CommandError, match="no copy could be made before: .*No space left") as refused:
        upgrading.snapshot_before_migrating()
    assert refused.value.code == REFUSED
    assert list((tmp_path / "snapshots").iterdir()) == []


@pytest.mark.agnostic
def test_old_copies_go_when_a_backup_would(settings, tmp_path):
    settings.GANDAN_HOME = tmp_path
    (tmp_path / "snapshots").mkdir()
    for name, days in (("before-1-old", 36), ("before-2-new", 34)):
        path = tmp_path / "snapshots" / name
        path.touch()
        at = (now() - timedelta(days=days)).timestamp()
        os.utime(path, (at, at))
    assert upgrading.clear_old_snapshots(now()) == 1
    assert [path.name for path in (tmp_path / "snapshots").iterdir()] == ["before-2-new"]
