"""A hundred thousand broken files at every reader, and the classics.

python -m tests.hostile [--results benchmarks/results/hostile]
"""

import argparse
import sys
from pathlib import Path

from tests import measure


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="write what was measured there")
    options = parser.parse_args()
    return measure.run(["tests/hostile/test_files.py"], results=options.results)


if __name__ == "__main__":
    sys.exit(main())
