"""A rank is shown with all the ranks it might be, and a tier only where the numbers prove it."""

import csv

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gandan.inference.errors import InferenceError
from gandan.inference.ranking import (
    groups,
    joint_rank_region,
    marginal_rank_sets,
    rank_sets,
    rank_sets_multinomial,
    tau_best,
    tau_worst,
    tell_apart,
    tiers,
)
from tests.inference.conftest import FOLDER

pytestmark = pytest.mark.agnostic
KINDS = ("two-sided", "lower", "upper")


def bounds(sets):
    return list(zip(sets.lower.tolist(), sets.upper.tolist(), strict=True))


# Worked by hand


def test_two_communes_far_apart_have_one_rank_each_and_near_ones_share_both():
    assert bounds(rank_sets([0.9, 0.7], [0.01, 0.01], seed=1)) == [(1, 1), (2, 2)]
    assert bounds(rank_sets([0.81, 0.80], [0.01, 0.01], seed=1)) == [(1, 2), (1, 2)]


def test_the_largest_is_first_unless_smaller_is_better():
    assert rank_sets([3, 9, 5], [0, 0, 0], seed=1).rank.tolist() == [3, 1, 2]
    assert rank_sets([3, 9, 5], [0, 0, 0], seed=1, smaller_is_better=True).rank.tolist() == [1, 3, 2]


def test_without_error_every_unit_has_its_rank_and_tied_ones_share_theirs():
    sets = rank_sets([3, 9, 5, 5], [0, 0, 0, 0], seed=1)
    assert bounds(sets) == [(4, 4), (1, 1), (2, 3), (2, 3)]
    assert sets.rank.tolist() == [4, 1, 2, 2]
    assert sets.critical == 0


def test_one_unit_is_first_among_itself():
    sets = rank_sets([0.8], [0.1], seed=1)
    assert bounds(sets) == [(1, 1)]
    assert (sets.critical, sets.mc_error) == (0, 0)
    assert bounds(marginal_rank_sets([0.8], [0.1])) == [(1, 1)]
    assert groups(sets).tolist() == [1]


def test_perfect_ties_are_never_told_apart():
    assert bounds(rank_sets([0.8] * 4, [0.1] * 4, seed=1)) == [(1, 4)] * 4
    assert bounds(marginal_rank_sets([0.8] * 4, [0.1] * 4)) == [(1, 4)] * 4


def test_units_that_vary_together_are_told_apart_by_any_difference():
    cov = [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    sets = rank_sets([0.001, 0.0, 0.0], cov, seed=1)
    assert bounds(sets) == [(1, 2), (2, 3), (1, 3)]


def test_the_seed_is_kept_and_gives_the_same_again():
    first, second = (rank_sets([3, 2, 1, 0], [1, 1, 1, 1], seed=7) for _ in range(2))
    assert (first.seed, first.critical) == (7, second.critical)
    assert rank_sets([3, 2, 1, 0], [1, 1, 1, 1], seed=8).critical != first.critical


def test_two_units_have_the_critical_value_of_one_difference():
    assert marginal_rank_sets([1, 2], [1, 3], stepdown=False).critical == pytest.approx([1.959963985] * 2, abs=1e-8)
    assert marginal_rank_sets([1, 2], [1, 3], kind="lower").critical[0] == pytest.approx(1.644853627, abs=1e-8)


def test_a_bound_at_the_edge_of_chance_is_named():
    x = [0.0, 3.0]
    near = rank_sets([0.0, 1.96], [np.sqrt(0.5)] * 2, seed=3, draws=1000)
    far = rank_sets(x, [np.sqrt(0.5)] * 2, seed=3, draws=1000)
    assert near.knife_edge.tolist() == [0, 1]
    assert far.knife_edge.tolist() == []


def test_the_monte_carlo_error_is_that_of_repeated_draws():
    told = rank_sets(np.arange(10), np.full(10, 4.0), seed=0, draws=2000, stepdown=False).mc_error
    values = [
        rank_sets(np.arange(10), np.full(10, 4.0), seed=s, draws=2000, stepdown=False).critical for s in range(60)
    ]
    assert 0.6 < told / np.std(values) < 1.6


# What must always hold

estimates = st.integers(2, 9).flatmap(
    lambda size: st.tuples(
        st.lists(st.integers(-30, 30).map(lambda n: n / 10), min_size=size, max_size=size),
        st.lists(st.integers(0, 12).map(lambda n: n / 10), min_size=size, max_size=size),
        st.permutations(range(size)),
    )
)


@settings(max_examples=40)
@given(estimates, st.sampled_from(KINDS))
def test_the_order_in_which_units_are_given_does_not_matter(given_, kind):
    x, se, order = (np.array(each) for each in given_)
    for sets in (
        lambda x, se: rank_sets(x, se, seed=5, draws=400, kind=kind),
        lambda x, se: marginal_rank_sets(x, se, kind=kind),
        lambda x, se: marginal_rank_sets(x, np.diag(se**2), kind=kind, draws=400, seed=2),
    ):
        one, other = sets(x, se), sets(x[order], se[order])
        assert np.array_equal(one.lower[order], other.lower)
        assert np.array_equal(one.upper[order], other.upper)
        assert np.array_equal(one.rank[order], other.rank)


@settings(max_examples=40)
@given(estimates, st.floats(0.01, 1e6), st.floats(-1e3, 1e3))
def test_the_unit_of_measurement_does_not_matter(given_, factor, shift):
    x, se, _ = (np.array(each) for each in given_)
    one, other = rank_sets(x, se, seed=5, draws=400), rank_sets(factor * x, factor * se, seed=5, draws=400)
    assert one.critical == pytest.approx(other.critical, rel=1e-5)
    assume(not one.knife_edge.size and not other.knife_edge.size)
    assert bounds(one) == bounds(other)
    assert rank_sets(x + shift, se, seed=5, draws=400).critical == pytest.approx(one.critical, rel=1e-2)


@settings(max_examples=40)
@given(estimates, st.sampled_from(KINDS))
def test_stepping_down_narrows_and_a_higher_level_widens(given_, kind):
    x, se, _ = (np.array(each) for each in given_)
    single = rank_sets(x, se, seed=5, draws=500, kind=kind, stepdown=False)
    down = rank_sets(x, se, seed=5, draws=500, kind=kind)
    wide = rank_sets(x, se, seed=5, draws=500, kind=kind, level=0.99)
    for narrow, broad in ((down, single), (down, wide)):
        assert (narrow.lower >= broad.lower).all()
        assert (narrow.upper <= broad.upper).all()
    assert ((down.lower <= down.rank) & (down.rank <= down.upper)).all()


@settings(max_examples=40)
@given(estimates)
def test_a_set_of_its_own_lies_within_the_set_for_all_and_a_one_sided_end_within_both(given_):
    x, se, _ = (np.array(each) for each in given_)
    together = rank_sets(x, se, seed=5, draws=4000, stepdown=False)
    alone = marginal_rank_sets(x, se, stepdown=False, draws=4000, seed=5)
    lower = marginal_rank_sets(x, se, stepdown=False, draws=4000, seed=5, kind="lower")
    assert (alone.lower >= together.lower).all()
    assert (alone.upper <= together.upper).all()
    assert (lower.lower >= alone.lower).all()
    assert (lower.upper == x.size).all()


@settings(max_examples=25)
@given(estimates, st.sampled_from(KINDS), st.booleans())
def test_quadrature_and_draws_give_the_same_critical_values(given_, kind, stepdown):
    x, se, _ = (np.array(each) for each in given_)
    exact = marginal_rank_sets(x, se, kind=kind, stepdown=False)
    drawn = marginal_rank_sets(x, se, kind=kind, stepdown=False, draws=20_000, seed=1)
    assert (np.abs(exact.critical - drawn.critical) <= 5 * drawn.mc_error + 1e-3).all()


def by_the_book(x, cov, rows, kind, level, stepdown, normals):
    """The procedure as it is printed: all pairs at once, in double precision, from the same normals."""
    p, root = x.size, np.linalg.cholesky(cov)
    z = root @ normals
    s = np.sqrt(np.add.outer(np.diag(cov), np.diag(cov)) - 2 * cov)
    pairs = {
        (j, k)
        for j in range(p)
        for k in range(p)
        if j != k and {"two-sided": j in rows or k in rows, "lower": k in rows, "upper": j in rows}[kind]
    }
    rejected = set()
    while pairs:
        largest = np.max([(z[j] - z[k]) / s[j, k] for j, k in pairs], axis=0)
        c = np.quantile(largest, level)
        fresh = {(j, k) for j, k in pairs if x[j] - x[k] > c * s[j, k]}
        rejected |= fresh
        pairs -= fresh
        if not fresh or not stepdown:
            break
    lower = [1 + sum(k == unit for _, k in rejected) if kind != "upper" else 1 for unit in rows]
    upper = [p - sum(j == unit for j, _ in rejected) if kind != "lower" else p for unit in rows]
    return lower, upper, c


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [(0,), (3, 1), None])
@pytest.mark.parametrize("stepdown", [False, True])
def test_the_fast_way_is_the_printed_procedure(kind, rows, stepdown):
    rng = np.random.default_rng(11)
    x = np.sort(rng.normal(0, 2, 7))[::-1]
    half = rng.normal(size=(7, 7)) * 0.4
    cov = half @ half.T + 0.05 * np.eye(7)
    lower, upper, c = by_the_book(x, cov, rows or range(7), kind, 0.9, stepdown, rng.standard_normal((7, 100_000)))
    sets = rank_sets(x, cov, level=0.9, units=rows, kind=kind, stepdown=stepdown, draws=100_000, seed=4)
    assert sets.critical == pytest.approx(c, abs=0.02)
    assert (sets.lower.tolist(), sets.upper.tolist()) == (lower, upper)


# Groups, best and worst


def test_a_cut_is_drawn_only_where_every_pair_across_it_is_told_apart():
    sets = rank_sets([10, 9.9, 5, 4.9, 0], [0.1] * 5, seed=1)
    assert groups(sets).tolist() == [1, 1, 2, 2, 3]
    # The fourth unit is not told from the second, so no cut passes between them.
    blurred = rank_sets([10, 9.9, 5, 4.9, -9], [0.1, 0.1, 0.1, 3, 0.1], seed=1)
    assert groups(blurred).tolist() == [1, 1, 1, 1, 2]
    assert groups(rank_sets([1, 1, 1], [1, 1, 1], seed=1)).tolist() == [1, 1, 1]


@settings(max_examples=40)
@given(estimates)
def test_groups_follow_the_proofs(given_):
    x, se, _ = (np.array(each) for each in given_)
    sets = rank_sets(x, se, seed=2, draws=400)
    group = groups(sets)
    for cut in range(1, int(group.max())):
        assert sets.better[np.ix_(group <= cut, group > cut)].all()
    assert set(group.tolist()) == set(range(1, int(group.max()) + 1))


@settings(max_examples=30)
@given(estimates, st.data())
def test_the_best_grow_with_their_number_and_mirror_the_worst(given_, data):
    x, se, _ = (np.array(each) for each in given_)
    tau = data.draw(st.integers(1, x.size))
    best = tau_best(x, se, tau, seed=3, draws=400)
    assert best.member[x >= np.sort(x)[::-1][tau - 1]].all()
    assert (tau_best(x, se, x.size, seed=3, draws=400).member).all()
    worst = tau_worst(-x, se, tau, seed=3, draws=400)
    assert np.array_equal(best.member, worst.member) or best.sets.knife_edge.size or worst.sets.knife_edge.size


# Counts


def test_the_options_of_one_question_are_ranked_without_chance():
    sets = rank_sets_multinomial([150, 120, 95, 90, 40, 22, 20, 3, 0, 0])
    assert bounds(sets) == [(1, 2), (1, 4), (2, 4), (2, 4), (5, 7), (5, 7), (5, 7), (8, 10), (8, 10), (8, 10)]
    assert sets.seed is None


def test_options_that_nobody_chose_are_not_told_apart():
    assert bounds(rank_sets_multinomial([0, 0, 0])) == [(1, 3)] * 3
    assert bounds(rank_sets_multinomial([7])) == [(1, 1)]


@settings(max_examples=60)
@given(st.lists(st.integers(0, 60), min_size=2, max_size=7), st.sampled_from(KINDS), st.booleans())
def test_holm_is_never_wider_than_bonferroni_and_rare_mirrors_frequent(counts, kind, alone):
    units = 0 if alone else None
    holm = rank_sets_multinomial(counts, kind=kind, units=units)
    plain = rank_sets_multinomial(counts, kind=kind, units=units, correction="bonferroni")
    assert (holm.lower >= plain.lower).all()
    assert (holm.upper <= plain.upper).all()
    mirrored = {"lower": "upper", "upper": "lower"}.get(kind, kind)
    other = rank_sets_multinomial(counts, kind=mirrored, units=units, smaller_is_better=True)
    size = len(counts)
    assert np.array_equal(other.lower, 1 + size - holm.upper)
    assert np.array_equal(other.upper, 1 + size - holm.lower)


# The joint region


def test_the_joint_region_counts_intervals_that_lie_wholly_before_or_after():
    region = joint_rank_region([1, 2, 3], [0.1, 0.1, 2], level=0.9, smaller_is_better=True)
    assert bounds(region) == [(1, 2), (2, 3), (1, 3)]
    assert joint_rank_region([1, 2, 3], [0.1, 0.1, 2], level=0.9).rank.tolist() == [3, 2, 1]


def test_a_point_is_not_before_itself_nor_before_its_like():
    assert bounds(joint_rank_region([1, 1, 2], [0, 0, 0], smaller_is_better=True)) == [(1, 2), (1, 2), (3, 3)]


@settings(max_examples=40)
@given(estimates, st.sampled_from(["independent", "bonferroni"]))
def test_the_region_is_what_counting_each_pair_gives(given_, correction):
    x, se, _ = (np.array(each) for each in given_)
    region = joint_rank_region(x, se, correction=correction)
    low, high = x - region.critical * se, x + region.critical * se
    for k in range(x.size):
        # A pair of equal points touches on both sides and is before nobody.
        others = [j for j in range(x.size) if j != k and not (low[j] == high[j] == low[k] == high[k])]
        assert region.lower[k] == 1 + sum(low[j] >= high[k] for j in others)
        assert region.upper[k] == x.size - sum(high[j] <= low[k] for j in others)


# Tiers


def test_tiers_against_a_target_are_exact_for_independent_units():
    found = tiers([0.95, 0.89, 0.85, 0.70], [0.01, 0.01, 0.01, 0.01], 0.88)
    assert found.labels == ("above", "not shown different", "below", "below")
    assert found.method == "sidak"
    assert found.critical == pytest.approx(1.959964)


def test_tiers_of_a_mean_count_the_unit_itself():
    x, se = np.array([3.0, 1.0, 1.0, 1.0]), np.array([1.0, 0.5, 0.5, 0.5])
    share = np.array([0.4, 0.2, 0.2, 0.2])
    found = tiers(x, se, "mean", share=share)
    turn = np.eye(4) - share
    assert found.difference == pytest.approx(turn @ x)
    assert found.se == pytest.approx(np.sqrt(np.diag(turn @ np.diag(se**2) @ turn.T)))
    half = np.random.default_rng(0).normal(size=(4, 4))
    cov = half @ half.T
    assert tiers(x, cov, "mean", share=share).se == pytest.approx(np.sqrt(np.diag(turn @ cov @ turn.T)))


def test_tiers_may_have_a_target_for_each_unit_and_smaller_may_be_better():
    assert tiers([5, 5], [1, 1], [1, 9]).tier.tolist() == [1, -1]
    assert tiers([5, 5], [1, 1], [1, 9], smaller_is_better=True).tier.tolist() == [-1, 1]


def test_without_error_any_difference_is_proof_and_none_is_none():
    assert tiers([0.5, 0.6, 0.55], [0, 0, 0], 0.55).tier.tolist() == [-1, 1, 0]
    assert tiers([0.1 + 0.2] * 3, [0, 0, 0], "mean").tier.tolist() == [0, 0, 0]
    assert tiers([0.7], [0.1], "mean").labels == ("not shown different",)


def test_units_are_listed_by_tier_and_then_by_name_never_by_estimate():
    found = tiers([0.95, 0.99, 0.89, 0.70], [0.01] * 4, 0.88)
    assert found.order(["d", "c", "b", "a"]) == [1, 0, 2, 3]
    assert tiers([0.9, 0.8], [1, 1], 0.85).order(["b", "a"]) == [1, 0]


@settings(max_examples=40)
@given(estimates, st.sampled_from(["mean", 0.3]))
def test_drawn_tiers_agree_with_those_without_chance(given_, reference):
    x, se, order = (np.array(each) for each in given_)
    drawn, sidak = tiers(x, se, reference, seed=1), tiers(x, se, reference)
    holm = tiers(x, se, reference, method="holm")
    assert (sidak.tier[holm.tier != 0] == holm.tier[holm.tier != 0]).all()
    assert np.array_equal(sidak.tier[order], tiers(x[order], se[order], reference).tier)
    assert drawn.seed == 1
    if reference != "mean":
        close = np.abs(np.abs(drawn.difference) - sidak.critical * drawn.se) < 0.1 * drawn.se
        assume(not close.any())
        assert np.array_equal(drawn.tier, sidak.tier)


def test_steps_stop_at_the_first_that_fails():
    statistic = np.array([[2.3, 2.0, 9.0, 0.0]])
    last, told = tell_apart(statistic, np.array([[True, True, True, False]]), 0.95, "holm")
    assert told.tolist() == [[True, True, True, False]]
    assert last[0] == pytest.approx(1.959964)
    last, told = tell_apart(statistic - 0.1, np.array([[True, True, True, False]]), 0.95, "holm")
    assert told.tolist() == [[False, False, True, False]]
    assert last[0] == pytest.approx(2.241403)


# What is refused


@pytest.mark.parametrize(
    ("code", "ask"),
    [
        ("empty-data", lambda: rank_sets([], [], seed=1)),
        ("length-mismatch", lambda: rank_sets([1, 2], [1, 2, 3], seed=1)),
        ("length-mismatch", lambda: rank_sets([[1, 2]], [1, 2], seed=1)),
        ("not-finite", lambda: rank_sets([1, np.nan], [1, 1], seed=1)),
        ("not-finite", lambda: rank_sets([1, 2], [1, np.inf], seed=1)),
        ("negative-se", lambda: rank_sets([1, 2], [1, -1], seed=1)),
        ("covariance-not-psd", lambda: rank_sets([1, 2], [[1, 2], [2, 1]], seed=1)),
        ("covariance-not-psd", lambda: rank_sets([1, 2], [[1, 0], [0, -1]], seed=1)),
        ("covariance-not-psd", lambda: tiers([1, 2], [[1, 2], [2, 1]], 0)),
        ("covariance-not-symmetric", lambda: rank_sets([1, 2], [[1, 0.5], [0, 1]], seed=1)),
        ("level-out-of-range", lambda: rank_sets([1, 2], [1, 1], level=95, seed=1)),
        ("option-unknown", lambda: rank_sets([1, 2], [1, 1], kind="both", seed=1)),
        ("unit-unknown", lambda: rank_sets([1, 2], [1, 1], units=2, seed=1)),
        ("unit-unknown", lambda: rank_sets([1, 2], [1, 1], units=[0, 0], seed=1)),
        ("unit-unknown", lambda: rank_sets([1, 2], [1, 1], units=[0.5], seed=1)),
        ("empty-data", lambda: rank_sets([1, 2], [1, 1], units=[], seed=1)),
        ("seed-needed", lambda: rank_sets([1, 2], [1, 1], seed=None)),
        ("seed-needed", lambda: tiers([1, 2], [1, 1], "mean", method="max-t")),
        ("too-few-draws", lambda: rank_sets([1, 2], [1, 1], seed=1, draws=50)),
        ("exact-needs-independence", lambda: marginal_rank_sets([1, 2], [[1, 0.5], [0.5, 1]])),
        ("tau-out-of-range", lambda: tau_best([1, 2], [1, 1], 3, seed=1)),
        ("tau-out-of-range", lambda: tau_worst([1, 2], [1, 1], 0, seed=1)),
        ("not-a-count", lambda: rank_sets_multinomial([1, 2.5])),
        ("not-a-count", lambda: rank_sets_multinomial([1, -2])),
        ("option-unknown", lambda: rank_sets_multinomial([1, 2], correction="none")),
        ("negative-se", lambda: joint_rank_region([1, 2], [1, -1])),
        ("length-mismatch", lambda: joint_rank_region([1, 2], [1])),
        ("option-unknown", lambda: joint_rank_region([1, 2], [1, 1], correction="none")),
        ("groups-need-all-pairs", lambda: groups(rank_sets([1, 2], [1, 1], units=0, seed=1))),
        ("groups-need-all-pairs", lambda: groups(rank_sets([1, 2], [1, 1], kind="lower", seed=1))),
        ("groups-need-all-pairs", lambda: groups(joint_rank_region([1, 2], [1, 1]))),
        ("shares-not-one", lambda: tiers([1, 2], [1, 1], "mean", share=[0.5, 0.6])),
        ("length-mismatch", lambda: tiers([1, 2], [1, 1], "mean", share=[1])),
        ("option-unknown", lambda: tiers([1, 2], [1, 1], "median")),
        ("option-unknown", lambda: tiers([1, 2], [1, 1], 0, share=[0.5, 0.5])),
        ("option-unknown", lambda: tiers([1, 2], [1, 1], 0, method="none")),
        ("length-mismatch", lambda: tiers([1, 2], [1, 1], [1, 2, 3])),
        ("not-finite", lambda: tiers([1, 2], [1, 1], [1, np.nan])),
        ("length-mismatch", lambda: tiers([1, 2], [1, 1], 0).order(["a"])),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(code, ask):
    with pytest.raises(InferenceError) as told:
        ask()
    assert told.value.code == code


def test_the_tiniest_negative_eigenvalue_is_rounding_and_mended():
    half = np.ones((5, 1))
    cov = half @ half.T
    cov[0, 0] -= 1e-14
    assert bounds(rank_sets([1, 2, 3, 4, 5], cov + np.diag([0, 0, 0, 0, 1.0]), seed=1))[0][1] == 5


# Reference figures


def test_ranks_agree_with_the_reference_software_on_correlated_estimates(reference):
    told = reference("model.json")
    x = np.array(told["ranks/data"]["x"])
    cov = np.array(told["ranks/data"]["cov"]).reshape(x.size, x.size)
    compared = 0
    for name, sets in told.items():
        kind, *rest = name.split("/")[1:] if name.startswith("ranks/") else [""]
        if name == "ranks/data" or not kind:
            continue
        if rest == ["2-5-9"]:
            ours = rank_sets(x, cov, level=0.9, units=[1, 4, 8], kind=kind, draws=60_000, seed=3)
        elif rest[1] == "simultaneous":
            ours = rank_sets(x, cov, kind=kind, stepdown=rest[0] == "stepdown", draws=60_000, seed=3)
        else:
            ours = marginal_rank_sets(x, cov, kind=kind, stepdown=rest[0] == "stepdown", draws=60_000, seed=3)
        for bound in ("lower", "rank", "upper"):
            np.testing.assert_array_equal(getattr(ours, bound), sets[bound], err_msg=name)
        compared += 1
    assert compared == 15


def test_the_best_and_the_worst_agree_with_the_reference_software(reference):
    told = reference("model.json")
    x = np.array(told["ranks/data"]["x"])
    cov = np.array(told["ranks/data"]["cov"]).reshape(x.size, x.size)
    for tau in (1, 3, 6):
        for name, ask in (("best", tau_best), ("worst", tau_worst)):
            member = ask(x, cov, tau, draws=60_000, seed=3).member
            np.testing.assert_array_equal(member, np.array(told[f"{name}/{tau}"]["member"], dtype=bool))


def test_counts_agree_with_the_reference_software(reference):
    told = reference("model.json")
    compared = 0
    for name, sets in told.items():
        parts = name.split("/")
        if parts[0] != "counts" or len(parts) == 2:
            continue
        counts = told[f"counts/{parts[1]}"]["x"]
        ways = [None] if parts[3] == "simultaneous" else range(len(counts))
        ours = [rank_sets_multinomial(counts, kind=parts[2], units=unit, correction=parts[4]) for unit in ways]
        for bound in ("lower", "rank", "upper"):
            np.testing.assert_array_equal(np.concatenate([getattr(each, bound) for each in ours]), sets[bound], name)
        compared += 1
    assert compared == 30


def school_marks(shared):
    table = shared("pisa2018.csv")
    return table["math_score"], table["math_se"], table["jurisdiction"].tolist()


def test_marks_of_nations_agree_with_the_published_sets(shared):
    x, se, names = school_marks(shared)
    compared = 0
    for told in shared("ranks_reference.json")["results"]:
        if told["id"] != "csranks":
            continue
        assert told["names"] == names
        options = {"level": told["coverage"], "stepdown": told["stepdown"]}
        ways = (
            [rank_sets(x, se, draws=20_000, seed=1, **options)]
            if told["simul"]
            else [
                marginal_rank_sets(x, se, **options),
                marginal_rank_sets(x, se, draws=20_000, seed=1, **options),
            ]
        )
        for ours in ways:
            np.testing.assert_array_equal(ours.rank, told["rank"])
            for bound, keys in ((ours.lower, ("L", "L2", "L3")), (ours.upper, ("U", "U2", "U3"))):
                seeds = np.array([told[key] for key in keys])
                assert (np.abs(bound - seeds).min(axis=0) <= 1).all()
                assert (bound != seeds).all(axis=0).sum() <= 2
            compared += 1
    assert compared == 8
    width = [
        float((sets.upper - sets.lower + 1).mean())
        for sets in (
            rank_sets(x, se, draws=20_000, seed=1),
            rank_sets(x, se, draws=20_000, seed=1, stepdown=False),
            marginal_rank_sets(x, se),
            marginal_rank_sets(x, se, stepdown=False),
        )
    ]
    np.testing.assert_array_equal(np.round(width, 1), [12.1, 12.3, 9.8, 10.1])


def test_critical_values_of_the_nations_agree_with_four_hundred_thousand_draws(shared):
    x, se, names = school_marks(shared)
    kingdom = names.index("United Kingdom")
    for level, value in ((0.9, 3.6249), (0.95, 3.8371)):
        ours = rank_sets(x, se, level=level, stepdown=False, draws=100_000, seed=1)
        np.testing.assert_allclose(ours.critical, value, rtol=0, atol=0.015)
        assert ours.mc_error < 0.006
    exact = marginal_rank_sets(x, se, units=kingdom, stepdown=False)
    np.testing.assert_allclose(exact.critical[0], 3.0330148, rtol=0, atol=1e-6)
    drawn = rank_sets(x, se, units=kingdom, stepdown=False, draws=100_000, seed=1)
    np.testing.assert_allclose(drawn.critical, 3.0325, rtol=0, atol=0.015)
    assert bounds(marginal_rank_sets(x, se, units=kingdom)) == [(7, 23)]


def test_travel_times_have_the_published_joint_region(shared):
    told = shared("kww_reference.json")["results"][0]
    with (FOLDER / "TravelTime2011.1dec.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    est = np.array([float(row["Estimate.1dec"]) for row in rows])
    se = np.array([float(row["MOE.1dec"]) for row in rows]) / 1.6448536269514722
    region = joint_rank_region(est, se, level=0.9, decimals=1, smaller_is_better=True)
    np.testing.assert_allclose(region.critical, 3.08089992728148, rtol=1e-9)
    assert [row["Abbreviation"] for row in rows] == told["abb"]
    assert region.rank.tolist() == [int((est < each).sum()) + 1 for each in est]
    np.testing.assert_array_equal(region.lower, told["L"])
    np.testing.assert_array_equal(region.upper, told["U"])
    assert int((region.upper - region.lower + 1).sum()) == 501
    share = dict(zip(told["abb"], bounds(region), strict=True))
    assert [share[state] for state in ("SD", "ND", "WY", "IL", "DC", "NY", "MD")] == [
        (1, 6), (1, 6), (1, 9), (45, 47), (48, 49), (50, 51), (50, 51)
    ]  # fmt: skip
