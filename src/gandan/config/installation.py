"""What the commands do to an installation. Each returns an exit code and speaks in sentences."""

import argparse
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from gandan.access import Actor, SystemActor
from gandan.config import durability
from gandan.config.exits import NO, OK, REFUSED, CommandError


def required() -> None:
    """Return when there is an installation. Raises CommandError where there is none, or its database does not answer.

    Nothing is made by looking: an empty folder holds no database afterwards.
    """
    name = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor != "sqlite" or (name.exists() and name.stat().st_size):
        durability.wait_for_database()
        if "units_unit" in connection.introspection.table_names():
            return
    raise CommandError(
        f"there is no installation in {settings.GANDAN_HOME}: start one with gandan init or gandan demo, "
        "or name its folder with --home"
    )


def keys_required(*, sealed: bool = False) -> None:
    """Return when the keys are there with which the database was filled. Raises CommandError with what to do.

    Without any table there is nothing to open: then only a folder of keys that was lost in part is refused, and the
    first migration makes a master key (`gandan.secrecy.vault.begin`). With `sealed` the newest key that locks the keys
    of matters must be there as well.
    """
    from gandan.secrecy import vault
    from gandan.secrecy.models import DataKey

    tables = connection.introspection.table_names()
    if "django_migrations" not in tables and not vault.versions(retired=True):
        return
    settings.GANDAN_KEYS["audit"]
    if not sealed or DataKey._meta.db_table not in tables:
        return
    newest = DataKey.objects.order_by("-kek").values_list("kek", flat=True).first()
    if newest and newest not in vault.versions(retired=True):
        raise CommandError(
            f"the key kek-{newest}.key is not in {vault.folder()}, and names are sealed with it here; no other one is "
            "made. Put the folder back, or bring it back with gandan keys recover SHARE SHARE",
            REFUSED,
        )


def migrate() -> None:
    """Bring the tables to the present version; what is made here is for this account alone."""
    settings.GANDAN_HOME.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys_required(sealed=True)
    call_command("migrate", verbosity=0, interactive=False)
    if connection.vendor == "sqlite":
        _close_to_others(Path(str(connection.settings_dict["NAME"])))


def _close_to_others(database: Path) -> None:
    """Take from everybody else a database that an older version made as the account's mask would have it."""
    for ending in ("", "-wal", "-shm", ".lock"):
        path = database.with_name(database.name + ending)
        if path.exists() and path.stat().st_mode & 0o007:
            path.chmod(0o600)


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

    administrator, oversight = options.admin or "admin", options.oversight or "oversight"
    if administrator.casefold() == oversight.casefold():
        raise CommandError("the administrator and the oversight inspector are two people: name two users")
    _refuse_an_unknown_province(options.province)
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
        for role, username in (("administrator", administrator), ("oversight", oversight)):
            password = secrets.token_urlsafe(12)
            user = User.objects.create_user(username, password, full_name=username)
            staffing.give_first_grant(user=user, role=role, unit=seat, by=by)
            made.append((role, username, password))
    durability.settle(settings.GANDAN_HOME)
    print(f"{Unit.objects.count()} units loaded into {settings.GANDAN_HOME}.")
    for role, username, password in made:
        print(
            f"{role}: user name {username}, password {password} (shown once: write it down, change it at first sign-in)"
        )
    print(
        "Next: `gandan serve`, sign in as the administrator, and follow “What to do next” on the first page. "
        "Each night: `gandan backup`; keep the keys in another place: `gandan keys escrow`."
    )
    return OK


def _refuse_an_unknown_province(code: str | None) -> None:
    """Say that a code names no province before anything is made."""
    from gandan.access import today
    from gandan.units import register

    living = {entry.code: entry for entry in register.from_reference().alive(today(), "province")}
    if code and code not in living:
        raise CommandError(
            f"there is no province with the code {code} today; the codes are {', '.join(sorted(living))}"
        )


def demo(options: argparse.Namespace) -> int:
    """Fill an empty installation with the invented province."""
    if not settings.GANDAN_DEMO:
        raise CommandError("the demo belongs to demo mode only: GANDAN_DEMO=1", REFUSED)
    from gandan.demo import build, nation

    migrate()
    _refuse_a_filled_one()
    began = time.monotonic()
    progress = None if options.quiet else _bar()
    if options.scale == "nation":
        nation.nation(seed=options.seed, progress=progress)
    else:
        build.province(scale=options.scale, seed=options.seed, progress=progress)
    print(f"Mường Sương ({options.scale}) is ready in {settings.GANDAN_HOME} after {time.monotonic() - began:.0f} s.")
    return OK


def check(options: argparse.Namespace) -> int:
    """Check everything that must always hold; print one line for each."""
    from gandan.audit import actions as audit
    from gandan.audit import triggers
    from gandan.cases import sealing, word_index
    from gandan.obligations import replay
    from gandan.secrecy import rotation

    call_command("check", verbosity=0)
    if options.reindex:
        word_index.rebuild()
    faults: list[str] = []
    for title, found in (
        ("database durability", durability.faults()),
        ("database rules", triggers.missing()),
        ("index of words", word_index.faults()),
        ("replayed obligations", [str(fault) for fault in replay.check()]),
        ("owners of matters about the police", _unowned()),
        ("keys of matters", [f"{key}: {why}" for key, why in rotation.verify().shut]),
        ("sealed words", [f"{n} rows hold words in the open"] if (n := sealing.unsealed()) else []),
        ("audit chain", [f"{code} at {seq}" for seq, code in audit.verify().faults]),
    ):
        print(f"{'ok   ' if not found else 'FAULT'} {title}" + "".join(f"\n      {each}" for each in found[:20]))
        faults += found
    return NO if faults else OK


def _unowned() -> list[str]:
    """Say how many matters about the police have nobody who may read them, or everybody; never which."""
    from gandan.cases import owners

    found = []
    if count := owners.ownerless().count():
        found.append(f"{count} open and without an inspector who may read them; gandan work moves them on")
    if count := owners.unguarded():
        found.append(f"{count} open and without a word on whom they are about")
    return found


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
