"""A real province is started by one command, which says what went wrong before it makes anything."""

import re

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


@pytest.mark.sqlite
def test_lai_chau_starts_with_its_official_units_and_says_what_comes_next(tmp_path):
    environment = installation(tmp_path / "lai-chau")
    done = gandan("init", "--province", "12", "--admin", "quantri", "--oversight", "thanhtra", environment=environment)
    assert done.returncode == 0, done.stderr
    # 106 communes before and 38 after, of which two are the same, eight districts, the province and the country.
    assert done.stdout.startswith(f"{106 + 38 - 2 + 8 + 2} units loaded into ")
    assert re.findall(r"user name (\w+), password \S{16} ", done.stdout) == ["quantri", "thanhtra"]
    assert "follow “What to do next” on the first page" in done.stdout
    again = gandan("init", "--province", "12", environment=environment)
    assert again.returncode == 3 and "there is already an installation" in again.stderr
