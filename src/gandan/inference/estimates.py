"""Totals, means, proportions, ratios and quantiles of domains, with standard errors that follow the design.

One pass over the rows groups them by (domain, last-stage unit); everything after works on those cells. Domains
are never subsets: a unit without members of a domain counts as zero, and the number of units in a stratum is
always that of the whole stratum. Row order, labels and the scale of the weights of a mean never matter.

Sources: Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, chapters 4, 5 and 10; Binder
(1983) for linearisation; Korn and Graubard (1998) for intervals of proportions; Woodruff (1952) for quantiles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from gandan.inference.cells import Cells, collapse, framed, matrix_of, members, sampled_in_part
from gandan.inference.design import Array, Codes, Design, Floats, Lonely
from gandan.inference.design_effects import design_effects
from gandan.inference.distribution import Curve, Rule
from gandan.inference.domains import by_domain, domain_codes, runs
from gandan.inference.errors import InferenceError
from gandan.inference.flags import BIT, Flags
from gandan.inference.given import number, numbers
from gandan.inference.intervals import (
    Interval,
    check_level,
    degrees_of_freedom,
    interval,
    never_zero_width,
    t_quantile,
)
from gandan.inference.linearisation import covariance_of_totals, variance_of_totals
from gandan.inference.unequal_probabilities import brewer_variance, horvitz_thompson_variance, yates_grundy_variance

__all__ = [
    "Cells",
    "Contrast",
    "Estimates",
    "Flags",
    "Quantiles",
    "brewer_variance",
    "collapse",
    "contrast",
    "domain_cov",
    "estimate_cells",
    "estimate_domains",
    "horvitz_thompson_variance",
    "quantiles",
    "yates_grundy_variance",
]

Stat = Literal["mean", "total", "ratio", "proportion"]


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Estimates of every domain (row) and variable (column).

    `est`, `se`, `df`, `lo`, `hi`, `deff`, `deff_replace`, `n` (rows with a value), `n_psu` (primary units with such
    rows), `sum_w`: arrays (domain, variable). `deff` compares with simple random sampling without replacement,
    `deff_replace` with replacement. A number that cannot be had is NaN and `flags` says why. `domains` are the
    labels of the rows. `level` is the confidence level of lo and hi, `ci` the kind of interval.
    """

    est: Floats
    se: Floats
    df: Floats
    lo: Floats
    hi: Floats
    deff: Floats
    deff_replace: Floats
    n: Codes
    n_psu: Codes
    sum_w: Floats
    flags: Flags
    domains: Array
    stat: Stat
    ci: str
    level: float


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Linear combinations of estimates: (q) arrays, `cov` (q, q); `p_value` is two-sided.

    A combination that uses an estimate which could not be had is NaN and flagged `empty`.
    """

    est: Floats
    se: Floats
    df: float
    lo: Floats
    hi: Floats
    t: Floats
    p_value: Floats
    cov: Floats
    level: float
    flags: Flags


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """Quantiles of every domain (row) and probability (column); interval ends outside the data are NaN, flagged."""

    est: Floats
    se: Floats
    lo: Floats
    hi: Floats
    df: Floats
    n: Codes
    flags: Flags
    domains: Array
    p: Floats
    rule: Rule
    level: float


def estimate_domains(
    design: Design,
    y: Array,
    domain: Array | None = None,
    *,
    stat: Stat = "mean",
    denominator: Array | None = None,
    ci: Interval | None = None,
    level: float = 0.95,
    df: Literal["design", "domain"] | float = "design",
    domains: Sequence[Any] | Array | None = None,
) -> Estimates:
    """Return estimates of every domain and variable, with linearised standard errors.

    `y` (n) or (n, K), NaN where missing: a missing value is outside its variable's domain, its row stays in the
    design. `stat`: "mean", "total", "ratio" (needs `denominator`, (n) or (n, K)), "proportion" (values 0 to 1).
    `ci`: "t", "logit", "asin" or "korn" (Korn and Graubard, R's "beta"); None means "t", and "logit" for a proportion.
    A proportion of 0 or 1, from one unit, or which all units show alike, has no variance of its own: it gets a "korn"
    interval on the pooled design effect of the other domains, flagged `zero-variance` and `pooled-deff`, unless
    everybody was asked or a calibration fixes it; a mean or ratio from one unit gets none. `df`: of the whole design,
    of the units and strata with members, or a number (`math.inf` for normal quantiles).

    Raises InferenceError: `lonely-psu`, `not-finite`, `length-mismatch`, `option-unknown`, `level-out-of-range`,
    `domain-unknown`, and `not-a-proportion` for values outside 0 to 1.
    """
    check_options(stat, ci, level, denominator)
    if stat == "proportion":
        values = matrix_of(y, design.rows, "y")
        with np.errstate(invalid="ignore"):
            wrong = (values < 0) | (values > 1)
        if wrong.any():
            at = np.argwhere(wrong)[0]
            raise InferenceError("not-a-proportion", row=int(at[0]), value=float(values[tuple(at)]))
    cells = collapse(design, y, domain, denominator=denominator, domains=domains)
    return estimate_cells(cells, stat=stat, ci=ci, level=level, df=df)


def estimate_cells(
    cells: Cells,
    stratum_n: Array | Mapping[Any, int] | None = None,
    *,
    fpc: Array | Mapping[Any, float] | None = None,
    stat: Stat = "mean",
    ci: Interval | None = None,
    level: float = 0.95,
    df: Literal["design", "domain"] | float = "design",
    lonely: Lonely | None = None,
) -> Estimates:
    """Return estimates from cells: those of `collapse`, or those that a database grouped.

    For the latter `stratum_n` gives the primary units sampled in each stratum of the whole sample, by stratum code
    (a mapping, or an array indexed by the code), and `fpc` likewise those in the population. Cells of the same
    domain and unit are added up. Options and results as in `estimate_domains`. Raises also `stratum-unknown`.
    """
    check_options(stat, ci, level, cells.wx)
    if lonely is not None and lonely not in get_args(Lonely):
        raise InferenceError("option-unknown", name="lonely", value=lonely, allowed=", ".join(get_args(Lonely)))
    cells, levels = framed(cells, stratum_n, fpc)
    rule: Lonely = lonely or (cells.design.lonely if cells.design is not None else "raise")
    assert cells.domains is not None
    domains, wide = cells.domains.size, cells.wy.shape[1]
    centre = np.zeros(wide) if cells.centre is None else cells.centre
    starts, found = runs(cells.domain)
    n = by_domain(np.asarray(cells.n, dtype=np.float64), starts, found, domains)
    total_w = by_domain(cells.w, starts, found, domains)
    total_y = by_domain(cells.wy, starts, found, domains)
    n, total_w = (np.broadcast_to(each, (domains, wide)).copy() for each in (n, total_w))
    bits = np.zeros((domains, wide), dtype=np.uint16)
    empty = (n == 0) | (total_w <= 0)
    bits[empty] |= BIT["empty"]
    scale_x = None
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if stat == "ratio":
            assert cells.wx is not None
            scale_x = by_domain(cells.wx, starts, found, domains)
            nothing = (scale_x == 0) & ~empty
            bits[nothing] |= BIT["zero-denominator"]
            est = np.where(empty | nothing, np.nan, total_y / scale_x)
            if (np.abs(est) > 1e150).any() or (np.abs(scale_x[~nothing & ~empty]) < 1e-150).any():
                raise InferenceError("not-finite", name="a ratio to its denominator", row=0, value="beyond numbers")
            alpha, beta, gamma = 1 / scale_x, np.zeros_like(est), -est / scale_x
        elif stat == "total":
            est = np.where(empty, np.nan, total_y + centre * total_w)
            alpha, beta, gamma = np.ones_like(est), np.broadcast_to(centre, est.shape).copy(), None
        else:
            shift = total_y / total_w
            est = np.where(empty, np.nan, centre + shift)
            alpha, beta, gamma = 1 / total_w, -shift / total_w, None
    bad = np.isnan(est)
    for each in (alpha, beta, gamma):
        if each is not None:
            each[bad] = 0.0
    variance = variance_of_totals(cells, levels, rule, alpha, beta, gamma)
    variance[bad] = np.nan
    alone = np.isnan(variance) & ~bad
    bits[alone] |= BIT["lonely-psu"]
    n_psu, strata_met = members(cells, levels, wide)
    bits[(n_psu == 1) & ~bad] |= BIT["one-psu"]
    se = np.sqrt(variance)
    with np.errstate(invalid="ignore"):
        still = ~bad & (se <= 1e-13 * np.maximum(np.abs(est), 1e-300))
    bits[still] |= BIT["zero-variance"]
    freedom = degrees_of_freedom(df, levels[0], n_psu, strata_met)
    bits[(freedom <= 0) & ~bad] |= BIT["few-psu"]
    deff, deff_replace = design_effects(cells, stat, est, variance, n, total_w, total_y, scale_x)
    undefined = ~bad & (np.isnan(deff) | np.isnan(deff_replace))
    if cells.spread is not None:
        bits[undefined] |= BIT["deff-undefined"]
    kind: Interval = ci or ("logit" if stat == "proportion" else "t")
    lo, hi = interval(kind, est, se, freedom, level, n)
    # One unit shows no variance between units: unless everybody was asked, its zero is ignorance, not certainty.
    asked_in_part = sampled_in_part(cells, levels, wide)
    blind = still & (n_psu == 1) & asked_in_part
    if stat == "proportion":
        # Units may also agree by chance: that they show the same share does not make it sure.
        with np.errstate(invalid="ignore"):
            blind |= ~bad & asked_in_part & (se <= 1e-9 * np.sqrt(np.maximum(est * (1 - est), 0) / np.maximum(n, 1)))
        if cells.moments is not None and cells.design is not None and cells.design.calibration is not None:
            blind &= (n_psu == 1) | ~cells.design.calibration.holds(cells.moments, alpha, beta)
        never_zero_width(est, lo, hi, bits, blind, deff_replace, n, n_psu, freedom, level)
    elif stat != "total":
        lo, hi = np.where(blind, np.nan, lo), np.where(blind, np.nan, hi)
    lost = ~bad & ~blind & (freedom > 0) & np.isfinite(se) & (np.isnan(lo) | np.isnan(hi))
    bits[lost] |= BIT["interval-undefined"]
    return Estimates(
        est,
        se,
        freedom,
        lo,
        hi,
        deff,
        deff_replace,
        np.rint(n).astype(np.int64),
        n_psu,
        total_w,
        Flags(bits),
        cells.domains,
        stat,
        kind,
        level,
    )


def check_options(stat: str, ci: str | None, level: float, denominator: Any) -> None:
    """Raise `option-unknown` for options that do not exist or do not fit together, `level-out-of-range`."""
    if stat not in get_args(Stat):
        raise InferenceError("option-unknown", name="stat", value=stat, allowed=", ".join(get_args(Stat)))
    if ci is not None and ci not in get_args(Interval):
        raise InferenceError("option-unknown", name="ci", value=ci, allowed=", ".join(get_args(Interval)))
    check_level(level)
    if (stat == "ratio") != (denominator is not None):
        raise InferenceError("option-unknown", name="denominator", value=denominator is not None, allowed="ratio only")


# Covariances and contrasts


def domain_cov(
    design: Design,
    y: Array,
    domain: Array | None = None,
    *,
    stat: Stat = "mean",
    denominator: Array | None = None,
    domains: Sequence[Any] | Array | None = None,
) -> Floats:
    """Return the covariance (D, D) of one variable's domain estimates, in the order of `estimate_domains`.

    Its diagonal is se². Rows and columns of a domain without an estimate are NaN. Raises `too-many-domains` above
    500 domains, and what `estimate_domains` raises.
    """
    values = matrix_of(y, design.rows, "y")
    if values.shape[1] != 1:
        raise InferenceError("length-mismatch", name="y", found=values.shape, expected="one variable")
    check_options(stat, None, 0.95, denominator)
    cells = collapse(design, values, domain, denominator=denominator, domains=domains)
    assert cells.domains is not None and cells.centre is not None
    count = cells.domains.size
    if count > 500:
        raise InferenceError("too-many-domains", domains=count, limit=500)
    starts, found = runs(cells.domain)
    w, wy = (by_domain(each, starts, found, count) for each in (cells.w, cells.wy))
    gamma = None
    with np.errstate(invalid="ignore", divide="ignore"):
        if stat == "ratio":
            assert cells.wx is not None
            x = by_domain(cells.wx, starts, found, count)
            alpha, beta, gamma = 1 / x, np.zeros_like(x), -wy / x**2
            bad = (w <= 0) | (x == 0)
        elif stat == "total":
            alpha, beta, bad = np.ones_like(w), np.full_like(w, cells.centre[0]), w <= 0
        else:
            alpha, beta, bad = 1 / w, -wy / w**2, w <= 0
    for each in (alpha, beta, gamma):
        if each is not None:
            each[bad] = 0.0
    out = covariance_of_totals(cells, design, alpha, beta, gamma)
    out[bad[:, 0]] = np.nan
    out[:, bad[:, 0]] = np.nan
    return out


def contrast(est: Array, cov: Array, L: Array, df: float, *, level: float = 0.95) -> Contrast:
    """Return L·est with covariance L·cov·Lᵀ, t statistics against 0 and intervals.

    `est` (D), `cov` (D, D) or standard errors (D) of independent estimates, `L` (D) or (q, D), `df` may be
    `math.inf`. NaN in an estimate that a row of L uses gives NaN in that row, flagged; where L is 0 it does
    not matter. Raises `length-mismatch`, `level-out-of-range`, `option-unknown`, `not-finite`, `covariance-not-psd`.
    """
    from scipy.special import ndtr, stdtr

    check_level(level)
    values = numbers(est, "est").ravel()
    weights = np.atleast_2d(numbers(L, "L"))
    given = matrix = numbers(cov, "cov")
    matrix = np.diag(matrix**2) if matrix.ndim == 1 else matrix
    if weights.ndim != 2 or weights.shape[1] != values.size or matrix.shape != (values.size, values.size):
        raise InferenceError("length-mismatch", name="L", found=weights.shape, expected=values.size)
    if not number(df, "df") > 0:
        raise InferenceError("option-unknown", name="df", value=df, allowed="above 0, or infinite")
    if not np.isfinite(weights).all():
        at = np.argwhere(~np.isfinite(weights))[0]
        raise InferenceError("not-finite", name="L", row=int(at[0]), value=float(weights[tuple(at)]))
    if (np.diag(matrix) < 0).any() or (given.ndim == 1 and (given < 0).any()):
        raise InferenceError("covariance-not-psd", smallest=float(np.nanmin(given)))
    unknown = np.isnan(values) | np.isnan(np.diag(matrix))
    known = ~unknown[:, None] & ~unknown[None, :]
    for name, wrong in (("est", np.isinf(values)), ("cov", np.isinf(matrix) | (np.isnan(matrix) & known))):
        if wrong.any():
            raise InferenceError("not-finite", name=name, row=int(np.argwhere(wrong)[0][0]), value="nan or infinite")
    lost = (weights[:, unknown] != 0).any(axis=1)
    clean = np.where(known, matrix, 0.0)
    result = weights @ np.where(unknown, 0.0, values)
    covariance = weights @ clean @ weights.T
    result[lost] = np.nan
    covariance[lost] = np.nan
    covariance[:, lost] = np.nan
    se = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    se = np.where(lost, np.nan, se)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.where((result == 0) & (se == 0), 0.0, result / se)
        tail = ndtr(-np.abs(t)) if np.isinf(df) else stdtr(df, -np.abs(t))
    q = t_quantile(0.5 + level / 2, df)
    flags = Flags(np.where(lost, BIT["empty"], 0).astype(np.uint16))
    return Contrast(result, se, float(df), result - q * se, result + q * se, t, 2 * tail, covariance, level, flags)


# Quantiles


def quantiles(
    design: Design,
    y: Array,
    p: Array | Sequence[float] | float,
    domain: Array | None = None,
    rule: Rule = "math",
    *,
    level: float = 0.95,
    df: Literal["design", "domain"] | float = "design",
    domains: Sequence[Any] | Array | None = None,
) -> Quantiles:
    """Return weighted quantiles of every domain (D, len(p)) with Woodruff's intervals.

    `rule`: "math" the smallest value whose distribution function reaches p; "school" the mean of it and the next when
    it is reached exactly; "hf7" Hyndman and Fan's seventh, where equal values stand in the order of their weights, so
    that the order of rows never matters. (R survey, 4.1 to 4.5, takes equal values as the rows come: its figures are
    these where their weights are equal, or once rows are sorted by value and weight.) The interval estimates the
    distribution function at the quantile as a mean, with its standard error, and maps both ends back by the same rule;
    an end outside 0 to 1 is NaN, flagged `outside-data`. se = (hi − lo) / 2t. `df` as in `estimate_domains`. Raises
    what `estimate_domains` raises, and `level-out-of-range` for p outside 0 to 1.
    """
    check_level(level)
    if rule not in get_args(Rule):
        raise InferenceError("option-unknown", name="rule", value=rule, allowed=", ".join(get_args(Rule)))
    asked = np.atleast_1d(numbers(p, "p"))
    if asked.ndim != 1 or not ((asked >= 0) & (asked <= 1)).all():
        raise InferenceError("level-out-of-range", value=asked.tolist())
    values = matrix_of(y, design.rows, "y")
    if values.shape[1] != 1:
        raise InferenceError("length-mismatch", name="y", found=values.shape, expected="one variable")
    column = values[:, 0]
    if np.isinf(column).any():
        raise InferenceError("not-finite", name="y", row=int(np.argmax(np.isinf(column))), value="inf")
    labels, code = domain_codes(domain, domains, design.rows)
    use = np.flatnonzero((code >= 0) & ~np.isnan(column) & (design.weight > 0))
    # Equal values in the order of their weights: "hf7" reads the weight of the last of them.
    order = use[np.lexsort((design.weight[use], column[use], code[use]))]
    starts, found = runs(code[order])
    ends = np.append(starts[1:], order.size)[: starts.size]
    curves: dict[int, Curve] = {}
    est = np.full((labels.size, asked.size), np.nan)
    n = np.zeros(labels.size, dtype=np.int64)
    for place, start, end in zip(found.tolist(), starts.tolist(), ends.tolist(), strict=True):
        rows = order[start:end]
        curves[place] = Curve.of(column[rows], design.weight[rows])
        est[place] = curves[place].read_off(asked, rule)
        n[place] = end - start
    below = np.full((design.rows, asked.size), np.nan)
    inside = np.flatnonzero((code >= 0) & ~np.isnan(column))
    below[inside] = column[inside, None] <= est[code[inside]]
    places = np.arange(labels.size)
    share = estimate_domains(design, below, code, domains=places, level=level, df=df)
    freedom = share.df
    q = t_quantile(0.5 + level / 2, freedom)
    lo, hi = np.full_like(est, np.nan), np.full_like(est, np.nan)
    for place, curve in curves.items():
        lo[place] = curve.read_off(share.est[place] - q[place] * share.se[place], rule)
        hi[place] = curve.read_off(share.est[place] + q[place] * share.se[place], rule)
    bits = np.zeros(est.shape, dtype=np.uint16)
    bits[np.isnan(est)] |= BIT["empty"]
    bits[~np.isnan(est) & (freedom <= 0)] |= BIT["few-psu"]
    bits[~np.isnan(est) & (np.isnan(lo) | np.isnan(hi))] |= BIT["outside-data"]
    with np.errstate(invalid="ignore"):
        bits[share.flags["zero-variance"]] |= BIT["zero-variance"]
        se = (hi - lo) / (2 * q)
    return Quantiles(est, se, lo, hi, freedom, n, Flags(bits), labels, asked, rule, level)
