"""`gandan work`: what is due, in rounds. A round that fails is told and tried again; it stops no other."""

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable
from datetime import datetime

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connections

from gandan.access import now
from gandan.config import durability
from gandan.config.exits import NO, OK, REFUSED, CommandError

logger = logging.getLogger(__name__)

Job = tuple[str, Callable[[datetime], int]]


def work(options: argparse.Namespace) -> int:
    """Do what is due, once or for ever. Every effect happens exactly once, however often this is killed."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    durability.wait_for_database()
    faults = durability.faults()
    if faults:
        raise CommandError("the database would not keep what is done: " + "; ".join(faults), REFUSED)
    while True:
        failed = one_round(jobs(), stop)
        if options.once:
            return NO if failed else OK
        if stop.wait(max(options.every, 1) if failed else options.every):
            return OK


def one_round(todo: list[Job], stop: threading.Event | None = None) -> list[str]:
    """Do each job once, in order; return the names of those that failed.

    A database that went away is told in a line and its connection dropped: the next round opens a new one.
    Anything else is a fault of ours and is logged with all that is known.
    """
    failed = []
    for name, job in todo:
        if stop is not None and stop.is_set():
            break
        close_old_connections()
        try:
            done = job(now())
        except (OperationalError, InterfaceError) as error:
            _drop_connections()
            failed.append(name)
            why = str(error).strip().splitlines()
            print(f"gandan: {name}: {why[0] if why else type(error).__name__}; tried again later", file=sys.stderr)
        except Exception:
            _drop_connections()
            failed.append(name)
            logger.exception("%s failed and is tried again in the next round", name)
        else:
            if done:
                print(f"{name}: {done}", flush=True)
    return failed


def jobs() -> list[Job]:
    """The rounds of `gandan work`, in order: first units, then what hangs on them."""
    from gandan.accounts import sessions
    from gandan.audit import actions as audit
    from gandan.cases import jobs as cases
    from gandan.cases import uploads
    from gandan.config import upgrading
    from gandan.obligations import jobs as obligations
    from gandan.secrecy import retention
    from gandan.units import jobs as units

    return [
        ("reorganisations in force", units.apply_due_acts),
        ("matters without an inspector", cases.keep_owned_daily),
        ("reminders and escalations", obligations.tick),
        ("drafts and finished matters", cases.tick),
        ("files of interrupted uploads", uploads.clear_interrupted),
        ("ended sessions", sessions.clear_ended),
        ("old copies from before an upgrade", upgrading.clear_old_snapshots),
        ("matters past their period", retention.nightly),
        ("checkpoints of the record", audit.tick),
    ]


def _drop_connections() -> None:
    for connection in connections.all(initialized_only=True):
        try:
            connection.close()
        except DatabaseError:
            # Already gone; what matters is that the next use opens a new one.
            connection.connection = None
