"""Which units to take: draws that can be repeated from their seed and the digest of the frame.

Sources: Cochran (1977), Sampling Techniques, chapters 8 and 10; Madow (1949) for systematic selection with unequal
probabilities.
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
from gandan.inference.given import codes, numbers, plain_codes, seed_of, whole

Method = Literal["srs", "systematic", "pps"]


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
