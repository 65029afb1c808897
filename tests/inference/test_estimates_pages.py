"""The worked tables of docs/methods are what the functions give.

Each table stands after a line `<!-- table: name -->`. To write them anew: GANDAN_WRITE_TABLES=1 with this file.
"""

import os
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gandan.inference.calibration import calibrate, kish, poststratify, rake
from gandan.inference.correspondence import Link, chain, restate
from gandan.inference.design import Design, Stage
from gandan.inference.estimates import brewer_variance, contrast, domain_cov, estimate_domains, quantiles
from gandan.inference.replicates import replicate_estimate, replicate_weights
from gandan.inference.sampling import allocate, plan_separation, sample_size, select, two_shares

pytestmark = pytest.mark.agnostic
PAGES = Path(__file__).resolve().parents[2] / "docs" / "methods"
Rows = Sequence[Sequence[object]]


def table(head: Sequence[str], rows: Rows) -> str:
    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(str(cell) for cell in cells) + " |"

    return "\n".join([line(head), line(["---"] * len(head)), *map(line, rows)])


def number(value: float, digits: int = 4) -> str:
    return "none" if np.isnan(value) else f"{value:,.{digits}f}"


def made(t, finite=True, two=True):
    houses = (Stage(t["house"], fpc=t["fpc2"]),) if two and finite else ()
    return Design(t["weight"], t["stratum"], t["psu"], t["fpc1"] if finite else None, houses)


def totals_means_ratios(t):
    rows = []
    for told, design in (
        ("as if each row were drawn alone", Design(t["weight"])),
        ("strata and units", made(t, finite=False)),
        ("and population sizes", made(t, two=False)),
        ("and the second stage", made(t)),
    ):
        mean = estimate_domains(design, t["y"])
        total = estimate_domains(design, t["x"], stat="total")
        ratio = estimate_domains(design, t["y"], stat="ratio", denominator=t["x"])
        rows.append(
            [
                told,
                *(f"{number(e.est[0, 0])} ± {number(e.se[0, 0])}" for e in (mean, total, ratio)),
                number(mean.deff[0, 0], 3),
            ]
        )
    return table(["design", "mean of y ± se", "total of x ± se", "ratio y/x ± se", "design effect of the mean"], rows)


def domains_and_contrasts(t):
    design = made(t)
    e, cov = estimate_domains(design, t["y"], t["domain"]), domain_cov(design, t["y"], t["domain"])
    rows = [
        [
            label,
            e.n[d, 0],
            e.n_psu[d, 0],
            number(e.est[d, 0]),
            number(e.se[d, 0]),
            number(e.lo[d, 0]),
            number(e.hi[d, 0]),
            ", ".join(e.flags[d, 0]) or "–",
        ]
        for d, label in enumerate(e.domains.tolist())
    ]
    c = contrast(e.est[:, 0], cov, [-1, 1, 0], design.df)
    rows.append(["B − A", "", "", number(c.est[0]), number(c.se[0]), number(c.lo[0]), number(c.hi[0]), "–"])
    return table(["domain", "rows", "units", "mean", "se", "lower", "upper", "flags"], rows)


def proportions(t):
    design = made(t)
    rows = []
    for told, kind in (("t", "t"), ("logit", "logit"), ("arcsine", "asin"), ("Korn and Graubard", "korn")):
        e = estimate_domains(design, t["g"], stat="proportion", ci=kind)
        rows.append([told, *(number(v[0, 0]) for v in (e.est, e.se, e.lo, e.hi)), ", ".join(e.flags[0, 0]) or "–"])
    e = estimate_domains(design, np.where(t["domain"] == "B", 1.0, t["g"]), t["domain"], stat="proportion")
    rows.append(
        ["all of domain B say yes", *(number(v[1, 0]) for v in (e.est, e.se, e.lo, e.hi)), ", ".join(e.flags[1, 0])]
    )
    return table(["interval", "share", "se", "lower", "upper", "flags"], rows)


def quantile_rules(t):
    rows = []
    for rule in ("math", "school", "hf7"):
        q = quantiles(made(t, finite=False), t["y"], [0.25, 0.5, 0.75], rule=rule)
        rows += [
            [rule, p, number(q.est[0, k]), number(q.se[0, k]), number(q.lo[0, k]), number(q.hi[0, k])]
            for k, p in enumerate((0.25, 0.5, 0.75))
        ]
    return table(["rule", "p", "quantile", "se", "lower", "upper"], rows)


def unequal(_t):
    z, pi = np.array([12.0, 7.0, 3.0, 5.0]), np.array([1.0, 0.6, 0.3, 0.4])
    v = brewer_variance(z, pi, ["large", "rest", "rest", "rest"])
    rows = [[number(a, 1), number(b, 1), number(a / b, 3)] for a, b in zip(z, pi, strict=True)]
    return table(["z", "π", "z/π"], [*rows, [f"total {number((z / pi).sum(), 3)}", f"se {number(v**0.5, 3)}", ""]])


def replicate_kinds(t):
    keep = ~np.isnan(t["y"]) & (((t["stratum"] != "town") & (t["psu"] < 3)) | (t["stratum"] == "town"))
    y, x = t["y"][keep], t["x"][keep]
    design = Design(t["weight"][keep], t["stratum"][keep], t["psu"][keep])
    rows = []
    for told, kind, n in (
        ("jackknife", "jkn", None),
        ("half samples", "brr", None),
        ("Fay, ρ = 0.3", "fay", None),
        ("Rao and Wu", "rao-wu", 500),
    ):
        made_ = replicate_weights(design, kind, n, np.random.default_rng(1))
        theta, cov = replicate_estimate(lambda w: [(w @ y) / (w @ x), w @ x], design.weight, made_)
        rows.append(
            [told, made_.weights.shape[1], number(theta[0]), number(cov[0, 0] ** 0.5), number(cov[1, 1] ** 0.5, 2)]
        )
    ratio = estimate_domains(design, y, stat="ratio", denominator=x)
    total = estimate_domains(design, x, stat="total")
    rows.append(["the formula", "–", number(ratio.est[0, 0]), number(ratio.se[0, 0]), number(total.se[0, 0], 2)])
    return table(["kind", "replicates", "ratio y/x", "se of the ratio", "se of the total of x"], rows)


def calibrations(t):
    design = made(t, finite=False)
    x = np.column_stack([np.ones(25), t["kind"] == "k2", t["x"]])
    totals = [230, 115, 2500]
    domain, kind = {"A": 150, "B": 75, "C": 5}, {"k1": 115, "k2": 115}
    rows = []
    for told, d in (
        ("none", design),
        ("post-stratified by domain", poststratify(design, t["domain"], domain)),
        ("raked on domain and kind", rake(design, [(t["domain"], domain), (t["kind"], kind)])),
        ("linear on kind and x", calibrate(design, x, totals)),
        ("raking distance", calibrate(design, x, totals, "raking")),
        ("logit, 0.6 to 1.8", calibrate(design, x, totals, "logit", (0.6, 1.8))),
    ):
        g = d.weight / design.weight
        e = estimate_domains(d, t["y"])
        rows.append(
            [
                told,
                f"{number(g.min(), 3)} to {number(g.max(), 3)}",
                number(kish(d.weight), 3),
                number(e.est[0, 0]),
                number(e.se[0, 0]),
            ]
        )
    return table(["calibration", "new weight over old", "1 + cv²(w)", "mean of y", "se"], rows)


def allocations(_t):
    population, spread = [5000, 3000, 1500, 500], [10, 20, 30, 40]
    rows = [
        ["proportional", *allocate(1000, population)],
        ["Neyman", *allocate(1000, population, "neyman", spread=spread)],
        ["power, q = ½", *allocate(1000, population, "power", spread=spread)],
        ["equal", *allocate(1000, population, "equal")],
    ]
    return table(
        ["1,000 among N = 5,000, 3,000, 1,500, 500 with S = 10, 20, 30, 40", "first", "second", "third", "fourth"], rows
    )


def sizes(_t):
    rows = []
    for size in (500, 5_000, 200_000):
        found = sample_size(0.5, 0.05, population=size, deff=1.5, response=0.8)
        rows.append([f"{size:,}", found.completed, found.issued, found.yamane])
    return table(["people", "interviews completed", "issued", "Yamane, for comparison"], rows)


def drawn(_t):
    frame = [f"village {k}" for k in range(1, 9)]
    people = [900, 120, 340, 60, 210, 80, 150, 140]
    found = select(frame, 3, seed=2026, method="pps", size=people)
    rows = [
        [
            frame[row],
            people[row],
            number(found.probability[k, 0]),
            number(found.weight[k]),
            "yes" if found.certain[k, 0] else "no",
        ]
        for k, row in enumerate(found.rows)
    ]
    return table(["drawn", "people", "π", "weight", "certain"], rows)


def two_named_units(_t):
    rows = [
        [f"{100 * a:g} v {100 * b:g} %", f"{two_shares(a, b):,}", f"{two_shares(a, b, deff=1.5):,}"]
        for a, b in ((0.96, 0.98), (0.9, 0.95), (0.8, 0.9))
    ]
    return table(["shares", "interviews in each, simple random", "design effect 1.5"], rows)


def separations(_t):
    rows = []
    for n in (100, 400, 1600):
        s = plan_separation(0.88, 0.04, n, 1.5, 38, 20, seed=1)
        rows.append(
            [
                f"{n:,}",
                f"{s.interviews:,}",
                f"{s.width:.1f} ± {s.width_error:.1f}",
                f"{100 * s.separated:.1f} %",
                f"{100 * (s.above + s.below):.0f} %",
                "yes" if s.offers_ranking else "no",
            ]
        )
    return table(
        [
            "interviews in each unit",
            "in all",
            "places in a rank set, of 38",
            "pairs told apart",
            "units shown above or below the mean",
            "ranking offered",
        ],
        rows,
    )


def restated(_t):
    merged = [Link("Nậm A", "Mường"), Link("Nậm B", "Mường"), Link("Nậm C", "Mường")]
    split = [Link("Bản D", "Phố", "share", Fraction(2, 5)), Link("Bản D", "Đồi", "share", Fraction(3, 5))]
    unknown = [Link("Bản D", "Phố", "unknown"), Link("Bản D", "Đồi", "unknown")]
    again = [Link("Phố", "Thị"), Link("Đồi", "Thị")]
    three = {"Nậm A": 4, "Nậm B": 7, "Nậm C": 2}
    quotients = {"Nậm A": (1, 4), "Nậm B": (6, 7), "Nậm C": (0, 2)}
    rows = []
    for told, found in (
        ("4, 7 and 2 merge", restate(three, merged)["Mường"]),
        ("4, not reported, 2", restate({"Nậm A": 4, "Nậm C": 2}, merged)["Mường"]),
        ("1/4, 6/7 and 0/2 merge", restate(quotients, merged, "ratio")["Mường"]),
        ("10, of which two fifths went here", restate({"Bản D": 10}, split)["Phố"]),
        ("10, of which an unknown part went here", restate({"Bản D": 10}, unknown)["Phố"]),
        ("10, divided into unknown parts that merged again", restate({"Bản D": 10}, chain([unknown, again]))["Thị"]),
    ):
        rows.append(
            [
                told,
                "none: a break" if found.value is None else found.value,
                found.imputed,
                found.unknown,
                found.coverage,
            ]
        )
    return table(["given", "value", "imputed share", "unknown share", "reported"], rows)


TABLES: dict[str, Callable[..., str]] = {
    "totals-means-ratios": totals_means_ratios,
    "domains-and-contrasts": domains_and_contrasts,
    "proportions": proportions,
    "quantiles": quantile_rules,
    "unequal-probabilities": unequal,
    "replicates": replicate_kinds,
    "calibration": calibrations,
    "allocation": allocations,
    "sample-size": sizes,
    "selection": drawn,
    "two-named-units": two_named_units,
    "separation": separations,
    "restating": restated,
}


def pages() -> dict[str, Path]:
    """Where each table stands."""
    found = {}
    for page in sorted(PAGES.glob("*.md")):
        for name in re.findall(r"<!-- table: ([a-z-]+) -->", page.read_text(encoding="utf-8")):
            if name in TABLES:
                found[name] = page
    return found


@pytest.mark.parametrize("name", TABLES)
def test_a_worked_table_is_what_the_functions_give(reference, name):
    page = pages()[name]
    text = page.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- table: {name} -->\n\n)((?:\|.*\n)*)")
    expected = TABLES[name](reference("small.csv")) + "\n"
    if os.environ.get("GANDAN_WRITE_TABLES"):
        text = pattern.sub(lambda found: found[1] + expected, text)
        page.write_text(text, encoding="utf-8")
    assert pattern.search(text)[2] == expected


@pytest.mark.parametrize("page", sorted({path.name for path in pages().values()}))
def test_a_method_page_says_question_formula_assumptions_example_and_limits(page):
    text = (PAGES / page).read_text(encoding="utf-8")
    places = [text.find(f"\n**{word}.**") for word in ("Question", "Formula", "Assumptions", "Example", "Limits")]
    assert -1 not in places and places == sorted(places)
