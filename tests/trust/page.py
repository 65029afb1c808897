"""Writing `docs/trust.md`."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.trust import rows
from tests.trust.reading import MET, RESULTS, ROOT, SHORT, UNMEASURED, Finding, Result, result
from tests.trust.rows import Row

PAGE = ROOT / "docs/trust.md"
SECURITY = ROOT / "SECURITY.md"
_OPENING = """\
# Figures to trust

<!-- Made by script/trust from benchmarks/results and SECURITY.md. Change those, not this page. -->

> **Tóm tắt.** Trang này ghi những gì hệ thống hứa, những gì đã đo được, và lệnh để bất kỳ ai đo lại.
> Mỗi phép đo đi kèm một lỗi được cài vào có chủ ý: phép đo nào không phát hiện được lỗi ấy thì không được tính là đạt.
> **đạt** = `met`, **chưa đạt** = `falls short` (kèm lý do), **chưa đo** = `not measured`.
> Hiện có {met} điều đạt, {short} điều chưa đạt, {unmeasured} điều chưa đo.
> Những rủi ro còn lại, dù mọi điều đều đạt, được ghi ở cuối trang.

What is promised, what was found, and the command that finds it again. The page is made from the files of results in
`benchmarks/results`, which those commands write; a test of the house fails when it is stale. `script/trust --measure
ROW` runs the commands of a row, `script/trust` writes the page anew.

A check that cannot fail proves nothing. Each was therefore shown a planted fault, or a weaker way beside ours, in the
same run; where none was noticed, a row is never called met, however good its figures look. All was measured on a
small machine that others used at the same time: two cores, no graphics, an ordinary disk.

Now: **{met} met, {short} fall short, {unmeasured} not measured**, of {all} promises.
"""
_SIGN = {MET: "met", SHORT: "**falls short**", UNMEASURED: "*not measured*"}


def write(folder: Path = RESULTS, security: Path = SECURITY) -> str:
    """Return the whole page."""
    board = [result(row, folder) for row in rows.ROWS]
    speed = [result(row, folder) for row in rows.SPEED]
    counts = {verdict: sum(each.verdict == verdict for each in [*board, *speed]) for verdict in _SIGN}
    counts[UNMEASURED] += len(rows.UNMEASURED)
    lines = [
        _OPENING.format(met=counts[MET], short=counts[SHORT], unmeasured=counts[UNMEASURED], all=sum(counts.values())),
        "| row | promise | |",
        "|---|---|---|",
        *(f"| {each.row.key} | [{each.row.title}](#{anchor(each.row)}) | {_SIGN[each.verdict]} |" for each in board),
        *(f"| speed | [{each.row.title}](#{anchor(each.row)}) | {_SIGN[each.verdict]} |" for each in speed),
        "",
        "Numbers are those of the scoreboard. Six of its rows nothing measures yet:",
        "",
        *(f"- **{number}** {reason}" for number, reason in rows.UNMEASURED.items()),
        "",
        "## Promises kept to people",
        "",
        *(line for each in board for line in section(each)),
        "## Speed",
        "",
        "Ratios compare two ways in one run, in turns, by the least processor time of each; the database's is counted.",
        "`$NATION` and `$PROVINCE` are installations made by `gandan demo --scale nation` and `--scale small`,",
        "`$NATION_DATABASE`, `$SERVER` and `$PEER` addresses of a PostgreSQL for measuring.",
        "",
        *(line for each in speed for line in section(each)),
        "## What remains possible",
        "",
        "From [SECURITY.md](../SECURITY.md). No figure above removes these.",
        "",
        *risks(security),
        "",
    ]
    return "\n".join(lines)


def anchor(row: Row) -> str:
    """Return the anchor that a heading gets."""
    return re.sub(r"[^\w -]", "", heading(row).lower()).replace(" ", "-")


def heading(row: Row) -> str:
    return f"{row.key}. {row.title}" if row.key.isdigit() else row.title


def section(found: Result) -> list[str]:
    """Return one row: the promise, what was found, how, and what shows that it could have failed."""
    row = found.row
    lines = [f"### {heading(row)}", "", f"{_SIGN[found.verdict]}. Promised: {row.promise}", ""]
    for each in found.findings:
        lines += _finding(each)
    for source in found.missing:
        where = f"{source.title[0].upper()}{source.title[1:]}: n" if source.title else "N"
        lines += [f"{where}ot measured. The command is `{source.command}`.", ""]
    if found.verdict == SHORT:
        lines += [f"Why it falls short: {' '.join(_reasons(found))}", ""]
    return lines


def _finding(each: Finding) -> list[str]:
    lines = [f"{each.title}:", ""]
    lines += [f"- {words}: {'met' if held else '**not met**'}" for words, held in each.targets.items()]
    lines.append(f"- found: {shown(each.found)}")
    seen = [f"{control.what} ({'noticed' if control.noticed else '**not noticed**'})" for control in each.controls]
    lines.append(f"- shown to be able to fail: {'; '.join(seen) or '**nothing was planted**'}")
    lines.append(f"- `{each.source.command}`")
    lines.append(f"- {_when(each.circumstances)}")
    return [*lines, ""]


def _reasons(found: Result) -> Iterable[str]:
    for each in found.findings:
        missed = [words for words, held in each.targets.items() if not held]
        if missed:
            yield f"not met is “{'”, “'.join(missed)}”{f' ({each.note})' if each.note else ''}."
        elif not each.seen_to_fail:
            yield f"nothing shows that the check “{each.title}” can fail, so that it counts for nothing."
    if found.row.why and any(not all(each.targets.values()) for each in found.findings):
        yield found.row.why


def _when(said: dict[str, Any]) -> str:
    day, commit, cores, load = said.get("on"), said.get("commit"), said.get("cores"), said.get("load")
    words = [f"measured on {day or 'a day that was not kept'}, commit {f'`{commit}`' if commit else 'not kept'}"]
    if said.get("as_committed") is False:
        words.append("with changes that were not committed yet")
    if said.get("python"):
        words.append(f"Python {said['python']}")
    if cores:
        words.append(f"{cores} cores")
    if load:
        words.append(f"load {load[0] if isinstance(load, list) else load}")
    return ", ".join(words)


def shown(value: Any) -> str:
    """Return figures as words: names with numbers, those within another in brackets."""
    if isinstance(value, dict):
        return "; ".join(
            f"{name.replace('_', ' ')}: {f'({shown(each)})' if isinstance(each, dict) else shown(each)}"
            for name, each in value.items()
        )
    if isinstance(value, list):
        return ", ".join(shown(each) for each in value) or "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "not told"}[value]
    return f"{value:,}" if isinstance(value, int | float) and abs(value) >= 1000 else str(value)


def risks(security: Path) -> list[str]:
    """Return the table of what remains possible, as SECURITY.md has it. Raises ValueError when it is gone."""
    text = security.read_text(encoding="utf-8").partition("## What remains possible\n")[2].partition("\n## ")[0]
    table = [line for line in text.splitlines() if line.startswith("|")]
    if len(table) < 4:
        raise ValueError("SECURITY.md says nothing of what remains possible")
    return table
