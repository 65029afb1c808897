"""Power cuts while people send reports with pictures to the real server: nothing acknowledged may be lost.

    python -m tests.durability power-cuts [--cuts 50] [--seed 1] [--json FILE]

A life: the server and the worker run on a simulated disk (see `shadow.py`), eight people bring things, everything
is killed at a random moment, and the next life begins with what the disk holds. After each cut the database must
be whole, and every acknowledged draft, picture and receipt since the beginning must be there. Two controls must
lose some, else the simulation proves nothing: the same server with `synchronous=NORMAL`, and one that keeps
pictures without writing their folders to the disk.
"""

import hashlib
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import UUID

from gandan.secrecy import vault
from tests.conftest import PATIENCE, installation
from tests.durability import citizens, shadow
from tests.durability.servers import Processes

PEOPLE = 8
CONTROLS = {
    "NORMAL": """
from django.db import connections
o = connections["default"].settings_dict["OPTIONS"]
assert "synchronous=FULL" in o["init_command"]
o["init_command"] = o["init_command"].replace("synchronous=FULL", "synchronous=NORMAL")
""",
    "folders forgotten": """
from gandan.cases import durable
assert durable.sync_folder
durable.sync_folder = lambda folder: None
""",
}
_SERVE = """
import os, sys
import django
django.setup()
{weakened}
from granian import Granian
from granian.constants import Interfaces
Granian("gandan.config.wsgi:application", port=int(sys.argv[1]), interface=Interfaces.WSGI, workers=3,
        blocking_threads=2, websockets=False).serve()
"""


@dataclass
class Outcome:
    """What a series of cuts came to."""

    kind: str
    cuts: int = 0
    receipts: int = 0
    drafts: int = 0
    pictures: int = 0
    syncs: int = 0
    pages_lost_with_the_memory: int = 0
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    wrong_answers: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def summary(self) -> dict[str, object]:
        lists = ("lost", "duplicated", "damaged", "unseen", "wrong_answers")
        return {k: len(v) if k in lists else v for k, v in asdict(self).items()}


def series(
    base: Path, folder: Path, shim: Path, *, cuts: int, seed: int, weak: str = "", longest: float = 1.5
) -> Outcome:
    """Cut the power `cuts` times over a copy of the installation in `base`; return what was lost.

    Odd cuts leave the bare minimum, even ones a torn disk. A control (`weak`) begins each life anew from `base`.
    """
    drawn = random.Random(seed)
    outcome = Outcome(weak or "FULL")
    began = time.monotonic()
    folder.mkdir(parents=True)
    home = folder / "home-0"
    _copy(base, home)
    ledger = citizens.Ledger()
    unfinished: list[citizens.Errand | None] = [None] * PEOPLE
    for cut in range(1, cuts + 1):
        disk = shadow.Disk(home, folder / f"control-{cut}", shim)
        processes = _processes(home, folder, disk, weak)
        stop = threading.Event()
        try:
            processes.start()
            people = _people(processes.url, _slug(base), ledger, stop, seed * 1000 + cut, unfinished)
            _wait_for_words(ledger, people, drawn, longest)
        finally:
            processes.cut()
            stop.set()
        for person in people:
            person.join(60)
        unfinished = [person.unfinished for person in people]
        after = folder / f"home-{cut}"
        left = disk.after_the_cut(after, torn=random.Random(drawn.random()) if cut % 2 == 0 and not weak else None)
        outcome.cuts, outcome.unseen = cut, outcome.unseen + left.unseen
        outcome.syncs += left.syncs
        outcome.pages_lost_with_the_memory += left.lost_pages
        _examine(after, ledger, outcome)
        shutil.rmtree(home)
        shutil.rmtree(disk.control)
        home = after
        if weak:
            # Each life of a control stands for itself: what it lost once would be lost in every later count.
            _count(ledger, outcome)
            ledger, unfinished = citizens.Ledger(), [None] * PEOPLE
            shutil.rmtree(home)
            home = folder / f"base-{cut}"
            _copy(base, home)
    _count(ledger, outcome)
    # A control that lost a draft may say so; the real one may not.
    outcome.wrong_answers = [] if weak else ledger.faults
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


def _count(ledger: citizens.Ledger, outcome: Outcome) -> None:
    outcome.receipts += ledger.receipts
    outcome.drafts += len(ledger.errands)
    outcome.pictures += sum(len(each.kept) for each in ledger.errands)


def collect(home: Path) -> None:
    """Make the static files of a prepared installation, once for all its lives."""
    done = subprocess.run(
        [sys.executable, "-m", "django", "collectstatic", "--no-input", "--verbosity", "0"],
        env=installation(home) | {"DJANGO_SETTINGS_MODULE": "gandan.config.settings"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def _processes(home: Path, folder: Path, disk: shadow.Disk, weak: str) -> Processes:
    environment = installation(home) | disk.environment
    if not weak:
        return Processes(environment, folder / "log", workers=3)
    # `gandan serve` rightly refuses some of this, so the control serves the same application by hand.
    environment |= {"DJANGO_SETTINGS_MODULE": "gandan.config.settings"}
    command = [sys.executable, "-c", _SERVE.format(weakened=CONTROLS[weak]), "{port}"]
    return Processes(environment, folder / "log", working=False, serving_command=command)


def _people(
    url: str,
    slug: str,
    ledger: citizens.Ledger,
    stop: threading.Event,
    seed: int,
    unfinished: list[citizens.Errand | None],
) -> list[citizens.Citizen]:
    def pictures(drawn: random.Random) -> list[tuple[bytes, str]]:
        return [citizens.picture(drawn) for _ in range(drawn.choice([0, 1, 1, 2]))]

    people = []
    for number in range(PEOPLE):
        todo = citizens.errands(seed * 100 + number, pictures=pictures)
        person = citizens.Citizen(url, slug, ledger, stop, todo)
        person.unfinished = unfinished[number]
        people.append(person)
        person.start()
    return people


def _wait_for_words(
    ledger: citizens.Ledger, people: list[citizens.Citizen], drawn: random.Random, longest: float
) -> None:
    """Return at a random moment after somebody has been told of a new receipt, and somebody of a kept picture."""

    def told() -> tuple[int, int]:
        return ledger.receipts, sum(len(each.kept) for each in list(ledger.errands))

    (receipts, pictures), end = told(), time.monotonic() + PATIENCE
    while time.monotonic() < end and any(each.is_alive() for each in people):
        now = told()
        if now[0] > receipts and now[1] > pictures:
            break
        time.sleep(0.01)
    time.sleep(drawn.uniform(0, longest))


def _examine(home: Path, ledger: citizens.Ledger, outcome: Outcome) -> None:
    """Open what the disk holds, and look for everything that was acknowledged."""
    database = sqlite3.connect(home / "gandan.sqlite3")
    try:
        for line in database.execute("PRAGMA integrity_check").fetchall():
            if line[0] != "ok":
                outcome.damaged.append(f"cut {outcome.cuts}: {line[0]}")
        if database.execute("PRAGMA foreign_key_check").fetchall():
            outcome.damaged.append(f"cut {outcome.cuts}: a key leads nowhere")
        cases = {
            row[0]: row[1:] for row in database.execute("SELECT submission, reference, id FROM cases_case").fetchall()
        }
        drafts = {row[0] for row in database.execute("SELECT id FROM cases_draft")}
        files: dict[str, set[str]] = {}
        sealed: dict[str, tuple[str, str]] = {}
        for table, column in (("attachment", "case_id"), ("draftfile", "draft_id")):
            asked = f"SELECT {column}, sha256, sealed_with FROM cases_{table}"
            for owner, digest, key in database.execute(asked):
                files.setdefault(owner, set()).add(digest)
                if table == "draftfile":
                    sealed[digest] = owner, key
    except sqlite3.DatabaseError as error:
        outcome.damaged.append(f"cut {outcome.cuts}: {error}")
        return
    finally:
        database.close()
    for owner, digests in list(files.items()):
        for digest in digests:
            path = home / "files" / digest[:2] / digest
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                outcome.damaged.append(f"cut {outcome.cuts}: {owner} names a file whose bytes are gone")
            elif digest in sealed:
                files[owner] = files[owner] | {_opened(home, path, *sealed[digest])}
    for errand in ledger.errands:
        if errand.draft is None:
            continue
        key = errand.draft.hex
        if errand.receipt is not None:
            if key not in cases or cases[key][0] != errand.receipt.reference:
                outcome.lost.append(f"cut {outcome.cuts}: receipt {errand.receipt.reference}")
                continue
        elif key not in drafts:
            outcome.lost.append(f"cut {outcome.cuts}: draft {errand.draft}")
            continue
        held = files.get(key, set()) | (files.get(cases[key][1], set()) if key in cases else set())
        if set(errand.kept) - held:
            outcome.lost.append(f"cut {outcome.cuts}: a picture of {errand.draft}")
    references = [reference for reference, _ in cases.values()]
    if len(set(references)) != len(references):
        outcome.duplicated.append(f"cut {outcome.cuts}: a reference stands twice")


def _opened(home: Path, path: Path, draft: str, key: str) -> str:
    """Return the digest of what a draft's file holds, opened with the keys that lie beside the database."""
    version, owner = UUID(key), UUID(draft)
    own = vault.derived((home / f"keys/kek-{version.int}.key").read_bytes(), owner)
    content = vault.unseal(path.read_bytes(), own, vault.context("cases_file", owner, "bytes", version))
    return hashlib.sha256(content).hexdigest()


def _slug(home: Path) -> str:
    database = sqlite3.connect(f"file:{home / 'gandan.sqlite3'}?mode=ro", uri=True)
    try:
        asked = "SELECT slug FROM units_unit WHERE level = 'commune' AND valid_to IS NULL ORDER BY slug LIMIT 1"
        return str(database.execute(asked).fetchone()[0])
    finally:
        database.close()


def _copy(base: Path, home: Path) -> None:
    """Copy an installation; what is made anew is linked."""
    shutil.copytree(base, home, ignore=shutil.ignore_patterns("static", "*-shm", "*.log"))
    if (base / "static").is_dir():
        shutil.copytree(base / "static", home / "static", copy_function=shutil.copy)
