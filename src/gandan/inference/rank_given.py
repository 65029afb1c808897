"""What is given to rank: estimates, their covariance, which units, and how sure to be."""

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from gandan.inference.design import Floats
from gandan.inference.errors import InferenceError
from gandan.inference.given import codes, number, numbers, whole
from gandan.inference.intervals import check_level

Kind = Literal["two-sided", "lower", "upper"]
Ranks = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SAME = 8 * float(np.finfo(np.float64).eps)
"""Two estimates whose difference has this share of their variance vary together: the rest is rounding."""


def covariance(given: Any, size: int) -> tuple[Floats, Floats | None]:
    """Return (standard errors, covariance matrix or None for independent estimates)."""
    cov = numbers(given, "cov", copy=True)
    if cov.shape not in ((size,), (size, size)):
        raise InferenceError("length-mismatch", name="cov", found=cov.shape, expected=size)
    finite = np.isfinite(cov)
    if not finite.all():
        row = int(np.argwhere(~finite)[0][0])
        raise InferenceError("not-finite", name="cov", row=row, value=str(cov[~finite][0]))
    if cov.ndim == 1:
        if (cov < 0).any():
            raise InferenceError("negative-se", row=int(np.argmax(cov < 0)))
        return cov, None
    largest = float(np.abs(cov).max())
    if float(np.abs(cov - cov.T).max()) > 1e-8 * largest:
        raise InferenceError("covariance-not-symmetric")
    cov = (cov + cov.T) / 2
    variance = np.diag(cov)
    if (variance < -1e-10 * largest).any():
        raise InferenceError("covariance-not-psd", smallest=float(variance.min()))
    se = np.sqrt(np.maximum(variance, 0.0))
    if not (cov - np.diag(variance)).any():
        return se, None
    return se, cov


def root_of(matrix: Floats) -> Floats:
    """Return A with A·Aᵀ = matrix; a smallest eigenvalue below rounding is refused, not mended."""
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-10 * max(values[-1], 0.0) or values[-1] < 0:
        raise InferenceError("covariance-not-psd", smallest=float(values[0]))
    root: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def positions(units: Any, size: int) -> Ranks:
    if units is None:
        return np.arange(size)
    wanted = np.atleast_1d(codes(units, "units"))
    if wanted.size == 0:
        raise InferenceError("empty-data")
    if wanted.ndim != 1 or wanted.dtype.kind not in "iu":
        raise InferenceError("unit-unknown", unit=units, units=size)
    wrong = (wanted < 0) | (wanted >= size)
    if wrong.any():
        raise InferenceError("unit-unknown", unit=int(wanted[np.argmax(wrong)]), units=size)
    if np.unique(wanted).size != wanted.size:
        raise InferenceError("unit-unknown", unit="named twice", units=size)
    return wanted.astype(np.int64)


def point_ranks(x: Floats) -> Ranks:
    """Return 1 + the number of larger values."""
    ranks: Ranks = 1 + x.size - np.searchsorted(np.sort(x), x, side="right").astype(np.int64)
    return ranks


def check(level: float, kind: str) -> None:
    check_level(level)
    if kind not in get_args(Kind):
        raise InferenceError("option-unknown", name="kind", value=kind, allowed=", ".join(get_args(Kind)))


def check_draws(draws: int, level: float) -> None:
    needed = int(np.ceil(5 / min(level, 1 - level)))
    if whole(draws, "draws") < needed:
        raise InferenceError("too-few-draws", draws=draws, needed=needed)


def check_tau(tau: int, size: int) -> None:
    if not 1 <= number(tau, "tau") <= size or tau != int(tau):
        raise InferenceError("tau-out-of-range", tau=tau, units=size)
