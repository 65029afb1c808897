"""The walk is worth what it would notice: each rule is taken away in turn, and the walk must fail each time."""

import time
from collections.abc import Iterable
from typing import Any

import pytest

from tests.access import acts, mutants, world
from tests.access.walker import Cell, Walker, cells, inner_cells, quiet

pytestmark = pytest.mark.django_db
INNER = ("READ", "WHY", "ACT")
"""What is asked without an address."""
TRIES = 150
"""Cells asked again for one mutant before it counts as having survived; under --long all."""


def baseline(walked: Walker, chosen: list[Cell]) -> dict[str, list[Cell]]:
    """Walk with every rule in place; return which cells touch which rule, those that are refused first."""
    touched: dict[str, list[Cell]] = {"": []}
    with quiet():
        for cell in chosen:
            said = {f"route {cell.route}"}
            with mutants.recording(said):
                wrong = walked.check(cell)
            assert not wrong, wrong
            for name in said:
                touched.setdefault(name, []).append(cell)
            touched[""].append(cell)
    return touched


def refused_first(walked: Walker, found: list[Cell]) -> list[Cell]:
    def order(cell: Cell) -> tuple[bool, bool, bool]:
        return (
            cell.route != "Case",
            cell.method not in INNER,
            _succeeds(walked, cell),
        )

    return sorted(found, key=order)


def _succeeds(walked: Walker, cell: Cell) -> bool:
    if cell.method == "ACT":
        return acts.told(walked.world, cell.route, cell.place, cell.actor)
    return cell.method not in INNER and walked.expected(cell)[1]


def survivors(
    walked: Walker, touched: dict[str, list[Cell]], tries: int, bred: Iterable[mutants.Mutant] | None = None
) -> list[str]:
    """Return the mutants that the walk does not notice, of all or of those given."""
    left = []
    for mutant in mutants.mutants() if bred is None else bred:
        found = [cell for name, some in touched.items() if name and mutant.touched(name) for cell in some]
        with mutants.living(mutant), quiet():
            if not any(_fails(walked, cell) for cell in refused_first(walked, list(dict.fromkeys(found)))[:tries]):
                left.append(mutant.name)
    return left


def _fails(walked: Walker, cell: Cell) -> bool:
    try:
        return bool(walked.check(cell))
    except Exception:
        return True  # a view without a rule, or an answer that cannot be made any more


def run(walked: Walker, capsys: Any, figure: Any, *, whole: bool) -> list[str]:
    began = time.monotonic()
    chosen = [
        *inner_cells(walked, whole=whole),
        *(cell for cell in cells(walked, whole=False) if cell.method != "HEAD"),
    ]
    if not whole:
        # Two people for each address and method, and whoever succeeds, are enough to notice.
        kept: dict[tuple[str, str, tuple[int, ...]], list[Cell]] = {}
        for cell in chosen:
            if cell.method not in INNER:
                kept.setdefault((cell.route, cell.method, walked.expected(cell)[0]), []).append(cell)
        some = [cell for found in kept.values() for cell in [*found[:2], *found[-4:]]]
        chosen = [*(cell for cell in chosen if cell.method in INNER), *dict.fromkeys(some)]
    touched = baseline(walked, chosen)
    left = survivors(walked, touched, 10_000 if whole else TRIES)
    number = len(list(mutants.mutants()))
    with capsys.disabled():
        print(
            f"\nmutants: {number - len(left)} of {number} noticed by {len(chosen)} cells in "
            f"{time.monotonic() - began:.0f} s; unnoticed: {left}"
        )
    figure(
        5,
        "mutants",
        title="Rules that can be taken away unnoticed",
        target="none: each rule of access taken away in turn makes the walk fail",
        command="python -m pytest tests/access/test_mutants.py -m 'not long' --results benchmarks/results/access",
        figures={"rules taken away": number, "noticed": number - len(left), "unnoticed": left, "cells": len(chosen)},
        kept=not left,
    )
    # The control: where no rule is taken away, there is nothing to notice.
    nothing = mutants.Mutant("nothing", lambda _: True, list)
    unnoticed = survivors(walked, touched, TRIES, [nothing]) == ["nothing"]
    figure.control("mutants", "a change that takes no rule away goes unnoticed, as it should", noticed=unnoticed)
    assert unnoticed
    return left


def test_the_walk_notices_every_rule_that_is_taken_away(capsys, figure):
    assert run(Walker(world.build()), capsys, figure, whole=False) == []


@pytest.mark.long
def test_the_whole_walk_notices_every_rule_that_is_taken_away(capsys, figure):
    assert run(Walker(world.build()), capsys, figure, whole=True) == []
