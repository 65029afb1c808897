"""What starting costs: the command line, Django with all rooms, and a page from a server that has just started.

    python -m benchmarks startup [--rounds N] [--json FILE]

Each is a new process, in interleaved rounds beside an empty Python and a bare `django-admin`; figures are seconds of
CPU of the process. What a start imports is counted too: heavy libraries must not be among it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import rounds

TARGET = "gandan --help below 0.5 s of CPU; no heavy library is imported by a start"
HEAVY = ("numpy", "scipy", "pandas", "duckdb", "PIL", "pikepdf", "openpyxl", "cryptography.x509")
_SETUP = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'gandan.config.settings'; import django; django.setup()"
_STATIC = (
    "from django.core.management import call_command; from django.conf import settings; "
    "settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True); "
    "call_command('collectstatic', verbosity=0, interactive=False)"
)
_PAGE = (
    f"{_SETUP}; from django.test import Client; "
    "answer = Client(HTTP_HOST='127.0.0.1').get('/'); assert answer.status_code == 200, answer.status_code"
)
_TOLD = "; import sys; print(*(m for m in sys.modules), file=sys.stderr)"


def side(home: str, *arguments: str) -> Any:
    environment = {**os.environ, "GANDAN_HOME": home, "GANDAN_DEMO": "1"}
    environment.pop("DATABASE_URL", None)

    def run() -> str:
        answer = subprocess.run(
            [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=True
        )
        return answer.stderr

    return run


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks startup", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as home:
        subprocess.run(
            [sys.executable, "-m", "gandan", "demo", "--scale", "small", "--home", home],
            check=True,
            capture_output=True,
            env={key: value for key, value in os.environ.items() if key != "DATABASE_URL"},
        )
        side(home, "-c", f"{_SETUP}; {_STATIC}")()
        sides = {
            "empty Python": side(home, "-c", "pass"),
            "gandan --help": side(home, "-m", "gandan", "--help"),
            "django-admin help": side(home, "-m", "django", "help"),
            "all rooms": side(home, "-c", _SETUP),
            "first page": side(home, "-c", _PAGE),
        }
        heavy = {
            name: sorted(set(side(home, "-c", text + _TOLD)().split()) & set(HEAVY))
            for name, text in (("all rooms", _SETUP), ("first page", _PAGE))
        }
        found: dict[str, Any] = rounds.compare(sides, rounds=options.rounds)
        planted = sorted(set(side(home, "-c", f"import numpy{_TOLD}")().split()) & set(HEAVY))
    found |= {"heavy": heavy, "planted": planted}
    for name, seconds in found["best"].items():
        print(f"{name:18} {seconds:6.2f} s CPU")
    print(
        "heavy libraries at a start: " + (", ".join(sorted({n for names in heavy.values() for n in names})) or "none")
    )
    rounds.report("startup", found, target=TARGET, json_file=options.json, rounds=options.rounds)
    return 0 if found["best"]["gandan --help"] < 0.5 and not any(heavy.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
