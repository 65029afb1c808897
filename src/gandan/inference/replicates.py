"""Variances by replication: the same statistic again and again on weights that leave out or double units.

V = scale · Σ rscales · (θ_r − centre)(θ_r − centre)ᵀ. A calibrated design calibrates every replicate anew, and trims
it where the design was trimmed. The jackknife is not valid for quantiles; the half-sample and bootstrap families are.

Sources: Wolter (2007), Introduction to Variance Estimation, chapters 3 to 5; Fay in Dippo, Fay and Morganstein
(1984); Rao and Wu (1988), equation 2.3, and Rao, Wu and Yue (1992).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.random import Generator

from gandan.inference.cells import collapse
from gandan.inference.design import Array, Codes, Design, Floats, Level, lift
from gandan.inference.errors import InferenceError
from gandan.inference.estimates import check_options
from gandan.inference.flags import BIT, Flags
from gandan.inference.given import number, numbers, whole
from gandan.inference.intervals import t_quantile

Kind = Literal["jk1", "jkn", "brr", "fay", "rao-wu", "bootstrap"]
Centre = Literal["mean", "estimate", "mse"]


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """Replicate weights (n, R), made here or supplied from outside, and how to put their results together.

    `scale` and `rscales` (R) as above; `centre`: "mean" of the replicates with rscales above 0, or the "estimate" of
    the full sample ("mse" is R's name of the same). `design_df` caps the degrees of freedom; None where the design is
    unknown. Refuses with InferenceError `not-finite`, `length-mismatch`, `option-unknown`.
    """

    weights: Floats
    scale: float
    rscales: Floats
    centre: Centre = "mean"
    design_df: int | None = None

    def __post_init__(self) -> None:
        weights = numbers(self.weights, "weights")
        if weights.ndim != 2 or weights.size == 0:
            raise InferenceError("length-mismatch", name="weights", found=weights.shape, expected="(rows, replicates)")
        if not np.isfinite(weights).all():
            at = np.argwhere(~np.isfinite(weights))[0]
            raise InferenceError("not-finite", name="weights", row=int(at[0]), value=float(weights[tuple(at)]))
        rscales = numbers(self.rscales, "rscales")
        scale = number(self.scale, "scale")
        rscales = np.full(weights.shape[1], float(rscales)) if rscales.ndim == 0 else rscales
        if rscales.shape != (weights.shape[1],):
            raise InferenceError("length-mismatch", name="rscales", found=rscales.shape, expected=weights.shape[1])
        if not (np.isfinite(rscales).all() and (rscales >= 0).all() and np.isfinite(scale) and scale >= 0):
            raise InferenceError("not-finite", name="rscales", row=0, value="negative or not a number")
        if self.centre not in get_args(Centre):
            raise InferenceError(
                "option-unknown", name="centre", value=self.centre, allowed=", ".join(get_args(Centre))
            )
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "rscales", rscales)

    @property
    def df(self) -> int:
        """Rank of the weights less 1, and not above that of the design."""
        gram = self.weights.T @ self.weights if self.weights.shape[0] > self.weights.shape[1] else None
        matrix = self.weights if gram is None else gram
        tolerance = None if gram is None else 1e-10
        values = np.linalg.svd(matrix, compute_uv=False)
        limit = values[0] * (max(matrix.shape) * np.finfo(float).eps if tolerance is None else tolerance)
        rank = int((values > limit).sum())
        return rank - 1 if self.design_df is None else min(rank - 1, self.design_df)


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """What each replicate multiplies the weight of each primary unit by: (units, R); units numbered by stratum."""

    factor: Floats
    scale: float
    rscales: Floats
    design_df: int


def replicate_factors(
    design: Design,
    kind: Kind,
    n: int | None = None,
    rng: Generator | None = None,
    *,
    rho: float = 0.3,
    hadamard: Array | None = None,
) -> Factors:
    """Return the factors of the primary units; see `replicate_weights` for kinds and refusals."""
    # The field writes JK1, JKn, BRR, Fay, Rao-Wu.
    named = cast(Kind, kind.lower().replace("_", "-") if isinstance(kind, str) else kind)
    if named not in get_args(Kind):
        raise InferenceError("option-unknown", name="kind", value=kind, allowed=", ".join(get_args(Kind)))
    first = design.levels[0]
    kind = named
    if kind == "jk1":
        return _jackknife_one(design, first)
    if kind == "jkn":
        return _jackknife(design, first)
    if kind in ("brr", "fay"):
        return _half_samples(design, first, 0.0 if kind == "brr" else rho, n, hadamard)
    return _bootstrap(design, first, kind, n, rng)


def replicate_weights(
    design: Design,
    kind: Kind,
    n: int | None = None,
    rng: Generator | None = None,
    *,
    rho: float = 0.3,
    hadamard: Array | None = None,
    centre: Centre = "mean",
) -> Replicates:
    """Return replicate weights (rows, R) of a design.

    `kind`, in capitals or not: "jk1" leaves out each unit of an unstratified design; "jkn" each unit of each stratum;
    "brr" balanced half samples of two units per stratum; "fay" the same with factors 2 − rho and rho; "rao-wu" draws
    n_h − 1 units with replacement and rescales; "bootstrap" draws n_h (factors may fall below 0). The last two need
    `n` replicates and `rng`. `n` of half samples asks for at least so many. `hadamard`: a matrix of ±1 (or 1 and 0)
    to use instead of ours: a column for each stratum, after the one of ones that is left out; 1 doubles the second
    unit. Population sizes enter by 1 − f; a stratum taken whole has no replicate of weight. Half samples ignore them.

    Each replicate is the estimator of the full sample: the weights before the first calibration times its factors, then
    every calibration and trimming of the design in their order. A cap stays what it was in the full sample and holds
    for weight over factor, as a unit counted twice weighs twice. (R's `as.svrepdesign` is documented for designs
    without calibration; calibrated and trimmed afterwards, its replicates are neither calibrated again nor given their
    factor's share of the cap.)

    Raises InferenceError: `lonely-psu` (unless the design says "remove"), `replicates-need-pairs`,
    `option-unknown`, and what calibration and trimming raise for a replicate that cannot meet its totals.
    """
    found = replicate_factors(design, kind, n, rng, rho=rho, hadamard=hadamard)
    unit = design.levels[0].unit
    if design.calibration is None:
        weights = design.weight[:, None] * found.factor[unit]
    else:
        base = design.calibration.steps[0].base
        weights = np.empty((base.size, found.factor.shape[1]))
        for r in range(weights.shape[1]):
            try:
                times = found.factor[unit, r]
                weights[:, r] = design.calibration.recalibrate(base * times, times)
            except InferenceError as error:
                raise InferenceError(error.code, **(error.facts | {"replicate": r})) from None
    return Replicates(weights, found.scale, found.rscales, centre, found.design_df)


def replicate_estimate(
    statistic: Callable[[Floats], Any], weight: Array, replicates: Replicates
) -> tuple[Floats, Floats]:
    """Return (theta (q), covariance (q, q)) of any statistic of the weights.

    `statistic` takes weights (n) and returns a number or a vector; it must be finite on the full sample and on
    every replicate that counts (`not-finite` names the replicate). `weight` (n): full-sample weights.
    """
    full = numbers(weight, "weight")
    if full.shape != (replicates.weights.shape[0],):
        raise InferenceError("length-mismatch", name="weight", found=full.shape, expected=replicates.weights.shape[0])
    if not np.isfinite(full).all():
        at = int(np.argmax(~np.isfinite(full)))
        raise InferenceError("not-finite", name="weight", row=at, value=float(full[at]))
    theta = np.atleast_1d(numbers(statistic(full), "statistic")).ravel()
    counted = np.flatnonzero(replicates.rscales > 0)
    again = np.empty((counted.size, theta.size))
    for place, r in enumerate(counted.tolist()):
        found = numbers(statistic(replicates.weights[:, r]), "statistic").ravel()
        if found.size != theta.size:
            raise InferenceError("length-mismatch", name="statistic", found=found.size, expected=theta.size)
        again[place] = found
    for name, values in (("statistic", theta[None]), ("statistic on a replicate", again)):
        if not np.isfinite(values).all():
            at = int(np.argwhere(~np.isfinite(values))[0][0])
            raise InferenceError("not-finite", name=name, row=int(counted[at]) if counted.size else 0, value="nan")
    return theta, combined(again, replicates.scale, replicates.rscales[counted], replicates.centre, theta)


def combined(again: Floats, scale: float, rscales: Floats, centre: Centre, theta: Floats) -> Floats:
    """Return the covariance (q, q) of replicate results (R, q)."""
    if again.shape[0] == 0:
        return np.zeros((theta.size, theta.size))
    off = again - (again.mean(axis=0) if centre == "mean" else theta)
    return np.asarray(scale * (off * rscales[:, None]).T @ off)


@dataclass(frozen=True, slots=True, eq=False)
class ReplicateEstimates:
    """Means or totals by domain (row) and variable (column), with replicate standard errors and t intervals."""

    est: Floats
    se: Floats
    lo: Floats
    hi: Floats
    df: int
    flags: Flags
    domains: Array
    level: float


def replicate_domains(
    design: Design,
    y: Array,
    domain: Array | None,
    factors: Factors,
    *,
    stat: Literal["mean", "total", "ratio"] = "mean",
    denominator: Array | None = None,
    centre: Centre = "mean",
    level: float = 0.95,
) -> ReplicateEstimates:
    """Return domain estimates with replicate variances from one pass over the rows.

    The replicates multiply sums of primary units, so rows are read once and memory is units × R beside the cells.
    For designs without calibration (`design-differs` otherwise). A replicate that empties a domain is left out of
    its variance and the rest is scaled up; flagged `one-psu` when none is left.
    """
    from scipy.sparse import csr_array

    check_options(stat, None, level, denominator)
    if design.calibration is not None:
        raise InferenceError("design-differs", what="replicates of sums, and weights before calibration,")
    cells = collapse(design, y, domain, denominator=denominator)
    assert cells.domains is not None and cells.centre is not None
    count, wide = cells.domains.size, cells.wy.shape[1]
    primary: Codes = lift(design.levels, 0, cells.psu)
    est, se = np.empty((count, wide)), np.empty((count, wide))
    bits = np.zeros((count, wide), dtype=np.uint16)
    keep = factors.rscales > 0
    matrix, rscales = factors.factor[:, keep], factors.rscales[keep]
    units = matrix.shape[0]

    def resampled(values: Floats) -> tuple[Floats, Floats]:
        grouped = csr_array((values, (cells.domain, primary)), shape=(count, units))
        return np.asarray(grouped.sum(axis=1)).ravel(), np.asarray(grouped @ matrix)

    shared_w = resampled(np.asarray(cells.w[:, 0])) if cells.w.shape[1] == 1 else None
    for k in range(wide):
        top, tops = resampled(np.asarray(cells.wy[:, k]))
        weight, weights = shared_w if shared_w is not None else resampled(np.asarray(cells.w[:, k]))
        offset = cells.centre[k]
        with np.errstate(invalid="ignore", divide="ignore"):
            if stat == "total":
                theta, again = top + offset * weight, tops + offset * weights
            elif stat == "ratio":
                assert cells.wx is not None
                below, belows = resampled(np.asarray(cells.wx[:, k]))
                theta, again = top / below, tops / belows
            else:
                theta, again = offset + top / weight, offset + tops / weights
        empty = ~np.isfinite(theta) | (weight == 0)
        theta = np.where(empty, np.nan, theta)
        ok = np.isfinite(again)
        share = np.where(ok.any(axis=1), ok.shape[1] / np.maximum(ok.sum(axis=1), 1), 0.0)
        middle = np.where(ok, again, 0.0).sum(axis=1) / np.maximum(ok.sum(axis=1), 1) if centre == "mean" else theta
        off = np.where(ok, again - np.where(empty, 0.0, middle)[:, None], 0.0)
        variance = factors.scale * share * (off**2 @ rscales)
        lost = ~ok.any(axis=1) & ~empty
        est[:, k], se[:, k] = theta, np.where(empty | lost, np.nan, np.sqrt(variance))
        bits[empty, k] |= BIT["empty"]
        bits[lost, k] |= BIT["one-psu"]
    q = float(t_quantile(0.5 + level / 2, factors.design_df))
    if factors.design_df <= 0:
        bits[~np.isnan(est)] |= BIT["few-psu"]
    return ReplicateEstimates(est, se, est - q * se, est + q * se, factors.design_df, Flags(bits), cells.domains, level)


# The kinds


def _lonely(design: Design, first: Level) -> None:
    alone = first.lonely
    if alone.any() and design.lonely != "remove":
        raise InferenceError("lonely-psu", stratum=first.labels[int(np.argmax(alone))])


def _jackknife_one(design: Design, first: Level) -> Factors:
    units = first.stratum_of_unit.size
    if first.sampled.size != 1:
        raise InferenceError("option-unknown", name="kind", value="jk1", allowed="jkn for a design with strata")
    if units < 2:
        raise InferenceError("lonely-psu", stratum=first.labels[0])
    factor = np.full((units, units), units / (units - 1))
    np.fill_diagonal(factor, 0.0)
    scale = (units - 1) / units * (1 - float(first.fraction[0]))
    return Factors(factor, scale, np.ones(units), design.df)


def _jackknife(design: Design, first: Level) -> Factors:
    _lonely(design, first)
    stratum = first.stratum_of_unit
    left = np.flatnonzero(first.sampled[stratum] > 1)
    factor = np.ones((stratum.size, left.size))
    n = first.sampled[stratum[left]].astype(np.float64)
    for r, unit in enumerate(left.tolist()):
        factor[stratum == stratum[unit], r] = n[r] / (n[r] - 1)
        factor[unit, r] = 0.0
    rscales = np.where(first.certain, 0.0, 1 - first.fraction)[stratum[left]] * (n - 1) / n
    return Factors(factor, 1.0, rscales, design.df)


def _half_samples(design: Design, first: Level, rho: float, n: int | None, hadamard: Array | None) -> Factors:
    wrong = first.sampled != 2
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InferenceError("replicates-need-pairs", stratum=first.labels[at], sampled=int(first.sampled[at]))
    if not 0 <= number(rho, "rho") < 1:
        raise InferenceError("option-unknown", name="rho", value=rho, allowed="0 or more and below 1")
    strata = first.sampled.size
    least = 0 if n is None else whole(n, "n")
    matrix = _hadamard(max(strata + 1, least)) if hadamard is None else numbers(hadamard, "hadamard")
    matrix = np.where(matrix > 0, 1.0, -1.0)
    runs = matrix.shape[0] if matrix.ndim else 0
    if matrix.ndim != 2 or matrix.shape[1] < strata:
        raise InferenceError(
            "length-mismatch", name="hadamard", found=matrix.shape, expected=f"{strata} columns or more"
        )
    columns = matrix[:, 1 : strata + 1] if matrix.shape[1] > strata else matrix[:, :strata]
    if not np.allclose(columns.T @ columns, runs * np.eye(strata)):
        raise InferenceError("option-unknown", name="hadamard", value="unbalanced", allowed="orthogonal columns")
    sign = columns.T[first.stratum_of_unit]
    second = np.zeros(first.stratum_of_unit.size, dtype=bool)
    second[1:] = first.stratum_of_unit[1:] == first.stratum_of_unit[:-1]
    sign = np.where(second[:, None], sign, -sign)
    factor = np.where(sign > 0, 2 - rho, rho)
    return Factors(factor, 1 / (runs * (1 - rho) ** 2), np.ones(runs), design.df)


def _bootstrap(design: Design, first: Level, kind: str, n: int | None, rng: Generator | None) -> Factors:
    n = None if n is None else whole(n, "n")
    if n is None or n < 2:
        raise InferenceError("option-unknown", name="n", value=n, allowed="2 or more replicates")
    if rng is None:
        raise InferenceError("option-unknown", name="rng", value=None, allowed="a numpy Generator")
    _lonely(design, first)
    factor = np.ones((first.stratum_of_unit.size, n))
    starts = np.concatenate([[0], np.cumsum(first.sampled)])
    for h in range(first.sampled.size):
        size = int(first.sampled[h])
        if size < 2:
            continue
        draws = size - 1 if kind == "rao-wu" else size
        left = 0.0 if first.certain[h] else 1 - float(first.fraction[h])
        stretch = np.sqrt(draws * left / (size - 1))
        hits = rng.multinomial(draws, np.full(size, 1 / size), size=n).T
        factor[starts[h] : starts[h + 1]] = 1 - stretch + stretch * size / draws * hits
    return Factors(factor, 1 / (n - 1), np.ones(n), design.df)


def _hadamard(least: int) -> Floats:
    """Return a Hadamard matrix with a first column of ones: of the smallest order ≥ `least` that Sylvester's
    doubling and Paley's first construction give."""
    order = 1 if least <= 1 else 2 if least == 2 else 4 * -(-least // 4)
    while True:
        odd, doublings = order, 0
        while odd > 2 and odd % 2 == 0 and not _is_paley(odd):
            odd, doublings = odd // 2, doublings + 1
        if odd in (1, 2) or _is_paley(odd):
            matrix = _paley(odd) if odd > 2 else np.array([[1.0, 1.0], [1.0, -1.0]])[:odd, :odd]
            for _ in range(doublings):
                matrix = np.block([[matrix, matrix], [matrix, -matrix]])
            return np.asarray(matrix * matrix[:, :1])
        order += 4


def _is_paley(order: int) -> bool:
    q = order - 1
    return q % 4 == 3 and all(q % d for d in range(3, int(q**0.5) + 1, 2))


def _paley(order: int) -> Floats:
    q = order - 1
    squares = {d * d % q for d in range(1, q)}
    character = np.array([0.0] + [1.0 if d in squares else -1.0 for d in range(1, q)])
    jacobsthal = character[(np.arange(q)[None, :] - np.arange(q)[:, None]) % q]
    matrix = np.ones((order, order))
    matrix[1:, 1:] = jacobsthal + np.eye(q)
    matrix[1:, 0] = -1.0
    return matrix
