"""A backup proves itself, and a damaged one is refused with its own exit code and nothing touched."""

import hashlib
import io
import random
import shutil
import sqlite3
import tarfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from gandan.config import backup
from gandan.config.backup import archive
from gandan.config.exits import CommandError
from tests.conftest import gandan, installation

SHA = hashlib.sha256(b"a picture").hexdigest()


@pytest.fixture(scope="session")
def site(prepared, tmp_path_factory):
    """An installation on this run's engine, with a file that a matter names, a key for backups, and a whole backup."""
    made = prepared.copy()
    made.key, made.whole = made.home / "backup.key", made.home / "whole.backup"
    path = made.home / "files" / SHA[:2] / SHA
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a picture")
    name_a_file(made)
    assert made.command("backup", "keygen", str(made.key)).returncode == 0
    made.recipient = made.key.read_text().split("recipient: ")[1].split()[0]
    done = made.command("backup", str(made.whole), "--recipient", made.recipient)
    assert done.returncode == 0, done.stderr
    made.said = done.stdout
    yield made
    prepared.drop(made)


def name_a_file(site) -> None:
    """Let one matter of the demo name the picture."""
    program = (
        "from gandan.cli import start_django; start_django()\n"
        "from gandan.cases.models import *; from gandan.access import now\n"
        "case = Case.system('test').order_by('reference').first()\n"
        f"case.attachments.create(sha256='{SHA}', name='a.jpg', media_type='image/jpeg', size=9, added_at=now())\n"
    )
    import subprocess
    import sys

    subprocess.run([sys.executable, "-c", program], env=site.environment, check=True, cwd=site.home)


@pytest.fixture
def empty(site, prepared, tmp_path):
    """An empty installation on the same engine; its environment."""
    home = tmp_path / "empty"
    if not prepared.database_url:
        yield installation(home)
        return
    name = f"{prepared.template}_empty"
    yield installation(home, prepared._create(name))
    prepared._drop(name)


def state_of(home: Path) -> dict[str, str]:
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.rglob("*"))
        if path.is_file() and "keys" not in path.parts
    }


def tables_of(environment) -> int:
    if not environment["DATABASE_URL"]:
        path = Path(environment["GANDAN_HOME"]) / "gandan.sqlite3"
        return path.stat().st_size if path.exists() else 0
    import psycopg

    with psycopg.connect(environment["DATABASE_URL"]) as raw:
        return raw.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'").fetchone()[0]


# What a backup is


def test_a_backup_says_what_it_holds_and_holds_no_key(site):
    assert "encrypted to 1 key" in site.said and "1 files" in site.said
    with archive.reading(site.whole, archive.identities_of(site.key)) as inside:
        names = [member.name for member in inside]
    assert names == ["about.json", "database", f"files/{SHA[:2]}/{SHA}", "manifest.json"]
    master = (site.home / "keys/master.key").read_bytes()
    plain = b"".join(plain_parts(site).values())
    assert master not in plain and master.hex().encode() not in plain
    assert b'"audit_head"' in plain and b'"audit_head"' not in site.whole.read_bytes()


def test_a_restored_installation_passes_its_own_check(site, empty):
    home = Path(empty["GANDAN_HOME"])
    (home / "keys").mkdir()
    for key in (site.home / "keys").iterdir():
        shutil.copy(key, home / "keys")
    verified = gandan("restore", str(site.whole), "--verify", "--identity", str(site.key), environment=empty)
    assert verified.returncode == 0, verified.stderr
    assert "scratch place" in verified.stdout and tables_of(empty) == 0 and state_of(home) == {}
    done = gandan("restore", str(site.whole), "--identity", str(site.key), environment=empty)
    assert done.returncode == 0, done.stderr
    assert (home / "files" / SHA[:2] / SHA).read_bytes() == b"a picture"
    checked = gandan("check", environment=empty)
    assert checked.returncode == 0, checked.stdout
    assert gandan("audit", "verify", environment=empty).returncode == 0
    again = gandan("restore", str(site.whole), "--identity", str(site.key), environment=empty)
    assert again.returncode == 15 and "not empty" in again.stderr


@pytest.mark.sqlite
def test_a_restore_without_the_installations_own_keys_says_so(site, empty):
    done = gandan("restore", str(site.whole), "--identity", str(site.key), environment=empty)
    assert done.returncode == 0 and "are not there" in done.stdout and "gandan keys recover" in done.stdout
    assert not (Path(empty["GANDAN_HOME"]) / "keys").exists(), "and makes none in their place"


@pytest.mark.sqlite
def test_a_restore_beside_other_keys_says_so_and_leaves_them(site, empty):
    keys = Path(empty["GANDAN_HOME"]) / "keys"
    keys.mkdir()
    (keys / "master.key").write_bytes(b"o" * 32)
    done = gandan("restore", str(site.whole), "--identity", str(site.key), environment=empty)
    assert done.returncode == 0 and "are not those of this backup" in done.stdout
    assert (keys / "master.key").read_bytes() == b"o" * 32


def test_nobody_is_signed_in_in_a_backup(site, tmp_path):
    """Sessions are not copied, so that what waits in them is not kept for as long as a backup."""
    import subprocess
    import sys

    canary = "session0of0somebody0who0is0in"
    program = (
        "from gandan.cli import start_django; start_django()\n"
        "from django.contrib.sessions.backends.db import SessionStore\n"
        "from django.contrib.sessions.models import Session\n"
        "at = SessionStore().get_expiry_date(expiry=3600)\n"
        f"Session.objects.create(session_key='{canary}', session_data=SessionStore().encode({{}}), expire_date=at)\n"
    )
    subprocess.run([sys.executable, "-c", program], env=site.environment, check=True, cwd=site.home)
    target = tmp_path / "signed-in.backup"
    assert site.command("backup", str(target), "--recipient", site.recipient).returncode == 0
    verified = site.command("restore", str(target), "--verify", "--identity", str(site.key))
    assert verified.returncode == 0, verified.stderr
    with archive.reading(target, archive.identities_of(site.key)) as inside:
        parts = {member.name: inside.extractfile(member).read() for member in inside}
    assert b'"django_session": {"columns"' in parts["manifest.json"]
    if not site.environment["DATABASE_URL"]:
        assert canary.encode() in (site.home / "gandan.sqlite3").read_bytes() + b"".join(
            path.read_bytes() for path in site.home.glob("*-wal")
        )
        assert canary.encode() not in parts["database"]


def test_a_backup_may_be_taken_while_people_write(site, tmp_path):
    """The copy is of one instant: its digests are those of the copied database, whatever is written meanwhile."""
    import subprocess
    import sys

    program = (
        "from gandan.cli import start_django; start_django()\n"
        "from django.db import transaction; from gandan import audit; from gandan.access import SystemActor\n"
        "print('writing', flush=True)\n"
        "while True:\n"
        "    with transaction.atomic(): audit.record('unit.draft', by=SystemActor('test'))\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", program], env=site.environment, cwd=site.home, stdout=subprocess.PIPE
    )
    try:
        assert writer.stdout.readline()
        target = tmp_path / "busy.backup"
        done = site.command("backup", str(target), "--recipient", site.recipient)
        assert done.returncode == 0 and writer.poll() is None, done.stderr
        verified = site.command("restore", str(target), "--verify", "--identity", str(site.key))
    finally:
        writer.kill()
        writer.communicate()
    # A filled installation may verify: only putting it in place needs an empty one.
    assert verified.returncode == 0, verified.stderr


@pytest.mark.agnostic
def test_an_existing_file_is_not_overwritten_and_nothing_is_written_open_by_mistake(tmp_path):
    environment = installation(tmp_path / "home")
    taken = tmp_path / "taken"
    taken.write_bytes(b"mine")
    assert gandan("backup", str(taken), "--unencrypted", environment=environment).returncode == 3
    refused = gandan("backup", str(tmp_path / "new"), environment=environment)
    assert refused.returncode == 2 and "--recipient" in refused.stderr and not (tmp_path / "new").exists()
    wrong = gandan("backup", str(tmp_path / "new"), "--recipient", "age1nonsense", environment=environment)
    assert wrong.returncode == 2 and "begins with age1" in wrong.stderr
    with pytest.raises(CommandError, match="never written over"):
        archive.make_key(taken)
    assert taken.read_bytes() == b"mine"


# Damage


def plain_parts(site) -> dict[str, bytes]:
    with archive.reading(site.whole, archive.identities_of(site.key)) as inside:
        return {member.name: inside.extractfile(member).read() for member in inside}


def packed(goal: Path, site, parts: dict[str, bytes]) -> Path:
    """Pack parts anew, encrypted and with a right header: damage that only the contents can tell."""
    with archive.writing(goal, archive.recipients_of([site.recipient])) as out:
        for name, content in parts.items():
            archive.add_bytes(out, name, content)
    return goal


def another_key(site, bad, dice):
    strange = bad.with_name("strange.key")
    strange.unlink(missing_ok=True)
    recipient = archive.make_key(strange)
    with archive.writing(bad, archive.recipients_of([recipient])) as out:
        for name, content in plain_parts(site).items():
            archive.add_bytes(out, name, content)


def cut(site, bad, dice):
    bad.write_bytes(site.whole.read_bytes()[: -dice.choice([1024, 1, dice.randint(2, 4000)])])


def flipped(site, bad, dice):
    content = bytearray(site.whole.read_bytes())
    content[dice.choice([dice.randrange(archive.HEADER), dice.randrange(len(content))])] ^= 1 << dice.randrange(8)
    bad.write_bytes(content)


def aborted(site, bad, dice):
    """The writer is stopped somewhere; the file it leaves is taken for a backup."""

    class Stopped(Exception):
        pass

    parts = list(plain_parts(site).items())
    stop_at = dice.randrange(len(parts) + 1)
    partial = bad.with_name(bad.name + ".partial")
    with pytest.raises(Stopped), archive.writing(bad, archive.recipients_of([site.recipient])) as out:
        for name, content in parts[:stop_at]:
            archive.add_bytes(out, name, content)
        content = partial.read_bytes()
        bad.with_suffix(".left").write_bytes(content)
        raise Stopped
    assert not bad.exists() and not partial.exists(), "a copy that fails leaves nothing under its name"
    bad.with_suffix(".left").rename(bad)


def without_a_file(site, bad, dice):
    import json

    parts = plain_parts(site)
    name = next(name for name in parts if name.startswith("files/"))
    del parts[name]
    if dice.random() < 0.5:  # also when the manifest agrees that there is no such file
        manifest = json.loads(parts["manifest.json"])
        manifest["files"] = {}
        parts["manifest.json"] = json.dumps(manifest).encode()
    packed(bad, site, parts)


def of_tomorrow(site, bad, dice):
    import json

    parts = plain_parts(site)
    for name in ("about.json", "manifest.json"):
        about = json.loads(parts[name])
        about["migrations"].append(f"cases.9{dice.randrange(100, 999)}_of_tomorrow")
        parts[name] = json.dumps(about).encode()
    packed(bad, site, parts)


DAMAGE: dict[str, tuple[Callable, int]] = {
    "another key": (another_key, 16),
    "cut at its end": (cut, 11),
    "one byte flipped": (flipped, 12),
    "aborted": (aborted, 17),
    "a file is missing": (without_a_file, 18),
    "made by a newer version": (of_tomorrow, 13),
}


REFUSED: Counter[str] = Counter()
"""How many of each damage were refused in this run, with the right code."""


def refused_code(site, bad, home, monkeypatch) -> int:
    """Restore in this process into an empty home; return the code of the refusal, having seen that nothing changed.

    0 says that the backup was taken.
    """
    from django.conf import settings

    monkeypatch.setattr(settings, "GANDAN_HOME", home)
    monkeypatch.setattr(settings, "MEDIA_ROOT", home / "files")
    values = {**settings.DATABASES["default"], **({} if site.environment["DATABASE_URL"] else {"NAME": home / "g.db"})}
    monkeypatch.setattr(settings, "DATABASES", {"default": values})
    monkeypatch.setattr(backup.databases, "refuse_a_filled_one", lambda: None)
    put: list[Path] = []
    monkeypatch.setattr(backup.databases, "put", put.append)
    home.mkdir(exist_ok=True)
    (home / "kept").write_text("what stood here before")
    before = state_of(home)
    try:
        backup.restore(bad, identity=site.key)
    except CommandError as refusal:
        assert not put and state_of(home) == before, "nothing was touched"
        assert str(refusal).startswith(str(bad)) and len(str(refusal)) > len(str(bad)) + 10
        return refusal.code
    return 0


def all_refused(site, kind, times, tmp_path, monkeypatch, figure):
    damage, code = DAMAGE[kind]
    dice = random.Random(f"{kind} 2026")
    codes = []
    for number in range(times):
        bad = tmp_path / f"bad-{number}.backup"
        damage(site, bad, dice)
        codes.append(refused_code(site, bad, tmp_path / "home", monkeypatch))
        bad.unlink()
    REFUSED[kind] = codes.count(code)
    figure(
        10,
        "damaged",
        title="Damaged backups that are taken",
        target="none of 50 of each of six damages; each is refused with its own code and nothing is touched",
        command="python -m pytest tests/config/test_backup.py --results benchmarks/results/backup",
        figures={"refused with its own code": dict(REFUSED), "taken": codes.count(0)},
        kept=set(REFUSED) == set(DAMAGE) and min(REFUSED.values()) >= 50,
    )
    assert codes == [code] * times, kind


@pytest.mark.sqlite
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_backup_is_refused_with_its_own_code(site, kind, tmp_path, monkeypatch, django_db_blocker, figure):
    with django_db_blocker.unblock():
        all_refused(site, kind, 3, tmp_path, monkeypatch, figure)


@pytest.mark.long
@pytest.mark.parametrize("kind", DAMAGE)
def test_fifty_of_each_damage_are_refused(site, kind, tmp_path, monkeypatch, django_db_blocker, figure):
    with django_db_blocker.unblock():
        all_refused(site, kind, 50, tmp_path, monkeypatch, figure)


def test_a_whole_backup_is_taken_and_without_the_check_of_contents_a_damaged_one_too(
    site, tmp_path, monkeypatch, django_db_blocker, figure
):
    """The control: what refuses everything would refuse every damage, and what looks at nothing refuses none."""
    bad = tmp_path / "bad.backup"
    of_tomorrow(site, bad, random.Random(1))
    with django_db_blocker.unblock():
        whole = refused_code(site, site.whole, tmp_path / "whole", monkeypatch)
        monkeypatch.setattr(backup, "_refuse_a_foreign_one", lambda *_: None)
        monkeypatch.setattr(backup, "_verify_contents", lambda *_, **__: None)
        blind = refused_code(site, bad, tmp_path / "blind", monkeypatch)
    figure.control("damaged", "a whole backup is taken", noticed=whole == 0)
    figure.control("damaged", "a restore that looks at nothing takes a damaged one", noticed=blind == 0)
    assert (whole, blind) == (0, 0)


@pytest.mark.parametrize(("kind", "code"), [("cut at its end", 11), ("another key", 16)])
def test_the_command_refuses_with_a_sentence_and_the_code(site, empty, kind, code, tmp_path):
    bad = tmp_path / "bad.backup"
    DAMAGE[kind][0](site, bad, random.Random(1))
    done = gandan("restore", str(bad), "--identity", str(site.key), environment=empty)
    assert done.returncode == code and done.stderr.startswith("gandan: ")
    assert tables_of(empty) == 0 and state_of(Path(empty["GANDAN_HOME"])) == {}
    assert not (Path(empty["GANDAN_HOME"]) / "keys").exists(), "nor was a key made"


@pytest.mark.sqlite
def test_a_database_that_does_not_hold_together_is_refused(site, empty, tmp_path):
    """Somebody alters the database inside and packs it with a manifest that fits the file."""
    import json

    for statement, word in (
        ("UPDATE cases_case SET title = 'khác' WHERE id = (SELECT min(id) FROM cases_case)", "holds other rows"),
        ("DELETE FROM accounts_user WHERE id = (SELECT min(id) FROM accounts_user)", "row"),
    ):
        parts = plain_parts(site)
        path = tmp_path / "inside"
        path.write_bytes(parts["database"])
        with sqlite3.connect(path) as raw:
            raw.execute(statement)
        raw.close()
        parts["database"] = path.read_bytes()
        manifest = json.loads(parts["manifest.json"])
        manifest["database"] = hashlib.sha256(parts["database"]).hexdigest()
        parts["manifest.json"] = json.dumps(manifest).encode()
        bad = tmp_path / "bad.backup"
        bad.unlink(missing_ok=True)
        packed(bad, site, parts)
        done = gandan("restore", str(bad), "--identity", str(site.key), environment=empty)
        assert done.returncode == 19 and word in done.stderr, done.stderr
        assert tables_of(empty) == 0


@pytest.mark.sqlite
def test_a_backup_tells_of_a_file_that_is_lost_and_is_restored_only_on_purpose(site, empty, tmp_path):
    path = site.home / "files" / SHA[:2] / SHA
    target = tmp_path / "lacking.backup"
    path.rename(tmp_path / "picture")
    try:
        done = site.command("backup", str(target), "--recipient", site.recipient)
    finally:
        (tmp_path / "picture").rename(path)
    assert done.returncode == 1 and SHA in done.stdout
    identity = ("--identity", str(site.key))
    assert gandan("restore", str(target), *identity, environment=empty).returncode == 18
    restored = gandan("restore", str(target), *identity, "--without-missing-files", environment=empty)
    assert restored.returncode == 0, restored.stderr


@pytest.mark.agnostic
@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04" * 100])
def test_what_is_no_backup_is_told(tmp_path, content):
    (tmp_path / "no").write_bytes(content)
    with pytest.raises(CommandError, match="not a backup") as refusal:
        archive.check(tmp_path / "no")
    assert refusal.value.code == 10
    with pytest.raises(CommandError) as refusal:
        archive.check(tmp_path / "nowhere")
    assert refusal.value.code == 10


@pytest.mark.agnostic
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, monkeypatch):
    for name in ("../evil", "files/../../evil", "/etc/evil", "files//x", "database/x"):
        target = tmp_path / "evil.backup"
        with archive.writing(target, []) as out:
            archive.add_bytes(out, name, b"x")
        with pytest.raises(CommandError, match="no backup holds") as refusal:
            backup._unpack(target, [], tmp_path / "out", keep_files=True)
        assert refusal.value.code == 12 and not (tmp_path / "evil").exists()
        target.unlink()
    with archive.writing(target, []) as out:
        link = tarfile.TarInfo("files/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        out.addfile(link, io.BytesIO())
    with pytest.raises(CommandError, match="no backup holds"):
        backup._unpack(target, [], tmp_path / "out", keep_files=True)


# From one engine to the other


@pytest.mark.postgresql
def test_a_move_there_and_back_keeps_every_digest_and_the_record(site, prepared, tmp_path):
    from gandan.config import digests

    away, back = tmp_path / "away.sqlite3", tmp_path / "back"
    done = site.command("move", str(away))
    assert done.returncode == 0, done.stderr
    with sqlite3.connect(away) as raw:
        first = digests.contents(raw, digests.tables())
        assert raw.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone()[0] > 10
    raw.close()
    home = tmp_path / "home"
    environment = installation(home)
    shutil.copytree(site.home / "keys", home / "keys")
    shutil.copy(away, home / "gandan.sqlite3")
    checked = gandan("check", environment=environment)
    assert checked.returncode == 0, checked.stdout
    address = prepared._create(f"{prepared.template}_back")
    try:
        done = gandan("move", address, environment=environment)
        assert done.returncode == 0, done.stderr
        assert gandan("move", address, environment=environment).returncode == 15, "it is not empty any more"
        moved = {**installation(back, address)}
        shutil.copytree(site.home / "keys", back / "keys")
        checked = gandan("check", environment=moved)
        assert checked.returncode == 0, checked.stdout
        assert gandan("audit", "verify", environment=moved).returncode == 0
        import psycopg

        with psycopg.connect(address) as raw:
            assert digests.contents(raw, digests.tables()) == first
            for table in ("django_content_type", "auth_permission"):
                highest = raw.execute(f"SELECT max(id) FROM {table}").fetchone()[0]
                assert raw.execute(f"SELECT nextval('{table}_id_seq')").fetchone()[0] == highest + 1
            with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="append-only"):
                raw.execute("DELETE FROM audit_auditentry")
    finally:
        prepared._drop(f"{prepared.template}_back")


@pytest.mark.postgresql
@pytest.mark.long
def test_a_move_that_fails_leaves_the_target_empty(site, prepared, tmp_path):
    """A row that breaks a rule of the target: its foreign key leads nowhere."""
    away = tmp_path / "home"
    environment = installation(away)
    assert site.command("move", str(away / "gandan.sqlite3")).returncode == 0
    with sqlite3.connect(away / "gandan.sqlite3") as raw:
        raw.execute("PRAGMA foreign_keys=OFF")
        raw.execute("UPDATE cases_caseidentity SET case_id = ? WHERE id = (SELECT min(id) FROM cases_caseidentity)",
                    ("0" * 32,))  # fmt: skip
    raw.close()
    address = prepared._create(f"{prepared.template}_refused")
    try:
        done = gandan("move", address, environment=environment)
        assert done.returncode != 0
        assert tables_of({"DATABASE_URL": address}) == 0
    finally:
        prepared._drop(f"{prepared.template}_refused")


@pytest.mark.sqlite
def test_a_move_to_the_same_engine_or_onto_something_is_refused(site, tmp_path):
    assert site.command("move", str(tmp_path / "other.sqlite3")).returncode == 3
    (tmp_path / "full.sqlite3").write_bytes(b"x")
    assert site.command("move", str(tmp_path / "full.sqlite3")).returncode == 15
    done = site.command("move", "postgresql://nobody:secret@127.0.0.1:1/none")
    assert done.returncode == 2 and "secret" not in done.stderr and "cannot be reached" in done.stderr
