"""What holds of every estimate: order, labels and scale do not matter, parts add up, nothing is silently missing."""

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandan.inference.calibration import calibrate, poststratify, rake
from gandan.inference.design import Design, Stage
from gandan.inference.errors import InferenceError
from gandan.inference.estimates import (
    Cells,
    brewer_variance,
    collapse,
    contrast,
    domain_cov,
    estimate_cells,
    estimate_domains,
    horvitz_thompson_variance,
    quantiles,
    yates_grundy_variance,
)

pytestmark = pytest.mark.agnostic


# A slow hand: the formula on every row, for every domain


def plain_variance(design, total, met):
    """V of the total of row values (already weighted), stage by stage, with loops and no algebra.

    `met`: the rows of the domain; lonely strata without any do not count, unless weights are calibrated.
    """

    def stage(rows, depth, factor):
        if depth == len(design.levels):
            return 0.0
        level, found, lonely, good, sums, apart = design.levels[depth], 0.0, [], 0, [], 0.0
        for h in np.unique(level.stratum_of_unit[level.unit[rows]]):
            units = np.flatnonzero(level.stratum_of_unit == h)
            parts = np.array([total[rows[level.unit[rows] == unit]].sum() for unit in units])
            left, n = 1 - level.fraction[h], units.size
            seen = design.calibration is not None or met[rows[np.isin(level.unit[rows], units)]].any()
            sums += parts.tolist() if seen else []
            if left < 1e-7:
                good += seen
            elif n == 1:
                lonely += [(left, parts[0])] * int(seen)
            else:
                good += seen
                found += left * n / (n - 1) * ((parts - parts.mean()) ** 2).sum()
            if level.fraction[h] > 0:
                for unit in units:
                    mine = rows[level.unit[rows] == unit]
                    apart += stage(mine, depth + 1, 1.0) * level.fraction[h]
        for left, part in lonely:
            if design.lonely == "adjust":
                found += left * (part - np.mean(sums)) ** 2
        if lonely and design.lonely == "average":
            found *= (good + len(lonely)) / good if good else np.nan
        return factor * (found + apart)

    return stage(np.arange(total.size), 0, 1.0)


def plain(design, y, mine, stat, x=None):
    """(estimate, standard error) of one domain by the definition."""
    w = design.weight
    ok = mine & ~np.isnan(y) & (True if x is None else ~np.isnan(x))
    filled, under = np.where(ok, y, 0.0), np.where(ok, 0.0 if x is None else x, 0.0)
    if stat == "total":
        est, z = w @ filled, filled
    elif stat == "ratio":
        below = w @ under
        est = w @ filled / below
        z = np.where(ok, (filled - est * under) / below, 0.0)
    else:
        size = w[ok].sum()
        est = w @ filled / size
        z = np.where(ok, (filled - est) / size, 0.0)
    if design.calibration is not None:
        z = design.calibration.residuals(z)
    variance = plain_variance(design, w * z, ok)
    return est, math.sqrt(max(variance, 0.0)) if not np.isnan(variance) else np.nan


@st.composite
def samples(draw):
    """A design of one or two stages with strata, perhaps population sizes, missing values and several domains."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    two, finite = draw(st.booleans()), draw(st.booleans())
    lonely = draw(st.sampled_from(["remove", "adjust", "average"]))
    rows = []
    for h in range(draw(st.integers(1, 4))):
        units = 2 if h == 0 else int(rng.integers(1, 5))
        population = units + int(rng.integers(0, 6))
        for c in range(units):
            inside = int(rng.integers(2, 5))
            houses = inside + int(rng.integers(0, 4))
            rows += [(h, c, s, population, houses) for s in range(inside)]
    h, c, s, big, small = np.array(rows).T
    n = h.size
    stages = (Stage(s, fpc=small),) if two and finite else ()
    design = Design(rng.uniform(1, 30, n), h, c, big if finite else None, stages, lonely)
    y = np.round(rng.normal(50, 9, n), 3)
    y[rng.random(n) < 0.1] = np.nan
    return design, y, rng.uniform(1, 9, n), rng.integers(0, 3, n)


def variants(design, seed):
    """The design as it is, and calibrated in three ways."""
    rng = np.random.default_rng(seed)
    n = design.rows
    group, other = np.arange(n) % 2, (np.arange(n) // 2) % 2
    size = design.weight.sum()
    share = [0.45 * size, 0.55 * size]
    x = np.column_stack([np.ones(n), rng.normal(5, 1, n)])
    near = (design.weight @ x) * np.array([1.02, 1.03])
    yield design
    yield poststratify(design, group, share)
    yield calibrate(design, x, near)
    try:
        yield rake(design, [(group, share), (other, share[::-1])])
    except InferenceError:
        return


@given(samples(), st.sampled_from(["mean", "total", "ratio"]))
@settings(max_examples=60)
def test_the_sparse_path_is_the_plain_formula(made, stat):
    design, y, x, domain = made
    below = x if stat == "ratio" else None
    for each in variants(design, 3):
        e = estimate_domains(each, y, domain, stat=stat, denominator=below)
        for place, label in enumerate(e.domains.tolist()):
            if e.flags["empty"][place, 0]:
                continue
            est, se = plain(each, y, domain == label, stat, below)
            np.testing.assert_allclose(e.est[place, 0], est, rtol=1e-11)
            np.testing.assert_allclose(e.se[place, 0], se, rtol=1e-8, atol=1e-9 * abs(est))


@given(samples())
@settings(max_examples=25)
def test_the_algebra_of_residuals_is_their_dense_form(made):
    from unittest.mock import patch

    design, y, x, domain = made
    both = np.column_stack([y, x])
    for each in variants(design, 4):
        dense = estimate_domains(each, both, domain)
        with patch("gandan.inference.linearisation._DENSE", 0):
            sparse = estimate_domains(each, both, domain)
        np.testing.assert_allclose(sparse.se, dense.se, rtol=1e-7, atol=1e-6)


@given(samples(), st.sampled_from(["mean", "total"]))
@settings(max_examples=25)
def test_order_and_labels_do_not_matter(made, stat):
    design, y, _x, domain = made
    one = estimate_domains(design, y, domain, stat=stat)
    order = np.random.default_rng(1).permutation(design.rows)
    stages = tuple(Stage(stage.unit[order], fpc=stage.fpc[order]) for stage in design.stages)
    other = Design(
        design.weight[order],
        np.array([f"s{9 - code}" for code in design.strata[order]]),
        -design.psu[order],
        None if design.fpc is None else design.fpc[order],
        stages,
        design.lonely,
    )
    two = estimate_domains(other, y[order], np.array(["k", "j", "i"])[domain[order]], stat=stat)
    place = [two.domains.tolist().index("kji"[label]) for label in one.domains]
    for name in ("est", "se", "lo", "hi", "deff", "sum_w"):
        np.testing.assert_allclose(getattr(two, name)[place], getattr(one, name), rtol=1e-9, atol=1e-12)
    assert two.n[place].tolist() == one.n.tolist() and two.n_psu[place].tolist() == one.n_psu.tolist()


@given(samples())
@settings(max_examples=25)
def test_domain_totals_add_up_and_scale(made):
    design, y, _x, domain = made
    parts = estimate_domains(design, y, domain, stat="total")
    whole = estimate_domains(design, y, stat="total")
    np.testing.assert_allclose(np.nansum(parts.est), whole.est[0, 0], rtol=1e-12)
    assert parts.n.sum() == whole.n[0, 0]
    ten = Design(design.weight * 10, design.strata, design.psu, design.fpc, design.stages, design.lonely)
    more = estimate_domains(ten, y, domain, stat="total")
    np.testing.assert_allclose(more.est, parts.est * 10, rtol=1e-12)
    mean, again = (estimate_domains(each, y, domain) for each in (design, ten))
    np.testing.assert_allclose(again.est, mean.est, rtol=1e-12)
    np.testing.assert_allclose(again.se, mean.se, rtol=1e-9, atol=1e-13)


@given(samples(), st.sampled_from(["t", "logit", "asin", "korn"]))
@settings(max_examples=25)
def test_intervals_widen_with_the_level_and_stay_in_range(made, ci):
    design, y, _x, domain = made
    share = np.where(np.isnan(y), np.nan, y > 50)
    ends = [
        estimate_domains(design, share, domain, stat="proportion", ci=ci, level=level) for level in (0.8, 0.9, 0.99)
    ]
    with np.errstate(invalid="ignore"):
        for inner, outer in pairwise(ends):
            # Korn and Graubard's correction by t quantiles can narrow where a domain has fewer rows than the
            # design has degrees of freedom: that is their formula, kept as it is.
            clopper = inner.flags["pooled-deff"] | (ci == "korn")
            known = ~np.isnan(inner.lo) & ~(clopper & (inner.n - 1 < inner.df))
            assert (outer.lo[known] <= inner.lo[known] + 1e-12).all()
            assert (outer.hi[known] >= inner.hi[known] - 1e-12).all()
        if ci != "t":
            assert not (ends[-1].lo < 0).any() and not (ends[-1].hi > 1).any()


@given(samples(), st.sampled_from(["mean", "total", "ratio"]))
@settings(max_examples=25)
def test_the_covariance_of_domains_has_their_variances_and_that_of_their_sum(made, stat):
    design, y, x, domain = made
    below = x if stat == "ratio" else None
    for each in variants(design, 5):
        e = estimate_domains(each, y, domain, stat=stat, denominator=below)
        cov = domain_cov(each, y, domain, stat=stat, denominator=below)
        np.testing.assert_allclose(np.sqrt(np.diag(cov)), e.se[:, 0], rtol=1e-6, atol=1e-7 * np.nanmax(np.abs(e.est)))
        alike = each.lonely == "remove" or not any(level.lonely.any() for level in each.levels)
        if stat == "total" and alike and not np.isnan(cov).any():
            whole = estimate_domains(each, y, stat="total")
            together = contrast(e.est[:, 0], cov, np.ones(e.est.shape[0]), 5)
            np.testing.assert_allclose(together.est, whole.est[0], rtol=1e-11)
            np.testing.assert_allclose(together.se, whole.se[0], rtol=1e-6, atol=1e-7 * abs(whole.est[0, 0]))


def test_cells_that_a_database_grouped_give_the_same(reference):
    t = reference("small.csv")
    design = Design(t["weight"], t["stratum"], t["psu"], t["fpc1"])
    mine = estimate_domains(design, t["x"], t["domain"])
    w, x = t["weight"], t["x"]
    # Cells arrive in any order, and twice when a file is split.
    cells = Cells(t["domain"], t["stratum"], t["psu"], np.ones(25), w, w * x)
    theirs = estimate_cells(cells, {"north": 4, "south": 3, "town": 2}, fpc={"north": 20, "south": 9, "town": 2})
    for name in ("est", "se", "lo", "hi", "df"):
        np.testing.assert_allclose(getattr(theirs, name), getattr(mine, name), rtol=1e-11, atol=1e-14)
    assert theirs.n_psu.tolist() == mine.n_psu.tolist() and theirs.domains.tolist() == ["A", "B", "C"]
    code = {"north": 0, "south": 2, "town": 5}
    numbered = np.array([code[each] for each in t["stratum"].tolist()])
    cells = Cells(t["domain"], numbered, t["psu"], np.ones(25), w, w * x)
    again = estimate_cells(cells, [4, 0, 3, 0, 0, 2], fpc=[20, 0, 9, 0, 0, 2])
    np.testing.assert_allclose(again.se, mine.se, rtol=1e-11, atol=1e-14)
    collapsed = estimate_cells(collapse(design, x, t["domain"]))
    np.testing.assert_array_equal(collapsed.se, mine.se)


def test_a_unit_that_no_cell_names_still_counts():
    cells = Cells([0, 0], [0, 0], [1, 2], [3, 3], [3.0, 3.0], [6.0, 9.0])
    e = estimate_cells(cells, [5], stat="total")
    parts = np.array([6.0, 9.0, 0, 0, 0])
    assert e.se[0, 0] == pytest.approx(math.sqrt(5 / 4 * ((parts - 3) ** 2).sum()))
    assert e.df[0, 0] == 4


def test_a_mean_far_above_its_spread_keeps_its_digits():
    rng = np.random.default_rng(6)
    small = np.round(rng.normal(0, 1, 200), 3)
    design = Design(rng.uniform(1, 9, 200), np.repeat([0, 1], 100))
    far = estimate_domains(design, small + 2.0**33, np.arange(200) % 3)
    near = estimate_domains(design, np.round((small + 2.0**33) - 2.0**33, 9), np.arange(200) % 3)
    np.testing.assert_allclose(far.est - 2.0**33, near.est, atol=3e-6)
    np.testing.assert_allclose(far.se, near.se, rtol=1e-4)
    np.testing.assert_allclose(far.deff, near.deff, rtol=1e-4)


# Domains and edges


def test_a_domain_without_a_row_is_a_line_with_a_flag():
    design = Design(np.ones(6))
    e = estimate_domains(design, [1, 2, 3, 4, 5, np.nan], ["a", "a", "b", "b", "b", "d"], domains=["d", "a", "b", "c"])
    assert e.domains.tolist() == ["d", "a", "b", "c"]
    assert e.est[1:3, 0].tolist() == [1.5, 4.0]
    for place in (0, 3):
        assert np.isnan([e.est[place, 0], e.se[place, 0], e.lo[place, 0], e.hi[place, 0], e.deff[place, 0]]).all()
        assert e.flags[place, 0] == ("empty",)
    assert e.n[:, 0].tolist() == [0, 2, 3, 0]


@pytest.mark.parametrize("domain", [[0, 0, -1, 1], np.array(["a", "a", None, "b"], dtype=object), [0, 0, np.nan, 1]])
def test_a_row_in_no_domain_stays_in_the_design(domain):
    e = estimate_domains(Design(np.ones(4)), [1.0, 3.0, 99.0, 5.0], domain)
    assert e.est[:, 0].tolist() == [2.0, 5.0]
    assert e.df[0, 0] == 3
    assert e.flags[1, 0] == ("one-psu", "zero-variance", "deff-undefined")


def test_a_missing_value_is_a_domain_and_not_a_smaller_sample():
    y = np.array([1.0, 2.0, 3.0, 4.0, np.nan, 6.0])
    e = estimate_domains(Design(np.ones(6), np.repeat([0, 1], 3)), y)
    filled = estimate_domains(Design(np.ones(6), np.repeat([0, 1], 3)), np.nan_to_num(y), ~np.isnan(y))
    assert (e.est[0, 0], e.se[0, 0]) == (filled.est[1, 0], pytest.approx(filled.se[1, 0]))
    assert (e.n[0, 0], e.df[0, 0]) == (5, 4)


def test_variables_with_different_gaps_are_each_estimated_alone(reference):
    t = reference("small.csv")
    design = Design(t["weight"], t["stratum"], t["psu"])
    both = estimate_domains(design, np.column_stack([t["y"], t["x"]]), t["domain"])
    for k, name in enumerate("yx"):
        alone = estimate_domains(design, t[name], t["domain"])
        for field in ("est", "se", "lo", "hi", "deff", "n", "n_psu", "sum_w"):
            np.testing.assert_allclose(getattr(both, field)[:, k], getattr(alone, field)[:, 0], rtol=1e-12)


def test_degrees_of_freedom_are_those_of_the_design_unless_asked():
    design = Design(np.ones(8), np.repeat([0, 1], 4), np.tile([0, 0, 1, 1], 2))
    y, domain = np.arange(8.0), [0, 0, 0, 0, 0, 0, 1, 1]
    assert estimate_domains(design, y, domain).df[:, 0].tolist() == [2, 2]
    narrow = estimate_domains(design, y, domain, df="domain")
    assert narrow.df[:, 0].tolist() == [1, 0]
    assert "few-psu" in narrow.flags[1, 0] and np.isnan(narrow.lo[1, 0]) and not np.isnan(narrow.se[1, 0])
    assert np.isnan(estimate_domains(design, y, domain).lo[1, 0]), "one unit shows no variance between units"
    normal = estimate_domains(design, y, domain, df=math.inf)
    np.testing.assert_allclose((normal.hi - normal.est)[0], 1.959963984540054 * normal.se[0])


def test_two_groups_of_one_unit_each_have_no_interval():
    design = Design(np.ones(2), [0, 1], lonely="remove")
    e = estimate_domains(design, [1.0, 2.0])
    assert e.flags[0, 0] == ("zero-variance", "few-psu", "deff-undefined")
    assert np.isnan([e.lo[0, 0], e.hi[0, 0]]).all()


@pytest.mark.parametrize("ci", [None, "t", "logit", "asin", "korn"])
def test_a_share_of_nothing_or_all_is_never_certain(ci):
    rng = np.random.default_rng(2)
    domain = np.repeat([0, 1, 2, 3], 30)
    y = (rng.random(120) < 0.8).astype(float)
    y[domain == 1], y[domain == 2] = 1.0, 0.0
    e = estimate_domains(Design(rng.uniform(1, 3, 120)), y, domain, stat="proportion", ci=ci)
    assert e.flags[1, 0] == e.flags[2, 0] == ("zero-variance", "deff-undefined", "pooled-deff")
    assert e.hi[1, 0] == 1.0 and 0.8 < e.lo[1, 0] < 0.95
    assert e.lo[2, 0] == 0.0 and 0.05 < e.hi[2, 0] < 0.2
    assert e.flags[0, 0] == ()


def test_one_answer_alone_is_a_share_with_almost_no_news():
    e = estimate_domains(Design(np.ones(3)), [1, 0, 0], [1, 0, 0], stat="proportion")
    assert e.est[1, 0] == 1.0
    assert 0 < e.lo[1, 0] < 0.1 and e.hi[1, 0] == 1.0


def test_a_domain_in_one_unit_is_not_certain_unless_all_were_asked():
    stratum, unit = np.repeat([0, 1], 4), np.tile([0, 0, 1, 1], 2)
    y, domain = np.array([1.0, 0, 1, 1, 0, 1, 0, 0]), [0, 0, 1, 1, 1, 1, 1, 1]
    sample, census = Design(np.ones(8), stratum, unit), Design(np.ones(8), stratum, unit, fpc=2)
    mean, share = (estimate_domains(sample, y, domain, stat=stat) for stat in ("mean", "proportion"))
    assert np.isnan([mean.lo[0, 0], mean.hi[0, 0]]).all()
    assert share.est[0, 0] == 0.5 and share.lo[0, 0] < 0.2 and share.hi[0, 0] > 0.8
    assert {"one-psu", "zero-variance", "pooled-deff"} <= set(share.flags[0, 0])
    mean = estimate_domains(census, y, domain)
    assert (mean.lo[:, 0] == mean.est[:, 0]).all() and (mean.hi[:, 0] == mean.est[:, 0]).all()


@pytest.mark.parametrize("ci", [None, "t", "logit", "asin", "korn"])
@pytest.mark.parametrize("weight", [1.0, 1 / 3])
def test_units_that_agree_by_chance_do_not_make_a_share_certain(ci, weight):
    unit = np.repeat(np.arange(10), 6)
    y = np.tile([1.0, 0, 0, 1, 1, 0], 10)
    e = estimate_domains(Design(np.full(60, weight), psu=unit), y, stat="proportion", ci=ci)
    assert e.est[0, 0] == pytest.approx(0.5) and e.se[0, 0] < 1e-12
    assert {"zero-variance", "pooled-deff"} <= set(e.flags[0, 0])
    # 60 answers, less Korn and Graubard's correction for nine degrees of freedom: about 47.
    assert 0.3 < e.lo[0, 0] < 0.4 and 0.6 < e.hi[0, 0] < 0.7
    few = estimate_domains(Design([1.0] * 4, psu=[0, 0, 1, 1]), [1, 0, 1, 0], stat="proportion", ci=ci)
    assert few.lo[0, 0] < 0.1 and few.hi[0, 0] > 0.9


def test_a_share_that_agrees_has_the_design_effect_of_the_others():
    rng = np.random.default_rng(1)
    unit, domain = np.repeat(np.arange(40), 10), np.repeat([0, 1], 200)
    share = np.where(domain == 1, rng.uniform(0.1, 0.9, 40)[unit], 0.5)
    y = np.where(domain == 1, rng.random(400) < share, np.arange(400) % 2)
    both = estimate_domains(Design(np.ones(400), psu=unit), y, domain, stat="proportion")
    alone = estimate_domains(Design(np.ones(200), psu=unit[:200]), y[:200], stat="proportion", df=39)
    assert both.deff_replace[1, 0] > 2
    assert "pooled-deff" in both.flags[0, 0] and "pooled-deff" not in both.flags[1, 0]
    assert both.hi[0, 0] - both.lo[0, 0] > 1.3 * (alone.hi[0, 0] - alone.lo[0, 0])


def test_a_share_that_is_known_has_no_width():
    unit, y = np.repeat(np.arange(10), 6), np.tile([1.0, 0, 0, 1, 1, 0], 10)
    census = estimate_domains(Design(np.ones(60), psu=unit, fpc=10), y, stat="proportion")
    assert census.lo[0, 0] == census.hi[0, 0] == 0.5
    rng = np.random.default_rng(0)
    woman = (rng.random(60) < 0.4).astype(float)
    design = Design(rng.uniform(1, 3, 60), psu=unit)
    for made in (
        poststratify(design, woman, [50, 70]),
        calibrate(design, np.column_stack([woman, 1 - woman]), [70, 50]),
    ):
        fixed = estimate_domains(made, np.column_stack([woman, y]), stat="proportion")
        np.testing.assert_allclose([fixed.lo[0, 0], fixed.hi[0, 0]], 70 / 120, atol=1e-9)
        assert "pooled-deff" not in fixed.flags[0, 0]
    # Known as to the number of people, and nothing of them: the agreement is chance again.
    counted = poststratify(Design(np.ones(60), psu=unit), np.zeros(60), [600])
    e = estimate_domains(counted, y, stat="proportion")
    assert e.se[0, 0] < 1e-12 and e.lo[0, 0] < 0.4 < 0.6 < e.hi[0, 0]


def test_a_ratio_over_nothing_is_flagged():
    e = estimate_domains(Design(np.ones(4)), [1, 2, 3, 4], [0, 0, 1, 1], stat="ratio", denominator=[0, 0, 1, 1])
    assert e.flags[0, 0] == ("zero-denominator",) and np.isnan(e.est[0, 0])
    assert e.est[1, 0] == 3.5


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda d: estimate_domains(d, [1, 2, 3]), "length-mismatch"),
        (lambda d: estimate_domains(d, [1, 2, np.inf, 4]), "not-finite"),
        (lambda d: estimate_domains(d, ["a", "b", "c", "d"]), "not-numbers"),
        (lambda d: estimate_domains(d, np.ones(4), [1, 2]), "length-mismatch"),
        (lambda d: estimate_domains(d, np.ones(4), [0, 1, 2, 3], domains=[0, 1, 2]), "domain-unknown"),
        (lambda d: estimate_domains(d, np.ones(4), [-1, -1, -1, -1]), "empty-data"),
        (lambda d: estimate_domains(d, np.ones(4), stat="median"), "option-unknown"),
        (lambda d: estimate_domains(d, np.ones(4), stat="ratio"), "option-unknown"),
        (lambda d: estimate_domains(d, np.ones(4), denominator=np.ones(4)), "option-unknown"),
        (lambda d: estimate_domains(d, np.ones(4), stat="ratio", denominator=[1, np.inf, 1, 1]), "not-finite"),
        (lambda d: estimate_domains(d, np.ones(4), ci="wald"), "option-unknown"),
        (lambda d: estimate_domains(d, np.ones(4), level=95), "level-out-of-range"),
        (lambda d: estimate_domains(d, np.ones(4), df="satterthwaite"), "option-unknown"),
        (lambda d: estimate_domains(d, [0, 1, 2, 0], stat="proportion"), "not-a-proportion"),
        (lambda d: domain_cov(d, np.ones((4, 2))), "length-mismatch"),
        (lambda d: contrast([1, 2], np.eye(2), [1, 1, 1], 3), "length-mismatch"),
        (lambda d: quantiles(d, np.ones(4), 1.5), "level-out-of-range"),
        (lambda d: quantiles(d, np.ones(4), 0.5, rule="hf6"), "option-unknown"),
        (lambda d: quantiles(d, [1, 2, np.inf, 3], 0.5), "not-finite"),
        (lambda d: estimate_cells(Cells([0], [0], [0], [1], [1.0], [1.0])), "length-mismatch"),
        (lambda d: estimate_cells(Cells([], [], [], [], [], []), [2]), "empty-data"),
        (lambda d: estimate_cells(Cells([0], [7], [0], [1], [1.0], [1.0]), [2]), "stratum-unknown"),
        (
            lambda d: estimate_cells(Cells([0, 0], [0, 0], [0, 1], [1, 1], [1, 1], [1, 1]), [1]),
            "fpc-smaller-than-sample",
        ),
        (lambda d: estimate_cells(Cells([0], [0], [0], [1], [1.0], [1.0]), [2], fpc=[1]), "fpc-smaller-than-sample"),
        (lambda d: brewer_variance([1, 2], [0.5, 0]), "probability-out-of-range"),
        (lambda d: brewer_variance([1.0], [0.5]), "lonely-psu"),
        (lambda d: yates_grundy_variance([1, 2], np.ones(2)), "length-mismatch"),
    ],
)
def test_a_faulty_question_is_refused_with_its_cause(call, code):
    with pytest.raises(InferenceError) as refused:
        call(Design(np.ones(4)))
    assert refused.value.code == code


def test_more_domains_than_a_covariance_holds_are_refused():
    with pytest.raises(InferenceError, match="too-many-domains: 501"):
        domain_cov(Design(np.ones(501)), np.ones(501), np.arange(501))


# Quantiles


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), min_size=1, max_size=30), st.floats(0, 1))
def test_a_weight_of_three_is_three_rows(rows, p):
    value, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    repeated = np.repeat(value, weight.astype(int))
    design, plainly = Design(np.append(weight, 1e-9)), Design(np.ones(repeated.size + 1))
    gap = np.nan
    for rule, method in (("math", "inverted_cdf"), ("school", "averaged_inverted_cdf")):
        one = quantiles(design, np.append(value, gap), p, rule=rule).est[0, 0]
        two = quantiles(plainly, np.append(repeated, gap), p, rule=rule).est[0, 0]
        assert one == two
        steps = p * repeated.size
        if abs(steps - round(steps)) > 1e-6:
            assert one == np.quantile(repeated, p, method=method)


def test_quantiles_of_equal_weights_are_hyndman_and_fans_seventh():
    y = np.random.default_rng(3).normal(size=41)
    p = np.linspace(0, 1, 17)
    np.testing.assert_allclose(quantiles(Design(np.ones(41)), y, p, rule="hf7").est[0], np.quantile(y, p), rtol=1e-12)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), min_size=2, max_size=12),
    st.randoms(use_true_random=False),
    st.sampled_from(["math", "school", "hf7"]),
)
def test_the_order_of_rows_never_matters_to_a_quantile(rows, rng, rule):
    p = [0.1, 0.25, 0.5, 0.8, 1]
    shuffled = rng.sample(rows, len(rows))
    one, two = (
        quantiles(Design(np.array([w for _, w in each], dtype=float)), [v for v, _ in each], p, rule=rule)
        for each in (rows, shuffled)
    )
    np.testing.assert_array_equal(one.est, two.est)


def test_equal_values_stand_in_the_order_of_their_weights():
    y, w = np.array([0.0, 0, 10, 20]), np.array([1.0, 9, 2, 1])
    for order in ([0, 1, 2, 3], [1, 0, 2, 3]):
        found = quantiles(Design(w[order]), y[order], [0.5, 0.8], rule="hf7").est[0]
        # By hand: p_k = 0, 1/12, 10/12, 1 at 0, 0, 10, 20. R gives the same for rows sorted by value and weight.
        np.testing.assert_allclose(found, [50 / 9, 86 / 9], rtol=1e-12)


def test_quantiles_of_domains_are_those_of_each_alone(reference):
    t = reference("small.csv")
    design = Design(t["weight"], t["stratum"], t["psu"])
    found = quantiles(design, t["y"], [0.25, 0.5], t["domain"], domains=["A", "B", "C", "D"])
    for place, label in enumerate("AB"):
        alone = quantiles(design, np.where(t["domain"] == label, t["y"], np.nan), [0.25, 0.5])
        np.testing.assert_allclose(found.est[place], alone.est[0])
        np.testing.assert_allclose(found.lo[place], alone.lo[0])
    assert found.n.tolist() == [14, 8, 1, 0]
    assert found.flags[3, 0] == ("empty",) and np.isnan(found.est[3]).all()


# Unequal probabilities


def test_all_forms_agree_for_equal_probabilities():
    rng = np.random.default_rng(1)
    z, n, total = rng.normal(9, 2, 6), 6, 20
    joint = np.full((n, n), n * (n - 1) / (total * (total - 1)))
    np.fill_diagonal(joint, n / total)
    expected = estimate_domains(Design(np.full(n, total / n), fpc=total), z, stat="total").se[0, 0] ** 2
    for found in (
        brewer_variance(z, np.full(n, n / total)),
        horvitz_thompson_variance(z, joint),
        yates_grundy_variance(z, joint),
    ):
        assert found == pytest.approx(expected)


def test_the_exact_forms_are_unbiased_over_all_samples():
    y, size = np.array([1.0, 4.0, 2.0, 9.0]), np.array([1.0, 2.0, 3.0, 4.0])
    pairs = list(combinations(range(4), 2))
    chance = np.array([size[a] * size[b] for a, b in pairs])
    chance = chance / chance.sum()
    joint = np.zeros((4, 4))
    for (a, b), p in zip(pairs, chance, strict=True):
        joint[a, b] = joint[b, a] = p
    pi = joint.sum(axis=1)
    np.fill_diagonal(joint, pi)
    totals = np.array([y[[a, b]] @ (1 / pi[[a, b]]) for a, b in pairs])
    true = chance @ (totals - y.sum()) ** 2
    for form in (horvitz_thompson_variance, yates_grundy_variance):
        mean = sum(p * form(y[[a, b]], joint[np.ix_([a, b], [a, b])]) for (a, b), p in zip(pairs, chance, strict=True))
        assert mean == pytest.approx(true)


def test_certainty_adds_nothing():
    assert brewer_variance([5.0, 1.0, 2.0], [1.0, 0.5, 0.5], ["a", "b", "b"]) == pytest.approx(2 * 0.5 * (1 + 1))
