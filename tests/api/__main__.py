"""The interface against its own description, at length.

python -m tests.api [--cases 50000] [--results benchmarks/results/hostile]
"""

import argparse
import sys
from pathlib import Path

from tests import measure


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.api", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=50_000)
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="write what was measured there")
    options = parser.parse_args()
    return measure.run(
        ["tests/api/test_contract.py"], results=options.results, GANDAN_CONTRACT_CASES=str(options.cases)
    )


if __name__ == "__main__":
    sys.exit(main())
