"""What a sample will be able to tell apart, before it is drawn, and what more would cost."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from gandan.inference.allocation import design_effect, positive
from gandan.inference.design import Floats
from gandan.inference.errors import InferenceError
from gandan.inference.given import number, seed_of, whole
from gandan.inference.intervals import check_level

_NODES = 32


@dataclass(frozen=True, slots=True)
class Separation:
    """What a sample of `n` interviews in each of `units` units is expected to tell apart.

    `width`: mean number of places in a marginal rank set (1 to `units`); `separated`: share of pairs told apart, each
    at the critical value of the unit whose set it is; `above`, `below`: share of units shown to differ from the mean
    of all (Holm). Each with its Monte-Carlo standard error `…_error` over `reps` simulations. `offers_ranking` is
    false below 5 % of pairs; `advice` are codes: `use-tiers`, `pool-years`, `borrow-strength`, `ask-experience`.
    """

    n: int
    interviews: int
    width: float
    width_error: float
    separated: float
    separated_error: float
    above: float
    below: float
    units: int
    reps: int
    seed: int
    level: float

    @property
    def offers_ranking(self) -> bool:
        """Whether a ranking may be offered at all."""
        return self.separated >= 0.05

    @property
    def advice(self) -> tuple[str, ...]:
        """What to do instead of, or beside, a ranking."""
        if self.separated >= 0.5:
            return ("use-tiers",)
        return ("use-tiers", "pool-years", "borrow-strength", "ask-experience")


def plan_separation(
    mean: float,
    sd_between: float,
    n: int,
    deff: float,
    units: int,
    reps: int = 200,
    *,
    seed: int,
    level: float = 0.95,
) -> Separation:
    """Simulate what a sample will separate: shares p_i ~ Normal(mean, sd_between) within .02 to .995.

    Each replication draws true shares, estimates them with standard error √(deff·p(1−p)/n), holds the estimates
    within the same limits, estimates their standard errors, and forms single-step two-sided marginal rank sets at
    `level`. Near the ceiling with small n the normal approximation is poor. The table of the design note rests on 40
    replications: our long runs lie within half a place of it but for a mean of .97, a spread of .012 and 1,600
    interviews in each unit, where it has 28.5 places and we 29.5 (2,000 replications). At least
    two units (`option-unknown`); `mean` between 0 and 1 (`probability-out-of-range`).
    """
    check_level(level)
    if not 0 < number(mean, "mean") < 1:
        raise InferenceError("probability-out-of-range", row=0, value=mean)
    units, n, reps, seed = whole(units, "units"), whole(n, "n"), whole(reps, "reps"), seed_of(seed)
    effect, apart_by = number(deff, "deff"), number(sd_between, "sd_between")
    if units < 2 or n < 1 or reps < 2 or not 0 < effect < np.inf or not 0 <= apart_by < np.inf:
        told = {"units": units, "n": n, "reps": reps, "deff": deff, "sd_between": sd_between}
        raise InferenceError("option-unknown", name="plan", value=told, allowed="two units, one interview, two reps")
    rng = Generator(PCG64(SeedSequence(seed)))
    widths, shares = np.empty(reps), np.empty(reps)
    above, below = np.empty(reps), np.empty(reps)
    for r in range(reps):
        p = np.clip(rng.normal(mean, sd_between, units), 0.02, 0.995)
        se = np.sqrt(deff * p * (1 - p) / n)
        x = np.clip(rng.normal(p, se), 0.02, 0.995)
        se = np.sqrt(deff * x * (1 - x) / n)
        critical = marginal_critical(se, level)
        apart = np.abs(x[:, None] - x[None, :]) > critical[:, None] * np.sqrt(se[:, None] ** 2 + se[None, :] ** 2)
        np.fill_diagonal(apart, False)
        shares[r] = apart.sum() / (units * (units - 1))
        widths[r] = units - apart.sum() / units
        above[r], below[r] = _against_mean(x, se, level)
    root = np.sqrt(reps)
    return Separation(
        n,
        n * units,
        float(widths.mean()),
        float(widths.std(ddof=1) / root),
        float(shares.mean()),
        float(shares.std(ddof=1) / root),
        float(above.mean()),
        float(below.mean()),
        units,
        reps,
        seed,
        level,
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """A sample that money buys: its cost and what it separates."""

    cost: float
    separation: Separation


def plan_budget(
    budget: float,
    *,
    cost_interview: float,
    cost_cluster: float = 0.0,
    take: float = 10.0,
    mean: float,
    sd_between: float,
    units: int,
    rho: float = 0.05,
    weight_cv: float = 0.0,
    multiples: Sequence[float] = (1.0, 2.0, 4.0, 8.0),
    reps: int = 100,
    seed: int,
    level: float = 0.95,
) -> tuple[Offer, ...]:
    """Return what the budget separates, and what several times the budget would.

    Interviews are made in clusters of `take`, each of which costs `cost_cluster` beside `cost_interview` for every
    interview; the design effect follows from `take`, `rho` and `weight_cv`. Costs are in the currency of the budget.
    Raises `budget-too-small` when it does not buy one interview in each unit, and what `plan_separation` raises.
    """
    if not np.isfinite(number(budget, "budget")):
        raise InferenceError("not-finite", name="budget", row=0, value=budget)
    per = [number(value, "costs") for value in (cost_interview, cost_cluster, take)]
    each = per[0] + per[1] / per[2] if per[2] >= 1 else np.nan
    if not (np.isfinite(each) and each > 0):
        raise InferenceError("not-finite", name="costs", row=0, value=(cost_interview, cost_cluster, take))
    deff = design_effect(take, rho, weight_cv)
    offers = []
    for times in multiples:
        n = int(budget * times / (each * units) + 1e-9)
        if n < 1:
            raise InferenceError("budget-too-small", budget=budget * times, least=each * units)
        found = plan_separation(mean, sd_between, n, deff, units, reps, seed=seed, level=level)
        offers.append(Offer(n * units * each, found))
    return tuple(offers)


def marginal_critical(se: Floats, level: float) -> Floats:
    """Return for each unit (p) the single-step critical value of its two-sided marginal rank set, by quadrature.

    For independent estimates: P(max over k of |Z_j − Z_k|/s_jk ≤ c) = level, one integral over Z_j (Gauss-Hermite).
    """
    from scipy.special import ndtr, ndtri

    check_level(level)
    se = positive(se, "se")
    if se.size < 2:
        raise InferenceError("too-few-areas", areas=se.size, columns=0)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    size = se.size
    other = ~np.eye(size, dtype=bool)
    k = np.broadcast_to(se, (size, size))[other].reshape(size, size - 1)
    s = np.sqrt(se[:, None] ** 2 + k**2)
    z = se[:, None, None] * nodes[None, :, None]

    def covered(c: Floats) -> Floats:
        reach = (c[:, None] * s)[:, None, :]
        inside = ndtr((z + reach) / k[:, None, :]) - ndtr((z - reach) / k[:, None, :])
        return np.asarray(np.prod(inside, axis=2) @ weights)

    low = np.full(size, float(ndtri(0.5 + level / 2)))
    high = np.full(size, float(-ndtri((1 - level) / (2 * (size - 1)))) + 1e-9)
    below, above = covered(low) - level, covered(high) - level
    # Regula falsi with Illinois' halving: few evaluations, always bracketed.
    side = np.zeros(size)
    middle = high
    for _ in range(60):
        gap = above - below
        middle = np.where(gap > 0, high - above * (high - low) / np.where(gap > 0, gap, 1.0), high)
        value = covered(middle) - level
        up = value > 0
        below = np.where(up & (side > 0), below / 2, below)
        above = np.where(~up & (side < 0), above / 2, above)
        high, above = np.where(up, middle, high), np.where(up, value, above)
        low, below = np.where(up, low, middle), np.where(up, below, value)
        side = np.where(up, 1.0, -1.0)
        if np.abs(value).max() < 1e-6:
            break
    return middle


def _against_mean(x: Floats, se: Floats, level: float) -> tuple[float, float]:
    """Return the shares of units shown above and below the mean of all, the unit itself included (Holm)."""
    from scipy.special import ndtr

    p = x.size
    spread = np.sqrt(se**2 * (1 - 2 / p) + (se**2).sum() / p**2)
    t = (x - x.mean()) / spread
    tail = 2 * ndtr(-np.abs(t))
    order = np.argsort(tail, kind="stable")
    fine = tail[order] <= (1 - level) / (p - np.arange(p))
    held = int(np.argmin(fine)) if not fine.all() else p
    shown = order[:held]
    return float((t[shown] > 0).sum() / p), float((t[shown] < 0).sum() / p)
