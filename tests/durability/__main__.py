"""The long forms of the durability tests. Each prints its figures as JSON and ends with 1 when a promise is broken.

python -m tests.durability power-cuts [--cuts 50] [--json benchmarks/results/durability/power-cuts.json]

With DATABASE_URL `kills` and `worker-kills` are about PostgreSQL.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.figures import Control, Figure, told


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.durability", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, text: str, run: Any) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--seed", type=int, default=1)
        sub.add_argument("--json", type=Path, help="also write the figures there")
        sub.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
        sub.set_defaults(run=run)
        return sub

    cuts = command("power-cuts", "cut the power under the real server, with a control that must lose", _power_cuts)
    cuts.add_argument("--cuts", type=int, default=50)
    killed = command("kills", "kill server and worker while eight people send until they hold a receipt", _kills)
    killed.add_argument("--submissions", type=int, default=10_000)
    killed.add_argument("--kills", type=int, default=50)
    workers = command("worker-kills", "kill the worker again and again; every effect must be there once", _worker_kills)
    workers.add_argument("--kills", type=int, default=1000)
    workers.add_argument("--people", type=int, default=1500)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gandan-durability-", dir=options.folder))
    _load_django(folder)
    try:
        figure = options.run(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figure.settings = {"seed": options.seed, **figure.settings}
    text = told(figure, "postgresql" if os.environ.get("DATABASE_URL") else "sqlite")
    print(text)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(text, encoding="utf-8")
    return 0 if figure.met else 1


def _power_cuts(options: argparse.Namespace, folder: Path) -> Figure:
    from tests.conftest import Prepared
    from tests.durability import power_cuts, shadow

    shim = shadow.build()
    ready = Prepared(folder / "prepared")
    ready.build()
    power_cuts.collect(ready.home)
    full = power_cuts.series(ready.home, folder / "full", shim, cuts=options.cuts, seed=options.seed)
    print(f"FULL: {full.summary()}", file=sys.stderr, flush=True)
    controls = {
        kind: power_cuts.series(
            ready.home, folder / kind, shim, cuts=max(2, options.cuts // 5), seed=options.seed, weak=kind
        )
        for kind in power_cuts.CONTROLS
    }
    bad = [*full.lost, *full.duplicated, *full.damaged, *full.unseen, *full.wrong_answers]
    bad += [each for control in controls.values() for each in control.unseen]
    return Figure(
        2,
        "power-cuts",
        title="Acknowledged, and lost when the power is cut",
        target="nothing lost, doubled or damaged in at least 50 cuts of the power",
        command="python -m tests.durability power-cuts --cuts 55 --json benchmarks/results/durability/power-cuts.json",
        figures=full.summary() | {"first faults": bad[:20]},
        kept=not bad and full.cuts >= 50,
        settings={"cuts": options.cuts},
        controls=[_lost(control) for control in controls.values()],
    )


def _lost(control: Any) -> Control:
    words = f"a server with {control.kind}: {len(control.lost)} lost, {len(control.damaged)} damaged"
    return Control(f"{words} at {control.cuts} cuts", noticed=bool(control.lost or control.damaged))


def _kills(options: argparse.Namespace, folder: Path) -> Figure:
    from tests.conftest import Prepared
    from tests.durability import kills

    ready = Prepared(folder / "prepared")
    try:
        ready.build()
        planted = kills.planted(ready.copy())
        outcome = kills.run(
            ready.copy(),
            submissions=options.submissions,
            kills=options.kills,
            seed=options.seed,
            say=lambda text: print(text, file=sys.stderr, flush=True),
        )
    finally:
        ready.close()
    bad = [*outcome.lost, *outcome.duplicated, *outcome.faults]
    return Figure(
        1,
        "kills",
        title="Acknowledged, and lost or doubled when programs are killed",
        target="nothing lost, nothing doubled in 10,000 acknowledged submissions of eight people and 50 kills",
        command=f"{_engine()}python -m tests.durability kills "
        f"--json benchmarks/results/durability/kills{_ending()}.json",
        figures=outcome.summary() | {"first faults": bad[:20]},
        kept=outcome.kept and outcome.acknowledged >= 10_000 and sum(outcome.kills.values()) >= 50,
        settings={"submissions": options.submissions, "kills": options.kills},
        controls=[
            Control("receipts that nobody gave count as lost", noticed=len(planted["lost"]) == 2),
            Control("a matter written twice counts as doubled", noticed=len(planted["duplicated"]) == 1),
        ],
    )


def _worker_kills(options: argparse.Namespace, folder: Path) -> Figure:
    from tests.conftest import Prepared
    from tests.durability import worker_kills

    base = Prepared(folder / "prepared")
    try:
        base.build()
        workload = worker_kills.prepared(folder / "workload", base, days=24, people=options.people, acts=8)
        try:
            outcome = worker_kills.run(workload, kills=options.kills, seed=options.seed)
        finally:
            workload.close()
    finally:
        base.close()
    bad = [*outcome.twice, *outcome.never, *outcome.other]
    return Figure(
        3,
        "worker-kills",
        title="Reminders, notices, closings and reorganisations done twice or never when the worker is killed",
        target="none twice, none never in 1,000 kills",
        command=f"{_engine()}python -m tests.durability worker-kills "
        f"--json benchmarks/results/durability/worker-kills{_ending()}.json",
        figures=outcome.summary() | {"first faults": bad[:20]},
        kept=outcome.kept and outcome.kills >= 1000,
        settings={"kills": options.kills, "people": options.people},
        controls=[Control("a notice too many and a notice too few", noticed=outcome.noticed)],
        note="" if outcome.kills >= 1000 else f"{outcome.kills} kills instead of 1,000",
    )


def _engine() -> str:
    return "python -m tests.engines postgresql " if os.environ.get("DATABASE_URL") else ""


def _ending() -> str:
    return "-postgresql" if os.environ.get("DATABASE_URL") else ""


def _load_django(folder: Path) -> None:
    os.environ["GANDAN_HOME"] = str(folder / "own")
    os.environ["DJANGO_SETTINGS_MODULE"] = "gandan.config.settings"
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "src"))
    import django

    django.setup()


if __name__ == "__main__":
    sys.exit(main())
