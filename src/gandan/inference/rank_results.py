"""What is found of ranks: sets for each unit, and the units that may be best or worst."""

from dataclasses import dataclass

from gandan.inference.design import Floats
from gandan.inference.rank_given import Flags, Kind, Ranks


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
