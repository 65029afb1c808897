"""`gandan units`: the official units through time, useful to anyone with Vietnamese statistics.

Answers from the database of an installation that has one, else from the lists that come with the package.
Exit codes: 0 done; 1 nothing found; 2 the code, the date, the table, a setting or the place to write is wrong (a
sentence says which; of a table it names the row); 4 the installation's database does not answer.
"""

import argparse
import os
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gandan.units.register import Entry, Register

OK, NOTHING, WRONG, UNAVAILABLE = 0, 1, 2, 4


class _Unusable(Exception):
    """Something around the command that cannot be used, with the sentence."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="what to do", metavar="ACTION", dest="action", required=True)

    show = actions.add_parser("show", help="the unit that bears a code on a day")
    show.add_argument("code")
    show.add_argument(
        "--on", type=_date, default=None, metavar="DATE", help="as 2025-06-30 or 30/6/2025; default today"
    )

    history = actions.add_parser("history", help="every unit that bears or bore a code, and what became of each")
    history.add_argument("code")

    restate = actions.add_parser("restate", help="figures by official code, restated onto the map of another date")
    restate.add_argument("file", type=Path, help="CSV: the code first, then figures; - reads standard input")
    restate.add_argument(
        "--from", dest="start", type=_date, required=True, metavar="DATE", help="the map of the figures"
    )
    restate.add_argument("--to", dest="end", type=_date, required=True, metavar="DATE", help="the map that is wanted")
    restate.add_argument("--how", choices=["sum", "ratio"], default="sum")
    restate.add_argument("--out", type=Path, default=None, metavar="FILE", help="default: standard output")
    for each in (show, history, restate):
        each.add_argument("--reference", action="store_true", help="use the packaged lists even where a database is")


def run(options: argparse.Namespace) -> int:
    from gandan.units.recorded import NoAnswer, WrongSetting
    from gandan.units.register import RegisterError
    from gandan.units.restating import TableError

    try:
        register = _register(options.reference)
        if options.action == "show":
            return _show(register, options.code, options.on or _today())
        if options.action == "history":
            return _history(register, options.code)
        return _restate(register, options)
    except NoAnswer as error:
        print(f"gandan units: {error}", file=sys.stderr)
        return UNAVAILABLE
    except (RegisterError, WrongSetting, _Unusable) as error:
        print(f"gandan units: {error}", file=sys.stderr)
    except TableError as error:
        for fault in error.faults:
            print(f"gandan units: {fault}", file=sys.stderr)
    return WRONG


def _show(register: "Register", code: str, on: date) -> int:
    entry = register.by_code(code, on)
    print(f"{entry.code}  {entry.full_name}  ({entry.level})")
    print(f"      {_dates(entry)}")
    if register.is_before_lists(entry, on):
        print(
            f"      the lists begin on {entry.valid_from:%d/%m/%Y}: what the code meant on {on:%d/%m/%Y} is not known, "
            "this is what it meant first"
        )
    if entry.parent:
        print(f"      under {register.name(entry.parent).full_name}")
    if entry.basis:
        print(f"      by {entry.basis}")
    for text in _passings(register, entry):
        print(f"      {text}")
    return OK


def _history(register: "Register", code: str) -> int:
    for entry in register.history(code):
        print(f"{entry.code}  {entry.full_name}  ({entry.level})  {_dates(entry)}")
        for text in _passings(register, entry):
            print(f"      {text}")
    return OK


def _restate(register: "Register", options: argparse.Namespace) -> int:
    from gandan.units.register import KNOWN_FROM
    from gandan.units.restating import TableError, restate_table

    try:
        data = sys.stdin.buffer.read() if str(options.file) == "-" else options.file.read_bytes()
    except OSError as error:
        raise TableError([f"{options.file} cannot be read: {error.strerror}"]) from None
    text = restate_table(data, register, options.start, options.end, options.how)
    if register.source != "reference" and options.start < register.known_from:
        print(
            f"gandan units: the units are known from {register.known_from:%d/%m/%Y}; codes of an earlier date are read "
            "as on that day",
            file=sys.stderr,
        )
    if register.source == "reference" and options.start < KNOWN_FROM:
        print(
            f"gandan units: outside Lai Châu the lists are known from {KNOWN_FROM:%d/%m/%Y}; codes of an earlier date "
            "are read as that list has them",
            file=sys.stderr,
        )
    if options.out is None:
        sys.stdout.write(text)
    else:
        try:
            options.out.write_text(text, encoding="utf-8")
        except OSError as error:
            raise _Unusable(f"{options.out} cannot be written: {error.strerror}") from None
    return OK


def _passings(register: "Register", entry: "Entry") -> list[str]:
    from collections import Counter

    texts = []
    came = register.before(entry.key)
    if came:
        parts = ", ".join(f"{register.name(p.old).full_name} ({_part(p.part)})" for p in came)
        texts.append(f"formed on {came[0].on:%d/%m/%Y} from {parts}")
    went = register.after(entry.key)
    if went and entry.valid_to is not None:
        counted = Counter(p.on for p in went)
        for day in sorted(counted):
            parts = ", ".join(
                f"{register.name(p.new).full_name} {register.name(p.new).code} ({_part(p.part)})"
                for p in went
                if p.on == day
            )
            texts.append(f"went on {day:%d/%m/%Y} to {parts}")
    return texts


def _part(part: str) -> str:
    return {"whole": "whole", "share": "a share", "unknown": "a part of unknown size"}[part]


def _dates(entry: "Entry") -> str:
    if entry.valid_to is None:
        return f"since {entry.valid_from:%d/%m/%Y}"
    return f"from {entry.valid_from:%d/%m/%Y} until the day before {entry.valid_to:%d/%m/%Y}"


def _register(reference_only: bool) -> "Register":
    from gandan.units import register

    if not reference_only:
        from gandan.units.recorded import from_installation

        found = from_installation()
        if found is not None:
            return found
    return register.from_reference()


def _date(text: str) -> date:
    try:
        if "/" in text:
            day, month, year = (int(part) for part in text.split("/"))
            return date(year, month, day)
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2025-06-30 or 30/6/2025") from None


def _today() -> date:
    from gandan.access.clock import today

    try:
        return today()
    except ValueError:
        given = os.environ.get("GANDAN_TODAY")
        raise _Unusable(f"GANDAN_TODAY is a date like 2026-11-23, not {given!r}") from None
