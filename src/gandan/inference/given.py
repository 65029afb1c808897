"""What was given: numbers, counts and codes, or an error that names the argument.

Anything that numpy can read as an array of real numbers is read so: lists, arrays of any numeric type and layout,
columns of data frames. Texts, dates and complex numbers are not numbers, even where numpy would turn them into some.
A masked entry is a missing one.
"""

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from gandan.inference.errors import InferenceError

_LARGE = 1e150
"""Numbers beyond have no square."""


def numbers(given: Any, name: str, *, copy: bool = False, limit: bool = True) -> npt.NDArray[np.float64]:
    """Return the real numbers of `given`, in its shape; None and masked entries are NaN, infinite ones stay.

    Raises `not-numbers`, and `not-finite` for numbers whose squares would be infinite, unless `limit` is false.
    """
    try:
        found = _unmasked(given, np.nan) if isinstance(given, np.ma.MaskedArray) else np.asarray(given)
        if found.dtype.kind == "O":
            if any(isinstance(each, str | bytes) for each in found.ravel().tolist()):
                raise TypeError
        elif found.dtype.kind not in "fiub":
            raise TypeError
        values = found.astype(np.float64, copy=copy)
    except (TypeError, ValueError, OverflowError):
        raise InferenceError("not-numbers", name=name, value=_told(given)) from None
    if limit:
        beyond = (np.abs(values) > _LARGE) & np.isfinite(values)
        if beyond.any():
            at = tuple(int(place) for place in np.argwhere(beyond)[0])
            raise InferenceError("not-finite", name=f"{name} squared", row=at[0] if at else 0, value=float(values[at]))
    return values


def vector(given: Any, name: str) -> npt.NDArray[np.float64]:
    """Return a copy of finite numbers in one dimension. Raises `length-mismatch`, `empty-data`, `not-finite`."""
    values = numbers(given, name, copy=True)
    if values.ndim != 1:
        raise InferenceError("length-mismatch", name=name, found=values.shape, expected="one dimension")
    if values.size == 0:
        raise InferenceError("empty-data")
    finite = np.isfinite(values)
    if not finite.all():
        row = int(np.argmin(finite))
        raise InferenceError("not-finite", name=name, row=row, value=float(values[row]))
    return values


def number(given: Any, name: str) -> float:
    """Return one real number, which may be NaN or infinite. Raises `not-numbers`."""
    if isinstance(given, np.ndarray) and given.ndim == 0:
        given = given.item()
    if isinstance(given, int | float | Fraction | np.integer | np.floating):
        try:
            return float(given)
        except OverflowError:
            pass
    raise InferenceError("not-numbers", name=name, value=_told(given))


def whole(given: Any, name: str, least: int = 0) -> int:
    """Return a whole number of at least `least`. Raises `not-numbers`, `not-a-count`."""
    value = number(given, name)
    if not (np.isfinite(value) and value == int(value) and value >= least):
        raise InferenceError("not-a-count", name=name, row=0, value=value)
    return int(given)


def seed_of(seed: Any) -> int:
    """Return a seed: a whole number of at least 0. Raises `seed-needed`."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InferenceError("seed-needed", seed=_told(seed))
    return int(seed)


def codes(given: Any, name: str) -> npt.NDArray[Any]:
    """Return codes of any kind, in their shape; masked entries are None. Raises `not-codes`, `not-finite`.

    A column of objects becomes one of numbers or of texts where its entries are such; missing ones stay None.
    """
    try:
        found = _unmasked(given, None) if isinstance(given, np.ma.MaskedArray) else np.asarray(given)
    except (TypeError, ValueError):
        raise InferenceError("not-codes", name=name, value=_told(given)) from None
    if found.dtype.kind in "cV":
        raise InferenceError("not-codes", name=name, value=_told(given))
    if found.dtype.kind == "f" and np.isinf(found).any():
        at = tuple(int(place) for place in np.argwhere(np.isinf(found))[0])
        raise InferenceError("not-finite", name=name, row=at[0] if at else 0, value=float(found[at]))
    return found


def plain_codes(present: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return codes none of which is missing as numbers or texts; other objects as their text."""
    if present.dtype.kind != "O":
        return present
    try:
        found = np.array(present.tolist())
    except (TypeError, ValueError, OverflowError):
        return present.astype(str)
    return found if found.shape == present.shape and found.dtype.kind in "iufbU" else present.astype(str)


def _unmasked(given: Any, missing: Any) -> npt.NDArray[Any]:
    found = np.array(np.ma.getdata(given), dtype=object if missing is None else np.float64)
    found[np.ma.getmaskarray(given)] = missing
    return found


def _told(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."
