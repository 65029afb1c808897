"""The tree as the house tests read it: storeys, source files, templates."""

import ast
import configparser
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src/gandan"


@cache
def storeys() -> tuple[tuple[str, ...], ...]:
    """Return the storeys of .importlinter from top to bottom, each with its rooms."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter", encoding="utf-8")
    lines = contracts["importlinter:contract:storeys"]["layers"].split("\n")
    return tuple(tuple(name.strip(" ()") for name in line.split("|")) for line in lines if line.strip())


@cache
def contracts() -> dict[str, dict[str, str]]:
    """Return the contracts of .importlinter by name."""
    read = configparser.ConfigParser()
    read.read(ROOT / ".importlinter", encoding="utf-8")
    prefix = "importlinter:contract:"
    return {name.removeprefix(prefix): dict(read[name]) for name in read.sections() if name.startswith(prefix)}


def height(room: str) -> int:
    """Return how high a room stands: the lowest storey is 0. Raises KeyError for a room without a place."""
    for number, storey in enumerate(reversed(storeys())):
        if room in storey:
            return number
    raise KeyError(f"{room} has no place in .importlinter")


def climbs(lower: str, upper: str) -> bool:
    """Say whether something in `lower` that points to `upper` goes up the stairs, or sideways."""
    return lower != upper and height(upper) >= height(lower)


def rooms() -> list[str]:
    """Return the rooms that exist: packages and modules directly below the root."""
    packages = [path.parent.name for path in SOURCE.glob("*/__init__.py")]
    modules = [path.stem for path in SOURCE.glob("*.py") if not path.stem.startswith("__")]
    return sorted(packages + modules)


def room_of(path: Path) -> str:
    """Return the room in which a file of the source tree lies."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


@cache
def modules() -> dict[Path, ast.Module]:
    """Return every Python module of the source tree, parsed, by its path."""
    return {
        path: ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
        for path in sorted(SOURCE.rglob("*.py"))
        if "node_modules" not in path.parts
    }


@cache
def templates() -> dict[str, Path]:
    """Return every template of the house by the name under which it is loaded."""
    found = {}
    for folder in sorted(SOURCE.glob("*/templates")):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = path
    return found


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files that a clone holds, and those about to be added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return tuple(ROOT / name for name in sorted(listed.split("\0")) if name and (ROOT / name).is_file())


def text_files() -> Iterator[tuple[Path, str]]:
    """Return the tracked files that are text, with their text."""
    for path in tracked():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def called(call: ast.Call) -> str:
    """Return the last name of what is called: `f` for f(), `g` for f.g()."""
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def none(faults: Iterable[str], advice: str = "") -> None:
    """Fail with every fault on a line of its own, if there is one."""
    found = list(faults)
    assert not found, "\n".join([f"{len(found)} faults {advice}".strip(), *found])
