"""How two sides are compared: interleaved rounds in one run, CPU with that of the database, ratios of minima."""

import json
import os
import platform
import resource
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Side = Callable[[], Any]


def cpu_of(pid: int) -> float:
    """Return the CPU seconds that another process has used, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Meter:
    """CPU seconds of this process, its children, and the database's process that serves it."""

    def __init__(self, backend: int | None = None) -> None:
        self.backend = backend

    def now(self) -> float:
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = time.process_time() + children.ru_utime + children.ru_stime
        return own + (cpu_of(self.backend) if self.backend else 0.0)


def compare(sides: Mapping[str, Side], *, rounds: int, times: int = 1, meter: Meter | None = None) -> dict[str, Any]:
    """Run each side `times` over in `rounds` interleaved rounds (ABBA); return seconds of CPU and wall for one time.

    `best` holds the minima of CPU. Every side is warmed up equally before.
    """
    meter = meter or Meter()
    cpu: dict[str, list[float]] = {name: [] for name in sides}
    wall: dict[str, list[float]] = {name: [] for name in sides}
    order = list(sides)
    for side in sides.values():
        for _ in range(3):
            side()
    for number in range(rounds):
        for name in order if number % 2 == 0 else reversed(order):
            began, used = time.perf_counter(), meter.now()
            for _ in range(times):
                sides[name]()
            cpu[name].append((meter.now() - used) / times)
            wall[name].append((time.perf_counter() - began) / times)
    return {
        "cpu": cpu,
        "wall": wall,
        "best": {name: min(values) for name, values in cpu.items()},
        "best_wall": {name: min(values) for name, values in wall.items()},
    }


def circumstances() -> dict[str, Any]:
    """Return what a figure depends on: day, commit and whether the product stood as committed, versions, load."""
    git = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    as_committed = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", "src"], capture_output=True, check=False)
    return {
        "on": datetime.now(UTC).date().isoformat(),
        "commit": git.stdout.strip(),
        "as_committed": as_committed.returncode == 0,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def report(name: str, results: Any, *, target: str, json_file: Path | None, **settings: Any) -> None:
    """Write the results with their circumstances when a file is named; places on this machine are left out."""
    told = {key: None if isinstance(value, Path) else value for key, value in settings.items()}
    answer = {"name": name, "target": target, **circumstances(), "settings": told, "results": results}
    if json_file:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        json_file.write_text(json.dumps(answer, indent=2, default=str) + "\n", encoding="utf-8")
