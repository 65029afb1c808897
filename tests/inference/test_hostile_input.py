"""Bad input of functions beside the estimates: a right answer, or an error that names the cause."""

import math

import numpy as np
import pytest

from gandan.inference import calibration, estimates, ranking
from gandan.inference.design import Design
from gandan.inference.errors import InferenceError

pytestmark = pytest.mark.agnostic

ROWS = 12
NAN = float("nan")


def plain() -> Design:
    return Design(np.full(ROWS, 2.0), np.repeat([0, 1], 6), np.tile(np.arange(6), 2))


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
