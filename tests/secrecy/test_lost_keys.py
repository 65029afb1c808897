"""Lost keys come back by the real command line, and no other key is ever made beside what they sealed."""

import shutil
from pathlib import Path

import pytest
from django.db import connection

from gandan.secrecy import vault
from tests import engines
from tests.conftest import gandan, installation

SHARES = ("share-1.txt", "share-3.txt")


@pytest.fixture
def office(prepared):
    """A filled installation of this test's own, its shares, and what its folder of keys held."""
    made = prepared.copy()
    made.keys = made.home / "keys"
    assert made.command("keys", "escrow", str(made.home / "shares")).returncode == 0
    made.shares = [str(made.home / "shares" / name) for name in SHARES]
    made.held = {path.name: path.read_bytes() for path in made.keys.iterdir() if path.suffix == ".key"}
    assert {"master.key", "kek-1.key"} <= made.held.keys()
    yield made
    prepared.drop(made)


def serve():
    return ["serve", "--demo", "--port", str(engines.free_port())]


def refuse_everything(office, name, *, but=()):
    """See that nothing begins without the key `name`, each time with the way out, and that none is made."""
    before = sorted(office.keys.iterdir()) if office.keys.exists() else None
    for arguments in (serve(), ["work", "--once"], ["check"], ["audit", "verify"], ["keys", "verify"], ["demo"]):
        if arguments[0] in but:
            continue
        done = office.command(*arguments)
        assert done.returncode == 3, (arguments, done.stdout, done.stderr)
        assert f"the key {name} is not in {office.keys}" in done.stderr and "gandan keys recover" in done.stderr
        assert "Traceback" not in done.stderr
    assert (sorted(office.keys.iterdir()) if office.keys.exists() else None) == before, "no key was made"


def test_two_shares_bring_back_a_folder_that_is_gone(office):
    shutil.rmtree(office.keys)
    refuse_everything(office, "master.key")
    done = office.command("keys", "recover", *office.shares)
    assert done.returncode == 0 and "keys are back" in done.stdout, done.stderr
    assert {name: (office.keys / name).read_bytes() for name in office.held} == office.held
    assert office.keys.stat().st_mode & 0o777 == 0o700
    checked = office.command("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", ["master.key", "kek-1.key"])
def test_one_lost_key_is_said_and_never_replaced(office, name):
    (office.keys / name).unlink()
    refuse_everything(office, name, but=("audit", "keys") if name == "kek-1.key" else ())
    assert office.command("keys", "recover", *office.shares).returncode == 0
    assert (office.keys / name).read_bytes() == office.held[name]


def test_keys_come_back_into_an_empty_home_and_after_a_restore_without_them(office, prepared, tmp_path):
    copy = tmp_path / "copy.backup"
    assert office.command("backup", str(copy), "--unencrypted").returncode == 0
    home = tmp_path / "new"
    name = f"{prepared.template}_lost"
    environment = installation(home, prepared._create(name) if prepared.database_url else "")
    keys = home / "keys"
    try:
        done = gandan("restore", str(copy), environment=environment)
        assert done.returncode == 0 and "are not there" in done.stdout, done.stderr
        assert not keys.exists()
        checked = gandan("check", environment=environment)
        assert checked.returncode == 3 and "gandan keys recover" in checked.stderr and not keys.exists()
        assert gandan("keys", "recover", *office.shares, environment=environment).returncode == 0
        checked = gandan("check", environment=environment)
        assert checked.returncode == 0, checked.stdout + checked.stderr
    finally:
        if prepared.database_url:
            prepared._drop(name)
    before = installation(tmp_path / "empty")
    assert gandan("keys", "recover", *office.shares, environment=before).returncode == 0
    assert (tmp_path / "empty/keys/master.key").read_bytes() == office.held["master.key"]
    assert not (tmp_path / "empty/gandan.sqlite3").exists()


@pytest.mark.agnostic
@pytest.mark.parametrize("arguments", [["--help"], ["check", "--settings"], ["backup", "keygen", "own.key"]])
def test_a_command_that_needs_no_key_makes_none(arguments, tmp_path):
    home = tmp_path / "home"
    assert gandan(*arguments, environment=installation(home)).returncode == 0
    assert [path.name for path in home.iterdir()] == (["own.key"] if "keygen" in arguments else [])


@pytest.mark.sqlite
def test_an_installation_does_not_begin_beside_what_is_left_of_other_keys(tmp_path):
    home = tmp_path / "home"
    (home / "keys").mkdir(parents=True)
    (home / "keys/kek-1.key").write_bytes(b"k" * 32)
    done = gandan("demo", environment=installation(home))
    assert done.returncode == 3 and "master.key" in done.stderr, done.stderr
    assert [path.name for path in (home / "keys").iterdir()] == ["kek-1.key"]


def test_a_key_of_another_length_is_said_to_be_damaged(office):
    path = office.keys / "master.key"
    path.chmod(0o600)
    path.write_bytes(b"short")
    done = office.command("check")
    assert done.returncode == 3 and "is damaged" in done.stderr


@pytest.mark.django_db
def test_no_master_key_is_made_beside_a_table(settings, tmp_path):
    settings.GANDAN_KEYS_FOLDER = tmp_path / "none"
    vault.begin()
    assert "django_migrations" in connection.introspection.table_names() and not Path(tmp_path / "none").exists()
