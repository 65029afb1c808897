"""Intervals hold what they promise: drawn again and again from one invented province, 95 % contain the truth.

The province has four strata of 60 villages with 12 to 30 people; a sample takes eight villages of each stratum and
six people of each village, both without replacement. Short here, long by the mark `long`.
"""

import numpy as np
import pytest

from gandan.inference.calibration import poststratify
from gandan.inference.design import Design, Stage
from gandan.inference.estimates import estimate_domains, quantiles
from gandan.inference.replicates import replicate_domains, replicate_factors

pytestmark = pytest.mark.agnostic
VILLAGES, TAKEN, PEOPLE = 60, 8, 6


def province():
    rng = np.random.default_rng(2021)
    size = rng.integers(12, 31, (4, VILLAGES))
    village = np.repeat(np.arange(4 * VILLAGES), size.ravel())
    level = (np.array([4.0, 5.0, 7.0, 6.0])[:, None] + rng.normal(0, 0.7, (4, VILLAGES))).ravel()
    y = level[village] + rng.gamma(4, 0.5, village.size)
    return {
        "size": size.ravel(),
        "start": np.concatenate([[0], np.cumsum(size.ravel())]),
        "village": village,
        "y": y,
        "x": y * rng.uniform(0.8, 1.2, y.size) + 3,
        "happy": (y + rng.normal(0, 1, y.size) > 5.5).astype(float),
        "domain": rng.integers(0, 3, y.size),
        "old": rng.random(y.size) < 0.3,
    }


def draw(rng, p):
    """One sample: rows, and its design."""
    chosen = np.concatenate([h * VILLAGES + rng.permutation(VILLAGES)[:TAKEN] for h in range(4)])
    rows = np.concatenate([p["start"][c] + rng.permutation(p["size"][c])[:PEOPLE] for c in chosen])
    village = p["village"][rows]
    weight = VILLAGES / TAKEN * p["size"][village] / PEOPLE
    houses = Stage(np.arange(rows.size), fpc=p["size"][village])
    return rows, Design(weight, village // VILLAGES, village, np.full(rows.size, VILLAGES), (houses,))


def coverage(runs, seed):
    """Return the share of intervals that hold the truth, by kind of estimate."""
    p, rng = province(), np.random.default_rng(seed)
    in_domain = p["domain"] == 1
    truth = {
        "mean": p["y"].mean(),
        "total": p["y"].sum(),
        "ratio": p["y"].sum() / p["x"].sum(),
        "domain": p["y"][in_domain].mean(),
        "share": p["happy"].mean(),
        "poststratified": p["y"].mean(),
        "median": np.quantile(p["y"], 0.5),
        "jackknife": p["y"].sum() / p["x"].sum(),
    }
    held = dict.fromkeys(truth, 0)
    for _ in range(runs):
        rows, design = draw(rng, p)
        y, x = p["y"][rows], p["x"][rows]
        old = p["old"][rows]
        post = poststratify(design, old, {False: (~p["old"]).sum(), True: p["old"].sum()})
        domain = estimate_domains(design, y, p["domain"][rows])
        plain = Design(design.weight, design.strata, design.psu, design.fpc)
        ends = {
            "mean": estimate_domains(design, y),
            "total": estimate_domains(design, y, stat="total"),
            "ratio": estimate_domains(design, y, stat="ratio", denominator=x),
            "share": estimate_domains(design, p["happy"][rows], stat="proportion"),
            "poststratified": estimate_domains(post, y),
            "median": quantiles(design, y, 0.5),
            "jackknife": replicate_domains(
                plain, y, None, replicate_factors(plain, "jkn"), stat="ratio", denominator=x
            ),
        }
        for name, e in ends.items():
            held[name] += e.lo[0, 0] <= truth[name] <= e.hi[0, 0]
        held["domain"] += domain.lo[1, 0] <= truth["domain"] <= domain.hi[1, 0]
    return {name: count / runs for name, count in held.items()}


def test_intervals_hold_the_truth_nearly_as_often_as_they_say():
    runs = 400
    for name, share in coverage(runs, 1).items():
        error = np.sqrt(0.95 * 0.05 / runs)
        assert 0.93 - 3 * error <= share <= 0.97 + 3 * error, name


@pytest.mark.long
def test_intervals_hold_the_truth_as_often_as_they_say():
    for name, share in coverage(2000, 7).items():
        print(f"{name}: covered {share:.4f}, Monte-Carlo error {np.sqrt(share * (1 - share) / 2000):.4f}")
        assert 0.93 <= share <= 0.97, (name, share)
