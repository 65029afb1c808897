"""One figure from several criteria, with the uncertainty of each carried through, and what hangs on the weights.

Weights are a decision, not a finding: a composite is published with its weights, and every tier with the weights
under which it would be another one.

Source: variance of a linear form; OECD and JRC, "Handbook on Constructing Composite Indicators", 2008, steps 5 to 7.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gandan.inference.design import Array, Floats
from gandan.inference.errors import InferenceError
from gandan.inference.given import number, numbers, seed_of, whole
from gandan.inference.intervals import check_level
from gandan.inference.ranking import tell_apart

Truths = npt.NDArray[np.bool_]
Tiers = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """Weighted means of criteria for p units.

    `value`, `se` (p) and `cov` (p, p): the composite; give `value` and `cov` to `rank_sets` or `tiers`. `weight` (K):
    sums to 1. `scaled` (p, K): criteria on the common scale; `contribution` (p, K): weight times scaled, adding up to
    `value`. `beyond` (p, K): a criterion that left its goalposts; it is not cut off, which would hide its error.
    """

    value: Floats
    se: Floats
    cov: Floats
    weight: Floats
    scaled: Floats
    contribution: Floats
    beyond: Truths


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivity:
    """How far each unit's tier hangs on the weights. Tiers are 1, 0, -1 as in `ranking.Tiers`.

    `tier` (p): at the stated weights. `share` (p, 3): share of the drawn weightings in which the unit is below, not
    shown different, above. `stable` (p): the same tier in every drawn weighting. `without` (K, p): tiers when one
    criterion is left out and the others keep their proportions. `equal` (p): tiers with equal weights. `low`, `high`
    (p, K): the range of one criterion's weight, the others in proportion, throughout which the tier stays what it is,
    looked at in steps of 1/`steps`. `change`, `draws`, `seed`, `steps`, `level`: what was asked for.
    """

    tier: Tiers
    share: Floats
    stable: Truths
    without: Tiers
    equal: Tiers
    low: Floats
    high: Floats
    change: float
    draws: int
    seed: int
    steps: int
    level: float


def compose(
    est: Array | Sequence[Any],
    cov: Array | Sequence[Any],
    weight: Array | Sequence[float],
    *,
    goalposts: Sequence[tuple[float, float]] | None = None,
) -> Composite:
    """Return the weighted mean of K criteria for p units, with its covariance between units.

    `est` (p, K). `cov`: standard errors (p, K) of independent criteria; or (p, K, K), covariances between the criteria
    of one unit, units independent; or (p, K, p, K), everything. A standard error of 0 is a census. `weight` (K): at
    least 0, made to sum to 1. `goalposts`: for each criterion the fixed values that count as 0 and as 1, the first
    the larger where smaller is better; None where the criteria share a scale already. Goalposts taken from the data
    themselves would need their own error and are the caller's mistake.

    A unit that lacks a criterion is refused, not given a composite of the others. Refuses: `empty-data`,
    `length-mismatch`, `not-finite`, `negative-se`, `covariance-not-psd`, `weight-not-positive`, `goalposts-equal`.
    """
    criteria = _Criteria.of(est, cov, goalposts)
    share = _weights(weight, criteria.scaled.shape[1])
    joint = criteria.composite_cov(share)
    return Composite(
        value=criteria.scaled @ share,
        se=np.sqrt(np.maximum(np.diag(joint), 0.0)),
        cov=joint,
        weight=share,
        scaled=criteria.scaled,
        contribution=criteria.scaled * share,
        beyond=criteria.beyond,
    )


def weight_sensitivity(
    est: Array | Sequence[Any],
    cov: Array | Sequence[Any],
    weight: Array | Sequence[float],
    reference: float | Sequence[float] | Array | Literal["mean"],
    *,
    goalposts: Sequence[tuple[float, float]] | None = None,
    share: Array | Sequence[float] | None = None,
    change: float = 0.25,
    level: float = 0.95,
    draws: int = 1_000,
    steps: int = 100,
    seed: int,
) -> Sensitivity:
    """Return how each unit's tier depends on the weights of the criteria.

    `est`, `cov`, `weight`, `goalposts` as in `compose`; `reference` and `share` (of the units, for "mean") as in
    `ranking.tiers`, on the scale of the composite. Weightings are drawn by multiplying each weight by a number
    uniform between 1 - `change` and 1 + `change`, 0 < change ≤ 1, and dividing by the sum. Tiers by Šidák's steps.
    The draws stand for opinions about weights, not for sampling error: a share of weightings is no probability.

    Refuses as `compose`, and `shares-not-one`, `option-unknown`, `level-out-of-range`, `seed-needed`,
    `change-out-of-range`, `too-few-draws` (draws below 1, steps below 2).
    """
    check_level(level)
    if not 0 < number(change, "change") <= 1:
        raise InferenceError("change-out-of-range", value=change)
    if whole(draws, "draws") < 1 or whole(steps, "steps") < 2:
        raise InferenceError("too-few-draws", draws=min(draws, steps), needed=2)
    seed = seed_of(seed)
    criteria = _Criteria.of(est, cov, goalposts)
    units, count = criteria.scaled.shape
    stated = _weights(weight, count)
    gap, spread = criteria.against(reference, share)

    def tiers_at(weights: Floats) -> Tiers:
        return _tiers(weights, gap, spread, level)

    tier = tiers_at(stated[None, :])[0]
    rng = np.random.Generator(np.random.PCG64(seed))
    drawn = stated * rng.uniform(1 - change, 1 + change, (draws, count))
    total = drawn.sum(axis=1, keepdims=True)
    drawn = np.where(total > 0, drawn / np.where(total > 0, total, 1.0), stated)
    found = tiers_at(drawn)
    without = np.array([tiers_at(_moved(stated, k, np.zeros(1)))[0] for k in range(count)], dtype=np.int8)
    low, high = np.empty((units, count)), np.empty((units, count))
    for k in range(count):
        path = np.union1d(np.arange(steps + 1) / steps, stated[k])
        same = tiers_at(_moved(stated, k, path)) == tier
        here = int(np.searchsorted(path, stated[k]))
        for unit in range(units):
            changed = np.flatnonzero(~same[:, unit])
            before, after = changed[changed < here], changed[changed > here]
            low[unit, k] = path[before[-1] + 1] if before.size else path[0]
            high[unit, k] = path[after[0] - 1] if after.size else path[-1]
    return Sensitivity(
        tier=tier,
        share=np.column_stack([(found == each).mean(axis=0) for each in (-1, 0, 1)]),
        stable=(found == tier).all(axis=0),
        without=without,
        equal=tiers_at(np.full((1, count), 1 / count))[0],
        low=low,
        high=high,
        change=change,
        draws=draws,
        seed=int(seed),
        steps=steps,
        level=level,
    )


def _tiers(weights: Floats, gap: Floats, spread: Floats, level: float) -> Tiers:
    """Return tiers (s, p) under s weightings (s, K), from gaps (p, K) and their covariances (p, K, K)."""
    difference = weights @ gap.T
    variance = np.einsum("sk,pkl,sl->sp", weights, spread, weights, optimize=True)
    # What is left of terms that cancel is rounding: nothing is told apart by it.
    size = np.einsum("sk,pk->sp", weights, np.sqrt(np.maximum(np.einsum("pkk->pk", spread), 0.0))) ** 2
    moving = variance > 1e-14 * size
    difference = np.where(np.abs(difference) <= 1e-14 * (weights @ np.abs(gap).T), 0.0, difference)
    statistic = np.where(moving, np.abs(difference) / np.sqrt(np.where(moving, variance, 1.0)), 0.0)
    _, apart = tell_apart(statistic, moving, level, "sidak")
    apart |= ~moving & (difference != 0)
    tier: Tiers = np.where(apart, np.sign(difference), 0).astype(np.int8)
    return tier


def _moved(weight: Floats, which: int, values: Floats) -> Floats:
    """Return weightings in which one criterion has each of `values` and the others keep their proportions."""
    others = np.delete(weight, which)
    rest = others / others.sum() if others.sum() > 0 else np.full(others.size, 1 / max(others.size, 1))
    if others.size == 0:
        return np.ones((values.size, 1))
    return np.insert((1 - values)[:, None] * rest, which, values, axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class _Criteria:
    """Criteria on the common scale with their covariance, in the smallest of the three forms that hold it."""

    scaled: Floats
    cov: Floats
    beyond: Truths

    @classmethod
    def of(cls, est: Any, cov: Any, goalposts: Sequence[tuple[float, float]] | None) -> "_Criteria":
        values = numbers(est, "est", copy=True)
        if values.size == 0:
            raise InferenceError("empty-data")
        if values.ndim != 2:
            raise InferenceError("length-mismatch", name="est", found=values.shape, expected="(units, criteria)")
        _finite(values, "est")
        units, count = values.shape
        spread = numbers(cov, "cov", copy=True)
        if spread.shape not in ((units, count), (units, count, count), (units, count, units, count)):
            raise InferenceError("length-mismatch", name="cov", found=spread.shape, expected=(units, count))
        _finite(spread, "cov")
        slope = np.ones(count)
        beyond = np.zeros(values.shape, dtype=bool)
        if goalposts is not None:
            posts = numbers(goalposts, "goalposts")
            if posts.shape != (count, 2):
                raise InferenceError("length-mismatch", name="goalposts", found=posts.shape, expected=(count, 2))
            _finite(posts, "goalposts")
            length = posts[:, 1] - posts[:, 0]
            if (length == 0).any():
                raise InferenceError("goalposts-equal", criterion=int(np.argmax(length == 0)))
            slope = 1 / length
            values = (values - posts[:, 0]) / length
            beyond = (values < 0) | (values > 1)
        if spread.ndim == 2:
            if (spread < 0).any():
                raise InferenceError("negative-se", row=int(np.argwhere(spread < 0)[0][0]))
            full = np.zeros((units, count, count))
            np.einsum("pkk->pk", full)[...] = (spread * slope) ** 2
            return cls(values, full, beyond)
        square = spread if spread.ndim == 3 else spread.reshape(1, units * count, units * count)
        _semidefinite(square)
        scaled = spread * slope[:, None] * slope if spread.ndim == 3 else spread * slope[:, None, None] * slope
        return cls(values, scaled, beyond)

    def composite_cov(self, weight: Floats) -> Floats:
        if self.cov.ndim == 3:
            return np.diag(np.einsum("k,pkl,l->p", weight, self.cov, weight))
        joint: Floats = np.einsum("k,pkql,l->pq", weight, self.cov, weight, optimize=True)
        return joint

    def against(self, reference: Any, share: Any) -> tuple[Floats, Floats]:
        """Return gaps (p, K) whose weighted sum is the difference from the reference, and their covariances."""
        units = self.scaled.shape[0]
        own = self.cov if self.cov.ndim == 3 else np.einsum("pkpl->pkl", self.cov)
        if isinstance(reference, str):
            if reference != "mean":
                raise InferenceError("option-unknown", name="reference", value=reference, allowed="mean, numbers")
            part = np.full(units, 1 / units) if share is None else numbers(share, "share")
            if part.shape != (units,):
                raise InferenceError("length-mismatch", name="share", found=part.shape, expected=units)
            _finite(part, "share")
            if abs(part.sum() - 1) > 1e-9 or (part < 0).any():
                raise InferenceError("shares-not-one", total=float(part.sum()))
            gap = self.scaled - part @ self.scaled
            # Equal units differ from their mean by rounding, which is no difference.
            gap[np.abs(gap) <= units * 1e-15 * np.abs(self.scaled).max(axis=0)] = 0.0
            if self.cov.ndim == 3:
                with_mean = part[:, None, None] * own
                of_mean = np.einsum("p,pkl->kl", part**2, own)
            else:
                with_mean = np.einsum("pkql,q->pkl", self.cov, part)
                of_mean = np.einsum("p,pkl->kl", part, with_mean)
            return gap, own - with_mean - np.swapaxes(with_mean, 1, 2) + of_mean
        target = numbers(reference, "reference")
        if target.shape not in ((), (units,)):
            raise InferenceError("length-mismatch", name="reference", found=target.shape, expected=units)
        _finite(np.atleast_1d(target), "reference")
        if share is not None:
            raise InferenceError("option-unknown", name="reference", value=reference, allowed="mean, with shares")
        # Weights sum to 1, so a target may be taken off every criterion.
        return self.scaled - np.broadcast_to(target, (units,))[:, None], own


def _weights(given: Any, count: int) -> Floats:
    weight = numbers(given, "weight")
    if weight.shape != (count,):
        raise InferenceError("length-mismatch", name="weight", found=weight.shape, expected=count)
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any() or weight.sum() == 0:
        row = int(np.argmax(wrong))
        raise InferenceError("weight-not-positive", row=row, value=float(weight[row]))
    normed: Floats = weight / weight.sum()
    return normed


def _finite(values: Floats, name: str) -> None:
    good = np.isfinite(values)
    if not good.all():
        place = tuple(int(number) for number in np.argwhere(~good)[0])
        raise InferenceError("not-finite", name=name, row=place[0], value=float(values[place]))


def _semidefinite(square: Floats) -> None:
    largest = np.abs(square).max(axis=(1, 2))
    if (np.abs(square - np.swapaxes(square, 1, 2)).max(axis=(1, 2)) > 1e-8 * largest).any():
        raise InferenceError("covariance-not-symmetric")
    lowest = np.linalg.eigvalsh((square + np.swapaxes(square, 1, 2)) / 2)[:, 0]
    if (lowest < -1e-10 * largest).any():
        raise InferenceError("covariance-not-psd", smallest=float(lowest.min()))
