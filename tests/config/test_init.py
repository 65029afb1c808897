"""A real province is started by one command, which says what went wrong before it makes anything."""

import os
import re
import sqlite3

import pytest

from tests.conftest import gandan, installation


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "say which province with --province CODE"),
        (["--province", "98"], "there is no province with the code 98 today; the codes are 01, 04, "),
        (["--province", "lc"], "there is no province with the code lc today"),
        (["--province", "12", "--admin", "Lan", "--oversight", "lan"], "are two people: name two users"),
    ],
)
def test_a_wrong_start_is_answered_by_a_sentence_and_makes_nothing(arguments, words, tmp_path):
    home = tmp_path / "empty"
    done = gandan("init", *arguments, environment=installation(home))
    assert done.returncode == 2, done.stderr
    assert words in done.stderr and "Traceback" not in done.stderr
    assert not (home / "gandan.sqlite3").exists()


def open_to_others(home):
    """Return what of an installation others on the machine may read; the pages' styles are for everybody."""
    closed = {path.name for path in home.iterdir() if path.is_dir() and not path.stat().st_mode & 0o077}
    found = [path for path in home.rglob("*") if path.is_file() and path.relative_to(home).parts[0] not in closed]
    return [path.name for path in found if path.stat().st_mode & 0o077 and "static" not in path.parts]


@pytest.mark.sqlite
def test_a_database_is_made_for_its_owner_alone_and_an_older_one_is_closed(tmp_path, request, django_db_blocker):
    from gandan.config import installation as made
    from gandan.config.database import sqlite
    from gandan.config.sqlite.base import DatabaseWrapper

    before = os.umask(0o022)
    request.addfinalizer(lambda: os.umask(before))
    path = tmp_path / "new.sqlite3"
    defaults = {
        "AUTOCOMMIT": True,
        "ATOMIC_REQUESTS": False,
        "TIME_ZONE": None,
        "CONN_HEALTH_CHECKS": False,
        "TEST": {},
    }
    opened = DatabaseWrapper({**defaults, **sqlite(path)})
    with django_db_blocker.unblock():
        opened.connect()
    with opened.connection:
        opened.connection.execute("CREATE TABLE t (a)")
    assert len(list(tmp_path.iterdir())) >= 2 and open_to_others(tmp_path) == []
    opened.connection.close()
    old = tmp_path / "old.sqlite3"
    with sqlite3.connect(old) as raw:
        raw.execute("CREATE TABLE t (a)")
    raw.close()
    assert open_to_others(tmp_path) == ["old.sqlite3"]
    made._close_to_others(old)
    assert open_to_others(tmp_path) == []


@pytest.mark.sqlite
def test_lai_chau_starts_with_its_official_units_and_says_what_comes_next(tmp_path, request):
    home = tmp_path / "lai-chau"
    environment = installation(home)
    before = os.umask(0o022)
    request.addfinalizer(lambda: os.umask(before))
    home.chmod(0o755)
    done = gandan("init", "--province", "12", "--admin", "quantri", "--oversight", "thanhtra", environment=environment)
    assert done.returncode == 0, done.stderr
    # 106 communes before and 38 after, of which two are the same, eight districts, the province and the country.
    assert done.stdout.startswith(f"{106 + 38 - 2 + 8 + 2} units loaded into ")
    assert re.findall(r"user name (\w+), password \S{16} ", done.stdout) == ["quantri", "thanhtra"]
    assert "follow “What to do next” on the first page" in done.stdout
    assert (home / "keys/master.key").stat().st_mode & 0o777 == 0o400
    assert open_to_others(home) == [], "whatever the account's mask is, and though the folder was there before"
    again = gandan("init", "--province", "12", environment=environment)
    assert again.returncode == 3 and "there is already an installation" in again.stderr
