"""What a stratum adds to a variance, and what a lonely one does: the quadratic form of a stage.

A stratum is lonely when one of its units was sampled and it was not taken whole. `adjust` measures that unit against
the mean of all units; `average` lets the mean of the other strata stand for it; `remove` adds nothing.
"""

from dataclasses import dataclass

import numpy as np

from gandan.inference.cells import Cells
from gandan.inference.design import Bools, Codes, Floats, Level, Lonely
from gandan.inference.errors import InferenceError


@dataclass(slots=True)
class Form:
    """A level's quadratic form: a·Σ(T−T̄)² over good strata, g·(T−G)² over lonely ones."""

    good: Floats
    alone: Floats
    units: Codes
    """Units of each parent, for G."""
    averaged: Bools | None = None
    """Lonely strata, when the mean of those that a domain meets beside them stands for them."""


def form_of(level: Level, lonely: Lonely, *, whole: bool = False) -> Form:
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
            return Form(good, apart, units, alone)
        if lonely == "average":
            all_strata = np.bincount(level.parent_of_stratum, minlength=parents)
            fine = np.bincount(level.parent_of_stratum, weights=~alone, minlength=parents)
            if ((fine == 0) & (all_strata > 0)).any():
                raise InferenceError("lonely-psu", stratum=level.labels[at], strata=int(alone.sum()))
            good = good * (all_strata / np.maximum(fine, 1))[level.parent_of_stratum]
    return Form(good, apart, units)


def deviations(values: Floats, level: Level, form: Form) -> Floats:
    """Return D(v), the linear map by which the form is Σ u·D(v); `values` (units, q)."""
    stratum = level.stratum_of_unit
    total = np.zeros((level.sampled.size, values.shape[1]))
    np.add.at(total, stratum, values)
    mean = total / level.sampled[:, None]
    out = form.good[stratum][:, None] * (values - mean[stratum])
    if form.alone.any():
        group = level.parent_of_stratum[stratum]
        grand = np.zeros((form.units.size, values.shape[1]))
        np.add.at(grand, group, values)
        grand /= form.units[:, None]
        away = form.alone[stratum][:, None] * (values - grand[group])
        shared = np.zeros_like(grand)
        np.add.at(shared, group, away)
        out += away - (shared / form.units[:, None])[group]
    return out


def covariance_where_met(full: Floats, unit: Codes, cells: Cells, level: Level, form: Form) -> Floats:
    """Return a level's covariance of domains where lonely strata count only for domains that meet them.

    The mean of all units, for "adjust", is that of the strata which the domain meets.
    """
    strata, count = level.sampled.size, full.shape[1]
    met = np.zeros((strata, count))
    some = np.asarray(cells.n)[:, 0] > 0
    met[level.stratum_of_unit[unit[some]], cells.domain[some]] = 1.0
    parents = form.units.size
    plain = Form(form.good, np.zeros(strata), form.units)
    if form.averaged is not None:
        every, fine = np.zeros((parents, count)), np.zeros((parents, count))
        np.add.at(every, level.parent_of_stratum, met)
        np.add.at(fine, level.parent_of_stratum, met * ~form.averaged[:, None])
        with np.errstate(invalid="ignore", divide="ignore"):
            factor = np.where(every > 0, np.sqrt(every / fine), 0.0)
        lost = ~np.isfinite(factor)
        scaled = full * np.where(lost, 0.0, factor)[level.parent_of_stratum[level.stratum_of_unit]]
        out = scaled.T @ deviations(scaled, level, plain)
        out[lost.any(axis=0)] = np.nan
        out[:, lost.any(axis=0)] = np.nan
        return np.asarray(out)
    grand = np.zeros((parents, count))
    np.add.at(grand, level.parent_of_stratum[level.stratum_of_unit], full)
    units = np.zeros((parents, count))
    np.add.at(units, level.parent_of_stratum, met * level.sampled[:, None])
    grand /= np.maximum(units, 1.0)
    rows = np.flatnonzero(form.alone[level.stratum_of_unit] > 0)
    h = level.stratum_of_unit[rows]
    away = (full[rows] - grand[level.parent_of_stratum[h]]) * met[h]
    return np.asarray(full.T @ deviations(full, level, plain) + (away * form.alone[h][:, None]).T @ away)
