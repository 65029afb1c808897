"""The end of the record is signed in time, written outside, and never when the record is broken."""

import sqlite3
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections

from gandan.audit import actions, checkpoints, commandline, verifying
from gandan.audit.models import AuditCheckpoint
from gandan.cli import build_parser
from tests.audit.conftest import ENTRIES, MONDAY, SIGNED, write
from tests.conftest import installation

pytestmark = pytest.mark.django_db


def numbers():
    return list(AuditCheckpoint.objects.order_by("seq").values_list("seq", flat=True))


def test_a_checkpoint_comes_after_ten_minutes_or_a_thousand_entries(outside, db):
    assert actions.tick(MONDAY) == 0
    write(3)
    assert actions.tick(MONDAY) == 1 and numbers() == [3]
    write(5, 4)
    assert actions.tick(MONDAY + timedelta(minutes=9)) == 0
    assert actions.tick(MONDAY + timedelta(minutes=10)) == 1 and numbers() == [3, 8]
    write(999, 9)
    assert actions.tick(MONDAY + timedelta(minutes=11)) == 0
    write(1, 1008)
    assert actions.tick(MONDAY + timedelta(minutes=11)) == 1 and numbers() == [3, 8, 1008]
    assert actions.tick(MONDAY + timedelta(hours=5)) == 0, "nothing new, nothing to sign"


def test_the_file_outside_tells_the_same_and_is_mended_after_a_cut(record):
    path = next(record.glob("*.txt"))
    whole = path.read_text()
    assert [checkpoints.read(line).seq for line in whole.splitlines()] == list(SIGNED)
    path.write_text(whole[:-90])
    assert actions.tick(MONDAY + timedelta(days=30)) == 1
    found = verifying.read_outside(record)
    assert [each.seq for each in found] == [*SIGNED, ENTRIES]
    assert verifying.verify(outside=found).intact


def test_a_lost_file_is_written_again(record):
    for path in record.glob("*.txt"):
        path.unlink()
    actions.make_checkpoint(MONDAY + timedelta(days=30))
    assert [each.seq for each in verifying.read_outside(record)] == [*SIGNED, ENTRIES]


def test_a_broken_record_is_not_signed(record, caplog):
    with connection.cursor() as cursor:
        on = " ON audit_auditentry" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER audit_auditentry_no_update{on}")
        cursor.execute("UPDATE audit_auditentry SET action = 'case.close' WHERE seq = 58")
    with pytest.raises(verifying.Broken, match="58"):
        actions.make_checkpoint(MONDAY)
    assert actions.tick(MONDAY + timedelta(days=30)) == 0 and numbers() == list(SIGNED)
    assert "no checkpoint was made" in caplog.text


@pytest.mark.parametrize("place", [0, 9, 20, 90, 130, 170, -1])
def test_a_line_with_one_letter_changed_is_no_word_of_ours(record, place):
    line = verifying.read_outside(record)[0].line
    changed = line[:place] + ("0" if line[place] != "0" else "1") + (line[place:][1:])
    assert changed != line
    try:
        read = checkpoints.read(changed)
    except (checkpoints.Unreadable, ValueError):
        return
    assert not read.is_signed_by(checkpoints.public_key(django_settings.GANDAN_KEYS["audit"]))


# Several workers at the same time

WORKER = """
import sys, time
from pathlib import Path
import django
django.setup()
from gandan.audit import actions, verifying
from gandan.access import now
read, here = verifying.since_last_checkpoint, Path(sys.argv[1])
def together():
    found = read()
    (here / f"ready-{sys.argv[2]}").touch()
    while len(list(here.glob("ready-*"))) < 2:
        time.sleep(0.01)
    return found
verifying.since_last_checkpoint = together
print(int(actions.make_checkpoint(now()) is not None))
"""


@pytest.mark.sqlite
def test_two_workers_that_read_at_once_sign_one_file_once(db, tmp_path):
    write(ENTRIES)
    home = tmp_path / "home"
    environment = installation(home) | {"DJANGO_SETTINGS_MODULE": "gandan.config.settings"}
    with sqlite3.connect(home / "gandan.sqlite3") as copy:
        copy.executescript("\n".join(connection.connection.iterdump()))
    copy.close()
    (home / "keys").mkdir()
    (home / "keys/master.key").write_bytes(b"m" * 32)
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path), str(number)],
            env=environment,
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    said = [worker.communicate(timeout=120) for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], said
    assert sorted(out.strip() for out, _err in said) == ["0", "1"]
    done = sqlite3.connect(home / "gandan.sqlite3")
    kept = [seq for (seq,) in done.execute("SELECT seq FROM audit_auditcheckpoint ORDER BY seq")]
    done.close()
    told = [each.seq for each in verifying.read_outside(home / "checkpoints")]
    assert kept == told == [ENTRIES]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_workers_that_read_at_once_sign_one_server_once(outside, monkeypatch):
    write(ENTRIES)
    read, both, made, faults = verifying.since_last_checkpoint, threading.Barrier(2), [], []

    def together():
        found = read()
        both.wait(60)
        return found

    def work():
        try:
            made.append(actions.make_checkpoint(MONDAY))
        except Exception as fault:  # the thread's fault is the test's
            faults.append(fault)
        finally:
            connections.close_all()

    monkeypatch.setattr(verifying, "since_last_checkpoint", together)
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == [] and len([each for each in made if each]) == 1
    assert numbers() == [each.seq for each in verifying.read_outside(outside)] == [ENTRIES]


def test_a_worker_that_read_less_signs_nothing_behind_one_that_read_more(outside, db, monkeypatch):
    write(3)
    read = verifying.since_last_checkpoint

    def meanwhile():
        monkeypatch.setattr(verifying, "since_last_checkpoint", read)
        found = read()
        write(5, 4)
        assert actions.make_checkpoint(MONDAY).seq == 8
        return found

    monkeypatch.setattr(verifying, "since_last_checkpoint", meanwhile)
    assert actions.make_checkpoint(MONDAY) is None
    assert numbers() == [each.seq for each in verifying.read_outside(outside)] == [8]


# The command


def gandan_audit(*arguments):
    return commandline.run(build_parser().parse_args(["audit", *arguments]))


def test_the_command_says_whole_broken_or_wrong(record, capsys, tmp_path):
    assert gandan_audit("verify", "--checkpoints", str(record)) == 0
    assert "3 checkpoints from outside hold" in capsys.readouterr().out
    assert gandan_audit("verify", "--from-checkpoint") == 0
    assert f"{ENTRIES - SIGNED[-1]} entries" in capsys.readouterr().out
    assert gandan_audit("verify", "--checkpoints", str(tmp_path / "nowhere")) == 2
    assert gandan_audit("verify", "--public-key", "abc") == 2
    assert "64 hex digits" in capsys.readouterr().err
    path = next(record.glob("*.txt"))
    path.write_text(path.read_text().replace("gandan1 40", "gandan1 41"))
    assert gandan_audit("verify", "--checkpoints", str(record)) == 1
    assert "not signed by a key" in capsys.readouterr().out
    path.write_text("gandan1 forty\n")
    assert gandan_audit("verify", "--checkpoints", str(record)) == 2


def test_the_command_signs_and_prints_the_line(record, capsys):
    assert gandan_audit("checkpoint") == 0
    told = checkpoints.read(capsys.readouterr().out)
    assert told.seq == ENTRIES
    assert gandan_audit("key") == 0
    assert told.is_signed_by(bytes.fromhex(capsys.readouterr().out.strip()))


def test_the_reading_keeps_a_few_rows_in_memory_only(record, monkeypatch):
    from gandan.audit import sql

    monkeypatch.setattr(sql, "BATCH", 7)
    rows = sql.entries()
    assert isinstance(next(rows), tuple) and not isinstance(rows, list)
    assert verifying.verify().entries == ENTRIES
