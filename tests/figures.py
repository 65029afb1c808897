"""What a test measured, written down where somebody asks for it: `pytest ... --results FOLDER`.

A test calls the fixture `figure` with what it found, before it asserts; a test that shows that the check can fail
calls `figure.control`. At the end of the run each figure is a file of its own, FOLDER/NAME.json (NAME-postgresql.json
on that engine), in the shape of `Figure` beside the circumstances of the run. Without the option nothing is written;
`--figure NAME` writes that one only. `script/trust` makes docs/trust.md from these files.
"""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.rounds import circumstances


@dataclass
class Control:
    """A planted fault, and whether the check noticed it."""

    what: str
    noticed: bool


@dataclass
class Figure:
    """One figure of the scoreboard: what was promised, what was found, and what shows that it could have failed."""

    row: int
    """The number of its row in the scoreboard."""
    name: str
    """The name of its file; a row may have several."""
    title: str
    target: str
    command: str
    """What repeats it, from the root of the repository."""
    figures: dict[str, Any] = field(default_factory=dict)
    """What was found: counts, shares, lists of names."""
    kept: bool = False
    """Whether what was found is within the target."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What was asked for: sizes, seeds, limits."""
    controls: list[Control] = field(default_factory=list)
    note: str = ""
    """What the figure does not say, or falls short of."""

    @property
    def met(self) -> bool:
        """Say whether the target is met by a check that was seen to fail: without a control nothing is met."""
        return self.kept and bool(self.controls) and all(control.noticed for control in self.controls)


class Figures:
    """The figures of one run of tests."""

    def __init__(self, engine: str = "") -> None:
        self.engine = engine
        self.found: dict[str, Figure] = {}
        self.controls: dict[str, list[Control]] = {}

    def __call__(self, row: int, name: str, **values: Any) -> Figure:
        """Keep what a test found; said again under the same name, the later word counts."""
        self.found[name] = Figure(row, name, **values)
        return self.found[name]

    def control(self, name: str, what: str, *, noticed: bool) -> None:
        """Keep that the check behind a figure was shown a fault, and whether it noticed."""
        self.controls.setdefault(name, []).append(Control(what, noticed))

    def write(self, folder: Path, only: Collection[str] = ()) -> list[Path]:
        """Write each figure, or only those named, to its file; return the files."""
        written = []
        for name, figure in self.found.items():
            if only and name not in only:
                continue
            figure.controls = [*figure.controls, *self.controls.get(name, [])]
            path = folder / f"{name}{'-postgresql' if self.engine == 'postgresql' else ''}.json"
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(told(figure, self.engine), encoding="utf-8")
            written.append(path)
        return written


def told(figure: Figure, engine: str) -> str:
    """Return the text of a figure's file."""
    whole = asdict(figure) | {"met": figure.met, "engine": engine, "circumstances": circumstances()}
    return json.dumps(whole, indent=1, ensure_ascii=False, default=str) + "\n"
