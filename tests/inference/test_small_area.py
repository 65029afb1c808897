"""An area with few answers borrows from the others, says how much, and never hides that it did."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from gandan.inference.errors import InferenceError
from gandan.inference.ranking import rank_sets, tiers
from gandan.inference.small_area import (
    arcsin_variance,
    benchmark,
    diagnose,
    error_covariance,
    fay_herriot,
    fit_variances,
    pool_deff,
    smooth_variances,
)

pytestmark = pytest.mark.agnostic
METHODS = ("reml", "ml", "fh")
EVERY = (*METHODS, "ampl-yl", "amrl-yl")


def communes(areas=20, seed=1, spread=1.0):
    """Return direct estimates, columns and sampling variances of made-up communes."""
    rng = np.random.default_rng(seed)
    X = np.column_stack((np.ones(areas), rng.normal(size=areas)))
    variance = rng.uniform(0.4, 2.5, areas)
    truth = X @ [2.0, 0.7] + spread * rng.normal(size=areas)
    return truth + np.sqrt(variance) * rng.normal(size=areas), X, variance


# Worked by hand


def test_equal_variances_have_the_answer_of_the_textbook():
    """With one mean and D = 1 everywhere, REML and the moment method give s² - 1, ML (m-1)/m·s² - 1."""
    y = np.array([1.0, 3.0, 5.0, 7.0, 9.0])
    one = np.ones(5)
    assert fay_herriot(y, one, one).area_variance == pytest.approx(9.0, rel=1e-12)
    assert fay_herriot(y, one, one, method="fh").area_variance == pytest.approx(9.0, rel=1e-12)
    assert fay_herriot(y, one, one, method="ml").area_variance == pytest.approx(7.0, rel=1e-12)
    fit = fay_herriot(y, one, one)
    assert fit.beta == pytest.approx([5.0])
    assert fit.est == pytest.approx([1.4, 3.2, 5.0, 6.8, 8.6])
    # g1 + g2 + 2 g3 with γ = 0.9, Q = 10/5, Var(A) = 2·100/5
    assert fit.mse == pytest.approx([0.9 + 0.01 * 2 + 2 * 40 / 1000] * 5)


def test_methods_may_be_written_in_capitals():
    y, D = [3.0, 1, 4, 1, 5, 9], np.ones(6)
    for method in ("REML", "ML", "FH"):
        assert fay_herriot(y, np.ones(6), D, method=method).mse.tolist() == (
            fay_herriot(y, np.ones(6), D, method=method.lower()).mse.tolist()
        )


def test_an_area_without_sample_has_the_model_only_and_says_so():
    y, X, variance = communes()
    fit = fay_herriot(y, X, variance, X_out=[[1.0, 0.1], [1.0, 9.0]])
    assert fit.out.est == pytest.approx([[1, 0.1], [1, 9]] @ fit.beta)
    leverage = [np.array(x) @ fit.beta_cov @ np.array(x) for x in ([1, 0.1], [1, 9])]
    assert fit.out.mse == pytest.approx(fit.area_variance + np.array(leverage))
    assert fit.out.flags["extrapolated"].all()
    assert fit.out.flags["outside-sample"].tolist() == [False, True]


def test_when_areas_do_not_differ_the_result_is_synthetic_and_a_positive_refit_stands_beside_it():
    y, X, variance = communes(spread=0.0, seed=4)
    for method in METHODS:
        fit = fay_herriot(y / 9, X, variance, method=method)
        assert fit.area_variance == 0
        assert fit.flags["synthetic"].all()
        assert fit.est == pytest.approx(X @ fit.beta)
        assert fit.adjusted.method == "ampl-yl"
        assert fit.adjusted.area_variance > 0
        assert (fit.adjusted.shrinkage > 0).all()
    assert fay_herriot(y, X, variance, method="ampl-yl").adjusted is None


@pytest.mark.parametrize(("method", "restricted"), [("ampl-yl", False), ("amrl-yl", True)])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_the_adjusted_likelihood_is_maximised(method, restricted, spread):
    y, X, D = communes(spread=spread, seed=8)

    def negative(log_a):
        w = 1 / (np.exp(log_a) + D)
        gram = X.T @ (w[:, None] * X)
        r = y - X @ np.linalg.solve(gram, X.T @ (w * y))
        value = 0.5 * np.log(w).sum() - 0.5 * (w * r**2).sum() - restricted * 0.5 * np.linalg.slogdet(gram)[1]
        return -value - np.log(np.arctan((np.exp(log_a) * w).sum())) / y.size

    grid = np.linspace(-16, 6, 500)
    start = grid[np.argmin([negative(a) for a in grid])]
    best = minimize_scalar(negative, bounds=(start - 0.1, start + 0.1), method="bounded", options={"xatol": 1e-10})
    fit = fay_herriot(y, X, D, method=method)
    assert np.log(fit.area_variance) == pytest.approx(best.x, abs=1e-5)


def test_the_best_of_several_maxima_is_found():
    """Very unequal variances give likelihoods with two hills; a search from one side would stay on the wrong one."""
    rng = np.random.default_rng(1)
    hills = 0
    for _ in range(150):
        size = int(rng.integers(5, 12))
        D, y, X = np.exp(rng.normal(0, 2.5, size)), rng.normal(0, np.exp(rng.normal(0, 1.5, size))), np.ones((size, 1))

        def likelihood(a, D=D, y=y):
            w = 1 / (np.asarray(a)[..., None] + D)
            mean = (w * y).sum(axis=-1) / w.sum(axis=-1)
            return 0.5 * (np.log(w).sum(axis=-1) - (w * (y - mean[..., None]) ** 2).sum(axis=-1))

        grid = np.concatenate(([0.0], np.geomspace(1e-6, 1e4, 2000)))
        values = likelihood(grid)
        hills += int(((values[1:-1] > values[:-2]) & (values[1:-1] > values[2:])).sum() + (values[0] > values[1]) > 1)
        assert likelihood(fay_herriot(y, X, D, method="ml").area_variance) >= values.max() - 1e-6
    assert hills >= 5


def test_columns_of_very_different_scale_and_a_far_origin_lose_no_digits():
    y, X, D = communes()
    year = 2000 + 10 * np.arange(20) / 19
    near = fay_herriot(y, np.column_stack((X, (year - 2005) / 5)), D)
    far = fay_herriot(y, np.column_stack((X * [1, 1e9], year)), D)
    assert far.area_variance == pytest.approx(near.area_variance, rel=1e-9)
    assert far.est == pytest.approx(near.est, rel=1e-9)
    assert far.mse == pytest.approx(near.mse, rel=1e-9)


# Errors that areas share


def test_errors_of_two_areas_are_shared_through_the_coefficients_only():
    y, X, D = communes(areas=6)
    fit = fay_herriot(y, X, D, X_out=[[1.0, 0.0]])
    cov = error_covariance(fit, with_out=True)
    assert cov.shape == (7, 7)
    assert np.diag(cov) == pytest.approx(np.concatenate((fit.mse, fit.out.mse)))
    weight = 1 - fit.shrinkage
    assert cov[0, 1] == pytest.approx(weight[0] * weight[1] * X[0] @ fit.beta_cov @ X[1])
    assert cov[0, 6] == pytest.approx(weight[0] * X[0] @ fit.beta_cov @ [1.0, 0.0])
    assert error_covariance(fit).shape == (6, 6)
    assert rank_sets(fit.est, error_covariance(fit), seed=1).upper.max() <= 6
    assert tiers(fit.est, error_covariance(fit), "mean").tier.size == 6


# Smoothed variances


def test_a_variance_comes_from_the_province_never_from_the_area():
    assert smooth_variances(0.9, [10, 40], 1.5) == pytest.approx([0.0135, 0.003375])
    assert smooth_variances([0.5, 0.8], [10, 10]) == pytest.approx([0.025, 0.016])
    assert arcsin_variance([10, 40], 2) == pytest.approx([0.05, 0.0125])


def test_the_design_effect_is_pooled_by_units_and_never_below_one():
    assert pool_deff([2.0, 3.0, 100.0], [5, 3, 1]) == pytest.approx((4 * 2 + 2 * 3) / 6)
    assert pool_deff([0.5, 0.6], [5, 5]) == 1
    assert pool_deff([np.nan, 1.4], [5, 5]) == 1.4


def test_fitted_variances_follow_the_law_and_keep_the_sum():
    n = np.array([10.0, 20, 40, 80, 160, 30])
    p = np.array([0.9, 0.8, 0.85, 0.95, 0.7, 0.88])
    law = 1.7 * (p * (1 - p)) ** 1.1 / n**0.9
    given_ = np.append(law[:5], 0.0)
    fitted = fit_variances(given_, n, p)
    assert fitted[:5] == pytest.approx(law[:5])
    assert fitted[5] == pytest.approx(law[5])
    noisy = law * np.random.default_rng(1).uniform(0.7, 1.4, 6)
    assert fit_variances(noisy, n, 0.85).sum() == pytest.approx(noisy.sum())


# The arcsine scale


def test_proportions_come_back_from_the_arcsine_scale():
    p = np.array([0.99, 0.9, 0.95, 1.0, 0.85, 0.92, 0.97, 0.88])
    D = arcsin_variance([30, 60, 40, 20, 80, 50, 30, 90])
    fit = fay_herriot(p, np.ones(8), D, transform="arcsin", X_out=[[1.0]])
    naive = fay_herriot(p, np.ones(8), D, transform="arcsin", back="naive")
    angle = np.arcsin(np.sqrt(p))
    plain = fay_herriot(angle, np.ones(8), D)
    assert fit.theta == pytest.approx(plain.est)
    assert naive.est == pytest.approx(np.sin(plain.est) ** 2)
    spread = plain.shrinkage * D
    # The expectation of sin² over the area's own distribution, by quadrature.
    t, w = np.polynomial.hermite_e.hermegauss(40)
    for i in range(8):
        drawn = plain.est[i] + np.sqrt(spread[i]) * t
        assert fit.est[i] == pytest.approx((w * np.sin(drawn) ** 2).sum() / w.sum(), rel=1e-12)
        wide = plain.est[i] + np.sqrt(plain.mse[i]) * t
        mean = (w * np.sin(wide) ** 2).sum() / w.sum()
        assert fit.mse[i] == pytest.approx((w * np.sin(wide) ** 4).sum() / w.sum() - mean**2, rel=1e-9)
    assert ((fit.lo >= 0) & (fit.hi <= 1) & (fit.lo <= naive.est) & (naive.est <= fit.hi)).all()
    assert 0 < fit.out.est[0] < 1
    assert fit.out.flags["extrapolated"].all()


def test_an_area_where_everyone_is_content_is_not_given_certainty():
    p = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    fit = fay_herriot(p, np.ones(6), arcsin_variance([20] * 6), transform="arcsin")
    assert (fit.mse > 0).all()
    assert (fit.lo < 1).all()


# Benchmarking


def fitted(areas=8, **options):
    y, X, D = communes(areas)
    return fay_herriot(y, X, D, **options)


@pytest.mark.parametrize("by", ["mse", "equal", "ratio"])
def test_benchmarked_areas_add_up_to_the_province(by):
    fit = fitted()
    share = np.arange(1, 9) / 36
    done = benchmark(fit, share, 2.5, by=by)
    assert share @ done.est == pytest.approx(2.5, rel=1e-14)
    assert done.gap == pytest.approx(2.5 - share @ fit.est)
    assert done.mse == pytest.approx(fit.mse + done.shift**2)
    if by == "equal":
        assert done.shift == pytest.approx(np.full(8, done.gap))
    if by == "ratio":
        assert done.est / fit.est == pytest.approx(np.full(8, 2.5 / (share @ fit.est)))
    if by == "mse":
        assert done.shift / (share * fit.mse) == pytest.approx(np.full(8, done.shift[0] / (share * fit.mse)[0]))


def test_a_shift_beyond_one_standard_error_is_flagged():
    fit = fitted()
    share = np.full(8, 1 / 8)
    assert not benchmark(fit, share, share @ fit.est).flags["shift-above-se"].any()
    assert benchmark(fit, share, share @ fit.est + 30).flags["shift-above-se"].all()


def test_proportions_stay_within_their_bounds_and_the_rest_is_shared_out():
    p = np.array([0.99, 0.96, 0.95, 0.9, 0.85, 0.8])
    fit = fay_herriot(p, np.ones(6), arcsin_variance([200] * 6), transform="arcsin")
    share = np.full(6, 1 / 6)
    done = benchmark(fit, share, 0.97, by="equal")
    assert (done.est <= 1).all()
    assert done.flags["at-bound"].any()
    assert share @ done.est == pytest.approx(0.97, rel=1e-12)
    assert benchmark(fit, share, 1.0, by="equal").est == pytest.approx(np.ones(6))


def test_areas_without_sample_may_share_in_the_benchmark():
    fit = fitted(X_out=[[1.0, 0.0]])
    share = np.full(9, 1 / 9)
    done = benchmark(fit, share, 2.0)
    assert done.est.size == 9
    assert share @ done.est == pytest.approx(2.0)


# Diagnostics


def test_a_sound_model_passes_and_a_broken_one_does_not():
    y, X, D = communes(areas=200, seed=3)
    sound = diagnose(fay_herriot(y, X, D))
    assert sound.standardised.std() == pytest.approx(1, abs=0.15)
    assert sound.normality_p > 0.01
    assert sound.furthest_p > 0.05
    fit = fay_herriot(np.where(np.arange(200) == 17, y + 25, y), X, D)
    broken = diagnose(fit)
    assert broken.normality_p < 1e-6
    assert (broken.furthest, broken.furthest_p < 1e-6) == (17, True)
    assert fit.synthetic + broken.effects == pytest.approx(fit.est)
    flat = diagnose(fay_herriot([1.0] * 5, np.ones(5), np.ones(5)))
    assert (flat.normality, flat.furthest_p) == (None, 1.0)


# What must always hold

problems = st.integers(6, 15).flatmap(
    lambda size: st.tuples(
        st.lists(st.floats(-3, 3).map(lambda n: round(n, 3)), min_size=size, max_size=size),
        st.lists(st.floats(0.05, 4), min_size=size, max_size=size),
        st.permutations(range(size)),
    )
)


@settings(max_examples=50)
@given(problems, st.sampled_from(EVERY), st.floats(1e-3, 1e4), st.floats(-100, 100))
def test_order_unit_and_origin_do_not_matter(problem, method, factor, shift):
    y, D, order = (np.array(each) for each in problem)
    X = np.column_stack((np.ones(y.size), np.arange(y.size)))
    one = fay_herriot(y, X, D, method=method)
    other = fay_herriot(factor * (y[order] + shift), X[order], factor**2 * D[order], method=method)
    assert other.area_variance == pytest.approx(factor**2 * one.area_variance, rel=1e-6, abs=1e-9 * factor**2)
    assert other.est == pytest.approx(factor * (one.est[order] + shift), rel=1e-6, abs=1e-6 * factor)
    assert other.mse == pytest.approx(factor**2 * one.mse[order], rel=1e-6, abs=1e-9 * factor**2)


@settings(max_examples=50)
@given(problems, st.sampled_from(EVERY))
def test_an_estimate_lies_between_the_direct_one_and_the_model(problem, method):
    y, D, _ = (np.array(each) for each in problem)
    fit = fay_herriot(y, np.ones(y.size), D, method=method)
    low, high = np.minimum(y, fit.synthetic), np.maximum(y, fit.synthetic)
    assert ((fit.est >= low - 1e-9) & (fit.est <= high + 1e-9)).all()
    assert (fit.mse > 0).all()
    assert ((fit.shrinkage >= 0) & (fit.shrinkage < 1)).all()
    if method.endswith("yl"):
        assert fit.area_variance > 0
    values = (fit.est, fit.mse, fit.lo, fit.hi, fit.beta, [fit.loglik, fit.aic, fit.bic, fit.kic])
    assert all(np.isfinite(each).all() for each in values)


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=5, max_size=12), st.floats(0, 1), st.sampled_from(["mse", "equal"]))
def test_benchmarks_within_bounds_are_met_or_refused(p, target, by):
    fit = fay_herriot(p, np.ones(len(p)), arcsin_variance([40] * len(p)), transform="arcsin")
    share = np.full(len(p), 1 / len(p))
    done = benchmark(fit, share, target, by=by)
    assert share @ done.est == pytest.approx(target, abs=1e-9)
    assert ((done.est >= 0) & (done.est <= 1)).all()


# What is refused

ONE = np.ones(5)
Y = np.arange(5.0)


@pytest.mark.parametrize(
    ("code", "ask"),
    [
        ("empty-data", lambda: fay_herriot([], np.ones((0, 1)), [])),
        ("not-finite", lambda: fay_herriot([1, np.nan, 3, 4, 5], ONE, ONE)),
        ("not-finite", lambda: fay_herriot(Y, [1, 1, np.inf, 1, 1], ONE)),
        ("length-mismatch", lambda: fay_herriot(Y, ONE[:4], ONE)),
        ("length-mismatch", lambda: fay_herriot(Y, ONE, ONE[:4])),
        ("length-mismatch", lambda: fay_herriot(Y, ONE, ONE, X_out=[[1, 2]])),
        ("variance-not-positive", lambda: fay_herriot(Y, ONE, [1, 0, 1, 1, 1])),
        ("variance-not-positive", lambda: fay_herriot(Y, ONE, [1, np.nan, 1, 1, 1])),
        ("too-few-areas", lambda: fay_herriot([1, 2, 3], np.ones(3), np.ones(3))),
        ("too-few-areas", lambda: fay_herriot([1.0], [1.0], [1.0])),
        ("collinear", lambda: fay_herriot(np.arange(6.0), np.ones((6, 2)), np.ones(6))),
        ("collinear", lambda: fay_herriot(np.arange(6.0), np.zeros((6, 1)), np.ones(6))),
        ("option-unknown", lambda: fay_herriot(Y, ONE, ONE, method="mle")),
        ("option-unknown", lambda: fay_herriot(Y, ONE, ONE, transform="log")),
        ("option-unknown", lambda: fay_herriot(Y, ONE, ONE, back="exact")),
        ("level-out-of-range", lambda: fay_herriot(Y, ONE, ONE, level=1)),
        ("proportion-out-of-range", lambda: fay_herriot(Y, ONE, ONE, transform="arcsin")),
        ("proportion-out-of-range", lambda: smooth_variances(1.0, [10])),
        ("variance-not-positive", lambda: smooth_variances(0.5, [0])),
        ("variance-not-positive", lambda: smooth_variances(0.5, [10], 0)),
        ("length-mismatch", lambda: smooth_variances([0.5, 0.6], [10])),
        ("too-few-areas", lambda: pool_deff([1.5], [1])),
        ("length-mismatch", lambda: pool_deff([1.5], [1, 2])),
        ("too-few-areas", lambda: fit_variances([0.1, 0, 0, 0], [10, 20, 30, 40], 0.5)),
        ("variance-not-positive", lambda: fit_variances([0.1, -1], [10, 20], 0.5)),
        ("length-mismatch", lambda: fit_variances([0.1], [10, 20], 0.5)),
        ("shares-not-one", lambda: benchmark(fitted(), np.ones(8), 1)),
        ("length-mismatch", lambda: benchmark(fitted(), np.ones(7) / 7, 1)),
        ("not-finite", lambda: benchmark(fitted(), np.ones(8) / 8, np.nan)),
        ("option-unknown", lambda: benchmark(fitted(), np.ones(8) / 8, 1, by="size")),
        ("benchmark-infeasible", lambda: benchmark(fitted(), np.ones(8) / 8, 2, bounds=(0, 1))),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(code, ask):
    with pytest.raises(InferenceError) as told:
        ask()
    assert told.value.code == code


def test_the_dependent_columns_are_named():
    with pytest.raises(InferenceError) as told:
        fay_herriot(np.arange(7.0), np.column_stack((np.ones(7), np.arange(7), 2 * np.arange(7))), np.ones(7))
    assert told.value.facts["columns"] in ([1], [2])


# Reference figures


@pytest.mark.parametrize("data", ["spread", "flat", "uneven"])
@pytest.mark.parametrize("method", METHODS)
def test_fits_agree_with_the_reference_software(reference, data, method):
    everything = reference("model.json")
    given_, told = everything[f"{data}/data"], everything[f"{data}/{method}"]
    X = np.column_stack((np.ones(len(given_["x"])), given_["x"]))
    fit = fay_herriot(given_["y"], X, given_["v"], method=method)
    np.testing.assert_allclose(fit.area_variance, told["area_variance"][0], rtol=1e-9)
    for ours, name in ((fit.beta, "beta"), (fit.beta_se, "beta_se"), (fit.est, "est"), (fit.mse, "mse")):
        np.testing.assert_allclose(ours, told[name], rtol=1e-9)
    np.testing.assert_allclose([fit.loglik, fit.aic, fit.bic, fit.kic], told["fit"], rtol=1e-9)


def test_milk_agrees_with_the_reference_software(shared):
    table, told = shared("milk.csv"), shared("sae_reference.json")["results"][0]
    X = np.column_stack([np.ones(43)] + [table["MajorArea"] == number for number in (2, 3, 4)])
    fit = fay_herriot(table["yi"], X, table["SD"] ** 2)
    np.testing.assert_allclose(fit.area_variance, told["sigma2_u"], rtol=1e-9)
    for ours, name in ((fit.beta, "beta"), (fit.beta_se, "beta_se"), (fit.est, "eblup"), (fit.mse, "mse")):
        np.testing.assert_allclose(ours, told[name], rtol=1e-9)
    np.testing.assert_allclose([fit.loglik, fit.aic, fit.bic, fit.kic], told["loglik"], rtol=1e-9)
