"""Variances of a total drawn with unequal probabilities without replacement, in one stage.

Sources: Horvitz and Thompson (1952); Yates and Grundy (1953); Brewer and Donadio (2003), Survey Methodology 29.
"""

import numpy as np

from gandan.inference.design import Array, Floats, compact, missing_codes
from gandan.inference.errors import InferenceError
from gandan.inference.given import codes, numbers, plain_codes


def brewer_variance(z: Array, probability: Array, strata: Array | None = None) -> float:
    """Return Brewer's approximate variance of the Horvitz-Thompson total of `z` (n), one stage, unequal π (n).

    n/(n−1)·Σ(1−π)(z/π − mean)² in each stratum. Needs no joint probabilities. Raises `lonely-psu` for a stratum
    with one row unless its probability is 1, `probability-out-of-range`. Source: Brewer and Donadio (2003).
    """
    values, pi = _probabilities(z, probability)
    names, code = np.zeros(1), np.zeros(values.size, dtype=np.int64)
    if strata is not None:
        given = codes(strata, "strata")
        if given.shape != values.shape:
            raise InferenceError("length-mismatch", name="strata", found=given.shape, expected=values.shape)
        if missing_codes(given).any():
            raise InferenceError("missing-code", name="strata", row=int(np.argmax(missing_codes(given))))
        names, code = compact(plain_codes(given))
    total = 0.0
    for h in range(names.size):
        mine = code == h
        n = int(mine.sum())
        expanded = values[mine] / pi[mine]
        if n == 1:
            if pi[mine][0] < 1:
                raise InferenceError("lonely-psu", stratum=names[h].item())
            continue
        total += n / (n - 1) * float(((1 - pi[mine]) * (expanded - expanded.mean()) ** 2).sum())
    return total


def horvitz_thompson_variance(z: Array, joint: Array) -> float:
    """Return the Horvitz-Thompson variance of the total of `z` (n) from joint probabilities (n, n), diagonal π.

    It may be negative; that is a property of the estimator. Raises `probability-out-of-range`.
    """
    values, matrix = _joint(z, joint)
    pi = np.diag(matrix)
    expanded = values / pi
    return float(expanded @ ((matrix - np.outer(pi, pi)) / matrix) @ expanded)


def yates_grundy_variance(z: Array, joint: Array) -> float:
    """Return the Yates-Grundy-Sen variance of the total of `z` (n), for designs of fixed size; `joint` as above."""
    values, matrix = _joint(z, joint)
    pi = np.diag(matrix)
    expanded = values / pi
    apart = (expanded[:, None] - expanded[None, :]) ** 2
    return float(-0.5 * (((matrix - np.outer(pi, pi)) / matrix) * apart).sum())


def _probabilities(z: Array, probability: Array) -> tuple[Floats, Floats]:
    values, pi = numbers(z, "z"), numbers(probability, "probability")
    if values.ndim != 1 or values.shape != pi.shape:
        raise InferenceError("length-mismatch", name="probability", found=pi.shape, expected=values.shape)
    if values.size == 0:
        raise InferenceError("empty-data")
    wrong = ~((pi > 0) & (pi <= 1))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InferenceError("probability-out-of-range", row=at, value=float(pi[at]))
    if not np.isfinite(values).all():
        raise InferenceError("not-finite", name="z", row=int(np.argmax(~np.isfinite(values))), value="nan")
    if (np.abs(values / pi) > 1e150).any():
        at = int(np.argmax(np.abs(values / pi)))
        raise InferenceError("not-finite", name="z over its probability", row=at, value=float(values[at]))
    return values, pi


def _joint(z: Array, joint: Array) -> tuple[Floats, Floats]:
    matrix = numbers(joint, "joint")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InferenceError("length-mismatch", name="joint", found=matrix.shape, expected="a square matrix")
    values, pi = _probabilities(z, np.diag(matrix))
    wrong = ~((matrix > 0) & (matrix <= np.minimum.outer(pi, pi) * (1 + 1e-12)))
    if wrong.any():
        raise InferenceError(
            "probability-out-of-range", row=int(np.argwhere(wrong)[0][0]), value=float(matrix[wrong][0])
        )
    return values, matrix
