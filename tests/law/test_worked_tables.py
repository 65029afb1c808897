"""The tables of docs/methods/clocks.md hold, line by line."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gandan.law import Deadline, Extension, Pause, Term, deadline, deadline_of
from gandan.law.terms import Unit
from tests.law.dates import NATIONAL, at

pytestmark = pytest.mark.agnostic

PAGE = Path(__file__).parents[2] / "docs/methods/clocks.md"
UNITS: dict[str, Unit] = {
    "hour": "hour",
    "day": "day",
    "working day": "working_day",
    "half working day": "half_day",
    "month": "month",
}


@dataclass(frozen=True)
class Row:
    section: str
    line: int
    cells: dict[str, str]

    def __str__(self) -> str:
        return f"{self.section}, line {self.line}: {' | '.join(self.cells.values())}"


def rows(text: str) -> Iterator[Row]:
    """Give every line of every table of a page, with its section and column names."""
    section, names = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            section = line.lstrip("# ")
        if not line.startswith("|"):
            names = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if names is None:
            names = cells
        elif not set("".join(cells)) <= {"-"}:
            assert len(cells) == len(names), f"line {number} has {len(cells)} cells, its table {len(names)}"
            yield Row(section, number, dict(zip(names, cells, strict=True)))


ROWS = list(rows(PAGE.read_text("utf-8")))
TERMS = [row for row in ROWS if "term" in row.cells]
VARIANTS = [row for row in ROWS if "ordinary" in row.cells]
DAYS = [row for row in ROWS if "worked" in row.cells]


def amount(text: str) -> tuple[Decimal, Unit]:
    """Read “3 working days” or “half a working day”."""
    if text == "half a working day":
        return Decimal(1), "half_day"
    number, unit = text.split(" ", 1)
    return Decimal(number), UNITS[unit.removesuffix("s")]


def pauses(text: str) -> list[Pause]:
    found = [each.split(" to ") for each in text.split("; ") if each]
    return [Pause(at(begin), at(end), "waiting") for begin, end in found]


def counted(row: Row) -> Deadline:
    extensions = [Extension(*amount(each)) for each in row.cells.get("extended by", "").split("; ") if each]
    number, unit = amount(row.cells["term"])
    return deadline(
        number,
        unit,
        at(row.cells["begins"]),
        NATIONAL,
        pauses=pauses(row.cells.get("pauses", "")),
        extensions=extensions,
    )


def agrees(found: Deadline, due: str) -> bool:
    """Say whether a deadline is what the column “due” says."""
    if due.startswith("end of "):
        day = date.fromisoformat(due.removeprefix("end of "))
        return found.last_day == day and found.due_at == at(str(day + timedelta(days=1)))
    return found.due_at == at(due)


@pytest.mark.parametrize("row", TERMS, ids=str)
def test_a_worked_example_holds(row: Row) -> None:
    found = counted(row)
    assert agrees(found, row.cells["due"]), f"{row}: counted {found.due_at:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize("row", VARIANTS, ids=str)
def test_a_variant_of_a_term_holds(row: Row) -> None:
    number, unit = amount(row.cells["ordinary"])
    others = {name: amount(row.cells[name])[0] if row.cells[name] else None for name in row.cells if name in OTHERS}
    term = Term(
        "X.y",
        number,
        unit,
        complex_amount=others["complex"],
        remote_amount=others["remote"],
        remote_complex_amount=others["remote and complex"],
    )
    matter = row.cells["matter"]
    found = deadline_of(term, at(row.cells["begins"]), NATIONAL, remote="remote" in matter, complex="complex" in matter)
    assert agrees(found, row.cells["due"])


OTHERS = ("complex", "remote", "remote and complex")


@pytest.mark.parametrize("row", DAYS, ids=str)
def test_a_day_of_the_calendar_is_as_the_page_says(row: Row) -> None:
    assert (
        NATIONAL.is_working_day(date.fromisoformat(row.cells["day"])) == {"yes": True, "no": False}[row.cells["worked"]]
    )


def test_the_page_covers_every_unit_and_rule() -> None:
    sections = Counter(row.section for row in TERMS)
    assert {name: count for name, count in sections.items() if count < 6} == {}
    assert set(sections) == {"Working days", "Days", "Months", "Hours", "Half working days", "Pauses", "Extensions"}
    assert len(VARIANTS) >= 8
    assert len(DAYS) >= 10


def test_a_wrong_example_would_be_found() -> None:
    row = TERMS[0]
    late = re.sub(r"(\d\d)$", lambda day: f"{int(day[1]) + 1:02}", row.cells["due"])
    assert late != row.cells["due"]
    assert not agrees(counted(row), late)
