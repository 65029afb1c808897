"""Workers that live for a moment: forked from a parent that has everything loaded, killed at random.

    python -m tests.durability.nursery prepare DAYS PEOPLE ACTS     give the installation work for some days
    python -m tests.durability.nursery live DAYS KILLS SEED         do it, killed KILLS times; print what was done

The clock goes forward by six hours whenever a worker has come to the end of its round. What is printed names no
row by the key that it was given in this run, so that two runs over copies of one installation can be compared.
"""

import collections
import json
import os
import random
import signal
import sys
import time
from argparse import Namespace
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any
from uuid import UUID, uuid5

import django

STEP = timedelta(hours=6)


def prepare(days: int, people: int, acts: int) -> None:
    """Let people bring things over three weeks, and schedule reorganisations for the days to come."""
    from gandan.access import ANONYMOUS, SystemActor, clock, now, today
    from gandan.cases import actions as cases
    from gandan.cases import catalogue
    from gandan.units import actions as units
    from gandan.units.models import Unit

    communes = list(Unit.objects.filter(level="commune", valid_to=None).order_by("slug"))
    procedures = [p for p in catalogue.current() if p.online and not p.about_service]
    space = UUID(int=0)
    for number in range(people):
        with clock.at(now() - timedelta(hours=(number * 37) % (21 * 24), minutes=number % 60)):
            cases.receive(
                submission=uuid5(space, str(number)),
                procedure=procedures[number % len(procedures)],
                unit=communes[number % len(communes)],
                channel="web",
                text=f"Việc thứ {number}",
                identity={"name": "Hoa", "phone": "0900000001"},
                by=ANONYMOUS,
            )
    by = SystemActor("nursery", "unit.draft", "unit.enact")
    seat = Unit.objects.get(level="province", valid_to=None)
    for number in range(acts):
        day = today() + timedelta(days=2 + number * max(1, (days - 4) // acts))
        act = units.draft_act(
            decree=f"{number}/NQ-SAU", title="Sáp nhập", decided_on=today(), effective_on=day, seat=seat, by=by
        )
        old = communes[2 * number : 2 * number + 2]
        units.add_parts(
            act=act,
            rows=[
                {
                    "old": unit.versions.order_by("-valid_from")[0].code,
                    "new": f"99{900 + number}",
                    "type": "Xã",
                    "name": f"Hợp {number}",
                    "share": "",
                }
                for unit in old
            ],
            by=by,
        )
        faults = units.check_act(act=act, by=by)
        assert not faults, faults
        units.schedule_act(act=act, by=by)


def live(days: int, kills: int, seed: int) -> dict[str, Any]:
    """Do the work of some days; kill the worker `kills` times on the way."""
    from django.db import connections

    from gandan.access import clock, today

    drawn = random.Random(seed)
    begin = datetime.combine(today(), time_of_day(9), clock.VIETNAM)
    done = {"kills": 0, "lives": 0, "pairs": 0, "rounds": 0}
    usual = 0.1
    """Seconds that the last whole round took: a killed one is to die at any moment of it."""
    for number in range(int(timedelta(days=days) / STEP)):
        at = begin + number * STEP
        while True:
            connections.close_all()
            killing = done["kills"] < kills
            together = 2 if killing and drawn.random() < 0.25 else 1
            done["pairs"] += together == 2
            began = time.monotonic()
            born = [_fork(at) for _ in range(together)]
            done["lives"] += together
            if killing:
                time.sleep(drawn.uniform(0, 1.2 * usual))
                for child in born:
                    os.kill(child, signal.SIGKILL)
            ends = [os.waitpid(child, 0)[1] for child in born]
            done["kills"] += sum(os.WIFSIGNALED(end) for end in ends)
            failed = [os.waitstatus_to_exitcode(end) for end in ends if os.WIFEXITED(end) and end]
            assert not failed, f"a worker ended with {failed}"
            if all(os.WIFEXITED(end) for end in ends):
                usual = time.monotonic() - began
                break
        done["rounds"] += 1
    with clock.at(begin + timedelta(days=days)):
        return {**done, "did": _what_was_done()}


def _fork(at: datetime) -> int:
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        from gandan.access import clock
        from gandan.config import working

        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - ends with this process
        with clock.at(at):
            code = working.work(Namespace(once=True, every=0))
    finally:
        os._exit(code)


def _what_was_done() -> dict[str, list[list[Any]]]:
    """Return every effect, notice, clock's event and entry, with how often it is there."""
    from gandan.audit.models import AuditEntry
    from gandan.cases.models import Case, CaseEvent
    from gandan.obligations.models import Effect, Notice, Obligation, ObligationEvent
    from gandan.units.models import Reorganisation, Unit

    units = dict(Unit.objects.values_list("pk", "slug"))
    acts = dict(Reorganisation.system("test").values_list("pk", "decree"))
    names = {**units, **acts}

    def counted(rows: Any) -> list[list[Any]]:
        found = collections.Counter(tuple(str(names.get(value, value)) for value in row) for row in rows)
        return sorted([list(row), times] for row, times in found.items())

    cases = Case.system("test").values_list("pk", "holder_id", "answered_at", "closed_at")
    known = set(Obligation.system("test").values_list("pk", flat=True)) | {row[0] for row in cases} | set(names)
    entries = AuditEntry.system("test").values_list("action", "object_id", "unit_id", "reason", "at")
    return {
        "effects": counted(Effect.objects.values_list("key", "at")),
        "notices": counted(
            (n["kind"], n["obligation_id"], n["unit_id"], n["matter"], n["at"], n["facts"].get("due_at"))
            for n in Notice.system("test").values("kind", "obligation_id", "unit_id", "matter", "at", "facts")
        ),
        "events": counted(ObligationEvent.system("test").values_list("obligation_id", "kind", "at")),
        "obligations": counted(
            Obligation.system("test").values_list("pk", "owed_by_id", "due_at", "discharged_at", "ending")
        ),
        "cases": counted(cases),
        "lines": counted(CaseEvent.system("test").values_list("case_id", "kind", "at")),
        "units": counted(Unit.objects.values_list("slug", "title", "valid_from", "valid_to")),
        "entries": counted(
            (action, on if on in known else "new", unit, reason, at) for action, on, unit, reason, at in entries
        ),
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gandan.config.settings")
    django.setup()
    if sys.argv[1] == "prepare":
        prepare(*map(int, sys.argv[2:]))
    else:
        json.dump(live(*map(int, sys.argv[2:])), sys.stdout)
