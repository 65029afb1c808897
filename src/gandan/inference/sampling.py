"""Planning and drawing a sample: how many, where, which, and what it will be able to tell apart.

Every draw is reproducible from its seed and the digest of the frame, and returns the inclusion probabilities of
each stage. Nothing is changed in place.

Sources: Cochran (1977), Sampling Techniques, chapters 4, 5, 8 and 10; Bankier (1988) for power allocation; Kish
(1965) for clusters; Madow (1949) for systematic selection with unequal probabilities; Fleiss, Levin and Paik
(2003), equation 4.14 without continuity correction, for two shares.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from numpy.random import PCG64, Generator, SeedSequence

from gandan.inference.design import Array, Codes, Floats, compact, missing_codes
from gandan.inference.errors import InferenceError
from gandan.inference.given import codes, number, numbers, plain_codes, seed_of, whole
from gandan.inference.intervals import check_level

Allocation = Literal["proportional", "neyman", "power", "equal"]
Method = Literal["srs", "systematic", "pps"]


# How many, and where


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
    have = _positive(population, "population")
    if method == "neyman" and spread is None:
        raise InferenceError("option-unknown", name="spread", value=None, allowed="a number for each stratum")
    deviation = np.ones(have.size) if spread is None else _positive(spread, "spread", have.size, zero=True)
    share: Floats = {
        "proportional": have,
        "neyman": have * deviation,
        "power": deviation * have**q,
        "equal": np.ones(have.size),
    }[method]
    if cost is not None:
        share = share / np.sqrt(_positive(cost, "cost", have.size))
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


# Which


@dataclass(frozen=True, slots=True, eq=False)
class Then:
    """A further stage of selection inside every unit selected before.

    `n`: how many to take, or by the label of the unit before. `unit` (frame rows): the units of this stage, numbered
    within the one before; None where each row of the frame is one. `size` (frame rows): for "pps", constant in a unit.
    """

    n: int | Mapping[Any, int]
    unit: Array | None = None
    method: Method = "srs"
    size: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The selected rows (m) of the frame, in the order of their ids, and how likely each was.

    `probability`, `certain`, `population` (m, stages): probability of the unit given the one before, whether it was
    taken with certainty for its size, and the units it was drawn from. `unit` (m, stages): position of the unit in
    the frame sorted by id. `weight` (m) = 1/Π probability. `stratum` (m) labels. `digest`:
    SHA-256 of the sorted frame; with `seed` it proves the draw.
    """

    rows: Codes
    weight: Floats
    probability: Floats
    certain: npt.NDArray[np.bool_]
    population: Codes
    unit: Codes
    stratum: Array
    digest: str
    seed: int


def select(
    ids: Array | Sequence[Any],
    n: int | Mapping[Any, int],
    *,
    seed: int,
    method: Method = "srs",
    size: Array | Sequence[float] | None = None,
    strata: Array | Sequence[Any] | None = None,
    unit: Array | Sequence[Any] | None = None,
    then: Sequence[Then] = (),
) -> Selection:
    """Draw a sample from a frame of rows named by unique `ids`; the order of the frame does not matter.

    `n`: units to take in each stratum, or by stratum label. `method`: "srs"; "systematic" with a fractional interval
    and a random start; "pps" systematic with probability n·size/Σsize, units whose probability reaches 1 being taken
    with certainty and the rest shared anew. `size` (rows): positive, constant within a unit. `unit` (rows): primary
    units, numbered within their stratum; None where each row is one. `then`: further stages. Each stratum has a random
    stream of its own, from `seed` and its label: adding a stratum changes no other.

    Raises InferenceError: `empty-data`, `ids-not-unique`, `sample-larger-than-frame`, `size-not-positive`,
    `size-varies`, `stratum-unknown`, `missing-code`, `length-mismatch`, `option-unknown`.
    """
    seed = seed_of(seed)
    names = codes(ids, "ids")
    rows = names.size
    if names.ndim != 1 or rows == 0:
        raise InferenceError("empty-data")
    names = _checked(names, rows, "ids")
    order = np.argsort(names, kind="stable")
    if rows > 1 and (names[order][1:] == names[order][:-1]).any():
        at = int(np.argmax(names[order][1:] == names[order][:-1]))
        raise InferenceError("ids-not-unique", id=names[order][at].item())
    label = np.full(rows, "all") if strata is None else _checked(strata, rows, "strata")
    label = label[order]
    plans = [
        Then(n, None if unit is None else codes(unit, "unit"), method, None if size is None else numbers(size, "size")),
        *then,
    ]
    stages = [_stage(plan, rows, order, number) for number, plan in enumerate(plans)]
    digest = _digest([names[order], label, *(part for _, u, s in stages for part in (u, s) if part is not None)])
    strata_labels, code = compact(label)
    if isinstance(n, Mapping):
        for key in n:
            if key not in strata_labels.tolist():
                raise InferenceError("stratum-unknown", stratum=key)
    chosen: list[tuple[Codes, Floats, npt.NDArray[np.bool_], Codes, Codes, int]] = []
    for h, name in enumerate(strata_labels.tolist()):
        rng = Generator(PCG64(SeedSequence([seed, *_words(name)])))
        members = np.flatnonzero(code == h)
        depth = len(stages)
        blank = np.zeros((members.size, 0))
        state = (members, blank, blank.astype(bool), blank.astype(np.int64), blank.astype(np.int64))
        found = _descend(state, stages, 0, rng, name)
        chosen += [(*part, h) for part in found if part[1].shape[1] == depth]
    if not chosen:
        raise InferenceError("empty-data")
    place = np.concatenate([part[0] for part in chosen])
    sort = np.argsort(place, kind="stable")
    probability, certain, population, units = (
        np.concatenate([np.asarray(part[k]) for part in chosen])[sort] for k in (1, 2, 3, 4)
    )
    stratum = np.concatenate([np.full(part[0].size, part[5]) for part in chosen])[sort]
    return Selection(
        order[place[sort]],
        1 / probability.prod(axis=1),
        probability,
        certain,
        population,
        units,
        strata_labels[stratum],
        digest,
        seed,
    )


_Stage = tuple[Then, Array | None, Floats | None]
_State = tuple[Codes, Floats, npt.NDArray[np.bool_], Codes, Codes]


def _descend(state: _State, stages: Sequence[_Stage], depth: int, rng: Generator, label: Any) -> list[_State]:
    """Draw stage `depth` among the rows of `state`, and every further stage inside what was drawn."""
    if depth == len(stages):
        return [state]
    plan, unit, size = stages[depth]
    members, probability, certain, population, units = state
    names, code = (members, np.arange(members.size)) if unit is None else compact(unit[members])
    count = names.size
    first = np.full(count, -1, dtype=np.int64)
    first[code[::-1]] = np.arange(members.size)[::-1]
    # Units stand in the order in which their first row stands, that is by id.
    sequence = np.argsort(first, kind="stable")
    take = whole(plan.n.get(label, 0) if isinstance(plan.n, Mapping) else plan.n, "n")
    if take > count:
        raise InferenceError("sample-larger-than-frame", stratum=label, asked=take, available=count)
    if take <= 0:
        return []
    measure = None
    if size is not None:
        measure = size[members][first]
        if (size[members] != measure[code]).any():
            raise InferenceError("size-varies", unit=names[code[np.argmax(size[members] != measure[code])]].item())
        measure = measure[sequence]
    drawn, pi, sure = _draw(count, take, plan.method, measure, rng)
    out: list[_State] = []
    for at, chance, always in zip(drawn.tolist(), pi.tolist(), sure.tolist(), strict=True):
        here = int(sequence[at])
        inside = np.flatnonzero(code == here)
        wide = inside.size

        def add(old: Array, value: Any, dtype: Any, inside: Codes = inside, wide: int = wide) -> Any:
            return np.column_stack([old[inside], np.full(wide, value, dtype=dtype)])

        below: _State = (
            members[inside],
            add(probability, chance, np.float64),
            add(certain, always, bool),
            add(population, count, np.int64),
            add(units, int(members[first[here]]), np.int64),
        )
        out += _descend(below, stages, depth + 1, rng, names[here].item() if unit is not None else None)
    if depth == len(stages) - 1 and unit is None and out:
        joined = tuple(np.concatenate([part[k] for part in out]) for k in range(5))
        return [(joined[0], joined[1], joined[2], joined[3], joined[4])]
    return out


def _draw(
    count: int, take: int, method: Method, size: Floats | None, rng: Generator
) -> tuple[Codes, Floats, npt.NDArray[np.bool_]]:
    """Return (positions, probabilities, certain) of the units drawn, in order."""
    even = np.full(take, take / count)
    none = np.full(take, take == count)
    if method == "srs":
        return np.sort(rng.choice(count, take, replace=False)), even, none
    if method == "systematic":
        step = count / take
        places = np.floor(rng.uniform(0, step) + step * np.arange(take)).astype(np.int64)
        return np.minimum(places, count - 1), even, none
    if size is None:
        raise InferenceError("option-unknown", name="size", value=None, allowed="a size for each unit under pps")
    pi, sure = inclusion_probabilities(size, take)
    rest = np.flatnonzero(~sure)
    left = take - int(sure.sum())
    drawn = np.flatnonzero(sure)
    if left:
        cumulated = np.cumsum(pi[rest])
        points = rng.uniform(0, 1) + np.arange(left)
        found = np.searchsorted(cumulated * (left / cumulated[-1]), points, side="right")
        drawn = np.concatenate([drawn, rest[np.minimum(found, rest.size - 1)]])
    drawn = np.sort(drawn)
    return drawn, pi[drawn], sure[drawn]


def inclusion_probabilities(size: Array | Sequence[float], n: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return (π (N), certain (N)) of a sample of `n` with probability proportional to `size` (N).

    A unit whose probability reaches 1 is certain; the rest share what is left, and so on. The probabilities sum to
    n. Raises `size-not-positive`, `sample-larger-than-frame`.
    """
    n = whole(n, "n")
    measure = numbers(size, "size")
    if measure.ndim != 1 or measure.size == 0:
        raise InferenceError("length-mismatch", name="size", found=measure.shape, expected="one per unit")
    wrong = ~(np.isfinite(measure) & (measure > 0))
    if wrong.any():
        raise InferenceError("size-not-positive", row=int(np.argmax(wrong)), value=float(measure[wrong][0]))
    if n > measure.size:
        raise InferenceError("sample-larger-than-frame", stratum="all", asked=n, available=measure.size)
    sure = np.zeros(measure.size, dtype=bool)
    while True:
        left = n - int(sure.sum())
        rest = measure[~sure].sum()
        pi = np.where(sure, 1.0, left * measure / rest if left and rest > 0 else 0.0)
        more = ~sure & (pi >= 1 - 1e-12)
        if not more.any():
            return pi, sure
        sure |= more


def _stage(plan: Then, rows: int, order: Codes, number: int) -> _Stage:
    if plan.method not in get_args(Method):
        raise InferenceError("option-unknown", name="method", value=plan.method, allowed=", ".join(get_args(Method)))
    unit = None if plan.unit is None else _checked(plan.unit, rows, f"unit of stage {number + 1}")[order]
    size = None
    if plan.method == "pps":
        if plan.size is None:
            raise InferenceError("option-unknown", name="size", value=None, allowed="a size for each unit under pps")
        size = numbers(plan.size, "size")
        if size.shape != (rows,):
            raise InferenceError("length-mismatch", name="size", found=size.shape, expected=rows)
        wrong = ~(np.isfinite(size) & (size > 0))
        if wrong.any():
            raise InferenceError("size-not-positive", row=int(np.argmax(wrong)), value=float(size[wrong][0]))
        size = size[order]
    return plan, unit, size


def _checked(given: Any, rows: int, name: str) -> Array:
    found = codes(given, name)
    if found.shape != (rows,):
        raise InferenceError("length-mismatch", name=name, found=found.shape, expected=rows)
    missing = missing_codes(found)
    if missing.any():
        raise InferenceError("missing-code", name=name, row=int(np.argmax(missing)))
    return plain_codes(found)


def _digest(columns: Sequence[Array]) -> str:
    told = hashlib.sha256()
    for column in columns:
        told.update("\x1f".join(repr(each) for each in column.tolist()).encode())
        told.update(b"\x1e")
    return told.hexdigest()


def _words(label: Any) -> list[int]:
    """Return whole numbers that stand for a stratum's label: itself when it is one, else its digest."""
    if isinstance(label, int) and label >= 0:
        return [label]
    data = hashlib.sha256(str(label).encode()).digest()
    return [int.from_bytes(data[start : start + 4], "big") for start in range(0, 16, 4)]


def _positive(given: Array | Sequence[float], name: str, expected: int | None = None, *, zero: bool = False) -> Floats:
    values = numbers(given, name)
    if values.ndim != 1 or values.size == 0 or (expected is not None and values.size != expected):
        raise InferenceError("length-mismatch", name=name, found=values.shape, expected=expected or "one per stratum")
    wrong = ~(np.isfinite(values) & ((values >= 0) if zero else (values > 0)))
    if wrong.any():
        raise InferenceError("not-finite", name=name, row=int(np.argmax(wrong)), value=float(values[wrong][0]))
    return values


# What it will be able to tell apart


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
    `level`. Near the ceiling with small n the normal approximation is poor. At least
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


_NODES = 32


def marginal_critical(se: Floats, level: float) -> Floats:
    """Return for each unit (p) the single-step critical value of its two-sided marginal rank set, by quadrature.

    For independent estimates: P(max over k of |Z_j − Z_k|/s_jk ≤ c) = level, one integral over Z_j (Gauss-Hermite).
    """
    from scipy.special import ndtr, ndtri

    check_level(level)
    se = _positive(se, "se")
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
