"""Totals, means, proportions, ratios and quantiles of domains, with standard errors that follow the design.

One pass over the rows groups them by (domain, last-stage unit); everything after works on those cells. Domains
are never subsets: a unit without members of a domain counts as zero, and the number of units in a stratum is
always that of the whole stratum. Row order, labels and the scale of the weights of a mean never matter.

Sources: Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, chapters 4, 5 and 10; Binder
(1983) for linearisation; Korn and Graubard (1998) for intervals of proportions; Woodruff (1952) for quantiles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from gandan.inference.design import Array, Codes, Design, Floats, Level, Lonely, compact, missing_codes
from gandan.inference.errors import InferenceError

Bools = npt.NDArray[np.bool_]
Stat = Literal["mean", "total", "ratio", "proportion"]
Interval = Literal["t", "logit", "asin", "korn"]
Rule = Literal["math", "hf7", "school"]
FLAGS = (
    "empty",
    "one-psu",
    "zero-variance",
    "few-psu",
    "zero-denominator",
    "deff-undefined",
    "outside-data",
    "pooled-deff",
    "lonely-psu",
    "interval-undefined",
)
_BIT = {name: 1 << place for place, name in enumerate(FLAGS)}
_CHUNK = 1 << 17
_DENSE = 60_000_000


class Flags:
    """Why a number is missing or doubtful: `flags["empty"]` is an array of truths, `flags[d, k]` a tuple of names."""

    def __init__(self, bits: Array) -> None:
        self.bits = bits

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, str):
            if which not in _BIT:
                raise InferenceError("option-unknown", name="flag", value=which, allowed=", ".join(FLAGS))
            return (self.bits & _BIT[which]) != 0
        bits = self.bits[which]
        if np.ndim(bits) != 0:
            return Flags(bits)
        return tuple(name for name, bit in _BIT.items() if int(bits) & bit)

    def __contains__(self, name: str) -> bool:
        return bool(np.any(self[name]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Flags) and bool(np.array_equal(self.bits, other.bits))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Flags({[name for name in FLAGS if name in self]})"


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
class Moments:
    """What a calibrated design adds to cells, for each calibration step: domain sums of d·x, d·x·y and d·x·x'."""

    x: tuple[Floats, ...]
    """(domain, column of the step, variable or 1)"""
    xy: tuple[Floats, ...]
    xz: tuple[Floats, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Sums by (domain, primary unit), as `collapse` makes them or as a database groups them.

    `domain`, `stratum`, `psu` (m): codes; `psu` is numbered within its stratum. `n`, `w`, `wy` (m, K): rows with a
    value, sum of their weights, sum of weight times value; `n` and `w` may have one column when no value is
    missing. `wx` (m, K): sum of weight times denominator, for ratios. `spread` (D, K): sum over the domain of weight
    times squared value, for design effects; None leaves them out. `domains` (D): labels, sorted; None takes them
    from `domain`. Other fields are filled by `collapse`.
    """

    domain: Array
    stratum: Array
    psu: Array
    n: Array
    w: Array
    wy: Array
    wx: Array | None = None
    spread: Array | None = None
    domains: Array | None = None
    centre: Array | None = None
    spread_xy: Array | None = None
    spread_xx: Array | None = None
    design: Design | None = field(default=None, repr=False)
    moments: Moments | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Linear combinations of estimates: (q) arrays, `cov` (q, q); `p_value` is two-sided."""

    est: Floats
    se: Floats
    df: float
    lo: Floats
    hi: Floats
    t: Floats
    p_value: Floats
    cov: Floats
    level: float


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


# From rows to cells


def collapse(
    design: Design,
    y: Array,
    domain: Array | None = None,
    *,
    denominator: Array | None = None,
    domains: Sequence[Any] | Array | None = None,
) -> Cells:
    """Return the cells of `y` (n) or (n, K): the only pass over rows, memory of cells × K beside the data.

    `domain` (n): codes of any kind; a missing code (NaN, None, empty text, a negative number) is a row in no domain.
    `domains`: the labels to report, in this order, with those that have no row; None takes the sorted labels
    present. A missing value (NaN) keeps its row in the design. Infinite values are refused (`not-finite`).
    """
    values = _matrix(y, design.rows, "y")
    below = None if denominator is None else _matrix(denominator, design.rows, "denominator")
    if below is not None:
        if below.shape[1] not in (1, values.shape[1]):
            raise InferenceError("length-mismatch", name="denominator", found=below.shape, expected=values.shape)
        below = np.broadcast_to(below, values.shape)
        gone = np.isnan(values) | np.isnan(below)
        if gone.any():
            values, below = np.where(gone, np.nan, values), np.where(gone, np.nan, below)
    labels, code = _domain_codes(domain, domains, design.rows)
    unit = design.levels[-1].unit
    weight = design.weight
    calibration = design.calibration
    kept = None
    if (code < 0).any():
        kept = np.flatnonzero(code >= 0)
        code, unit, weight, values = code[kept], unit[kept], weight[kept], values[kept]
        below = None if below is None else below[kept]
    key, cell_domain, cell_unit = _cell_keys(code, unit, design.levels[-1].stratum_of_unit.size)
    sums = _sum_rows(key, cell_domain.size, code, labels.size, weight, values, below)
    centre = np.zeros(values.shape[1])
    if below is None:
        for k in _far_from_zero(sums, weight, values, centre):
            alone = _sum_rows(key, cell_domain.size, code, labels.size, weight, values[:, k : k + 1] - centre[k], None)
            sums.wy[:, k], sums.spread[:, k] = alone.wy[:, 0], alone.spread[:, 0]
    moments = None
    if calibration is not None:
        rows = calibration if kept is None else calibration.of_rows(kept)
        moments = rows.moments(code, labels.size, values - centre if centre.any() else values, below)
    return Cells(
        cell_domain,
        design.levels[0].stratum_of_unit[_primary(design.levels)[cell_unit]],
        cell_unit,
        sums.n,
        sums.w,
        sums.wy,
        sums.wx,
        sums.spread,
        labels,
        centre,
        sums.spread_xy,
        sums.spread_xx,
        design,
        moments,
    )


@dataclass(slots=True)
class _Sums:
    n: Floats
    w: Floats
    wy: Floats
    wx: Floats | None
    spread: Floats
    spread_xy: Floats | None
    spread_xx: Floats | None


def _sum_rows(
    key: Codes, cells: int, code: Codes, domains: int, weight: Floats, values: Floats, below: Floats | None
) -> _Sums:
    rows, wide = values.shape
    step = max(_CHUNK, cells)
    ones = np.ones(rows)
    wy, spread = np.zeros((cells, wide)), np.zeros((domains, wide))
    wx = xy = xx = None
    if below is not None:
        wx, xy, xx = np.zeros((cells, wide)), np.zeros((domains, wide)), np.zeros((domains, wide))
    count = np.zeros((cells, wide))
    w = np.zeros((cells, wide))
    partial = False
    for start in range(0, rows, step):
        part = slice(start, start + step)
        block = values[part]
        valid = None
        if not np.isfinite(block.sum()):
            valid = ~np.isnan(block)
            if not np.isfinite(block[valid]).all():
                at = np.argwhere(np.isinf(block))[0]
                raise InferenceError("not-finite", name="y", row=int(at[0]) + start, value=float(block[tuple(at)]))
            block = np.where(valid, block, 0.0)
        heavy = _grouped(key[part], cells, weight[part], block)
        wy += heavy
        with np.errstate(over="ignore"):
            squares = _grouped(code[part], domains, weight[part], block * block)
        if not np.isfinite(squares).all():
            row, column = np.unravel_index(int(np.abs(block).argmax()), block.shape)
            raise InferenceError("not-finite", name="y squared", row=int(row) + start, value=float(block[row, column]))
        spread += squares
        if below is not None and wx is not None and xy is not None and xx is not None:
            under = below[part] if valid is None else np.where(valid, below[part], 0.0)
            if not np.isfinite(under).all():
                at = np.argwhere(~np.isfinite(under))[0]
                raise InferenceError("not-finite", name="denominator", row=int(at[0]) + start, value=under[tuple(at)])
            wx += _grouped(key[part], cells, weight[part], under)
            xy += _grouped(code[part], domains, weight[part], block * under)
            xx += _grouped(code[part], domains, weight[part], under * under)
        if valid is None:
            count += np.bincount(key[part], minlength=cells)[:, None]
            w += np.bincount(key[part], weights=weight[part], minlength=cells)[:, None]
        else:
            partial = True
            present = valid.astype(np.float64)
            count += _grouped(key[part], cells, ones[part], present)
            w += _grouped(key[part], cells, weight[part], present)
    if not partial:
        count, w = count[:, :1].copy(), w[:, :1].copy()
    return _Sums(count, w, wy, wx, spread, xy, xx)


def _grouped(key: Codes, groups: int, weight: Floats, block: Floats) -> Floats:
    """Return (groups, K): the sum of weight times each column of `block`, by `key`."""
    if block.shape[1] == 1 or not block.flags.c_contiguous:
        return np.stack(
            [np.bincount(key, weights=weight * block[:, k], minlength=groups) for k in range(block.shape[1])], axis=1
        )
    from scipy.sparse import csc_array

    matrix = csc_array((weight, key, np.arange(key.size + 1)), shape=(groups, key.size))
    return np.asarray(matrix @ block)


def _far_from_zero(sums: _Sums, weight: Floats, values: Floats, centre: Floats) -> list[int]:
    """Return the variables whose mean is far above their spread, and put a round number near it into `centre`."""
    total = np.broadcast_to(sums.w, sums.wy.shape).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums.wy.sum(axis=0) / total
        variance = sums.spread.sum(axis=0) / total - mean**2
    found = []
    for k in np.flatnonzero((total > 0) & (mean**2 > 1e4 * variance)):
        column = values[:, k]
        some = column[~np.isnan(column)]
        low, high = float(some.min()), float(some.max())
        if low == high:
            centre[k] = low
        else:
            scale = float(np.sqrt(np.mean((some - mean[k]) ** 2)))
            grid = 2.0 ** np.floor(np.log2(scale)) if scale > 0 else 0.0
            centre[k] = np.rint(mean[k] / grid) * grid if grid > 0 else low
        if centre[k] != 0:
            found.append(int(k))
    return found


def _cell_keys(code: Codes, unit: Codes, units: int) -> tuple[Codes, Codes, Codes]:
    """Return (cell of each row, domain of each cell, unit of each cell), cells sorted by (domain, unit)."""
    home = np.full(units, -1, dtype=np.int64)
    home[unit] = code
    if np.array_equal(home[unit], code):
        present = np.flatnonzero(home >= 0)
        order = np.argsort(home[present], kind="stable")
        cell_unit = present[order]
        place = np.full(units, -1, dtype=np.int64)
        place[cell_unit] = np.arange(cell_unit.size)
        return place[unit], home[cell_unit], cell_unit
    labels, key = compact(code * units + unit)
    return key, labels // units, labels % units


def _matrix(given: Array, rows: int, name: str) -> Floats:
    values = np.asarray(given)
    if values.dtype.kind not in "fiub":
        try:
            values = values.astype(np.float64)
        except (TypeError, ValueError):
            raise InferenceError("not-finite", name=name, row=0, value=f"the type {values.dtype}") from None
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[0] != rows:
        raise InferenceError("length-mismatch", name=name, found=values.shape, expected=rows)
    return values.astype(np.float64, copy=False)


def _domain_codes(domain: Array | None, domains: Sequence[Any] | Array | None, rows: int) -> tuple[Array, Codes]:
    if domain is None:
        return np.array(["all"]), np.zeros(rows, dtype=np.int64)
    given = np.asarray(domain)
    if given.shape != (rows,):
        raise InferenceError("length-mismatch", name="domain", found=given.shape, expected=rows)
    nowhere = missing_codes(given)
    if given.dtype.kind in "if":
        nowhere = nowhere | (given < 0)
    kept = given[~nowhere]
    if kept.dtype.kind == "O":
        kept = kept.astype(str)
    code = np.full(rows, -1, dtype=np.int64)
    if domains is None:
        labels, places = compact(kept)
    else:
        labels = np.asarray(domains)
        order = np.argsort(labels, kind="stable")
        twice = labels[order][1:] == labels[order][:-1]
        if twice.any():
            raise InferenceError("domain-listed-twice", value=labels[order][np.argmax(twice)].item())
        found = np.minimum(np.searchsorted(labels[order], kept), max(labels.size - 1, 0))
        places = order[found] if labels.size else np.zeros(kept.size, dtype=np.int64)
        strange = labels[places] != kept if labels.size else np.ones(kept.size, dtype=bool)
        if strange.any():
            at = int(np.argmax(strange))
            raise InferenceError("domain-unknown", row=int(np.flatnonzero(~nowhere)[at]), value=kept[at].item())
    if labels.size == 0:
        raise InferenceError("empty-data")
    code[~nowhere] = places
    return labels, code


def _primary(levels: tuple[Level, ...]) -> Codes:
    """Return the primary unit of each last-stage unit."""
    place = np.arange(levels[-1].stratum_of_unit.size)
    for level in reversed(levels[1:]):
        place = level.parent_of_stratum[level.stratum_of_unit[place]]
    return place


# From cells to estimates


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
    `ci`: "t", "logit", "asin" or "korn" (Korn and Graubard, R's "beta"); None means "t", and "logit" for a
    proportion. A proportion of 0 or 1, or from one unit, has no variance of its own: it gets a "korn" interval on the
    pooled design effect of the other domains, flagged `zero-variance` and `pooled-deff`; a mean or ratio from one unit
    gets none. `df`: of the whole design, of the
    units and strata with members, or a number (`math.inf` for normal quantiles).

    Raises InferenceError: `lonely-psu`, `not-finite`, `length-mismatch`, `option-unknown`, `level-out-of-range`,
    `domain-unknown`, and `not-a-proportion` for values outside 0 to 1.
    """
    _check_options(stat, ci, level, denominator)
    if stat == "proportion":
        values = _matrix(y, design.rows, "y")
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
    _check_options(stat, ci, level, cells.wx)
    cells, levels = _framed(cells, stratum_n, fpc)
    rule: Lonely = lonely or (cells.design.lonely if cells.design is not None else "raise")
    assert cells.domains is not None
    domains, wide = cells.domains.size, cells.wy.shape[1]
    centre = np.zeros(wide) if cells.centre is None else cells.centre
    starts, found = _runs(cells.domain)
    n = _by_domain(np.asarray(cells.n, dtype=np.float64), starts, found, domains)
    total_w = _by_domain(cells.w, starts, found, domains)
    total_y = _by_domain(cells.wy, starts, found, domains)
    n, total_w = (np.broadcast_to(each, (domains, wide)).copy() for each in (n, total_w))
    bits = np.zeros((domains, wide), dtype=np.uint16)
    empty = (n == 0) | (total_w <= 0)
    bits[empty] |= _BIT["empty"]
    scale_x = None
    with np.errstate(invalid="ignore", divide="ignore"):
        if stat == "ratio":
            assert cells.wx is not None
            scale_x = _by_domain(cells.wx, starts, found, domains)
            nothing = (scale_x == 0) & ~empty
            bits[nothing] |= _BIT["zero-denominator"]
            est = np.where(empty | nothing, np.nan, total_y / scale_x)
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
    variance = _variance(cells, levels, rule, alpha, beta, gamma)
    variance[bad] = np.nan
    alone = np.isnan(variance) & ~bad
    bits[alone] |= _BIT["lonely-psu"]
    n_psu, strata_met = _members(cells, levels, wide)
    bits[(n_psu == 1) & ~bad] |= _BIT["one-psu"]
    se = np.sqrt(variance)
    with np.errstate(invalid="ignore"):
        still = ~bad & (se <= 1e-13 * np.maximum(np.abs(est), 1e-300))
    bits[still] |= _BIT["zero-variance"]
    freedom = _freedom(df, levels[0], n_psu, strata_met)
    bits[(freedom <= 0) & ~bad] |= _BIT["few-psu"]
    deff, deff_replace = _design_effects(cells, stat, est, variance, n, total_w, total_y, scale_x)
    undefined = ~bad & (np.isnan(deff) | np.isnan(deff_replace))
    if cells.spread is not None:
        bits[undefined] |= _BIT["deff-undefined"]
    kind: Interval = ci or ("logit" if stat == "proportion" else "t")
    lo, hi = interval(kind, est, se, freedom, level, n)
    # One unit shows no variance between units: unless everybody was asked, its zero is ignorance, not certainty.
    blind = still & (n_psu == 1) & _sampled(cells, levels, wide)
    if stat == "proportion":
        _never_zero_width(est, lo, hi, bits, still, blind, deff_replace, n, n_psu, freedom, level)
    elif stat != "total":
        lo, hi = np.where(blind, np.nan, lo), np.where(blind, np.nan, hi)
    lost = ~bad & ~blind & (freedom > 0) & np.isfinite(se) & (np.isnan(lo) | np.isnan(hi))
    bits[lost] |= _BIT["interval-undefined"]
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


def _check_options(stat: str, ci: str | None, level: float, denominator: Any) -> None:
    if stat not in get_args(Stat):
        raise InferenceError("option-unknown", name="stat", value=stat, allowed=", ".join(get_args(Stat)))
    if ci is not None and ci not in get_args(Interval):
        raise InferenceError("option-unknown", name="ci", value=ci, allowed=", ".join(get_args(Interval)))
    check_level(level)
    if (stat == "ratio") != (denominator is not None):
        raise InferenceError("option-unknown", name="denominator", value=denominator is not None, allowed="ratio only")


def check_level(level: float) -> None:
    """Raise `level-out-of-range` unless 0 < level < 1."""
    if not 0 < level < 1:
        raise InferenceError("level-out-of-range", value=level)


def _framed(
    cells: Cells, stratum_n: Array | Mapping[Any, int] | None, fpc: Array | Mapping[Any, float] | None
) -> tuple[Cells, tuple[Level, ...]]:
    """Return the cells sorted by (domain, unit), their labels set, and the levels of the design."""
    if cells.design is not None and cells.domains is not None:
        return cells, cells.design.levels
    if stratum_n is None:
        raise InferenceError("length-mismatch", name="stratum_n", found=0, expected="one number for each stratum")
    wy = np.asarray(cells.wy, dtype=np.float64)
    wy = wy[:, None] if wy.ndim == 1 else wy
    m = wy.shape[0]
    if m == 0:
        raise InferenceError("empty-data")

    def shaped(given: Array, name: str) -> Floats:
        values = np.asarray(given, dtype=np.float64)
        values = values[:, None] if values.ndim == 1 else values
        if values.shape[0] != m or values.shape[1] not in (1, wy.shape[1]):
            raise InferenceError("length-mismatch", name=name, found=values.shape, expected=wy.shape)
        return values

    labels, code = _domain_codes(np.asarray(cells.domain), cells.domains, m)
    if (code < 0).any():
        raise InferenceError("missing-code", name="domain", row=int(np.argmax(code < 0)))
    strata, sampled, population = _strata_given(stratum_n, fpc)
    given = np.asarray(cells.stratum)
    place = np.array([strata.get(each, -1) for each in given.tolist()], dtype=np.int64)
    if (place < 0).any():
        raise InferenceError("stratum-unknown", stratum=given[np.argmax(place < 0)].item())
    names, within = compact(np.asarray(cells.psu))
    keys, unit = compact(place * names.size + within)
    present = np.bincount(keys // names.size, minlength=sampled.size)
    if (present > sampled).any():
        at = int(np.argmax(present > sampled))
        raise InferenceError(
            "fpc-smaller-than-sample",
            stratum=list(strata)[at],
            sampled=int(present[at]),
            population=int(sampled[at]),
        )
    # Units of the sample that no cell names still count: they are numbered after those that cells name.
    absent = np.repeat(np.arange(sampled.size), sampled - present)
    order = np.argsort(np.concatenate([keys // names.size, absent]), kind="stable")
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.arange(order.size)
    unit = rank[unit]
    fraction = np.zeros(sampled.size) if population is None else np.minimum(sampled / population, 1.0)
    frame = Level(
        unit,
        np.repeat(np.arange(sampled.size), sampled),
        np.zeros(sampled.size, dtype=np.int64),
        sampled,
        fraction,
        np.ones(sampled.size),
        tuple(strata),
    )
    key, cell_domain, cell_unit = _cell_keys(code, unit, frame.stratum_of_unit.size)
    one = np.ones(m)
    size = cell_domain.size
    merged = replace(
        cells,
        domain=cell_domain,
        stratum=frame.stratum_of_unit[cell_unit],
        psu=cell_unit,
        n=_grouped(key, size, one, shaped(cells.n, "n")),
        w=_grouped(key, size, one, shaped(cells.w, "w")),
        wy=_grouped(key, size, one, wy),
        wx=None if cells.wx is None else _grouped(key, size, one, shaped(cells.wx, "wx")),
        domains=labels,
        centre=None if cells.centre is None else np.asarray(cells.centre, dtype=np.float64).reshape(wy.shape[1]),
        spread=None if cells.spread is None else np.reshape(cells.spread, (labels.size, wy.shape[1])),
    )
    return merged, (frame,)


def _strata_given(
    stratum_n: Array | Mapping[Any, int], fpc: Array | Mapping[Any, float] | None
) -> tuple[dict[Any, int], Codes, Floats | None]:
    pairs = (
        list(stratum_n.items())
        if isinstance(stratum_n, Mapping)
        else [(code, count) for code, count in enumerate(np.asarray(stratum_n).tolist()) if count]
    )
    strata = {code: place for place, (code, _) in enumerate(pairs)}
    sampled = np.array([count for _, count in pairs], dtype=np.int64)
    if fpc is None:
        return strata, sampled, None
    population = np.array([float(fpc[code]) for code in strata])
    small = population < sampled
    if small.any():
        at = int(np.argmax(small))
        raise InferenceError(
            "fpc-smaller-than-sample",
            stratum=pairs[at][0],
            sampled=int(sampled[at]),
            population=float(population[at]),
        )
    return strata, sampled, population


def _runs(keys: Codes) -> tuple[Codes, Codes]:
    """Return (start of each run of equal keys, its key)."""
    if keys.size == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return starts, keys[starts]


def _by_domain(values: Array, starts: Codes, found: Codes, domains: int) -> Floats:
    out = np.zeros((domains, values.shape[1]))
    if starts.size:
        out[found] = np.add.reduceat(values, starts, axis=0)
    return out


def _members(cells: Cells, levels: tuple[Level, ...], wide: int) -> tuple[Codes, Codes]:
    """Return (primary units, strata) that have a row with a value, by domain and variable."""
    assert cells.domains is not None
    domains = cells.domains.size
    primary = _primary(levels)[cells.psu]
    some = (np.asarray(cells.n) > 0).astype(np.float64)
    found = []
    for size, code in (
        (levels[0].stratum_of_unit.size, primary),
        (levels[0].sampled.size, levels[0].stratum_of_unit[primary]),
    ):
        starts, keys = _runs(cells.domain * size + code)
        if starts.size == 0:
            found.append(np.zeros((domains, wide), dtype=np.int64))
            continue
        met = np.maximum.reduceat(some, starts, axis=0)
        outer, labels = _runs(keys // size)
        counted = _by_domain(met, outer, labels, domains)
        found.append(np.broadcast_to(counted, (domains, wide)).astype(np.int64))
    return found[0], found[1]


def _sampled(cells: Cells, levels: tuple[Level, ...], wide: int) -> Bools:
    """Return whether any row with a value comes from a stratum, of any stage, that was not taken whole."""
    assert cells.domains is not None
    part = np.zeros(cells.psu.size, dtype=bool)
    for depth, level in enumerate(levels):
        stratum = level.stratum_of_unit[_lift(levels, depth, cells.psu)]
        part |= ~level.certain[stratum] & (level.factor[stratum] > 0)
    some = (np.asarray(cells.n) > 0) & part[:, None]
    starts, found = _runs(cells.domain)
    counted = _by_domain(some.astype(np.float64), starts, found, cells.domains.size)
    return np.asarray(np.broadcast_to(counted > 0, (cells.domains.size, wide)))


def _freedom(df: Literal["design", "domain"] | float, first: Level, n_psu: Codes, strata: Codes) -> Floats:
    if isinstance(df, str):
        if df == "design":
            return np.full(n_psu.shape, float(first.stratum_of_unit.size - first.sampled.size))
        if df == "domain":
            return (n_psu - strata).astype(np.float64)
        raise InferenceError("option-unknown", name="df", value=df, allowed="design, domain, or a number")
    if np.isnan(df):
        raise InferenceError("option-unknown", name="df", value=df, allowed="design, domain, or a number")
    return np.full(n_psu.shape, float(df))


# Variances


@dataclass(slots=True)
class _Rule:
    """A level's quadratic form: a·Σ(T−T̄)² over good strata, g·(T−G)² over lonely ones."""

    good: Floats
    alone: Floats
    units: Codes
    """Units of each parent, for G."""
    averaged: Bools | None = None
    """Lonely strata, when the mean of those that a domain meets beside them stands for them."""


def _rule(level: Level, lonely: Lonely, *, whole: bool = False) -> _Rule:
    """Return the form of a level. `whole`: every stratum counts in every domain, as after calibration."""
    left = np.where(level.certain, 0.0, 1 - level.fraction)
    alone = level.lonely & (level.factor > 0)
    good = np.where(level.sampled > 1, level.factor * left * level.sampled / np.maximum(level.sampled - 1, 1), 0.0)
    parents = int(level.parent_of_stratum.max()) + 1
    units = np.bincount(level.parent_of_stratum, weights=level.sampled, minlength=parents).astype(np.int64)
    apart = np.zeros(level.sampled.size)
    if alone.any():
        at = int(np.argmax(alone))
        if lonely == "raise":
            raise InferenceError("lonely-psu", stratum=level.labels[at], strata=int(alone.sum()))
        if lonely == "adjust":
            apart[alone] = (level.factor * left)[alone]
        if lonely == "average" and not whole:
            return _Rule(good, apart, units, alone)
        if lonely == "average":
            all_strata = np.bincount(level.parent_of_stratum, minlength=parents)
            fine = np.bincount(level.parent_of_stratum, weights=~alone, minlength=parents)
            if ((fine == 0) & (all_strata > 0)).any():
                raise InferenceError("lonely-psu", stratum=level.labels[at], strata=int(alone.sum()))
            good = good * (all_strata / np.maximum(fine, 1))[level.parent_of_stratum]
    return _Rule(good, apart, units)


def _lift(levels: tuple[Level, ...], depth: int, unit: Codes) -> Codes:
    """Return the unit of stage `depth` that holds each last-stage unit."""
    for level in reversed(levels[depth + 1 :]):
        unit = level.parent_of_stratum[level.stratum_of_unit[unit]]
    return unit


def _variance(
    cells: Cells, levels: tuple[Level, ...], lonely: Lonely, alpha: Floats, beta: Floats, gamma: Floats | None
) -> Floats:
    """Return V (D, K) of the totals of z, where T = alpha·wy + beta·w + gamma·wx in each cell of a domain."""
    domains, wide = alpha.shape
    out = np.zeros((domains, wide))
    steps = None
    if cells.moments is not None and cells.design is not None and cells.design.calibration is not None:
        steps = cells.design.calibration.coefficients(cells.moments, alpha, beta, gamma)
    units = levels[-1].stratum_of_unit.size
    block = max(1, min(wide, 8_000_000 // max(cells.domain.size, 1)))
    for start in range(0, wide, block):
        part = slice(start, start + block)
        code = cells.domain
        t = alpha[code, part] * cells.wy[:, part]
        if beta.any():
            t += beta[code, part] * (cells.w if cells.w.shape[1] == 1 else cells.w[:, part])
        if gamma is not None and cells.wx is not None:
            t += gamma[code, part] * cells.wx[:, part]
        for depth, level in enumerate(levels):
            if depth and not level.factor.any():
                break
            rule = _rule(level, lonely, whole=steps is not None)
            unit = _lift(levels, depth, cells.psu)
            size = level.stratum_of_unit.size
            starts, keys = _runs(code * size + unit)
            if starts.size == 0:
                continue
            here = t if starts.size == t.shape[0] else np.add.reduceat(t, starts, axis=0)
            where, unit = keys // size, keys % size
            if steps is None:
                met = None
                if rule.averaged is not None or rule.alone.any():
                    some = np.asarray(cells.n if cells.n.shape[1] == 1 else cells.n[:, part]) > 0
                    met = np.maximum.reduceat(some.astype(np.float64), starts, axis=0)
                out[:, part] += _sparse_form(here, where, unit, level, rule, domains, met)
            else:
                assert cells.design is not None and cells.design.calibration is not None
                sums = cells.design.calibration.unit_sums(cells.design, depth)
                share = [step[:, :, part] for step in steps]
                if units * domains * here.shape[1] <= _DENSE:
                    out[:, part] += _dense_form(here, where, unit, level, rule, domains, sums, share)
                else:
                    out[:, part] += _algebraic_form(here, where, unit, level, rule, domains, sums, share)
    return out


def _sparse_form(
    t: Floats,
    where: Codes,
    unit: Codes,
    level: Level,
    rule: _Rule,
    domains: int,
    met: Floats | None = None,
) -> Floats:
    """Return (D, K) of the quadratic form; absent cells are zeros and are counted as such.

    `met` (cells, K or 1): whether a cell has a row with a value. Only lonely strata that a domain meets count for
    it, as they do in R; None lets all of them count.
    """
    strata = level.sampled.size
    stratum = level.stratum_of_unit[unit]
    starts, keys = _runs(where * strata + stratum)
    h = keys % strata
    present = np.diff(np.append(starts, t.shape[0]))
    mean = np.add.reduceat(t, starts, axis=0) / level.sampled[h][:, None]
    off = t - np.repeat(mean, present, axis=0)
    off *= off
    squares = np.add.reduceat(off, starts, axis=0)
    squares += (level.sampled[h] - present)[:, None] * mean**2
    squares *= rule.good[h][:, None]
    outer, found = _runs(keys // strata)
    parents = rule.units.size
    group = level.parent_of_stratum[stratum]
    if rule.averaged is not None and met is not None:
        # In each parent: the sum over good strata, times the strata met over the good strata met.
        seen = np.maximum.reduceat(met, starts, axis=0)
        of = (keys // strata) * parents + level.parent_of_stratum[h]
        p_starts, p_keys = _runs(of)
        every = np.add.reduceat(seen, p_starts, axis=0)
        fine = np.add.reduceat(seen * ~rule.averaged[h][:, None], p_starts, axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = np.where(every > 0, np.add.reduceat(squares, p_starts, axis=0) * (every / fine), 0.0)
        outer, found = _runs(p_keys // parents)
        return _by_domain(each, outer, found, domains)
    out = _by_domain(squares, outer, found, domains)
    if rule.alone.any():
        p_starts, p_keys = _runs(where * parents + group)
        grand = np.add.reduceat(t, p_starts, axis=0) / rule.units[p_keys % parents][:, None]
        width = np.diff(np.append(p_starts, t.shape[0]))
        away = rule.alone[stratum][:, None] * ((t - np.repeat(grand, width, axis=0)) ** 2)
        each = np.add.reduceat(away if met is None else away * met, p_starts, axis=0)
        if met is None:
            share = np.add.reduceat(rule.alone[stratum], p_starts)
            weight = np.bincount(level.parent_of_stratum, weights=rule.alone, minlength=parents)[p_keys % parents]
            each = each + np.maximum(weight - share, 0.0)[:, None] * grand**2
        outer, found = _runs(p_keys // parents)
        out += _by_domain(each, outer, found, domains)
    return out


def _deviations(values: Floats, level: Level, rule: _Rule) -> Floats:
    """Return D(v), the linear map by which the form is Σ u·D(v); `values` (units, q)."""
    stratum = level.stratum_of_unit
    total = np.zeros((level.sampled.size, values.shape[1]))
    np.add.at(total, stratum, values)
    mean = total / level.sampled[:, None]
    out = rule.good[stratum][:, None] * (values - mean[stratum])
    if rule.alone.any():
        group = level.parent_of_stratum[stratum]
        grand = np.zeros((rule.units.size, values.shape[1]))
        np.add.at(grand, group, values)
        grand /= rule.units[:, None]
        away = rule.alone[stratum][:, None] * (values - grand[group])
        shared = np.zeros_like(grand)
        np.add.at(shared, group, away)
        out += away - (shared / rule.units[:, None])[group]
    return out


def _dense_form(
    t: Floats,
    where: Codes,
    unit: Codes,
    level: Level,
    rule: _Rule,
    domains: int,
    sums: list[Floats],
    steps: list[Floats],
) -> Floats:
    wide = t.shape[1]
    full = np.zeros((level.stratum_of_unit.size, domains, wide))
    full[unit, where] = t
    for x, b in zip(sums, steps, strict=True):
        full -= np.einsum("cp,dpk->cdk", x, b, optimize=True)
    flat = full.reshape(full.shape[0], -1)
    return np.asarray(np.einsum("cq,cq->q", flat, _deviations(flat, level, rule))).reshape(domains, wide)


def _algebraic_form(
    t: Floats,
    where: Codes,
    unit: Codes,
    level: Level,
    rule: _Rule,
    domains: int,
    sums: list[Floats],
    steps: list[Floats],
) -> Floats:
    """The same without a dense residual: ΣT² − 2BᵀΣXT + BᵀΣXXᵀB, each bracket as in the plain form."""
    x = np.concatenate(sums, axis=1)
    b = np.concatenate(steps, axis=1)
    deviation = _deviations(x, level, rule)
    plain = _sparse_form(t, where, unit, level, rule, domains)
    starts, found = _runs(where)
    cross = np.stack(
        [_by_domain(deviation[unit, j : j + 1] * t, starts, found, domains) for j in range(x.shape[1])], axis=1
    )
    out = plain - 2 * np.einsum("dpk,dpk->dk", b, cross) + np.einsum("dpk,pq,dqk->dk", b, x.T @ deviation, b)
    floor = 1e-12 * _by_domain(t * t, starts, found, domains)
    return np.where((out < 0) & (out > -np.maximum(floor, 1e-300)), 0.0, np.maximum(out, 0.0))


def _design_effects(
    cells: Cells,
    stat: str,
    est: Floats,
    variance: Floats,
    n: Floats,
    total_w: Floats,
    total_y: Floats,
    scale_x: Floats | None,
) -> tuple[Floats, Floats]:
    nothing = np.full(est.shape, np.nan)
    if cells.spread is None:
        return nothing, nothing.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        if stat == "ratio":
            if cells.spread_xy is None or cells.spread_xx is None or scale_x is None:
                return nothing, nothing.copy()
            squares = cells.spread - 2 * est * cells.spread_xy + est**2 * cells.spread_xx
            factor = (total_w / scale_x) ** 2
        else:
            squares = cells.spread - total_y**2 / total_w
            squares = np.where(squares <= 1e-14 * cells.spread, 0.0, squares)
            factor = total_w**2 if stat == "total" else np.ones_like(est)
        s2 = n / (n - 1) * squares / total_w
        with_replacement = variance / (factor * s2 / n)
        without = variance / (factor * s2 * (total_w - n) / (total_w * n))
    ok = np.isfinite(with_replacement) & (s2 > 0)
    return np.where(ok & np.isfinite(without) & (total_w > n), without, np.nan), np.where(ok, with_replacement, np.nan)


# Intervals


def t_quantile(p: Array | float, df: Array | float) -> Floats:
    """Return the quantile of Student's t; df may be infinite, and gives NaN where it is not positive."""
    from scipy.special import ndtri, stdtrit

    freedom = np.asarray(df, dtype=np.float64)
    finite = np.where(np.isfinite(freedom) & (freedom > 0), freedom, 1.0)
    out = np.where(np.isposinf(freedom), ndtri(p), stdtrit(finite, p))
    return np.asarray(np.where(freedom > 0, out, np.nan))


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


def _never_zero_width(
    est: Floats,
    lo: Floats,
    hi: Floats,
    bits: Array,
    still: Bools,
    blind: Bools,
    deff: Floats,
    n: Floats,
    n_psu: Codes,
    df: Floats,
    level: float,
) -> None:
    """Give proportions of 0 and 1, and those from one unit, an interval on the pooled design effect, in place."""
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
    bits[edge] |= _BIT["zero-variance"] | _BIT["pooled-deff"]


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
    values = _matrix(y, design.rows, "y")
    if values.shape[1] != 1:
        raise InferenceError("length-mismatch", name="y", found=values.shape, expected="one variable")
    _check_options(stat, None, 0.95, denominator)
    cells = collapse(design, values, domain, denominator=denominator, domains=domains)
    assert cells.domains is not None and cells.centre is not None
    count = cells.domains.size
    if count > 500:
        raise InferenceError("too-many-domains", domains=count, limit=500)
    starts, found = _runs(cells.domain)
    w, wy = (_by_domain(each, starts, found, count) for each in (cells.w, cells.wy))
    gamma = None
    with np.errstate(invalid="ignore", divide="ignore"):
        if stat == "ratio":
            assert cells.wx is not None
            x = _by_domain(cells.wx, starts, found, count)
            alpha, beta, gamma = 1 / x, np.zeros_like(x), -wy / x**2
            bad = (w <= 0) | (x == 0)
        elif stat == "total":
            alpha, beta, bad = np.ones_like(w), np.full_like(w, cells.centre[0]), w <= 0
        else:
            alpha, beta, bad = 1 / w, -wy / w**2, w <= 0
    for each in (alpha, beta, gamma):
        if each is not None:
            each[bad] = 0.0
    t = alpha[cells.domain] * cells.wy + beta[cells.domain] * cells.w
    if gamma is not None and cells.wx is not None:
        t = t + gamma[cells.domain] * cells.wx
    out = np.zeros((count, count))
    steps = None
    if design.calibration is not None and cells.moments is not None:
        steps = design.calibration.coefficients(cells.moments, alpha, beta, gamma)
    for depth, level in enumerate(design.levels):
        if depth and not level.factor.any():
            break
        rule = _rule(level, design.lonely, whole=steps is not None)
        full = np.zeros((level.stratum_of_unit.size, count))
        unit = _lift(design.levels, depth, cells.psu)
        np.add.at(full, (unit, cells.domain), t[:, 0])
        if steps is None and (rule.averaged is not None or rule.alone.any()):
            out += _lonely_cov(full, unit, cells, level, rule)
            continue
        if steps is not None and design.calibration is not None:
            for x, b in zip(design.calibration.unit_sums(design, depth), steps, strict=True):
                full -= x @ b[:, :, 0].T
        out += full.T @ _deviations(full, level, rule)
    out = (out + out.T) / 2
    out[bad[:, 0]] = np.nan
    out[:, bad[:, 0]] = np.nan
    return out


def _lonely_cov(full: Floats, unit: Codes, cells: Cells, level: Level, rule: _Rule) -> Floats:
    """Return a level's covariance of domains where lonely strata count only for domains that meet them."""
    strata, count = level.sampled.size, full.shape[1]
    met = np.zeros((strata, count))
    some = np.asarray(cells.n)[:, 0] > 0
    met[level.stratum_of_unit[unit[some]], cells.domain[some]] = 1.0
    parents = rule.units.size
    plain = _Rule(rule.good, np.zeros(strata), rule.units)
    if rule.averaged is not None:
        every, fine = np.zeros((parents, count)), np.zeros((parents, count))
        np.add.at(every, level.parent_of_stratum, met)
        np.add.at(fine, level.parent_of_stratum, met * ~rule.averaged[:, None])
        with np.errstate(invalid="ignore", divide="ignore"):
            factor = np.where(every > 0, np.sqrt(every / fine), 0.0)
        lost = ~np.isfinite(factor)
        scaled = full * np.where(lost, 0.0, factor)[level.parent_of_stratum[level.stratum_of_unit]]
        out = scaled.T @ _deviations(scaled, level, plain)
        out[lost.any(axis=0)] = np.nan
        out[:, lost.any(axis=0)] = np.nan
        return np.asarray(out)
    grand = np.zeros((parents, count))
    np.add.at(grand, level.parent_of_stratum[level.stratum_of_unit], full)
    grand /= rule.units[:, None]
    rows = np.flatnonzero(rule.alone[level.stratum_of_unit] > 0)
    h = level.stratum_of_unit[rows]
    away = (full[rows] - grand[level.parent_of_stratum[h]]) * met[h]
    return np.asarray(full.T @ _deviations(full, level, plain) + (away * rule.alone[h][:, None]).T @ away)


def contrast(est: Array, cov: Array, L: Array, df: float, *, level: float = 0.95) -> Contrast:
    """Return L·est with covariance L·cov·Lᵀ, t statistics against 0 and intervals.

    `est` (D), `cov` (D, D) or standard errors (D) of independent estimates, `L` (D) or (q, D), `df` may be
    `math.inf`. NaN in an estimate that a row of L uses gives NaN in that row; where L is 0 it does not matter.
    Raises `length-mismatch`, `level-out-of-range`.
    """
    from scipy.special import ndtr, stdtr

    check_level(level)
    values = np.asarray(est, dtype=np.float64).ravel()
    weights = np.atleast_2d(np.asarray(L, dtype=np.float64))
    matrix = np.asarray(cov, dtype=np.float64)
    matrix = np.diag(matrix**2) if matrix.ndim == 1 else matrix
    if weights.shape[1] != values.size or matrix.shape != (values.size, values.size):
        raise InferenceError("length-mismatch", name="L", found=weights.shape, expected=values.size)
    if not df > 0:
        raise InferenceError("option-unknown", name="df", value=df, allowed="above 0, or infinite")
    if not np.isfinite(weights).all():
        at = np.argwhere(~np.isfinite(weights))[0]
        raise InferenceError("not-finite", name="L", row=int(at[0]), value=float(weights[tuple(at)]))
    if (np.diag(matrix) < 0).any() or (np.asarray(cov).ndim == 1 and (np.asarray(cov, dtype=np.float64) < 0).any()):
        raise InferenceError("covariance-not-psd", smallest=float(np.nanmin(np.asarray(cov, dtype=np.float64))))
    unknown = ~np.isfinite(values) | ~np.isfinite(np.diag(matrix))
    lost = (weights[:, unknown] != 0).any(axis=1)
    clean = np.where(unknown[:, None] | unknown[None, :], 0.0, matrix)
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
    return Contrast(result, se, float(df), result - q * se, result + q * se, t, 2 * tail, covariance, level)


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

    `rule`: "math" the smallest value whose distribution function reaches p; "school" the mean of it and the next
    when it is reached exactly; "hf7" Hyndman and Fan's seventh. The interval estimates the distribution function
    at the quantile as a mean, with its standard error, and maps both ends back by the same rule; an end outside 0 to
    1 is NaN, flagged `outside-data`. se = (hi − lo) / 2t. `df` as in `estimate_domains`. Raises what
    `estimate_domains` raises, and `level-out-of-range` for p outside 0 to 1.
    """
    check_level(level)
    if rule not in get_args(Rule):
        raise InferenceError("option-unknown", name="rule", value=rule, allowed=", ".join(get_args(Rule)))
    asked = np.atleast_1d(np.asarray(p, dtype=np.float64))
    if asked.ndim != 1 or not ((asked >= 0) & (asked <= 1)).all():
        raise InferenceError("level-out-of-range", value=asked.tolist())
    values = _matrix(y, design.rows, "y")
    if values.shape[1] != 1:
        raise InferenceError("length-mismatch", name="y", found=values.shape, expected="one variable")
    column = values[:, 0]
    if np.isinf(column).any():
        raise InferenceError("not-finite", name="y", row=int(np.argmax(np.isinf(column))), value="inf")
    labels, code = _domain_codes(domain, domains, design.rows)
    use = np.flatnonzero((code >= 0) & ~np.isnan(column) & (design.weight > 0))
    order = use[np.lexsort((column[use], code[use]))]
    starts, found = _runs(code[order])
    ends = np.append(starts[1:], order.size)[: starts.size]
    curves = {}
    est = np.full((labels.size, asked.size), np.nan)
    n = np.zeros(labels.size, dtype=np.int64)
    for place, start, end in zip(found.tolist(), starts.tolist(), ends.tolist(), strict=True):
        rows = order[start:end]
        curves[place] = _curve(column[rows], design.weight[rows])
        est[place] = _read_off(*curves[place], asked, rule)
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
        lo[place] = _read_off(*curve, share.est[place] - q[place] * share.se[place], rule)
        hi[place] = _read_off(*curve, share.est[place] + q[place] * share.se[place], rule)
    bits = np.zeros(est.shape, dtype=np.uint16)
    bits[np.isnan(est)] |= _BIT["empty"]
    bits[~np.isnan(est) & (freedom <= 0)] |= _BIT["few-psu"]
    bits[~np.isnan(est) & (np.isnan(lo) | np.isnan(hi))] |= _BIT["outside-data"]
    with np.errstate(invalid="ignore"):
        bits[share.flags["zero-variance"]] |= _BIT["zero-variance"]
        se = (hi - lo) / (2 * q)
    return Quantiles(est, se, lo, hi, freedom, n, Flags(bits), labels, asked, rule, level)


def _curve(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return (distinct values, cumulated weight up to and with each, as is)."""
    return values, np.cumsum(weight)


def _read_off(values: Floats, cumulated: Floats, p: Floats, rule: Rule) -> Floats:
    """Return the quantiles of sorted values by rule; NaN outside 0 to 1."""
    out = np.full(p.shape, np.nan)
    ok = np.flatnonzero(np.isfinite(p) & (p >= 0) & (p <= 1))
    if values.size == 0 or ok.size == 0:
        return out
    total = cumulated[-1]
    if rule == "hf7":
        if values.size == 1:
            out[ok] = values[0]
            return out
        places = np.append(0.0, cumulated[:-1]) / cumulated[-2]
        out[ok] = np.interp(p[ok], places, values)
        return out
    target = p[ok] * total
    at = np.searchsorted(cumulated, target - 1e-12 * total, side="left")
    at = np.minimum(at, values.size - 1)
    out[ok] = values[at]
    if rule == "school":
        tied = (np.abs(cumulated[at] - target) <= 1e-12 * total) & (at + 1 < values.size)
        out[ok] = np.where(tied, (values[at] + values[np.minimum(at + 1, values.size - 1)]) / 2, out[ok])
    return out


# Unequal probabilities without replacement


def brewer_variance(z: Array, probability: Array, strata: Array | None = None) -> float:
    """Return Brewer's approximate variance of the Horvitz-Thompson total of `z` (n), one stage, unequal π (n).

    n/(n−1)·Σ(1−π)(z/π − mean)² in each stratum. Needs no joint probabilities. Raises `lonely-psu` for a stratum
    with one row unless its probability is 1, `probability-out-of-range`. Source: Brewer and Donadio (2003).
    """
    values, pi = _probabilities(z, probability)
    if strata is not None:
        given = np.asarray(strata)
        if given.shape != values.shape:
            raise InferenceError("length-mismatch", name="strata", found=given.shape, expected=values.shape)
        if missing_codes(given).any():
            raise InferenceError("missing-code", name="strata", row=int(np.argmax(missing_codes(given))))
    total = 0.0
    names, code = (
        (np.zeros(1), np.zeros(values.size, dtype=np.int64)) if strata is None else compact(np.asarray(strata))
    )
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
    values, pi = np.asarray(z, dtype=np.float64), np.asarray(probability, dtype=np.float64)
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
    return values, pi


def _joint(z: Array, joint: Array) -> tuple[Floats, Floats]:
    matrix = np.asarray(joint, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InferenceError("length-mismatch", name="joint", found=matrix.shape, expected="a square matrix")
    values, pi = _probabilities(z, np.diag(matrix))
    wrong = ~((matrix > 0) & (matrix <= np.minimum.outer(pi, pi) * (1 + 1e-12)))
    if wrong.any():
        raise InferenceError(
            "probability-out-of-range", row=int(np.argwhere(wrong)[0][0]), value=float(matrix[wrong][0])
        )
    return values, matrix
