"""Killed at random, server and worker neither lose what was acknowledged nor do it twice; on both engines."""

import pytest

from tests.durability import kills


@pytest.fixture
def copy(prepared):
    made = prepared.copy()
    yield made
    prepared.drop(made)


@pytest.mark.parametrize(("submissions", "deaths"), [(160, 4), pytest.param(2000, 40, marks=pytest.mark.long)])
def test_killed_at_random_nothing_is_lost_or_done_twice(copy, submissions, deaths):
    outcome = kills.run(copy, submissions=submissions, kills=deaths, seed=11)
    assert outcome.faults == [] and outcome.lost == [] and outcome.duplicated == []
    assert outcome.acknowledged == submissions
    assert sum(outcome.kills.values()) == deaths and len(outcome.kills) > 1
    assert outcome.asked > submissions, "nobody ever had to send again"


def test_a_lost_and_a_doubled_matter_would_be_found(copy):
    """The comparison itself: two receipts too many, and one matter that stands twice."""
    found = kills.planted(copy)
    assert len(found["lost"]) == 2
    assert len(found["duplicated"]) == 1 and "received 2 times" in found["duplicated"][0]
    assert len(found["faults"]) == 1 and "the code on the receipt does not open it" in found["faults"][0]
