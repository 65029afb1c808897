"""How a sample was drawn: weights, strata, units in one or several stages, population sizes.

A design is checked once, when it is made; its arrays are read-only copies. A self-selected stream has no design
and therefore no standard error: there is no way to make a `Design` from answers alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from gandan.inference.errors import InferenceError
from gandan.inference.given import codes as codes_of
from gandan.inference.given import numbers, plain_codes

if TYPE_CHECKING:
    from gandan.inference.calibration import Residualizer

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Lonely = Literal["raise", "remove", "adjust", "average"]
_TINY = 1e-7
"""A stratum of which all but this share was taken is a certainty stratum."""


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A further stage of selection, one entry for each row of the sample.

    `unit` is numbered within the unit of the stage before (and within `strata`); `strata` of this stage, None for
    one; `fpc` is the number of units of this stage in the population of the unit (or stratum) they were drawn from,
    or the share of them that was sampled, as in `Design`.
    """

    unit: Array
    strata: Array | None = None
    fpc: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One stage as the variance formula sees it. Units are numbered by stratum, strata by the unit they lie in."""

    unit: Codes
    """Row to unit of this stage."""
    stratum_of_unit: Codes
    parent_of_stratum: Codes
    """The unit of the stage before that holds the stratum; 0 at the first stage."""
    sampled: Codes
    """Units sampled in each stratum."""
    fraction: Floats
    """Share of the stratum's units that was sampled; 0 without population sizes."""
    factor: Floats
    """Product of the sampled shares of the stages before, for each stratum; 1 at the first stage."""
    labels: tuple[Any, ...] = ()

    @property
    def certain(self) -> Bools:
        """Strata that were taken whole."""
        return np.asarray(self.fraction > 1 - _TINY, dtype=bool)

    @property
    def lonely(self) -> Bools:
        """Strata with one sampled unit that were not taken whole."""
        return np.asarray((self.sampled == 1) & ~self.certain, dtype=bool)


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """A probability sample, row by row.

    `weight` (n): inverse inclusion probabilities, above 0 and finite; 0 and below only after calibration.
    `strata` (n): codes of any kind; None for one stratum. `psu` (n): primary sampling units, numbered within the
    stratum; None where each row is one. `fpc` (n, or one number): primary units in the population of the stratum,
    constant within it and not below the number sampled, or, where some lie below 1 and none above, the share of
    them that was sampled; None for sampling with replacement. `stages`: further
    stages, only with `fpc`; the last of them may lack its own. `lonely`: what a stratum with one sampled unit
    contributes: refused, nothing, its squared distance from the mean of all units, or the mean of other strata.

    Refuses with InferenceError: `empty-data`, `length-mismatch`, `weight-not-positive`, `missing-code`,
    `fpc-smaller-than-sample`, `fpc-varies`, `fpc-mixed`, `stages-without-fpc`, `option-unknown`, `not-numbers`,
    `not-codes`. A lonely unit under "raise" is refused by the first function that needs a variance (`lonely-psu`), so
    that plain estimates remain possible.
    """

    weight: Floats
    strata: Array | None = None
    psu: Array | None = None
    fpc: Array | None = None
    stages: tuple[Stage, ...] = ()
    lonely: Lonely = "raise"
    calibration: "Residualizer | None" = None
    levels: tuple[Level, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        weight = np.atleast_1d(numbers(self.weight, "weight", copy=True))
        if weight.ndim != 1:
            raise InferenceError("length-mismatch", name="weight", found=weight.shape, expected="one per row")
        if weight.size == 0:
            raise InferenceError("empty-data")
        wrong = ~np.isfinite(weight) if self.calibration is not None else ~((weight > 0) & np.isfinite(weight))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InferenceError("weight-not-positive", row=row, value=float(weight[row]))
        if self.lonely not in get_args(Lonely):
            raise InferenceError(
                "option-unknown", name="lonely", value=self.lonely, allowed=", ".join(get_args(Lonely))
            )
        n = weight.size
        strata = _codes_of(self.strata, n, "strata")
        psu = _codes_of(self.psu, n, "psu")
        fpc = _sizes_of(self.fpc, n)
        stages = tuple(
            Stage(
                _required(_codes_of(stage.unit, n, f"stages[{number}].unit")),
                _codes_of(stage.strata, n, f"stages[{number}].strata"),
                _sizes_of(stage.fpc, n),
            )
            for number, stage in enumerate(self.stages)
        )
        if stages and fpc is None:
            raise InferenceError("stages-without-fpc", stage=1)
        for number, stage in enumerate(stages[:-1]):
            if stage.fpc is None:
                raise InferenceError("stages-without-fpc", stage=number + 2)
        weight.flags.writeable = False
        for name, value in (("weight", weight), ("strata", strata), ("psu", psu), ("fpc", fpc), ("stages", stages)):
            object.__setattr__(self, name, value)
        levels = [_level(None, strata, psu, fpc, n)]
        for stage in stages:
            levels.append(_level(levels[-1], stage.strata, stage.unit, stage.fpc, n))
        object.__setattr__(self, "levels", tuple(levels))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.weight.size)

    @property
    def df(self) -> int:
        """Degrees of freedom: primary units less strata, of the whole design."""
        first = self.levels[0]
        return int(first.stratum_of_unit.size - first.sampled.size)

    def with_weight(self, weight: Array, calibration: "Residualizer | None") -> "Design":
        """Return the same design with other weights and the calibration that made them."""
        return Design(weight, self.strata, self.psu, self.fpc, self.stages, self.lonely, calibration)


def compact(codes: Array) -> tuple[Array, Codes]:
    """Return (sorted labels, position of each entry among them) for a vector of codes of any kind."""
    if codes.dtype.kind in "iub" and codes.size:
        numbers = codes.astype(np.int64, copy=False)
        low, high = int(numbers.min()), int(numbers.max())
        if high - low <= 4 * codes.size + 1024:
            present = np.zeros(high - low + 1, dtype=bool)
            shifted = numbers - low
            present[shifted] = True
            places = np.cumsum(present) - 1
            labels = np.flatnonzero(present) + low
            return labels.astype(codes.dtype), places[shifted]
    labels, inverse = np.unique(codes, return_inverse=True)
    return labels, inverse.reshape(codes.shape).astype(np.int64)


def missing_codes(codes: Array) -> Bools:
    """Return where a vector of codes holds nothing: NaN, NaT, None or an empty text."""
    if codes.dtype.kind == "f":
        return np.asarray(np.isnan(codes), dtype=bool)
    if codes.dtype.kind in "mM":
        return np.asarray(np.isnat(codes), dtype=bool)
    if codes.dtype.kind in "US":
        return np.asarray(np.char.str_len(codes) == 0, dtype=bool)
    if codes.dtype.kind == "O":
        return np.array([each is None or each == "" or each != each for each in codes], dtype=bool)
    return np.zeros(codes.shape, dtype=bool)


def lift(levels: tuple[Level, ...], depth: int, unit: Codes) -> Codes:
    """Return the unit of stage `depth` (0 is the first) that holds each last-stage unit."""
    for level in reversed(levels[depth + 1 :]):
        unit = level.parent_of_stratum[level.stratum_of_unit[unit]]
    return unit


def _codes_of(given: Array | Sequence[Any] | None, n: int, name: str) -> Array | None:
    if given is None:
        return None
    codes = np.array(codes_of(given, name))
    if codes.shape != (n,):
        raise InferenceError("length-mismatch", name=name, found=codes.shape, expected=n)
    missing = missing_codes(codes)
    if missing.any():
        raise InferenceError("missing-code", name=name, row=int(np.argmax(missing)))
    codes = plain_codes(codes)
    codes.flags.writeable = False
    return codes


def _sizes_of(given: Any, n: int) -> Floats | None:
    if given is None:
        return None
    sizes = numbers(given, "fpc", copy=True)
    if sizes.ndim == 0:
        sizes = np.full(n, float(sizes))
    if sizes.shape != (n,):
        raise InferenceError("length-mismatch", name="fpc", found=sizes.shape, expected=n)
    wrong = np.isnan(sizes)
    if wrong.any():
        raise InferenceError("not-finite", name="fpc", row=int(np.argmax(wrong)), value="nan")
    sizes.flags.writeable = False
    return sizes


def _required(codes: Array | None) -> Array:
    if codes is None:
        raise InferenceError("length-mismatch", name="stages.unit", found=0, expected="one per row")
    return codes


def _level(
    before: Level | None,
    strata: Array | None,
    unit: Array | None,
    fpc: Floats | None,
    n: int,
) -> Level:
    parent = np.zeros(n, dtype=np.int64) if before is None else before.unit
    names, own = (np.zeros(1, dtype=np.int64), np.zeros(n, dtype=np.int64)) if strata is None else compact(strata)
    strata_keys, stratum = compact(parent * names.size + own)
    if unit is None:
        order = np.argsort(stratum, kind="stable")
        code = np.empty(n, dtype=np.int64)
        code[order] = np.arange(n)
        stratum_of_unit = stratum[order]
    else:
        unit_names, within = compact(unit)
        keys, code = compact(stratum * unit_names.size + within)
        stratum_of_unit = keys // unit_names.size
    count = strata_keys.size
    sampled = np.bincount(stratum_of_unit, minlength=count)
    labels = tuple(names[strata_keys % names.size].tolist())
    parent_of_stratum = strata_keys // names.size
    if fpc is None:
        fraction = np.zeros(count)
    else:
        population = np.zeros(count)
        population[stratum] = fpc
        varies = np.zeros(count, dtype=bool)
        varies[stratum[fpc != population[stratum]]] = True
        if varies.any():
            raise InferenceError("fpc-varies", stratum=labels[int(np.argmax(varies))])
        shares = (population > 0) & (population < 1)
        if shares.any():
            # No count lies below 1, so these are shares that were sampled; a count among them is a mistake.
            if (population > 1).any():
                at, count_at = int(np.argmax(shares)), int(np.argmax(population > 1))
                raise InferenceError(
                    "fpc-mixed",
                    stratum=labels[at],
                    share=float(population[at]),
                    other=labels[count_at],
                    population=float(population[count_at]),
                )
            population = np.where(population > 0, sampled / np.where(population > 0, population, 1.0), population)
        small = population < sampled * (1 - 1e-12)
        if small.any():
            at = int(np.argmax(small))
            raise InferenceError(
                "fpc-smaller-than-sample",
                stratum=labels[at],
                sampled=int(sampled[at]),
                population=float(population[at]),
            )
        fraction = np.minimum(sampled / population, 1.0)
    if before is None:
        factor = np.ones(count)
    else:
        above = before.stratum_of_unit[parent_of_stratum]
        factor = before.factor[above] * before.fraction[above]
    return Level(code, stratum_of_unit, parent_of_stratum, sampled, fraction, factor, labels)
