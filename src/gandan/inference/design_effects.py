"""Design effects: how many times the variance of a simple random sample of the same size.

Source: Kish (1965), Survey Sampling; the element variance is that of the weighted sample.
"""

import numpy as np

from gandan.inference.cells import Cells
from gandan.inference.design import Floats


def design_effects(
    cells: Cells,
    stat: str,
    est: Floats,
    variance: Floats,
    n: Floats,
    total_w: Floats,
    total_y: Floats,
    scale_x: Floats | None,
) -> tuple[Floats, Floats]:
    """Return design effects (D, K) against simple random sampling (without, with) replacement.

    `variance` of the estimates; `n`, `total_w`, `total_y`: rows, weight and weighted values of each domain;
    `scale_x`: weighted denominators of ratios. NaN where fewer than two rows, or no spread, leave nothing to compare.
    """
    nothing = np.full(est.shape, np.nan)
    if cells.spread is None:
        return nothing, nothing.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        if stat == "ratio":
            if cells.spread_xy is None or cells.spread_xx is None or scale_x is None:
                return nothing, nothing.copy()
            squares = cells.spread - 2 * est * cells.spread_xy + est**2 * cells.spread_xx
            factor = (total_w / scale_x) ** 2
        else:
            squares = cells.spread - total_y**2 / total_w
            squares = np.where(squares <= 1e-14 * cells.spread, 0.0, squares)
            factor = total_w**2 if stat == "total" else np.ones_like(est)
        s2 = n / (n - 1) * squares / total_w
        with_replacement = variance / (factor * s2 / n)
        without = variance / (factor * s2 * (total_w - n) / (total_w * n))
    ok = np.isfinite(with_replacement) & (s2 > 0)
    return np.where(ok & np.isfinite(without) & (total_w > n), without, np.nan), np.where(ok, with_replacement, np.nan)
