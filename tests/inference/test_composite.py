"""A composite carries the error of each criterion, and says which weights its tiers hang on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandan.inference.composite import compose, weight_sensitivity
from gandan.inference.errors import InferenceError
from gandan.inference.ranking import rank_sets, tiers

pytestmark = pytest.mark.agnostic
POSTS = [(0.0, 1.0), (20.0, 0.0)]


def made(units=9, criteria=3, seed=1):
    rng = np.random.default_rng(seed)
    est = rng.uniform(0.5, 0.95, (units, criteria))
    half = rng.normal(size=(units, criteria, criteria)) * 0.03
    return est, half @ np.swapaxes(half, 1, 2)


def as_one(cov):
    """Write covariances within units as one tensor over units and criteria."""
    units, criteria = cov.shape[:2]
    full = np.zeros((units, criteria, units, criteria))
    for unit in range(units):
        full[unit, :, unit, :] = cov[unit]
    return full


def test_two_criteria_are_weighed_by_hand():
    found = compose([[0.9, 5.0], [0.8, 2.0]], [[0.02, 1.0], [0.04, 2.0]], [3, 1], goalposts=POSTS)
    assert found.weight.tolist() == [0.75, 0.25]
    assert found.scaled == pytest.approx(np.array([[0.9, 0.75], [0.8, 0.9]]))
    assert found.value == pytest.approx([0.8625, 0.825])
    assert found.se == pytest.approx([np.hypot(0.015, 0.0125), np.hypot(0.03, 0.025)])
    assert found.contribution.sum(axis=1) == pytest.approx(found.value)
    assert not found.beyond.any()


def test_a_criterion_beyond_its_goalposts_is_marked_and_not_cut():
    found = compose([[1.2, 25.0]], [[0.0, 0.0]], [1, 1], goalposts=POSTS)
    assert found.beyond.tolist() == [[True, True]]
    assert found.value == pytest.approx([(1.2 - 0.25) / 2])


def test_the_three_ways_to_write_a_covariance_agree():
    est, cov = made()
    blocks, full = compose(est, cov, [3, 2, 1]), compose(est, as_one(cov), [3, 2, 1])
    assert blocks.cov == pytest.approx(full.cov, abs=1e-15)
    se = np.sqrt(np.einsum("pkk->pk", cov))
    plain = compose(est, se, [3, 2, 1])
    weight = plain.weight
    assert plain.se == pytest.approx(np.sqrt(((weight * se) ** 2).sum(axis=1)))
    by_hand = [weight @ cov[unit] @ weight for unit in range(9)]
    assert np.diag(blocks.cov) == pytest.approx(by_hand)
    for reference in ("mean", 0.8):
        one = weight_sensitivity(est, cov, [3, 2, 1], reference, seed=1, draws=50)
        other = weight_sensitivity(est, as_one(cov), [3, 2, 1], reference, seed=1, draws=50)
        assert np.array_equal(one.share, other.share)
        assert np.array_equal(one.low, other.low)


def test_the_composite_error_is_that_of_simulated_surveys():
    est, cov = made(units=3)
    rng = np.random.default_rng(2)
    found = compose(est, cov, [5, 3, 2])
    drawn = np.stack([rng.multivariate_normal(est[u], cov[u], 40_000) for u in range(3)], axis=1)
    values = drawn @ found.weight
    assert values.std(axis=0) == pytest.approx(found.se, rel=0.02)
    assert rank_sets(found.value, found.cov, seed=1).rank.tolist() == (1 + (-found.value).argsort().argsort()).tolist()


@pytest.mark.parametrize("reference", ["mean", 0.75])
def test_the_tier_at_the_stated_weights_is_that_of_the_composite(reference):
    est, cov = made(units=20, seed=4)
    found = compose(est, cov, [5, 3, 2])
    told = weight_sensitivity(est, cov, [5, 3, 2], reference, seed=1, draws=200)
    assert np.array_equal(told.tier, tiers(found.value, found.cov, reference).tier)
    assert told.share.sum(axis=1) == pytest.approx(np.ones(20))
    assert np.array_equal(told.stable, told.share[np.arange(20), told.tier + 1] == 1)
    assert ((told.low <= found.weight) & (found.weight <= told.high)).all()
    without = compose(est[:, 1:], cov[:, 1:, 1:], [3, 2])
    assert np.array_equal(told.without[0], tiers(without.value, without.cov, reference).tier)
    even = compose(est, cov, [1, 1, 1])
    assert np.array_equal(told.equal, tiers(even.value, even.cov, reference).tier)


def test_the_weight_at_which_a_tier_turns_is_found():
    """The unit is far above by the first criterion and far below by the second: it turns around one half."""
    told = weight_sensitivity([[0.9, 0.7]], [[0.005, 0.005]], [0.8, 0.2], 0.8, seed=1)
    assert told.tier.tolist() == [1]
    # (2u - 1)·0.1 exceeds 1.96·0.005·√(u² + (1 - u)²) from u = 0.54 on.
    u = told.low[0, 0]
    assert u == pytest.approx(0.54)
    assert told.high[0].tolist() == pytest.approx([1.0, 0.46])
    for weight, tier in ((u, 1), (u - 0.01, 0)):
        found = compose([[0.9, 0.7]], [[0.005, 0.005]], [weight, 1 - weight])
        assert tiers(found.value, found.cov, 0.8).tier.tolist() == [tier]


def test_a_tier_that_all_criteria_share_does_not_hang_on_weights():
    told = weight_sensitivity([[0.9, 0.9], [0.5, 0.5]], [[0.01] * 2] * 2, [1, 3], 0.7, change=1, seed=1)
    assert told.stable.all()
    assert told.low.tolist() == [[0, 0], [0, 0]]
    assert told.high.tolist() == [[1, 1], [1, 1]]


def test_one_criterion_one_unit_and_no_error_have_answers():
    told = weight_sensitivity([[0.9]], [[0.0]], [2], 0.7, seed=1, draws=5)
    assert (told.tier.tolist(), told.stable.tolist()) == ([1], [True])
    assert weight_sensitivity([[0.9, 0.8]] * 3, np.zeros((3, 2)), [1, 1], "mean", seed=1).tier.tolist() == [0, 0, 0]
    assert weight_sensitivity([[0.9, 0.8]], [[0.1, 0.1]], [1, 0], 0.5, seed=1).without[0].tolist() == [1]


problems = st.integers(2, 6).flatmap(
    lambda units: st.tuples(
        st.lists(st.tuples(*[st.integers(0, 20)] * 3), min_size=units, max_size=units),
        st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=units, max_size=units),
        st.tuples(*[st.integers(1, 9)] * 3),
        st.permutations(range(units)),
    )
)


@settings(max_examples=40)
@given(problems, st.sampled_from(["mean", 0.5]), st.floats(0.1, 100))
def test_order_and_size_of_weights_do_not_matter(problem, reference, factor):
    est, se, weight, order = (np.array(each) for each in problem)
    est, se = est / 20, se / 40
    one = weight_sensitivity(est, se, weight, reference, seed=1, draws=20, steps=10)
    other = weight_sensitivity(est[order], se[order], factor * weight, reference, seed=1, draws=20, steps=10)
    assert np.array_equal(one.tier[order], other.tier)
    assert np.array_equal(one.stable[order], other.stable)
    assert compose(est, se, weight).value[order] == pytest.approx(compose(est[order], se[order], factor * weight).value)


@settings(max_examples=40)
@given(problems)
def test_a_smaller_change_of_weights_unsettles_no_more_than_the_range_allows(problem):
    est, se, weight, _ = (np.array(each) for each in problem)
    told = weight_sensitivity(est / 20, se / 40, weight, 0.5, seed=1, draws=20, steps=20)
    share = weight / weight.sum()
    assert ((told.low <= share + 1e-12) & (share <= told.high + 1e-12)).all()
    assert ((told.low >= 0) & (told.high <= 1)).all()
    assert set(np.unique(told.tier)) <= {-1, 0, 1}


@pytest.mark.parametrize(
    ("code", "ask"),
    [
        ("empty-data", lambda: compose([], [], [])),
        ("length-mismatch", lambda: compose([0.5, 0.6], [0.1, 0.1], [1])),
        ("length-mismatch", lambda: compose([[0.5, 0.6]], [[0.1]], [1, 1])),
        ("length-mismatch", lambda: compose([[0.5, 0.6]], [[0.1, 0.1]], [1])),
        ("length-mismatch", lambda: compose([[0.5]], [[0.1]], [1], goalposts=[(0, 1, 2)])),
        ("not-finite", lambda: compose([[0.5, np.nan]], [[0.1, 0.1]], [1, 1])),
        ("not-finite", lambda: compose([[0.5, 0.5]], [[0.1, np.inf]], [1, 1])),
        ("negative-se", lambda: compose([[0.5, 0.5]], [[0.1, -0.1]], [1, 1])),
        ("covariance-not-psd", lambda: compose([[0.5, 0.5]], [[[1, 2], [2, 1]]], [1, 1])),
        ("covariance-not-symmetric", lambda: compose([[0.5, 0.5]], [[[1, 0.5], [0, 1]]], [1, 1])),
        ("weight-not-positive", lambda: compose([[0.5, 0.5]], [[0, 0]], [1, -1])),
        ("weight-not-positive", lambda: compose([[0.5, 0.5]], [[0, 0]], [0, 0])),
        ("weight-not-positive", lambda: compose([[0.5, 0.5]], [[0, 0]], [1, np.nan])),
        ("goalposts-equal", lambda: compose([[0.5]], [[0]], [1], goalposts=[(1, 1)])),
        ("seed-needed", lambda: weight_sensitivity([[0.5]], [[0]], [1], 0, seed=None)),
        ("change-out-of-range", lambda: weight_sensitivity([[0.5]], [[0]], [1], 0, change=0, seed=1)),
        ("level-out-of-range", lambda: weight_sensitivity([[0.5]], [[0]], [1], 0, level=2, seed=1)),
        ("too-few-draws", lambda: weight_sensitivity([[0.5]], [[0]], [1], 0, draws=0, seed=1)),
        ("option-unknown", lambda: weight_sensitivity([[0.5]], [[0]], [1], "median", seed=1)),
        ("option-unknown", lambda: weight_sensitivity([[0.5]], [[0]], [1], 0.5, share=[1], seed=1)),
        ("shares-not-one", lambda: weight_sensitivity([[0.5]], [[0]], [1], "mean", share=[2], seed=1)),
        ("length-mismatch", lambda: weight_sensitivity([[0.5]], [[0]], [1], "mean", share=[1, 0], seed=1)),
        ("length-mismatch", lambda: weight_sensitivity([[0.5]], [[0]], [1], [1, 2], seed=1)),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(code, ask):
    with pytest.raises(InferenceError) as told:
        ask()
    assert told.value.code == code
