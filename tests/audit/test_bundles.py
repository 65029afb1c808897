"""A bundle verifies itself without our code, and an altered one is refused with a sentence."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile

import pytest
from django.conf import settings as django_settings

from gandan.audit import bundles, checkpoints, commandline, verify_bundle, verifying
from gandan.audit.models import AuditCheckpoint, AuditEntry
from gandan.audit.verify_bundle import FILES, NotCompared, Refused, Unreadable, verify
from gandan.cli import build_parser
from tests.audit.conftest import ENTRIES, SIGNED

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(record, tmp_path):
    """An unpacked bundle of the whole record."""
    with (tmp_path / "bundle.zip").open("wb") as file:
        assert bundles.write(file) == ENTRIES
    shutil.unpack_archive(tmp_path / "bundle.zip", tmp_path / "bundle")
    return tmp_path / "bundle"


def lines_kept(record):
    return [each.line for each in verifying.read_outside(record)]


def signed_anew(folder, change=lambda manifest: None):
    """Let the owner of the signing key make the manifest fit what the files hold now."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES}
    change(manifest)
    told = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(told)
    signer = checkpoints.signer(django_settings.GANDAN_KEYS["audit"])
    (folder / "manifest.sig").write_text(signer.sign(b"gandan bundle\n" + told).hex())


def test_a_bundle_verifies_itself_with_the_standard_library_and_cryptography_alone(folder):
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "verify_bundle.py")], capture_output=True, text=True, cwd="/", env={}
    )
    assert done.returncode == 0, done.stderr
    assert "WHOLE: entries 1 to 60" in done.stdout and "ĐÚNG" in done.stdout
    script = (folder / "verify_bundle.py").read_text()
    assert "gandan." not in script.replace("gandan1", "") and "django" not in script


def test_a_whole_bundle_holds_against_the_key_and_the_lines_one_kept(folder, record):
    key = checkpoints.public_key(django_settings.GANDAN_KEYS["audit"]).hex()
    manifest = verify(folder, key, lines_kept(record))
    assert (manifest["first"], manifest["last"]) == (1, ENTRIES)
    assert verify(folder.with_suffix(".zip"), key)["head"] == manifest["head"]


def test_a_part_of_the_record_begins_where_the_part_before_ends(record):
    file = io.BytesIO()
    assert bundles.write(file, first=SIGNED[0] + 1) == ENTRIES - SIGNED[0]
    path = record.parent / "part.zip"
    path.write_bytes(file.getvalue())
    assert verify(path, promised=lines_kept(record))["first"] == SIGNED[0] + 1


def test_a_line_from_before_the_first_entry_is_said_not_to_have_been_compared(record, tmp_path, capsys):
    path, lines = tmp_path / "part.zip", lines_kept(record)
    with path.open("wb") as file:
        bundles.write(file, first=SIGNED[1] + 1)
    assert verify(path, promised=lines[1:])["first"] == SIGNED[1] + 1
    with pytest.raises(NotCompared, match=f"checkpoint at {SIGNED[0]} lies before them"):
        verify(path, promised=lines)
    assert verify_bundle.main([str(path), "--checkpoint", lines[0]]) == 3
    told = capsys.readouterr()
    assert "WHOLE" not in told.out and "NOT COMPARED: " in told.err and "CHƯA SO ĐƯỢC: " in told.err
    assert verify_bundle.main([str(path), "--checkpoint", lines[1]]) == 0


@pytest.mark.parametrize("first", [0, -3, ENTRIES + 1])
def test_entries_that_are_not_there_make_no_bundle(record, first):
    with pytest.raises(LookupError):
        bundles.write(io.BytesIO(), first=first)


@pytest.mark.parametrize("name", [*FILES, "manifest.json", "manifest.sig"])
def test_a_bundle_with_one_byte_altered_or_one_file_gone_is_refused(folder, name):
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(Refused):
        verify(folder)
    path.unlink()
    with pytest.raises(Refused):
        verify(folder)


def test_one_byte_altered_anywhere_in_the_zip_is_refused_or_means_nothing(folder):
    whole = folder.with_suffix(".zip").read_bytes()
    bad = folder.with_name("bad.zip")
    kept = verify(folder)
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        bad.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        try:
            # A bit of the zip's own bookkeeping, such as a date, may change nothing that the bundle says.
            assert verify(bad) == kept, place
        except (Refused, Unreadable):
            continue


def altered(text):
    lines = text.splitlines(keepends=True)
    return {
        "an entry is changed": "".join([*lines[:9], lines[9].replace("case", "cass"), *lines[10:]]),
        "an entry is missing": "".join([*lines[:9], *lines[10:]]),
        "two entries are exchanged": "".join([*lines[:9], lines[10], lines[9], *lines[11:]]),
        "the end is missing": "".join(lines[:-4]),
    }


@pytest.mark.parametrize("what", ["an entry is changed", "an entry is missing", "two entries are exchanged"])
def test_even_the_owner_of_the_key_cannot_alter_an_entry(folder, what):
    entries = folder / "entries.txt"
    entries.write_text(altered(entries.read_text())[what])
    signed_anew(folder)
    with pytest.raises(Refused):
        verify(folder)


def test_a_cut_record_signed_anew_is_found_by_a_line_that_one_kept(folder, record):
    entries = folder / "entries.txt"
    lines = entries.read_text().splitlines(keepends=True)[:30]
    entries.write_text("".join(lines))
    (folder / "checkpoints.txt").write_text(lines_kept(record)[0] + "\n")
    signed_anew(folder, lambda manifest: manifest.update(last=30, head=lines[-1].split(" ")[0]))
    assert verify(folder)["last"] == 30, "the owner of the key can cut the end and sign what is left"
    with pytest.raises(Refused, match="its end was cut off"):
        verify(folder, promised=lines_kept(record))


def test_a_bundle_of_another_key_is_refused_by_who_knows_the_right_one(folder):
    with pytest.raises(Refused, match="another key"):
        verify(folder, "00" * 32)


@pytest.mark.parametrize("place", ["nowhere", "no.zip"])
def test_what_is_no_bundle_cannot_be_read(tmp_path, place, capsys):
    (tmp_path / "no.zip").write_bytes(b"nothing")
    assert verify_bundle.main([str(tmp_path / place)]) == 2
    assert "KHÔNG ĐỌC ĐƯỢC" in capsys.readouterr().err


def test_a_refusal_is_a_sentence_in_both_languages(folder, capsys):
    (folder / "README.txt").write_text("x")
    assert verify_bundle.main([str(folder)]) == 1
    said = capsys.readouterr().err
    assert "REFUSED: README.txt was altered." in said and "KHÔNG ĐẠT: tệp README.txt đã bị sửa." in said


def test_the_command_writes_a_bundle_once(record, tmp_path, capsys):
    target = tmp_path / "record.zip"
    for code in (0, 2):
        assert commandline.run(build_parser().parse_args(["audit", "bundle", str(target)])) == code
    assert zipfile.ZipFile(target).testzip() is None and verify(target)["last"] == ENTRIES


@pytest.fixture
def altered_record(record, request):
    """The record after somebody who owns the database altered an entry long before the last checkpoint."""
    without_triggers()
    request.param()
    return record


def without_triggers():
    from django.db import connection

    with connection.cursor() as cursor:
        for model in (AuditEntry, AuditCheckpoint):
            table = model._meta.db_table
            for event in ("update", "delete"):
                on = f" ON {table}" if connection.vendor == "postgresql" else ""
                cursor.execute(f"DROP TRIGGER {table}_no_{event}{on}")


def an_entry_is_altered():
    AuditEntry.system("test").filter(seq=10).update(action="case.nothing")


def an_entry_is_missing():
    AuditEntry.system("test").filter(seq=10).delete()


def all_between_two_checkpoints_are_written_anew():
    from gandan.audit import chain

    previous = chain.GENESIS
    for entry in AuditEntry.system("test").order_by("seq"):
        row = {name: getattr(entry, name) for name in chain.FIELDS}
        if entry.seq == 10:
            row["action"] = "case.nothing"
        previous = chain.link(previous, row) if entry.seq < SIGNED[1] else entry.hash
        AuditEntry.system("test").filter(pk=entry.pk).update(hash=previous, action=row["action"])


@pytest.mark.unrecorded("somebody alters the record itself")
@pytest.mark.parametrize(
    "altered_record",
    [an_entry_is_altered, an_entry_is_missing, all_between_two_checkpoints_are_written_anew],
    indirect=True,
    ids=lambda each: each.__name__,
)
def test_a_broken_record_is_not_bundled_and_no_file_is_left(altered_record, tmp_path, capsys):
    assert verifying.since_last_checkpoint().intact, "what follows the last checkpoint is whole"
    with pytest.raises(verifying.Broken):
        bundles.write(io.BytesIO())
    target = tmp_path / "record.zip"
    assert commandline.run(build_parser().parse_args(["audit", "bundle", str(target)])) == 1
    assert "so it is not signed" in capsys.readouterr().err
    assert not [path.name for path in tmp_path.rglob("*.zip*")]
    bundles.write(io.BytesIO(), first=SIGNED[1] + 1)
