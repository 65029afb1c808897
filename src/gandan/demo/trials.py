"""What a visitor may try to break: figures carried over a merger, and a copy of the record tampered with."""

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any

from gandan.audit import chain, sql
from gandan.units import recorded, restating
from gandan.units.models import Succession, Unit

ENTRIES = 2_000
"""How many entries of the record are copied."""
_ACTION = chain.SPELLED.index("action")


@dataclass(frozen=True, slots=True)
class Restated:
    """Three figures reported by former communes, and what they are on the map of the next day."""

    parts: list[tuple[str, str, str]]
    """Code, name and figure of each."""
    whole: list[tuple[str, str, str]]
    day: date
    decree: str


def has_merged(count: int) -> bool:
    """Say whether a merger of so many communes into one is recorded: before July 2025 none is."""
    return _newest_merger(count) is not None


def restate(figures: list[str]) -> Restated:
    """Carry figures over the newest merger of as many communes into one.

    Raises restating.TableError, and LookupError where there was none.
    """
    merger = _newest_merger(len(figures))
    if merger is None:
        raise LookupError("no merger of so many communes is recorded")
    act, olds = merger
    before = act.effective_on - timedelta(days=1)
    rows = [(old.version_on(before), figure) for old, figure in zip(olds, figures, strict=True)]
    known = [(version, figure) for version, figure in rows if version is not None]
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["code", "reports"])
    writer.writerows([version.code, figure] for version, figure in known)
    register = recorded.from_database()
    assert register is not None
    told = restating.restate_table(table.getvalue().encode(), register, before, act.effective_on)
    whole = [(row["code"], row["name"], row["reports"]) for row in csv.DictReader(io.StringIO(told))]
    return Restated(
        [(version.code, version.full_name, figure) for version, figure in known], whole, act.effective_on, act.decree
    )


@dataclass(frozen=True, slots=True)
class Tampering:
    """The record as it is, and a copy of it in which one entry says something else."""

    number: int
    was: str
    became: str
    entries: int
    whole: chain.Verdict
    copy: chain.Verdict


def tamper(number: int) -> Tampering | None:
    """Copy the beginning of the record, alter one entry of the copy, and verify both. None for no such entry."""
    rows = [tuple(row) for row in islice(sql.entries(upto=ENTRIES), ENTRIES)]
    if not 1 <= number <= len(rows):
        return None
    original = rows[number - 1]
    altered: list[Any] = list(original)
    altered[_ACTION] = "case.close" if original[_ACTION] != "case.close" else "case.answer"
    copy = [*rows[: number - 1], tuple(altered), *rows[number:]]
    return Tampering(number, original[_ACTION], altered[_ACTION], len(rows), _verdict(rows), _verdict(copy))


def _verdict(rows: list[Any]) -> chain.Verdict:
    reading = chain.Reading()
    reading.read(rows)
    return reading.verdict()


def _newest_merger(count: int) -> tuple[Any, list[Unit]] | None:
    """Return the newest act that merged so many whole communes into one, and those communes by their titles."""
    found: dict[Any, list[Any]] = {}
    rows = Succession.objects.filter(part="whole", predecessor__level="commune").select_related("act", "predecessor")
    for row in rows.order_by("-on", "successor", "predecessor__slug"):
        found.setdefault(row.successor_id, []).append(row)
    fit = [group for group in found.values() if len(group) == count]
    return (fit[0][0].act, [row.predecessor for row in fit[0]]) if fit else None
