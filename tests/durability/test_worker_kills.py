"""Reminders, escalations, notices, closings and reorganisations happen exactly once, however often the worker dies."""

import pytest

from tests.durability import worker_kills


@pytest.fixture(scope="module")
def workload(tmp_path_factory, prepared):
    made = worker_kills.prepared(tmp_path_factory.mktemp("workload"), prepared, days=3, people=24, acts=1)
    yield made
    made.close()


@pytest.mark.parametrize("deaths", [20, pytest.param(150, marks=pytest.mark.long)])
def test_a_worker_killed_again_and_again_does_everything_once(workload, deaths):
    outcome = worker_kills.run(workload, kills=deaths, seed=5)
    assert outcome.twice == [] and outcome.never == [] and outcome.other == []
    assert outcome.noticed, "a notice too many or too few would not be found"
    assert outcome.kills >= deaths and outcome.pairs > 0
    assert outcome.effects > 50 and outcome.notices == outcome.effects and outcome.acts == 1


def test_a_notice_too_many_or_too_few_would_be_found():
    calm = {"did": {"notices": [[["overdue", "a"], 1], [["overdue", "b"], 1]]}}
    killed = {"did": {"notices": [[["overdue", "a"], 2]]}}
    assert worker_kills._more(killed, calm, "notices") == [(["overdue", "a"], 2)]
    assert worker_kills._more(calm, killed, "notices") == [(["overdue", "b"], 1)]
