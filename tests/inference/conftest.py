"""Reference figures: those that travel with the tests, and those kept outside this tree.

`reference` reads the small files beside this one, on which the reference software (R survey, see small.R) was run.
`shared` reads the larger public files; their folder is named by GANDAN_REFERENCE_DATA, else it is the folder
shared/data/inference that stands beside this tree. Where it is absent the tests that need it are left out and one
line at the end says so; every one of them has a sister on the small files.
"""

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("GANDAN_REFERENCE_DATA", "") or HERE.parents[2] / "shared" / "data" / "inference")
Table = dict[str, Any]
_left_out = pytest.StashKey[int]()


def read_table(path: Path) -> Table:
    """Return the columns of a CSV file: numbers with NaN for NA, or texts."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table: Table = {}
    for name in rows[0]:
        column = [row[name] for row in rows]
        try:
            table[name] = np.array([np.nan if cell == "NA" else float(cell) for cell in column])
        except ValueError:
            table[name] = np.array(column)
    return table


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.suffix == ".json" else read_table(path)


@pytest.fixture(scope="session")
def reference() -> Callable[[str], Any]:
    """Read a file of tests/inference/reference: a table of columns, or what a JSON file holds."""
    return lambda name: _read(HERE / "reference" / name)


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Any]:
    """Read a file of the shared reference data; ask for this only in a test whose sister uses `reference`."""
    return lambda name: _read(FOLDER / name)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if FOLDER.is_dir():
        return
    gone = [item for item in items if "shared" in getattr(item, "fixturenames", ())]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in gone]
        config.stash[_left_out] = config.stash.get(_left_out, 0) + len(gone)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    count = config.stash.get(_left_out, 0)
    if count:
        terminalreporter.write_line(
            f"Not checked: {count} tests on the shared reference figures ({FOLDER} is absent); their small sisters ran."
        )
