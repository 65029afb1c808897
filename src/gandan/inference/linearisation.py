"""Variances of totals of linearised values, stage by stage, from cells.

V = Σ_h (1−f_h)·n_h/(n_h−1)·Σ_c(T_hc − T̄_h)², and for each further stage the same within its units, times the shares
that were sampled before. After calibration the residuals stand in for the values: in dense form where they fit into
memory, else by algebra on the cells.

Sources: Binder (1983) for linearisation; Särndal, Swensson and Wretman (1992), chapters 4 and 5.
"""

import numpy as np

from gandan.inference.cells import Cells
from gandan.inference.design import Codes, Design, Floats, Level, Lonely, lift
from gandan.inference.domains import by_domain, runs
from gandan.inference.lonely import Form, covariance_where_met, deviations, form_of

_DENSE = 60_000_000
"""Residuals that are held at once: units × domains × variables."""


def variance_of_totals(
    cells: Cells, levels: tuple[Level, ...], lonely: Lonely, alpha: Floats, beta: Floats, gamma: Floats | None
) -> Floats:
    """Return V (D, K) of the totals of z, where T = alpha·wy + beta·w + gamma·wx in each cell of a domain."""
    domains, wide = alpha.shape
    out = np.zeros((domains, wide))
    steps = None
    if cells.moments is not None and cells.design is not None and cells.design.calibration is not None:
        steps = cells.design.calibration.coefficients(cells.moments, alpha, beta, gamma)
    units = levels[-1].stratum_of_unit.size
    known: dict[int, list[Floats]] = {}
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
            form = form_of(level, lonely, whole=steps is not None)
            unit = lift(levels, depth, cells.psu)
            size = level.stratum_of_unit.size
            starts, keys = runs(code * size + unit)
            if starts.size == 0:
                continue
            here = t if starts.size == t.shape[0] else np.add.reduceat(t, starts, axis=0)
            where, unit = keys // size, keys % size
            if steps is None:
                met = None
                if form.averaged is not None or form.alone.any():
                    some = np.asarray(cells.n if cells.n.shape[1] == 1 else cells.n[:, part]) > 0
                    met = np.maximum.reduceat(some.astype(np.float64), starts, axis=0)
                out[:, part] += _sparse_form(here, where, unit, level, form, domains, met)
            else:
                assert cells.design is not None and cells.design.calibration is not None
                if depth not in known:
                    known[depth] = cells.design.calibration.unit_sums(cells.design, depth)
                sums = known[depth]
                share = [step[:, :, part] for step in steps]
                if units * domains * here.shape[1] <= _DENSE:
                    out[:, part] += _dense_form(here, where, unit, level, form, domains, sums, share)
                else:
                    out[:, part] += _algebraic_form(here, where, unit, level, form, domains, sums, share)
    return out


def covariance_of_totals(cells: Cells, design: Design, alpha: Floats, beta: Floats, gamma: Floats | None) -> Floats:
    """Return the covariance (D, D) of the same totals of one variable: its diagonal is their variance."""
    count = alpha.shape[0]
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
        form = form_of(level, design.lonely, whole=steps is not None)
        full = np.zeros((level.stratum_of_unit.size, count))
        unit = lift(design.levels, depth, cells.psu)
        np.add.at(full, (unit, cells.domain), t[:, 0])
        if steps is None and (form.averaged is not None or form.alone.any()):
            out += covariance_where_met(full, unit, cells, level, form)
            continue
        if steps is not None and design.calibration is not None:
            for x, b in zip(design.calibration.unit_sums(design, depth), steps, strict=True):
                full -= x @ b[:, :, 0].T
        out += full.T @ deviations(full, level, form)
    return (out + out.T) / 2


def _sparse_form(
    t: Floats,
    where: Codes,
    unit: Codes,
    level: Level,
    form: Form,
    domains: int,
    met: Floats | None = None,
) -> Floats:
    """Return (D, K) of the quadratic form; absent cells are zeros and are counted as such.

    `met` (cells, K or 1): whether a cell has a row with a value. Only strata that a domain meets count for what is
    lonely in it, as they do in R; None lets all of them count.
    """
    strata = level.sampled.size
    stratum = level.stratum_of_unit[unit]
    starts, keys = runs(where * strata + stratum)
    h = keys % strata
    present = np.diff(np.append(starts, t.shape[0]))
    mean = np.add.reduceat(t, starts, axis=0) / level.sampled[h][:, None]
    off = t - np.repeat(mean, present, axis=0)
    off *= off
    squares = np.add.reduceat(off, starts, axis=0)
    squares += (level.sampled[h] - present)[:, None] * mean**2
    squares *= form.good[h][:, None]
    outer, found = runs(keys // strata)
    parents = form.units.size
    group = level.parent_of_stratum[stratum]
    if form.averaged is not None and met is not None:
        # In each parent: the sum over good strata, times the strata met over the good strata met.
        seen = np.maximum.reduceat(met, starts, axis=0)
        of = (keys // strata) * parents + level.parent_of_stratum[h]
        p_starts, p_keys = runs(of)
        every = np.add.reduceat(seen, p_starts, axis=0)
        fine = np.add.reduceat(seen * ~form.averaged[h][:, None], p_starts, axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = np.where(every > 0, np.add.reduceat(squares, p_starts, axis=0) * (every / fine), 0.0)
        outer, found = runs(p_keys // parents)
        return by_domain(each, outer, found, domains)
    out = by_domain(squares, outer, found, domains)
    if form.alone.any():
        p_starts, p_keys = runs(where * parents + group)
        units: Floats = form.units[p_keys % parents][:, None].astype(np.float64)
        if met is not None:
            # G is the mean over the units of the strata that the domain meets.
            seen = np.maximum.reduceat(met, starts, axis=0) * level.sampled[h][:, None]
            of_parent, _ = runs((keys // strata) * parents + level.parent_of_stratum[h])
            units = np.maximum(np.add.reduceat(seen, of_parent, axis=0), 1.0)
        grand = np.add.reduceat(t, p_starts, axis=0) / units
        width = np.diff(np.append(p_starts, t.shape[0]))
        away = form.alone[stratum][:, None] * ((t - np.repeat(grand, width, axis=0)) ** 2)
        each = np.add.reduceat(away if met is None else away * met, p_starts, axis=0)
        if met is None:
            share = np.add.reduceat(form.alone[stratum], p_starts)
            weight = np.bincount(level.parent_of_stratum, weights=form.alone, minlength=parents)[p_keys % parents]
            each = each + np.maximum(weight - share, 0.0)[:, None] * grand**2
        outer, found = runs(p_keys // parents)
        out += by_domain(each, outer, found, domains)
    return out


def _dense_form(
    t: Floats,
    where: Codes,
    unit: Codes,
    level: Level,
    form: Form,
    domains: int,
    sums: list[Floats],
    steps: list[Floats],
) -> Floats:
    """The same of residuals: T less the sums of x times B of each calibration, for every unit and domain."""
    wide = t.shape[1]
    full = np.zeros((level.stratum_of_unit.size, domains, wide))
    full[unit, where] = t
    for x, b in zip(sums, steps, strict=True):
        full -= np.einsum("cp,dpk->cdk", x, b, optimize=True)
    flat = full.reshape(full.shape[0], -1)
    return np.asarray(np.einsum("cq,cq->q", flat, deviations(flat, level, form))).reshape(domains, wide)


def _algebraic_form(
    t: Floats,
    where: Codes,
    unit: Codes,
    level: Level,
    form: Form,
    domains: int,
    sums: list[Floats],
    steps: list[Floats],
) -> Floats:
    """The same without a dense residual: ΣT² − 2BᵀΣXT + BᵀΣXXᵀB, each bracket as in the plain form."""
    x = np.concatenate(sums, axis=1)
    b = np.concatenate(steps, axis=1)
    deviation = deviations(x, level, form)
    plain = _sparse_form(t, where, unit, level, form, domains)
    starts, found = runs(where)
    cross = np.stack(
        [by_domain(deviation[unit, j : j + 1] * t, starts, found, domains) for j in range(x.shape[1])], axis=1
    )
    out = plain - 2 * np.einsum("dpk,dpk->dk", b, cross) + np.einsum("dpk,pq,dqk->dk", b, x.T @ deviation, b)
    floor = 1e-12 * by_domain(t * t, starts, found, domains)
    return np.where((out < 0) & (out > -np.maximum(floor, 1e-300)), 0.0, np.maximum(out, 0.0))
