"""The stated error of a small-area estimate is its real one, over simulated provinces. Short here, long by `long`."""

import numpy as np
import pytest

from gandan.inference.small_area import arcsin_variance, fay_herriot

pytestmark = pytest.mark.agnostic


def simulate(method, runs, seed, areas=40, area_variance=1.0):
    """Return (real MSE of the EBLUPs, mean stated MSE, share covered, MSE of the direct estimates)."""
    rng = np.random.default_rng(seed)
    X = np.column_stack((np.ones(areas), rng.normal(size=areas)))
    D = np.resize([0.5, 1.0, 2.0, 4.0], areas)
    real = stated = covered = direct = 0.0
    for _ in range(runs):
        truth = X @ [1.0, 0.5] + np.sqrt(area_variance) * rng.normal(size=areas)
        y = truth + np.sqrt(D) * rng.normal(size=areas)
        fit = fay_herriot(y, X, D, method=method)
        real += float(((fit.est - truth) ** 2).mean())
        direct += float(((y - truth) ** 2).mean())
        stated += float(fit.mse.mean())
        covered += float(((fit.lo <= truth) & (truth <= fit.hi)).mean())
    return real / runs, stated / runs, covered / runs, direct / runs


@pytest.mark.parametrize("method", ["reml", "ml", "fh", "ampl-yl", "amrl-yl"])
def test_the_stated_error_is_the_real_one(method):
    real, stated, covered, direct = simulate(method, 200, 1)
    assert real < 0.6 * direct
    assert stated / real == pytest.approx(1, abs=0.1)
    assert covered == pytest.approx(0.95, abs=0.025)


def test_areas_that_hardly_differ_are_not_given_false_certainty():
    real, stated, covered, _ = simulate("reml", 200, 2, area_variance=0.05)
    assert stated > 0.9 * real
    assert covered > 0.93


def test_shares_of_content_citizens_are_covered_on_the_arcsine_scale():
    """Answers of a simple random sample, true shares around 92 %: what a ward survey gives."""
    rng = np.random.default_rng(3)
    n = np.resize([25, 40, 60, 100], 36)
    covered = gain = lean = 0.0
    for _ in range(200):
        truth = np.sin(np.arcsin(np.sqrt(0.92)) + 0.06 * rng.normal(size=36)) ** 2
        p = rng.binomial(n, truth) / n
        fit = fay_herriot(p, np.ones(36), arcsin_variance(n), transform="arcsin")
        covered += float(((fit.lo <= truth) & (truth <= fit.hi)).mean())
        gain += float(((fit.est - truth) ** 2).mean() / ((p - truth) ** 2).mean())
        lean += float((fit.est - truth).mean())
    assert covered / 200 == pytest.approx(0.95, abs=0.03)
    assert gain / 200 < 0.7
    assert abs(lean / 200) < 0.006


@pytest.mark.long
@pytest.mark.parametrize("areas", [15, 40])
@pytest.mark.parametrize("method", ["reml", "ml", "fh", "ampl-yl", "amrl-yl"])
def test_the_stated_error_is_the_real_one_over_two_thousand_provinces(method, areas):
    real, stated, covered, direct = simulate(method, 2000, 4, areas=areas)
    print(f"{method}, {areas} areas: stated/real {stated / real:.3f}, covered {covered:.4f}, gain {real / direct:.3f}")
    assert stated / real == pytest.approx(1, abs=0.06)
    assert 0.93 <= covered <= 0.97
