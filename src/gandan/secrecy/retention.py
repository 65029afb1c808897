"""How long what is kept, and forgetting it in time.

The table of periods is data, versioned with its legal ground. A room registers, for a table of its own, what is past
its period and how one matter is forgotten; the night's work does it. Nothing under a hold is touched.
"""

import logging
import os
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from django.db import transaction

from gandan import audit
from gandan.access import SystemActor, now
from gandan.access.clock import day_of
from gandan.secrecy import vault
from gandan.secrecy.models import DataKey, Hold, Tombstone

logger = logging.getLogger(__name__)
_FILE = Path(__file__).parent / "reference" / "retention.yaml"
_NOTED = re.compile(r"([0-9a-f]{32}) (.*)")
AT_ONCE = 500
Due = Callable[[datetime], Iterable[UUID]]
Forget = Callable[[UUID, str], None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: after `days` from what `counted` names, rows are deleted, anonymised or kept."""

    table: str
    version: int
    valid_from: date
    sensitivity: str
    do: str
    days: int | None
    counted: dict[str, str]
    basis: dict[str, str]
    evidence: str


@dataclass(frozen=True, slots=True)
class Keeper:
    """What a room knows of a table: which matters ended before an instant, and how one is forgotten."""

    due: Due
    forget: Forget


@dataclass(frozen=True, slots=True)
class Line:
    """What one rule did, or would do: how many are past their period, and how many of them are held."""

    rule: Rule
    due: int
    held: int


class Held(Exception):
    """A hold was placed on a matter while it was being forgotten."""


_KEEPERS: dict[str, Keeper] = {}
_DONE: set[date] = set()
_ERASERS: list[Callable[[UUID], None]] = []
_AFTER: list[Callable[[], None]] = []


def register(table: str, keeper: Keeper) -> None:
    """Say how rows of a table are forgotten when their period is over."""
    _KEEPERS[table] = keeper


def register_eraser(erase: Callable[[UUID], None], *, after: Callable[[], None]) -> None:
    """Say how a room forgets one matter, again and again if need be, and what it does once after a round of them."""
    if erase not in _ERASERS:
        _ERASERS.append(erase)
        _AFTER.append(after)


@lru_cache(maxsize=1)
def every_rule() -> tuple[Rule, ...]:
    """Return all versions of all rules, as the file lists them."""
    lines: list[dict[str, Any]] = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    return tuple(
        Rule(
            line["table"],
            line["version"],
            line["valid_from"],
            line["class"],
            line["do"],
            line["days"],
            {"vi": line["counted_vi"], "en": line["counted_en"]},
            {"vi": line["basis_vi"], "en": line["basis_en"]},
            line["evidence"],
        )
        for line in lines
    )


def rules(on: date) -> list[Rule]:
    """Return the rules in force on a day, one a table."""
    found: dict[str, Rule] = {}
    for rule in sorted(every_rule(), key=lambda each: (each.valid_from, each.version)):
        if rule.valid_from <= on:
            found[rule.table] = rule
    return list(found.values())


def run(at: datetime, *, dry_run: bool = False) -> list[Line]:
    """Forget what is past its period, each matter in a transaction of its own; return a line for each rule.

    Run again it does nothing more. With `dry_run` it only counts.
    """
    if not dry_run:
        _note_what_was_missed()
    lines = []
    for rule in rules(day_of(at)):
        keeper = _KEEPERS.get(rule.table)
        if keeper is None or rule.days is None:
            lines.append(Line(rule, 0, 0))
            continue
        due = list(keeper.due(at - timedelta(days=rule.days)))
        held = set(Hold.system("retention").filter(lifted_at=None).values_list("matter", flat=True)).intersection(due)
        lines.append(Line(rule, len(due), len(held)))
        if not dry_run:
            for matter in [each for each in due if each not in held][:AT_ONCE]:
                with suppress(Held), transaction.atomic():
                    keeper.forget(matter, f"retention:{rule.version}")
    if not dry_run and any(line.due > line.held for line in lines):
        _tidy()
    return lines


def tick(at: datetime) -> int:
    """Do the night's forgetting; return how much was past its period and not held."""
    return sum(line.due - line.held for line in run(at))


def nightly(at: datetime) -> int:
    """Do it once a day and process: looking for what is past its period walks over every matter that ever ended."""
    day = day_of(at)
    if day in _DONE:
        return 0
    done = tick(at)
    _DONE.clear()
    _DONE.add(day)
    return done


def spare_held(matter: UUID) -> None:
    """Raise Held, and so put everything back, when a hold lies on a matter that is being forgotten.

    Asked after the entry in the record, whose end is locked by then: placing a hold waits for the same lock, so that
    of the two the later one sees the earlier.
    """
    if Hold.system("retention").filter(matter=matter, lifted_at=None).exists():
        raise Held


def erase(matter: UUID, reason: str, *, spare: bool = False) -> None:
    """Destroy the key of a matter, let every room forget it, and leave a tombstone. Once done it stays done.

    With `spare` raises Held where a hold lies on it. A copy that is restored forgets again what was erased before.
    It is noted beside the keys when the outermost transaction has ended well, and not when all was put back.
    """
    with transaction.atomic():
        if not Tombstone.objects.filter(matter=matter).exists():
            Tombstone.objects.create(matter=matter, at=now(), reason=reason[:40])
        for forget in _ERASERS:
            forget(matter)
        DataKey.objects.filter(matter=matter).delete()
        audit.record("matter.erase", by=SystemActor("work"), object_id=matter, reason=reason)
        if spare:
            spare_held(matter)
        # Beside the keys, outside every backup: so that an older copy, restored, forgets again.
        transaction.on_commit(partial(_note, [(matter, reason)]))


def replay_tombstones() -> int:
    """Forget again, in a database that was just restored, whatever was erased after the copy was made; return how
    many matters that were.

    What lies under a hold in the copy stays until somebody lifts it, and is told in the log; then its period, which is
    over, ends it in the next night.
    """
    told = _noted()
    known = set(Tombstone.objects.values_list("matter", flat=True))
    missing = [(matter, reason) for matter, reason in told.items() if matter not in known]
    missing += [(row.matter, row.reason) for row in Tombstone.objects.filter(matter__in=_with_keys())]
    spared = 0
    for matter, reason in missing:
        try:
            erase(matter, reason, spare=True)
        except Held:
            spared += 1
    if spared:
        logger.warning("%s matters that were erased after the copy was made are under a hold in it and stay.", spared)
    if len(missing) > spared:
        _tidy()
    return len(missing) - spared


def _tidy() -> None:
    for tidy in _AFTER:
        tidy()


def _with_keys() -> Any:
    return DataKey.objects.values("matter")


def _path() -> Path:
    return vault.folder() / "erased"


def _note_what_was_missed() -> None:
    """Note what the database knows to be erased and the file does not: the program died between the two, or the file
    was lost with the folder of keys."""
    _note(Tombstone.objects.order_by("pk").values_list("matter", "reason"))


def _note(erased: Iterable[tuple[UUID, str]]) -> None:
    told = _noted()
    lines = "".join(f"{matter.hex} {reason[:40]}\n" for matter, reason in erased if matter not in told)
    if not lines:
        return
    vault.folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(_path(), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        size = os.fstat(descriptor).st_size
        file.write("\n" * (size > 0 and os.pread(descriptor, 1, size - 1) != b"\n") + lines)
        file.flush()
        os.fsync(descriptor)


def _noted() -> dict[UUID, str]:
    if not _path().exists():
        return {}
    # A line that a power cut left half written tells nothing; it is written again from the tombstone.
    lines = (_NOTED.fullmatch(line) for line in _path().read_text(encoding="utf-8", errors="replace").splitlines())
    return {UUID(hex=line[1]): line[2] for line in lines if line}
