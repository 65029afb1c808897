"""Which domain a row belongs to, and sums by domain of what is sorted by it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from gandan.inference.design import Array, Codes, Floats, compact, missing_codes
from gandan.inference.errors import InferenceError
from gandan.inference.given import codes, plain_codes


def domain_codes(domain: Array | None, domains: Sequence[Any] | Array | None, rows: int) -> tuple[Array, Codes]:
    """Return (labels, code of each row, -1 for a row in no domain); see `collapse` for what counts as missing.

    Raises `length-mismatch`, `domain-listed-twice`, `domain-unknown`, `not-codes`, and `empty-data` where there is no
    label.
    """
    if domain is None:
        return np.array(["all"]), np.zeros(rows, dtype=np.int64)
    given = codes(domain, "domain")
    if given.shape != (rows,):
        raise InferenceError("length-mismatch", name="domain", found=given.shape, expected=rows)
    nowhere = missing_codes(given)
    if given.dtype.kind in "if":
        nowhere = nowhere | (given < 0)
    kept = plain_codes(given[~nowhere])
    if kept.dtype.kind == "i":
        # Numbers in a column of objects may have been read as such only now.
        negative = kept < 0
        nowhere[np.flatnonzero(~nowhere)[negative]] = True
        kept = kept[~negative]
    code = np.full(rows, -1, dtype=np.int64)
    if domains is None:
        labels, places = compact(kept)
    else:
        labels = plain_codes(codes(domains, "domains"))
        if labels.ndim != 1:
            raise InferenceError("length-mismatch", name="domains", found=labels.shape, expected="one per domain")
        if labels.size and kept.size and _sort_of(labels) != _sort_of(kept):
            raise InferenceError("domain-unknown", row=int(np.argmin(nowhere)), value=kept[0].item())
        order = np.argsort(labels, kind="stable")
        twice = labels[order][1:] == labels[order][:-1]
        if twice.any():
            raise InferenceError("domain-listed-twice", value=labels[order][np.argmax(twice)].item())
        found = np.minimum(np.searchsorted(labels[order], kept), max(labels.size - 1, 0))
        places = order[found] if labels.size else np.zeros(kept.size, dtype=np.int64)
        strange = labels[places] != kept if labels.size else np.ones(kept.size, dtype=bool)
        if strange.any():
            at = int(np.argmax(strange))
            raise InferenceError("domain-unknown", row=int(np.flatnonzero(~nowhere)[at]), value=kept[at].item())
    if labels.size == 0:
        raise InferenceError("empty-data")
    code[~nowhere] = places
    return labels, code


def _sort_of(labels: Array) -> str:
    return {"U": "text", "S": "bytes", "M": "time", "m": "span"}.get(labels.dtype.kind, "number")


def runs(keys: Codes) -> tuple[Codes, Codes]:
    """Return (start of each run of equal keys, its key)."""
    if keys.size == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return starts, keys[starts]


def by_domain(values: Array, starts: Codes, found: Codes, domains: int) -> Floats:
    """Return (domains, K): the sums of the rows of `values` over each run; 0 for a domain without one."""
    out = np.zeros((domains, values.shape[1]))
    if starts.size:
        out[found] = np.add.reduceat(values, starts, axis=0)
    return out
