"""How fast rank sets are, against the procedure as it is printed, on the same problem in the same run.

    python -m benchmarks.ranking [--units P] [--draws R] [--nation N] [--every K] [--rounds K] [--seed S] [--json FILE]

Ours: two-sided simultaneous stepdown of P units from R draws. The peer: each draw's matrix of differences in numpy,
its largest entry over the pairs still in question, the same steps. Then the marginal sets of N units from 1,000
draws that they share (every K-th is timed and the rest reckoned), with the peak of memory, and exact marginal sets
of P units. Rounds are interleaved; ratios are of minima. Sets are compared first.
"""

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rounds import circumstances
from gandan.inference.ranking import marginal_rank_sets, rank_sets


def printed(x: Any, se: Any, draws: int, seed: int, level: float = 0.95) -> tuple[Any, Any]:
    """Return (lower, upper) by the printed procedure: one matrix of differences for each draw."""
    rng = np.random.default_rng(seed)
    size = x.size
    s = np.hypot.outer(se, se)
    d = x[:, None] - x[None, :]
    asked = ~np.eye(size, dtype=bool)
    rejected = np.zeros((size, size), dtype=bool)
    z = rng.standard_normal((draws, size)) * se
    while asked.any():
        largest = np.array([((row[:, None] - row[None, :]) / s)[asked].max() for row in z])
        fresh = asked & (d > np.quantile(largest, level) * s)
        if not fresh.any():
            break
        rejected |= fresh
        asked &= ~fresh
    return 1 + rejected.sum(axis=0), size - rejected.sum(axis=1)


def timed(sides: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    told: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(rounds):
        for name in list(sides)[:: 1 if turn % 2 == 0 else -1]:
            start = time.process_time()
            sides[name]()
            told[name].append(time.process_time() - start)
    return told


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--units", type=int, default=106)
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--nation", type=int, default=3321)
    parser.add_argument("--every", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args(arguments)
    rng = np.random.default_rng(asked.seed)
    x, se = rng.normal(0.88, 0.04, asked.units), rng.uniform(0.01, 0.03, asked.units)
    wide_x, wide_se = rng.normal(0.88, 0.04, asked.nation), rng.uniform(0.02, 0.06, asked.nation)
    ours = rank_sets(x, se, draws=asked.draws, seed=asked.seed)
    lower, upper = printed(x, se, asked.draws, asked.seed)
    # Other draws move a bound by a place now and then, where it stands on a knife's edge.
    moved = int(np.abs(ours.lower - lower).max()), int(np.abs(ours.upper - upper).max())
    values_ok = max(moved) <= 2 and float(np.mean((ours.lower != lower) | (ours.upper != upper))) <= 0.2
    single = np.arange(0, asked.nation, asked.every)
    found = timed(
        {
            "ours": lambda: rank_sets(x, se, draws=asked.draws, seed=asked.seed),
            "printed": lambda: printed(x, se, asked.draws, asked.seed),
            "exact marginals": lambda: marginal_rank_sets(x, se),
            "nation": lambda: marginal_rank_sets(wide_x, wide_se, draws=1000, seed=asked.seed, units=single),
        },
        asked.rounds,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    nation = min(found["nation"]) / single.size * asked.nation
    result = {
        "name": "ranking",
        "seed": asked.seed,
        "units": asked.units,
        "draws": asked.draws,
        **circumstances(),
        "numpy": np.__version__,
        "values_ok": values_ok,
        "printed_over_ours_cpu": min(found["printed"]) / min(found["ours"]),
        "ours_cpu_seconds": min(found["ours"]),
        "exact_marginals_cpu_seconds": min(found["exact marginals"]),
        "nation_marginals_cpu_seconds": nation,
        "peak_mib": peak,
        "rounds": found,
        "verdict": bool(values_ok and min(found["ours"]) < 0.5 and nation < 300 and peak < 1024),
    }
    text = json.dumps(result, indent=1)
    if asked.json:
        asked.json.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
    return 0 if result["verdict"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
