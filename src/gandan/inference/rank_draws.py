"""Critical values of rank sets by normal draws, step by step, with their Monte-Carlo error.

Source: Mogstad, Romano, Shaikh and Wilhelm, sections 3.1 to 3.3.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from gandan.inference.rank_given import Flags, Ranks
from gandan.inference.rank_pairs import BLOCK, Pairs

_CELLS = 1 << 17
"""Differences of draws held at a time."""


def settle(pairs: Pairs, sample: npt.NDArray[np.float32], level: float, stepdown: bool) -> list[tuple[float, float]]:
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
    pairs: Pairs,
    sample: npt.NDArray[np.float32],
    inverse: npt.NDArray[np.float32],
    maxima: npt.NDArray[np.float32],
    level: float,
    stepdown: bool,
    shift: float,
) -> tuple[float, float]:
    ahead, behind = pairs.ahead, pairs.behind
    critical, error, _ = quantile(maxima, level)
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
        critical, error, lowest = quantile(lowered, level)
        if lowest < floor:
            lowered = _maxima(sample, pairs.rows, inverse, ahead, behind)
            critical, error, _ = quantile(lowered, level)
        maxima = lowered


def quantile(maxima: npt.NDArray[Any], level: float) -> tuple[float, float, float]:
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
    width = min(draws, BLOCK)
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
