"""The long forms of the durability tests. Each prints its figures as JSON and ends with 1 when a promise is broken.

python -m tests.durability power-cuts [--cuts 50]
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any


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
        figures = options.run(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    figures |= {"seed": options.seed, "python": platform.python_version(), "cores": os.cpu_count()}
    figures["load"] = round(os.getloadavg()[0], 1)
    text = json.dumps(figures, indent=1, ensure_ascii=False, default=str)
    print(text)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(text + "\n")
    return 0 if figures["kept"] else 1


def _power_cuts(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
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
    return {
        "name": "power cuts",
        "full": full.summary(),
        "controls": [control.summary() for control in controls.values()],
        "faults": bad[:20],
        "kept": not bad and all(control.lost or control.damaged for control in controls.values()),
    }


def _kills(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    from tests.conftest import Prepared
    from tests.durability import kills

    ready = Prepared(folder / "prepared")
    try:
        ready.build()
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
    return {"name": "kills", **outcome.summary(), "first_faults": bad[:20], "kept": outcome.kept}


def _worker_kills(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
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
    return {"name": "worker kills", **outcome.summary(), "first_faults": bad[:20], "kept": outcome.kept}


def _load_django(folder: Path) -> None:
    os.environ["GANDAN_HOME"] = str(folder / "own")
    os.environ["DJANGO_SETTINGS_MODULE"] = "gandan.config.settings"
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "src"))
    import django

    django.setup()


if __name__ == "__main__":
    sys.exit(main())
