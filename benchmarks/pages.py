"""How much processor time a page takes in the demo province, and how many questions it asks of the database.

    python -m benchmarks.pages [--home DIR] [--scale small|province] [--rounds K] [--json FILE]

Builds the invented province into DIR (a folder that goes away when none is named; one that holds a province is used
as it is), then asks for each page K times through every middleware, as a signed-in person where one is needed. Time
is the whole process's, so that nothing hides in a thread; the first request of each page, which fills caches, is
told apart. The verdict is about the median of the pages that must stay below 50 ms: worklist, case page, home.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.rounds import report

LIMIT = 0.050
TARGET = "worklist, case page and home each below 50 ms of CPU in the median"
PAGES = {
    "home": ("", "/"),
    "results": ("", "/results/"),
    "worklist": ("officer", "/desk/"),
    "case list": ("officer", "/desk/cases/"),
    "case page": ("officer", None),
    "command desk": ("commander", "/desk/command/"),
}
MUST = ("home", "worklist", "case page")


def main() -> int:
    asking = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asking.add_argument("--home", type=Path)
    asking.add_argument("--scale", choices=["small", "province"], default="province")
    asking.add_argument("--rounds", type=int, default=15)
    asking.add_argument("--json", type=Path)
    asked = asking.parse_args()
    with tempfile.TemporaryDirectory(prefix="gandan-pages-") as folder:
        home = asked.home or Path(folder)
        if not (home / "gandan.sqlite3").exists():
            building = {**os.environ, "GANDAN_HOME": str(home), "GANDAN_DEMO": "1"}
            subprocess.run(
                [sys.executable, "-m", "gandan", "demo", "--quiet", "--scale", asked.scale], env=building, check=True
            )
        result = measure(home, asked.scale, asked.rounds)
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    settings = {"scale": asked.scale, "rounds": asked.rounds}
    report("pages", result, target=TARGET, json_file=asked.json, **settings)
    return 0 if result["verdict"] else 1


def measure(home: Path, scale: str, rounds: int) -> dict[str, Any]:
    """Ask for every page; return its processor time in milliseconds and its queries."""
    os.environ |= {"GANDAN_HOME": str(home), "GANDAN_DEMO": "1", "GANDAN_URL": "http://127.0.0.1:8000"}
    os.environ["DJANGO_SETTINGS_MODULE"] = "gandan.config.settings"
    import django

    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from gandan.cases.models import Case
    from gandan.config import installation

    installation.migrate()
    installation.collect_static()
    pages: dict[str, Any] = {}
    for name, (chair, path) in PAGES.items():
        client = Client(HTTP_HOST="127.0.0.1:8000")
        if chair:
            client.post("/demo/sit/", {"role": chair})
        address = path or _matter(client)
        spent = [_spent(client, address) for _ in range(rounds + 1)]
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        pages[name] = {
            "path": re.sub(r"[0-9a-f-]{36}", "…", address),
            "first_ms": round(spent[0] * 1000, 1),
            "median_ms": round(statistics.median(spent[1:]) * 1000, 1),
            "least_ms": round(min(spent[1:]) * 1000, 1),
            "queries": len(asked),
        }
    return {
        "matters": Case.system("benchmark").count(),
        "django": django.get_version(),
        "engine": connection.vendor,
        "pages": pages,
        "slowed_ms": round(statistics.median(_slowed() for _ in range(3)) * 1000, 1),
        "limit_ms": LIMIT * 1000,
        "verdict": all(pages[name]["median_ms"] < LIMIT * 1000 for name in MUST),
    }


def _slowed() -> float:
    """Return the processor time of the first page with as much added as a page may take: the control."""
    from django.test import Client

    client = Client(HTTP_HOST="127.0.0.1:8000")
    client.get("/")
    plain = client.get

    def get(address: str) -> Any:
        end = time.process_time() + LIMIT
        while time.process_time() < end:
            pass
        return plain(address)

    client.get = get  # type: ignore[method-assign]
    return _spent(client, "/")


def _matter(client: Any) -> str:
    """Return the matter that is due first on the officer's worklist."""
    found = re.search(r"/desk/cases/[0-9a-f-]{36}/", client.get("/desk/").content.decode())
    if found is None:
        raise SystemExit("the officer's worklist is empty: build the province anew")
    return found[0]


def _spent(client: Any, address: str) -> float:
    began = time.process_time()
    answer = client.get(address)
    spent = time.process_time() - began
    if answer.status_code != 200:
        raise SystemExit(f"{address} answers {answer.status_code}")
    return spent


if __name__ == "__main__":
    raise SystemExit(main())
