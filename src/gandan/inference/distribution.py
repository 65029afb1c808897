"""Weighted distribution functions, and the quantiles that a rule reads off them.

Sources: Hyndman and Fan (1996), The American Statistician 50, for the rules.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gandan.inference.design import Floats

Rule = Literal["math", "hf7", "school"]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A distribution function: values in order, ties side by side, and the weight up to and with each."""

    values: Floats
    cumulated: Floats

    @classmethod
    def of(cls, values: Floats, weight: Floats) -> "Curve":
        """Return the curve of sorted values (n) with their weights, all above 0."""
        return cls(values, np.cumsum(weight))

    def read_off(self, p: Floats, rule: Rule) -> Floats:
        """Return the quantiles by `rule`, as `quantiles` in `estimates` names them; NaN where p is outside 0 to 1."""
        values, cumulated = self.values, self.cumulated
        out = np.full(p.shape, np.nan)
        ok = np.flatnonzero(np.isfinite(p) & (p >= 0) & (p <= 1))
        if values.size == 0 or ok.size == 0:
            return out
        total = cumulated[-1]
        if rule == "hf7":
            if values.size == 1:
                out[ok] = values[0]
                return out
            places = np.append(0.0, cumulated[:-1]) / cumulated[-2]
            out[ok] = np.interp(p[ok], places, values)
            return out
        target = p[ok] * total
        at = np.searchsorted(cumulated, target - 1e-12 * total, side="left")
        at = np.minimum(at, values.size - 1)
        out[ok] = values[at]
        if rule == "school":
            tied = (np.abs(cumulated[at] - target) <= 1e-12 * total) & (at + 1 < values.size)
            out[ok] = np.where(tied, (values[at] + values[np.minimum(at + 1, values.size - 1)]) / 2, out[ok])
        return out
