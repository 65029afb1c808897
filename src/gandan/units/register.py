"""The units of the country in memory: which there were on a day, and where each one went.

Needs neither Django nor a database: `from_reference` reads the files that come with the package. An
installation that has recorded further acts offers `from_database`.
"""

import csv
import gzip
import io
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from gandan.inference.correspondence import Link, compose

REFERENCE = Path(__file__).parent / "reference"
MERGER = date(2025, 7, 1)
KNOWN_FROM = date(2025, 3, 1)
"""The list of 10,035 communes is that of the last day before the merger. For Lai Châu it holds since 2013;
elsewhere earlier changes are not recorded here."""
KNOWN_FROM_BY_PROVINCE = {"12": date(2013, 1, 1)}
CIRCULAR = "Nghị quyết 202/2025/QH15"


class RegisterError(ValueError):
    """A code or date that the register cannot answer, with the sentence that says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A unit under one name and code, from a day until the day before another."""

    key: str
    """The unit; several entries of one unit share it."""
    code: str
    name: str
    type: str
    level: str
    parent: str
    """Key of the administrative superior when the entry began."""
    valid_from: date
    valid_to: date | None
    basis: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.type} {self.name}"

    def holds(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or self.valid_to > on)


@dataclass(frozen=True, slots=True)
class Passing:
    """A part of one unit that went to another by an act."""

    old: str
    new: str
    on: date
    part: str
    share: Fraction | None = None
    basis: str = ""
    primary: bool = True
    """Whether the records go to this successor."""


@dataclass(frozen=True)
class Register:
    entries: Sequence[Entry]
    passings: Sequence[Passing]
    known_from: date = KNOWN_FROM
    source: str = field(default="reference")

    @cached_property
    def _by_code(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.code, []).append(entry)
        return found

    @cached_property
    def _by_key(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.key, []).append(entry)
        return found

    def by_code(self, code: str, on: date) -> Entry:
        """Return the unit that bears a code on a day. Raises RegisterError with a sentence otherwise."""
        text = code.strip()
        if not text.isascii() or not text.isdigit() or len(text) not in (2, 3, 5):
            lost = text.zfill(5 if len(text) == 4 else 2)
            hint = f"; a spreadsheet may have taken the zero in front: {lost}?" if lost in self._by_code else ""
            raise RegisterError(f"{code!r} is no official code: two digits for a province, five for a commune{hint}")
        entries = self._by_code.get(text, [])
        found = [entry for entry in entries if entry.holds(on)]
        if not found:
            # The lists begin on one day; before it, a code is read as that first list has it.
            found = [entry for entry in entries if self.is_before_lists(entry, on)][:1]
        if not found:
            if entries:
                spans = "; ".join(f"{e.full_name} {_span(e)}" for e in entries)
                raise RegisterError(f"no unit bears the code {text} on {on:%d/%m/%Y}; it was or is: {spans}")
            raise RegisterError(f"no unit bears or bore the code {text}")
        if len(found) > 1:
            names = " and ".join(entry.full_name for entry in found)
            raise RegisterError(f"the code {text} means two units on {on:%d/%m/%Y}: {names}")
        return found[0]

    def history(self, code: str) -> list[Entry]:
        """Return every unit that bears or bore a code, oldest first."""
        entries = sorted(self._by_code.get(code.strip(), []), key=lambda entry: entry.valid_from)
        if not entries:
            raise RegisterError(f"no unit bears or bore the code {code.strip()}")
        return entries

    def of(self, key: str) -> list[Entry]:
        return self._by_key.get(key, [])

    def is_before_lists(self, entry: Entry, on: date) -> bool:
        """Say whether a unit of the first list is asked for on a day before that list begins, when nothing is known."""
        first = min((each.valid_from for each in self._by_code[entry.code]), default=entry.valid_from)
        listed = first <= self.known_from or first in KNOWN_FROM_BY_PROVINCE.values()
        return listed and entry.valid_from == first and on < first

    def stands(self, key: str, on: date) -> bool:
        """Say whether a unit lives on a day, as far as the lists know."""
        return any(entry.holds(on) or self.is_before_lists(entry, on) for entry in self.of(key))

    def name(self, key: str) -> Entry:
        return self._by_key[key][-1]

    def alive(self, on: date, level: str = "commune") -> list[Entry]:
        return [entry for entry in self.entries if entry.level == level and entry.holds(on)]

    def before(self, key: str) -> list[Passing]:
        return [passing for passing in self.passings if passing.new == key]

    def after(self, key: str) -> list[Passing]:
        return [passing for passing in self.passings if passing.old == key]

    def links(self, start: date, end: date) -> list[Link]:
        """Return where every unit of `start` stands on `end`, through all acts between.

        Figures go forward only: a new figure is never split onto old units.
        """
        if end < start:
            raise RegisterError(
                "figures are restated forward in time only: a new figure cannot be split onto old units"
            )
        days = sorted({passing.on for passing in self.passings if start < passing.on <= end})
        links: list[Link] = []
        for day in days:
            step = [
                Link(p.old, p.new, p.part, p.share)  # type: ignore[arg-type]
                for p in self.passings
                if p.on == day
            ]
            links = compose(links, step) if links else step
        return links

    def find(self, text: str, on: date | None = None) -> list[Entry]:
        """Return the units whose name, or another spelling of it, holds the words; diacritics do not matter."""
        wanted = fold(text)
        if not wanted:
            return []
        spelt = {code for code, day, other in aliases() if wanted in fold(other) and (on is None or day <= on)}
        return [
            e
            for e in self.entries
            if (wanted in fold(e.full_name) or (e.code in spelt and e.level == "commune"))
            and (on is None or e.holds(on))
        ]


def fold(text: str) -> str:
    """Return text without diacritics and case; đ becomes d."""
    plain = unicodedata.normalize("NFD", text.lower()).replace("đ", "d")
    return " ".join("".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c)).split())


_TONES = ("", *"\u0300\u0309\u0303\u0301\u0323")
"""As combining signs: level, falling (huyền), asking (hỏi), tumbling (ngã), rising (sắc), heavy (nặng)."""
_SHAPES = ("", *"\u0306\u0302\u031b")
"""As combining signs: plain, with a breve, with a roof, with a horn."""


def alphabetical(text: str) -> tuple[Any, ...]:
    """Return a key that sorts names as a Vietnamese dictionary does: a before ă before â, and the six tones last.

    Databases sort by the numbers of signs, where Hồng comes after Huổi and Nậm after Noong.
    """
    letters: list[tuple[str, int]] = []
    tones: list[int] = []
    for sign in unicodedata.normalize("NFC", text.lower()):
        base, *marks = list(unicodedata.normalize("NFD", sign))
        shape = max((_SHAPES.index(mark) for mark in marks if mark in _SHAPES), default=0)
        # What is no letter stands before all letters, so that a short name comes before a longer one.
        letters.append(("d", 1) if base == "đ" else (base if base.isalnum() else " ", shape))
        tones.append(max((_TONES.index(mark) for mark in marks if mark in _TONES), default=0))
    return tuple(letters), tuple(tones), text


def from_reference() -> Register:
    """Return the official units before and after 1 July 2025 and what became of each."""
    districts = {row["code"]: row for row in _rows("districts.csv")}
    entries: list[Entry] = []
    passings: list[Passing] = []
    after = {row["code"]: row for row in _rows("provinces-after.csv")}
    # A province is the same unit afterwards when nothing was added to it.
    merged = [row["successor"] for row in _rows("provinces-before.csv")]
    for row in _rows("provinces-before.csv"):
        alone = merged.count(row["successor"]) == 1 and row["successor"] == row["code"]
        start = KNOWN_FROM_BY_PROVINCE.get(row["code"], KNOWN_FROM)
        entries.append(
            Entry(
                _old(row["code"]),
                row["code"],
                row["name"],
                row["type"],
                "province",
                "",
                start,
                None if alone else MERGER,
            )
        )
        if not alone:
            passings.append(Passing(_old(row["code"]), _new(row["successor"]), MERGER, "whole", basis=CIRCULAR))
    unchanged = {c for c in after if merged.count(c) == 1}
    for row in after.values():
        if row["code"] not in unchanged:
            entries.append(
                Entry(_new(row["code"]), row["code"], row["name"], row["type"], "province", "", MERGER, None, CIRCULAR)
            )
    for row in districts.values():
        start = KNOWN_FROM_BY_PROVINCE.get(row["province"], KNOWN_FROM)
        entries.append(
            Entry(
                _old(row["code"]),
                row["code"],
                row["name"],
                row["type"],
                "district",
                _old(row["province"]),
                start,
                MERGER,
            )
        )
    before = list(_rows("communes-before.csv.gz"))
    communes = {row["code"]: row for row in _rows("communes-after.csv.gz")}
    links = list(_rows("links.csv.gz"))
    going_on = set(unchanged_communes(before, communes, links))
    for row in before:
        start = KNOWN_FROM_BY_PROVINCE.get(row["province"], KNOWN_FROM)
        entries.append(
            Entry(
                _old(row["code"]),
                row["code"],
                row["name"],
                row["type"],
                "commune",
                _old(row["district"]),
                start,
                None if row["code"] in going_on else MERGER,
            )
        )
    for code, row in communes.items():
        if code not in going_on:
            seat = _old(row["province"]) if row["province"] in unchanged else _new(row["province"])
            entries.append(
                Entry(
                    _new(code),
                    code,
                    row["name"],
                    row["type"],
                    "commune",
                    seat,
                    MERGER,
                    None,
                    after[row["province"]]["resolution"],
                )
            )
    resolution = {code: after[row["province"]]["resolution"] for code, row in communes.items()}
    for row in links:
        if row["old"] not in going_on:
            goal = _old(row["new"]) if row["new"] in going_on else _new(row["new"])
            passings.append(
                Passing(
                    _old(row["old"]), goal, MERGER, row["part"], None, resolution[row["new"]], row["primary"] == "1"
                )
            )
    return Register(entries, passings)


def unchanged_communes(before: Any, after: Any, links: Any) -> Iterator[str]:
    """Return the codes of communes that neither gained nor lost anything and kept code, type and name.

    Official lists spell some names in two ways (Tà Si Láng, Tà Xi Láng): a spelling is not a new unit.
    """
    formed: dict[str, list[Any]] = {}
    for link in links:
        formed.setdefault(link["new"], []).append(link)
    old = {row["code"]: row for row in before}
    for code, parts in formed.items():
        only = parts[0]
        if len(parts) == 1 and only["part"] == "whole" and only["old"] == code:
            was, now = old[code], after[code]
            if was["type"] == now["type"] and alike(was["name"], now["name"]):
                yield code


@cache
def aliases() -> list[tuple[str, date, str]]:
    """Return other spellings in official lists as (code, a day on which the unit bears it, spelling)."""
    return [(row["code"], date.fromisoformat(row["on"]), row["text"]) for row in _rows("aliases.csv")]


def alike(one: str, other: str) -> bool:
    """Say whether two spellings differ by diacritics, case, signs, or at most one letter."""
    a, b = ("".join(c for c in fold(name) if c.isalnum()) for name in (one, other))
    return a == b or (len(a) == len(b) and sum(x != y for x, y in zip(a, b, strict=True)) == 1)


def _old(code: str) -> str:
    return f"{code}@before"


def _new(code: str) -> str:
    return f"{code}@2025-07-01"


def _rows(name: str) -> Iterator[dict[str, str]]:
    data = (REFERENCE / name).read_bytes()
    if name.endswith(".gz"):
        data = gzip.decompress(data)
    yield from csv.DictReader(io.StringIO(data.decode()))


def _span(entry: Entry) -> str:
    start = f"from {entry.valid_from:%d/%m/%Y}"
    return start if entry.valid_to is None else f"{start} until {entry.valid_to:%d/%m/%Y}"
