"""Why a number is missing or doubtful: named flags, several to a number.

An estimate that cannot be had is NaN and carries a flag; one that rests on a makeshift carries one as well.
"""

from typing import Any

import numpy as np

from gandan.inference.design import Array
from gandan.inference.errors import InferenceError

FLAGS = (
    "empty",
    "one-psu",
    "zero-variance",
    "few-psu",
    "zero-denominator",
    "deff-undefined",
    "outside-data",
    "pooled-deff",
    "lonely-psu",
    "interval-undefined",
)
BIT = {name: 1 << place for place, name in enumerate(FLAGS)}
"""The bit of each flag, for functions that set them."""


class Flags:
    """Why a number is missing or doubtful: `flags["empty"]` is an array of truths, `flags[d, k]` a tuple of names."""

    def __init__(self, bits: Array) -> None:
        self.bits = bits

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, str):
            if which not in BIT:
                raise InferenceError("option-unknown", name="flag", value=which, allowed=", ".join(FLAGS))
            return (self.bits & BIT[which]) != 0
        bits = self.bits[which]
        if np.ndim(bits) != 0:
            return Flags(bits)
        return tuple(name for name, bit in BIT.items() if int(bits) & bit)

    def __contains__(self, name: str) -> bool:
        return bool(np.any(self[name]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Flags) and bool(np.array_equal(self.bits, other.bits))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Flags({[name for name in FLAGS if name in self]})"
