"""Small areas that add up to the province's own estimate.

Source: Wang, Fuller and Qu, Survey Methodology 2008; Datta, Ghosh, Steorts and Maples, Test 2011.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from gandan.inference.design import Array, Floats
from gandan.inference.errors import InferenceError
from gandan.inference.given import number, vector

if TYPE_CHECKING:
    from gandan.inference.small_area import SmallArea

By = Literal["mse", "equal", "ratio"]
Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Benchmarked:
    """Estimates that add up to a given total mean.

    `est` (m, then areas without sample if they were included). `shift`: what was added. `mse`: MSE + shift², a
    conservative figure. `gap`: target less the weighted mean before. `flags`: `shift-above-se` where the shift
    exceeds one standard error, which says that the model is wrong there; `at-bound` where a bound held it.
    """

    est: Floats
    shift: Floats
    mse: Floats
    gap: float
    flags: dict[str, Truths]


def benchmark(
    small_area: "SmallArea",
    share: Array | Sequence[float],
    target: float,
    *,
    by: By = "mse",
    bounds: tuple[float, float] | None = None,
) -> Benchmarked:
    """Return estimates whose mean with weights `share` is `target`, the direct estimate of the province.

    θ_i + gap·λ_i/Σ sλ, λ = s·MSE (`by="mse"`: the least certain move most), 1 ("equal") or θ ("ratio"). `share` (m),
    or (m + k) with the k areas without sample; sums to 1. `bounds`: values that would leave them are set to the
    bound and the rest is redistributed; (0, 1) by itself for proportions on the arcsine scale.

    Refuses: `shares-not-one`, `length-mismatch`, `not-finite`, `option-unknown`, `benchmark-infeasible` when no
    movement within the bounds reaches the target.
    Source: Wang, Fuller and Qu, Survey Methodology 2008; Datta, Ghosh, Steorts and Maples, Test 2011.
    """
    if by not in get_args(By):
        raise InferenceError("option-unknown", name="by", value=by, allowed=", ".join(get_args(By)))
    weight = vector(share, "share")
    est, mse = small_area.est, small_area.mse
    if small_area.out is not None and weight.size != est.size:
        est = np.concatenate((est, small_area.out.est))
        mse = np.concatenate((mse, small_area.out.mse))
    if weight.size != est.size:
        raise InferenceError("length-mismatch", name="share", found=weight.size, expected=est.size)
    if abs(weight.sum() - 1) > 1e-9 or (weight < 0).any():
        raise InferenceError("shares-not-one", total=float(weight.sum()))
    if not np.isfinite(number(target, "target")):
        raise InferenceError("not-finite", name="target", row=0, value=float(target))
    if bounds is None and small_area.transform == "arcsin":
        bounds = (0.0, 1.0)
    movement = {"mse": weight * mse, "equal": np.ones(est.size), "ratio": est}[by]
    gap = float(target - weight @ est)
    moved, held = _moved(est, weight, movement, float(target), bounds)
    shift = moved - est
    flags = {"shift-above-se": np.abs(shift) > np.sqrt(mse), "at-bound": held}
    return Benchmarked(moved, shift, mse + shift**2, gap, flags)


def _moved(
    est: Floats, weight: Floats, movement: Floats, target: float, bounds: tuple[float, float] | None
) -> tuple[Floats, Truths]:
    """Return (moved estimates, where a bound held one)."""
    low, high = bounds or (-np.inf, np.inf)
    if not low <= target <= high:
        raise InferenceError("benchmark-infeasible", target=target, low=low, high=high)
    moved = est.copy()
    held = np.zeros(est.size, dtype=bool)
    while True:
        free = ~held
        gap = target - float(weight @ np.where(held, moved, est))
        pull = float(weight[free] @ movement[free])
        if abs(gap) <= 1e-15 * max(1.0, abs(target)):
            moved[free] = est[free]
            pull = 1.0
        elif pull == 0:
            raise InferenceError("benchmark-infeasible", target=target, low=low, high=high)
        else:
            moved[free] = est[free] + gap * movement[free] / pull
        beyond = free & ((moved < low) | (moved > high))
        if not beyond.any():
            return moved, held
        moved[beyond] = np.clip(moved[beyond], low, high)
        held |= beyond
