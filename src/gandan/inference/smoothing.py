"""Sampling variances of areas from more than the area's own few answers."""

from collections.abc import Sequence

import numpy as np

from gandan.inference.area_given import effects, spread_of
from gandan.inference.design import Array, Floats
from gandan.inference.errors import InferenceError
from gandan.inference.given import numbers, vector


def smooth_variances(
    p_synth: Array | Sequence[float] | float, n: Array | Sequence[float], deff: Array | Sequence[float] | float = 1.0
) -> Floats:
    """Return sampling variances deff·p̃(1 - p̃)/n of proportions, from a value that is not the area's own.

    `p_synth`: the province's or the model's proportion, one or one an area, strictly between 0 and 1. `n` (m):
    answers, at least 1. `deff`: pooled design effect, above 0 (`pool_deff`). An area's own p must not be used: in small
    samples it is 0 or 1, and its variance 0. Publish which kind of variance stands beside an estimate.

    Refuses: `proportion-out-of-range`, `not-finite`, `variance-not-positive`, `length-mismatch`, `empty-data`.
    """
    size = vector(n, "n")
    if (size < 1).any():
        row = int(np.argmax(size < 1))
        raise InferenceError("variance-not-positive", name="n", row=row, value=float(size[row]))
    share = spread_of(p_synth, size.size, "p_synth")
    wrong = (share <= 0) | (share >= 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InferenceError("proportion-out-of-range", name="p_synth", row=row, value=float(share[row]))
    return effects(deff, size.size) * share * (1 - share) / size


def pool_deff(deff: Array | Sequence[float], n_psu: Array | Sequence[float]) -> float:
    """Return the province's design effect: the mean of the areas' with weights n_psu - 1, and not below 1.

    Areas with one PSU carry no weight; where all have one, the result is refused (`too-few-areas`). NaN in `deff` is
    passed over, as areas whose own variance is 0 have no design effect.
    """
    effect = numbers(deff, "deff")
    weight = vector(n_psu, "n_psu") - 1
    if effect.shape != weight.shape:
        raise InferenceError("length-mismatch", name="deff", found=effect.shape, expected=weight.size)
    usable = np.isfinite(effect) & (weight > 0)
    if not usable.any():
        raise InferenceError("too-few-areas", areas=0, columns=1)
    return max(1.0, float(np.average(effect[usable], weights=weight[usable])))


def fit_variances(
    variance: Array | Sequence[float], n: Array | Sequence[float], p_synth: Array | Sequence[float] | float
) -> Floats:
    """Return variances from the regression of ln V on ln n and ln p̃(1 - p̃), scaled to keep the sum of V.

    `variance` (m): direct ones; 0 and NaN take no part in the fit and receive the fitted value. `n`, `p_synth` as in
    `smooth_variances`. The column ln p̃(1 - p̃) is left out where p̃ does not vary. Refuses: as `smooth_variances`, and
    `too-few-areas` below four usable variances.
    """
    base = smooth_variances(p_synth, n)
    size = vector(n, "n")
    known = numbers(variance, "variance")
    if known.shape != size.shape:
        raise InferenceError("length-mismatch", name="variance", found=known.shape, expected=size.size)
    if (known < 0).any():
        row = int(np.argmax(known < 0))
        raise InferenceError("variance-not-positive", name="variance", row=row, value=float(known[row]))
    usable = np.isfinite(known) & (known > 0)
    if usable.sum() < 4:
        raise InferenceError("too-few-areas", areas=int(usable.sum()), columns=3)
    columns = np.column_stack((np.ones(size.size), np.log(size), np.log(base * size)))
    columns[:, 1:] -= columns[usable, 1:].mean(axis=0)
    coefficient, *_ = np.linalg.lstsq(columns[usable], np.log(known[usable]), rcond=1e-10)
    fitted = np.exp(columns @ coefficient)
    scaled: Floats = fitted * (known[usable].sum() / fitted[usable].sum())
    return scaled


def arcsin_variance(n: Array | Sequence[float], deff: Array | Sequence[float] | float = 1.0) -> Floats:
    """Return deff/(4n), the sampling variance of asin√p, for `fay_herriot(..., transform="arcsin")`.

    `n` (m): answers, at least 1; `deff` above 0. Refusals as in `smooth_variances`.
    """
    return smooth_variances(0.5, n, deff)
