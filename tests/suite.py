"""Everything that script/test runs, two steps beside each other, and what came of it.

The code is read (lint, types, contracts, picture), the tests run on SQLite and on a PostgreSQL started for this run,
and journeys in the browser on both. A step's words are shown when it ends. A test that was skipped counts as failed:
whatever is missing is a fault with a sentence.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import engines

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
COUNTS = ("passed", "failed", "error", "skipped", "deselected", "xfailed", "xpassed")
BESIDE = 2
"""So many steps run at the same time."""
PYTEST = (sys.executable, "-m", "pytest", "-q", "--durations=5", "-m")


@dataclass
class Step:
    """One program of the suite; `tests` says that it closes with pytest's counts."""

    name: str
    command: tuple[str, ...]
    tests: bool = False
    database_url: str = ""
    code: int | None = None
    seconds: float = 0.0
    closing: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def fault(self) -> str:
        """Return why this step failed, or nothing."""
        if self.code is None:
            return "not run"
        if self.code:
            return "no test was found" if self.tests and self.code == 5 else f"exit code {self.code}"
        if self.tests and not self.counts.get("passed"):
            return "no test was run"
        return f"{self.broken} tests were skipped" if self.broken else ""

    @property
    def broken(self) -> int:
        """Return how many tests did not do what they promise."""
        return sum(self.counts.get(name, 0) for name in ("failed", "error", "skipped", "xfailed", "xpassed"))


def steps(*, fast: bool, long: bool, postgresql: str) -> list[Step]:
    """Return the steps in the order in which they begin: what reads the code, then the longest first."""

    def tests(name: str, which: str, database_url: str = "") -> Step:
        return Step(name, (*PYTEST, which), tests=True, database_url=database_url)

    wanted = [
        Step("lint", (str(BIN / "ruff"), "check", ".")),
        Step("layout", (str(BIN / "ruff"), "format", "--check", ".")),
        Step("types", (str(BIN / "mypy"),)),
        Step("contracts", (str(BIN / "lint-imports"), "--no-logo", "--no-cache")),
        Step("picture", (sys.executable, "script/picture", "--check")),
    ]
    if not fast:
        wanted.append(tests("tests on PostgreSQL", "not agnostic and not journey and not long", postgresql))
    wanted.append(tests("tests on SQLite", "not agnostic and not journey and not long"))
    if not fast:
        wanted.append(tests("journeys on SQLite", "journey and not long"))
    wanted.append(tests("tests without a database", "agnostic and not journey and not long"))
    if not fast:
        wanted.append(tests("loop on PostgreSQL", "loop and not long", postgresql))
    if long:
        wanted.append(tests("long tests on SQLite", "long"))
        wanted.append(tests("long tests on PostgreSQL", "long and not agnostic", postgresql))
    return wanted


def closing_line(output: str) -> tuple[str, dict[str, int]]:
    """Return pytest's last line of counts, and the counts."""
    for line in reversed(output.splitlines()):
        found = re.findall(rf"(\d+) ({'|'.join(COUNTS)})s?\b", line)
        if found and re.search(r"in \d+(\.\d+)?s", line):
            return line.strip("= "), {name: int(number) for number, name in found}
    return "", {}


class Runner:
    """Runs steps, two beside each other; keeps their words apart."""

    def __init__(self, home: str) -> None:
        self.home = home
        """A folder of its own for what the programs write, so that no installation here is touched."""
        self.speaking, self.taking = threading.Lock(), threading.Lock()
        self.running: set[subprocess.Popen[str]] = set()
        self.stopped = False

    def run(self, planned: list[Step]) -> None:
        waiting = iter(planned)
        threads = [threading.Thread(target=self._go_through, args=(waiting,), daemon=True) for _ in range(BESIDE)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(timeout=0.5)
        finally:
            self.stop()

    def stop(self) -> None:
        """End what still runs: only programs that were started here."""
        self.stopped = True
        for process in list(self.running):
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process in list(self.running):
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()

    def _go_through(self, waiting: Iterator[Step]) -> None:
        while not self.stopped:
            with self.taking:
                step = next(waiting, None)
            if step is None:
                return
            self._step(step)

    def _step(self, step: Step) -> None:
        self._say(f"… {step.name}")
        began = time.monotonic()
        ours = ("GANDAN_", "DATABASE_URL", "DJANGO_")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        environment |= {"GANDAN_HOME": self.home, "DATABASE_URL": step.database_url, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(
            step.command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self.running.add(process)
        output, _ = process.communicate()
        self.running.discard(process)
        step.code, step.seconds = process.returncode, time.monotonic() - began
        if step.tests:
            step.closing, step.counts = closing_line(output)
        shown = output if step.fault or step.tests else "\n".join(output.splitlines()[-2:])
        mark = "✗" if step.fault else "✓"
        self._say(f"\n{mark} {step.name} ({step.seconds:.0f} s)\n{shown.rstrip()}\n")

    def _say(self, text: str) -> None:
        with self.speaking:
            print(text, flush=True)


def report(taken: list[Step], seconds: float) -> int:
    """Print what came of each step, then the closing lines; return the exit code."""
    print(f"\n{'':2}{'step':26}{'seconds':>8}  result")
    for step in taken:
        words = step.fault or step.closing or "ok"
        print(f"{'✗ ' if step.fault else '✓ '}{step.name:26}{step.seconds:8.0f}  {words}")
    failed = [step for step in taken if step.fault]
    print(f"\n{len(taken) - len(failed)} of {len(taken)} steps are good, after {seconds / 60:.1f} minutes")
    passed = sum(step.counts.get("passed", 0) for step in taken)
    # A fault outside the tests, such as a broken contract, counts as one failure.
    broken = sum(step.broken or 1 for step in failed)
    print(f"{passed} passed, {broken} failed")
    return 1 if failed else 0


@contextmanager
def _postgresql(*, wanted: bool) -> Iterator[str]:
    if not wanted:
        yield ""
        return
    with engines.postgresql() as address:
        yield address


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/test", description="Run everything that must hold.")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--fast", action="store_true", help="the inner loop: lint and SQLite, no browser")
    choice.add_argument("--long", action="store_true", help="also simulations, mutants and soaks")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.monotonic()
    try:
        if not options.fast:
            engines.ensure()
        with (
            _postgresql(wanted=not options.fast) as address,
            tempfile.TemporaryDirectory(prefix="gandan-suite-") as home,
        ):
            planned = steps(fast=options.fast, long=options.long, postgresql=address)
            Runner(home).run(planned)
    except engines.MissingPart as error:
        print(f"script/test: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("script/test: interrupted", file=sys.stderr)
        return 130
    return report(planned, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
