"""Ranks of the options of one question, exact in any sample size."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from gandan.inference.design import Array
from gandan.inference.errors import InferenceError
from gandan.inference.given import vector
from gandan.inference.rank_given import Kind, check, point_ranks, positions
from gandan.inference.rank_pairs import in_question
from gandan.inference.rank_results import RankSets


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

    check(level, kind)
    if correction not in ("holm", "bonferroni"):
        raise InferenceError("option-unknown", name="correction", value=correction, allowed="holm, bonferroni")
    x = vector(counts, "counts")
    wrong = (x < 0) | (x != np.floor(x))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InferenceError("not-a-count", name="counts", row=row, value=float(x[row]))
    size = x.size
    wanted = positions(units, size)
    inside = np.zeros(size, dtype=bool)
    inside[wanted] = True
    better, worse = np.meshgrid(x, x, indexing="ij")
    if smaller_is_better:
        better, worse = worse, better
    with np.errstate(invalid="ignore"):
        p_value = np.where(better > 0, betainc(np.maximum(better, 1), worse + 1, 0.5), 1.0)
    tested = in_question(inside, kind)
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
        rank=point_ranks(signed)[wanted],
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
