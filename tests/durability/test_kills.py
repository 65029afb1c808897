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
    """The comparison itself: one receipt too many, and one matter that stands twice."""
    drafts = kills.json.loads(kills.script(copy, kills._FILL, "2"))
    told = [{"submission": key, "text": text, "reference": "GD-AAAA-AAAA", "code": "0" * 16} for key, text in drafts]
    found = kills.json.loads(kills.script(copy, kills._COMPARE, given=kills.json.dumps(told)))
    assert len(found["lost"]) == 2
    doubled = """
import django
django.setup()
from gandan.cases.models import Case
row = Case.system("test").order_by("pk").first()
print(row.submission, row.reference, row.text)
from gandan.cases.models import CaseEvent
line = CaseEvent.system("test").filter(case=row, kind="received").first()
CaseEvent.objects.bulk_create([CaseEvent(case_id=row.pk, kind="received", at=line.at, recorded_at=line.at)])
"""
    submission, reference, text = kills.script(copy, doubled).strip().split(" ", 2)
    told = [{"submission": submission, "text": text, "reference": reference, "code": "0" * 16}]
    found = kills.json.loads(kills.script(copy, kills._COMPARE, given=kills.json.dumps(told)))
    assert len(found["duplicated"]) == 1 and "received 2 times" in found["duplicated"][0]
    assert found["faults"] == [f"{submission}: the code on the receipt does not open it"]
