"""What restating the nation costs: 10,035 rows onto the map of 1 July 2025, beside the same join in SQLite.

    python -m benchmarks restate [--rounds N] [--json FILE]

Ours reads the CSV, checks every row, finds the unit behind each code on its day, sums exactly, keeps the shares
imputed and unknown, and writes the CSV. The peer does what one would first write: it loads codes and figures into a
table, joins a crosswalk that is there already, groups, and writes; it checks nothing and knows no unknown share. Both
must give the same figure for every unit that is made of whole units only.
"""

import argparse
import csv
import io
import random
import sqlite3
import sys
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import rounds
from gandan.units import register, restating

TARGET = "10,035 rows in below one second of CPU after start-up"
BEFORE, AFTER = date(2025, 6, 30), date(2025, 7, 1)


def table(known: register.Register) -> bytes:
    """Return a CSV with a figure for every commune of the older map."""
    chance = random.Random(1)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["code", "received"])
    writer.writerows([entry.code, chance.randrange(500)] for entry in known.alive(BEFORE))
    return out.getvalue().encode()


def crosswalk(known: register.Register) -> sqlite3.Connection:
    """Return a database with old code, new code, and whether the old unit went there whole."""
    opened = sqlite3.connect(":memory:")
    opened.execute("CREATE TABLE link (old TEXT, new TEXT, whole INTEGER)")
    later = {entry.key: entry.code for entry in known.alive(AFTER)}
    codes = {entry.key: entry.code for entry in known.alive(BEFORE)}
    linked = [link for link in known.links(BEFORE, AFTER) if link.old in codes and link.new in later]
    rows = [(codes[link.old], later[link.new], link.part == "whole") for link in linked]
    named = {link.old for link in linked}
    rows += [(code, later[key], True) for key, code in codes.items() if key not in named and key in later]
    opened.executemany("INSERT INTO link VALUES (?, ?, ?)", rows)
    opened.execute("CREATE INDEX link_old ON link (old)")
    return opened


def joined(opened: sqlite3.Connection, data: bytes) -> str:
    """Return the peer's CSV: the sum for every new unit, and whether whole units alone are in it."""
    opened.execute("DROP TABLE IF EXISTS figure")
    opened.execute("CREATE TEMP TABLE figure (code TEXT, received INTEGER)")
    opened.executemany("INSERT INTO figure VALUES (?, ?)", list(csv.reader(io.StringIO(data.decode())))[1:])
    out = io.StringIO()
    csv.writer(out).writerows(
        opened.execute(
            "SELECT new, sum(received), min(whole) FROM figure JOIN link ON old = code GROUP BY new ORDER BY new"
        )
    )
    return out.getvalue()


def agree(ours: str, peer: str) -> int:
    """Return how many units of whole parts have one figure on both sides. Raises RuntimeError where two differ."""
    told = {row[0]: row[3] for row in list(csv.reader(io.StringIO(ours)))[1:]}
    whole = [row for row in csv.reader(io.StringIO(peer)) if row[2] == "1"]
    differing = [row[0] for row in whole if told[row[0]] != row[1]]
    if differing:
        raise RuntimeError(f"{len(differing)} units differ, {differing[0]} the first")
    return len(whole)


def planted(ours: str, peer: str) -> bool:
    """Say whether one figure that is changed by one makes the comparison fail."""
    rows = list(csv.reader(io.StringIO(peer)))
    row = next(row for row in rows if row[2] == "1")
    row[1] = str(int(row[1]) + 1)
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    try:
        agree(ours, out.getvalue())
    except RuntimeError:
        return True
    return False


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks restate", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    known = register.from_reference()
    data, opened = table(known), crosswalk(known)
    sides = {
        "ours": lambda: restating.restate_table(data, known, BEFORE, AFTER),
        "joined": lambda: joined(opened, data),
    }
    same = agree(sides["ours"](), sides["joined"]())
    noticed = planted(sides["ours"](), sides["joined"]())
    found: dict[str, Any] = rounds.compare(sides, rounds=options.rounds)
    found |= {"rows": data.count(b"\n") - 1, "same": same, "noticed": noticed}
    found |= {"ratio": found["best"]["ours"] / found["best"]["joined"]}
    print(
        f"{found['rows']:,} rows: ours {found['best']['ours'] * 1000:.0f} ms CPU, the bare join "
        f"{found['best']['joined'] * 1000:.0f} ms ({found['ratio']:.1f} times); {same:,} units of whole parts agree"
    )
    rounds.report("restate", found, target=TARGET, json_file=options.json, rounds=options.rounds)
    return 0 if found["best"]["ours"] < 1 else 1


if __name__ == "__main__":
    sys.exit(main())
