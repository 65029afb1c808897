"""The second half of script/setup, inside .venv: packages, our own package, the front end, the translations.

Each step remembers the digest of what it was made from and is passed over while that has not changed.
"""

import argparse
import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
STAMPS = ENVIRONMENT / "stamps.json"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")


def digest(*paths: Path) -> str:
    """Return one digest of the names and contents of files, and of all files below folders."""
    total = hashlib.sha256(sys.version.encode())
    for path in sorted(_files(paths)):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        if not path.is_dir():
            yield from [path] if path.is_file() else []
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = [name for name in folders if name not in {"node_modules", "__pycache__", "dist"}]
            yield from (Path(folder) / name for name in names)


class Stamps:
    """What each step was last made from."""

    def __init__(self) -> None:
        try:
            self.known: dict[str, str] = json.loads(STAMPS.read_text())
        except (OSError, ValueError):
            self.known = {}

    def step(self, name: str, title: str, made_from: str, make: Callable[[], None], *, present: bool = True) -> None:
        """Run `make` unless the stamp of `name` is `made_from` and what it makes is `present`."""
        if present and self.known.get(name) == made_from:
            return
        print(f"{title} ...", flush=True)
        began = time.monotonic()
        make()
        self.known[name] = made_from
        partial = STAMPS.with_suffix(".partial")
        partial.write_text(json.dumps(self.known, indent=1, sort_keys=True) + "\n")
        partial.replace(STAMPS)
        print(f"{title}: done in {time.monotonic() - began:.0f} s", flush=True)


def run(*command: str | Path) -> None:
    """Run a command of the setup; its failure is the setup's."""
    path = os.pathsep.join([str(ENVIRONMENT / "bin"), os.environ.get("PATH", "")])
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PATH": path}, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"script/setup: this failed with exit code {done.returncode}: {' '.join(map(str, command))}")


def install_packages(requirements: Path) -> None:
    run(*PIP, "install", "-qq", "--require-hashes", "--only-binary", ":all:", "--requirement", requirements)


def install_house() -> None:
    run(*PIP, "install", "-qq", "--no-deps", "--no-build-isolation", "--no-index", "--editable", ROOT)


def main() -> None:
    parser = argparse.ArgumentParser(prog="script/setup", description="Set the house up; quick when nothing changed.")
    parser.add_argument("--test", action="store_true", help="also install what the tests need")
    options = parser.parse_args()
    with (ENVIRONMENT / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        prepare(for_tests=options.test)


def prepare(*, for_tests: bool) -> None:
    stamps = Stamps()
    lists = {name: ROOT / f"requirements/{name}.txt" for name in ("build", "test")}
    pinned = {name: digest(path) for name, path in lists.items()}
    # The list for tests holds all of the list for building.
    if for_tests or stamps.known.get("packages") != pinned["test"]:
        wanted = "test" if for_tests else "build"
        stamps.step(
            "packages",
            "Python packages (about two minutes the first time)",
            pinned[wanted],
            lambda: install_packages(lists[wanted]),
        )
    stamps.step("house", "The house itself", digest(ROOT / "pyproject.toml"), install_house)
    static = ROOT / "src/gandan/ui/static"
    stamps.step(
        "front end",
        "Styles, fonts and scripts",
        digest(ROOT / "frontend", ROOT / "script/build"),
        lambda: run(ROOT / "script/build"),
        present=static.is_dir() and any(static.iterdir()),
    )
    catalogues = sorted(ROOT.glob("src/gandan/*/locale/*/LC_MESSAGES/django.po"))
    stamps.step(
        "translations",
        "Translations",
        digest(*catalogues),
        lambda: run(sys.executable, ROOT / "script/translate"),
        present=all(path.with_suffix(".mo").exists() for path in catalogues),
    )


if __name__ == "__main__":
    main()
