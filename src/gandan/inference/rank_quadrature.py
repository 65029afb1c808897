"""Critical values of marginal rank sets of independent estimates, by quadrature and without chance.

Conditional on the error of unit j the differences of the others are independent, so that
P(max ≤ c) = E Π_k [Φ((z + c·s_jk)/se_k) - Φ((z - c·s_jk)/se_k)], z the error of unit j.
"""

from collections.abc import Callable

import numpy as np

from gandan.inference.design import Floats
from gandan.inference.rank_given import Flags
from gandan.inference.rank_pairs import Pairs


def settle_exactly(pairs: Pairs, se: Floats, place: int, level: float, stepdown: bool) -> float:
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
