"""From rows to cells: sums by (domain, last-stage unit), made here or grouped by a database.

One pass over the rows; memory is cells × variables beside the data. Cells that are absent are zeros, so nothing is
lost. Values far from zero are summed about a round number near their mean, which keeps their last digits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gandan.inference.design import Array, Bools, Codes, Design, Floats, Level, compact, lift
from gandan.inference.domains import by_domain, domain_codes, runs
from gandan.inference.errors import InferenceError
from gandan.inference.given import codes, number, numbers, plain_codes, whole

_CHUNK = 1 << 17
"""Rows handled at a time, at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What a calibrated design adds to cells, for each calibration step: domain sums of d·x, d·x·y and d·x·x'."""

    x: tuple[Floats, ...]
    """(domain, column of the step, variable or 1)"""
    xy: tuple[Floats, ...]
    xz: tuple[Floats, ...] | None
    last: tuple[Floats, Floats, Floats]
    """(domain, variable or 1): domain sums of d, d·y and d·y² with the weights that the last step is fitted by."""


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
    values = matrix_of(y, design.rows, "y")
    below = None if denominator is None else matrix_of(denominator, design.rows, "denominator")
    if below is not None:
        if below.shape[1] not in (1, values.shape[1]):
            raise InferenceError("length-mismatch", name="denominator", found=below.shape, expected=values.shape)
        below = np.broadcast_to(below, values.shape)
        gone = np.isnan(values) | np.isnan(below)
        if gone.any():
            values, below = np.where(gone, np.nan, values), np.where(gone, np.nan, below)
    labels, code = domain_codes(domain, domains, design.rows)
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
        design.levels[0].stratum_of_unit[lift(design.levels, 0, cell_unit)],
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
            with np.errstate(over="ignore"):
                below_squares = _grouped(code[part], domains, weight[part], under * under)
            if not np.isfinite(below_squares).all():
                at = np.unravel_index(int(np.abs(under).argmax()), under.shape)
                told = {"row": int(at[0]) + start, "value": float(under[at])}
                raise InferenceError("not-finite", name="denominator squared", **told)
            xx += below_squares
            xy += _grouped(code[part], domains, weight[part], block * under)
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


def matrix_of(given: Array, rows: int, name: str) -> Floats:
    """Return a vector or matrix of numbers as (rows, K); raises `length-mismatch`, `not-numbers`."""
    values = numbers(given, name, limit=False)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[0] != rows:
        raise InferenceError("length-mismatch", name=name, found=values.shape, expected=rows)
    return values


# Whom a domain meets


def members(cells: Cells, levels: tuple[Level, ...], wide: int) -> tuple[Codes, Codes]:
    """Return (primary units, strata) that have a row with a value, by domain and variable."""
    assert cells.domains is not None
    domains = cells.domains.size
    primary = lift(levels, 0, cells.psu)
    some = (np.asarray(cells.n) > 0).astype(np.float64)
    found = []
    for size, code in (
        (levels[0].stratum_of_unit.size, primary),
        (levels[0].sampled.size, levels[0].stratum_of_unit[primary]),
    ):
        starts, keys = runs(cells.domain * size + code)
        if starts.size == 0:
            found.append(np.zeros((domains, wide), dtype=np.int64))
            continue
        met = np.maximum.reduceat(some, starts, axis=0)
        outer, labels = runs(keys // size)
        counted = by_domain(met, outer, labels, domains)
        found.append(np.broadcast_to(counted, (domains, wide)).astype(np.int64))
    return found[0], found[1]


def sampled_in_part(cells: Cells, levels: tuple[Level, ...], wide: int) -> Bools:
    """Return whether any row with a value comes from a stratum, of any stage, that was not taken whole."""
    assert cells.domains is not None
    part = np.zeros(cells.psu.size, dtype=bool)
    for depth, level in enumerate(levels):
        stratum = level.stratum_of_unit[lift(levels, depth, cells.psu)]
        part |= ~level.certain[stratum] & (level.factor[stratum] > 0)
    some = (np.asarray(cells.n) > 0) & part[:, None]
    starts, found = runs(cells.domain)
    counted = by_domain(some.astype(np.float64), starts, found, cells.domains.size)
    return np.asarray(np.broadcast_to(counted > 0, (cells.domains.size, wide)))


# Cells that were grouped elsewhere


def framed(
    cells: Cells, stratum_n: Array | Mapping[Any, int] | None, fpc: Array | Mapping[Any, float] | None
) -> tuple[Cells, tuple[Level, ...]]:
    """Return the cells sorted by (domain, unit), their labels set, and the levels of the design."""
    if cells.design is not None and cells.domains is not None:
        return cells, cells.design.levels
    if stratum_n is None:
        raise InferenceError("length-mismatch", name="stratum_n", found=0, expected="one number for each stratum")
    wy = numbers(cells.wy, "wy")
    wy = wy[:, None] if wy.ndim == 1 else wy
    m = wy.shape[0]
    if m == 0:
        raise InferenceError("empty-data")

    def finite(values: Floats, name: str) -> Floats:
        if not np.isfinite(values).all():
            at = np.argwhere(~np.isfinite(values))[0]
            raise InferenceError("not-finite", name=name, row=int(at[0]), value=float(values[tuple(at)]))
        return values

    def shaped(given: Array, name: str) -> Floats:
        values = numbers(given, name)
        values = values[:, None] if values.ndim == 1 else values
        if values.shape[0] != m or values.shape[1] not in (1, wy.shape[1]):
            raise InferenceError("length-mismatch", name=name, found=values.shape, expected=wy.shape)
        return finite(values, name)

    finite(wy, "wy")
    labels, code = domain_codes(cells.domain, cells.domains, m)
    if (code < 0).any():
        raise InferenceError("missing-code", name="domain", row=int(np.argmax(code < 0)))
    strata, sampled, population = _strata_given(stratum_n, fpc)
    given = codes(cells.stratum, "stratum")
    place = np.array([strata.get(each, -1) for each in given.tolist()], dtype=np.int64)
    if (place < 0).any():
        raise InferenceError("stratum-unknown", stratum=given[np.argmax(place < 0)].item())
    names, within = compact(plain_codes(codes(cells.psu, "psu")))
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
        centre=None if cells.centre is None else np.reshape(_shaped_spread(cells.centre, (1, wy.shape[1])), -1),
        spread=_shaped_spread(cells.spread, (labels.size, wy.shape[1])),
    )
    return merged, (frame,)


def _shaped_spread(given: Array | None, shape: tuple[int, int]) -> Any:
    if given is None:
        return None
    values = numbers(given, "spread or centre")
    if values.size != shape[0] * shape[1]:
        raise InferenceError("length-mismatch", name="spread or centre", found=values.shape, expected=shape)
    return values.reshape(shape)


def _strata_given(
    stratum_n: Array | Mapping[Any, int], fpc: Array | Mapping[Any, float] | None
) -> tuple[dict[Any, int], Codes, Floats | None]:
    if isinstance(stratum_n, Mapping):
        pairs = [(code, whole(count, "stratum_n", 1)) for code, count in stratum_n.items()]
    else:
        counts = numbers(stratum_n, "stratum_n").ravel().tolist()
        pairs = [(code, whole(count, "stratum_n")) for code, count in enumerate(counts) if count]
    strata = {code: place for place, (code, _) in enumerate(pairs)}
    sampled = np.array([count for _, count in pairs], dtype=np.int64)
    if fpc is None:
        return strata, sampled, None
    sizes = fpc if isinstance(fpc, Mapping) else dict(enumerate(numbers(fpc, "fpc").ravel().tolist()))
    for code in strata:
        if code not in sizes:
            raise InferenceError("stratum-unknown", stratum=code)
    population = np.array([number(sizes[code], "fpc") for code in strata])
    if np.isnan(population).any():
        raise InferenceError("not-finite", name="fpc", row=int(np.argmax(np.isnan(population))), value="nan")
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
