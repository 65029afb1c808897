"""Replicates give the variances of the reference software, and those of the formula where both are exact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandan.inference.calibration import calibrate, poststratify, trim
from gandan.inference.design import Design
from gandan.inference.errors import InferenceError
from gandan.inference.estimates import estimate_domains
from gandan.inference.replicates import (
    Replicates,
    replicate_domains,
    replicate_estimate,
    replicate_factors,
    replicate_weights,
)

pytestmark = pytest.mark.agnostic


def ratio(t, keep):
    y, x = t["y"][keep], t["x"][keep]
    return lambda w: [(w @ y) / (w @ x), w @ x]


def sample(t, keep, *, strata=True, fpc=False):
    return Design(
        t["weight"][keep],
        t["stratum"][keep] if strata else None,
        t["psu"][keep],
        t["fpc1"][keep] if fpc else None,
    )


def some(t, which):
    present, stratum, psu = ~np.isnan(t["y"]), t["stratum"], t["psu"]
    if which == "north":
        return present & (stratum == "north")
    if which == "pairs":
        return present & (((stratum != "town") & (psu < 3)) | (stratum == "town"))
    return present


HADAMARD = np.array([[1, 1, 1, 1], [1, 0, 1, 0], [1, 1, 0, 0], [1, 0, 0, 1]]).T
CASES = {
    "jk1": ("north", "jk1", {"strata": False}, {}),
    "jk1-fpc": ("north", "jk1", {"strata": False, "fpc": True}, {}),
    "jkn": ("all", "jkn", {}, {}),
    "jkn-fpc": ("all", "jkn", {"fpc": True}, {}),
    "brr": ("pairs", "brr", {}, {"hadamard": HADAMARD}),
    "fay": ("pairs", "fay", {}, {"rho": 0.3, "hadamard": HADAMARD}),
}


@pytest.mark.parametrize(("case", "centre"), [(case, centre) for case in CASES for centre in ("mean", "estimate")])
def test_replicates_agree_with_the_reference_software(reference, case, centre):
    t, figures = reference("small.csv"), reference("small.json")
    which, kind, how, options = CASES[case]
    keep = some(t, which)
    design = sample(t, keep, **how)
    replicates = replicate_weights(design, kind, centre=centre, **options)
    theta, cov = replicate_estimate(ratio(t, keep), design.weight, replicates)
    est, se_ratio, se_total, df = figures[f"rep-{case}/{centre}"]
    assert theta[0] == pytest.approx(est, rel=1e-12)
    assert replicates.df == df or case == "jkn-fpc"
    found = np.sqrt(np.diag(cov))
    np.testing.assert_allclose(found[0], se_ratio, rtol=1e-9)
    if case != "jkn-fpc" or centre == "mean":
        np.testing.assert_allclose(found[1], se_total, rtol=1e-9)


def test_calibrated_replicates_agree_with_the_reference_software(reference):
    t, figures = reference("small.csv"), reference("small.json")
    keep = some(t, "all")
    x = np.column_stack([np.ones(keep.sum()), t["kind"][keep] == "k2", t["x"][keep]])
    design = calibrate(sample(t, keep), x, [230, 115, 2500])
    replicates = replicate_weights(design, "jkn")
    theta, cov = replicate_estimate(lambda w: w @ t["y"][keep], design.weight, replicates)
    np.testing.assert_allclose([theta[0], cov[0, 0] ** 0.5], figures["rep-jkn-calibrated"], rtol=1e-9)
    np.testing.assert_allclose(x.T @ replicates.weights, np.tile([[230.0], [115.0], [2500.0]], 9), rtol=1e-11)


@st.composite
def paired(draw):
    """A stratified sample with two units in each stratum and some rows in each unit."""
    strata = draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = [(h, c) for h in range(strata) for c in range(2) for _ in range(rng.integers(1, 4))]
    stratum, psu = np.array(rows).T
    return Design(rng.uniform(1, 9, len(rows)), stratum, psu), rng.normal(5, 2, len(rows))


@given(paired(), st.sampled_from(["jkn", "brr", "fay"]))
def test_balanced_replicates_of_a_total_are_the_formula(made, kind):
    design, y = made
    replicates = replicate_weights(design, kind)
    _, cov = replicate_estimate(lambda w: w @ y, design.weight, replicates)
    se = estimate_domains(design, y, stat="total").se[0, 0]
    assert cov[0, 0] ** 0.5 == pytest.approx(se, rel=1e-9)
    assert (replicates.weights @ np.ones(replicates.weights.shape[1])).shape == (y.size,)


@pytest.mark.parametrize("kind", ["rao-wu", "bootstrap"])
@pytest.mark.parametrize("fpc", [None, 12.0])
def test_bootstraps_of_a_total_are_the_formula_on_average(kind, fpc):
    rng = np.random.default_rng(4)
    stratum = np.repeat([0, 1, 2], [4, 6, 2])
    design = Design(rng.uniform(1, 5, 12), stratum, fpc=None if fpc is None else np.full(12, fpc))
    y = rng.normal(10, 3, 12)
    replicates = replicate_weights(design, kind, 20_000, np.random.default_rng(1))
    _, cov = replicate_estimate(lambda w: w @ y, design.weight, replicates)
    se = estimate_domains(design, y, stat="total").se[0, 0]
    assert cov[0, 0] ** 0.5 == pytest.approx(se, rel=0.03)
    assert replicates.scale == 1 / 19_999


def test_the_same_seed_gives_the_same_replicates():
    design = Design(np.ones(6), np.repeat([0, 1], 3))
    one, two = (replicate_weights(design, "rao-wu", 5, np.random.default_rng(7)).weights for _ in range(2))
    assert np.array_equal(one, two)


def test_a_median_has_a_bootstrap_variance():
    rng = np.random.default_rng(2)
    y = rng.normal(size=400)
    design = Design(np.ones(400))
    replicates = replicate_weights(design, "rao-wu", 300, rng)
    order = np.argsort(y)

    def median(w):
        cumulated = np.cumsum(w[order])
        return y[order][np.searchsorted(cumulated, cumulated[-1] / 2)]

    _, cov = replicate_estimate(median, design.weight, replicates)
    assert cov[0, 0] ** 0.5 == pytest.approx(np.sqrt(np.pi / 2 / 400), rel=0.25)


@pytest.mark.parametrize("stat", ["mean", "total", "ratio"])
@pytest.mark.parametrize("kind", ["jkn", "rao-wu"])
def test_domains_from_sums_are_domains_from_rows(reference, stat, kind):
    t = reference("small.csv")
    design = Design(t["weight"], t["stratum"], t["psu"])
    rng = np.random.default_rng
    factors = replicate_factors(design, kind, 40, rng(5))
    replicates = replicate_weights(design, kind, 40, rng(5))
    below = t["x"] if stat == "ratio" else None
    found = replicate_domains(design, t["y"], t["kind"], factors, stat=stat, denominator=below)
    present = ~np.isnan(t["y"])
    for place, label in enumerate(found.domains.tolist()):
        mine = present & (t["kind"] == label)

        def statistic(w, mine=mine):
            top = w[mine] @ t["y"][mine]
            return top / {"mean": w[mine].sum(), "total": 1.0, "ratio": w[mine] @ t["x"][mine]}[stat]

        theta, cov = replicate_estimate(statistic, design.weight, replicates)
        np.testing.assert_allclose([found.est[place, 0], found.se[place, 0]], [theta[0], cov[0, 0] ** 0.5], rtol=1e-9)


def test_kinds_and_centres_may_be_written_as_the_field_writes_them():
    design = Design(np.ones(6), [0, 0, 1, 1, 2, 2])
    for field, ours in (("JKn", "jkn"), ("BRR", "brr"), ("Fay", "fay")):
        np.testing.assert_array_equal(replicate_weights(design, field).weights, replicate_weights(design, ours).weights)
    again = [replicate_weights(design, kind, 9, np.random.default_rng(1)) for kind in ("Rao-Wu", "rao_wu")]
    np.testing.assert_array_equal(again[0].weights, again[1].weights)
    y = np.array([3.0, 1, 4, 1, 5, 9])
    one, other = (replicate_weights(design, "JKn", centre=centre) for centre in ("mse", "estimate"))
    for statistic in (lambda w: w @ y, lambda w: (w @ y) ** 2):
        assert replicate_estimate(statistic, design.weight, one) == replicate_estimate(statistic, design.weight, other)


def test_supplied_weights_are_combined_as_told():
    weights = np.array([[2.0, 0.0, 1.0], [0.0, 2.0, 1.0]])
    given_ = Replicates(weights, 0.5, np.array([1.0, 1.0, 0.0]))
    theta, cov = replicate_estimate(lambda w: w @ [1.0, 3.0], np.ones(2), given_)
    assert (theta[0], cov[0, 0]) == (4.0, 0.5 * (2 - 4) ** 2 + 0.5 * (6 - 4) ** 2)
    assert given_.df == 1


# Replicates of a trimmed design


def trimmed(times=2.0, within=None, again=False):
    """Two strata of ten clusters of ten, raked, trimmed, and calibrated once more where asked."""
    rng = np.random.default_rng(0)
    row = np.arange(200)
    stratum, unit, weight = row // 100, row // 10, rng.gamma(2, 1, 200) + 0.5
    x = np.column_stack([np.ones(200), rng.gamma(2, 1, 200)])
    made = calibrate(Design(weight, stratum, unit), x, weight @ x * 1.1, "raking")
    found = trim(made, times, within).design
    if again:
        found = calibrate(found, x, weight @ x * 1.15)
    return made, found, x, x[:, 1] * 3 + rng.normal(size=200) + weight


KINDS = [("jkn", None), ("rao-wu", 400), ("bootstrap", 400)]


@pytest.mark.parametrize(("kind", "n"), KINDS)
def test_each_replicate_of_a_trimmed_design_is_calibrated_and_trimmed(kind, n):
    made, design, x, y = trimmed()
    factor = replicate_factors(design, kind, n, np.random.default_rng(1)).factor[design.levels[0].unit]
    replicates = replicate_weights(design, kind, n, np.random.default_rng(1))
    cap = 2 * np.median(made.weight)
    assert (made.weight > cap).sum() >= 5
    np.testing.assert_allclose(x.T @ replicates.weights, np.tile((x.T @ design.weight)[:, None], factor.shape[1]))
    gone = factor == 0
    assert (replicates.weights[gone] == 0).all()
    assert (replicates.weights[~gone] / factor[~gone] <= cap * (1 + 1e-9)).all()
    # The mean of the replicates is that of the trimmed design, not of the one before.
    total, before = design.weight @ y, made.weight @ y
    mean = (y @ replicates.weights).mean()
    se = estimate_domains(design, y, stat="total").se[0, 0]
    # The bootstrap's mean lies off by chance, by no more than three of its own errors.
    chance = 0.01 if n is None else 3 / n**0.5
    assert abs(mean - total) < chance * se < abs(before - total)
    # Where y has nothing to do with the weights, what was trimmed adds nothing and the formula holds.
    plain = y - design.calibration.steps[0].base
    _, cov = replicate_estimate(lambda w: w @ plain, design.weight, replicates)
    se = estimate_domains(design, plain, stat="total").se[0, 0]
    assert cov[0, 0] ** 0.5 == pytest.approx(se, rel=0.03 if n is None else 0.15)


@pytest.mark.parametrize("within", [None, np.arange(200) % 2])
@pytest.mark.parametrize("again", [False, True])
def test_the_steps_of_a_replicate_give_the_full_sample_its_own_weights(within, again):
    _, design, x, _ = trimmed(within=within, again=again)
    found = design.calibration.recalibrate(design.calibration.steps[0].base)
    np.testing.assert_allclose(found, design.weight, rtol=1e-9)
    # A row that counts k times is k rows.
    times = np.tile([1.0, 2.0], 100)
    heavy = design.calibration.recalibrate(design.calibration.steps[0].base * times, times)
    caps = design.calibration.caps
    assert len(caps) == 1 and (again or (heavy / times <= caps[0].limit * (1 + 1e-9)).all())
    np.testing.assert_allclose(x.T @ heavy, x.T @ design.weight, rtol=1e-9)


def test_weights_trimmed_without_calibration_are_the_weights_of_the_design():
    design = trim(Design([1.0, 1, 1, 2, 9, 1]), 4).design
    assert design.calibration is None
    y = np.array([3.0, 1, 4, 1, 5, 9])
    replicates = replicate_weights(design, "jk1")
    assert (y @ replicates.weights).mean() == pytest.approx(design.weight @ y)
    _, cov = replicate_estimate(lambda w: w @ y, design.weight, replicates)
    assert cov[0, 0] ** 0.5 == pytest.approx(estimate_domains(design, y, stat="total").se[0, 0])


def test_a_replicate_that_cannot_be_trimmed_is_named():
    made = calibrate(Design([1.0, 1, 1, 2, 2, 5]), np.array([[1, 0], [1, 0], [1, 0], [1, 1], [1, 1], [1, 1]]), [12, 9])
    # Three rows of 4 at most bear 9; two bear 8, and 7.2 of it where the others count 6/5.
    with pytest.raises(InferenceError) as refused:
        replicate_weights(trim(made, 2).design, "jk1")
    assert refused.value.facts["replicate"] in (3, 4, 5)


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda d: replicate_weights(d, "jk1"), "option-unknown"),
        (lambda d: replicate_weights(d, "jkn"), "lonely-psu"),
        (lambda d: replicate_weights(d, "brr"), "replicates-need-pairs"),
        (lambda d: replicate_weights(d, "rao-wu"), "option-unknown"),
        (lambda d: replicate_weights(d, "rao-wu", 10), "option-unknown"),
        (lambda d: replicate_weights(d, "wild"), "option-unknown"),
        (lambda d: Replicates(np.ones((4, 2)), 1, np.ones(3)), "length-mismatch"),
        (lambda d: Replicates(np.full((4, 2), np.nan), 1, np.ones(2)), "not-finite"),
        (lambda d: Replicates(np.ones((4, 2)), 1, np.ones(2), "median"), "option-unknown"),
        (
            lambda d: replicate_estimate(lambda w: 0 * np.inf, np.ones(4), Replicates(np.ones((4, 2)), 1, np.ones(2))),
            "not-finite",
        ),
        (
            lambda d: replicate_estimate(np.sum, np.ones(3), Replicates(np.ones((4, 2)), 1, np.ones(2))),
            "length-mismatch",
        ),
    ],
)
def test_what_cannot_be_replicated_is_named(call, code):
    with pytest.raises(InferenceError) as refused:
        call(Design(np.ones(4), [0, 0, 0, 1]))
    assert refused.value.code == code


def test_a_replicate_that_cannot_meet_its_totals_is_named():
    design = poststratify(Design(np.ones(4)), ["a", "a", "a", "b"], {"a": 6, "b": 2})
    with pytest.raises(InferenceError) as refused:
        replicate_weights(design, "jkn")
    assert (refused.value.facts["replicate"], refused.value.facts["cell"]) == (3, "b")
