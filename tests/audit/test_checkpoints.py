"""The end of the record is signed in time, written outside, and never when the record is broken."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection

from gandan.audit import actions, checkpoints, commandline, verifying
from gandan.audit.models import AuditCheckpoint
from gandan.cli import build_parser
from tests.audit.conftest import ENTRIES, MONDAY, SIGNED, write

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
