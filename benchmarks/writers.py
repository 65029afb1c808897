"""Eight writers, and readers beside them, on one SQLite file: fairness and waiting, with our gate and without.

    python -m benchmarks writers [--writers 8] [--readers 8] [--seconds 4] [--rounds 5] [--seed 1] [--json FILE]

Ours is `gandan.config.sqlite`; the peer is the framework's own engine with the very same settings (WAL, FULL,
IMMEDIATE, 30 s of patience) and no gate. Every writer is a process of its own that commits one transaction after
another: a row of facts, a row of the record, and the record's head. The sides take turns (ABBA) in one run on files
of one disk. The verdict: slowest/fastest writer at least 0.5 in every round, no "locked" error, p99 below 250 ms,
and a control without the gate that is less fair. Whether p99 is within 5 × p50 is told beside it; on a busy machine
it is not. One gated writer alone shows what the disk gives to anybody.
"""

import argparse
import multiprocessing
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import django

from benchmarks import rounds

SIDES = {"gate": "gandan.config.sqlite", "no gate": "django.db.backends.sqlite3"}
TARGET = "slowest/fastest of the writers >= 0.5 in every round, no locked errors, p99 < 250 ms; p99 <= 5 x p50"


def main(arguments: list[str] | None = None) -> int:
    """Measure; return 0 when every target is met and the control without a gate is worse."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="a folder on the disk to measure (default: the temporary one)")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="gandan-writers-home-") as home:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "gandan.config.settings", "DATABASE_URL": "", "GANDAN_HOME": home}
        django.setup()
        return _told(asked)


def _told(asked: argparse.Namespace) -> int:
    results = measure(
        writers=asked.writers,
        readers=asked.readers,
        seconds=asked.seconds,
        number=asked.rounds,
        seed=asked.seed,
        folder=asked.folder,
    )
    for name, side in results["sides"].items():
        print(
            f"{name:8} slowest/fastest {side['fairness']} worst {side['worst_fairness']:.2f}; "
            f"{side['rate']:.0f} commits/s; p50 {side['p50'] * 1000:.0f} ms, p99 {side['p99'] * 1000:.0f} ms; "
            f"{side['locked']} locked; {side['reads']:.0f} reads/s"
        )
    print(f"alone    {results['alone']['rate']:.0f} commits/s")
    for name, held in results["targets"].items():
        print(f"{'yes' if held else 'NO ':4} {name}")
    print(f"verdict: {'kept' if results['verdict'] else 'NOT KEPT'}")
    rounds.report("writers", results, target=TARGET, json_file=asked.json, **vars(asked))
    return 0 if results["verdict"] else 1


def measure(
    *, writers: int, readers: int, seconds: float, number: int, seed: int, folder: Path | None = None
) -> dict[str, Any]:
    """Return fairness, rate and waiting of both sides over `number` interleaved rounds, and the verdict."""
    told: dict[str, list[dict[str, Any]]] = {name: [] for name in SIDES}
    with tempfile.TemporaryDirectory(prefix="gandan-writers-", dir=folder) as place:
        for turn in range(number):
            for name in list(SIDES) if turn % 2 == 0 else list(reversed(SIDES)):
                told[name].append(
                    _one_round(Path(place) / f"{turn}-{name}", SIDES[name], writers, readers, seconds, seed)
                )
        alone = _one_round(Path(place) / "alone", SIDES["gate"], 1, 0, seconds, seed)
    sides = {name: _summary(found) for name, found in told.items()}
    ours, peer = sides["gate"], sides["no gate"]
    targets = {
        "slowest/fastest at least 0.5": ours["worst_fairness"] >= 0.5,
        "nobody locked out": not ours["locked"],
        "p99 below 250 ms": ours["p99"] < 0.25,
        "p99 within 5 x p50": ours["p99"] <= 5 * ours["p50"],
    }
    kept = all(held for name, held in targets.items() if name != "p99 within 5 x p50")
    return {
        "sides": sides,
        "alone": _summary([alone]),
        "targets": targets,
        "values_ok": all(each["whole"] for found in told.values() for each in found),
        "verdict": kept
        and all(each["whole"] for found in told.values() for each in found)
        and peer["worst_fairness"] < ours["worst_fairness"],
    }


def _one_round(path: Path, engine: str, writers: int, readers: int, seconds: float, seed: int) -> dict[str, Any]:
    path.mkdir()
    file = path / "a.sqlite3"
    made = sqlite3.connect(file)
    made.executescript("""
        PRAGMA journal_mode=WAL;
        CREATE TABLE fact (id INTEGER PRIMARY KEY, writer INTEGER, text TEXT);
        CREATE TABLE entry (seq INTEGER PRIMARY KEY, writer INTEGER, hash TEXT);
        CREATE TABLE head (id INTEGER PRIMARY KEY, seq INTEGER);
        INSERT INTO head VALUES (1, 0);
    """)
    made.close()
    fork = multiprocessing.get_context("fork")
    start, line = fork.Barrier(writers + readers), fork.Queue()
    processes = [
        fork.Process(target=_write, args=(file, engine, n, seconds, seed, start, line)) for n in range(writers)
    ] + [fork.Process(target=_read, args=(file, engine, seconds, start, line)) for _ in range(readers)]
    for process in processes:
        process.start()
    answers = [line.get() for _ in processes]
    for process in processes:
        process.join()
    found = [each for each in answers if "waits" in each]
    plain = sqlite3.connect(file)
    rows, entries, head = (
        plain.execute(asked).fetchone()[0]
        for asked in ("SELECT count(*) FROM fact", "SELECT count(*) FROM entry", "SELECT seq FROM head")
    )
    plain.close()
    done = sum(len(each["waits"]) for each in found)
    return {
        "counts": sorted(len(each["waits"]) for each in found),
        "waits": [wait for each in found for wait in each["waits"]],
        "locked": sum(each["locked"] for each in found),
        "reads": sum(each.get("reads", 0) for each in answers) / seconds,
        "rate": done / seconds,
        "whole": rows == entries == head == done,
    }


def _summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    waits = sorted(wait for each in found for wait in each["waits"])
    fairness = [each["counts"][0] / max(each["counts"][-1], 1) for each in found]
    return {
        "fairness": [round(value, 3) for value in fairness],
        "worst_fairness": min(fairness),
        "median_fairness": statistics.median(fairness),
        "counts": [each["counts"] for each in found],
        "rate": statistics.median(each["rate"] for each in found),
        "p50": waits[len(waits) // 2] if waits else float("inf"),
        "p99": waits[int(len(waits) * 0.99)] if waits else float("inf"),
        "longest": waits[-1] if waits else float("inf"),
        "locked": sum(each["locked"] for each in found),
        "reads": statistics.median(each["reads"] for each in found),
    }


def _write(file: Path, engine: str, number: int, seconds: float, seed: int, start: Any, line: Any) -> None:
    from django.db import OperationalError, transaction

    connection = _connect(file, engine)
    drawn = random.Random(seed * 100 + number)
    waits, locked = [], 0
    connection.ensure_connection()
    start.wait()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        text = f"{drawn.getrandbits(4000):x}"
        began = time.monotonic()
        try:
            with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
                cursor.execute("INSERT INTO fact (writer, text) VALUES (%s, %s)", [number, text])
                cursor.execute("UPDATE head SET seq = seq + 1 WHERE id = 1")
                cursor.execute("INSERT INTO entry SELECT seq, %s, %s FROM head", [number, text[:64]])
        except OperationalError:
            locked += 1
        else:
            waits.append(time.monotonic() - began)
    connection.close()
    line.put({"waits": waits, "locked": locked})


def _read(file: Path, engine: str, seconds: float, start: Any, line: Any) -> None:
    connection = _connect(file, engine)
    connection.ensure_connection()
    start.wait()
    end, reads = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq FROM head WHERE id = 1")
            cursor.fetchone()
        reads += 1
        time.sleep(0.01)
    connection.close()
    line.put({"reads": reads, "locked": 0})


def _connect(file: Path, engine: str) -> Any:
    """Return a connection of our own to `file`, as the installation makes them, on the named engine."""
    from django.db import connections

    from gandan.config import database

    alias = f"writers-{engine}-{file}"
    connections.databases[alias] = {
        **connections.databases["default"],
        **database.sqlite(file),
        "ENGINE": engine,
        "TIME_ZONE": None,
        "AUTOCOMMIT": True,
        "CONN_HEALTH_CHECKS": False,
        "ATOMIC_REQUESTS": False,
    }
    return connections[alias]


if __name__ == "__main__":
    sys.exit(main())
