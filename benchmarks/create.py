"""What it costs to take in a matter, beside a bare transaction that writes as many rows.

    GANDAN_HOME=FOLDER gandan demo --scale small
    GANDAN_HOME=FOLDER python -m benchmarks create [--rounds N] [--json FILE]

Ours is the whole action: permissions, routing, follow-up code, clocks by the calendar, timeline, record chained and
committed. The bare side writes as many rows with as many bytes into a table without rules, with the same connection:
the same durability, the same gate. The rate is that of transactions acknowledged a second, one writer.
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks import rounds

TARGET = "at least 0.6 of the rate of the bare transaction"
BATCH = 40


def prepare() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "gandan.config.settings"
    os.environ.setdefault("GANDAN_DEMO", "1")
    import django

    django.setup()


def receiving() -> Any:
    """Return a function that takes in one matter."""
    from gandan.access import ANONYMOUS
    from gandan.cases import actions, catalogue
    from gandan.units.models import Unit

    procedure = next(row for row in catalogue.current() if row.code == "FB-01")
    unit = Unit.objects.filter(level="commune", valid_to=None).order_by("slug").first()

    def receive() -> None:
        actions.receive(
            submission=uuid4(),
            procedure=procedure,
            unit=unit,
            channel="web",
            title="Đèn đường hỏng trước nhà văn hóa",
            text="Ba bóng đèn ở đoạn đường vào bản không sáng từ tuần trước, buổi tối các cháu đi học về rất tối.",
            place="Đầu bản, cạnh cầu treo",
            identity={"name": "Lò Thị Mai", "phone": "0912 345 678", "address": "", "wish": "code"},
            by=ANONYMOUS,
        )

    return receive


def written(action: Any) -> tuple[int, int]:
    """Return how many rows one action writes, and how many bytes."""
    from django.db import connection

    rows, size = 0, 0

    def watch(execute: Any, text: str, parameters: Any, many: bool, context: Any) -> Any:
        nonlocal rows, size
        if text.lstrip().upper().startswith(("INSERT", "UPDATE")):
            rows += max(1, text.count("), (") + 1) if text.lstrip().upper().startswith("INSERT") else 1
            size += sum(len(str(each)) for each in parameters or ())
        return execute(text, parameters, many, context)

    with connection.execute_wrapper(watch):
        action()
    return rows, size


def bare(rows: int, size: int) -> Any:
    """Return a function that writes so many rows in one transaction."""
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS benchmark_rows")
        cursor.execute("CREATE TABLE benchmark_rows (id varchar(36) PRIMARY KEY, words text NOT NULL)")
    words = "x" * (size // rows)

    def write() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for _ in range(rows):
                cursor.execute("INSERT INTO benchmark_rows (id, words) VALUES (%s, %s)", [str(uuid4()), words])

    return write


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks create", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    prepare()
    from django.db import connection

    from benchmarks.worklist import meter
    from gandan.cases.models import Case

    receive = receiving()
    receive()
    rows, size = written(receive)
    before, began = Case.system("benchmark").count(), time.perf_counter()
    took = rounds.compare(
        {"ours": receive, "bare": bare(rows, size)}, rounds=options.rounds, times=BATCH, meter=meter()
    )
    kept = Case.system("benchmark").count() - before
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE benchmark_rows")
    rate = {name: 1 / seconds for name, seconds in took["best_wall"].items()}
    found = took | {
        "engine": connection.vendor,
        "rows": rows,
        "bytes": size,
        "rate": rate,
        "ratio": rate["ours"] / rate["bare"],
        "values_ok": kept == options.rounds * BATCH + 3,
        "seconds": time.perf_counter() - began,
    }
    cpu = {name: f"{seconds * 1000:.1f}" for name, seconds in took["best"].items()}
    print(
        f"{connection.vendor}: {rows} rows, {size} bytes; ours {rate['ours']:.0f}/s, bare {rate['bare']:.0f}/s, "
        f"ratio {found['ratio']:.2f}; CPU {cpu['ours']} against {cpu['bare']} ms"
    )
    rounds.report("create", found, target=TARGET, json_file=options.json, rounds=options.rounds, batch=BATCH)
    return 0 if found["values_ok"] and found["ratio"] >= 0.6 else 1


if __name__ == "__main__":
    sys.exit(main())
