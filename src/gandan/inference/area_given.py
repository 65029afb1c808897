"""What is given to the models of small areas."""

from typing import Any

import numpy as np

from gandan.inference.design import Floats
from gandan.inference.errors import InferenceError
from gandan.inference.given import numbers, vector


def positive(given: Any, size: int) -> Floats:
    values = numbers(given, "variance", copy=True)
    if values.shape != (size,):
        raise InferenceError("length-mismatch", name="variance", found=values.shape, expected=size)
    wrong = ~(np.isfinite(values) & (values > 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InferenceError("variance-not-positive", name="variance", row=row, value=float(values[row]))
    return values


def matrix(given: Any, name: str, rows: int | None) -> Floats:
    values = numbers(given, name, copy=True)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.shape[1] == 0 or (rows is not None and values.shape[0] != rows):
        raise InferenceError("length-mismatch", name=name, found=values.shape, expected=(rows or "k", "p"))
    finite = np.isfinite(values)
    if not finite.all():
        row, column = (int(number) for number in np.argwhere(~finite)[0])
        raise InferenceError("not-finite", name=f"{name}[:, {column}]", row=row, value=float(values[row, column]))
    return values


def spread_of(given: Any, size: int, name: str) -> Floats:
    values = numbers(given, name, copy=True)
    if values.ndim == 0:
        values = np.full(size, float(values))
    values = vector(values, name)
    if values.size != size:
        raise InferenceError("length-mismatch", name=name, found=values.size, expected=size)
    return values


def effects(given: Any, size: int) -> Floats:
    effect = spread_of(given, size, "deff")
    if (effect <= 0).any():
        row = int(np.argmax(effect <= 0))
        raise InferenceError("variance-not-positive", name="deff", row=row, value=float(effect[row]))
    return effect
