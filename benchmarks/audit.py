"""What the chained record costs its writers on PostgreSQL, and how fast it is verified.

    python -m benchmarks audit verify [--entries N] [--rounds K] [--json FILE]
    python -m tests.engines postgresql python -m benchmarks audit write [--seconds S] [--rounds K] [--json FILE]

`verify`: our streaming verification against the straightforward one (the ORM's rows, json.dumps, one hash each) on the
same SQLite file, interleaved; processor time of the whole process; the verdicts are compared first, and an altered
entry must be found by both.

`write`: eight writers, each transaction three rows of business and one entry, in five ways, interleaved there and back
in one run: without an entry; with a plain row (the peer); with a chain whose head stays locked until the commit is on
the disk; with the chain as the product writes it (the lock goes when the commit is written, and the answer waits until
a second, empty commit has put it on the disk); and with an unsealed row under a per-row HMAC that one sealer chains
every half second.
Every table lies in a schema of its own that is dropped at the end. Ratios are of the rates of one round.
"""
# ruff: noqa: S608 - every name in a statement is a constant of this file

import argparse
import hashlib
import hmac
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from benchmarks.rounds import report

KEY = b"k" * 32
TARGETS = {
    "verify": "at least 100,000 entries a second of CPU",
    "write": "at least 0.8 of the rate with a plain row, eight writers on PostgreSQL",
}
WAYS = ("none", "plain", "locked", "chain", "sealed")


# Verifying


def _installation(folder: str) -> None:
    os.environ["GANDAN_HOME"] = folder
    os.environ.pop("DATABASE_URL", None)
    from gandan.cli import start_django

    start_django()
    from gandan.config import installation

    installation.migrate()


def _entries(count: int) -> None:
    from django.db import transaction

    from gandan.audit import actions

    began = datetime(2026, 1, 1, tzinfo=UTC)
    actors = [UUID(int=n, version=4) for n in range(1, 200)]
    for start in range(0, count, 20_000):
        with transaction.atomic():
            actions.record_history(
                actions.prepare(
                    ("case.take", "case.answer", "obligation.discharged", "case.read")[n % 4],
                    at=began + timedelta(seconds=n),
                    actor_id=actors[n % 199],
                    grant_id=actors[-n % 199],
                    capability="case.take",
                    object_type="cases.case",
                    object_id=UUID(int=n * 7919, version=4),
                    unit_id=actors[n % 38],
                    values={"n": n} if n % 2 else None,
                )
                for n in range(start, min(start + 20_000, count))
            )


def _straightforward() -> tuple[int, list[int]]:
    """Return how many entries were read and which do not fit: the peer."""
    from gandan.audit import chain
    from gandan.audit.models import AuditEntry

    previous, count, wrong = chain.GENESIS, 0, []
    rows = AuditEntry.system("benchmark").order_by("seq").values(*chain.FIELDS, "hash")
    for row in rows.iterator(chunk_size=5000):
        if chain.link(previous, row) != row["hash"]:
            wrong.append(row["seq"])
        previous, count = row["hash"], count + 1
    return count, wrong


def _ours() -> tuple[int, list[int]]:
    from gandan.audit import verifying

    found = verifying.verify()
    return found.entries, [seq for seq, code in found.faults if code == "altered"]


def verify(options: argparse.Namespace) -> dict[str, Any]:
    from resource import RUSAGE_SELF, getrusage

    with tempfile.TemporaryDirectory() as folder:
        _installation(folder)
        from django.db import connection

        _entries(options.entries)
        assert _ours() == _straightforward() == (options.entries, [])
        before = getrusage(RUSAGE_SELF).ru_maxrss
        seconds: dict[str, list[float]] = {"ours": [], "straightforward": []}
        ways: list[tuple[str, Callable[[], Any]]] = [("ours", _ours), ("straightforward", _straightforward)]
        for number in range(options.rounds):
            for name, way in ways if number % 2 == 0 else reversed(ways):
                began = time.process_time()
                way()
                seconds[name].append(time.process_time() - began)
        memory = getrusage(RUSAGE_SELF).ru_maxrss - before
        middle = options.entries // 2
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER audit_auditentry_no_update")
            cursor.execute("UPDATE audit_auditentry SET action = 'case.close' WHERE seq = %s", [middle])
        altered_found = _ours()[1] == _straightforward()[1] == [middle]
        assert altered_found, "the control: an altered entry is found"
        connection.close()
    best = {name: min(each) for name, each in seconds.items()}
    return {
        "entries": options.entries,
        "rounds": options.rounds,
        "entries_per_cpu_second": {name: round(options.entries / each) for name, each in best.items()},
        "median_entries_per_cpu_second": round(options.entries / statistics.median(seconds["ours"])),
        "ratio": round(best["straightforward"] / best["ours"], 2),
        "memory_growth_kib": memory,
        "altered_found": altered_found,
    }


# Writing


_TABLES = """
CREATE TABLE matter (id uuid PRIMARY KEY, unit uuid, title text, at timestamptz);
CREATE TABLE promise (id uuid PRIMARY KEY, matter uuid REFERENCES matter, unit uuid, due timestamptz);
CREATE INDEX ON promise (unit, due);
CREATE TABLE event (id uuid PRIMARY KEY, promise uuid REFERENCES promise, seq int, at timestamptz, facts jsonb);
CREATE TABLE entry (seq bigint PRIMARY KEY, at timestamptz, actor_id uuid, grant_id uuid, capability text, action text,
  object_type text, object_id uuid, unit_id uuid, reason text, commitment text, hash text);
CREATE INDEX ON entry (object_id, seq);
CREATE INDEX ON entry (actor_id, seq);
CREATE TABLE plain (LIKE entry INCLUDING INDEXES);
CREATE SEQUENCE plain_seq;
CREATE TABLE head (id int PRIMARY KEY, seq bigint, hash text);
INSERT INTO head VALUES (1, 0, repeat('0', 64));
CREATE TABLE sealed (id bigserial PRIMARY KEY, seq bigint UNIQUE, at timestamptz, actor_id uuid, grant_id uuid,
  capability text, action text, object_type text, object_id uuid, unit_id uuid, reason text, commitment text,
  mac text, hash text);
CREATE INDEX ON sealed (object_id, id);
CREATE INDEX ON sealed (actor_id, id);
CREATE INDEX ON sealed (id) WHERE seq IS NULL;
"""
_COLUMNS = "at, actor_id, grant_id, capability, action, object_type, object_id, unit_id, reason, commitment"


def _row(matter: UUID) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC),
        "actor_id": uuid4(),
        "grant_id": uuid4(),
        "capability": "case.take",
        "action": "case.take",
        "object_type": "cases.case",
        "object_id": matter,
        "unit_id": uuid4(),
        "reason": "",
        "commitment": "",
    }


def _record(raw: Any, way: str, matter: UUID) -> None:
    """Write the entry of one transaction in one of the ways."""
    from gandan.audit import chain

    if way == "none":
        return
    row = _row(matter)
    values = list(row.values())
    if way == "plain":
        raw.execute(
            f"INSERT INTO plain (seq, {_COLUMNS}, hash) VALUES (nextval('plain_seq'), {'%s, ' * 10} '')", values
        )
    elif way in ("locked", "chain"):
        if way == "chain":
            raw.execute("SET LOCAL synchronous_commit = off")
        seq, previous = raw.execute("SELECT seq, hash FROM head WHERE id = 1 FOR UPDATE").fetchone()
        digest = chain.link(previous, {**row, "seq": seq + 1})
        move = "UPDATE head SET seq = %s, hash = %s WHERE id = 1"
        insert = f"INSERT INTO entry (seq, {_COLUMNS}, hash) VALUES (%s, {'%s, ' * 10} %s)"
        if way == "chain":
            raw.execute(f"WITH moved AS ({move}) {insert}", [seq + 1, digest, seq + 1, *values, digest])
        else:
            raw.execute(insert, [seq + 1, *values, digest])
            raw.execute(move, [seq + 1, digest])
    else:
        mac = hmac.new(KEY, chain.canonical(row), hashlib.sha256).hexdigest()
        raw.execute(f"INSERT INTO sealed ({_COLUMNS}, mac) VALUES ({'%s, ' * 10} %s)", [*values, mac])


def _writer(address: str, schema: str, way: str, together: Any, seconds: float, results: Any) -> None:
    import psycopg

    with psycopg.connect(address, options=f"-c search_path={schema}") as raw:
        together.wait(timeout=60)
        waits, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.perf_counter()
            matter, promise, unit, now = uuid4(), uuid4(), uuid4(), datetime.now(UTC)
            raw.execute("INSERT INTO matter VALUES (%s, %s, %s, %s)", [matter, unit, "Đường vào bản tối", now])
            raw.execute("INSERT INTO promise VALUES (%s, %s, %s, %s)", [promise, matter, unit, now])
            raw.execute("INSERT INTO event VALUES (%s, %s, 1, %s, %s)", [uuid4(), promise, now, '{"unit": "day"}'])
            _record(raw, way, matter)
            raw.commit()
            if way == "chain":
                # As gandan.config.postgresql does: the log is written in order, so this makes all before it durable.
                raw.execute("SELECT pg_logical_emit_message(true, 'gandan', '')")
                raw.commit()
            waits.append(time.perf_counter() - began)
    results.put(waits)


def _sealer(address: str, schema: str, stop: Any, every: float, results: Any) -> None:
    """Chain what is not sealed yet, in the order of sealing, under one lock; tell how long a row waited at most."""
    import psycopg

    from gandan.audit import chain

    sealed = 0
    with psycopg.connect(address, options=f"-c search_path={schema}") as raw:
        while True:
            last = stop.is_set()
            raw.execute("SELECT pg_advisory_xact_lock(20261123)")
            seq, previous = raw.execute("SELECT seq, hash FROM head WHERE id = 1").fetchone()
            rows = raw.execute(f"SELECT id, {_COLUMNS} FROM sealed WHERE seq IS NULL ORDER BY id").fetchall()
            names = [name.strip() for name in _COLUMNS.split(",")]
            changes = []
            for row in rows:
                seq += 1
                previous = chain.link(previous, {**dict(zip(names, row[1:], strict=True)), "seq": seq})
                changes.append((seq, previous, row[0]))
            with raw.cursor() as cursor:
                cursor.executemany("UPDATE sealed SET seq = %s, hash = %s WHERE id = %s", changes)
            raw.execute("UPDATE head SET seq = %s, hash = %s WHERE id = 1", [seq, previous])
            raw.commit()
            sealed += len(rows)
            if last:
                break
            stop.wait(every)
    results.put(sealed)


def _round(options: argparse.Namespace, schema: str, way: str) -> dict[str, float]:
    context = multiprocessing.get_context("spawn")
    results, sealed, stop = context.Queue(), context.Queue(), context.Event()
    together = context.Barrier(options.writers)
    writers = [
        context.Process(target=_writer, args=(options.database, schema, way, together, options.seconds, results))
        for _ in range(options.writers)
    ]
    others = [context.Process(target=_sealer, args=(options.database, schema, stop, 0.5, sealed))] * (way == "sealed")
    for process in [*writers, *others]:
        process.start()
    waits = [results.get(timeout=options.seconds + 60) for _ in writers]
    for process in writers:
        process.join()
    stop.set()
    total = sum(len(each) for each in waits)
    for process in others:
        assert sealed.get(timeout=120) == total, "the control: every unsealed row was chained"
        process.join()
    every = sorted(wait for each in waits for wait in each)
    counts = [len(each) for each in waits]
    return {
        "rate": total / options.seconds,
        "p50_ms": every[len(every) // 2] * 1000,
        "p99_ms": every[int(len(every) * 0.99)] * 1000,
        "slowest_by_fastest": min(counts) / max(counts),
    }


def _check_chain(address: str, schema: str) -> int:
    """Return how many entries the chain of the benchmark holds; it must be whole."""
    import psycopg

    from gandan.audit import chain

    with psycopg.connect(address, options=f"-c search_path={schema}") as raw:
        rows = raw.execute(f"SELECT seq, {_COLUMNS}, hash FROM entry ORDER BY seq")
        names = ["seq", *(name.strip() for name in _COLUMNS.split(",")), "hash"]
        verdict = chain.verify(dict(zip(names, row, strict=True)) for row in rows)
    assert verdict.intact, verdict.faults[:3]
    return verdict.entries


def write(options: argparse.Namespace) -> dict[str, Any]:
    import psycopg

    schema = f"bench_audit_{os.getpid()}"
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with psycopg.connect(options.database, autocommit=True) as raw:
        raw.execute(f"CREATE SCHEMA {schema}")
        try:
            raw.execute(f"SET search_path = {schema}")
            raw.execute(_TABLES)
            durable = raw.execute("SHOW synchronous_commit").fetchone(), raw.execute("SHOW fsync").fetchone()
            for number in range(options.rounds):
                for way in WAYS if number % 2 == 0 else reversed(WAYS):
                    if way == "sealed":
                        raw.execute("UPDATE head SET seq = 0, hash = repeat('0', 64); TRUNCATE sealed")
                    if way in ("locked", "chain"):
                        raw.execute("UPDATE head SET seq = 0, hash = repeat('0', 64); TRUNCATE entry")
                    found[way].append(_round(options, schema, way))
                    if way in ("locked", "chain"):
                        _check_chain(options.database, schema)
                    print(way, {name: round(value, 2) for name, value in found[way][-1].items()}, flush=True)
        finally:
            raw.execute(f"DROP SCHEMA {schema} CASCADE")
    peer = [each["rate"] for each in found["plain"]]
    return {
        "writers": options.writers,
        "seconds": options.seconds,
        "rounds": options.rounds,
        "synchronous_commit": durable[0][0],
        "fsync": durable[1][0],
        "median": {
            way: {name: round(statistics.median(each[name] for each in rounds), 2) for name in rounds[0]}
            for way, rounds in found.items()
        },
        "ratio_to_plain": {
            way: {
                "median": round(statistics.median(e["rate"] / p for e, p in zip(rounds, peer, strict=True)), 3),
                "each": [round(e["rate"] / p, 3) for e, p in zip(rounds, peer, strict=True)],
            }
            for way, rounds in found.items()
        },
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.audit", description=__doc__.splitlines()[0])
    actions = parser.add_subparsers(dest="action", required=True)
    verifying = actions.add_parser("verify")
    verifying.add_argument("--entries", type=int, default=200_000)
    writing = actions.add_parser("write")
    writing.add_argument("--database", default=os.environ.get("DATABASE_URL", ""), help="default: DATABASE_URL")
    writing.add_argument("--writers", type=int, default=8)
    writing.add_argument("--seconds", type=float, default=4.0)
    for each in (verifying, writing):
        each.add_argument("--rounds", type=int, default=5)
        each.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    found = {"verify": verify, "write": write}[options.action](options)
    print(json.dumps({f"audit {options.action}": found}, indent=1))
    report(f"audit {options.action}", found, target=TARGETS[options.action], json_file=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
