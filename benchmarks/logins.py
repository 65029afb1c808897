"""Fifty people sign in at the same moment while others read: how much slower do their pages become?

A real server with its defaults over the small demo province. The pages are timed alone and during the rush, in turns
(alone, rush, rush, alone); each person who signs in uses a browser of their own and does what the page says when
many are coming: press again after a moment. Prints the ratio of the readers' 95th percentile, the server's memory
at its highest, and how long it took until everybody was in. The control: the same pages beside programs that keep
every core busy.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks.rounds import report

TARGET = "other pages less than 2 times slower (95th percentile), less than 1 GiB of memory, while 50 people sign in"
ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "mua rao tren nuong ngo 7"  # noqa: S105 - of people who exist for a minute
PAGE = "/"
_MAKE = """
import sys, django; django.setup()
from django.contrib.auth.hashers import make_password
from gandan.accounts.models import User
from gandan.access import now
kept = make_password(sys.argv[1])
User.objects.bulk_create(
    [User(username=f"rush{n}", full_name=f"Rush {n}", password=kept, created_at=now()) for n in range(int(sys.argv[2]))]
)
"""


class Server:
    """The real server, started by the command that an office uses."""

    def __init__(self, home: Path, people: int, threads: int) -> None:
        sys.path.insert(0, str(ROOT))
        from tests.conftest import installation
        from tests.engines import free_port

        self.port = free_port()
        self.environment = installation(home, GANDAN_URL=f"http://127.0.0.1:{self.port}")
        run = [sys.executable, "-m", "gandan"]
        subprocess.run([*run, "demo", "--quiet"], env=self.environment, check=True, cwd=home)
        make = self.environment | {"DJANGO_SETTINGS_MODULE": "gandan.config.settings"}
        subprocess.run([sys.executable, "-c", _MAKE, PASSWORD, str(people)], env=make, check=True, cwd=home)
        command = [*run, "serve", "--demo", "--port", str(self.port), "--threads", str(threads)]
        self.process = subprocess.Popen(command, env=self.environment, cwd=home, start_new_session=True)
        while True:
            try:
                if self.ask("GET", PAGE)[0] == 200:
                    break
            except OSError:
                time.sleep(0.2)

    def ask(
        self, method: str, path: str, body: str = "", cookies: dict[str, str] | None = None
    ) -> tuple[int, Any, str]:
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in (cookies or {}).items())}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            asked.request(method, path, body or None, headers)
            answer = asked.getresponse()
            return answer.status, answer, answer.read().decode(errors="replace")
        finally:
            asked.close()

    def memory(self) -> int:
        """Return the resident bytes of the server and its workers."""
        found, total = {self.process.pid}, 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self.process.pid:  # the process group
                    found.add(int(stat.parent.name))
            except OSError:
                continue
        for pid in found:
            try:
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except OSError:
                continue
        return total

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=30)


def cookies_of(answer: Any) -> dict[str, str]:
    return dict(line.split(";")[0].split("=", 1) for line in answer.headers.get_all("Set-Cookie") or [])


def sign_in(server: Server, number: int, seed: int) -> tuple[float, int]:
    """Come in as a person with a browser would; return the seconds that it took and how often they were asked back."""
    begun, again = time.monotonic(), 0
    pause = 1 + ((number * 2654435761 + seed) % 3000) / 1000
    _, answer, page = server.ask("GET", "/account/login/")
    cookies = cookies_of(answer)
    while True:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if token is None:
            raise RuntimeError("there is no form to sign in with")
        form = {"login": f"rush{number}", "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
        status, answer, page = server.ask("POST", "/account/login/", urlencode(form), cookies)
        if status == 302:
            return time.monotonic() - begun, again
        if status != 503:
            raise RuntimeError(f"signing in was answered with {status}")
        cookies |= cookies_of(answer)
        again += 1
        time.sleep(pause)


def read(server: Server, until: Callable[[], bool], pause: float) -> list[float]:
    """Open a page again and again, one reader at a time; return the seconds of each."""
    taken = []
    while not until():
        begun = time.perf_counter()
        status, _, _ = server.ask("GET", PAGE)
        if status != 200:
            raise RuntimeError(f"a page was answered with {status}")
        taken.append(time.perf_counter() - begun)
        time.sleep(pause)
    return taken


def rush(server: Server, people: int, seed: int) -> dict[str, Any]:
    """Let everybody sign in at once while one reader reads."""
    done: list[tuple[float, int]] = []
    faults: list[BaseException] = []
    barrier, peak = threading.Barrier(people + 1), [0]

    def one(number: int) -> None:
        try:
            barrier.wait()
            done.append(sign_in(server, number, seed))
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(people)]
    for thread in threads:
        thread.start()
    barrier.wait()

    def over() -> bool:
        peak[0] = max(peak[0], server.memory())
        return not any(thread.is_alive() for thread in threads)

    taken = read(server, over, 0.01)
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return {"reads": taken, "all_in": max(d for d, _ in done), "asked_back": sum(a for _, a in done), "rss": peak[0]}


def beside_busy_programs(server: Server) -> list[float]:
    """Return how long the pages take while sixteen programs a core do nothing but reckon: the control."""
    count = 16 * (os.cpu_count() or 2)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        return read(server, _after(5), 0.01)
    finally:
        for each in busy:
            each.kill()
            each.wait()


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def measure(people: int = 50, seed: int = 1, threads: int = 4) -> dict[str, Any]:
    """Return the figures of four turns: alone, rush, rush, alone."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder) / "home", people, threads)
        try:
            read(server, _after(2), 0.01)
            quiet = read(server, _after(5), 0.01)
            first, second = rush(server, people, seed), rush(server, people, seed + 1)
            quiet += read(server, _after(5), 0.01)
            slowed = beside_busy_programs(server)
        finally:
            server.stop()
    busy = first["reads"] + second["reads"]
    return {
        "people": people,
        "threads": threads,
        "seed": seed,
        "p95_alone_ms": round(p95(quiet) * 1000, 1),
        "p95_rush_ms": round(p95(busy) * 1000, 1),
        "ratio_busy": round(p95(slowed) / p95(quiet), 2),
        "ratio": round(p95(busy) / p95(quiet), 2),
        "median_ratio": round(statistics.median(busy) / statistics.median(quiet), 2),
        "reads": [len(quiet), len(busy)],
        "rss_mib": round(max(first["rss"], second["rss"]) / 2**20),
        "all_in_s": [round(first["all_in"], 1), round(second["all_in"], 1)],
        "asked_back": [first["asked_back"], second["asked_back"]],
        "bounds": {"ratio": 2, "rss_mib": 1024},
    }


def _after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measure(options.people, options.seed, options.threads)
    print(json.dumps(found, indent=1))
    settings = {"people": options.people, "threads": options.threads, "seed": options.seed}
    report("logins", found, target=TARGET, json_file=options.json, **settings)
    return int(found["ratio"] >= 2 or found["rss_mib"] >= 1024)


if __name__ == "__main__":
    sys.exit(main())
