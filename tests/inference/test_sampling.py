"""A sample is planned in numbers that sum, drawn so that anyone can draw it again, and honest about what it shows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandan.inference.design import Design, Stage
from gandan.inference.errors import InferenceError
from gandan.inference.estimates import estimate_domains
from gandan.inference.sampling import (
    Then,
    allocate,
    cluster_take,
    design_effect,
    inclusion_probabilities,
    marginal_critical,
    plan_budget,
    plan_separation,
    sample_size,
    select,
    two_shares,
)

pytestmark = pytest.mark.agnostic


# How many


def test_a_thousand_interviews_are_allocated():
    population, spread = [5000, 3000, 1500, 500], [10, 20, 30, 40]
    assert allocate(1000, population).tolist() == [500, 300, 150, 50]
    assert allocate(1000, population, "neyman", spread=spread).tolist() == [286, 343, 257, 114]
    assert allocate(1000, population, "equal").tolist() == [250, 250, 250, 250]
    assert allocate(1000, population, "power").tolist() == [379, 293, 208, 120]
    assert allocate(1000, population, "power", q=1, spread=spread).tolist() == [286, 343, 257, 114]
    assert allocate(1000, population, "neyman", spread=spread, cost=[1, 4, 9, 16]).sum() == 1000


@given(
    st.lists(st.tuples(st.integers(1, 500), st.floats(0, 50)), min_size=1, max_size=12),
    st.floats(0, 1),
    st.integers(0, 4),
    st.sampled_from(["proportional", "neyman", "power", "equal"]),
)
def test_allocations_sum_exactly_within_their_bounds(strata, where, minimum, method):
    population, spread = (np.array(column, dtype=float) for column in zip(*strata, strict=True))
    low = np.minimum(minimum, population)
    size = int(low.sum() + where * (population.sum() - low.sum()))
    found = allocate(size, population, method, spread=spread, minimum=minimum)
    assert found.sum() == size
    assert (found >= low).all() and (found <= population).all()


def test_sample_sizes_of_the_handbook():
    found = sample_size(0.5, 0.05, population=10_000, deff=1.5, response=0.8)
    assert (found.completed, found.issued, found.yamane) == (545, 682, 385)
    assert sample_size(0.5, 0.05).completed == 385
    assert sample_size(0.5, 0.05).yamane is None
    assert [sample_size(0.5, 0.05, population=size).yamane for size in (500, 5_000, 200_000)] == [222, 370, 399]


@pytest.mark.parametrize(
    ("p1", "p2", "plain", "with_effect"), [(0.96, 0.98, 1141, 1711), (0.90, 0.95, 434, 652), (0.80, 0.90, 199, 298)]
)
def test_interviews_that_separate_two_named_units(p1, p2, plain, with_effect):
    assert two_shares(p1, p2) == plain
    assert two_shares(p1, p2, deff=1.5) == with_effect


def test_clusters_cost_precision():
    assert cluster_take(90, 10, 0.1) == pytest.approx(9)
    assert design_effect(11, 0.05, 0.5) == pytest.approx(1.875)


# Which


FRAME = np.array([f"h{k:03d}" for k in range(60)])
STRATUM = np.repeat(["north", "south"], [40, 20])
SIZE = np.tile([1.0, 2.0, 3.0, 4.0], 15)


def names(found, frame=FRAME):
    return frame[found.rows].tolist()


@pytest.mark.parametrize("method", ["srs", "systematic", "pps"])
def test_a_draw_can_be_repeated_from_its_seed_whatever_the_order_of_the_frame(method):
    one = select(FRAME, 5, seed=8, method=method, size=SIZE, strata=STRATUM)
    shuffled = np.random.default_rng(1).permutation(60)
    two = select(FRAME[shuffled], 5, seed=8, method=method, size=SIZE[shuffled], strata=STRATUM[shuffled])
    assert names(one) == names(two, FRAME[shuffled])
    assert (one.digest, one.seed) == (two.digest, 8)
    assert names(select(FRAME, 5, seed=9, method=method, size=SIZE, strata=STRATUM)) != names(one)
    assert select(FRAME, 5, seed=8, method="pps", size=SIZE * 1.5).digest != one.digest


def test_another_stratum_changes_no_draw():
    alone = select(FRAME[:40], 5, seed=8)
    named = select(FRAME[:40], 5, seed=8, strata=STRATUM[:40])
    both = select(FRAME, {"north": 5, "south": 2}, seed=8, strata=STRATUM)
    assert set(names(named)) < set(names(both))
    assert len(names(both)) == 7 and len(names(alone)) == 5
    assert names(select(FRAME, {"south": 2}, seed=8, strata=STRATUM)) == names(both)[5:]


def test_the_frame_is_never_changed():
    frame, size = FRAME.copy(), SIZE.copy()
    select(frame, 5, seed=1, method="pps", size=size)
    assert (frame == FRAME).all() and (size == SIZE).all()


def test_large_units_are_certain_and_the_rest_share_anew():
    pi, sure = inclusion_probabilities([100.0, 40.0, 1.0, 1.0, 1.0, 1.0], 3)
    assert sure.tolist() == [True, True, False, False, False, False]
    np.testing.assert_allclose(pi, [1, 1, 0.25, 0.25, 0.25, 0.25])
    found = select(np.arange(6), 3, seed=2, method="pps", size=[100.0, 40, 1, 1, 1, 1])
    assert found.rows[:2].tolist() == [0, 1] and found.certain[:, 0].tolist() == [True, True, False]


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=30), st.data())
def test_inclusion_probabilities_sum_to_the_sample(size, data):
    n = data.draw(st.integers(1, len(size)))
    pi, sure = inclusion_probabilities(size, n)
    assert pi.sum() == pytest.approx(n)
    assert (pi <= 1 + 1e-12).all() and (pi[sure] == 1).all()


@pytest.mark.parametrize("method", ["srs", "systematic", "pps"])
def test_units_are_drawn_as_often_as_their_probability_says(method):
    hits, runs = np.zeros(12), 3000
    size = np.arange(1.0, 13.0)
    for seed in range(runs):
        found = select(np.arange(12), 4, seed=seed, method=method, size=size)
        hits[found.rows] += 1
        expected = inclusion_probabilities(size, 4)[0] if method == "pps" else np.full(12, 4 / 12)
        np.testing.assert_allclose(found.probability[:, 0], expected[found.rows])
    assert (np.abs(hits / runs - expected) < 4 * np.sqrt(expected * (1 - expected) / runs) + 1e-9).all()


def villages():
    """Thirty villages of unequal size in two strata, with their houses as the frame."""
    rng = np.random.default_rng(3)
    houses = rng.integers(6, 40, 30)
    village = np.repeat(np.arange(30), houses)
    house = np.concatenate([np.arange(size) for size in houses])
    return np.arange(village.size), village, house, np.where(village < 18, "hill", "valley"), houses[village]


def test_two_stages_with_equal_take_give_equal_weights():
    ids, village, _house, stratum, size = villages()
    found = select(ids, 4, seed=5, method="pps", size=size, strata=stratum, unit=village, then=[Then(6)])
    assert found.rows.size == 2 * 4 * 6
    for name in ("hill", "valley"):
        mine = found.stratum == name
        assert np.ptp(found.weight[mine]) < 1e-9 or found.certain[mine].any()
        assert np.unique(found.unit[mine, 0]).size == 4
    np.testing.assert_allclose(found.weight, 1 / found.probability.prod(axis=1))


def test_a_draw_of_two_stages_makes_a_design_whose_total_is_unbiased():
    ids, village, house, stratum, _size = villages()
    y = village * 0.3 + house % 3
    inside = 0
    totals = []
    for seed in range(150):
        found = select(ids, 5, seed=seed, strata=stratum, unit=village, then=[Then(4, unit=house)])
        rows = found.rows
        houses = Stage(house[rows], fpc=found.population[:, 1])
        design = Design(found.weight, found.stratum, village[rows], found.population[:, 0], (houses,))
        e = estimate_domains(design, y[rows], stat="total")
        inside += e.lo[0, 0] <= y.sum() <= e.hi[0, 0]
        totals.append(e.est[0, 0])
    error = np.std(totals) / np.sqrt(150)
    assert abs(np.mean(totals) - y.sum()) < 4 * error
    assert inside >= 0.85 * 150


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: select([], 1, seed=1), "empty-data"),
        (lambda: select(["a", "a"], 1, seed=1), "ids-not-unique"),
        (lambda: select(["a", ""], 1, seed=1), "missing-code"),
        (lambda: select(["a", "b"], 3, seed=1), "sample-larger-than-frame"),
        (lambda: select(["a", "b"], 1, seed=1, method="quota"), "option-unknown"),
        (lambda: select(["a", "b"], 1, seed=1, method="pps"), "option-unknown"),
        (lambda: select(["a", "b"], 1, seed=1, method="pps", size=[1, 0]), "size-not-positive"),
        (lambda: select(["a", "b"], 1, seed=1, method="pps", size=[1, np.nan]), "size-not-positive"),
        (lambda: select(["a", "b"], 1, seed=1, method="pps", size=[1, 2], unit=["u", "u"]), "size-varies"),
        (lambda: select(["a", "b"], {"x": 1}, seed=1, strata=["s", "t"]), "stratum-unknown"),
        (lambda: select(["a", "b"], 1, seed=1, strata=["s"]), "length-mismatch"),
        (lambda: allocate(3, [10, 10]), "allocation-infeasible"),
        (lambda: allocate(30, [10, 10]), "allocation-infeasible"),
        (lambda: allocate(9, [10, 10], "best"), "option-unknown"),
        (lambda: allocate(9, [10, 10], "neyman"), "option-unknown"),
        (lambda: allocate(9, [10, 0]), "not-finite"),
        (lambda: allocate(9, [10, 10], "neyman", spread=[1]), "length-mismatch"),
        (lambda: sample_size(0, 0.05), "probability-out-of-range"),
        (lambda: sample_size(0.5, 0.05, response=0), "probability-out-of-range"),
        (lambda: sample_size(0.5, 0.05, level=1), "level-out-of-range"),
        (lambda: two_shares(0.5, 0.5), "probability-out-of-range"),
        (lambda: cluster_take(0, 1, 0.1), "not-finite"),
        (lambda: plan_separation(0.9, 0.04, 100, 1.5, 1, 10, seed=1), "option-unknown"),
        (lambda: plan_separation(1.5, 0.04, 100, 1.5, 8, 10, seed=1), "probability-out-of-range"),
        (lambda: plan_budget(1, cost_interview=5, mean=0.9, sd_between=0.04, units=8, seed=1), "budget-too-small"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_its_reason(call, code):
    with pytest.raises(InferenceError) as refused:
        call()
    assert refused.value.code == code
    assert code in str(refused.value)


# What it will show


NOTE = {
    (0.88, 0.04): {
        50: (37.6, 1.0),
        100: (36.7, 3.6),
        200: (34.7, 9.0),
        400: (30.8, 19.5),
        800: (26.4, 31.4),
        1600: (20.3, 47.8),
    },
    (0.97, 0.012): {
        50: (38.0, 0.0),
        100: (38.0, 0.0),
        200: (37.8, 0.5),
        400: (36.7, 3.4),
        800: (34.0, 10.6),
        1600: (28.5, 25.6),
    },
}
"""Places in a rank set of 38 and per cent of pairs told apart, as the design note has them: 40 replications each."""

OURS = {
    (0.88, 0.04): {
        50: (37.638, 0.005, 0.98, 0.01),
        100: (36.717, 0.012, 3.47, 0.03),
        200: (34.740, 0.023, 8.81, 0.06),
        400: (31.172, 0.046, 18.45, 0.12),
        800: (26.153, 0.052, 32.02, 0.14),
        1600: (20.707, 0.050, 46.74, 0.13),
    },
    (0.97, 0.012): {
        50: (37.9998, 0.0002, 0.001, 0.0005),
        100: (37.992, 0.001, 0.02, 0.003),
        200: (37.843, 0.005, 0.42, 0.01),
        400: (36.851, 0.016, 3.11, 0.04),
        800: (34.043, 0.033, 10.69, 0.09),
        1600: (29.488, 0.047, 23.00, 0.13),
    },
}
"""The same of `plan_separation`, each with its Monte-Carlo error: seed 2026, 4,000 replications for the first three
cells and 2,000 for the others."""

FAR = {(0.97, 0.012, 1600): (1.0, 2.7)}
"""Where the note lies more than half a place from ours, and how far: 28.5 places and 25.6 % against 29.49 and 23.0 % in
2,000 replications. Its 40 replications have an error of a third of a place there; nothing of ours was bent to it."""

CELLS = [(*key, n) for key, rows in OURS.items() for n in rows]


@pytest.mark.parametrize(("mean", "sd", "n"), CELLS)
def test_the_note_and_our_long_runs_agree_within_half_a_place_or_it_is_said_where_not(mean, sd, n):
    width, _, share, _ = OURS[mean, sd][n]
    places, points = FAR.get((mean, sd, n), (0.5, 1.5))
    off = abs(NOTE[mean, sd][n][0] - width), abs(NOTE[mean, sd][n][1] - share)
    assert off[0] <= places and off[1] <= points
    assert (off[0] > 0.5) == ((mean, sd, n) in FAR)


def separates(mean, sd, n, reps):
    """Nothing but chance lies between a run of another seed and our long one."""
    found = plan_separation(mean, sd, n, 1.5, 38, reps, seed=11)
    width, width_error, share, share_error = OURS[mean, sd][n]
    assert abs(found.width - width) <= 4 * np.hypot(found.width_error, width_error)
    assert abs(100 * found.separated - share) <= 4 * np.hypot(100 * found.separated_error, share_error)
    assert found.interviews == 38 * n


@pytest.mark.parametrize(("mean", "sd", "n"), [(0.88, 0.04, 100), (0.88, 0.04, 1600), (0.97, 0.012, 400)])
def test_a_short_run_separates_what_the_long_one_does(mean, sd, n):
    separates(mean, sd, n, 60)


@pytest.mark.long
@pytest.mark.parametrize(("mean", "sd", "n"), CELLS)
def test_another_seed_separates_what_the_long_run_does(mean, sd, n):
    separates(mean, sd, n, 400)


def test_few_interviews_offer_no_ranking_and_say_what_else():
    found = plan_separation(0.97, 0.012, 100, 1.5, 38, 5, seed=1)
    assert not found.offers_ranking
    assert found.advice == ("use-tiers", "pool-years", "borrow-strength", "ask-experience")
    again = plan_separation(0.97, 0.012, 100, 1.5, 38, 5, seed=1)
    assert found == again


def test_more_money_separates_more_and_costs_what_it_says():
    offers = plan_budget(
        4e6, cost_interview=500, cost_cluster=2000, mean=0.88, sd_between=0.04, units=12, reps=10, seed=4
    )
    assert [offer.separation.n for offer in offers] == [476, 952, 1904, 3809]
    shares = [offer.separation.separated for offer in offers]
    assert shares == sorted(shares)
    assert all(offer.cost <= 4e6 * times + 1e-6 for offer, times in zip(offers, (1, 2, 4, 8), strict=True))


def test_two_units_have_the_critical_value_of_one_comparison():
    np.testing.assert_allclose(marginal_critical(np.array([1.0, 2.0]), 0.95), 1.959963984540054, atol=1e-5)


def test_the_marginal_critical_value_of_a_published_league_is_met(shared):
    t = shared("pisa2018.csv")
    found = marginal_critical(t["math_se"], 0.95)[t["jurisdiction"].tolist().index("United Kingdom")]
    assert found == pytest.approx(3.0330148, abs=1e-4)
