"""Which ranks and which tiers the estimates allow, and where units cannot be told apart.

Rank 1 is the best and the largest, unless `smaller_is_better`: then the estimates are negated before anything is
compared; results are never sorted again. A covariance is a matrix (p, p), or a vector (p) of *standard errors* of
independent estimates. Estimates are taken as normal. Where chance enters, `seed` is a required keyword and the
result carries it.

Sources: Mogstad, Romano, Shaikh and Wilhelm, "Inference for ranks with applications to mobility across
neighbourhoods and academic achievement across countries", Review of Economic Studies 2024; Klein, Wright and
Wieczorek, "A joint confidence region for an overall ranking of populations", JRSS Series C 2020; Šidák,
"Rectangular confidence regions", JASA 1967.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from gandan.inference.design import Array, Floats
from gandan.inference.errors import InferenceError
from gandan.inference.given import codes, number, numbers, seed_of, whole
from gandan.inference.intervals import check_level

Kind = Literal["two-sided", "lower", "upper"]
Method = Literal["sidak", "holm", "max-t"]
Ranks = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_BLOCK = 2048
"""Draws handled at a time, so that a block of units stays in the processor's cache."""
_CELLS = 1 << 17
"""Differences of draws held at a time."""
_SAME = 8 * float(np.finfo(np.float64).eps)
"""Two estimates whose difference has this share of their variance vary together: the rest is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class RankSets:
    """Ranks that cannot be excluded, for each unit that was asked for, all together at the level.

    `lower`, `rank`, `upper` (one entry a unit): the set runs from `lower` to `upper`; `rank` is the position of the
    point estimate and is never to be shown without its set. A one-sided set has 1 or the number of units at its
    open end. `critical` is the last critical value (0 where no pair was left to compare; for counts the p-value
    below which a pair was last told apart), `mc_error` its Monte-Carlo standard error, `seed` the seed of the draws
    or None where nothing was drawn. `units`: positions of the units asked for. `knife_edge`: those whose set
    changes when the critical value of every step moves by twice its Monte-Carlo error; say so, or draw more.
    `better` (p, p), for sets of all units: whether the row was shown to be better than the column.
    """

    lower: Ranks
    rank: Ranks
    upper: Ranks
    critical: float
    mc_error: float
    seed: int | None
    units: Ranks
    knife_edge: Ranks
    better: Flags | None = None
    level: float = 0.95
    kind: Kind = "two-sided"


@dataclass(frozen=True, slots=True, eq=False)
class MarginalRankSets:
    """Rank sets each of which holds at the level by itself; a page that lists several units wants `rank_sets`.

    Fields as in `RankSets`, with one critical value and Monte-Carlo error for each unit.
    """

    lower: Ranks
    rank: Ranks
    upper: Ranks
    critical: Floats
    mc_error: Floats
    seed: int | None
    units: Ranks
    knife_edge: Ranks
    level: float = 0.95
    kind: Kind = "two-sided"


@dataclass(frozen=True, slots=True, eq=False)
class TauSet:
    """Units that may be among the best (or worst) `tau`: with probability `level` all that are, are in it.

    `member` (p): whether the unit belongs to the set. `sets`: the one-sided rank sets it was read from.
    """

    member: Flags
    tau: int
    sets: RankSets


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


def rank_sets(
    x: Array | Sequence[float],
    cov: Array | Sequence[Any],
    *,
    level: float = 0.95,
    units: int | Sequence[int] | Array | None = None,
    kind: Kind = "two-sided",
    stepdown: bool = True,
    draws: int = 10_000,
    seed: int,
    smaller_is_better: bool = False,
) -> RankSets:
    """Return the ranks that cannot be excluded, simultaneously for all units or for those in `units`.

    `x` (p): estimates. `cov`: (p, p) covariance, or (p) standard errors of independent estimates. `units`: None for
    all units together, one position for a marginal set, several for a set of these together. `kind`: "two-sided",
    or only the "lower" or the "upper" end. `stepdown`: compare again without the pairs already told apart; never
    wider than the single step. `draws` from N(0, cov) are made once and used at each step. Work grows with
    |units|·p·draws, memory with |units|·p + p·draws. The result does not depend on the order of the units.

    Units whose difference has no variance are told apart if and only if their estimates differ. Tied estimates are
    never told apart. Refuses: `empty-data`, `length-mismatch`, `not-finite`, `negative-se`, `covariance-not-psd`,
    `covariance-not-symmetric`, `level-out-of-range`, `option-unknown`, `unit-unknown`, `seed-needed`,
    `too-few-draws`.

    Source: Mogstad, Romano, Shaikh and Wilhelm, sections 3.1 to 3.3; the critical value by normal draws.
    """
    _check(level, kind)
    _check_draws(draws, level)
    problem = _Problem.of(x, cov, smaller_is_better)
    wanted = _positions(units, problem.size)
    places = problem.place[wanted]
    pairs = _pairs(problem, np.sort(places), units is None, kind)
    sample = problem.draw(draws, _seed(seed))
    (critical, error), *moved = _settle(pairs, sample, level, stepdown)
    rejected = pairs.rejected(critical)
    wins, losses = pairs.counts(rejected, problem.size)
    edge = np.zeros(problem.size, dtype=bool)
    for shifted, _ in moved:
        other = pairs.counts(pairs.rejected(shifted), problem.size)
        edge |= (other[0] != wins) | (other[1] != losses)
    better = None
    if units is None:
        better = np.zeros((problem.size, problem.size), dtype=bool)
        better[np.ix_(problem.order, problem.order)] = pairs.matrix(rejected)
    return RankSets(
        lower=(1 + losses if kind != "upper" else np.ones_like(losses))[places],
        rank=problem.rank[places],
        upper=(problem.size - wins if kind != "lower" else np.full_like(wins, problem.size))[places],
        critical=critical,
        mc_error=error,
        seed=seed,
        units=wanted,
        knife_edge=wanted[edge[places]],
        better=better,
        level=level,
        kind=kind,
    )


def marginal_rank_sets(
    x: Array | Sequence[float],
    cov: Array | Sequence[Any],
    *,
    level: float = 0.95,
    units: int | Sequence[int] | Array | None = None,
    kind: Kind = "two-sided",
    stepdown: bool = True,
    draws: int | None = None,
    seed: int | None = None,
    smaller_is_better: bool = False,
) -> MarginalRankSets:
    """Return the marginal rank set of each unit (or of those in `units`).

    Without `draws`: exact, by quadrature over the unit's own error, and without chance; for independent estimates
    only, of up to a few hundred units. With `draws` and `seed`: from one matrix of draws that all units share, for
    any covariance; memory p·draws numbers, so that thousands of units are a matter of seconds.

    `x`, `cov`, `kind`, `stepdown`, `smaller_is_better` and refusals as in `rank_sets`; also `exact-needs-independence`
    for a covariance with correlations and no draws.

    Source: Mogstad, Romano, Shaikh and Wilhelm, section 3; quadrature: conditional on the error of unit j the
    differences of the others are independent, so P(max ≤ c) = E Π_k [Φ((z + c·s_jk)/se_k) - Φ((z - c·s_jk)/se_k)].
    """
    _check(level, kind)
    problem = _Problem.of(x, cov, smaller_is_better)
    wanted = _positions(units, problem.size)
    count = wanted.size
    lower, upper = np.ones(count, dtype=np.int64), np.full(count, problem.size, dtype=np.int64)
    critical, errors = np.zeros(count), np.zeros(count)
    edge = np.zeros(count, dtype=bool)
    sample: npt.NDArray[np.float32] | None = None
    if draws is not None:
        _check_draws(draws, level)
        sample = problem.draw(draws, _seed(seed))
    elif problem.matrix is not None:
        raise InferenceError("exact-needs-independence")
    for position, place in enumerate(problem.place[wanted]):
        pairs = _pairs(problem, np.array([place]), False, kind)
        if sample is None:
            critical[position] = _settle_exactly(pairs, problem.se, int(place), level, stepdown)
            moved = []
        else:
            (critical[position], errors[position]), *moved = _settle(pairs, sample, level, stepdown)
        wins, losses = pairs.row_counts(pairs.rejected(critical[position]))
        edge[position] = any(pairs.row_counts(pairs.rejected(shifted)) != (wins, losses) for shifted, _ in moved)
        lower[position] += losses if kind != "upper" else 0
        upper[position] -= wins if kind != "lower" else 0
    return MarginalRankSets(
        lower=lower,
        rank=problem.rank[problem.place[wanted]],
        upper=upper,
        critical=critical,
        mc_error=errors,
        seed=seed if sample is not None else None,
        units=wanted,
        knife_edge=wanted[edge],
        level=level,
        kind=kind,
    )


def tau_best(
    x: Array | Sequence[float],
    cov: Array | Sequence[Any],
    tau: int,
    *,
    level: float = 0.95,
    stepdown: bool = True,
    draws: int = 10_000,
    seed: int,
    smaller_is_better: bool = False,
) -> TauSet:
    """Return the units that may be among the best `tau`: those whose one-sided lower bound is at most `tau`.

    Arguments and refusals as in `rank_sets`; also `tau-out-of-range` unless 1 ≤ tau ≤ p.
    Source: Mogstad, Romano, Shaikh and Wilhelm, section 3.4.
    """
    sets = rank_sets(
        x,
        cov,
        level=level,
        kind="lower",
        stepdown=stepdown,
        draws=draws,
        seed=seed,
        smaller_is_better=smaller_is_better,
    )
    _check_tau(tau, sets.rank.size)
    return TauSet(sets.lower <= tau, int(tau), sets)


def tau_worst(
    x: Array | Sequence[float],
    cov: Array | Sequence[Any],
    tau: int,
    *,
    level: float = 0.95,
    stepdown: bool = True,
    draws: int = 10_000,
    seed: int,
    smaller_is_better: bool = False,
) -> TauSet:
    """Return the units that may be among the worst `tau`: those whose upper bound is at least p - tau + 1.

    Arguments, refusals and source as in `tau_best`.
    """
    sets = rank_sets(
        x,
        cov,
        level=level,
        kind="upper",
        stepdown=stepdown,
        draws=draws,
        seed=seed,
        smaller_is_better=smaller_is_better,
    )
    size = sets.rank.size
    _check_tau(tau, size)
    return TauSet(sets.upper >= size - tau + 1, int(tau), sets)


def rank_sets_multinomial(
    counts: Array | Sequence[int],
    *,
    level: float = 0.95,
    units: int | Sequence[int] | Array | None = None,
    kind: Kind = "two-sided",
    correction: Literal["holm", "bonferroni"] = "holm",
    smaller_is_better: bool = False,
) -> RankSets:
    """Return rank sets of the options of one question, exact in any sample size and without chance.

    `counts` (p): how often each option was chosen, whole numbers of at least 0, from one simple random sample. For
    "j is more frequent than k" the p-value is P(Bin(x_j + x_k, ½) ≥ x_j), and 1 where neither was chosen. `units`
    and `kind` as in `rank_sets`. With `smaller_is_better` rank 1 is the rarest option.

    Refuses: `empty-data`, `not-finite`, `not-a-count`, `level-out-of-range`, `option-unknown`, `unit-unknown`.
    Source: Bazylik, Mogstad, Romano, Shaikh and Wilhelm, "Finite- and large-sample inference for ranks using
    multinomial data with an application to ranking political parties", 2023.
    """
    from scipy.special import betainc

    _check(level, kind)
    if correction not in ("holm", "bonferroni"):
        raise InferenceError("option-unknown", name="correction", value=correction, allowed="holm, bonferroni")
    x = _vector(counts, "counts")
    wrong = (x < 0) | (x != np.floor(x))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InferenceError("not-a-count", name="counts", row=row, value=float(x[row]))
    size = x.size
    wanted = _positions(units, size)
    inside = np.zeros(size, dtype=bool)
    inside[wanted] = True
    better, worse = np.meshgrid(x, x, indexing="ij")
    if smaller_is_better:
        better, worse = worse, better
    with np.errstate(invalid="ignore"):
        p_value = np.where(better > 0, betainc(np.maximum(better, 1), worse + 1, 0.5), 1.0)
    tested = _tested(inside, kind)
    values = p_value[tested]
    rejected = np.zeros((size, size), dtype=bool)
    order = np.argsort(values, kind="stable")
    allowed = (1 - level) / (
        np.arange(values.size, 0, -1) if correction == "holm" else np.full(values.size, max(values.size, 1))
    )
    passed = values[order] <= allowed
    number = values.size if passed.all() else int(np.argmin(passed))
    chosen = np.zeros(values.size, dtype=bool)
    chosen[order[:number]] = True
    rejected[tested] = chosen
    losses, wins = rejected.sum(axis=0), rejected.sum(axis=1)
    signed = -x if smaller_is_better else x
    return RankSets(
        lower=(1 + losses if kind != "upper" else np.ones(size, dtype=np.int64))[wanted],
        rank=_ranks(signed)[wanted],
        upper=(size - wins if kind != "lower" else np.full(size, size))[wanted],
        critical=float(allowed[min(number, values.size - 1)]) if values.size else 0.0,
        mc_error=0.0,
        seed=None,
        units=wanted,
        knife_edge=np.zeros(0, dtype=np.int64),
        better=rejected if units is None else None,
        level=level,
        kind=kind,
    )


def joint_rank_region(
    est: Array | Sequence[float],
    se: Array | Sequence[float],
    *,
    level: float = 0.95,
    correction: Literal["independent", "bonferroni"] = "independent",
    decimals: int | None = None,
    smaller_is_better: bool = False,
) -> RankSets:
    """Return a joint confidence region for the whole ranking from n simultaneous intervals est ± z·se.

    `est`, `se` (n). `correction`: "independent" (z = Φ⁻¹(1 - (1 - level^(1/n))/2)) or "bonferroni", which needs no
    independence. `decimals`: round the ends of the intervals before they are compared, as published intervals are;
    ends that meet then count as apart. In the paper rank 1 is the smallest: ask for it by `smaller_is_better`.
    Wider than `rank_sets`, but drawn in one picture; O(n log n), no chance. `critical` is z.

    Two estimates without error and of the same size are tied, so neither is before the other. Refuses:
    `empty-data`, `length-mismatch`, `not-finite`, `negative-se`, `level-out-of-range`, `option-unknown`.
    Source: Klein, Wright and Wieczorek 2020, theorem 1 and equation (5).
    """
    from scipy.special import ndtri

    _check(level, "two-sided")
    x, error = _vector(est, "est"), _vector(se, "se")
    if x.size != error.size:
        raise InferenceError("length-mismatch", name="se", found=error.size, expected=x.size)
    if (error < 0).any():
        raise InferenceError("negative-se", row=int(np.argmax(error < 0)))
    if correction == "independent":
        tail = -np.expm1(np.log(level) / x.size) / 2
    elif correction == "bonferroni":
        tail = (1 - level) / (2 * x.size)
    else:
        raise InferenceError("option-unknown", name="correction", value=correction, allowed="independent, bonferroni")
    z = -float(ndtri(tail))
    if smaller_is_better:
        x = -x
    low, high = x - z * error, x + z * error
    if decimals is not None:
        decimals = whole(decimals, "decimals")
        low, high = np.round(low, decimals), np.round(high, decimals)
    sorted_low, sorted_high = np.sort(low), np.sort(high)
    ahead = x.size - np.searchsorted(sorted_low, high, side="left")
    behind = np.searchsorted(sorted_high, low, side="right")
    points = low == high
    if points.any():
        # A point lies both before and after itself and every point like it: none of these is before another.
        _, inverse, repeats = np.unique(low[points], return_inverse=True, return_counts=True)
        ahead[points] -= repeats[inverse]
        behind[points] -= repeats[inverse]
    everyone = np.arange(x.size)
    return RankSets(
        lower=(1 + ahead).astype(np.int64),
        rank=_ranks(x),
        upper=(x.size - behind).astype(np.int64),
        critical=z,
        mc_error=0.0,
        seed=None,
        units=everyone,
        knife_edge=np.zeros(0, dtype=np.int64),
        level=level,
    )


def groups(sets: RankSets) -> Ranks:
    """Return the group of each unit, 1 for the best: within a group units cannot be told apart as groups.

    `sets`: simultaneous two-sided sets of all units. The units are sorted by estimate, and a cut is drawn between
    two positions only when every unit before it was shown to be better than every unit after it, all at once, so
    that all cuts together hold at the level. With equal true values there is one group with probability `level`.
    Refuses `groups-need-all-pairs` for sets of some units, one-sided sets and joint regions.
    """
    if sets.better is None or sets.kind != "two-sided":
        raise InferenceError("groups-need-all-pairs")
    size = sets.rank.size
    # Whoever is better than more units stands before them, so wins sort the units as any possible cut needs.
    order = np.lexsort((sets.rank, -sets.better.sum(axis=1)))
    better = sets.better[np.ix_(order, order)]
    # A cut after position m: rows 0..m all beat columns m+1..: the last unbeaten column of each row decides.
    unbeaten = np.where(better, -1, np.arange(size)).max(axis=1)
    reach = np.maximum.accumulate(unbeaten)
    cut_after = reach == np.arange(size)
    group = np.empty(size, dtype=np.int64)
    group[order] = 1 + np.concatenate(([0], np.cumsum(cut_after[:-1])))
    return group


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
    _check(level, "two-sided")
    chosen: Method = method or ("sidak" if seed is None else "max-t")
    if chosen not in get_args(Method):
        raise InferenceError("option-unknown", name="method", value=chosen, allowed=", ".join(get_args(Method)))
    x = _vector(est, "est")
    se, matrix = _covariance(cov, x.size)
    if matrix is not None:
        _root(matrix)
    difference, variance, joint = _against(x, se, matrix, reference, share, chosen == "max-t")
    if smaller_is_better:
        difference = -difference
    spread = np.sqrt(variance)
    apart = (spread == 0) & (difference != 0)
    open_ = spread > 0
    statistic = np.where(open_, np.abs(difference) / np.where(open_, spread, 1.0), 0.0)
    mc_error, kept_seed = 0.0, None
    if chosen == "max-t" and joint is not None:
        _check_draws(draws, level)
        kept_seed = _seed(seed)
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


# The comparisons, in an order of the units that does not depend on how they were given.


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Estimates sorted from best to worst, with what is needed to draw their errors."""

    x: Floats
    se: Floats
    matrix: Floats | None
    order: Ranks
    place: Ranks
    rank: Ranks

    @classmethod
    def of(cls, x: Any, cov: Any, smaller_is_better: bool) -> "_Problem":
        given = _vector(x, "x")
        se, matrix = _covariance(cov, given.size)
        signed = -given if smaller_is_better else given
        keys = [se, -signed] if matrix is None else [matrix.sum(axis=1), se, -signed]
        order = np.lexsort(keys)
        place = np.empty_like(order)
        place[order] = np.arange(order.size)
        return cls(
            signed[order],
            se[order],
            None if matrix is None else matrix[np.ix_(order, order)],
            order,
            place,
            _ranks(signed[order]),
        )

    @property
    def size(self) -> int:
        return int(self.x.size)

    def spread(self, rows: Ranks) -> Floats:
        """Return s_jk for the given rows and all units; 0 where both vary together or not at all."""
        own, all_ = self.se[rows][:, None] ** 2, self.se[None, :] ** 2
        total = own + all_
        if self.matrix is None:
            return np.sqrt(total)
        variance = total - 2 * self.matrix[rows]
        variance[variance <= _SAME * total] = 0.0
        return np.sqrt(variance)

    def draw(self, draws: int, seed: int) -> npt.NDArray[np.float32]:
        """Return (p, draws) errors, in units of their largest standard deviation.

        Only differences matter: correlated errors are centred in double precision before they are rounded.
        """
        rng = np.random.Generator(np.random.PCG64(seed))
        scale = float(self.se.max()) or 1.0
        sample = np.empty((self.size, draws), dtype=np.float32)
        root = None if self.matrix is None else _root(self.matrix) / scale
        for start in range(0, draws, _BLOCK):
            stop = min(start + _BLOCK, draws)
            if root is None:
                sample[:, start:stop] = rng.standard_normal((self.size, stop - start)) * (self.se / scale)[:, None]
            else:
                errors = root @ rng.standard_normal((self.size, stop - start))
                sample[:, start:stop] = errors - errors.mean(axis=0)
        return sample

    @property
    def scale(self) -> float:
        return float(self.se.max()) or 1.0


@dataclass(slots=True, eq=False)
class _Pairs:
    """Hypotheses about `rows` against all units: `ahead` "the row is better", `behind` "the column is better".

    With all units as rows each pair stands once, above the diagonal. `difference` (rows, p) is row less column.
    """

    rows: Ranks
    difference: Floats
    spread: Floats
    ahead: Flags
    behind: Flags
    sure_ahead: Flags
    sure_behind: Flags
    scale: float

    def rejected(self, critical: float) -> tuple[Flags, Flags]:
        """Return which hypotheses a critical value decides, those without variance included."""
        bound = max(critical, 0.0) * self.spread
        return (
            (self.ahead & (self.difference > bound)) | self.sure_ahead,
            (self.behind & (-self.difference > bound)) | self.sure_behind,
        )

    def counts(self, rejected: tuple[Flags, Flags], size: int) -> tuple[Ranks, Ranks]:
        """Return (units shown to be worse, units shown to be better) for each unit in sorted order."""
        ahead, behind = rejected
        wins, losses = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        wins[self.rows] += ahead.sum(axis=1)
        losses[self.rows] += behind.sum(axis=1)
        wins += behind.sum(axis=0)
        losses += ahead.sum(axis=0)
        return wins, losses

    def row_counts(self, rejected: tuple[Flags, Flags]) -> tuple[int, int]:
        """Return the same for the only row."""
        return int(rejected[0].sum()), int(rejected[1].sum())

    def matrix(self, rejected: tuple[Flags, Flags]) -> Flags:
        """Return "row better than column" for all units in sorted order."""
        better: Flags = rejected[0] | rejected[1].T
        return better


def _pairs(problem: _Problem, rows: Ranks, everyone: bool, kind: Kind) -> _Pairs:
    size = problem.size
    spread = problem.spread(rows)
    difference = problem.x[rows][:, None] - problem.x[None, :]
    inside = np.zeros(size, dtype=bool)
    inside[rows] = True
    once = np.ones((rows.size, size), dtype=bool)
    once[:, inside] = rows[:, None] < rows[None, :]
    if everyone or kind == "two-sided":
        ahead = behind = once
    else:
        # Among the rows both ends of a pair are bounded; against the others only the side that was asked for.
        ahead = once & (inside[None, :] | (kind == "upper"))
        behind = once & (inside[None, :] | (kind == "lower"))
    moving = spread > 0
    return _Pairs(
        rows,
        difference,
        spread,
        ahead & moving,
        behind & moving,
        ahead & ~moving & (difference > 0),
        behind & ~moving & (difference < 0),
        problem.scale,
    )


def _tested(inside: Flags, kind: Kind) -> Flags:
    """Return which "row better than column" is tested: two-sided either in the set, lower the column, upper the row."""
    rows, columns = np.meshgrid(inside, inside, indexing="ij")
    tested: Flags = {"two-sided": rows | columns, "lower": columns.copy(), "upper": rows.copy()}[kind]
    np.fill_diagonal(tested, False)
    return tested


def _settle(pairs: _Pairs, sample: npt.NDArray[np.float32], level: float, stepdown: bool) -> list[tuple[float, float]]:
    """Return the critical value of the last step and its Monte-Carlo error, three times.

    As drawn; and had the value of every step been smaller, or larger, by twice its error: a pair that is told apart
    at the first step by a hair's breadth changes all steps after it.
    """
    if not (pairs.ahead.any() or pairs.behind.any()):
        return [(0.0, 0.0)] * 3
    with np.errstate(divide="ignore"):
        inverse = np.where(pairs.spread > 0, pairs.scale / pairs.spread, 0.0).astype(np.float32)
    first = _maxima(sample, pairs.rows, inverse, pairs.ahead, pairs.behind)
    return [_steps(pairs, sample, inverse, first, level, stepdown, shift) for shift in (0.0, -2.0, 2.0)]


def _steps(
    pairs: _Pairs,
    sample: npt.NDArray[np.float32],
    inverse: npt.NDArray[np.float32],
    maxima: npt.NDArray[np.float32],
    level: float,
    stepdown: bool,
    shift: float,
) -> tuple[float, float]:
    ahead, behind = pairs.ahead, pairs.behind
    critical, error, _ = _quantile(maxima, level)
    while True:
        shifted = critical + shift * error
        now_ahead, now_behind = pairs.rejected(shifted)
        fresh_ahead, fresh_behind = ahead & ~now_ahead, behind & ~now_behind
        unchanged = bool((fresh_ahead == ahead).all() and (fresh_behind == behind).all())
        if not stepdown or unchanged or not (fresh_ahead.any() or fresh_behind.any()):
            return shifted, error
        ahead, behind = fresh_ahead, fresh_behind
        # A maximum over fewer pairs is never larger, so draws below the quantile in question stay below it.
        keep = np.flatnonzero(maxima >= np.quantile(maxima, max(0.0, 1 - 4 * (1 - level))))
        floor = float(maxima[keep].min())
        lowered = maxima.copy()
        lowered[keep] = _maxima(np.ascontiguousarray(sample[:, keep]), pairs.rows, inverse, ahead, behind)
        critical, error, lowest = _quantile(lowered, level)
        if lowest < floor:
            lowered = _maxima(sample, pairs.rows, inverse, ahead, behind)
            critical, error, _ = _quantile(lowered, level)
        maxima = lowered


def _quantile(maxima: npt.NDArray[Any], level: float) -> tuple[float, float, float]:
    """Return the quantile, its Monte-Carlo standard error, and the lowest quantile that was looked at.

    The error is √(level(1 - level)/R) over the density, and the density the slope of the quantiles around.
    """
    draws = maxima.size
    deviation = float(np.sqrt(level * (1 - level) / draws))
    width = max(min(3 * deviation, (1 - level) / 2, level / 2), 1 / draws)
    low, middle, high = np.quantile(
        maxima.astype(np.float64), [max(0.0, level - width), level, min(1.0, level + width)]
    )
    return float(middle), float(deviation * (high - low) / (2 * width)), float(low)


def _maxima(
    sample: npt.NDArray[np.float32], rows: Ranks, inverse: npt.NDArray[np.float32], ahead: Flags, behind: Flags
) -> npt.NDArray[np.float32]:
    """Return for each draw the largest (Z_better - Z_worse)/s over the hypotheses in play."""
    draws = sample.shape[1]
    best = np.full(draws, -np.inf, dtype=np.float32)
    width = min(draws, _BLOCK)
    height = max(1, _CELLS // width)
    buffer = np.empty((height, width), dtype=np.float32)
    parts = []
    for position, row in enumerate(rows):
        columns = np.flatnonzero(ahead[position] | behind[position])
        for start in range(0, columns.size, height):
            chosen = columns[start : start + height]
            parts.append(
                (
                    int(row),
                    _run(chosen),
                    chosen.size,
                    inverse[position, chosen][:, None],
                    _side(ahead[position, chosen]),
                    _side(behind[position, chosen]),
                )
            )
    for start in range(0, draws, width):
        stop = min(start + width, draws)
        block, top = sample[:, start:stop], best[start:stop]
        for row, columns_of, height, factor, first, second in parts:
            part = buffer[:height, : stop - start]
            np.subtract(block[columns_of], block[row], out=part)
            np.multiply(part, factor, out=part)
            if first is None and second is None:
                np.abs(part, out=part)
                np.maximum(top, np.maximum.reduce(part, axis=0), out=top)
                continue
            if first is None or first.size:
                np.maximum(top, -np.minimum.reduce(part if first is None else part[first], axis=0), out=top)
            if second is None or second.size:
                np.maximum(top, np.maximum.reduce(part if second is None else part[second], axis=0), out=top)
    return best


def _run(chosen: Ranks) -> Any:
    """Return a slice where the positions follow each other: it copies nothing."""
    if int(chosen[-1]) - int(chosen[0]) == chosen.size - 1:
        return slice(int(chosen[0]), int(chosen[-1]) + 1)
    return chosen


def _side(flags: Flags) -> Ranks | None:
    """Return the positions in play; None for all of them."""
    return None if flags.all() else np.flatnonzero(flags)


def _settle_exactly(pairs: _Pairs, se: Floats, place: int, level: float, stepdown: bool) -> float:
    """Return the last critical value of one unit's marginal set, by quadrature."""
    ahead, behind = pairs.ahead[0].copy(), pairs.behind[0].copy()
    critical: float | None = None
    while True:
        active = ahead | behind
        if not active.any():
            return critical or 0.0
        both = bool((ahead & behind)[active].all())
        critical = _exact_critical(
            float(se[place]),
            se[active],
            pairs.spread[0][active],
            None if both else ahead[active],
            None if both else behind[active],
            level,
            critical,
        )
        if not stepdown:
            return critical
        now_ahead, now_behind = pairs.rejected(critical)
        fresh_ahead, fresh_behind = ahead & ~now_ahead[0], behind & ~now_behind[0]
        if (fresh_ahead == ahead).all() and (fresh_behind == behind).all():
            return critical
        ahead, behind = fresh_ahead, fresh_behind


def _exact_critical(
    own: float,
    se: Floats,
    spread: Floats,
    ahead: Flags | None,
    behind: Flags | None,
    level: float,
    start: float | None,
) -> float:
    """Return c with P(max ≤ c) = level. `ahead`, `behind` None: both hypotheses of every pair are in play."""
    from scipy.special import ndtr, ndtri

    grid = _grid(own, se)
    even = ahead is None or behind is None
    first = np.ones(se.size, dtype=bool) if ahead is None else ahead
    second = np.ones(se.size, dtype=bool) if behind is None else behind

    def probability(c: float) -> float:
        t, weight = grid(c)
        if even:
            # The integrand is even in the unit's own error: half of the nodes carry all of it.
            t, weight = t[t.size // 2 :], 2 * weight[t.size // 2 :]
        z = own * t[:, None]
        reach = c * spread
        with np.errstate(divide="ignore", invalid="ignore"):
            above, below = (z + reach) / se, (z - reach) / se
        if (se == 0).any():
            above, below = np.nan_to_num(above, nan=np.inf, posinf=np.inf), np.nan_to_num(below, nan=-np.inf)
        if even:
            inside = ndtr(-below) - ndtr(-above)
        else:
            top = np.where(second, ndtr(above), 1.0)
            bottom = np.where(first, ndtr(below), 0.0)
            inside = np.maximum(top - bottom, 0.0)
        return float(weight @ np.prod(inside, axis=1))

    tests = int(np.count_nonzero(first)) + int(np.count_nonzero(second))
    # Bonferroni is never too small; for one-sided tests at low levels the value may be negative.
    high = -float(ndtri((1 - level) / tests)) + 1e-9
    low = min(-float(ndtri(1 - level)), high) - 1e-9 if not even else 0.0
    return _solve(probability, level, low, high, start)


def _solve(probability: Callable[[float], float], level: float, low: float, high: float, start: float | None) -> float:
    """Return the root of an increasing probability by secants on log(1 - P), kept inside a shrinking bracket."""
    goal = float(np.log1p(-level))

    def gap(c: float) -> float:
        return float(np.log(max(1.0 - probability(c), 1e-300))) - goal

    here = min(start, high) if start is not None and start > low else high
    value = gap(here)
    step = 0.05 if start is None else 0.02
    before, before_value = here, value
    here = min(max(here - step, low), high) if value < 0 else high
    for _ in range(100):
        value = gap(here)
        if value > 0:
            low = max(low, here)
        else:
            high = min(high, here)
        if abs(value) < 1e-13 or high - low < 1e-13 or here == before:
            return here
        slope = (value - before_value) / (here - before)
        before, before_value = here, value
        here = here - value / slope if slope < 0 else (low + high) / 2
        if not low < here < high:
            here = (low + high) / 2
        if abs(here - before) < 1e-12:
            return here
    return here


def _grid(own: float, se: Floats) -> Callable[[float], tuple[Floats, Floats]]:
    """Return nodes and weights for E f(t), t ~ N(0, 1), where f changes within se_k/own around t = ±c.

    The trapezoidal rule, whose error falls like exp(-(2π/h)²) for a smooth change wider than its step; where a
    change is narrower than that can follow, panels that shrink geometrically towards ±c.
    """
    if own == 0:
        return lambda c: (np.zeros(2), np.array([0.5, 0.5]))
    narrow = float(se.min()) / own
    if narrow >= 0.04:
        step = min(0.24, 0.4 * narrow)
        # The nodes lie half a step off zero, so that they come in pairs.
        points = (np.arange(-np.ceil(8 / step), np.ceil(8 / step)) + 0.5) * step
        weight = step * np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi)
        return lambda c: (points, weight)
    gauss, gauss_weight = np.polynomial.legendre.leggauss(8)

    def panels(c: float) -> tuple[Floats, Floats]:
        around = 2.0 ** -np.arange(0, 20)
        edges = np.concatenate(([0.0], c - around, [c], c + around, np.arange(0.5, 8.5, 0.5)))
        edges = np.unique(edges[(edges >= 0) & (edges <= 8)])
        half = np.diff(edges)[:, None] / 2
        right = (edges[:-1, None] + half + half * gauss).ravel()
        density = (half * gauss_weight).ravel() * np.exp(-(right**2) / 2) / np.sqrt(2 * np.pi)
        return np.concatenate((-right[::-1], right)), np.concatenate((density[::-1], density))

    return panels


# Tiers.


def _against(
    x: Floats, se: Floats, matrix: Floats | None, reference: Any, share: Any, joint: bool
) -> tuple[Floats, Floats, Floats | None]:
    """Return differences from the reference, their variances, and if asked a root of their covariance."""
    size = x.size
    if isinstance(reference, str):
        if reference != "mean":
            raise InferenceError("option-unknown", name="reference", value=reference, allowed="mean, numbers")
        weight = np.full(size, 1 / size) if share is None else _vector(share, "share")
        if weight.size != size:
            raise InferenceError("length-mismatch", name="share", found=weight.size, expected=size)
        if abs(weight.sum() - 1) > 1e-9 or (weight < 0).any():
            raise InferenceError("shares-not-one", total=float(weight.sum()))
        difference = x - weight @ x
        difference[np.abs(difference) <= x.size * _SAME * np.abs(x).max()] = 0.0
        if matrix is None:
            own = se**2
            variance = own * (1 - 2 * weight) + weight**2 @ own
        else:
            with_mean = matrix @ weight
            variance = np.diag(matrix) - 2 * with_mean + weight @ with_mean
        # Rounding leaves a trace of variance where the unit is the mean, or all units vary together.
        total = se**2 + weight**2 @ se**2
        variance = np.where(variance <= _SAME * total, 0.0, variance)
        root = None
        if joint:
            full = np.diag(se) if matrix is None else _root(matrix)
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
    root = (np.diag(se) if matrix is None else _root(matrix)) if joint else None
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
    for start in range(0, draws, _BLOCK):
        stop = min(start + _BLOCK, draws)
        sample[:, start:stop] = np.abs(scaled @ rng.standard_normal((root.shape[1], stop - start)))
    while (remaining := open_ & ~rejected).any():
        critical, error, _ = _quantile(sample[remaining].max(axis=0), level)
        more = remaining & (statistic > critical)
        if not more.any():
            break
        rejected |= more
    return critical, error, rejected


# What was given.


def _vector(given: Any, name: str) -> Floats:
    values = numbers(given, name, copy=True)
    if values.ndim != 1:
        raise InferenceError("length-mismatch", name=name, found=values.shape, expected="one per unit")
    if values.size == 0:
        raise InferenceError("empty-data")
    finite = np.isfinite(values)
    if not finite.all():
        row = int(np.argmin(finite))
        raise InferenceError("not-finite", name=name, row=row, value=float(values[row]))
    return values


def _covariance(given: Any, size: int) -> tuple[Floats, Floats | None]:
    """Return (standard errors, covariance matrix or None for independent estimates)."""
    cov = numbers(given, "cov", copy=True)
    if cov.shape not in ((size,), (size, size)):
        raise InferenceError("length-mismatch", name="cov", found=cov.shape, expected=size)
    finite = np.isfinite(cov)
    if not finite.all():
        row = int(np.argwhere(~finite)[0][0])
        raise InferenceError("not-finite", name="cov", row=row, value=str(cov[~finite][0]))
    if cov.ndim == 1:
        if (cov < 0).any():
            raise InferenceError("negative-se", row=int(np.argmax(cov < 0)))
        return cov, None
    largest = float(np.abs(cov).max())
    if float(np.abs(cov - cov.T).max()) > 1e-8 * largest:
        raise InferenceError("covariance-not-symmetric")
    cov = (cov + cov.T) / 2
    variance = np.diag(cov)
    if (variance < -1e-10 * largest).any():
        raise InferenceError("covariance-not-psd", smallest=float(variance.min()))
    se = np.sqrt(np.maximum(variance, 0.0))
    if not (cov - np.diag(variance)).any():
        return se, None
    return se, cov


def _root(matrix: Floats) -> Floats:
    """Return A with A·Aᵀ = matrix; a smallest eigenvalue below rounding is refused, not mended."""
    values, vectors = np.linalg.eigh(matrix)
    if values[0] < -1e-10 * max(values[-1], 0.0) or values[-1] < 0:
        raise InferenceError("covariance-not-psd", smallest=float(values[0]))
    root: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return root


def _positions(units: Any, size: int) -> Ranks:
    if units is None:
        return np.arange(size)
    wanted = np.atleast_1d(codes(units, "units"))
    if wanted.size == 0:
        raise InferenceError("empty-data")
    if wanted.ndim != 1 or wanted.dtype.kind not in "iu":
        raise InferenceError("unit-unknown", unit=units, units=size)
    wrong = (wanted < 0) | (wanted >= size)
    if wrong.any():
        raise InferenceError("unit-unknown", unit=int(wanted[np.argmax(wrong)]), units=size)
    if np.unique(wanted).size != wanted.size:
        raise InferenceError("unit-unknown", unit="named twice", units=size)
    return wanted.astype(np.int64)


def _ranks(x: Floats) -> Ranks:
    """Return 1 + the number of larger values."""
    ranks: Ranks = 1 + x.size - np.searchsorted(np.sort(x), x, side="right").astype(np.int64)
    return ranks


def _seed(seed: int | None) -> int:
    return seed_of(seed)


def _check(level: float, kind: str) -> None:
    check_level(level)
    if kind not in get_args(Kind):
        raise InferenceError("option-unknown", name="kind", value=kind, allowed=", ".join(get_args(Kind)))


def _check_draws(draws: int, level: float) -> None:
    needed = int(np.ceil(5 / min(level, 1 - level)))
    if whole(draws, "draws") < needed:
        raise InferenceError("too-few-draws", draws=draws, needed=needed)


def _check_tau(tau: int, size: int) -> None:
    if not 1 <= number(tau, "tau") <= size or tau != int(tau):
        raise InferenceError("tau-out-of-range", tau=tau, units=size)
