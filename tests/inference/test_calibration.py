"""Calibrated weights meet their totals, stay within their bounds, and carry less variance where they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandan.inference.calibration import calibrate, kish, poststratify, rake, trim
from gandan.inference.design import Design
from gandan.inference.errors import InferenceError
from gandan.inference.estimates import domain_cov, estimate_domains

pytestmark = pytest.mark.agnostic


@st.composite
def tasks(draw):
    """A sample and totals near those of its own weights, so that they can be met."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = int(rng.integers(20, 60))
    design = Design(rng.uniform(1, 9, n), np.arange(n) % 3, np.arange(n) // 3 % 5)
    x = np.column_stack([np.ones(n), np.arange(n) % 2, rng.normal(20, 4, n)])
    totals = (design.weight * rng.uniform(0.9, 1.1, n)) @ x
    return design, x, totals, rng.normal(5, 1, n)


@given(tasks(), st.sampled_from([("linear", None), ("raking", None), ("logit", (0.3, 3.0)), ("linear", (0.3, 3.0))]))
@settings(max_examples=60)
def test_totals_are_met_and_what_they_fix_has_no_variance(task, how):
    design, x, totals, _y = task
    distance, bounds = how
    found = calibrate(design, x, totals, distance, bounds)
    assert (np.abs(found.weight @ x - totals) <= 1e-12 * np.maximum(np.abs(totals), 1) + 1e-11).all()
    if bounds is not None:
        ratio = found.weight / design.weight
        assert (ratio >= bounds[0] - 1e-9).all() and (ratio <= bounds[1] + 1e-9).all()
    if distance == "raking":
        assert (found.weight > 0).all()
    fixed = estimate_domains(found, x, stat="total")
    np.testing.assert_allclose(fixed.est[0], totals, rtol=1e-11)
    assert (fixed.se[0] <= 1e-9 * np.abs(totals)).all()


@given(tasks())
@settings(max_examples=30)
def test_scaling_and_order_of_auxiliaries_do_not_matter(task):
    design, x, totals, y = task
    one = calibrate(design, x, totals)
    scale = np.array([1.0, 1e3, 1e-5])
    two = calibrate(design, (x * scale)[:, ::-1], (totals * scale)[::-1])
    np.testing.assert_allclose(two.weight, one.weight, rtol=1e-9)
    np.testing.assert_allclose(estimate_domains(two, y).se, estimate_domains(one, y).se, rtol=1e-7)


def test_raking_by_turns_and_by_newton_give_the_same_weights_and_variances(reference):
    t = reference("small.csv")
    design = Design(t["weight"], t["stratum"], t["psu"])
    domain, kind = {"A": 150, "B": 75, "C": 5}, {"k1": 115, "k2": 115}
    turns = rake(design, [(t["domain"], domain), (t["kind"], kind)])
    x = np.column_stack([t["domain"] == label for label in "ABC"] + [t["kind"] == label for label in ("k1", "k2")])
    newton = calibrate(design, x, [150, 75, 5, 115, 115], "raking")
    np.testing.assert_allclose(newton.weight, turns.weight, rtol=1e-11)
    a, b = (estimate_domains(each, t["y"], t["domain"]) for each in (turns, newton))
    np.testing.assert_allclose(a.se, b.se, rtol=1e-9, atol=1e-14)


def test_the_calibrated_weights_of_the_reference_software_are_met(shared):
    t = shared("apiclus1.csv")
    design = Design(t["pw"], psu=t["dnum"], fpc=t["fpc"])
    x = np.column_stack([np.ones(183), t["stype"] == "H", t["stype"] == "M", t["api99"]])
    totals = [6194, 755, 1018, 3914069]
    for name, bounds in (("linear", None), ("raking", None), ("logit", (0.4, 2.5))):
        expected = shared(f"calweights_apiclus1_{name}.csv")
        assert expected["snum"].tolist() == t["snum"].tolist()
        found = calibrate(design, x, totals, name, bounds)
        np.testing.assert_allclose(found.weight, expected["w"], rtol=1e-10)
        np.testing.assert_allclose(found.weight @ x, totals, rtol=1e-12)
    expected = shared("calweights_apiclus1_ps_rake.csv")
    school, wide = {"E": 4421, "H": 755, "M": 1018}, {"No": 1072, "Yes": 5122}
    np.testing.assert_allclose(poststratify(design, t["stype"], school).weight, expected["poststrat"], rtol=1e-10)
    raked = rake(design, [(t["stype"], school), (t["sch.wide"], wide)])
    np.testing.assert_allclose(raked.weight, expected["rake"], rtol=1e-10)


def test_poststrata_that_are_strata_leave_no_variance_between_them():
    stratum = np.repeat(["n", "s"], [6, 4])
    design = poststratify(Design(np.ones(10), stratum), stratum, {"n": 60, "s": 40})
    e = estimate_domains(design, np.column_stack([stratum == "n", stratum == "s"]))
    assert (e.se <= 1e-12).all()
    np.testing.assert_allclose(e.est[0], [0.6, 0.4])


def test_the_last_of_two_calibrations_holds_its_totals_without_variance(reference):
    t = reference("small.csv")
    design = poststratify(Design(t["weight"], t["stratum"], t["psu"]), t["domain"], {"A": 150, "B": 75, "C": 5})
    x = np.column_stack([np.ones(25), t["x"]])
    twice = calibrate(design, x, [230, 2500])
    e = estimate_domains(twice, x, stat="total")
    np.testing.assert_allclose(e.est[0], [230, 2500])
    assert (e.se < 1e-9).all()


def test_a_column_that_says_the_same_is_left_out():
    design = Design(np.array([1.0, 2.0, 3.0, 4.0]))
    x = np.array([[1, 1, 0, 5.0], [1, 1, 0, 5], [1, 0, 1, 5], [1, 0, 1, 5]])
    found = calibrate(design, x, [12, 4, 8, 60], "raking")
    np.testing.assert_allclose(found.weight, [4 / 3, 8 / 3, 24 / 7, 32 / 7])
    with pytest.raises(InferenceError) as refused:
        calibrate(design, x, [12, 4, 8, 61])
    assert refused.value.code == "collinear"


AB = np.array(["a", "a", "b", "b"])


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        (lambda d: poststratify(d, AB, {"a": 1, "b": 1, "c": 5}), "calibration-infeasible", "c"),
        (lambda d: poststratify(d, AB, {"a": 1}), "calibration-infeasible", "b"),
        (lambda d: poststratify(d, AB, [1, 2, 3]), "length-mismatch", "totals"),
        (lambda d: poststratify(d, AB, {"a": 1, "b": -1}), "not-finite", "totals"),
        (lambda d: poststratify(d, AB, {"a": 1, "b": float("nan")}), "not-finite", "totals"),
        (lambda d: poststratify(d, ["a", "a", "", "b"], {"a": 1, "b": 1}), "missing-code", "row 2"),
        (lambda d: rake(d, []), "empty-data", "no row"),
        (lambda d: rake(d, [(AB, [5, 5]), ([0, 1, 0, 1], [5, 6])]), "margins-disagree", "11.0"),
        (lambda d: rake(d, [(AB, [5, 5]), (AB, [4, 6])], max_iter=20), "calibration-not-converged", "20 steps"),
        (lambda d: rake(d, [(AB, [5, 5])], fit="best"), "option-unknown", "fit"),
        (lambda d: calibrate(d, np.ones((4, 1)), [1, 2]), "length-mismatch", "totals"),
        (lambda d: calibrate(d, np.ones((3, 1)), [1]), "length-mismatch", "X"),
        (lambda d: calibrate(d, [[1], [np.nan], [1], [1]], [5]), "not-finite", "row 1"),
        (lambda d: calibrate(d, np.ones((4, 1)), [np.inf]), "not-finite", "totals"),
        (lambda d: calibrate(d, np.ones((4, 1)), [5], "chi"), "option-unknown", "chi"),
        (lambda d: calibrate(d, np.ones((4, 1)), [5], "logit"), "option-unknown", "bounds"),
        (lambda d: calibrate(d, np.ones((4, 1)), [5], "raking", (0.5, 2)), "option-unknown", "bounds"),
        (lambda d: calibrate(d, np.ones((4, 1)), [5], "linear", (1.5, 2)), "option-unknown", "bounds"),
        (
            lambda d: calibrate(d, np.ones((4, 1)), [40], "logit", (0.5, 2), names=["everybody"]),
            "calibration-infeasible",
            "everybody",
        ),
        (
            lambda d: calibrate(d, np.ones((4, 1)), [40], "linear", (0.5, 2), names=["everybody"]),
            "calibration-infeasible",
            "everybody",
        ),
        (
            lambda d: calibrate(d, np.ones((4, 1)), [-4], "raking", names=["everybody"]),
            "calibration-infeasible",
            "everybody",
        ),
        (
            lambda d: calibrate(d, [[1, 0], [1, 0], [1, 0], [1, 0]], [4, 2], names=["all", "women"]),
            "calibration-infeasible",
            "women",
        ),
        (lambda d: trim(d, 0.5), "option-unknown", "times_median"),
        (lambda d: trim(Design([1.0, 1, 1, 9]), 1, ["a", "a", "a", "b"]), "calibration-infeasible", "b"),
        (lambda d: kish([]), "empty-data", "no row"),
    ],
)
def test_totals_that_cannot_be_met_are_named(call, code, words):
    with pytest.raises(InferenceError) as refused:
        call(Design(np.ones(4)))
    assert refused.value.code == code
    assert words in str(refused.value)


def test_linear_weights_may_fall_below_zero_and_the_design_says_so():
    x = np.column_stack([np.ones(4), [0.0, 1, 2, 10]])
    found = calibrate(Design(np.ones(4)), x, [4, 40])
    assert (found.weight < 0).any()
    assert found.calibration.negative(found.weight).tolist() == np.flatnonzero(found.weight < 0).tolist()


# Trimming


def test_trimmed_weights_keep_the_sum_of_their_class_and_lose_less():
    weight = np.array([1.0, 1, 2, 2, 30, 1, 1, 1, 40, 2] * 3)
    group = np.tile(["a", "a", "a", "a", "a", "b", "b", "b", "b", "b"], 3)
    found = trim(Design(weight), 10, group)
    cap = 10 * np.median(weight)
    assert found.design.weight.max() <= cap * (1 + 1e-9)
    for name in "ab":
        assert found.design.weight[group == name].sum() == pytest.approx(weight[group == name].sum())
    assert found.kish_after < found.kish_before == pytest.approx(kish(weight))
    assert found.capped == 6


def test_trimmed_weights_are_calibrated_again():
    rng = np.random.default_rng(5)
    weight = rng.lognormal(1, 0.8, 200)
    design = rake(Design(weight), [(np.arange(200) % 2, [300, 400]), (np.arange(200) % 3, [200, 200, 300])])
    found = trim(design, 3)
    assert found.design.weight.max() <= 3 * np.median(design.weight) * (1 + 1e-9)
    sums = np.bincount(np.arange(200) % 3, weights=found.design.weight)
    np.testing.assert_allclose(sums, [200, 200, 300], rtol=1e-9)
    assert found.kish_after < found.kish_before
    assert estimate_domains(found.design, np.ones(200), stat="total").se[0, 0] < 1e-9


def clustered(seed=0):
    """Twenty clusters of ten, calibrated by raking to totals a tenth above the sample's."""
    rng = np.random.default_rng(seed)
    unit, weight = np.repeat(np.arange(20), 10), rng.gamma(2, 1, 200) + 0.5
    x = np.column_stack([np.ones(200), rng.gamma(2, 1, 200)])
    design = Design(weight, None, unit)
    return design, calibrate(design, x, weight @ x * 1.1, "raking"), x, x[:, 1] * 3 + rng.normal(size=200)


def test_designs_that_are_made_and_dropped_never_take_each_others_sums():
    plain, design, x, y = clustered()
    b = np.linalg.solve((x * plain.weight[:, None]).T @ x, (x * plain.weight[:, None]).T @ y)
    for times in np.linspace(1.5, 5, 40):
        # Each design is dropped before the next is made, often at the same place in memory.
        made = trim(design, times).design
        sums = np.bincount(plain.psu, weights=made.weight * (y - x @ b))
        expected = np.sqrt(20 / 19 * ((sums - sums.mean()) ** 2).sum())
        found = estimate_domains(made, y, stat="total").se[0, 0]
        covered = domain_cov(made, y, stat="total")[0, 0] ** 0.5
        np.testing.assert_allclose([found, covered], expected, rtol=1e-9)
        del made


def test_equal_weights_lose_nothing():
    assert kish(np.full(5, 3.0)) == pytest.approx(1.0)
