"""How fast domain estimates are, against one optimised group-by of the same rows in the same run.

    python -m benchmarks.estimation [--rows N] [--rounds K] [--seed S] [--json FILE]

Ours: from arrays to estimates, standard errors, intervals and design effects of every domain and indicator. The
peer: one polars group-by by (domain, stratum, unit) that sums the weight and every weighted indicator, tuned (lazy,
no sorting). The second part meets `svy` on the largest size that it can do here (rows × domains up to 10⁶), its
import and one warm-up not counted. Rounds are interleaved; ratios are of minima. Values are checked first.
"""

import argparse
import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rounds import circumstances
from gandan.inference.design import Design
from gandan.inference.estimates import estimate_domains


def generate(
    rows: int, seed: int, *, domains: int = 3321, provinces: int = 34, per: int = 10, indicators: int = 30
) -> dict[str, Any]:
    """Return a sample of `domains` communes in strata of urban and rural communes of each province."""
    rng = np.random.default_rng(seed)
    province = rng.integers(0, provinces, domains)
    stratum_of = province * 2 + (rng.random(domains) < 0.3)
    domain = rng.integers(0, domains, rows)
    unit = domain * per + rng.integers(0, per, rows)
    level = rng.uniform(0.5, 0.97, (domains, indicators))
    y = np.empty((rows, indicators))
    for start in range(0, rows, 100_000):
        part = slice(start, start + 100_000)
        y[part] = rng.random((y[part].shape[0], indicators)) < level[domain[part]]
    return {"weight": rng.uniform(1, 40, rows), "stratum": stratum_of[domain], "unit": unit, "domain": domain, "y": y}


def ours(data: dict[str, Any]) -> Any:
    """From raw arrays: the design is checked inside the time."""
    design = Design(data["weight"], data["stratum"], data["unit"])
    return estimate_domains(design, data["y"], data["domain"])


def grouped(data: dict[str, Any]) -> Callable[[], Any]:
    """Return the peer, its columns prepared outside the time."""
    import polars as pl

    names = [f"y{k}" for k in range(data["y"].shape[1])]
    frame = pl.DataFrame(
        {name: np.ascontiguousarray(data["y"][:, k]) for k, name in enumerate(names)}
        | {name: data[name] for name in ("weight", "stratum", "unit", "domain")}
    )
    sums = [(pl.col("weight") * pl.col(name)).sum().alias(name) for name in names]
    query = frame.lazy().group_by("domain", "stratum", "unit").agg(pl.col("weight").sum(), *sums)
    return query.collect


def svy_domains(data: dict[str, Any]) -> Callable[[], Any]:
    import polars as pl
    import svy

    frame = pl.DataFrame(
        {"y": data["y"][:, 0].copy()} | {name: data[name] for name in ("weight", "stratum", "unit", "domain")}
    )
    design = svy.Design(stratum="stratum", psu="unit", wgt="weight")
    return lambda: svy.Sample(frame, design).estimation.mean("y", by="domain")


def slowly(data: dict[str, Any], domain: int, k: int) -> tuple[float, float]:
    """Return (mean, standard error) of one domain by the plain formula, row by row."""
    mine = data["domain"] == domain
    w, y = data["weight"], data["y"][:, k]
    mean = float((w[mine] @ y[mine]) / w[mine].sum())
    z = np.where(mine, w * (y - mean) / w[mine].sum(), 0.0)
    total = 0.0
    for stratum in np.unique(data["stratum"][mine]):
        here = data["stratum"] == stratum
        _, unit = np.unique(data["unit"][here], return_inverse=True)
        sums = np.bincount(unit, weights=z[here])
        total += sums.size / (sums.size - 1) * float(((sums - sums.mean()) ** 2).sum())
    return mean, total**0.5


def timed(sides: dict[str, Callable[[], Any]], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Run the sides interleaved, forth and back, after one warm-up of each."""
    told: dict[str, dict[str, list[float]]] = {name: {"cpu": [], "wall": []} for name in sides}
    for run in sides.values():
        run()
    for turn in range(rounds):
        for name in list(sides)[:: 1 if turn % 2 == 0 else -1]:
            wall, cpu = time.perf_counter(), time.process_time()
            sides[name]()
            told[name]["cpu"].append(time.process_time() - cpu)
            told[name]["wall"].append(time.perf_counter() - wall)
    return told


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    data = generate(asked.rows, asked.seed)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = ours(data)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rng = np.random.default_rng(asked.seed)
    worst = 0.0
    for place, k in zip(rng.integers(0, found.est.shape[0], 5), rng.integers(0, found.est.shape[1], 5), strict=True):
        mean, se = slowly(data, int(found.domains[place]), int(k))
        worst = max(worst, abs(found.est[place, k] / mean - 1), abs(found.se[place, k] / se - 1) if se else 0.0)
    large = timed({"ours": lambda: ours(data), "group-by": grouped(data)}, asked.rounds)
    data = {}
    small = generate(20_000, asked.seed, domains=50, provinces=2, indicators=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = svy_domains(small)
        against = timed({"ours": lambda: ours(small), "svy": theirs}, asked.rounds)
    ratio = min(large["ours"]["cpu"]) / min(large["group-by"]["cpu"])
    wall_ratio = min(large["ours"]["wall"]) / min(large["group-by"]["wall"])
    faster = min(against["svy"]["cpu"]) / min(against["ours"]["cpu"])
    result = {
        "name": "estimation",
        "seed": asked.seed,
        "rows": asked.rows,
        **circumstances(),
        "numpy": np.__version__,
        "values_ok": bool(worst < 1e-9),
        "largest_deviation": float(worst),
        "ours_over_group_by_cpu": ratio,
        "ours_over_group_by_wall": wall_ratio,
        "svy_over_ours_cpu": faster,
        "peak_mib": peak / 1024,
        "data_mib": base / 1024,
        "rounds": {"large": large, "small": against},
        "verdict": bool(worst < 1e-9) and ratio <= 2.5 and faster >= 20 and peak / 1024 < 2048,
    }
    text = json.dumps(result, indent=1)
    if asked.json:
        asked.json.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    return 0 if result["verdict"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
