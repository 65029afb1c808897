"""What the commands do to an installation. Each returns an exit code and speaks in sentences."""

import argparse
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from gandan.access import Actor, SystemActor, now
from gandan.config.exits import NO, OK, REFUSED, CommandError


def migrate() -> None:
    """Bring the tables to the present version."""
    settings.GANDAN_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True, mode=0o700)
    call_command("migrate", verbosity=0, interactive=False)


def collect_static() -> None:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", verbosity=0, interactive=False)


def _refuse_a_filled_one() -> None:
    from gandan.units.models import Unit

    if Unit.objects.exists():
        raise CommandError(
            f"there is already an installation in {settings.GANDAN_HOME}; choose an empty folder with --home", REFUSED
        )


def seed_law(by: Actor) -> None:
    """Load terms, calendars and procedures."""
    from gandan.cases import catalogue
    from gandan.obligations import actions as obligations

    obligations.seed_reference(by=by)
    catalogue.seed_reference(by=by)


def init(options: argparse.Namespace) -> int:
    """Start a real installation: official units, law, and the first two people."""
    from gandan.accounts.models import User
    from gandan.staffing import actions as staffing
    from gandan.units import actions as units
    from gandan.units.models import Unit

    migrate()
    _refuse_a_filled_one()
    by = SystemActor("init")
    with transaction.atomic():
        units.load_reference(province=options.province, by=by)
        seed_law(by)
        seat = Unit.objects.filter(level=Unit.Level.PROVINCE, valid_to=None).order_by("slug").first()
        if options.all or seat is None:
            seat = Unit.objects.get(level=Unit.Level.COUNTRY)
        made = []
        for role, username in (
            ("administrator", options.admin or "admin"),
            ("oversight", options.oversight or "oversight"),
        ):
            password = secrets.token_urlsafe(12)
            user = User.objects.create_user(username, password, full_name=username)
            staffing.give_first_grant(user=user, role=role, unit=seat, by=by)
            made.append((role, username, password))
    print(f"{Unit.objects.count()} units loaded into {settings.GANDAN_HOME}.")
    for role, username, password in made:
        print(
            f"{role}: user name {username}, password {password} (shown once: write it down, change it at first sign-in)"
        )
    return OK


def demo(options: argparse.Namespace) -> int:
    """Fill an empty installation with the invented province."""
    if not settings.GANDAN_DEMO:
        raise CommandError("the demo belongs to demo mode only: GANDAN_DEMO=1", REFUSED)
    from gandan.demo import build

    migrate()
    _refuse_a_filled_one()
    began = time.monotonic()
    build.province(scale=options.scale, seed=options.seed, progress=None if options.quiet else _bar())
    print(f"Mường Sương ({options.scale}) is ready in {settings.GANDAN_HOME} after {time.monotonic() - began:.0f} s.")
    return OK


def serve(options: argparse.Namespace) -> int:
    """Serve the pages with granian until stopped."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    if settings.GANDAN_DEMO and options.host not in {"127.0.0.1", "localhost", "::1"}:
        raise CommandError("the demo opens every chair without a password, so it serves loopback only", REFUSED)
    migrate()
    collect_static()
    faults = durability_faults()
    if faults:
        raise CommandError("the database would not keep what it acknowledges: " + "; ".join(faults), REFUSED)
    connection.close()
    print(f"Gần Dân serves {settings.GANDAN_URL}/{'demo' if settings.GANDAN_DEMO else ''}", flush=True)
    Granian(
        "gandan.config.wsgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.WSGI,
        workers=options.workers,
        blocking_threads=options.threads,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()
    return OK


def work(options: argparse.Namespace) -> int:
    """Do what is due, once or for ever. Every effect happens exactly once, however often this is killed."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while True:
        for name, job in jobs():
            done = job(now())
            if done:
                print(f"{name}: {done}", flush=True)
        if options.once or stop.wait(options.every):
            return OK


def jobs() -> list[tuple[str, Callable[[Any], int]]]:
    """The rounds of `gandan work`, in order: first units, then what hangs on them."""
    from gandan.cases import jobs as cases
    from gandan.obligations import jobs as obligations
    from gandan.units import jobs as units

    return [
        ("reorganisations in force", units.apply_due_acts),
        ("reminders and escalations", obligations.tick),
        ("drafts and finished matters", cases.tick),
    ]


def check(options: argparse.Namespace) -> int:
    """Check everything that must always hold; print one line for each."""
    from gandan.audit import actions as audit
    from gandan.audit import triggers
    from gandan.obligations import replay

    call_command("check", verbosity=0)
    faults: list[str] = []
    for title, found in (
        ("database durability", durability_faults()),
        ("database rules", triggers.missing()),
        ("replayed obligations", [str(fault) for fault in replay.check()]),
        ("audit chain", [f"{code} at {seq}" for seq, code in audit.verify().faults]),
    ):
        print(f"{'ok   ' if not found else 'FAULT'} {title}" + "".join(f"\n      {each}" for each in found[:20]))
        faults += found
    return NO if faults else OK


def verify_audit() -> int:
    from gandan.audit import actions as audit

    began = time.monotonic()
    verdict = audit.verify()
    rate = verdict.entries / max(time.monotonic() - began, 1e-6)
    if verdict.intact:
        print(f"The record is whole: {verdict.entries} entries, head {verdict.head[:16]}, {rate:,.0f} a second.")
        return OK
    for seq, code in verdict.faults[:50]:
        print(f"entry {seq}: {code}")
    print(f"The record is broken in {len(verdict.faults)} places.", file=sys.stderr)
    return NO


def durability_faults() -> list[str]:
    """Return what would make the database lose what it acknowledged."""
    faults = []
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA journal_mode")
            if str(cursor.fetchone()[0]).lower() != "wal":
                faults.append("SQLite's journal mode is not WAL")
            cursor.execute("PRAGMA synchronous")
            if int(cursor.fetchone()[0]) < 2:
                faults.append("SQLite's synchronous mode is below FULL")
        else:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                cursor.execute(f"SHOW {setting}")
                if cursor.fetchone()[0] == "off":
                    faults.append(f"PostgreSQL's {setting} is off")
    return faults


def _bar() -> Callable[[str, float], None]:
    """Return a progress bar that tells what is being made and how much of it."""
    width = 30
    shows = sys.stderr.isatty()

    def show(what: str, share: float) -> None:
        if shows:
            full = round(share * width)
            end = "\n" if share >= 1 else ""
            print(f"\r{'█' * full}{'░' * (width - full)} {share:4.0%} {what:40}", end=end, file=sys.stderr, flush=True)
        elif share >= 1:
            print(f"{what}: done", file=sys.stderr, flush=True)

    return show
