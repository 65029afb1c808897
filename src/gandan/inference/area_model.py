"""The variance between areas, by likelihood or moments: the root of its score that fits best.

Everything is scaled so that the median sampling variance is 1, and X has orthonormal columns: no tolerance depends on
the unit of measurement. Sources: Datta, Rao and Smith, Biometrika 2005; Yoshimori and Lahiri, JMVA 2014, for the
adjusted likelihoods, which are experimental: see `fay_herriot`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gandan.inference.design import Floats
from gandan.inference.errors import InferenceError

Method = Literal["reml", "ml", "fh", "ampl-yl", "amrl-yl"]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    columns: Floats
    sampling: Floats
    response: Floats
    scale: float
    basis: Floats
    d: Floats
    y: Floats
    products: Floats

    @classmethod
    def of(cls, response: Floats, columns: Floats, sampling: Floats) -> "Model":
        from scipy.linalg import qr

        norms = np.sqrt((columns**2).sum(axis=0))
        if (norms == 0).any():
            raise InferenceError("collinear", columns=np.flatnonzero(norms == 0).tolist())
        basis, triangle, pivot = qr(columns / norms, mode="economic", pivoting=True)
        diagonal = np.abs(np.diag(triangle))
        if (diagonal < 1e-10 * diagonal[0]).any():
            raise InferenceError("collinear", columns=sorted(pivot[diagonal < 1e-10 * diagonal[0]].tolist()))
        scale = float(np.median(sampling))
        # Subtracting any fit changes no residual of a later fit, and saves digits when means are large.
        rest = response - basis @ (basis.T @ response)
        upper = np.triu_indices(columns.shape[1])
        return cls(
            columns,
            sampling,
            response,
            scale,
            basis,
            sampling / scale,
            rest / np.sqrt(scale),
            basis[:, upper[0]] * basis[:, upper[1]],
        )

    @property
    def areas(self) -> int:
        return int(self.y.size)

    @property
    def parameters(self) -> int:
        return int(self.columns.shape[1])

    def gram(self, weight: Floats) -> Floats:
        """Return Σ w·x·x' for one vector of weights or for each row of a matrix of them."""
        size = self.parameters
        packed = product(weight, self.products)
        full = np.empty((*packed.shape[:-1], size, size))
        rows, columns = np.triu_indices(size)
        full[..., rows, columns] = packed
        full[..., columns, rows] = packed
        return full

    def residual(self, weight: Floats) -> tuple[Floats, Floats]:
        """Return (residuals of the weighted fit, inverse of its normal matrix)."""
        inverse = np.linalg.inv(self.gram(weight)).astype(np.float64, copy=False)
        fit: Floats = self.basis @ (inverse @ product(weight * self.y, self.basis))
        return self.y - fit, inverse

    def likelihoods(self, area_variance: Floats, method: Method) -> Floats:
        """Return the criterion of a likelihood method, up to a constant, at each value of A."""
        total = area_variance[:, None] + self.d
        weight = 1 / total
        gram = self.gram(weight)
        projected = product(weight * self.y, self.basis)
        fit = np.linalg.solve(gram, projected[..., None])[..., 0]
        value: Floats = -0.5 * (np.log(total).sum(axis=1) + weight @ self.y**2 - (projected * fit).sum(axis=1))
        if method in ("reml", "amrl-yl"):
            value = value - 0.5 * np.linalg.slogdet(gram)[1]
        if method in ("ampl-yl", "amrl-yl"):
            with np.errstate(divide="ignore"):
                value = value + np.log(np.arctan((area_variance[:, None] * weight).sum(axis=1))) / self.areas
        return value

    def score(self, area_variance: float, method: Method) -> float:
        """Return the derivative of the criterion; for "fh" the moment equation, which has one root."""
        weight = 1 / (area_variance + self.d)
        residual, inverse = self.residual(weight)
        if method == "fh":
            return float(weight @ residual**2) - (self.areas - self.parameters)
        value = 0.5 * float(((weight * residual) ** 2).sum()) - 0.5 * float(weight.sum())
        if method in ("reml", "amrl-yl"):
            value += 0.5 * float((inverse * self.gram(weight**2)).sum())
        if method in ("ampl-yl", "amrl-yl"):
            total = float((area_variance * weight).sum())
            change = float((self.d * weight**2).sum())
            value += change / ((1 + total**2) * np.arctan(total) * self.areas) if total > 0 else np.inf
        return value

    def area_variance(self, method: Method) -> float:
        """Return A in units of the median sampling variance, the best of all roots."""
        high = 10 * float(self.y.var()) + 1
        while self.score(high, method) > 0:
            high *= 2
        if method == "fh":
            return 0.0 if self.score(0.0, method) <= 0 else _root(lambda a: self.score(a, method), 0.0, high)
        grid = np.concatenate(([0.0], np.geomspace(1e-3 * float(self.d.min()), high, 60)))
        values = self.likelihoods(grid, method)
        best = int(np.argmax(values))
        if best == 0 and self.score(0.0, method) <= 0:
            return 0.0
        low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, grid.size - 1)])
        if method in ("ampl-yl", "amrl-yl") and low == 0:
            low = _shrunk(lambda a: self.score(a, method), float(grid[1]))
        if self.score(low, method) <= 0 or self.score(high, method) >= 0:
            return self._searched(low, high, method)
        return _root(lambda a: self.score(a, method), low, high)

    def _searched(self, low: float, high: float, method: Method) -> float:
        """Return the maximum in a narrow interval in which the score changes its sign more than once."""
        for _ in range(20):
            grid = np.linspace(low, high, 33)
            best = int(np.argmax(self.likelihoods(grid, method)))
            low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, 32)])
            if self.score(low, method) > 0 > self.score(high, method):
                return _root(lambda a: self.score(a, method), low, high)
        return float(grid[best])


def product(rows: Floats, columns: Floats) -> Floats:
    """Return rows @ columns; for few columns without the threads of BLAS, which cost more than they save."""
    if columns.shape[1] > 64:
        return rows @ columns
    product: Floats = np.einsum("...m,mk->...k", rows, columns)
    return product


def _root(score: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(brentq(score, low, high, xtol=1e-15, rtol=1e-14, maxiter=500))


def _shrunk(score: Callable[[float], float], start: float) -> float:
    """Return a value so near to 0 that the score of an adjusted likelihood is positive; it grows without bound."""
    while score(start) <= 0:
        start /= 16
    return start
