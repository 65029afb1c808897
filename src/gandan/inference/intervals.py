"""Confidence intervals: Student's t, and the kinds that keep a proportion between 0 and 1.

Sources: Korn and Graubard (1998), Survey Methodology 24; Clopper and Pearson (1934).
"""

from typing import Literal

import numpy as np

from gandan.inference.design import Array, Bools, Codes, Floats, Level
from gandan.inference.errors import InferenceError
from gandan.inference.flags import BIT
from gandan.inference.given import number

Interval = Literal["t", "logit", "asin", "korn"]


def check_level(level: float) -> None:
    """Raise `level-out-of-range` unless 0 < level < 1."""
    if not 0 < number(level, "level") < 1:
        raise InferenceError("level-out-of-range", value=level)


def t_quantile(p: Array | float, df: Array | float) -> Floats:
    """Return the quantile of Student's t; df may be infinite, and gives NaN where it is not positive."""
    from scipy.special import ndtri, stdtrit

    freedom = np.asarray(df, dtype=np.float64)
    finite = np.where(np.isfinite(freedom) & (freedom > 0), freedom, 1.0)
    out = np.where(np.isposinf(freedom), ndtri(p), stdtrit(finite, p))
    return np.asarray(np.where(freedom > 0, out, np.nan))


def degrees_of_freedom(df: Literal["design", "domain"] | float, first: Level, n_psu: Codes, strata: Codes) -> Floats:
    """Return degrees of freedom in the shape of `n_psu`: of the whole design, of what a domain meets, or as given."""
    if isinstance(df, str):
        if df == "design":
            return np.full(n_psu.shape, float(first.stratum_of_unit.size - first.sampled.size))
        if df == "domain":
            return (n_psu - strata).astype(np.float64)
        raise InferenceError("option-unknown", name="df", value=df, allowed="design, domain, or a number")
    if np.isnan(number(df, "df")):
        raise InferenceError("option-unknown", name="df", value=df, allowed="design, domain, or a number")
    return np.full(n_psu.shape, float(df))


def interval(kind: str, est: Floats, se: Floats, df: Floats, level: float, n: Floats) -> tuple[Floats, Floats]:
    """Return (lo, hi) of an estimate, by kind; NaN where df is not positive or the kind does not apply.

    "t": est ± q·se. "logit", "asin": the same on that scale, for proportions. "korn": Clopper and Pearson's limits
    at the effective sample size p(1−p)/V·(t_{n−1}/t_df)² (Korn and Graubard 1998).
    """
    q = t_quantile(0.5 + level / 2, df)
    with np.errstate(invalid="ignore", divide="ignore"):
        if kind == "t":
            return est - q * se, est + q * se
        spread = est * (1 - est)
        if kind == "logit":
            middle, half = np.log(est / (1 - est)), q * se / spread
            lo, hi = 1 / (1 + np.exp(half - middle)), 1 / (1 + np.exp(-half - middle))
        elif kind == "asin":
            middle, half = np.arcsin(np.sqrt(np.clip(est, 0, 1))), q * se / (2 * np.sqrt(spread))
            lo = np.sin(np.clip(middle - half, 0, np.pi / 2)) ** 2
            hi = np.sin(np.clip(middle + half, 0, np.pi / 2)) ** 2
        else:
            effective = spread / se**2 * _correction(n, df, level)
            lo, hi = _clopper_pearson(est, effective, level)
    fixed = (se == 0) & (est >= 0) & (est <= 1) & np.isfinite(q)
    return np.where(fixed, est, lo), np.where(fixed, est, hi)


def _correction(n: Floats, df: Floats, level: float) -> Floats:
    return np.asarray((t_quantile(0.5 + level / 2, n - 1) / t_quantile(0.5 + level / 2, df)) ** 2)


def _clopper_pearson(p: Floats, n: Floats, level: float) -> tuple[Floats, Floats]:
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    ok = np.isfinite(p) & np.isfinite(n) & (n > 0) & (p >= 0) & (p <= 1)
    hits, misses = np.where(ok, n * p, 1.0), np.where(ok, n * (1 - p), 1.0)
    lo = np.where(hits > 0, betaincinv(np.where(hits > 0, hits, 1.0), misses + 1, tail), 0.0)
    hi = np.where(misses > 0, betaincinv(hits + 1, np.where(misses > 0, misses, 1.0), 1 - tail), 1.0)
    return np.where(ok, lo, np.nan), np.where(ok, hi, np.nan)


def never_zero_width(
    est: Floats,
    lo: Floats,
    hi: Floats,
    bits: Array,
    blind: Bools,
    deff: Floats,
    n: Floats,
    n_psu: Codes,
    df: Floats,
    level: float,
) -> None:
    """Give proportions of 0 and 1, and those that are `blind` (no variance was seen), an interval, in place.

    Korn and Graubard's, at an effective sample size by the pooled design effect of the other domains.
    """
    with np.errstate(invalid="ignore"):
        end = ~np.isnan(est) & ((est <= 1e-12) | (est >= 1 - 1e-12))
    edge = end | blind
    if not edge.any():
        return
    with np.errstate(invalid="ignore"):
        known = np.isfinite(deff) & (deff > 0) & ~edge
    weight = np.where(known, np.maximum(n_psu - 1, 0), 0).astype(np.float64)
    total = weight.sum(axis=0)
    pooled = np.where(total > 0, (weight * np.where(known, deff, 0.0)).sum(axis=0) / np.maximum(total, 1), 1.0)
    pooled = np.broadcast_to(np.maximum(pooled, 1.0), est.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = n / pooled * _correction(n, df, level)
    one = edge & (n <= 1)
    effective = np.minimum(np.where(one, n / pooled, effective), n)
    p = np.where(end, np.rint(np.where(end, est, 0.0)), np.where(edge, est, 0.0))
    low, high = _clopper_pearson(p, effective, level)
    est[edge] = p[edge]
    lo[edge], hi[edge] = low[edge], high[edge]
    bits[edge] |= BIT["zero-variance"] | BIT["pooled-deff"]
