"""Restating a table of figures by official code onto the map of another date: CSV in, CSV out."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache
from typing import Literal

from gandan.inference.correspondence import Link, Number, Restated, restate
from gandan.inference.errors import InferenceError
from gandan.ui.tables import cell
from gandan.units.register import Entry, Register, RegisterError, aliases, alike, fold

How = Literal["sum", "ratio"]
_MAXIMUM_FAULTS = 20
_MAXIMUM_ROWS = 20_000
_MAXIMUM_COLUMNS = 200
_LONGEST_NUMBER = 30
_NAMES = {
    *("name", "unit", "unit name", "commune", "province", "district"),
    *("ten", "ten don vi", "don vi", "ten xa", "xa", "xa phuong", "ten xa phuong", "tinh", "ten tinh", "huyen"),
}
"""Headings, without diacritics, of a column that names the units of the codes."""


_LIKE_A_CODE = re.compile(r"['’]?(?=.*\d)[0-9OoIl]{1,6}(?:[.,]0+)?", re.ASCII)


class TableError(ValueError):
    """A table that cannot be restated; `faults` are sentences that name their rows."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Table:
    code: str
    figures: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Fraction | None, ...]], ...]
    numbers: tuple[int, ...]
    """In which line of the file each row stands."""
    names: tuple[str, ...]
    """What the row calls its unit, where the table has a column of names; else empty."""


def decode(data: bytes) -> str:
    """Return the text of a file. Refuses what is neither UTF-8 nor UTF-16 with a byte-order mark."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TableError(
            [
                f"row {line}: the file is not UTF-8 (it may be Windows-1258 or TCVN3); "
                "save it as “CSV UTF-8” and try again"
            ]
        ) from None


def read(data: bytes) -> Table:
    """Read a table whose first column is the official code and whose other columns are figures.

    Accepts commas, semicolons and tabs, and a column that names the units. Raises TableError naming every faulty row.
    """
    text = unicodedata.normalize("NFC", decode(data))
    lines = text.splitlines()
    if not lines or not lines[0].strip():
        raise TableError(["row 1: the table is empty; its first row names the columns, the first of them the code"])
    if len(lines) > _MAXIMUM_ROWS:
        raise TableError([f"row {_MAXIMUM_ROWS + 1}: the table has more than {_MAXIMUM_ROWS} rows; send it in parts"])
    delimiter = max(",;\t", key=lines[0].count)
    try:
        parsed = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        raise TableError(["the quotes of the table do not match, or a cell is longer than a page"]) from None
    if not parsed:
        raise TableError(["row 1: the table is empty; its first row names the columns, the first of them the code"])
    header = [each.strip() for each in parsed[0]]
    if len(header) < 2:
        raise TableError(["row 1: there is one column only; the first is the code, the others are figures"])
    if len(header) > _MAXIMUM_COLUMNS:
        raise TableError([f"row 1: there are more than {_MAXIMUM_COLUMNS} columns; send them in parts"])
    if _LIKE_A_CODE.fullmatch(header[0]):
        raise TableError(
            [
                f"row 1: the table has no headings: {header[0]!r} in its first cell reads like a code. Write a row "
                "above it that names the columns, as in: code,reports"
            ]
        )
    named = next((at for at, each in enumerate(header) if at and fold(each) in _NAMES), None)
    columns = [at for at in range(1, len(header)) if at != named]
    if not columns:
        raise TableError(["row 1: the table has a code and a name, but no figures"])
    point = _decimal_sign(delimiter, (cells[at] for cells in parsed[1:] for at in columns if at < len(cells)))
    faults: list[str] = []
    rows, numbers, names = [], [], []
    seen: dict[str, int] = {}
    for number, cells in enumerate(parsed[1:], start=2):
        if not any(each.strip() for each in cells):
            continue
        if len(cells) != len(header):
            faults.append(f"row {number}: {len(cells)} cells where the first row has {len(header)}")
            continue
        code = cells[0].strip()
        if code in seen:
            faults.append(f"row {number}: the code {code} stands in row {seen[code]} already")
            continue
        seen[code] = number
        figures = []
        for at in columns:
            try:
                figures.append(_number(cells[at], point))
            except (ValueError, ZeroDivisionError) as error:
                faults.append(f"row {number}, column {header[at]}: {_why_no_number(cells[at], error)}")
        if len(figures) == len(columns):
            rows.append((code, tuple(figures)))
            numbers.append(number)
            names.append("" if named is None else cells[named].strip())
    if faults:
        raise TableError(_shortened(faults))
    if not rows:
        raise TableError(["row 2: the table has headings and no rows beneath them"])
    figures_named = tuple(header[at] for at in columns)
    return Table(header[0], figures_named, tuple(rows), tuple(numbers), tuple(names))


def restate_table(data: bytes, register: Register, start: date, end: date, how: How = "sum") -> str:
    """Return the table restated from the map of `start` onto the map of `end`, as CSV.

    `how="ratio"` expects two figures, numerator and denominator, and gives their quotient beside them. It counts only
    rows that have both, in the figures too: the quotient is always that of the two figures beside it.

    Each figure is followed by its shares imputed and unknown; a figure with an unknown part stays empty. `reported`
    says how many of the old units had the figure; of several figures it is the least, and each has its own at the end.
    Raises TableError naming each row whose unit has no successor on the map of `end`.
    """
    table = read(data)
    if how == "ratio" and len(table.figures) != 2:
        raise TableError(["row 1: a ratio needs exactly two figures after the code: the numerator and the denominator"])
    links = register.links(start, end)
    faults, keys = [], {}
    for number, (code, _figures), name in zip(table.numbers, table.rows, table.names, strict=True):
        try:
            entry = register.by_code(code, start)
        except RegisterError as error:
            faults.append(f"row {number}: {error}")
            continue
        keys[code] = entry.key
        if name and not _means(entry, name):
            faults.append(
                f"row {number}: on {start:%d/%m/%Y} the code {code} meant {entry.full_name}, and the row says "
                f"{name[:60]!r}; give the day of the figures as the first date, or leave the names out"
            )
    if faults:
        raise TableError(_shortened(faults))
    levels = {register.name(key).level for key in keys.values()}
    chosen = [link for link in links if register.name(link.old).level in levels]
    _check_goals(table, keys, chosen, register, end)
    rows = [(keys[code], figures) for code, figures in table.rows]
    given = {key for key, figures in rows if any(figure is not None for figure in figures)}
    if how == "ratio":
        rows = [(key, figures if None not in figures else (None, None)) for key, figures in rows]
    try:
        # An empty cell stays: a unit that no act touched is known by its row alone.
        results = [restate({key: row[at] for key, row in rows}, chosen) for at in range(len(table.figures))]
        ratio = _ratios(rows, chosen) if how == "ratio" else None
    except InferenceError as error:
        raise TableError([_why_not(error, register)]) from None
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    header = ["code", "name", "reported"]
    for name in table.figures:
        header += [name, f"{name} imputed share", f"{name} unknown share"]
    several = len(table.figures) > 1 and how == "sum"
    header += [f"{name} reported" for name in table.figures if several] + ["ratio"] * (ratio is not None)
    writer.writerow([cell(name) for name in header])
    links_of = _by_old(chosen)
    reached = {link.new for key in given for link in links_of.get(key, [Link(key, key)])}
    for key in sorted(reached, key=lambda each: register.name(each).code):
        entry = _entry_on(register, key, end)
        found = [result[key] for result in results]
        least = min(found, key=lambda each: each.reported)
        cells = [entry.code, cell(entry.full_name), f"{least.reported}/{least.expected}"]
        for each in found:
            cells += [_text(each.value), _text(each.imputed), _text(each.unknown)]
        cells += [f"{each.reported}/{each.expected}" for each in found if several]
        writer.writerow(cells + ([_text(ratio[key].value)] if ratio is not None else []))
    return out.getvalue()


def _ratios(rows: Iterable[tuple[str, tuple[Fraction | None, ...]]], links: Sequence[Link]) -> dict[str, Restated]:
    values: dict[str, Number | tuple[Number, Number] | None] = {
        key: None if top is None or bottom is None else (top, bottom) for key, (top, bottom) in rows
    }
    return restate(values, links, how="ratio")


def _by_old(links: Iterable[Link]) -> dict[str, list[Link]]:
    found: dict[str, list[Link]] = {}
    for link in links:
        found.setdefault(link.old, []).append(link)
    return found


def _check_goals(table: Table, keys: dict[str, str], links: Sequence[Link], register: Register, end: date) -> None:
    """Raise TableError for every figure that would come to stand at a unit which is no more on the day `end`."""
    links_of = _by_old(links)
    faults = []
    for number, (code, figures) in zip(table.numbers, table.rows, strict=True):
        goals = [link.new for link in links_of.get(keys[code], [Link(keys[code], keys[code])])]
        gone = next((goal for goal in goals if not register.stands(goal, end)), None)
        if gone is None or all(figure is None for figure in figures):
            continue
        entry = register.name(gone)
        last = f" after {entry.valid_to - timedelta(days=1):%d/%m/%Y}" if entry.valid_to else ""
        hint = "; districts have none" if entry.level == "district" else ""
        faults.append(
            f"row {number}: {entry.full_name} is no more{last}, and no unit succeeds it{hint}: the figure has no place "
            f"on the map of {end:%d/%m/%Y}. Leave the row out, or ask for a day on which the unit stands"
        )
    if faults:
        raise TableError(_shortened(faults))


def _why_not(error: InferenceError, register: Register) -> str:
    """Return what keeps the recorded parts of a unit from being added up, with its name."""
    old = str(error.facts.get("old", ""))
    if not register.of(old):
        return f"the figures cannot be restated: {error}"
    entry = register.name(old)
    return (
        f"the recorded parts of {entry.full_name} ({entry.code}) do not make one whole, so that no figure of this "
        "level can be restated over that act"
    )


def _entry_on(register: Register, key: str, on: date) -> Entry:
    entries = register.of(key)
    return next((entry for entry in entries if entry.holds(on)), entries[-1])


def _means(entry: Entry, name: str) -> bool:
    """Say whether a row's name can be this unit's, in any spelling of the official lists.

    Most codes were used again for another place: the name tells a table of one map from a table of another.
    """
    said = f" {fold(name)} "
    spellings = (entry.name, entry.full_name, *_other_spellings().get(entry.code, ()))
    return any(f" {fold(each)} " in said for each in spellings) or any(alike(each, name) for each in spellings)


@cache
def _other_spellings() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for code, _day, spelling in aliases():
        found.setdefault(code, []).append(spelling)
    return found


class _TwoMeanings(ValueError):
    """Three digits after one sign: a thousand in one country, thousandths in another."""


_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*")


def _decimal_sign(delimiter: str, cells: Iterable[str]) -> str:
    """Return which sign the table writes decimals with, "." or ",", or "" when nothing tells.

    Beside other numbers 1.234 is clear: 4,5 in the same table makes it a thousand, 4.5 makes it thousandths. A
    table separated by semicolons comes from a program that writes decimals with a comma.
    """
    found = set()
    for written in cells:
        text = _plain(written)
        if "," in text and "." in text:
            found.add(max(",.", key=text.rindex))
        elif text.count(".") + text.count(",") > 1:
            found.add("." if "," in text else ",")
        elif not _GROUPED.fullmatch(text):
            found.update(sign for sign in ".," if sign in text)
    if len(found) == 1:
        return found.pop()
    return "," if not found and delimiter == ";" else ""


def _number(written: str, point: str) -> Fraction | None:
    """Read 1234, 1234.5, "1.234,5", "1,234.5" and "1.234.567"; an empty cell is not reported."""
    text = _plain(written)
    if not text:
        return None
    if "," in text and "." in text:
        decimal = max(text.rindex(","), text.rindex("."))
        text = text[:decimal].replace(",", "").replace(".", "") + "." + text[decimal + 1 :]
    elif grouped := _GROUPED.fullmatch(text):
        sign = grouped[1]
        if text.count(sign) == 1 and not point:
            raise _TwoMeanings
        text = text.replace(sign, "." if text.count(sign) == 1 and sign == point else "")
    else:
        text = text.replace(",", ".", 1)
    if not text.isascii() or any(c not in "0123456789.+-" for c in text) or len(text) > _LONGEST_NUMBER:
        # Neither fractions nor powers of ten: 1e999999999 alone would fill the memory.
        raise ValueError(text)
    return Fraction(text)


def _plain(written: str) -> str:
    return written.strip().replace("\u00a0", "").replace(" ", "").replace("−", "-")


def _why_no_number(written: str, error: Exception) -> str:
    shown = repr(written.strip()[:40])
    if isinstance(error, _TwoMeanings):
        whole, parts = re.split("[.,]", _plain(written))
        return f"{shown} may mean {whole}{parts} or {whole} and {parts} thousandths; write it without a sign in between"
    return f"{shown} is not a number; leave it empty when not reported"


def _text(value: Fraction | None) -> str:
    """Return a number in full where its decimals end, else with sixteen digits after the whole part."""
    if value is None:
        return ""
    rest = value.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    whole = len(str(abs(value.numerator) // value.denominator).lstrip("0"))
    # As many decimals as the denominator has binary digits are enough to end in.
    digits = whole + (16 if rest != 1 else value.denominator.bit_length() + 1)
    context = Context(prec=digits)
    text = f"{context.divide(Decimal(value.numerator), Decimal(value.denominator)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shortened(faults: list[str]) -> list[str]:
    if len(faults) <= _MAXIMUM_FAULTS:
        return faults
    return [*faults[:_MAXIMUM_FAULTS], f"and {len(faults) - _MAXIMUM_FAULTS} more rows like these"]
