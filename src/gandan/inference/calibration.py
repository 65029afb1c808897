"""Weights that meet known totals: post-stratification, raking, calibration with bounds, trimming.

The result is a design with new weights that remembers how they came about: every later variance uses the
residuals of the linearised value on the calibration variables, fitted with the weights before calibration, and
replicates are calibrated anew. Totals that cannot be met are an error that names them; nothing is merged silently.

Sources: Deville and Särndal (1992), Journal of the American Statistical Association 87, equations 2.1 to 2.6 and
3.4; Deville, Särndal and Sautory (1993) for raking; Kish (1965) for the loss by unequal weights.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from gandan.inference.cells import Moments
from gandan.inference.design import Array, Bools, Codes, Design, Floats, compact, missing_codes
from gandan.inference.errors import InferenceError
from gandan.inference.given import codes as codes_of
from gandan.inference.given import number, numbers, plain_codes

Distance = Literal["linear", "raking", "logit"]
_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One calibration: the variables (sparse, n rows), the weights before it, the totals and how they were met."""

    x: Any
    base: Floats
    totals: Floats
    distance: Distance
    bounds: tuple[float, float] | None
    names: tuple[str, ...]
    fit: Floats
    """Weights of the regression that gives the residuals: those before the calibration, unless asked otherwise."""
    gram: Floats = field(repr=False)
    """Σ fit·x·x'."""


@dataclass(frozen=True, slots=True, eq=False)
class Cap:
    """One trimming of calibrated weights: the limit, the class of each row, and the calibrations made before it."""

    limit: float
    labels: Array
    code: Codes
    after: int
    rounds: int


@dataclass(frozen=True, slots=True, eq=False)
class Residualizer:
    """The calibrations of a design, in the order in which they were made, and the caps put on weights between."""

    steps: tuple[Step, ...]
    caps: tuple[Cap, ...] = ()

    def of_rows(self, rows: Codes) -> "Residualizer":
        """Return the same for some rows; fitted on all of them all the same."""
        return Residualizer(
            tuple(
                Step(s.x[rows], s.base[rows], s.totals, s.distance, s.bounds, s.names, s.fit[rows], s.gram)
                for s in self.steps
            ),
            tuple(replace(cap, code=cap.code[rows]) for cap in self.caps),
        )

    def moments(self, code: Codes, domains: int, values: Floats, below: Floats | None) -> Moments:
        """Return the domain sums of d·x, d·x·y and d·x·denominator of each step, over rows with a value."""
        from scipy.sparse import csc_array

        valid = ~np.isnan(values)
        whole = bool(valid.all())
        filled = values if whole else np.where(valid, values, 0.0)
        mask = np.ones((values.shape[0], 1)) if whole else valid.astype(np.float64)
        under = None if below is None else (below if whole else np.where(valid, below, 0.0))
        sums: list[Floats] = []
        products: list[Floats] = []
        others: list[Floats] = []
        for step in self.steps:
            matrix = _by_domain_and_column(step.x, step.fit, code, domains)
            columns = step.x.shape[1]
            sums.append((matrix @ mask).reshape(domains, columns, mask.shape[1]))
            products.append((matrix @ filled).reshape(domains, columns, values.shape[1]))
            if under is not None:
                others.append((matrix @ under).reshape(domains, columns, values.shape[1]))
        last = csc_array((self.steps[-1].fit, code, np.arange(code.size + 1)), shape=(domains, code.size))
        powers = tuple(np.asarray(last @ each) for each in (mask, filled, filled**2))
        held = (powers[0], powers[1], powers[2])
        return Moments(tuple(sums), tuple(products), tuple(others) if under is not None else None, held)

    def holds(self, moments: Moments, alpha: Floats, beta: Floats) -> Bools:
        """Return where (domain, variable) the last calibration fixes the total of z = alpha·y + beta, row by row."""
        d, dy, dyy = moments.last
        right = alpha[:, None, :] * moments.xy[-1] + beta[:, None, :] * moments.x[-1]
        squares = alpha**2 * dyy + 2 * alpha * beta * dy + beta**2 * d
        explained = (_solve(self.steps[-1].gram, right) * right).sum(axis=1)
        return np.asarray(np.abs(squares - explained) <= 1e-9 * np.abs(squares))

    def coefficients(self, moments: Moments, alpha: Floats, beta: Floats, gamma: Floats | None) -> list[Floats]:
        """Return B of each step, (domain, column, variable), for z = alpha·y + beta + gamma·denominator.

        The last calibration is fitted first: what it holds fixed has no variance, whatever was done before.
        """
        found: dict[int, Floats] = {}
        for place in reversed(range(len(self.steps))):
            step = self.steps[place]
            right = alpha[:, None, :] * moments.xy[place] + beta[:, None, :] * moments.x[place]
            if gamma is not None and moments.xz is not None:
                right = right + gamma[:, None, :] * moments.xz[place]
            for later, b in found.items():
                between = np.asarray((step.x.T @ self.steps[later].x.multiply(step.fit[:, None])).todense())
                right = right - np.einsum("qp,dpk->dqk", between, b)
            found[place] = _solve(step.gram, right)
        return [found[place] for place in range(len(self.steps))]

    def unit_sums(self, design: Design, depth: int) -> list[Floats]:
        """Return Σ w·x of each step by unit of stage `depth`, with the calibrated weights."""
        from scipy.sparse import csc_array

        level, rows = design.levels[depth], design.weight.size
        shape = (level.stratum_of_unit.size, rows)
        group = csc_array((design.weight, level.unit, np.arange(rows + 1)), shape=shape)
        return [np.asarray((group @ step.x).todense()) for step in self.steps]

    def residuals(self, z: Floats) -> Floats:
        """Return e = z − x·B for row values z (n) or (n, q): the dense form, the last step first."""
        e = z[:, None] if z.ndim == 1 else z
        for step in reversed(self.steps):
            right = np.asarray(step.x.T @ (step.fit[:, None] * e))
            e = e - np.asarray(step.x @ _solve(step.gram, right[None])[0])
        return e[:, 0] if z.ndim == 1 else e

    def negative(self, weight: Array) -> Codes:
        """Return the rows whose calibrated weight is below 0: only the unbounded linear distance makes any."""
        return np.flatnonzero(np.asarray(weight) < 0)

    def recalibrate(self, weight: Floats, factor: Floats | None = None) -> Floats:
        """Return other base weights (n) of the same rows calibrated and capped by the same steps.

        `factor` (n) is what a replicate multiplied each weight by; None for 1. A row counts `factor` times, so the
        caps hold for weight over factor: a unit that was drawn three times may weigh three times the cap. Rows of
        weight 0 stay 0, and the design's own base weights give its own weights.
        """
        times = np.ones(weight.size) if factor is None else factor
        for place, step in enumerate(self.steps, start=1):
            weight = _calibrated(step.x, weight, step.totals, step.distance, step.bounds, step.names)
            for cap in self.caps:
                if cap.after == place:
                    weight, _ = self._under(cap, weight, times, 20 * cap.rounds)
        return weight

    def _under(self, cap: Cap, weight: Floats, times: Floats, rounds: int) -> tuple[Floats, int]:
        """Return weights cut to a cap and calibrated again until both agree, and the rounds that it took."""
        alive = times != 0
        for done in range(1, rounds + 1):
            single = np.divide(weight, times, out=np.zeros(weight.size), where=alive)
            weight = times * _capped(single, cap.limit, cap.labels, cap.code, times)
            for step in self.steps[: cap.after]:
                weight = _calibrated(step.x, weight, step.totals, step.distance, step.bounds, step.names)
            single = np.divide(weight, times, out=np.zeros(weight.size), where=alive)
            if single.max() <= cap.limit * (1 + 1e-10):
                return weight, done
        told = f"the cap {cap.limit}"
        raise InferenceError("calibration-not-converged", iterations=rounds, column=told)


def calibrate(
    design: Design,
    X: Array,
    totals: Array | Sequence[float],
    distance: Distance = "linear",
    bounds: tuple[float, float] | None = None,
    *,
    names: Sequence[str] | None = None,
) -> Design:
    """Return the design with weights that meet Σ w·x = totals as near to the old ones as `distance` measures.

    `X` (n, p): finite numbers, with a column of ones where the population size is a total. `totals` (p). `distance`:
    "linear" (regression estimator; weights may fall below 0, see
    `Residualizer.negative`), "raking" (weights stay above 0), "logit" (needs
    `bounds` (L, U), 0 ≤ L < 1 < U: each weight stays between L and U times the old one). "linear" with `bounds`
    truncates. Totals are met within 1e-12 of max(|total|, 1).

    Columns that depend on others are dropped when their totals agree, else `collinear`. Raises also
    `calibration-infeasible`, `calibration-not-converged`, `option-unknown`, `not-finite`, `length-mismatch`.
    """
    x = _auxiliary(X, design.rows)
    target = numbers(totals, "totals").ravel()
    if target.size != x.shape[1]:
        raise InferenceError("length-mismatch", name="totals", found=target.size, expected=x.shape[1])
    if not np.isfinite(target).all():
        raise InferenceError("not-finite", name="totals", row=int(np.argmax(~np.isfinite(target))), value="nan")
    if distance not in get_args(Distance):
        raise InferenceError("option-unknown", name="distance", value=distance, allowed=", ".join(get_args(Distance)))
    if distance == "raking" and bounds is not None:
        raise InferenceError("option-unknown", name="bounds", value=bounds, allowed="None with raking; use logit")
    if distance == "logit" and bounds is None:
        raise InferenceError("option-unknown", name="bounds", value=bounds, allowed="(L, U) with logit")
    if bounds is not None:
        ends = numbers(bounds, "bounds")
        if ends.shape != (2,) or not (-np.inf < ends[0] < 1 < ends[1] < np.inf):
            raise InferenceError("option-unknown", name="bounds", value=bounds, allowed="L < 1 < U")
        bounds = (float(ends[0]), float(ends[1]))
    told = tuple(names) if names is not None else tuple(f"column {j}" for j in range(target.size))
    return _applied(design, x, target, distance, bounds, told)


def poststratify(design: Design, cell: Array, totals: Mapping[Any, float] | Array | Sequence[float]) -> Design:
    """Return the design with weights scaled in each cell to its known total (closed form).

    `cell` (n): codes of any kind. `totals`: by label, or in the order of the sorted labels present. Raises
    `calibration-infeasible` naming a cell that has a total but no row (or rows but no total), `missing-code`.
    """
    labels, code = _cells_of(design, cell, "cell")
    target, x = _margin(labels, code, totals)
    sums = np.bincount(code, weights=design.weight, minlength=labels.size)
    if (sums <= 0).any():
        raise InferenceError("calibration-infeasible", cell=labels[np.argmax(sums <= 0)].item())
    weight = design.weight * (target / sums)[code]
    names = tuple(str(label) for label in labels.tolist())
    return design.with_weight(weight, _extended(design, x, target, "raking", None, names))


def rake(
    design: Design,
    margins: Sequence[tuple[Array, Mapping[Any, float] | Array | Sequence[float]]],
    tol: float = 1e-12,
    max_iter: int = 200,
    *,
    fit: Literal["base", "equal"] = "base",
) -> Design:
    """Return the design with weights scaled in turn to each margin until all are met.

    `margins`: pairs of codes (n) and totals, as in `poststratify`. They must agree on the grand total within 1e-9
    (`margins-disagree`). `tol`: largest deviation from a total, relative to it. Raises
    `calibration-not-converged` after `max_iter` rounds, `calibration-infeasible`. The same weights as
    `calibrate(distance="raking")` on the indicators of all margins.

    `fit`: the regression that gives the residuals of later variances uses the weights before raking ("base",
    Deville and Särndal), or equal weights, as R's `rake` does ("equal"); they agree when the weights were equal.
    """
    if fit not in ("base", "equal"):
        raise InferenceError("option-unknown", name="fit", value=fit, allowed="base, equal")
    try:
        pairs = [(cell, totals) for cell, totals in margins]
    except (TypeError, ValueError):
        raise InferenceError("option-unknown", name="margins", value="what was given", allowed="pairs") from None
    if not pairs:
        raise InferenceError("empty-data")
    parts = []
    for place, (cell, totals) in enumerate(pairs):
        labels, code = _cells_of(design, cell, f"margins[{place}]")
        target, x = _margin(labels, code, totals)
        parts.append((labels, code, target, x))
    sums = [float(target.sum()) for _, _, target, _ in parts]
    if max(sums) - min(sums) > 1e-9 * max(abs(each) for each in sums):
        raise InferenceError("margins-disagree", sums=sums)
    weight = np.array(design.weight)
    worst, name = np.inf, ""
    for _ in range(max_iter):
        for _labels, code, target, _x in parts:
            have = np.bincount(code, weights=weight, minlength=target.size)
            with np.errstate(invalid="ignore", divide="ignore"):
                factor = np.where(have > 0, target / have, 0.0)
            weight = weight * factor[code]
        worst = 0.0
        for labels, code, target, _x in parts:
            have = np.bincount(code, weights=weight, minlength=target.size)
            off = np.abs(have - target) / np.maximum(np.abs(target), 1.0)
            if off.max() > worst:
                worst, name = float(off.max()), str(labels[int(off.argmax())])
        if worst <= tol:
            break
    else:
        raise InferenceError("calibration-not-converged", iterations=max_iter, column=name, residual=worst)
    from scipy.sparse import hstack

    x = hstack([part[3] for part in parts], format="csr")
    target = np.concatenate([part[2] for part in parts])
    names = tuple(str(label) for part in parts for label in part[0].tolist())
    keep, _ = _independent(x, np.asarray(design.weight), target, names)
    x, target, names = x[:, keep], target[keep], tuple(names[j] for j in keep)
    return design.with_weight(weight, _extended(design, x, target, "raking", None, names, fit == "equal"))


@dataclass(frozen=True, slots=True, eq=False)
class Trimmed:
    """A trimmed design; `kish_before` and `kish_after` are 1 + cv²(w), `capped` the rows that met the cap."""

    design: Design
    kish_before: float
    kish_after: float
    capped: int
    rounds: int


def trim(design: Design, times_median: float, within: Array | None = None, *, rounds: int = 50) -> Trimmed:
    """Cap weights at a multiple of their median and give the rest of the class what was cut, in proportion.

    `within` (n): classes that keep their sum of weights; None for one. The design's calibrations are then applied
    again, and both are repeated until they agree within 1e-10 of the cap; calibrated weights may therefore pass the cap
    by that much. A calibrated design remembers the cap: replicates calibrate and trim anew. Raises
    `calibration-infeasible` where a class would have to lie above the cap in every row, `calibration-not-converged`
    when cap and totals contradict each other.
    """
    if not 1 <= number(times_median, "times_median") < np.inf:
        raise InferenceError("option-unknown", name="times_median", value=times_median, allowed="1 or more")
    weight = np.array(design.weight)
    before = kish(weight)
    limit = float(times_median * np.median(weight))
    labels, code = (
        (np.zeros(1), np.zeros(weight.size, dtype=np.int64)) if within is None else _cells_of(design, within, "within")
    )
    made = design.calibration or Residualizer(())
    cap = Cap(limit, labels, code, len(made.steps), rounds)
    weight, done = made._under(cap, weight, np.ones(weight.size), rounds)
    # Without calibration the new weights are those of the design, for replicates too.
    kept = Residualizer(made.steps, (*made.caps, cap)) if made.steps else None
    result = design.with_weight(weight, kept)
    return Trimmed(result, before, kish(weight), int((design.weight > limit).sum()), done)


def kish(weight: Array) -> float:
    """Return 1 + cv²(w), the loss of precision by unequal weights (Kish 1965); 1 when they are equal."""
    values = numbers(weight, "weight").ravel()
    if values.size == 0:
        raise InferenceError("empty-data")
    if not np.isfinite(values).all() or not values.any():
        row = int(np.argmax(~np.isfinite(values)))
        raise InferenceError("weight-not-positive", row=row, value=float(values[row]))
    share = values / np.abs(values).max()
    total = float(share.sum())
    if total == 0:
        raise InferenceError("weight-not-positive", row=0, value=float(values[0]))
    return float(share.size * (share**2).sum() / total**2)


# The solution


def _applied(
    design: Design,
    x: Any,
    target: Floats,
    distance: Distance,
    bounds: tuple[float, float] | None,
    names: tuple[str, ...],
) -> Design:
    keep, _ = _independent(x, np.asarray(design.weight), target, names)
    if not keep:
        return design
    x, target, names = x[:, keep], target[keep], tuple(names[j] for j in keep)
    weight = _calibrated(x, np.asarray(design.weight), target, distance, bounds, names)
    return design.with_weight(weight, _extended(design, x, target, distance, bounds, names))


def _extended(
    design: Design,
    x: Any,
    target: Floats,
    distance: Distance,
    bounds: tuple[float, float] | None,
    names: tuple[str, ...],
    equal: bool = False,
) -> Residualizer:
    base = np.asarray(design.weight)
    fit = np.ones(base.size) if equal else base
    step = Step(x, base, target, distance, bounds, names, fit, _gram(x, fit))
    before = design.calibration or Residualizer(())
    return Residualizer((*before.steps, step), before.caps)


def _calibrated(
    x: Any, base: Floats, totals: Floats, distance: Distance, bounds: tuple[float, float] | None, names: tuple[str, ...]
) -> Floats:
    """Return base·F(x·λ) by damped Newton steps."""
    shape, slope = _distance(distance, bounds)
    size = np.maximum(np.abs(totals), 1.0)
    here = np.zeros(totals.size)
    factor = np.ones(base.size)
    residual = np.asarray(x.T @ base) - totals
    error = float((np.abs(residual) / size).max())
    start = _gram(x, base)
    for _ in range(100):
        if error <= _TOLERANCE:
            break
        u = np.asarray(x @ here)
        jacobian = _gram(x, base * slope(u)) if here.any() or distance != "linear" else start
        direction = _solve(jacobian, residual[None, :, None])[0, :, 0]
        scale, moved = 1.0, False
        for _halving in range(40):
            trial = here - scale * direction
            trial_factor = shape(np.asarray(x @ trial))
            trial_residual = np.asarray(x.T @ (base * trial_factor)) - totals
            trial_error = float((np.abs(trial_residual) / size).max())
            if trial_error < error or not np.isfinite(error):
                here, factor, residual, error, moved = trial, trial_factor, trial_residual, trial_error, True
                break
            scale /= 2
        if not moved:
            break
    # Sums of many weights cannot be nearer to their totals than their own rounding.
    if error > max(_TOLERANCE, 4e-16 * np.sqrt(base.size)):
        worst = int((np.abs(residual) / size).argmax())
        facts = {"iterations": 100, "column": names[worst], "cell": names[worst], "residual": float(residual[worst])}
        unreachable = _unreachable(x, base, totals, distance, bounds, names)
        if unreachable is not None:
            raise InferenceError("calibration-infeasible", cell=unreachable)
        raise InferenceError("calibration-infeasible" if bounds is not None else "calibration-not-converged", **facts)
    return base * factor


def _unreachable(
    x: Any, base: Floats, totals: Floats, distance: Distance, bounds: tuple[float, float] | None, names: tuple[str, ...]
) -> str | None:
    """Name a total that no weights within the bounds reach, column by column; None when each alone is in reach."""
    low, high = bounds if bounds is not None else ((0.0, np.inf) if distance == "raking" else (-np.inf, np.inf))
    for j in range(totals.size):
        column = np.asarray(x[:, [j]].todense()).ravel() * base
        up, down = column[column > 0].sum(), column[column < 0].sum()
        with np.errstate(invalid="ignore"):
            least = (low * up if up else 0.0) + (high * down if down else 0.0)
            most = (high * up if up else 0.0) + (low * down if down else 0.0)
        if totals[j] < least or totals[j] > most or (distance == "raking" and not (least < totals[j] < most)):
            return names[j]
    return None


def _distance(
    distance: Distance, bounds: tuple[float, float] | None
) -> tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]:
    """Return F and its derivative."""
    if distance == "raking":
        return (lambda u: np.exp(np.clip(u, -50, 50))), (lambda u: np.exp(np.clip(u, -50, 50)))
    if distance == "logit":
        assert bounds is not None
        low, high = bounds
        a = (high - low) / ((1 - low) * (high - 1))

        def logit(u: Floats) -> Floats:
            e = np.exp(np.clip(a * u, -500, 500))
            return np.asarray((low * (high - 1) + high * (1 - low) * e) / ((high - 1) + (1 - low) * e))

        def slope(u: Floats) -> Floats:
            f = logit(u)
            return np.asarray((f - low) * (high - f) * a / (high - low))

        return logit, slope
    if bounds is None:
        return (lambda u: 1 + u), np.ones_like
    low, high = bounds
    return (lambda u: np.clip(1 + u, low, high)), (lambda u: ((1 + u > low) & (1 + u < high)).astype(np.float64))


def _gram(x: Any, weight: Floats) -> Floats:
    return np.asarray((x.T @ x.multiply(weight[:, None])).todense())


def _solve(gram: Floats, right: Floats) -> Floats:
    """Solve gram·b = right for (…, p, k), on columns scaled to one; directions without information give 0."""
    diagonal = np.diag(gram)
    if np.count_nonzero(gram) == np.count_nonzero(diagonal):
        # Post-strata: nobody is in two of them, and there may be thousands.
        known = (diagonal > 0)[:, None]
        return np.asarray(np.where(known, right / np.where(known, diagonal[:, None], 1.0), 0.0))
    scale = np.sqrt(np.maximum(diagonal, 0.0))
    scale = np.where(scale > 0, scale, 1.0)
    scaled = gram / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(scaled)
    if values.size and values[0] > 1e-11 * values[-1]:
        middle = np.linalg.solve(scaled, right / scale[:, None])
        # One step of refinement: raking and post-strata must leave residuals of the rounding's size.
        middle = middle + np.linalg.solve(scaled, right / scale[:, None] - scaled @ middle)
        return np.asarray(middle / scale[:, None])
    keep = values > 1e-11 * max(float(values[-1]), 1e-300)
    part = vectors[:, keep]
    inverse = (part / values[keep]) @ part.T
    return np.asarray((inverse @ (right / scale[:, None])) / scale[:, None])


def _independent(x: Any, base: Floats, totals: Floats, names: tuple[str, ...]) -> tuple[list[int], int]:
    """Return the columns to keep; raise `collinear` when the totals of those left out contradict."""
    from scipy.linalg import qr

    if totals.size == 0:
        return [], 0
    gram = _gram(x, np.abs(base))
    scale = np.sqrt(np.diag(gram))
    empty = scale == 0
    if (empty & (totals != 0)).any():
        raise InferenceError("calibration-infeasible", cell=names[int(np.argmax(empty & (totals != 0)))])
    scale = np.where(empty, 1.0, scale)
    scaled = gram / np.outer(scale, scale)
    _, r, order = qr(scaled, pivoting=True)
    diagonal = np.abs(np.diag(r))
    rank = int((diagonal > 1e-10 * max(float(diagonal[0]), 1e-300)).sum())
    if rank == totals.size:
        return list(range(totals.size)), rank
    keep, left = sorted(order[:rank].tolist()), sorted(order[rank:].tolist())
    if not keep:
        return [], 0
    weights = np.linalg.lstsq(scaled[np.ix_(keep, keep)], scaled[np.ix_(keep, left)], rcond=None)[0]
    implied = (totals[keep] / scale[keep]) @ weights * scale[left]
    off = np.abs(implied - totals[left]) > 1e-9 * np.maximum(np.abs(totals[left]), np.abs(totals).max())
    if off.any():
        raise InferenceError("collinear", columns=[names[left[j]] for j in np.flatnonzero(off)])
    return keep, rank


# Shapes


def _auxiliary(given: Array, rows: int) -> Any:
    from scipy.sparse import csr_array, issparse

    if issparse(given):
        x = csr_array(given).astype(np.float64)
    else:
        dense = numbers(given, "X")
        dense = dense[:, None] if dense.ndim == 1 else dense
        if dense.ndim != 2:
            raise InferenceError("length-mismatch", name="X", found=dense.shape, expected=rows)
        if not np.isfinite(dense).all():
            at = np.argwhere(~np.isfinite(dense))[0]
            raise InferenceError("not-finite", name="X", row=int(at[0]), value=float(dense[tuple(at)]))
        x = csr_array(dense)
    if x.shape[0] != rows:
        raise InferenceError("length-mismatch", name="X", found=x.shape, expected=rows)
    if not np.isfinite(x.data).all():
        raise InferenceError("not-finite", name="X", row=0, value="nan")
    return x


def _cells_of(design: Design, given: Array, name: str) -> tuple[Array, Codes]:
    codes = codes_of(given, name)
    if codes.shape != (design.rows,):
        raise InferenceError("length-mismatch", name=name, found=codes.shape, expected=design.rows)
    missing = missing_codes(codes)
    if missing.any():
        raise InferenceError("missing-code", name=name, row=int(np.argmax(missing)))
    return compact(plain_codes(codes))


def _margin(labels: Array, code: Codes, totals: Mapping[Any, float] | Array | Sequence[float]) -> tuple[Floats, Any]:
    from scipy.sparse import csr_array

    if isinstance(totals, Mapping):
        known = labels.tolist()
        for label, total in totals.items():
            if label not in known and total != 0:
                raise InferenceError("calibration-infeasible", cell=label)
        for label in known:
            if label not in totals:
                raise InferenceError("calibration-infeasible", cell=label, total="none given")
        target = np.array([number(totals[label], "totals") for label in known])
    else:
        target = numbers(totals, "totals").ravel()
        if target.size != labels.size:
            raise InferenceError("length-mismatch", name="totals", found=target.size, expected=labels.size)
    wrong = ~(np.isfinite(target) & (target >= 0))
    if wrong.any():
        raise InferenceError("not-finite", name="totals", row=int(np.argmax(wrong)), value=float(target[wrong][0]))
    x = csr_array((np.ones(code.size), code, np.arange(code.size + 1)), shape=(code.size, labels.size))
    return target, x


def _by_domain_and_column(x: Any, base: Floats, code: Codes, domains: int) -> Any:
    """Return the sparse matrix (domain × column, row) of d·x, so that its product with y is Σ d·x·y by domain."""
    from scipy.sparse import csc_array

    rows, columns = x.shape
    row = np.repeat(np.arange(rows), np.diff(x.indptr))
    keys = code[row] * columns + x.indices
    return csc_array((x.data * base[row], keys, x.indptr), shape=(domains * columns, rows))


def _capped(weight: Floats, cap: float, labels: Array, code: Codes, times: Floats) -> Floats:
    """Return weights below the cap that keep the sums of their classes, each row counted so many times."""
    weight = np.array(weight)
    sums = np.bincount(code, weights=times * weight, minlength=labels.size)
    rows = np.bincount(code, weights=times, minlength=labels.size)
    if (sums > cap * rows * (1 + 1e-12)).any():
        raise InferenceError("calibration-infeasible", cell=labels[np.argmax(sums > cap * rows)].item())
    for _ in range(weight.size):
        over = weight > cap * (1 + 1e-14)
        if not over.any():
            break
        weight[over] = cap
        free = weight < cap * (1 - 1e-14)
        lost = sums - np.bincount(code, weights=times * weight, minlength=labels.size)
        room = np.bincount(code, weights=np.where(free, times * weight, 0.0), minlength=labels.size)
        factor = 1 + np.where(room > 0, lost / np.where(room > 0, room, 1.0), 0.0)
        weight = np.where(free, weight * factor[code], weight)
    return weight
