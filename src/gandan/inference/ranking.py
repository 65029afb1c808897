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

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from gandan.inference.design import Array
from gandan.inference.errors import InferenceError
from gandan.inference.given import seed_of
from gandan.inference.rank_draws import settle
from gandan.inference.rank_given import Kind, Ranks, check, check_draws, check_tau, positions
from gandan.inference.rank_multinomial import rank_sets_multinomial
from gandan.inference.rank_pairs import Problem, pairs_of
from gandan.inference.rank_quadrature import settle_exactly
from gandan.inference.rank_region import joint_rank_region
from gandan.inference.rank_results import MarginalRankSets, RankSets, TauSet
from gandan.inference.tiering import Tiers, tell_apart, tiers

__all__ = [
    "MarginalRankSets",
    "RankSets",
    "TauSet",
    "Tiers",
    "groups",
    "joint_rank_region",
    "marginal_rank_sets",
    "rank_sets",
    "rank_sets_multinomial",
    "tau_best",
    "tau_worst",
    "tell_apart",
    "tiers",
]


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
    check(level, kind)
    check_draws(draws, level)
    problem = Problem.of(x, cov, smaller_is_better)
    wanted = positions(units, problem.size)
    places = problem.place[wanted]
    pairs = pairs_of(problem, np.sort(places), units is None, kind)
    sample = problem.draw(draws, seed_of(seed))
    (critical, error), *moved = settle(pairs, sample, level, stepdown)
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
    check(level, kind)
    problem = Problem.of(x, cov, smaller_is_better)
    wanted = positions(units, problem.size)
    count = wanted.size
    lower, upper = np.ones(count, dtype=np.int64), np.full(count, problem.size, dtype=np.int64)
    critical, errors = np.zeros(count), np.zeros(count)
    edge = np.zeros(count, dtype=bool)
    sample: npt.NDArray[np.float32] | None = None
    if draws is not None:
        check_draws(draws, level)
        sample = problem.draw(draws, seed_of(seed))
    elif problem.matrix is not None:
        raise InferenceError("exact-needs-independence")
    for position, place in enumerate(problem.place[wanted]):
        pairs = pairs_of(problem, np.array([place]), False, kind)
        if sample is None:
            critical[position] = settle_exactly(pairs, problem.se, int(place), level, stepdown)
            moved = []
        else:
            (critical[position], errors[position]), *moved = settle(pairs, sample, level, stepdown)
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
    check_tau(tau, sets.rank.size)
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
    check_tau(tau, size)
    return TauSet(sets.upper >= size - tau + 1, int(tau), sets)


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
