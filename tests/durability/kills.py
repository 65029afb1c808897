"""Server and worker killed at random while people press "send", over and over, until they hold a receipt.

    python -m tests.durability kills [--submissions 10000] [--kills 50]      with DATABASE_URL also on PostgreSQL

Every person has filled the form (the drafts are in the database) and sends it until an answer comes whole; some
send again although they have their receipt. Killed are, in turn by lot: a web worker, the whole server,
`gandan work`, everything at once, and on PostgreSQL all of its connections. In the end the receipts that people
hold are compared with the database, one by one: each submission is there once, with the reference and the code of
its receipt, the words that were sent, one entry in the record, and one clock of each kind.
"""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from tests.conftest import Live
from tests.durability import citizens
from tests.durability.servers import Processes

PEOPLE = 8
AGAIN = 0.05
"""Share of people who send once more although they hold a receipt."""

_FILL = """
import json, sys
import django
django.setup()
from gandan.access import today
from gandan.cases.models import Draft
from gandan.units.models import Unit
count = int(sys.argv[1])
slugs = list(Unit.objects.filter(level="commune", valid_to=None).order_by("slug").values_list("slug", flat=True)[:8])
rows = [
    Draft(
        data={"kind": "FB-01", "unit": slugs[n % len(slugs)], "text": f"Cột đèn số {n} bị gãy", "place": "",
              "anonymous": "yes" if n % 50 == 0 else "no", "name": f"Hoa {n}", "phone": "0900000001"},
        begun_on=today(),
    )
    for n in range(count)
]
Draft.objects.bulk_create(rows, batch_size=500)
json.dump([[str(row.pk), row.data["text"]] for row in rows], sys.stdout)
"""

_COMPARE = """
import collections, json, sys
import django
django.setup()
from gandan.audit.models import AuditEntry
from gandan.cases import follow
from gandan.cases.models import Case, CaseEvent
from gandan.obligations.models import Notice, Obligation
told = {row["submission"]: row for row in json.load(sys.stdin)}
cases = {str(case.submission): case for case in Case.system("test").filter(submission__in=list(told))} \\
    if len(told) < 500 else {str(case.submission): case for case in Case.system("test").iterator()}
faults, lost, duplicated = [], [], []
keys = {case.pk: submission for submission, case in cases.items() if submission in told}
received = collections.Counter(CaseEvent.system("test").filter(kind="received").values_list("case_id", flat=True))
clocks = collections.Counter(Obligation.system("test").values_list("matter", "clock", "started_at"))
recorded = collections.Counter(
    AuditEntry.system("test").filter(action="case.receive", reason="").values_list("object_id", flat=True)
)
for submission, row in told.items():
    case = cases.get(submission)
    if case is None:
        if row["reference"]:
            lost.append(f"{submission}: {row['reference']} is not there")
        continue
    if row["reference"]:
        if case.reference != row["reference"] or case.text != row["text"]:
            faults.append(f"{submission}: {case.reference} instead of {row['reference']}, or other words")
        if follow.stored(row["code"], anonymous=case.anonymous) != case.follow_hash:
            faults.append(f"{submission}: the code on the receipt does not open it")
    if received[case.pk] != 1 or recorded[case.pk] > 1:
        duplicated.append(f"{submission}: received {received[case.pk]} times, recorded {recorded[case.pk]} times")
duplicated += [f"{m} {clock} runs {n} times" for (m, clock, _), n in clocks.items() if n > 1 and m in keys]
same = collections.Counter(Case.system("test").values_list("reference", flat=True))
duplicated += [f"reference {r} stands {n} times" for r, n in same.items() if n > 1]
notices = collections.Counter(
    (n["kind"], n["obligation_id"], n["unit_id"], n["facts"].get("due_at"))
    for n in Notice.system("test").exclude(obligation=None).values("kind", "obligation_id", "unit_id", "facts")
)
duplicated += [f"notice {key} stands {n} times" for key, n in notices.items() if n > 1]
json.dump({"cases": len(keys), "unrecorded": sum(1 for k in keys if not recorded[k]),
           "lost": lost, "duplicated": duplicated, "faults": faults}, sys.stdout)
"""


@dataclass
class Outcome:
    """What the kills came to."""

    engine: str
    acknowledged: int = 0
    asked: int = 0
    asked_again: int = 0
    kills: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    check: int = -1
    seconds: float = 0.0

    @property
    def kept(self) -> bool:
        return not (self.lost or self.duplicated or self.faults) and self.check == 0

    def summary(self) -> dict[str, Any]:
        return {k: len(v) if k in ("lost", "duplicated", "faults") else v for k, v in asdict(self).items()}


def run(live: Live, *, submissions: int, kills: int, seed: int, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Kill `kills` times while `submissions` people hold on until each has a receipt; compare, and return."""
    drawn = random.Random(seed)
    postgresql = bool(live.environment["DATABASE_URL"])
    outcome = Outcome("postgresql" if postgresql else "sqlite")
    drafts = [(UUID(key), text) for key, text in json.loads(script(live, _FILL, str(submissions)))]
    processes = Processes(live.environment, live.home.parent / f"{live.home.name}.log", workers=3, url=live.url)
    ledger = citizens.Ledger()
    began = time.monotonic()
    people = [
        _Sender(live.url, drafts[number::PEOPLE], ledger, random.Random(seed * 100 + number))
        for number in range(PEOPLE)
    ]
    processes.start()
    try:
        for person in people:
            person.start()
        every = submissions / (kills + 1)
        done = 0
        while any(person.is_alive() for person in people):
            if done < kills and ledger.receipts >= (done + 1) * every:
                time.sleep(drawn.uniform(0, 0.05))
                kind = _kill(processes, drawn, live if postgresql else None)
                outcome.kills[kind] = outcome.kills.get(kind, 0) + 1
                done += 1
                say(f"{ledger.receipts} receipts, {done} kills")
            processes.revive()
            time.sleep(0.02)
        for person in people:
            person.join()
    finally:
        processes.stop()
    outcome.acknowledged, outcome.asked = ledger.receipts, ledger.tries
    outcome.asked_again = sum(person.again for person in people)
    told = [
        {
            "submission": str(each.draft),
            "text": each.text,
            "reference": each.receipt.reference if each.receipt else "",
            "code": each.receipt.code if each.receipt else "",
        }
        for each in ledger.errands
    ]
    found = json.loads(script(live, _COMPARE, given=json.dumps(told)))
    outcome.lost, outcome.duplicated = found["lost"], found["duplicated"]
    outcome.faults = [*ledger.faults, *found["faults"]]
    if found["cases"] != submissions:
        outcome.faults.append(f"{found['cases']} matters for {submissions} submissions")
    if found["unrecorded"]:
        outcome.faults.append(f"{found['unrecorded']} matters without an entry in the record")
    checked = live.command("check")
    outcome.check = checked.returncode
    if checked.returncode:
        outcome.faults.append(checked.stdout + checked.stderr)
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


_DOUBLE = """
import django
django.setup()
from gandan.cases.models import Case
row = Case.system("test").order_by("pk").first()
print(row.submission, row.reference, row.text)
from gandan.cases.models import CaseEvent
line = CaseEvent.system("test").filter(case=row, kind="received").first()
CaseEvent.objects.bulk_create([CaseEvent(case_id=row.pk, kind="received", at=line.at, recorded_at=line.at)])
"""


def planted(live: Live) -> dict[str, list[str]]:
    """Hold receipts that nobody gave, and a matter that was written twice, against the database; say what is found.

    The control: the same comparison as after the kills. The installation is spoilt afterwards.
    """
    drafts = json.loads(script(live, _FILL, "2"))
    told = [{"submission": key, "text": text, "reference": "GD-AAAA-AAAA", "code": "0" * 16} for key, text in drafts]
    submission, reference, text = script(live, _DOUBLE).strip().split(" ", 2)
    told.append({"submission": submission, "text": text, "reference": reference, "code": "0" * 16})
    found: dict[str, list[str]] = json.loads(script(live, _COMPARE, given=json.dumps(told)))
    return found


def script(live: Live, text: str, *arguments: str, given: str = "") -> str:
    """Run a few lines of Python in an installation; return what they print."""
    done = subprocess.run(
        [sys.executable, "-c", text, *arguments],
        env=live.environment | {"DJANGO_SETTINGS_MODULE": "gandan.config.settings"},
        cwd=live.home,
        input=given,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


class _Sender(threading.Thread):
    """Sends filled forms, one after another, each until it is acknowledged."""

    def __init__(self, url: str, drafts: list[tuple[UUID, str]], ledger: citizens.Ledger, drawn: random.Random) -> None:
        super().__init__(daemon=True)
        self.browser, self.drafts, self.ledger, self.drawn = citizens.Browser(url), drafts, ledger, drawn
        self.again = 0
        self.stopped = False
        """Set to end before everything is acknowledged."""

    def run(self) -> None:
        for draft, text in self.drafts:
            if self.stopped:
                break
            errand = citizens.Errand(text, [], draft=draft)
            self.ledger.add(errand)
            self._until_acknowledged(errand)
            if self.drawn.random() < AGAIN:
                self.again += 1
                self._until_acknowledged(errand)
        self.browser.close()

    def _until_acknowledged(self, errand: citizens.Errand) -> None:
        while not self.stopped:
            try:
                receipt = citizens.send(self._ask, f"/report/{errand.draft}")
            except (OSError, http.client.HTTPException, citizens.TryAgain):
                time.sleep(self.drawn.uniform(0.01, 0.1))
                continue
            except citizens.Disappointed as error:
                self.ledger.complain(str(error))
                return
            self.ledger.acknowledge(errand, receipt)
            return

    def _ask(self, path: str, values: dict[str, str]) -> tuple[int, str, str]:
        with self.ledger.lock:
            self.ledger.tries += 1
        status, location, page = self.browser.post(path, values)
        if status in citizens.TRANSIENT:
            raise citizens.TryAgain(status)
        return status, location, page


def _kill(processes: Processes, drawn: random.Random, postgresql: Live | None) -> str:
    """Kill something at random, without a word; return what."""
    kind = drawn.choice(
        ["web worker", "server", "worker", "everything", *(["connections"] if postgresql is not None else [])]
    )
    if kind == "everything":
        processes.cut()
    elif kind == "server" and processes.serve is not None:
        processes.kill_group(processes.serve)
    elif kind == "worker" and processes.work is not None:
        processes.kill_group(processes.work)
    elif kind == "web worker":
        for worker in processes.web_workers()[:1]:
            os.kill(worker, signal.SIGKILL)
    elif kind == "connections" and postgresql is not None:
        cut_connections(postgresql)
    return kind


def cut_connections(live: Live) -> int:
    """End every connection to the installation's PostgreSQL database, as its restart would; return how many."""
    import psycopg

    others = "datname = current_database() AND pid <> pg_backend_pid()"
    asked = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}"
    with psycopg.connect(live.environment["DATABASE_URL"], autocommit=True) as connection:
        row = connection.execute(asked).fetchone()
    return int(row[0]) if row else 0
