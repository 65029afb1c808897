"""Starting costs little: heavy libraries are loaded where they are used."""

import os
import subprocess
import sys

import pytest

from tests.house import tree

HEAVY = ("duckdb", "numpy", "scipy", "altair", "pyxform", "vl_convert", "PIL", "pikepdf")
HELP_SECONDS = 0.5
"""CPU seconds in which `gandan --help` is answered: counted by the machine, not by the wall clock."""

_LOADED = """
import sys
{work}
print(",".join(sorted({{name.partition(".")[0] for name in sys.modules}} & set({heavy!r}))))
"""
_CHECK = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "gandan.config.settings"
from django.core.management import execute_from_command_line
execute_from_command_line(["manage", "check"])
from django.test import Client
"""


def loaded(work: str, home) -> set[str]:
    """Return which heavy libraries a program has loaded after `work`."""
    done = subprocess.run(
        [sys.executable, "-c", _LOADED.format(work=work, heavy=HEAVY)],
        env=environment(home),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(filter(None, done.stdout.splitlines()[-1].split(",")))


def environment(home) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GANDAN_", "DATABASE_URL"))}
    return kept | {"GANDAN_HOME": str(home), "PYTHONPATH": str(tree.ROOT / "src"), "PYTHONWARNINGS": "ignore"}


def test_a_check_loads_no_heavy_library(tmp_path):
    assert loaded(_CHECK, tmp_path) == set()


def test_the_web_door_loads_no_heavy_library(tmp_path):
    work = "import gandan.config.wsgi\nfrom django.urls import get_resolver\nget_resolver().url_patterns"
    assert loaded(work, tmp_path) == set()


def test_a_heavy_library_would_be_found(tmp_path):
    assert loaded("import numpy", tmp_path) == {"numpy"}


def cpu_seconds(*command: str, home) -> tuple[float, str]:
    """Return the CPU seconds that a program and its children use, and what it says."""
    code = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime)\n"
        "print(done.stdout, done.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *command],
        env=environment(home),
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, _, said = done.stdout.partition("\n")
    return float(seconds), said


def test_help_is_answered_at_once(tmp_path):
    """The best of three, because a busy machine only ever adds."""
    tries = [cpu_seconds(sys.executable, "-m", "gandan", "--help", home=tmp_path) for _ in range(3)]
    assert "serve" in tries[0][1]
    assert min(seconds for seconds, _ in tries) < HELP_SECONDS


def test_help_loads_no_framework(tmp_path):
    work = "from gandan.cli import build_parser\nbuild_parser().format_help()\nassert 'django' not in sys.modules"
    assert loaded(work, tmp_path) == set()


def test_a_slow_answer_would_be_found(tmp_path):
    slow = "import time\nend = time.process_time() + 0.6\nwhile time.process_time() < end: pass"
    assert cpu_seconds(sys.executable, "-c", slow, home=tmp_path)[0] > HELP_SECONDS


@pytest.mark.parametrize("command", ["init", "demo", "serve", "work", "check", "units", "audit", "backup", "restore"])
def test_every_command_explains_itself(tmp_path, command):
    _, said = cpu_seconds(sys.executable, "-m", "gandan", command, "--help", home=tmp_path)
    assert "usage: gandan" in said
