"""No table, and no tables together, on any map, give the number of a handful of people."""

from fractions import Fraction
from itertools import combinations, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandan.inference.correspondence import Link
from gandan.inference.disclosure import (
    CELL,
    RATING,
    Disclosure,
    check_release,
    publishable,
    restated_cells,
    rounded,
    suppress,
    tabulate,
)
from gandan.inference.errors import InferenceError

pytestmark = pytest.mark.agnostic

# Three old communes became two: A and C went whole, B was divided. Counts of complaints.
MAPS = {("A", "X"): 21, ("B", "X"): 3, ("B", "Y"): 19, ("C", "Y"): 40}


def only(verdict):
    assert len(verdict.disclosures) == 1
    return verdict.disclosures[0]


# By itself


def test_a_cell_needs_five_people_and_a_rating_thirty():
    assert [n for n in range(8) if publishable(n)] == [5, 6, 7]
    assert (publishable(29, RATING), publishable(30, RATING), CELL) == (False, True, 5)


def test_live_counters_are_rounded_to_five():
    assert [rounded(n) for n in (0, 2, 3, 7, 8, 12, 13)] == [0, 0, 5, 5, 10, 10, 15]
    assert rounded(14, 10) == 10


def test_a_released_cell_that_is_too_small_is_named():
    found = only(check_release({"a": 3, "b": 9}, {"one": ["a"], "both": ["a", "b"]}, slack=0))
    assert found == Disclosure("cell", ("a",), 3, {"one": 1})


def test_an_empty_cell_reveals_nobody():
    assert check_release({"a": 0, "b": 9}, {"one": ["a"], "two": ["b"]}).safe


# Together


def test_the_old_and_the_new_map_together_reveal_three_people():
    old, new = tabulate(MAPS, 0), tabulate(MAPS, 1)
    assert check_release(MAPS, old).safe
    assert check_release(MAPS, new).safe
    found = only(check_release(MAPS, old | new, slack=0))
    assert (found.kind, found.atoms, found.n) == ("derived", (("B", "X"),), 3)
    assert found.how == {((1,), ("X",)): 1, ((0,), ("A",)): -1}
    assert only(check_release(MAPS, new, history=[old], slack=0)).how == {
        ((1,), ("X",)): 1,
        (0, ((0,), ("A",))): -1,
    }


def test_what_history_has_shown_decides_what_the_new_map_may_show():
    old, new = tabulate(MAPS, 0), tabulate(MAPS, 1)
    kept = suppress(MAPS, new, history=[old])
    assert kept.primary == ()
    assert kept.released == ()
    assert set(kept.secondary) == set(new)
    assert suppress(MAPS, new).released == tuple(new)


def test_a_figure_restated_by_shares_is_an_equation_too():
    links = [Link("a", "x"), Link("b", "x", "share", Fraction(1, 4)), Link("b", "y", "share", Fraction(3, 4))]
    cells = restated_cells(links)
    assert cells == {"x": {"a": 1, "b": Fraction(1, 4)}, "y": {"b": Fraction(3, 4)}}
    found = only(check_release({"a": 2, "b": 40}, cells, slack=0))
    assert (found.atoms, found.how) == (("a",), {"x": 1, "y": Fraction(-1, 3)})
    assert check_release({"a": 6, "b": 40}, cells).safe


def test_what_reached_a_unit_in_unknown_parts_has_no_cell():
    assert restated_cells([Link("a", "x"), Link("b", "x", "unknown"), Link("b", "y", "unknown")]) == {}


def test_a_margin_less_its_other_cells_is_found_and_mended():
    counts = {(r, c): n for r, row in enumerate([[12, 2, 9], [8, 30, 14], [11, 7, 25]]) for c, n in enumerate(row)}
    table = tabulate(counts, 0, 1) | tabulate(counts, 0) | tabulate(counts, 1) | tabulate(counts)
    kept = suppress(counts, table)
    assert kept.primary == (((0, 1), (0, 1)),)
    # A withheld cell needs another in its row and in its column, and these one where they meet.
    assert set(kept.secondary) == {((0, 1), cell) for cell in ((0, 0), (2, 0), (2, 1))}
    shown = {key: table[key] for key in kept.released}
    assert check_release(counts, shown).safe


def test_a_group_may_be_small_though_no_atom_of_it_can_be_told():
    """Two atoms that no cell tells apart: what is revealed is their sum."""
    counts = {"a": 1, "b": 2, "c": 30}
    cells = {"all": ["a", "b", "c"], "most": ["c"]}
    assert only(check_release(counts, cells, slack=0)).atoms == ("a", "b")
    # And two that cells do tell apart, though only their sum can be derived.
    counts = {"a": 2, "b": 2, "c": 30, "d": 40, "e": 50}
    cells = {"ace": ["a", "c", "e"], "bde": ["b", "d", "e"], "cd": ["c", "d"], "e": ["e"]}
    found = only(check_release(counts, cells, slack=0))
    assert (found.atoms, found.n) == (("a", "b"), 4)


def test_an_interval_that_is_too_short_is_nearly_a_disclosure():
    counts = {("r1", "c1"): 98, ("r1", "c2"): 2, ("r2", "c1"): 2, ("r2", "c2"): 4}
    margins = tabulate(counts, 0) | tabulate(counts, 1)
    assert check_release(counts, margins).safe
    verdict = check_release(counts, margins, slack=7)
    assert not verdict.safe
    assert {(found.kind, found.bounds) for found in verdict.disclosures} == {("near", (0, 6))}
    kept = suppress(counts, margins, slack=7)
    assert kept.secondary
    assert check_release(counts, {key: margins[key] for key in kept.released}, slack=7).safe


def test_a_withheld_cell_is_protected_as_a_whole():
    """Neither atom is pinned, but their sum is: with `withheld` the outsider's interval for it is looked at too."""
    counts = {"a": 2, "b": 2, "c": 10, "d": 3, "e": 6}
    cells = {"ac": ["a", "c"], "bd": ["b", "d"], "abe": ["a", "b", "e"]}
    assert check_release(counts, cells, slack=5).safe
    pinned = check_release(counts, cells, slack=11, withheld={"ab": ["a", "b"]})
    assert any(set(found.atoms) == {"a", "b"} for found in pinned.disclosures)


# Limits


def test_a_release_too_large_to_check_is_refused_not_waved_through():
    counts = {(r, c): 1 + (r * c) % 7 for r in range(12) for c in range(12)}
    margins = tabulate(counts, 0) | tabulate(counts, 1)
    with pytest.raises(InferenceError) as told:
        check_release(counts, margins, work=500)
    assert told.value.code == "release-too-large"
    assert told.value.facts["work"] == 500
    with pytest.raises(InferenceError):
        suppress(counts, margins, work=500)


def test_earlier_releases_that_reveal_people_are_reported_not_hidden():
    with pytest.raises(InferenceError) as told:
        suppress(MAPS, tabulate(MAPS, 1), history=[{"x": [("B", "X")]}])
    assert told.value.code == "history-discloses"


@pytest.mark.parametrize(
    ("code", "ask"),
    [
        ("not-a-count", lambda: publishable(-1)),
        ("not-a-count", lambda: publishable(2.5)),
        ("not-a-count", lambda: rounded(float("nan"))),
        ("not-a-count", lambda: check_release({"a": float("inf")}, {})),
        ("not-a-count", lambda: check_release({"a": True}, {})),
        ("atom-unknown", lambda: check_release({"a": 1}, {"x": ["b"]})),
        ("threshold-too-small", lambda: check_release({"a": 1}, {"x": ["a"]}, threshold=1)),
        ("threshold-too-small", lambda: publishable(3, 0)),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(code, ask):
    with pytest.raises(InferenceError) as told:
        ask()
    assert told.value.code == code


def test_nothing_at_all_is_safe():
    assert check_release({}, {}).safe
    assert suppress({}, {}).released == ()
    assert check_release({"a": 2}, {"none": []}).safe


# Against a search that leaves nothing out


def rank(rows):
    rows, count = [list(map(Fraction, row)) for row in rows], 0
    for column in range(len(rows[0]) if rows else 0):
        pivot = next((r for r in range(count, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[count], rows[pivot] = rows[pivot], rows[count]
        for r in range(count + 1, len(rows)):
            factor = rows[r][column] / rows[count][column]
            rows[r] = [a - factor * b for a, b in zip(rows[r], rows[count], strict=True)]
        count += 1
    return count


def revealed(counts, cells, threshold):
    """Return all groups below the threshold whose indicator lies in the span of the cells, by trying each."""
    people = [atom for atom in counts if counts[atom]]
    rows = [[1 if atom in content else 0 for atom in people] for content in cells.values()]
    base, found = rank(rows), []
    for size in range(1, threshold):
        for group in combinations(people, size):
            if sum(counts[atom] for atom in group) < threshold:
                indicator = [1 if atom in group else 0 for atom in people]
                if rank([*rows, indicator]) == base:
                    found.append(set(group))
    return found


systems = st.integers(1, 8).flatmap(
    lambda size: st.tuples(
        st.lists(st.sampled_from([0, 1, 1, 2, 2, 3, 4, 6, 20]), min_size=size, max_size=size),
        st.lists(st.sets(st.integers(0, size - 1), min_size=1), max_size=6),
    )
)


@settings(max_examples=300)
@given(systems, st.sampled_from([3, 5]))
def test_the_search_finds_a_group_exactly_when_there_is_one(system, threshold):
    counts, cells = dict(enumerate(system[0])), dict(enumerate(system[1]))
    verdict = check_release(counts, cells, threshold=threshold, slack=0)
    everything = revealed(counts, cells, threshold)
    assert verdict.safe == (not everything)
    for found in verdict.disclosures:
        assert set(found.atoms) in everything
        assert sum(factor * sum(counts[a] for a in cells[key]) for key, factor in found.how.items()) == found.n
        assert found.n == sum(counts[a] for a in found.atoms) < threshold


def possible(counts, cells, group, most=24):
    """Return the least and the largest number of a group over all whole-number worlds with the same cells."""
    atoms = list(counts)
    values = {key: sum(counts[a] for a in content) for key, content in cells.items()}
    seen = []

    def fill(place, world, left):
        if place == len(atoms):
            if all(each == 0 for each in left.values()):
                seen.append(sum(world[a] for a in group))
            return
        holding = [key for key, content in cells.items() if atoms[place] in content]
        room = min((left[key] for key in holding), default=most)
        for n in range(room + 1):
            fill(
                place + 1,
                world | {atoms[place]: n},
                {key: value - (n if key in holding else 0) for key, value in left.items()},
            )

    fill(0, {}, values)
    return min(seen), max(seen)


small_systems = st.integers(2, 4).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(0, 6), min_size=size, max_size=size),
        st.lists(st.sets(st.integers(0, size - 1), min_size=1), min_size=1, max_size=4),
    )
)


@settings(max_examples=100)
@given(small_systems, st.integers(1, 6))
def test_intervals_are_never_thought_narrower_than_the_outsider_can_make_them(system, slack):
    counts, cells = dict(enumerate(system[0])), dict(enumerate(system[1]))
    for found in check_release(counts, cells, slack=slack).disclosures:
        if found.kind == "near":
            low, high = possible(counts, cells, found.atoms)
            assert found.bounds[0] <= low <= high <= found.bounds[1]
            assert high - low < slack


@settings(max_examples=100)
@given(systems, st.data())
def test_what_is_released_is_safe_and_nothing_could_come_back(system, data):
    counts, cells = dict(enumerate(system[0])), dict(enumerate(system[1]))
    kept = suppress(counts, cells)
    assert sorted([*kept.released, *kept.primary, *kept.secondary]) == sorted(cells)
    withheld = {key: cells[key] for key in kept.primary}

    def safe(keys):
        return check_release(counts, {key: cells[key] for key in keys}, withheld=withheld).safe

    assert safe(kept.released)
    assert not any(safe([*kept.released, key]) for key in kept.secondary)
    order = data.draw(st.permutations(list(cells)))
    assert check_release(counts, {key: cells[key] for key in order}).safe == check_release(counts, cells).safe


@settings(max_examples=60)
@given(systems)
def test_to_show_less_never_reveals_more(system):
    counts, cells = dict(enumerate(system[0])), dict(enumerate(system[1]))
    if check_release(counts, cells).safe:
        assert all(check_release(counts, {k: cells[k] for k in cells if k != key}).safe for key in cells)


def test_the_names_of_atoms_do_not_matter():
    old, new = tabulate(MAPS, 0), tabulate(MAPS, 1)
    for order in permutations(MAPS):
        verdict = check_release({atom: MAPS[atom] for atom in order}, old | new)
        assert [found.n for found in verdict.disclosures] == [3]


def test_a_province_on_two_maps_is_published_safely():
    """38 communes of 94 old ones, by three kinds of complaint, on both maps with all margins."""
    atoms = {}
    for old in range(94):
        for kind in range(3):
            new = old * 38 // 94
            atoms[old, new, kind] = (old * 7 + kind * 13) % 23
            if old % 9 == 0:
                atoms[old, new + 1 if new < 37 else 0, kind] = (old + kind) % 6
    table = {}
    for positions in ((0, 2), (1, 2), (0,), (1,), (2,), ()):
        table |= tabulate(atoms, *positions)
    kept = suppress(atoms, table)
    shown = {key: table[key] for key in kept.released}
    assert check_release(atoms, shown).safe
    assert not check_release(atoms, {key: table[key] for key in table if key not in kept.primary}).safe
    assert len(shown) > 0.5 * len(table)
    for key in kept.secondary[::10]:
        assert not check_release(atoms, shown | {key: table[key]}, withheld={k: table[k] for k in kept.primary}).safe
