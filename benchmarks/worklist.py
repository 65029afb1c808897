"""What the worklist costs among a nation's obligations, beside the page as one would first write it.

    GANDAN_HOME=FOLDER gandan demo --scale nation
    GANDAN_HOME=FOLDER python -m benchmarks worklist [--rounds N] [--json FILE]

Both sides answer the same request through the whole stack (session, access, scope, page) for an officer of a
commune, a province's commander and a nation's commander; the pages are compared before anything is timed, and again
after an obligation was discharged. CPU includes the database's process.

The second part asks the list's first page by itself, beside other ways to the same rows, each with every index that
is there; the best of them is the measure.
"""

import argparse
import os
import re
import sys
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from benchmarks import rounds

TARGET = "page: at least 3 times less CPU than plain; list: at most 2 times the best way to the same rows"
_CHANGING = re.compile(r'value="[A-Za-z0-9]{64}"|after=[^"&]+')


def prepare() -> None:
    """Load the product with both sides behind one address."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "gandan.config.settings"
    os.environ.setdefault("GANDAN_DEMO", "1")
    import django
    from django.conf import settings

    settings.ROOT_URLCONF = "benchmarks.plain.urls"
    settings.GANDAN_AUTHORITY = "benchmarks.plain.authority.Either"
    settings.TEMPLATES[0]["DIRS"] = [*settings.TEMPLATES[0].get("DIRS", []), Path(__file__).parent / "plain/templates"]
    settings.ALLOWED_HOSTS = ["*"]
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    django.setup()
    from django.core.management import call_command

    call_command("collectstatic", verbosity=0, interactive=False)


def seats() -> dict[str, Any]:
    """Return an officer of the commune with most open work, its province's commander, and a nation's commander."""
    from django.db.models import Count

    from gandan.accounts.models import User
    from gandan.obligations.models import Obligation
    from gandan.staffing.models import Grant
    from gandan.units.models import Unit

    open_ones = Obligation.system("benchmark").open().filter(owed_by__level="commune")
    busiest = open_ones.values("owed_by", "province").annotate(n=Count("pk")).order_by("-n", "owed_by").first()
    held = Grant.system("benchmark").select_related("user").order_by("user__username")
    nation, made = User.objects.get_or_create(
        username="benchmark-nation", defaults={"id": uuid4(), "full_name": "Benchmark"}
    )
    if made:
        country = Unit.objects.get(level="country", valid_to=None)
        Grant.objects.create(user=nation, role="commander", unit=country, valid_from=date(2018, 1, 1))
    return {
        "commune": held.filter(unit=busiest["owed_by"], role="officer").first().user,
        "province": held.filter(unit=busiest["province"], role="commander").first().user,
        "nation": nation,
    }


def pages(round_count: int) -> dict[str, Any]:
    """Return for each scope CPU and wall of a page, ours and plain, and their ratio."""
    from django.test import Client

    from benchmarks.plain.authority import chosen

    results = {}
    for scope, user in seats().items():
        client = Client(HTTP_HOST="127.0.0.1")
        client.force_login(user)

        def ask(plain: bool, client: Client = client) -> str:
            chosen.plain = plain
            answer = client.get("/desk/")
            chosen.plain = False
            if answer.status_code != 200:
                raise RuntimeError(f"the page answered {answer.status_code}")
            return str(answer.content.decode())

        before = same(ask(False), ask(True))
        took = rounds.compare(
            {"ours": lambda ask=ask: ask(False), "plain": lambda ask=ask: ask(True)},
            rounds=round_count,
            times=10 if scope == "commune" else 3,
            meter=meter(),
        )
        results[scope] = took | {
            "ratio": took["best"]["plain"] / took["best"]["ours"],
            "values_ok": before and changed_alike(user, ask),
        }
    return results


def same(ours: str, plain: str) -> bool:
    """Say whether two pages are the same but for tokens and the signed address of the next page."""
    one, other = (_CHANGING.sub("", re.sub(r"\s*\n\s*", "\n", page)) for page in (ours, plain))
    return one == other


def changed_alike(user: Any, ask: Any) -> bool:
    """Discharge the first promise of the list, compare the pages once more, and undo it."""
    from django.db import transaction

    from gandan.access import now
    from gandan.access.authority import authority
    from gandan.obligations import worklist
    from gandan.obligations.models import Obligation

    with transaction.atomic():
        before = ask(False)
        first = worklist.page(authority().actor(user), now()).rows[0]
        Obligation.system("benchmark").filter(pk=first.obligation.pk).update(
            discharged_at=now(), ending="discharged", suspended_at=None, suspended_for=""
        )
        ours = ask(False)
        alike = same(ours, ask(True)) and not same(ours, before)
        transaction.set_rollback(True)
    return alike


def ways(round_count: int) -> dict[str, Any]:
    """Return for each scope the seconds of the list's first rows by our statement and by other ways to them."""
    from django.db import connection
    from django.db.models import Exists, OuterRef, Q

    from gandan.access import now
    from gandan.access.authority import authority
    from gandan.access.sql import forget
    from gandan.obligations import worklist
    from gandan.obligations.models import Obligation
    from gandan.staffing.models import Concern
    from gandan.units.models import UnitReach

    results = {}
    for scope, user in seats().items():
        actor = authority().actor(user)
        reach = actor.reach("obligation.read")
        clear = Q(discharged_at=None, suspended_at=None) & ~Q(
            Exists(Concern.system("benchmark").filter(matter=OuterRef("matter")))
        )
        tops = list(reach.provinces or reach.units)
        if reach.everything:
            from gandan.units.models import Unit

            tops = list(Unit.objects.filter(level="country").values_list("pk", flat=True))
        beneath = UnitReach.objects.filter(ancestor__in=tops).values_list("descendant", flat=True)
        predicates = {"closure": Q(owed_by__in=beneath)}
        if not reach.everything:
            predicates["units bound"] = Q(owed_by__in=[*beneath, *reach.units])
        if scope == "commune":
            predicates["one unit"] = Q(owed_by__in=reach.units)
        if scope == "province":
            predicates["province"] = Q(province__in=reach.provinces)
        if reach.everything:
            predicates["nothing"] = Q()
        sides = {"ours": _ours(worklist._listed(actor, "running", False, None, *_instants(now())))}
        for name, predicate in predicates.items():
            rows = Obligation.system("benchmark").filter(predicate & clear).order_by("due_at", "pk")
            sides[name] = _ours(rows.values_list(*worklist._COLUMNS)[: worklist.PAGE + 1])
        forget()
        first = {name: [row[0] for row in side()] for name, side in sides.items()}
        took = rounds.compare(sides, rounds=round_count, times=5, meter=meter())
        best = min(seconds for name, seconds in took["best_wall"].items() if name != "ours")
        results[scope] = took | {
            "ratio": took["best_wall"]["ours"] / best,
            "values_ok": all(found == first["ours"] for found in first.values()),
        }
    del connection
    return results


def _instants(at: Any) -> tuple[Any, Any, Any]:
    from gandan.obligations import worklist

    return at, worklist._end_of_day(at), worklist._end_of_week(at)


def _ours(queryset: Any) -> Any:
    from django.db import connection

    text, parameters = queryset.query.sql_with_params()

    def ask() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(text, parameters)
            return list(cursor.fetchall())

    return ask


def meter() -> rounds.Meter:
    from django.db import connection

    if connection.vendor != "postgresql":
        return rounds.Meter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return rounds.Meter(cursor.fetchone()[0])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks worklist", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    prepare()
    from django.db import connection

    from gandan.obligations.models import Obligation

    size = {
        "obligations": Obligation.system("benchmark").count(),
        "open": Obligation.system("benchmark").open().count(),
    }
    found = {"engine": connection.vendor, **size, "pages": pages(options.rounds), "ways": ways(options.rounds)}
    print(f"{connection.vendor}: {size['obligations']:,} obligations, {size['open']:,} open")
    for scope, each in found["pages"].items():
        best = each["best"]
        print(
            f"page   {scope:9} ours {best['ours'] * 1000:7.2f} ms CPU   plain {best['plain'] * 1000:8.2f} ms"
            f"   {each['ratio']:6.1f} times   values {'agree' if each['values_ok'] else 'DIFFER'}"
        )
    for scope, each in found["ways"].items():
        others = ", ".join(f"{n} {s * 1000:.2f}" for n, s in each["best_wall"].items() if n != "ours")
        print(
            f"list   {scope:9} ours {each['best_wall']['ours'] * 1000:7.2f} ms   {others}   "
            f"{each['ratio']:5.2f} of the best   values {'agree' if each['values_ok'] else 'DIFFER'}"
        )
    rounds.report("worklist", found, target=TARGET, json_file=options.json, rounds=options.rounds)
    good = all(e["values_ok"] and e["ratio"] >= 3 for e in found["pages"].values())
    good &= all(e["values_ok"] and e["ratio"] <= 2 for e in found["ways"].values())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
