"""Figures of old units on the map of a later day: exactly, or honestly not at all.

`lossy_merge` is the rule by which the field's leading statistics system merges units: of all sources it keeps the
value that was written last, and deletes the others with their history. It stands here as a rejected reference
implementation: each story below must fail under it and hold under ours.
"""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandan.inference.correspondence import Link, chain, check_links, compose, restate
from gandan.inference.errors import InferenceError

pytestmark = pytest.mark.agnostic

MERGED = [Link("a", "n"), Link("b", "n"), Link("c", "n")]
ABSORBED = [Link("a", "c"), Link("b", "c"), Link("c", "c")]


def lossy_merge(values, written, links):
    """The rejected rule: delete the target's values, then copy only the last written value of any source."""
    kept = {code: value for code, value in values.items() if code not in {link.new for link in links}}
    for target in {link.new for link in links}:
        sources = [link.old for link in links if link.new == target and link.old != target and link.old in values]
        for source in sources:
            kept.pop(source, None)
        if sources:
            kept[target] = values[max(sources, key=written.__getitem__)]
    return kept


WRITTEN = {"a": 1, "b": 3, "c": 2}


def test_m1_four_seven_and_two_are_thirteen_and_nothing_of_it_is_imputed():
    values = {"a": 4, "b": 7, "c": 2}
    found = restate(values, MERGED)["n"]
    assert (found.value, found.imputed, found.unknown, found.coverage) == (13, 0, 0, "3 of 3")
    assert found.sources == ("a", "b", "c")
    assert lossy_merge(values, WRITTEN, MERGED) == {"n": 7}


def test_m2_a_unit_that_absorbs_two_others_keeps_its_own():
    values = {"a": 4, "b": 7, "c": 2}
    assert restate(values, ABSORBED)["c"].value == 13
    assert lossy_merge(values, WRITTEN, ABSORBED) == {"c": 7}


def test_m3_the_old_map_still_shows_what_each_reported():
    values = {"a": 4, "b": 7, "c": 2}
    restate(values, MERGED)
    assert {code: each.value for code, each in restate(values, []).items()} == {"a": 4, "b": 7, "c": 2}
    assert values == {"a": 4, "b": 7, "c": 2}
    assert "a" not in lossy_merge(values, WRITTEN, MERGED)


@pytest.mark.parametrize("values", [{"a": 4, "c": 2}, {"a": 4, "b": None, "c": 2}])
def test_m4_missing_is_not_zero(values):
    found = restate(values, MERGED)["n"]
    assert (found.value, found.coverage) == (6, "2 of 3")
    assert restate({"a": 4, "b": 0, "c": 2}, MERGED)["n"].coverage == "3 of 3"
    assert lossy_merge({"a": 4, "c": 2}, WRITTEN, MERGED)["n"] != 6


def test_m4_nothing_reported_is_no_number():
    found = restate({"a": None}, MERGED)["n"]
    assert (found.value, found.reported, found.expected, found.is_break) == (None, 0, 3, False)


def test_m5_a_ratio_is_restated_from_its_parts():
    values = {"a": (1, 4), "b": (6, 7), "c": (0, 2)}
    found = restate(values, MERGED, how="ratio")["n"]
    assert found.value == Fraction(7, 13)
    numerators = {code: top for code, (top, _) in values.items()}
    denominators = {code: bottom for code, (_, bottom) in values.items()}
    torn = (
        lossy_merge(numerators, WRITTEN, MERGED)["n"],
        lossy_merge(denominators, {"a": 1, "b": 2, "c": 3}, MERGED)["n"],
    )
    assert torn == (6, 2), "the rejected rule joins parts of different communes"
    assert found.value != sum((Fraction(*each) for each in values.values()), Fraction(0)) / 3


def test_m5_a_ratio_over_nothing_is_no_number():
    assert restate({"a": (0, 0)}, [], how="ratio")["a"].value is None


@pytest.mark.parametrize("how", ["median", "mean", "rate", ""])
def test_m6_a_median_is_not_restatable(how):
    with pytest.raises(InferenceError, match="not-restatable: .*recompute it from the cases"):
        restate({"a": 4}, MERGED, how=how)


def test_m7_a_division_of_unknown_sizes_breaks_the_series():
    found = restate({"a": 13}, [Link("a", "m", "unknown"), Link("a", "n", "unknown")])
    for each in found.values():
        assert (each.value, each.is_break, each.unknown) == (None, True, 1)


def test_m7_declared_shares_say_how_much_is_imputed():
    links = [Link("a", "m", "share", Fraction(2, 5)), Link("a", "n", "share", Fraction(3, 5)), Link("b", "n")]
    found = restate({"a": 10, "b": 4}, links)
    assert (found["m"].value, found["m"].imputed) == (4, 1)
    assert (found["n"].value, found["n"].imputed) == (10, Fraction(3, 5))
    ratio = restate({"a": (5, 10), "b": (4, 4)}, links, how="ratio")["n"]
    assert (ratio.value, ratio.imputed) == (Fraction(7, 10), Fraction(6, 10))


def test_m7_known_shares_may_stand_beside_a_rest_of_unknown_size():
    links = [Link("a", "m", "share", Fraction(1, 4)), Link("a", "n", "unknown"), Link("a", "o", "unknown")]
    found = restate({"a": 8}, links)
    assert (found["m"].value, found["m"].imputed, found["n"].value) == (2, 1, None)


def test_m9_one_code_that_names_two_places_is_two_units():
    first = [Link("03388/2004", "03386/2025"), Link("03385/2004", "03388/2025")]
    found = restate({"03388/2004": 3, "03385/2004": 5}, first)
    assert (found["03386/2025"].value, found["03388/2025"].value) == (3, 5)


def test_figures_of_both_signs_never_hide_what_is_imputed():
    links = [Link("a", "n", "share", Fraction(1, 2)), Link("a", "m", "share", Fraction(1, 2)), Link("b", "n")]
    found = restate({"a": 10, "b": -5}, links)["n"]
    assert (found.value, found.imputed) == (0, Fraction(1, 2))


# Chains


def test_parts_that_meet_again_are_whole_again():
    split = [Link("a", "m", "share", Fraction(1, 3)), Link("a", "n", "share", Fraction(2, 3))]
    unknown = [Link("a", "m", "unknown"), Link("a", "n", "unknown")]
    again = [Link("m", "z"), Link("n", "z")]
    for step in (split, unknown):
        assert chain([step, again]) == [Link("a", "z")]
        assert restate({"a": 13}, chain([step, again]))["z"].value == 13


def test_shares_multiply_and_unknown_stays_unknown():
    first = [Link("a", "m", "share", Fraction(1, 2)), Link("a", "n", "share", Fraction(1, 2))]
    then = [
        Link("m", "x", "share", Fraction(1, 5)),
        Link("m", "y", "share", Fraction(4, 5)),
        Link("n", "y", "unknown"),
        Link("n", "z", "unknown"),
    ]
    links = {(link.old, link.new): link for link in chain([first, then])}
    assert links["a", "x"].share == Fraction(1, 10)
    assert links["a", "y"].part == links["a", "z"].part == "unknown"
    check_links(links.values())


LONE = Link("a", "b", "unknown")


@pytest.mark.parametrize(
    "steps",
    [
        [[LONE]],
        [[LONE], []],
        [[], [LONE]],
        [[Link("x", "y")], [LONE]],
        [[Link("a", "m")], [Link("m", "b", "unknown")]],
        [[Link("a", "m", "unknown")], [Link("m", "b")]],
        [[Link("a", "m", "unknown")], [Link("m", "k", "unknown"), Link("m", "l", "unknown")], [Link("k", "b")]],
        [
            [Link("a", "m", "unknown"), Link("a", "n", "unknown")],
            [Link("m", "k", "unknown"), Link("n", "l")],
            [Link("k", "b"), Link("l", "b")],
        ],
    ],
)
def test_a_single_part_of_unknown_size_never_becomes_the_whole(steps):
    links = chain(steps)
    check_links(links)
    found = restate({"a": 100}, links)["b"]
    assert (found.value, found.is_break) == (None, True)


def test_a_unit_from_outside_joins_a_later_step():
    links = compose([Link("a", "n")], [Link("n", "z"), Link("outside", "z")])
    assert restate({"a": 1, "outside": 2}, links)["z"].value == 3


def test_a_later_step_cannot_repair_a_lost_unit():
    with pytest.raises(InferenceError, match="neither one whole"):
        chain([[Link("a", "m", "share", Fraction(1, 3))], [Link("m", "z")]])


@st.composite
def histories(draw):
    """A chain of merges, divisions (declared, of unknown sizes, or with a rest untold) and renames over five units."""
    living, counter, steps = [f"u{n}" for n in range(5)], 5, []
    for _ in range(draw(st.integers(1, 6))):
        links, following = [], []
        order = draw(st.permutations(living))
        while order:
            size = draw(st.integers(1, min(3, len(order))))
            group, order = order[:size], order[size:]
            counter += 2
            if size == 1 and draw(st.booleans()):
                pair = [f"u{counter}", f"u{counter + 1}"]
                kind = draw(st.sampled_from(["shares", "unknown", "both", "lone"]))
                share = Fraction(draw(st.integers(1, 9)), 10)
                if kind == "shares":
                    links += [Link(group[0], pair[0], "share", share), Link(group[0], pair[1], "share", 1 - share)]
                elif kind == "lone":
                    pair = pair[:1]
                    links.append(Link(group[0], pair[0], "unknown"))
                else:
                    if kind == "both":
                        counter += 1
                        pair.append(f"u{counter + 1}")
                        links.append(Link(group[0], pair[2], "share", share))
                    links += [Link(group[0], new, "unknown") for new in pair[:2]]
                following += pair
            else:
                links += [Link(unit, f"u{counter}") for unit in group]
                following.append(f"u{counter}")
        steps.append(links)
        living = following
    return steps


def follow(history, old, amount):
    """What a slow hand does: carry one unit's amount through every step, None where a size is unknown."""
    held, told = {old: Fraction(amount)}, True
    for step in history:
        following = {}
        for unit, value in held.items():
            parts = [each for each in step if each.old == unit] or [Link(unit, unit)]
            told = told and [each.part for each in parts] != ["unknown"]
            for link in parts:
                weight = None if link.part == "unknown" else link.share if link.part == "share" else Fraction(1)
                part = None if weight is None or value is None else weight * value
                before = following.get(link.new, Fraction(0))
                following[link.new] = None if part is None or before is None else before + part
        held = dict.fromkeys(following, Fraction(amount)) if told and len(following) == 1 else following
    return held


def guess(history, old, amount, rng):
    """What might have happened: carry one unit's amount through, sizes that nobody told chosen at random."""
    held = {old: Fraction(amount)}
    for step in history:
        following = {}
        for unit, value in held.items():
            parts = [each for each in step if each.old == unit] or [Link(unit, unit)]
            known = sum((each.share for each in parts if each.part == "share"), Fraction(0))
            sizes = [rng.randint(1, 99) for each in parts if each.part == "unknown"]
            everything = sum(sizes) if len(parts) > 1 else 100
            for link in parts:
                weight = link.share if link.part == "share" else Fraction(1)
                if link.part == "unknown":
                    weight = (1 - known) * Fraction(sizes.pop(), everything)
                following[link.new] = following.get(link.new, Fraction(0)) + weight * value
        held = following
    return held


@given(histories(), st.lists(st.integers(0, 1000), min_size=5, max_size=5), st.randoms(use_true_random=False))
def test_no_number_hangs_on_a_size_that_nobody_told(history, figures, rng):
    values = {f"u{n}": figure for n, figure in enumerate(figures)}
    found = restate(values, chain(history))
    for _ in range(2):
        happened = {}
        for old, amount in values.items():
            for new, part in guess(history, old, amount, rng).items():
                happened[new] = happened.get(new, Fraction(0)) + part
        assert happened.keys() == found.keys()
        for new, each in found.items():
            assert each.value is None or each.value == happened[new]


@given(histories(), st.lists(st.integers(0, 1000), min_size=5, max_size=5))
def test_any_chain_gives_what_a_slow_hand_gives(history, figures):
    values = {f"u{n}": figure for n, figure in enumerate(figures)}
    links = chain(history)
    check_links(links)
    found = restate(values, links)
    expected = {}
    for old, amount in values.items():
        for new, part in follow(history, old, amount).items():
            before = expected.get(new, Fraction(0))
            expected[new] = None if part is None or before is None else before + part
    assert {new: each.value for new, each in found.items()} == expected
    if not any(each.is_break for each in found.values()):
        assert sum(each.value for each in found.values()) == sum(figures)
    assert {code: each.value for code, each in restate(values, []).items()} == values


# Bad input


@pytest.mark.parametrize(
    ("links", "code"),
    [
        ([Link("a", "m"), Link("a", "n")], "links-not-whole"),
        ([Link("a", "m"), Link("a", "m")], "links-not-whole"),
        ([Link("a", "m", "share", Fraction(1, 3))], "links-not-whole"),
        ([Link("a", "m", "share", Fraction(1)), Link("a", "n", "unknown")], "links-not-whole"),
        ([Link("a", "m"), Link("a", "n", "unknown")], "links-not-whole"),
        ([Link("a", "m", "share", None)], "share-out-of-range"),
        ([Link("a", "m", "share", Fraction(0)), Link("a", "n", "share", Fraction(1))], "share-out-of-range"),
        ([Link("a", "m", "share", Fraction(3, 2)), Link("a", "n", "share", Fraction(-1, 2))], "share-out-of-range"),
        ([Link("a", "m", "most")], "option-unknown"),
    ],
)
def test_links_that_lose_or_double_a_unit_are_refused(links, code):
    with pytest.raises(InferenceError) as refused:
        restate({"a": 1}, links)
    assert refused.value.code == code
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize("value", [1.5, True, "4", (1, 2), float("nan")])
def test_a_sum_takes_exact_numbers_only(value):
    with pytest.raises(InferenceError, match="value-kind: a has"):
        restate({"a": value}, [])


@pytest.mark.parametrize("value", [1, (1, 2.0), (1, 2, 3), (None, 4)])
def test_a_ratio_takes_exact_parts_only(value):
    with pytest.raises(InferenceError, match="value-kind"):
        restate({"a": value}, [], how="ratio")


def test_no_value_and_no_link_is_no_figure():
    assert restate({}, []) == {}
    assert restate({}, MERGED)["n"].value is None
