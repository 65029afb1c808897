"""How many units to take, and where: allocation to strata, sample sizes, clusters.

Sources: Cochran (1977), Sampling Techniques, chapters 4, 5 and 10; Bankier (1988) for power allocation; Kish (1965)
for clusters; Fleiss, Levin and Paik (2003), equation 4.14 without continuity correction, for two shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from gandan.inference.design import Array, Codes, Floats
from gandan.inference.errors import InferenceError
from gandan.inference.given import number, numbers, whole
from gandan.inference.intervals import check_level

Allocation = Literal["proportional", "neyman", "power", "equal"]


def allocate(
    size: int,
    population: Array | Sequence[float],
    method: Allocation = "proportional",
    *,
    spread: Array | Sequence[float] | None = None,
    cost: Array | Sequence[float] | None = None,
    q: float = 0.5,
    minimum: int = 2,
) -> Codes:
    """Return how many units (H) to take in each stratum; they sum to `size` exactly.

    `population` (H): units in each stratum. "proportional" to it; "neyman" to N·S (divided by √cost where `cost` per
    unit is given); "power" to S·N^q, between equal (q = 0) and Neyman (q = 1); "equal". `spread` (H): standard
    deviations, 1 where None; needed by "neyman". No stratum gets fewer than `minimum` (or than it has), nor more
    than it has; what they cannot take goes to the others in proportion. Rounded by largest remainders.

    Raises InferenceError: `allocation-infeasible`, `option-unknown`, `not-finite`, `length-mismatch`.
    """
    if method not in get_args(Allocation):
        raise InferenceError("option-unknown", name="method", value=method, allowed=", ".join(get_args(Allocation)))
    size, minimum = whole(size, "size"), whole(minimum, "minimum")
    if not np.isfinite(number(q, "q")):
        raise InferenceError("not-finite", name="q", row=0, value=q)
    have = positive(population, "population")
    if method == "neyman" and spread is None:
        raise InferenceError("option-unknown", name="spread", value=None, allowed="a number for each stratum")
    deviation = np.ones(have.size) if spread is None else positive(spread, "spread", have.size, zero=True)
    share: Floats = {
        "proportional": have,
        "neyman": have * deviation,
        "power": deviation * have**q,
        "equal": np.ones(have.size),
    }[method]
    if cost is not None:
        share = share / np.sqrt(positive(cost, "cost", have.size))
    high = np.floor(have)
    low = np.minimum(float(minimum), high)
    if not low.sum() <= size <= high.sum():
        raise InferenceError("allocation-infeasible", size=size, least=int(low.sum()), most=int(high.sum()))
    exact = _bounded_shares(share, float(size), low, high)
    taken = np.floor(exact + 1e-9)
    left = size - int(taken.sum())
    room = taken + 1 <= high
    order = np.argsort(-np.where(room, exact - taken, -1.0), kind="stable")
    taken[order[:left]] += 1
    return taken.astype(np.int64)


def _bounded_shares(share: Floats, size: float, low: Floats, high: Floats) -> Floats:
    """Return the numbers proportional to `share` within bounds that sum to `size`."""
    fixed = np.full(share.size, np.nan)
    for _ in range(share.size + 1):
        free = np.isnan(fixed)
        rest = size - np.nansum(fixed)
        total = share[free].sum()
        if not free.any():
            break
        trial = np.full(share.size, np.nan)
        trial[free] = share[free] / total * rest if total > 0 else rest / free.sum()
        under, over = free & (trial < low), free & (trial > high)
        lacking, surplus = (low - trial)[under].sum(), (trial - high)[over].sum()
        if not under.any() and not over.any():
            return np.where(free, trial, fixed)
        # The side whose correction is larger is settled first: the other may come right by itself.
        if lacking >= surplus:
            fixed[under] = low[under]
        if surplus >= lacking:
            fixed[over] = high[over]
    return np.where(np.isnan(fixed), low, fixed)


@dataclass(frozen=True, slots=True)
class SampleSize:
    """`completed` interviews that are needed, `issued` with the expected response, `yamane` for comparison only.

    Yamane's n = N/(1+N·e²) assumes simple random sampling and a share of one half, at e = 5 % never exceeds 400, and
    says nothing about telling units apart: it is shown beside ours and never used. None without a population.
    """

    completed: int
    issued: int
    yamane: int | None


def sample_size(
    p: float,
    error: float,
    *,
    deff: float = 1.0,
    population: float | None = None,
    response: float = 1.0,
    level: float = 0.95,
) -> SampleSize:
    """Return the interviews that hold a share `p` within ± `error` (both 0 to 1) at confidence `level`.

    n = z²·p(1−p)·deff/e², for a finite population n/(1 + (n−1)/N), divided by the expected `response` (above 0, at
    most 1). Rounded up (Yamane's to the nearest). Raises `probability-out-of-range`,
    `not-finite`, `level-out-of-range`.
    """
    from scipy.special import ndtri

    check_level(level)
    for value in (p, error):
        if not 0 < number(value, "p or error") < 1:
            raise InferenceError("probability-out-of-range", row=0, value=value)
    if not 0 < number(response, "response") <= 1:
        raise InferenceError("probability-out-of-range", row=0, value=response)
    if not 0 < number(deff, "deff") < np.inf or (population is not None and not number(population, "population") >= 1):
        raise InferenceError("not-finite", name="deff or population", row=0, value=(deff, population))
    n = float(ndtri(0.5 + level / 2)) ** 2 * p * (1 - p) * deff / error**2
    if population is not None and np.isfinite(population):
        n = min(n / (1 + (n - 1) / population), float(population))
    completed = int(np.ceil(n - 1e-9))
    yamane = None if population is None else round(population / (1 + population * error**2))
    return SampleSize(completed, int(np.ceil(n / response - 1e-9)), yamane)


def cluster_take(cost_cluster: float, cost_unit: float, rho: float) -> float:
    """Return the interviews in a cluster that are best for the money, √(c₁/c₂·(1−ρ)/ρ), not below 1.

    `rho`: correlation within clusters, above 0 and below 1. Source: Cochran (1977), equation 10.33.
    """
    given = [number(each, "costs and rho") for each in (cost_cluster, cost_unit, rho)]
    if not (0 < given[0] < np.inf and 0 < given[1] < np.inf and 0 < rho < 1):
        raise InferenceError("not-finite", name="costs and rho", row=0, value=(cost_cluster, cost_unit, rho))
    return max(1.0, float(np.sqrt(cost_cluster / cost_unit * (1 - rho) / rho)))


def design_effect(take: float, rho: float, weight_cv: float = 0.0) -> float:
    """Return (1 + (m̄−1)ρ)(1 + cv²w): clusters of `take` interviews on average, and unequal weights (Kish)."""
    given = [number(each, "take, rho and weight_cv") for each in (take, rho, weight_cv)]
    if not (1 <= given[0] < np.inf and -1 <= rho <= 1 and 0 <= given[2] < np.inf):
        raise InferenceError("not-finite", name="take, rho and weight_cv", row=0, value=(take, rho, weight_cv))
    return float((1 + (take - 1) * rho) * (1 + weight_cv**2))


def two_shares(p1: float, p2: float, *, deff: float = 1.0, power: float = 0.8, level: float = 0.95) -> int:
    """Return the interviews in each of two named units that show p₁ ≠ p₂ with the given power, to the nearest."""
    from scipy.special import ndtri

    check_level(level)
    check_level(power)
    given = [number(each, "p1, p2 and deff") for each in (p1, p2, deff)]
    if not (0 <= given[0] <= 1 and 0 <= given[1] <= 1) or p1 == p2 or not 0 < given[2] < np.inf:
        raise InferenceError("probability-out-of-range", row=0, value=(p1, p2))
    middle = (p1 + p2) / 2
    a, b = float(ndtri(0.5 + level / 2)), float(ndtri(power))
    under, other = np.sqrt(2 * middle * (1 - middle)), np.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    return round(float(deff * (a * under + b * other) ** 2 / (p1 - p2) ** 2))


def positive(given: Array | Sequence[float], name: str, expected: int | None = None, *, zero: bool = False) -> Floats:
    values = numbers(given, name)
    if values.ndim != 1 or values.size == 0 or (expected is not None and values.size != expected):
        raise InferenceError("length-mismatch", name=name, found=values.shape, expected=expected or "one per stratum")
    wrong = ~(np.isfinite(values) & ((values >= 0) if zero else (values > 0)))
    if wrong.any():
        raise InferenceError("not-finite", name=name, row=int(np.argmax(wrong)), value=float(values[wrong][0]))
    return values
