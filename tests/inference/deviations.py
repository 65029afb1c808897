"""How far the estimates lie from the reference figures: the largest deviation of each group, in a table.

    python -m tests.inference.deviations

Runs the tests that ask for reference figures and notes what each compares. A deviation is relative to the figure, or,
for figures below a millionth (a standard error that should be 0), the difference itself. Figures that rest on chance
and bounds of rank sets have wider tolerances, which the tests state.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SMALL = 1e-6


class Deviations:
    """Notes every comparison of the tests that use reference figures, by group."""

    def __init__(self) -> None:
        self.groups: dict[str, list[float]] = {}
        self.test = ""
        self.kept: dict[str, Callable[..., Any]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if {"reference", "shared"} & {*getattr(item, "fixturenames", ())}]

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.test = item.name.partition("[")[0].removeprefix("test_").replace("_", " ")

    def pytest_sessionstart(self) -> None:
        for name in ("assert_allclose", "assert_array_equal"):
            self.kept[name] = getattr(np.testing, name)
            setattr(np.testing, name, self.noting(self.kept[name]))

    def pytest_sessionfinish(self) -> None:
        for name, original in self.kept.items():
            setattr(np.testing, name, original)

    def noting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def compare(found: Any, expected: Any, *options: Any, **named: Any) -> None:
            self.note(found, expected, str(named.get("err_msg", "")))
            original(found, expected, *options, **named)

        return compare

    def note(self, found: Any, expected: Any, told: str) -> None:
        ours, theirs = np.broadcast_arrays(np.asarray(found), np.asarray(expected))
        if ours.dtype.kind not in "iufb" or theirs.dtype.kind not in "iufb":
            return
        ours, theirs = ours.astype(float), theirs.astype(float)
        both = np.isfinite(ours) & np.isfinite(theirs)
        off = np.abs(ours[both] - theirs[both])
        size = np.abs(theirs[both])
        group = " ".join(told.split()[:2]) if told.startswith("api") else self.test
        held = self.groups.setdefault(group, [0, 0.0, 0.0])
        held[0] += off.size
        held[1] = max(held[1], float((off / np.maximum(size, SMALL))[size >= SMALL].max(initial=0.0)))
        held[2] = max(held[2], float(off[size < SMALL].max(initial=0.0)))

    def table(self) -> str:
        rows = ["| group | figures | largest relative deviation | largest where the figure is 0 |", "|---|---|---|---|"]
        for group, (count, relative, absolute) in sorted(self.groups.items()):
            rows.append(f"| {group} | {int(count)} | {relative:.1e} | {absolute:.1e} |")
        return "\n".join(rows)


def main() -> int:
    """Run the tests and print the table; the exit code is that of the tests."""
    noted = Deviations()
    code = pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", str(Path(__file__).parent)], plugins=[noted])
    print(noted.table())
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
