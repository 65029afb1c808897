"""Writers to SQLite queue; none is starved and none writes beside the gate."""

import multiprocessing
import sqlite3
import time

import pytest
from django.db import connections

from gandan.config import database
from gandan.config.sqlite.base import DatabaseWrapper

pytestmark = pytest.mark.agnostic


@pytest.fixture(autouse=True)
def _files_of_our_own(django_db_blocker):
    with django_db_blocker.unblock():
        yield


def wrapper(path):
    settings = connections["default"].settings_dict | database.sqlite(path) | {"ENGINE": "gandan.config.sqlite"}
    return DatabaseWrapper({**settings, "TIME_ZONE": None, "CONN_HEALTH_CHECKS": False, "AUTOCOMMIT": True}, "gate")


def test_every_connection_is_durable(tmp_path):
    connection = wrapper(tmp_path / "a.sqlite3")
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert cursor.execute("PRAGMA synchronous").fetchone()[0] == 2
    connection.close()


def test_a_single_write_outside_a_transaction_waits_at_the_gate(tmp_path):
    first, second = wrapper(tmp_path / "a.sqlite3"), wrapper(tmp_path / "a.sqlite3")
    with first.cursor() as cursor:
        cursor.execute("CREATE TABLE t (a)")
    first._enter()
    process = multiprocessing.get_context("fork").Process(target=_write_one, args=(tmp_path / "a.sqlite3",))
    process.start()
    process.join(0.5)
    assert process.is_alive(), "a write went past the gate"
    first._leave()
    process.join(20)
    assert process.exitcode == 0
    with second.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM t").fetchone()[0] == 1
    first.close()
    second.close()


def test_a_reader_never_waits(tmp_path):
    first = wrapper(tmp_path / "a.sqlite3")
    with first.cursor() as cursor:
        cursor.execute("CREATE TABLE t (a)")
    first._enter()
    reader = sqlite3.connect(tmp_path / "a.sqlite3")
    assert reader.execute("SELECT count(*) FROM t").fetchone()[0] == 0
    reader.close()
    first._leave()
    first.close()


def test_a_closed_connection_leaves_the_gate_open(tmp_path):
    first, second = wrapper(tmp_path / "a.sqlite3"), wrapper(tmp_path / "a.sqlite3")
    first.ensure_connection()
    first._enter()
    first.close()
    second._enter()
    second._leave()
    second.close()


def _write_one(path):
    connection = wrapper(path)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (1)")
    connection.close()
    time.sleep(0)
