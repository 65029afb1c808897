"""Reminders and escalations happen, and each exactly once: after a crash, and with several workers."""

import shutil
import sqlite3
import subprocess
import sys
import threading
from datetime import time, timedelta

import pytest
from django.db import IntegrityError, connection, connections

from gandan import audit
from gandan.access import clock
from gandan.audit import actions as audit_actions
from gandan.obligations import actions, inbox, jobs, terms
from gandan.obligations.models import Effect, Notice
from gandan.staffing import actions as staffing
from tests.cast import NOBODY, gather
from tests.conftest import installation
from tests.obligations.promises import at, do, midnight, one, start

pytestmark = pytest.mark.django_db


def tick(moment):
    with clock.at(moment):
        return jobs.tick(moment)


def sent(matter):
    rows = Notice.system("test").filter(matter=matter).order_by("at", "kind")
    return list(rows.values_list("kind", "unit__title"))


@pytest.mark.parametrize(
    ("procedure", "event", "started", "reminded"),
    [
        ("RE-02", "complete", at("2026-11-16"), midnight("2026-11-18")),  # due on Thursday: from Wednesday on
        ("RE-02", "complete", at("2026-11-18"), midnight("2026-11-20")),  # due on Monday: from Friday on
        ("RE-07", "complete", at("2026-11-16"), midnight("2026-11-17")),  # one day: on the last day itself
        ("CR-01", "received", at("2026-11-16", time(20)), at("2026-11-17", time(8))),  # 24 hours: after twelve
        ("RE-09", "complete", at("2026-11-16", time(7, 30)), at("2026-11-16", time(9, 30))),  # half a working day
    ],
)
def test_the_owner_is_reminded_a_working_day_before_or_at_half_time(cast, procedure, event, started, reminded):
    matter, (opened, *_others) = start(cast, procedure, event=event, when=started)
    if procedure != "RE-09":
        assert jobs.remind_from(opened, terms.calendar()) == reminded
    tick(reminded - timedelta(hours=3))
    assert sent(matter) == []
    tick(min(reminded + timedelta(minutes=30), opened.due_at - timedelta(seconds=1)))
    assert sent(matter) == [("reminder", "Xã Nà Then")]


def test_a_late_promise_is_told_to_its_owner_and_to_the_superior_of_that_day(cast):
    matter, _ = start(cast)
    tick(midnight("2026-11-20"))
    assert sent(matter) == [("escalation", "Tỉnh Sương Mai"), ("overdue", "Xã Nà Then")]


def test_a_late_promise_of_the_province_is_told_to_the_unit_above_it(cast):
    matter, _ = start(cast, unit=cast.province)
    tick(midnight("2026-11-20"))
    assert sent(matter) == [("escalation", "Việt Nam"), ("overdue", "Tỉnh Sương Mai")]


def test_everything_happens_once_however_often_the_worker_runs(cast):
    matter, _ = start(cast)
    for _ in range(3):
        tick(at("2026-11-19"))
    for _ in range(3):
        tick(at("2026-11-21"))
    assert [kind for kind, _unit in sent(matter)] == ["reminder", "escalation", "overdue"]
    assert Effect.objects.count() == 3
    assert audit_actions.verify().intact


def test_a_new_date_is_reminded_of_anew(cast):
    matter, _ = start(cast, "FB-01", event="received", when="2026-11-02")
    do(actions.fulfil, "2026-11-03", "taken", matter=matter)
    tick(at("2026-11-16"))
    answer = one(matter, "FB-01.answer")
    do(actions.extend, "2026-11-16", obligation=answer, extension="extend_promise", ground="xác minh thêm")
    tick(at("2026-12-01"))
    assert [kind for kind, _unit in sent(matter)] == ["reminder", "reminder"]


def test_what_has_ended_or_stands_still_is_not_reminded_of(cast):
    ended, _ = start(cast)
    do(actions.fulfil, "2026-11-17", "answered", matter=ended)
    paused, _ = start(cast)
    do(actions.suspend, "2026-11-17", matter=paused, ground="missing_papers")
    tick(at("2026-11-25"))
    assert Notice.system("test").count() == 0


def test_more_promises_than_one_batch_holds_are_all_told_of(cast, monkeypatch):
    monkeypatch.setattr(jobs, "BATCH", 4)
    for _ in range(11):
        start(cast)
    assert tick(at("2026-11-21")) == 22


def test_a_worker_killed_in_the_middle_leaves_nothing_half_done(cast, monkeypatch):
    matter, _ = start(cast)

    def killed(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(audit, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            tick(at("2026-11-21"))
    assert sent(matter) == [] and Effect.objects.count() == 0
    tick(at("2026-11-21"))
    assert len(sent(matter)) == 2


def test_a_worker_that_comes_second_with_an_old_view_writes_nothing(cast, monkeypatch):
    """Both looked before either wrote: the key decides."""
    matter, _ = start(cast)
    tick(at("2026-11-21"))

    class NobodyWasThere:
        def __init__(self, rows):
            self.rows = rows

        def filter(self, **asked):
            return self.rows.none() if "key__in" in asked else self.rows.filter(**asked)

        def create(self, **values):
            return self.rows.create(**values)

    monkeypatch.setattr(jobs.Effect, "objects", NobodyWasThere(Effect.objects))
    assert tick(at("2026-11-21")) == 0
    assert len(sent(matter)) == 2


def test_a_fault_other_than_a_taken_key_is_not_hidden(cast, monkeypatch):
    start(cast)

    def broken(**_values):
        raise IntegrityError("another rule")

    monkeypatch.setattr(Notice.objects, "create", broken)
    with pytest.raises(IntegrityError):
        tick(at("2026-11-21"))


# Several workers at the same time


@pytest.mark.sqlite
def test_three_workers_at_once_on_one_file_write_each_notice_once(cast, tmp_path, settings):
    for _ in range(12):
        start(cast, when="2026-11-02")
    home = tmp_path / "home"
    environment = installation(home)
    shutil.copytree(settings.GANDAN_KEYS_FOLDER, home / "keys")
    with sqlite3.connect(home / "gandan.sqlite3") as copy:
        copy.executescript("\n".join(connection.connection.iterdump()))
    copy.close()
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "gandan", "work", "--once"],
            env=environment,
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _ in range(3)
    ]
    for worker in workers:
        said, _ = worker.communicate(timeout=120)
        assert worker.returncode == 0, said.decode()
    done = sqlite3.connect(home / "gandan.sqlite3")
    (notices,) = done.execute("SELECT count(*) FROM obligations_notice").fetchone()
    (effects,) = done.execute("SELECT count(*) FROM obligations_effect").fetchone()
    done.close()
    assert notices == effects == 24


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.unrecorded("the cast is gathered without a transaction")
def test_three_workers_at_once_on_one_server_write_each_notice_once():
    cast = gather()
    for _ in range(12):
        start(cast, when="2026-11-02")
    moment, faults = at("2026-11-23"), []

    def work():
        try:
            with clock.at(moment):
                jobs.tick(moment)
        except Exception as fault:  # the thread's fault is the test's
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    assert Notice.system("test").count() == Effect.objects.count() == 24
    assert audit_actions.verify().intact


# Who reads them


def test_notices_are_shown_to_the_unit_to_which_they_were_sent(cast):
    start(cast)
    tick(at("2026-11-21"))

    def read(name):
        return [e.notice.kind for e in inbox.page(cast.actor(name), at("2026-11-21")).entries]

    assert read("pao") == read("chief") == ["overdue"]
    assert read("commander") == ["escalation"]
    assert read("lan") == read("stranger") == read("administrator") == []


def test_those_whom_a_matter_concerns_get_no_word_of_it(cast):
    matter, _ = start(cast)
    staffing.record_concern(matter=matter, by=NOBODY, unit=cast.na_then)
    tick(at("2026-11-21"))
    for name in ("pao", "chief", "commander", "lan"):
        page = inbox.page(cast.actor(name), at("2026-11-21"))
        assert not page.entries and page.unseen == 0


def test_an_auditor_marks_nothing_as_seen(cast):
    from gandan.access import Refused

    start(cast)
    tick(at("2026-11-21"))
    notice = Notice.system("test").get(kind="escalation")
    for name in ("auditor", "lan", "pao"):
        with pytest.raises(Refused):
            actions.see_notice(notice=notice, by=cast.actor(name))
    actions.see_notice(notice=notice, by=cast.actor("commander"))
    notice.refresh_from_db()
    assert notice.seen_by_id == cast.people["commander"].pk


def test_notices_are_read_page_by_page(cast, monkeypatch):
    monkeypatch.setattr(inbox, "PAGE", 4)
    for _ in range(10):
        start(cast)
    tick(at("2026-11-21"))
    actor, seen, cursor = cast.actor("pao"), [], ""
    while True:
        page = inbox.page(actor, at("2026-11-21"), cursor=cursor)
        seen += [entry.notice.pk for entry in page.entries]
        cursor = page.next_cursor
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == page.unseen == 10
