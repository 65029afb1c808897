"""The comparisons behind ranks, in an order of the units that does not depend on how they were given."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gandan.inference.design import Floats
from gandan.inference.given import vector
from gandan.inference.rank_given import SAME, Flags, Kind, Ranks, covariance, point_ranks, root_of

BLOCK = 2048
"""Draws handled at a time, so that a block of units stays in the processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Estimates sorted from best to worst, with what is needed to draw their errors."""

    x: Floats
    se: Floats
    matrix: Floats | None
    order: Ranks
    place: Ranks
    rank: Ranks

    @classmethod
    def of(cls, x: Any, cov: Any, smaller_is_better: bool) -> "Problem":
        given = vector(x, "x")
        se, matrix = covariance(cov, given.size)
        signed = -given if smaller_is_better else given
        keys = [se, -signed] if matrix is None else [matrix.sum(axis=1), se, -signed]
        order = np.lexsort(keys)
        place = np.empty_like(order)
        place[order] = np.arange(order.size)
        return cls(
            signed[order],
            se[order],
            None if matrix is None else matrix[np.ix_(order, order)],
            order,
            place,
            point_ranks(signed[order]),
        )

    @property
    def size(self) -> int:
        return int(self.x.size)

    def spread(self, rows: Ranks) -> Floats:
        """Return s_jk for the given rows and all units; 0 where both vary together or not at all."""
        own, all_ = self.se[rows][:, None] ** 2, self.se[None, :] ** 2
        total = own + all_
        if self.matrix is None:
            return np.sqrt(total)
        variance = total - 2 * self.matrix[rows]
        variance[variance <= SAME * total] = 0.0
        return np.sqrt(variance)

    def draw(self, draws: int, seed: int) -> npt.NDArray[np.float32]:
        """Return (p, draws) errors, in units of their largest standard deviation.

        Only differences matter: correlated errors are centred in double precision before they are rounded.
        """
        rng = np.random.Generator(np.random.PCG64(seed))
        scale = float(self.se.max()) or 1.0
        sample = np.empty((self.size, draws), dtype=np.float32)
        root = None if self.matrix is None else root_of(self.matrix) / scale
        for start in range(0, draws, BLOCK):
            stop = min(start + BLOCK, draws)
            if root is None:
                sample[:, start:stop] = rng.standard_normal((self.size, stop - start)) * (self.se / scale)[:, None]
            else:
                errors = root @ rng.standard_normal((self.size, stop - start))
                sample[:, start:stop] = errors - errors.mean(axis=0)
        return sample

    @property
    def scale(self) -> float:
        return float(self.se.max()) or 1.0


@dataclass(slots=True, eq=False)
class Pairs:
    """Hypotheses about `rows` against all units: `ahead` "the row is better", `behind` "the column is better".

    With all units as rows each pair stands once, above the diagonal. `difference` (rows, p) is row less column.
    """

    rows: Ranks
    difference: Floats
    spread: Floats
    ahead: Flags
    behind: Flags
    sure_ahead: Flags
    sure_behind: Flags
    scale: float

    def rejected(self, critical: float) -> tuple[Flags, Flags]:
        """Return which hypotheses a critical value decides, those without variance included."""
        bound = max(critical, 0.0) * self.spread
        return (
            (self.ahead & (self.difference > bound)) | self.sure_ahead,
            (self.behind & (-self.difference > bound)) | self.sure_behind,
        )

    def counts(self, rejected: tuple[Flags, Flags], size: int) -> tuple[Ranks, Ranks]:
        """Return (units shown to be worse, units shown to be better) for each unit in sorted order."""
        ahead, behind = rejected
        wins, losses = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        wins[self.rows] += ahead.sum(axis=1)
        losses[self.rows] += behind.sum(axis=1)
        wins += behind.sum(axis=0)
        losses += ahead.sum(axis=0)
        return wins, losses

    def row_counts(self, rejected: tuple[Flags, Flags]) -> tuple[int, int]:
        """Return the same for the only row."""
        return int(rejected[0].sum()), int(rejected[1].sum())

    def matrix(self, rejected: tuple[Flags, Flags]) -> Flags:
        """Return "row better than column" for all units in sorted order."""
        better: Flags = rejected[0] | rejected[1].T
        return better


def pairs_of(problem: Problem, rows: Ranks, everyone: bool, kind: Kind) -> Pairs:
    size = problem.size
    spread = problem.spread(rows)
    difference = problem.x[rows][:, None] - problem.x[None, :]
    inside = np.zeros(size, dtype=bool)
    inside[rows] = True
    once = np.ones((rows.size, size), dtype=bool)
    once[:, inside] = rows[:, None] < rows[None, :]
    if everyone or kind == "two-sided":
        ahead = behind = once
    else:
        # Among the rows both ends of a pair are bounded; against the others only the side that was asked for.
        ahead = once & (inside[None, :] | (kind == "upper"))
        behind = once & (inside[None, :] | (kind == "lower"))
    moving = spread > 0
    return Pairs(
        rows,
        difference,
        spread,
        ahead & moving,
        behind & moving,
        ahead & ~moving & (difference > 0),
        behind & ~moving & (difference < 0),
        problem.scale,
    )


def in_question(inside: Flags, kind: Kind) -> Flags:
    """Return which "row better than column" is tested: two-sided either in the set, lower the column, upper the row."""
    rows, columns = np.meshgrid(inside, inside, indexing="ij")
    tested: Flags = {"two-sided": rows | columns, "lower": columns.copy(), "upper": rows.copy()}[kind]
    np.fill_diagonal(tested, False)
    return tested
