"""How a proof is run by its name: the tests that make it, in a process of their own, with their figures kept."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(tests: list[str], *, results: Path | None, **environment: str) -> int:
    """Run tests by their names, the long ones too; return pytest's exit code."""
    kept = ["--results", str(results.resolve())] if results else []
    command = [sys.executable, "-m", "pytest", "-q", *kept, *tests]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode
