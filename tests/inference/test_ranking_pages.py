"""The worked tables on ranks, small areas, composites and disclosure are what the functions give.

Each table stands after a line `<!-- table: name -->`. To write them anew: GANDAN_WRITE_TABLES=1 with this file.
"""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from gandan.inference.composite import compose, weight_sensitivity
from gandan.inference.disclosure import check_release, suppress, tabulate
from gandan.inference.ranking import (
    groups,
    joint_rank_region,
    marginal_rank_sets,
    rank_sets,
    rank_sets_multinomial,
    tiers,
)
from gandan.inference.small_area import arcsin_variance, benchmark, fay_herriot

pytestmark = pytest.mark.agnostic
PAGES = Path(__file__).resolve().parents[2] / "docs" / "methods"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def percent(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f}"


def spans(sets) -> list[str]:
    return [str(a) if a == b else f"{a}–{b}" for a, b in zip(sets.lower, sets.upper, strict=True)]


COMMUNES = [
    "commune A",
    "commune B",
    "commune C",
    "commune D",
    "commune E",
    "commune F",
    "commune G",
    "commune H",
    "commune I",
]
SHARES = np.array([0.95, 0.93, 0.925, 0.90, 0.885, 0.86, 0.85, 0.74, 0.72])
ERRORS = np.array([0.012, 0.010, 0.018, 0.012, 0.015, 0.012, 0.020, 0.015, 0.012])
TIERS = {1: "above", 0: "not shown different", -1: "below"}


def rank_table():
    down = rank_sets(SHARES, ERRORS, seed=1)
    columns = [
        spans(down),
        spans(rank_sets(SHARES, ERRORS, seed=1, stepdown=False)),
        spans(marginal_rank_sets(SHARES, ERRORS)),
        spans(joint_rank_region(SHARES, ERRORS)),
        groups(down),
        tiers(SHARES, ERRORS, 0.88).labels,
    ]
    rows = [
        [name, f"{percent(x)} ± {percent(se)}", *cells]
        for name, x, se, *cells in zip(COMMUNES, SHARES, ERRORS, *columns, strict=True)
    ]
    head = ["commune", "estimate ± se", "simultaneous, stepdown", "single step", "marginal", "joint region", "group"]
    return table([*head, "tier against 88 %"], rows)


def critical_table():
    alone = marginal_rank_sets(SHARES, ERRORS, units=0)
    rows = []
    for told, sets in (
        ("simultaneous, single step", rank_sets(SHARES, ERRORS, seed=1, stepdown=False)),
        ("simultaneous, last step", rank_sets(SHARES, ERRORS, seed=1)),
    ):
        rows.append([told, f"{sets.critical:.3f}", f"{sets.mc_error:.3f}", sets.seed])
    rows.append([f"marginal, {COMMUNES[0]}, last step", f"{alone.critical[0]:.6f}", "0", "none needed"])
    rows.append(["joint region", f"{joint_rank_region(SHARES, ERRORS).critical:.6f}", "0", "none needed"])
    rows.append(["tiers, last step", f"{tiers(SHARES, ERRORS, 0.88).critical:.6f}", "0", "none needed"])
    return table(["set", "critical value", "Monte-Carlo error", "seed"], rows)


def counts_table():
    names, chosen = ["waiting", "distance", "papers", "manner", "other"], [210, 161, 148, 60, 41]
    columns = [spans(rank_sets_multinomial(chosen, correction=how)) for how in ("holm", "bonferroni")]
    rows = list(zip(names, chosen, *columns, strict=True))
    return table(["option", "chosen", "Holm", "Bonferroni"], rows)


WARDS = [f"ward {number}" for number in range(1, 9)]
ANSWERS = np.array([25, 180, 60, 40, 110, 15, 75, 90])
SATISFIED = np.array([23, 150, 58, 30, 107, 15, 55, 84]) / ANSWERS
DISTANCE = np.array([6.0, 4.0, 2.0, 8.0, 5.0, 3.5, 9.0, 7.0])


def wards(**options):
    columns = np.column_stack((np.ones(8), DISTANCE))
    return fay_herriot(
        SATISFIED, columns, arcsin_variance(ANSWERS, 1.4), transform="arcsin", X_out=[[1.0, 14.0]], **options
    )


def small_area_table():
    fit = wards()
    share = np.full(9, 1 / 9)
    moved = benchmark(fit, share, 0.90)
    est, mse = np.append(fit.est, fit.out.est), np.append(fit.mse, fit.out.mse)
    lo, hi = np.append(fit.lo, fit.out.lo), np.append(fit.hi, fit.out.hi)
    rows = []
    for i, name in enumerate([*WARDS, "ward 9"]):
        flags = [flag for flag, holds in ({} if i < 8 else fit.out.flags).items() if holds[0]]
        rows.append(
            [
                name,
                ANSWERS[i] if i < 8 else 0,
                percent(SATISFIED[i]) if i < 8 else "none",
                f"{fit.shrinkage[i]:.2f}" if i < 8 else "0.00",
                percent(est[i]),
                percent(np.sqrt(mse[i])),
                f"{percent(lo[i])}–{percent(hi[i])}",
                percent(moved.est[i]),
                ", ".join(flags) or "–",
            ]
        )
    head = ["ward", "answers", "direct", "weight of the direct", "EBLUP", "root MSE", "95 % interval"]
    return table([*head, "benchmarked to 90 %", "flags"], rows)


def method_table():
    rows = []
    for method in ("reml", "ml", "fh", "ampl-yl", "amrl-yl"):
        fit = wards(method=method)
        rows.append(
            [
                method,
                f"{1e4 * fit.area_variance:.3f}",
                ", ".join(f"{each:.4f}" for each in fit.beta),
                f"{fit.loglik:.4f}",
                f"{100 * np.sqrt(fit.theta_mse).mean():.2f}",
            ]
        )
    return table(["method", "A × 10⁴", "β", "log likelihood", "mean root MSE × 10²"], rows)


def flat_table():
    y = [0.90, 0.91, 0.89, 0.905, 0.895, 0.90]
    fit = fay_herriot(y, np.ones(6), np.full(6, 0.0009))
    rows = []
    for told, each in (("REML", fit), ("beside it: ampl-yl (experimental)", fit.adjusted)):
        flag = "synthetic" if each.flags["synthetic"].all() else "–"
        row = [each.area_variance, each.shrinkage[0], np.sqrt(each.mse[0])]
        rows.append([told, *(f"{number:.6f}" for number in row), flag])
    return table(["fit", "A", "weight of the direct", "root MSE", "flag"], rows)


def composite_table():
    est = np.array(
        [
            [0.93, 5.0, 0.96],
            [0.90, 11.0, 0.70],
            [0.84, 4.0, 0.97],
            [0.78, 12.0, 0.75],
            [0.88, 8.0, 0.90],
            [0.70, 6.0, 0.8],
        ]
    )
    se = np.column_stack((np.full(6, 0.02), [0.6, 1.2, 0.5, 1.5, 0.9, 0.7], np.zeros(6)))
    weight, posts = [5, 3, 2], [(0.0, 1.0), (20.0, 2.0), (0.0, 1.0)]
    found = compose(est, se, weight, goalposts=posts)
    told = weight_sensitivity(est, se, weight, 0.75, goalposts=posts, seed=1)
    rows = [
        [
            COMMUNES[i],
            f"{percent(est[i, 0], 0)} ± {percent(se[i, 0], 0)}",
            f"{est[i, 1]:.1f} ± {se[i, 1]:.1f}",
            percent(est[i, 2], 0),
            f"{found.value[i]:.3f} ± {found.se[i]:.3f}",
            TIERS[int(told.tier[i])],
            f"{percent(told.share[i, told.tier[i] + 1], 0)} %",
            ", ".join(TIERS[int(each)] for each in told.without[:, i]),
            f"{told.low[i, 0]:.2f}–{told.high[i, 0]:.2f}",
        ]
        for i in range(6)
    ]
    head = ["commune", "satisfied", "days to answer", "answered in time", "composite ± se", "tier against 0.75"]
    more = ["same tier when weights change by a quarter", "tier without each criterion"]
    return table([*head, *more, "first weight may lie within"], rows)


def maps_table():
    counts = {
        ("A", "X"): 21,
        ("B", "X"): 3,
        ("B", "Y"): 19,
        ("C", "Y"): 40,
    }
    old, new = tabulate(counts, 0), tabulate(counts, 1)

    def told(label):
        if isinstance(label[0], int):
            return f"old {label[1][1][0]}"
        return f"new {label[1][0]}"

    rows = []
    for name, cells, history in (
        ("old map", old, []),
        ("new map", new, []),
        ("new map after the old one", new, [old]),
    ):
        verdict = check_release(counts, cells, history=history)
        found = [
            f"{' ∩ '.join(each.atoms[0])}: {each.n} = "
            + " ".join(f"{'+' if factor > 0 else '−'} {told(label)}" for label, factor in each.how.items())
            for each in verdict.disclosures
        ]
        rows.append([name, "yes" if verdict.safe else "no", "; ".join(found) or "nothing"])
    return table(["released", "safe", "what it reveals"], rows)


def withheld_table():
    communes, ways = COMMUNES[:3], ["phone", "visit", "letter"]
    numbers = [[12, 2, 9], [8, 30, 14], [11, 7, 25]]
    counts = {(r, c): n for r, row in zip(communes, numbers, strict=True) for c, n in zip(ways, row, strict=True)}
    cells = tabulate(counts, 0, 1) | tabulate(counts, 0) | tabulate(counts, 1) | tabulate(counts)
    shown = set(suppress(counts, cells).released)

    def cell(positions, entries):
        key = (positions, entries)
        return sum(counts[atom] for atom in cells[key]) if key in shown else "·"

    rows = [[r, *(cell((0, 1), (r, c)) for c in ways), cell((0,), (r,))] for r in communes]
    rows.append(["all", *(cell((1,), (c,)) for c in ways), cell((), ())])
    return table(["", *ways, "all"], rows)


TABLES: dict[str, Callable[[], str]] = {
    "rank-sets": rank_table,
    "rank-critical": critical_table,
    "rank-counts": counts_table,
    "small-areas": small_area_table,
    "small-area-methods": method_table,
    "small-area-flat": flat_table,
    "composite": composite_table,
    "disclosure-maps": maps_table,
    "disclosure-table": withheld_table,
}
OWN = ("composite.md", "disclosure.md", "rank-sets.md", "small-areas.md")


@pytest.mark.parametrize("name", TABLES)
def test_a_worked_table_is_what_the_functions_give(name):
    page = next(PAGES / own for own in OWN if f"<!-- table: {name} -->" in (PAGES / own).read_text(encoding="utf-8"))
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- table: {name} -->\n\n)((?:\|.*\n)*)")
    expected = TABLES[name]() + "\n"
    if os.environ.get("GANDAN_WRITE_TABLES"):
        text = pattern.sub(lambda found: found[1] + expected, text)
        page.write_text(text, encoding="utf-8")
    assert pattern.search(text)[2] == expected


@pytest.mark.parametrize("page", OWN)
def test_a_method_page_has_its_parts_and_no_table_unchecked(page):
    text = (PAGES / page).read_text(encoding="utf-8")
    places = [text.find(f"\n**{word}.**") for word in ("Question", "Formula", "Assumptions", "Example", "Limits")]
    assert -1 not in places and places == sorted(places)
    assert set(re.findall(r"<!-- table: ([a-z-]+) -->", text)) <= set(TABLES)
    assert len(re.findall(r"^\| ---", text, re.M)) == len(re.findall(r"<!-- table", text))
