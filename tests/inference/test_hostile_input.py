"""Bad input of functions beside the estimates: a right answer, or an error that names the cause."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from gandan.inference import (
    calibration,
    composite,
    disclosure,
    errors,
    estimates,
    ranking,
    replicates,
    sampling,
    small_area,
)
from gandan.inference.design import Design, Stage
from gandan.inference.errors import SENTENCES, InferenceError

pytestmark = pytest.mark.agnostic

ROWS = 12
NAN = float("nan")


def plain() -> Design:
    return Design(np.full(ROWS, 2.0), np.repeat([0, 1], 6), np.tile(np.arange(6), 2))


def grouped(w=(1.0, 1.0), wy=(1.0, 1.0), spread=None, stratum_n=(2,), **options):
    """Estimate from two cells of one stratum, as a database might have grouped them."""
    cells = estimates.Cells([0, 0], [0, 0], [0, 1], [1, 1], w, wy, spread=spread)
    return estimates.estimate_cells(cells, stratum_n, **options)


REFUSED = {
    "strata of another length": (lambda: estimates.brewer_variance([1, 2, 3], [0.5] * 3, [1, 1]), "length-mismatch"),
    "a missing stratum": (lambda: estimates.brewer_variance([1, 2], [0.5] * 2, [1.0, NAN]), "missing-code"),
    "a pair likelier than its member": (
        lambda: estimates.yates_grundy_variance([3, 1], [[0.5, 0.9], [0.9, 0.5]]),
        "probability-out-of-range",
    ),
    "a weight that is not a number": (lambda: calibration.kish([NAN, 1]), "weight-not-positive"),
    "weights of nothing": (lambda: calibration.kish([0.0, 0.0]), "weight-not-positive"),
    "a contrast without degrees of freedom": (lambda: estimates.contrast([1, 2], [1, 1], [1, -1], 0), "option-unknown"),
    "a contrast of unknown freedom": (lambda: estimates.contrast([1, 2], [1, 1], [1, -1], NAN), "option-unknown"),
    "a contrast with a missing factor": (lambda: estimates.contrast([1, 2], [1, 1], [NAN, -1], 5), "not-finite"),
    "a negative variance": (
        lambda: estimates.contrast([1, 2], [[-1, 0], [0, 1]], [1, -1], 5),
        "covariance-not-psd",
    ),
    "a covariance that is missing between two estimates": (
        lambda: estimates.contrast([1, 2], [[1, NAN], [NAN, 1]], [1, -1], 5),
        "not-finite",
    ),
    "a negative standard error": (lambda: estimates.contrast([1, 2], [-1, 1], [1, -1], 5), "covariance-not-psd"),
    "a domain listed twice": (
        lambda: estimates.estimate_domains(plain(), np.arange(ROWS), np.repeat([0, 1], 6), domains=[0, 0, 1]),
        "domain-listed-twice",
    ),
    "values whose squares are beyond numbers": (
        lambda: estimates.estimate_domains(plain(), 1e200 * np.arange(ROWS)),
        "not-finite",
    ),
    "unknown degrees of freedom": (
        lambda: estimates.estimate_domains(plain(), np.arange(ROWS), df=NAN),
        "option-unknown",
    ),
    "a missing sum among cells": (lambda: grouped(wy=[NAN, 1.0]), "not-finite"),
    "an infinite weight among cells": (lambda: grouped(w=[math.inf, 1.0]), "not-finite"),
    "half a unit in a stratum": (lambda: grouped(stratum_n=[2.5]), "not-a-count"),
    "no unit in a stratum": (lambda: grouped(stratum_n={0: 0}), "not-a-count"),
    "a stratum without its population": (lambda: grouped(fpc={1: 9}), "stratum-unknown"),
    "a population that is missing": (lambda: grouped(fpc=[NAN]), "not-finite"),
    "a spread of another shape": (lambda: grouped(spread=[1.0, 2, 3]), "length-mismatch"),
    "an unheard-of rule for lonely units": (lambda: grouped(lonely="merge"), "option-unknown"),
    "half a place among the best": (lambda: ranking.tau_best([1.0, 2], [1.0, 1], 1.5, seed=1), "tau-out-of-range"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_by_name(case):
    act, code = REFUSED[case]
    with pytest.raises(InferenceError) as caught:
        act()
    assert caught.value.code == code


def test_a_contrast_of_equal_certainties_shows_no_difference():
    told = estimates.contrast([1, 1], [0, 0], [1, -1], math.inf)
    assert (told.t[0], told.p_value[0], told.lo[0], told.hi[0]) == (0.0, 1.0, 0.0, 0.0)


def test_quantiles_of_missing_values_are_flagged_empty():
    told = estimates.quantiles(plain(), np.full(ROWS, NAN), [0.5])
    assert np.isnan(told.est).all() and told.flags["empty"].all()


@pytest.mark.parametrize("columns", [np.empty((ROWS, 0)), np.zeros((ROWS, 1))])
def test_calibration_to_nothing_leaves_the_weights(columns):
    told = calibration.calibrate(plain(), columns, np.zeros(columns.shape[1]))
    assert np.array_equal(told.weight, plain().weight)


def test_an_interval_for_proportions_around_a_mean_above_one_is_flagged():
    told = estimates.estimate_domains(plain(), np.arange(ROWS), ci="logit")
    assert np.isnan(told.lo).all() and told.flags["interval-undefined"].all()
    assert "interval-undefined" not in estimates.estimate_domains(plain(), np.arange(ROWS)).flags


# Nothing that can be handed over ends in a foreign error, a warning, or a number that is silently missing

NASTY = {
    "nothing": [],
    "None": None,
    "a number": 3.0,
    "missing": [NAN] * ROWS,
    "one missing": [NAN] + [1.0] * (ROWS - 1),
    "one infinite": [math.inf] + [1.0] * (ROWS - 1),
    "a text": ["a"] * ROWS,
    "Nones": [None] * ROWS,
    "objects": np.array([object()] * ROWS),
    "a ragged list": [[1], [2, 3]],
    "complex numbers": np.array([1j] * ROWS),
    "a text among numbers": [1, "a", None] * 4,
    "dates": np.arange(ROWS).astype("M8[D]"),
    "a cube": np.ones((ROWS, 2, 2)),
    "no column": np.empty((ROWS, 0)),
    "numbers without squares": [1e300] * ROWS,
    "numbers whose squares vanish": [1e-300] * ROWS,
    "below zero": [-1.0] * ROWS,
    "zeros": [0.0] * ROWS,
    "integers beyond all": [10**30] * ROWS,
    "truths": [True] * ROWS,
    "a masked array": np.ma.masked_array(np.arange(1.0, ROWS + 1), mask=[1] + [0] * (ROWS - 1)),
}

X, ONES = np.arange(1.0, ROWS + 1), np.ones(ROWS)
HALVES = np.repeat([0, 1], 6)
JACKKNIFE = replicates.replicate_factors(plain(), "jkn")
PAIRED = Design(2 * ONES, np.repeat(range(6), 2))
ASKED = {
    "weight": lambda v: estimates.estimate_domains(Design(v, HALVES), X),
    "strata": lambda v: estimates.estimate_domains(Design(ONES, v, lonely="remove"), X),
    "psu": lambda v: estimates.estimate_domains(Design(ONES, HALVES, v, lonely="remove"), X),
    "fpc": lambda v: estimates.estimate_domains(Design(ONES, HALVES, fpc=v), X),
    "stage": lambda v: estimates.estimate_domains(Design(ONES, psu=HALVES, fpc=9, stages=(Stage(v, fpc=20),)), X),
    "y": lambda v: estimates.estimate_domains(plain(), v),
    "y of a total": lambda v: estimates.estimate_domains(plain(), v, stat="total"),
    "y of a proportion": lambda v: estimates.estimate_domains(plain(), v, stat="proportion"),
    "domain": lambda v: estimates.estimate_domains(plain(), X, v),
    "domains": lambda v: estimates.estimate_domains(plain(), X, HALVES, domains=v),
    "denominator": lambda v: estimates.estimate_domains(plain(), X, stat="ratio", denominator=v),
    "level": lambda v: estimates.estimate_domains(plain(), X, level=v),
    "df": lambda v: estimates.estimate_domains(plain(), X, df=v),
    "p": lambda v: estimates.quantiles(plain(), X, v),
    "y of quantiles": lambda v: estimates.quantiles(plain(), v, 0.5),
    "contrasted estimates": lambda v: estimates.contrast(v, ONES, ONES, 5),
    "contrasted errors": lambda v: estimates.contrast(X, v, ONES, 5),
    "contrast": lambda v: estimates.contrast(X, ONES, v, 5),
    "contrast's freedom": lambda v: estimates.contrast(X, ONES, ONES, v),
    "probability": lambda v: estimates.brewer_variance(X, v),
    "joint": lambda v: estimates.yates_grundy_variance(X, v),
    "cell": lambda v: calibration.poststratify(plain(), v, [24.0]),
    "cell totals": lambda v: calibration.poststratify(plain(), HALVES, v),
    "margins": lambda v: calibration.rake(plain(), v),
    "margin totals": lambda v: calibration.rake(plain(), [(HALVES, v)]),
    "auxiliary": lambda v: calibration.calibrate(plain(), v, [24.0]),
    "totals": lambda v: calibration.calibrate(plain(), np.column_stack([ONES, X]), v, "raking"),
    "bounds": lambda v: calibration.calibrate(plain(), ONES, [25.0], "logit", v),
    "cap": lambda v: calibration.trim(plain(), v),
    "kish": calibration.kish,
    "replicates": lambda v: replicates.replicate_weights(plain(), "rao-wu", v, np.random.default_rng(1)),
    "replicate weights": lambda v: replicates.Replicates(v, 1.0, 1.0).df,
    "rscales": lambda v: replicates.Replicates(np.ones((ROWS, 3)), 1.0, v),
    "scale": lambda v: replicates.Replicates(np.ones((ROWS, 3)), v, 1.0),
    "rho": lambda v: replicates.replicate_weights(PAIRED, "fay", rho=v),
    "hadamard": lambda v: replicates.replicate_weights(PAIRED, "brr", hadamard=v),
    "replicated": lambda v: replicates.replicate_domains(plain(), v, HALVES, JACKKNIFE),
    "direct": lambda v: small_area.fay_herriot(v, ONES, ONES),
    "columns": lambda v: small_area.fay_herriot(X, v, ONES),
    "variance": lambda v: small_area.fay_herriot(X, ONES, v),
    "columns outside": lambda v: small_area.fay_herriot(X, ONES, ONES, X_out=v),
    "smoothed n": lambda v: small_area.smooth_variances(0.5, v),
    "smoothed p": lambda v: small_area.smooth_variances(v, 9 * ONES),
    "pooled": lambda v: small_area.pool_deff(v, 9 * ONES),
    "fitted": lambda v: small_area.fit_variances(v, 9 + X, 0.5),
    "benchmark share": lambda v: small_area.benchmark(small_area.fay_herriot(X, ONES, ONES), v, 5.0),
    "benchmark target": lambda v: small_area.benchmark(small_area.fay_herriot(X, ONES, ONES), ONES / ROWS, v),
    "ranked": lambda v: ranking.rank_sets(v, ONES, seed=1, draws=200),
    "rank errors": lambda v: ranking.rank_sets(X, v, seed=1, draws=200),
    "rank units": lambda v: ranking.rank_sets(X, ONES, units=v, seed=1, draws=200),
    "rank seed": lambda v: ranking.rank_sets(X, ONES, seed=v, draws=200),
    "draws": lambda v: ranking.rank_sets(X, ONES, seed=1, draws=v),
    "marginal errors": lambda v: ranking.marginal_rank_sets(X, v),
    "tau": lambda v: ranking.tau_best(X, ONES, v, seed=1, draws=200),
    "counts": ranking.rank_sets_multinomial,
    "joint errors": lambda v: ranking.joint_rank_region(X, v),
    "decimals": lambda v: ranking.joint_rank_region(X, ONES, decimals=v),
    "tier errors": lambda v: ranking.tiers(X, v, 3.0),
    "reference": lambda v: ranking.tiers(X, ONES, v),
    "share": lambda v: ranking.tiers(X, ONES, "mean", share=v),
    "size": lambda v: sampling.allocate(v, 50 * ONES),
    "population": lambda v: sampling.allocate(60, v),
    "spread": lambda v: sampling.allocate(60, 50 * ONES, "neyman", spread=v),
    "minimum": lambda v: sampling.allocate(60, 50 * ONES, minimum=v),
    "margin of error": lambda v: sampling.sample_size(0.5, v),
    "response": lambda v: sampling.sample_size(0.5, 0.05, response=v),
    "take": lambda v: sampling.cluster_take(v, 1.0, 0.05),
    "ids": lambda v: sampling.select(v, 3, seed=1),
    "n": lambda v: sampling.select(np.arange(ROWS), v, seed=1),
    "seed": lambda v: sampling.select(np.arange(ROWS), 3, seed=v),
    "sizes": lambda v: sampling.select(np.arange(ROWS), 3, seed=1, method="pps", size=v),
    "frame strata": lambda v: sampling.select(np.arange(ROWS), 1, seed=1, strata=v),
    "planned mean": lambda v: sampling.plan_separation(v, 0.04, 100, 1.5, 5, 5, seed=1),
    "planned units": lambda v: sampling.plan_separation(0.9, 0.04, 100, 1.5, v, 5, seed=1),
    "budget": lambda v: sampling.plan_budget(
        v, cost_interview=1, mean=0.9, sd_between=0.04, units=5, reps=5, seed=1, multiples=(1,)
    ),
    "critical": lambda v: sampling.marginal_critical(v, 0.95),
    "criteria": lambda v: composite.compose(v, np.ones((ROWS, 2)), [1, 1]),
    "criteria errors": lambda v: composite.compose(np.ones((ROWS, 2)), v, [1, 1]),
    "criteria weights": lambda v: composite.compose(np.ones((3, ROWS)), np.ones((3, ROWS)), v),
    "goalposts": lambda v: composite.compose(np.ones((3, 2)), np.ones((3, 2)), [1, 1], goalposts=v),
    "published": disclosure.publishable,
    "rounded": disclosure.rounded,
}


def missing_numbers(found):
    """The names of fields of a result, at any depth, that hold NaN."""
    if isinstance(found, np.ndarray):
        return [""] if found.dtype.kind == "f" and np.isnan(found).any() else []
    if isinstance(found, float):
        return [""] if math.isnan(found) else []
    if isinstance(found, tuple):
        return [name for each in found for name in missing_numbers(each)]
    names = getattr(type(found), "__dataclass_fields__", ()) if not isinstance(found, Design) else ("weight",)
    return [name for name in names if missing_numbers(getattr(found, name))]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.filterwarnings("error")
def test_whatever_is_given_is_answered_or_refused_by_name(asked):
    for name, given in NASTY.items():
        try:
            found = ASKED[asked](given)
        except InferenceError as error:
            assert error.code in SENTENCES, error.code
            assert str(error) == f"{error.code}: {SENTENCES[error.code].format(**error.facts)}", name
            continue
        if missing_numbers(found):
            assert found.flags.bits.any(), f"{name} gives NaN without a flag"


LAYOUTS = {
    "short integers": lambda a: a.astype(np.int8),
    "unsigned": lambda a: a.astype(np.uint64),
    "half as wide": lambda a: a.astype(np.float32),
    "every second of twice as many": lambda a: np.repeat(a, 2)[::2],
    "backwards twice": lambda a: a[::-1].copy()[::-1],
    "a column of a table": lambda a: np.asfortranarray(np.column_stack([a, a]))[:, 0],
    "a list": lambda a: a.tolist(),
    "objects": lambda a: a.astype(object),
    "a column that only offers its array": lambda a: type("Column", (), {"__array__": lambda self, *_, **__: a})(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_type_and_layout_of_numbers_and_codes_do_not_matter(layout):
    y, weight, strata, domain = X, 1 + np.arange(ROWS) % 3, HALVES, np.arange(ROWS) % 2
    expected = estimates.estimate_domains(Design(weight, strata), y, domain)
    given = [LAYOUTS[layout](each) for each in (weight, strata, y, domain)]
    found = estimates.estimate_domains(Design(given[0], given[1]), given[2], given[3])
    for name in ("est", "se", "lo", "hi", "deff"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-14)
    assert found.domains.tolist() == expected.domains.tolist()


def test_codes_may_be_huge_and_far_apart():
    domain = np.array([0, 2**62, 7] * 4)
    small = estimates.estimate_domains(plain(), X, np.array([0, 2, 1] * 4))
    large = estimates.estimate_domains(plain(), X, domain)
    assert large.domains.tolist() == [0, 7, 2**62]
    np.testing.assert_array_equal(large.est, small.est)
    far = Design(2 * ONES, np.where(HALVES, 2**63 - 1, -(2**63)), np.tile(np.arange(6), 2) * 10**17)
    np.testing.assert_array_equal(estimates.estimate_domains(far, X).se, estimates.estimate_domains(plain(), X).se)


@pytest.mark.parametrize("factor", [1e-140, 1e-30, 1e30, 1e140])
def test_the_unit_of_measurement_may_be_extreme(factor):
    plainly, extreme = (estimates.estimate_domains(plain(), f * X, HALVES) for f in (1.0, factor))
    for name in ("est", "se", "lo", "hi"):
        np.testing.assert_allclose(getattr(extreme, name), factor * getattr(plainly, name), rtol=1e-12)
    direct = np.array([3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8])
    fits = [small_area.fay_herriot(f * direct, ONES, f**2 * ONES) for f in (1.0, np.sqrt(factor))]
    np.testing.assert_allclose(fits[1].est, np.sqrt(factor) * fits[0].est, rtol=1e-10)


def test_every_error_that_the_package_raises_has_a_sentence():
    source = "".join(path.read_text(encoding="utf-8") for path in Path(errors.__file__).parent.glob("*.py"))
    raised = set(re.findall(r'InferenceError\(\s*"([a-z-]+)"', source))
    assert raised <= SENTENCES.keys()
    assert len(raised) > 40
