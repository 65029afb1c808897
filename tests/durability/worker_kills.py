"""Effects exactly once, however often the worker is killed.

    python -m tests.durability worker-kills [--kills 1000] [--people 1500]

One installation is given some weeks of work: promises to remind of, late ones to tell owner and superior about,
answered matters to close, reorganisations to bring into force. Two copies of it then live through the same hours:
in one the worker is killed again and again, often with a second one beside it; in the other it is left in peace.
In the end both must hold the same effects, notices, events, owners and entries, each once.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import DAY, ROOT, Live, Prepared


class Workload(Prepared):
    """An installation with weeks of work ahead, built once, copied for each run."""

    def __init__(self, folder: Path, base: Prepared, *, days: int, people: int, acts: int) -> None:
        super().__init__(folder)
        self.template = f"gandan_workload_{os.getpid()}"
        self.base, self.days, self.people, self.acts = base, days, people, acts

    def build(self) -> None:
        shutil.copytree(self.base.home, self.home)
        address = self._create(self.template, self.base.template) if self.database_url else ""
        nursery(self.home, address, "prepare", str(self.days), str(self.people), str(self.acts))


@dataclass
class Outcome:
    """What a killed run did, compared with a calm one."""

    engine: str
    kills: int = 0
    lives: int = 0
    pairs: int = 0
    effects: int = 0
    notices: int = 0
    acts: int = 0
    twice: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    check: int = -1
    seconds: float = 0.0
    noticed: bool = False
    """Whether the comparison told of a notice too many and of one too few, when both were planted."""

    @property
    def kept(self) -> bool:
        return not (self.twice or self.never or self.other) and self.check == 0

    def summary(self) -> dict[str, Any]:
        lists = ("twice", "never", "other")
        return {k: len(v) if k in lists else v for k, v in vars(self).items() if k != "noticed"}


def run(workload: Workload, *, kills: int, seed: int) -> Outcome:
    """Live through the same weeks twice, killed and calm; return the difference."""
    began = time.monotonic()
    killed, calm = workload.copy(), workload.copy()
    try:
        found = _lived(killed, workload.days, kills, seed)
        peace = _lived(calm, workload.days, 0, seed)
        outcome = Outcome("postgresql" if workload.database_url else "sqlite")
        outcome.kills, outcome.lives, outcome.pairs = found["kills"], found["lives"], found["pairs"]
        outcome.effects, outcome.notices = len(found["did"]["effects"]), len(found["did"]["notices"])
        enacted = {row[1] for row, _ in found["did"]["entries"] if row[3] == "in-force" and row[1].endswith("/NQ-SAU")}
        outcome.acts = len(enacted)
        for kind in found["did"]:
            outcome.twice += [f"{kind} {row}: {n} times" for row, n in _more(found, peace, kind)]
            outcome.never += [f"{kind} {row}: {n} times less" for row, n in _more(peace, found, kind)]
        outcome.noticed = _planted(peace)
        checked = killed.command("check")
        outcome.check = checked.returncode
        if checked.returncode:
            outcome.other.append(checked.stdout + checked.stderr)
    finally:
        workload.drop(killed)
        workload.drop(calm)
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


def nursery(home: Path, database_url: str, *arguments: str) -> str:
    """Run the nursery over an installation; return what it prints."""
    from tests.conftest import installation

    environment = installation(home, database_url, GANDAN_TODAY=DAY)
    environment |= {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.durability.nursery", *arguments],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def _lived(live: Live, days: int, kills: int, seed: int) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        nursery(live.home, live.environment["DATABASE_URL"], "live", str(days), str(kills), str(seed))
    )
    return told


def _planted(peace: dict[str, Any]) -> bool:
    """Say whether the comparison tells of a notice done once more, and of another that is missing."""
    (first, times), _second, *rest = peace["did"]["notices"]
    spoilt = {"did": {**peace["did"], "notices": [[first, times + 1], *rest]}}
    return len(_more(spoilt, peace, "notices")) == 1 and len(_more(peace, spoilt, "notices")) == 1


def _more(one: dict[str, Any], other: dict[str, Any], kind: str) -> list[tuple[list[Any], int]]:
    """Return what `one` did more often than `other`."""
    held = {json.dumps(row): n for row, n in other["did"][kind]}
    return [(row, n) for row, n in one["did"][kind] if n > held.get(json.dumps(row), 0)]


def prepared(folder: Path, base: Prepared, *, days: int, people: int, acts: int) -> Workload:
    """Build a workload over the demo province in `base`; the caller closes it."""
    made = Workload(folder, base, days=days, people=people, acts=acts)
    try:
        made.build()
    except BaseException:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return made
