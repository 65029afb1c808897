"""The worker goes on: a database that went away and a job that fails stop neither the loop nor the other jobs."""

import threading
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from gandan.config import durability, working
from gandan.config.exits import NO, OK

pytestmark = pytest.mark.agnostic


@pytest.fixture(autouse=True)
def _without_a_database(monkeypatch):
    """Jobs that need none; the loop is what is tested here."""
    monkeypatch.setattr(working, "close_old_connections", lambda: None)
    monkeypatch.setattr(working, "_drop_connections", lambda: None)
    monkeypatch.setattr(durability, "wait_for_database", lambda: None)
    monkeypatch.setattr(durability, "faults", list)
    monkeypatch.setattr(working.signal, "signal", lambda *_: None)


def test_a_failed_job_stops_no_other(caplog, capsys):
    done = []

    def away(_):
        raise OperationalError("the connection is closed\nand more")

    def wrong(_):
        raise ValueError("a fault of ours")

    failed = working.one_round([("first", away), ("second", wrong), ("third", lambda at: done.append(at) or 3)])
    assert failed == ["first", "second"] and len(done) == 1
    said = capsys.readouterr()
    assert "gandan: first: the connection is closed; tried again later" in said.err and "and more" not in said.err
    assert "third: 3" in said.out
    assert "a fault of ours" in caplog.text


def test_one_round_says_by_its_exit_code_whether_all_was_done(monkeypatch):
    monkeypatch.setattr(working, "jobs", lambda: [("all is well", lambda _: 0)])
    assert working.work(SimpleNamespace(once=True, every=0)) == OK
    monkeypatch.setattr(working, "jobs", lambda: [("it fails", lambda _: 1 / 0)])
    assert working.work(SimpleNamespace(once=True, every=0)) == NO


def test_a_worker_that_was_told_to_stop_begins_no_other_job():
    stop, done = threading.Event(), []
    working.one_round([("one", lambda _: stop.set() or 1), ("two", lambda _: done.append(1) or 1)], stop)
    assert done == []
