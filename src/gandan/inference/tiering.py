"""Where units stand against a reference: above, below, or not shown different.

Sources: Romano and Wolf, JASA 2005, for the steps; Šidák, "Rectangular confidence regions", JASA 1967; Holm 1979.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from gandan.inference.design import Array, Floats
from gandan.inference.errors import InferenceError
from gandan.inference.given import numbers, seed_of, vector
from gandan.inference.rank_draws import quantile
from gandan.inference.rank_given import SAME, Flags, Ranks, check, check_draws, covariance, root_of
from gandan.inference.rank_pairs import BLOCK

Method = Literal["sidak", "holm", "max-t"]


@dataclass(frozen=True, slots=True, eq=False)
class Tiers:
    """Where each unit stands against its reference.

    `tier` (p): 1 above (better), -1 below (worse), 0 not shown different. `difference` and `se` (p): estimate less
    reference, turned so that larger is better, and its standard error. `critical`: the last critical value of
    |difference|/se. `mc_error`, `seed`: of the draws; 0 and None where nothing was drawn. `knife_edge`: units whose
    statistic lies within twice that error of the critical value; say so, or draw more.
    """

    tier: npt.NDArray[np.int8]
    difference: Floats
    se: Floats
    critical: float
    mc_error: float
    seed: int | None
    method: Method
    level: float
    knife_edge: Ranks

    @property
    def labels(self) -> tuple[str, ...]:
        """One of `above`, `below`, `not shown different` for each unit."""
        return tuple(("not shown different", "above", "below")[int(tier)] for tier in self.tier)

    def order(self, names: Sequence[Any]) -> list[int]:
        """Return positions sorted by tier, then by name: the only order in which units may be listed."""
        if len(names) != self.tier.size:
            raise InferenceError("length-mismatch", name="names", found=len(names), expected=self.tier.size)
        return sorted(range(self.tier.size), key=lambda unit: (-int(self.tier[unit]), names[unit]))


def tiers(
    est: Array | Sequence[float],
    cov: Array | Sequence[Any],
    reference: float | Sequence[float] | Array | Literal["mean"],
    level: float = 0.95,
    *,
    share: Array | Sequence[float] | None = None,
    method: Method | None = None,
    draws: int = 10_000,
    seed: int | None = None,
    smaller_is_better: bool = False,
) -> Tiers:
    """Return for each unit whether it is above, below or not shown different from its reference.

    `est` (p); `cov` as in `rank_sets`. `reference`: a target without error, a target for each unit (p), or "mean",
    the mean of all units, this one included, with weights `share` (p, summing to 1; equal if None), whose error and
    whose covariance with each unit count. The chance that any unit is put into a wrong tier is at most 1 - `level`.

    `method`, each in steps over the units not yet told apart: "sidak", exact for independent units against a target
    and safe under any correlation, no chance; "holm", a little wider; "max-t", which uses the correlations, by
    `draws` from a required `seed`. None means "max-t" with a seed and "sidak" without.

    A difference without error is its own proof: any difference but 0 is told apart. Refuses: `empty-data`,
    `length-mismatch`, `not-finite`, `negative-se`, `covariance-not-psd`, `covariance-not-symmetric`,
    `shares-not-one`, `level-out-of-range`, `option-unknown`, `seed-needed`, `too-few-draws`.
    Source: stepdown of Romano and Wolf, JASA 2005; Šidák 1967; Holm 1979.
    """
    check(level, "two-sided")
    chosen: Method = method or ("sidak" if seed is None else "max-t")
    if chosen not in get_args(Method):
        raise InferenceError("option-unknown", name="method", value=chosen, allowed=", ".join(get_args(Method)))
    x = vector(est, "est")
    se, matrix = covariance(cov, x.size)
    if matrix is not None:
        root_of(matrix)
    difference, variance, joint = _against(x, se, matrix, reference, share, chosen == "max-t")
    if smaller_is_better:
        difference = -difference
    spread = np.sqrt(variance)
    apart = (spread == 0) & (difference != 0)
    open_ = spread > 0
    statistic = np.where(open_, np.abs(difference) / np.where(open_, spread, 1.0), 0.0)
    mc_error, kept_seed = 0.0, None
    if chosen == "max-t" and joint is not None:
        check_draws(draws, level)
        kept_seed = seed_of(seed)
        critical, mc_error, rejected = _settle_tiers(statistic, open_, spread, joint, level, draws, kept_seed)
    else:
        by: Literal["sidak", "holm"] = "holm" if chosen == "holm" else "sidak"
        last, told = tell_apart(statistic[None, :], open_[None, :], level, by)
        critical, rejected = float(last[0]), told[0]
    tier = np.where(rejected | apart, np.sign(difference), 0).astype(np.int8)
    edge = np.flatnonzero(open_ & (np.abs(statistic - critical) < 2 * mc_error))
    return Tiers(tier, difference, spread, critical, mc_error, kept_seed, chosen, level, edge)


def tell_apart(
    statistic: Floats, tested: Flags, level: float, method: Literal["sidak", "holm"]
) -> tuple[Floats, Flags]:
    """Return (last critical value (s), who is told apart (s, p)) for s sets of p statistics |difference|/se.

    In each row the largest is compared with the value for all that are `tested`, the next with the value for one
    fewer, and so on until one fails. Values: Φ⁻¹(1 - α_m/2) for m still open, α_m = 1 - level^(1/m) ("sidak") or
    (1 - level)/m ("holm"). 0 where nothing is tested. No chance. Source: Šidák 1967; Holm 1979.
    """
    from scipy.special import ndtri

    rows, size = statistic.shape
    remaining = np.arange(1, size + 1)
    alpha = -np.expm1(np.log(level) / remaining) if method == "sidak" else (1 - level) / remaining
    values = np.concatenate(([0.0], -ndtri(alpha / 2)))
    order = np.argsort(np.where(tested, -statistic, np.inf), axis=1, kind="stable")
    left = np.maximum(tested.sum(axis=1)[:, None] - np.arange(size), 0)
    passed = np.take_along_axis(statistic, order, axis=1) > values[left]
    passed = np.logical_and.accumulate(passed & (left > 0), axis=1)
    rejected = np.zeros((rows, size), dtype=bool)
    np.put_along_axis(rejected, order, passed, axis=1)
    first_failed = np.minimum(passed.sum(axis=1), np.maximum(tested.sum(axis=1) - 1, 0))
    return values[left[np.arange(rows), first_failed]], rejected


def _against(
    x: Floats, se: Floats, matrix: Floats | None, reference: Any, share: Any, joint: bool
) -> tuple[Floats, Floats, Floats | None]:
    """Return differences from the reference, their variances, and if asked a root of their covariance."""
    size = x.size
    if isinstance(reference, str):
        if reference != "mean":
            raise InferenceError("option-unknown", name="reference", value=reference, allowed="mean, numbers")
        weight = np.full(size, 1 / size) if share is None else vector(share, "share")
        if weight.size != size:
            raise InferenceError("length-mismatch", name="share", found=weight.size, expected=size)
        if abs(weight.sum() - 1) > 1e-9 or (weight < 0).any():
            raise InferenceError("shares-not-one", total=float(weight.sum()))
        difference = x - weight @ x
        difference[np.abs(difference) <= x.size * SAME * np.abs(x).max()] = 0.0
        if matrix is None:
            own = se**2
            variance = own * (1 - 2 * weight) + weight**2 @ own
        else:
            with_mean = matrix @ weight
            variance = np.diag(matrix) - 2 * with_mean + weight @ with_mean
        # Rounding leaves a trace of variance where the unit is the mean, or all units vary together.
        total = se**2 + weight**2 @ se**2
        variance = np.where(variance <= SAME * total, 0.0, variance)
        root = None
        if joint:
            full = np.diag(se) if matrix is None else root_of(matrix)
            root = full - weight @ full
        return difference, variance, root
    if share is not None:
        raise InferenceError("option-unknown", name="reference", value=reference, allowed="mean, where share is given")
    target = numbers(reference, "reference", copy=True)
    if target.ndim == 0:
        target = np.full(size, float(target))
    if target.shape != (size,):
        raise InferenceError("length-mismatch", name="reference", found=target.shape, expected=size)
    if not np.isfinite(target).all():
        row = int(np.argmin(np.isfinite(target)))
        raise InferenceError("not-finite", name="reference", row=row, value=float(target[row]))
    root = (np.diag(se) if matrix is None else root_of(matrix)) if joint else None
    return x - target, se**2, root


def _settle_tiers(
    statistic: Floats, open_: Flags, spread: Floats, root: Floats, level: float, draws: int, seed: int
) -> tuple[float, float, Flags]:
    """Return the last critical value, its Monte-Carlo error and who exceeded one, by draws of max |T|."""
    rng = np.random.Generator(np.random.PCG64(seed))
    rejected = np.zeros(statistic.size, dtype=bool)
    critical = error = 0.0
    if not open_.any():
        return critical, error, rejected
    scaled = np.zeros_like(root)
    scaled[open_] = root[open_] / spread[open_][:, None]
    sample = np.empty((statistic.size, draws), dtype=np.float32)
    for start in range(0, draws, BLOCK):
        stop = min(start + BLOCK, draws)
        sample[:, start:stop] = np.abs(scaled @ rng.standard_normal((root.shape[1], stop - start)))
    while (remaining := open_ & ~rejected).any():
        critical, error, _ = quantile(sample[remaining].max(axis=0), level)
        more = remaining & (statistic > critical)
        if not more.any():
            break
        rejected |= more
    return critical, error, rejected
