"""The nation to measure with: copies that are whole by the house's own check, each under keys of its own."""

import pytest
from django.db.models import Count

from gandan.audit.actions import verify
from gandan.cases.models import Case, CaseIdentity
from gandan.demo import nation
from gandan.obligations import replay
from gandan.obligations.models import Obligation
from gandan.staffing.models import Grant
from gandan.units.models import Unit, UnitReach

pytestmark = pytest.mark.django_db


def test_copies_of_the_province_replay_and_stand_apart(demo_province):
    before = {"cases": Case.system("test").count(), "identities": CaseIdentity.system("test").count()}
    nation.spread(seed=5, communes=38 + 38 + 7)
    living = Unit.objects.filter(valid_to=None, level=Unit.Level.COMMUNE)
    assert living.count() == 83
    assert Case.system("test").count() == 3 * before["cases"]
    assert CaseIdentity.system("test").count() == before["identities"], "a copy carries nobody's name"
    assert list(replay.check()) == [] and verify().intact
    seats = Unit.objects.filter(level=Unit.Level.PROVINCE)
    loads = {seat: Obligation.system("test").filter(province=seat).count() for seat in seats}
    assert len(loads) == 3 and len(set(loads.values())) == 1
    assert Case.system("test").values("reference").annotate(n=Count("pk")).filter(n__gt=1).count() == 0
    for seat in seats.exclude(title__endswith="Mường Sương"):
        under = set(UnitReach.objects.filter(ancestor=seat, valid_to=None).values_list("descendant", flat=True))
        holders = Case.system("test").filter(province=seat).values_list("holder", flat=True).distinct()
        assert set(holders) <= under
        assert Grant.system("test").filter(unit=seat, role="commander").count() == 1


def test_a_copied_complaint_has_no_words(demo_province):
    nation.spread(seed=5, communes=38 + 3)
    source = Unit.objects.get(level=Unit.Level.PROVINCE, title__endswith="Mường Sương")
    copied = Case.system("test").filter(procedure__about_service=True).exclude(province=source)
    assert copied.exists()
    assert set(copied.values_list("text", "place", "answer", "folded")) == {("", "", "", "")}
    assert not Case.system("test").exclude(province=source).exclude(follow_hash="").exists()
