"""A command that needs an installation says so where there is none, and makes none by looking."""

import pytest

from tests.conftest import gandan, installation

EVERY = {
    "check": ["check"],
    "work": ["work", "--once"],
    "audit verify": ["audit", "verify"],
    "audit checkpoint": ["audit", "checkpoint"],
    "backup": ["backup", "copy.gandan", "--unencrypted"],
    "keys verify": ["keys", "verify"],
    "keys rotate": ["keys", "rotate"],
    "keys escrow": ["keys", "escrow", "shares"],
    "retention": ["retention", "--dry-run"],
    "move": ["move", "postgresql://nobody@127.0.0.1:1/nothing"],
}


@pytest.mark.sqlite
@pytest.mark.parametrize("command", EVERY)
def test_a_command_in_an_empty_folder_answers_with_a_sentence(command, tmp_path):
    home = tmp_path / "empty"
    done = gandan(*EVERY[command], environment=installation(home))
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr == (
        f"gandan: there is no installation in {home}: start one with gandan init or gandan demo, "
        "or name its folder with --home\n"
    )
    assert [each.name for each in home.iterdir()] == []


@pytest.mark.sqlite
def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path):
    home = tmp_path / "empty"
    environment = installation(home)
    (home / "gandan.sqlite3").write_bytes(b"")
    assert "no installation" in gandan("check", environment=environment).stderr
