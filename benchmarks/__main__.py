"""Run one benchmark, or tell what there is: `python -m benchmarks [NAME [OPTIONS]]`."""

import ast
import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
_HARNESS = {"__init__", "__main__", "rounds", "verdicts"}


def names() -> dict[str, str]:
    """Return the benchmarks by name, each with its first sentence."""
    found = {}
    for file in sorted(HERE.glob("*.py")):
        if file.stem not in _HARNESS:
            text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            found[file.stem] = text.partition("\n\n")[0].replace("\n", " ")
    return found


def main() -> int:
    known = names()
    if len(sys.argv) < 2 or sys.argv[1] in {"-h", "--help"}:
        print(__doc__)
        for name, text in known.items():
            print(f"  {name:14} {text}")
        return 0
    name = sys.argv[1]
    if name not in known:
        print(f"there is no benchmark {name!r}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    sys.argv = [f"python -m benchmarks {name}", *sys.argv[2:]]
    return int(importlib.import_module(f"benchmarks.{name}").main() or 0)


if __name__ == "__main__":
    sys.exit(main())
