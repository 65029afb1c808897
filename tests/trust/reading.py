"""What the files of results came to.

There are two kinds: figures of tests (`tests.figures`), and results of benchmarks, which `benchmarks.verdicts` reads.
A finding without a control that was noticed is never good, and a row without its files is not measured.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import verdicts
from tests.figures import Control
from tests.trust.rows import Row, Source

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "benchmarks/results"
MET, SHORT, UNMEASURED = "met", "falls short", "not measured"


@dataclass(frozen=True)
class Finding:
    """What one file says."""

    source: Source
    title: str
    found: dict[str, Any]
    targets: dict[str, bool]
    """Each target by its words, and whether it is met; a figure of a test has one."""
    controls: list[Control]
    note: str
    circumstances: dict[str, Any] = field(default_factory=dict)

    @property
    def seen_to_fail(self) -> bool:
        """Say whether the check was shown a fault and noticed every one."""
        return bool(self.controls) and all(control.noticed for control in self.controls)

    @property
    def met(self) -> bool:
        return bool(self.targets) and all(self.targets.values()) and self.seen_to_fail


@dataclass(frozen=True)
class Result:
    """A row with what was found."""

    row: Row
    findings: list[Finding]
    missing: list[Source]

    @property
    def verdict(self) -> str:
        if any(not finding.met for finding in self.findings):
            return SHORT
        if not self.findings or any(source.required for source in self.missing):
            return UNMEASURED
        return MET


def result(row: Row, folder: Path = RESULTS) -> Result:
    """Return what was found about a row."""
    present = [source for source in row.sources if path_of(source, folder).exists()]
    return Result(row, [finding(source, folder) for source in present], [s for s in row.sources if s not in present])


def path_of(source: Source, folder: Path = RESULTS) -> Path:
    return folder / f"{source.file}.json"


def finding(source: Source, folder: Path = RESULTS) -> Finding:
    """Read one file. Raises ValueError where it is not what its row expects."""
    said = json.loads(path_of(source, folder).read_text(encoding="utf-8"))
    return _benchmark(source, said) if source.verdict else _figure(source, said)


def _figure(source: Source, said: dict[str, Any]) -> Finding:
    if "figures" not in said:
        raise ValueError(f"{source.file}.json is no figure of a test: measure it again")
    title = f"{said['title']} ({source.title})" if source.title else said["title"]
    controls = [Control(**control) for control in said["controls"]]
    targets = {said["target"]: bool(said["kept"])}
    figures = {name: value for name, value in said["figures"].items() if value not in ([], "") and name != "engine"}
    return Finding(source, title, figures, targets, controls, said["note"], said["circumstances"])


def _benchmark(source: Source, said: dict[str, Any]) -> Finding:
    results = said["results"] if "results" in said else next(iter(said.values())) if len(said) == 1 else said
    verdict = verdicts.READ[source.verdict](results)
    controls = [Control(what, noticed) for what, noticed in verdict.controls]
    return Finding(source, source.title, verdict.found, verdict.targets, controls, "", said)
