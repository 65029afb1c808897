"""`gandan units`: what cannot be answered is told in a sentence, with the exit code that the help names."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.agnostic
TABLE = "code,reports\n03388,4\n"
DATES = ("--from", "2025-06-30", "--to", "2025-07-01")


def units(tmp_path, *arguments, given="", **settings):
    hidden = ("DATABASE_URL", "GANDAN_TODAY", "GANDAN_HOME", "DJANGO_SETTINGS_MODULE")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "-m", "gandan", "units", *arguments],
        input=given,
        env={**environment, "GANDAN_HOME": str(tmp_path / "home"), **settings},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    out = tmp_path / "nowhere" / "x.csv"
    done = units(tmp_path, "restate", "-", *DATES, "--reference", "--out", str(out), given=TABLE)
    assert done.returncode == 2
    assert done.stderr == f"gandan units: {out} cannot be written: No such file or directory\n"


def test_a_wrong_setting_is_told(tmp_path):
    done = units(tmp_path, "show", "03388", DATABASE_URL="foo")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and "DATABASE_URL begins with" in done.stderr
    done = units(tmp_path, "show", "03388", GANDAN_TODAY="zz")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and "GANDAN_TODAY is a date" in done.stderr


def test_the_lists_do_not_answer_for_an_installation_that_is_silent(tmp_path):
    silent = "postgresql://nobody@127.0.0.1:1/none"
    done = units(tmp_path, "show", "03388", DATABASE_URL=silent)
    assert (done.returncode, done.stdout) == (4, "") and "does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert units(tmp_path, "show", "03388", "--reference", DATABASE_URL=silent).returncode == 0


def test_before_the_lists_begin_an_answer_says_so(tmp_path):
    told = "the lists begin on 01/01/2013: what the code meant on 01/01/1999 is not known"
    assert told in units(tmp_path, "show", "03388", "--on", "1999-01-01").stdout
    assert "the lists begin" not in units(tmp_path, "show", "03388", "--on", "2020-01-01").stdout
