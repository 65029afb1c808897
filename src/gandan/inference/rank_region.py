"""The joint confidence region of a whole ranking, from intervals that hold together.

Source: Klein, Wright and Wieczorek, "A joint confidence region for an overall ranking of populations", JRSS Series C
2020.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from gandan.inference.design import Array
from gandan.inference.errors import InferenceError
from gandan.inference.given import vector, whole
from gandan.inference.rank_given import check, point_ranks
from gandan.inference.rank_results import RankSets


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

    check(level, "two-sided")
    x, error = vector(est, "est"), vector(se, "se")
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
        rank=point_ranks(x),
        upper=(x.size - behind).astype(np.int64),
        critical=z,
        mc_error=0.0,
        seed=None,
        units=everyone,
        knife_edge=np.zeros(0, dtype=np.int64),
        level=level,
    )
