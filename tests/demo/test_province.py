"""The invented province as it stands: whole, told in order of time, and staffed as its history says."""

from collections import Counter
from datetime import date, datetime

import pytest

from gandan.access import now
from gandan.audit.actions import verify
from gandan.audit.models import AuditEntry
from gandan.cases.models import Case, CaseEvent
from gandan.demo import force
from gandan.obligations import replay
from gandan.obligations.models import Obligation, ObligationEvent
from gandan.staffing.models import Grant
from gandan.units.models import Unit

pytestmark = pytest.mark.django_db


def test_it_is_whole_and_its_promises_crossed_the_merger(demo_province):
    assert Case.system("test").count() == 1_500
    assert list(replay.check()) == [] and verify().intact
    assert Unit.objects.filter(level="commune", valid_to=None).count() == 38
    assert CaseEvent.system("test").filter(kind="succeeded").exists()
    assert ObligationEvent.system("test").filter(kind="transferred").exists()
    ended = Unit.objects.filter(valid_to=date(2025, 7, 1)).values("pk")
    assert not Obligation.system("test").open().filter(owed_by__in=ended).exists()
    assert Obligation.system("test").overdue(now()).exists(), "a desk without a late promise shows nothing"
    endings = set(Obligation.system("test").values_list("ending", flat=True))
    assert endings == {"", "discharged", "handed_over", "withdrawn"}


def test_no_clock_is_paused_after_its_date_and_every_event_stands_in_the_record(demo_province):
    due: dict[object, object] = {}
    for event in ObligationEvent.system("test").order_by("obligation", "seq"):
        assert event.kind != "suspended" or event.at < due[event.obligation_id], event.obligation_id
        if "due_at" in event.facts:
            due[event.obligation_id] = datetime.fromisoformat(event.facts["due_at"])
    events = ObligationEvent.system("test").count()
    record = AuditEntry.system("test")
    assert record.filter(object_type="obligations.obligation").exclude(commitment="").count() == events
    assert {"remote", "complex"} <= {
        name
        for facts in ObligationEvent.system("test").filter(kind="opened").values_list("facts", flat=True)
        for name in facts
    }
    times = list(record.order_by("seq").values_list("at", flat=True))
    assert times == sorted(times), "the record tells what happened in order of time"


def test_lines_of_one_moment_keep_their_order(demo_province):
    last: dict[object, object] = {}
    for case, at in CaseEvent.system("test").order_by("case", "recorded_at").values_list("case", "recorded_at"):
        assert last.get(case) != at, "two lines were written down at the same instant"
        last[case] = at


def test_the_police_come_to_every_commune_as_the_history_says(demo_province):
    before, after = (force.strength(date(2020, 8, 30)), force.strength(date(2020, 8, 31)))
    assert sum(before.values()) <= sum(after.values()) == 327 and len(after) == 94
    assert min(force.strength(date(2020, 9, 30)).values()) == 5
    assert len(force.strength(date(2018, 2, 28))) == 0 < len(force.strength(date(2019, 6, 30))) < 94

    def posted(on: date, kind: str) -> Counter[str]:
        grants = Grant.system("test").in_force(on).filter(unit__level="commune")
        rows = [(g.unit, g.user_id) for g in grants.select_related("unit").prefetch_related("unit__versions")]
        kinds = {unit.pk: version.type for unit, _ in rows if (version := unit.version_on(on))}
        assert len({user for _, user in rows}) == len(rows), "nobody is in two places"
        return Counter(str(unit.pk) for unit, _ in rows if kind in ("", kinds[unit.pk]))

    assert sum(posted(date(2020, 8, 31), "Xã").values()) == 327 and len(posted(date(2020, 8, 31), "Xã")) == 94
    assert min(posted(date(2020, 9, 30), "Xã").values()) >= 5
    now_posted = posted(date(2026, 11, 23), "")
    assert 610 <= sum(now_posted.values()) <= 630 and len(now_posted) == 38
    assert Grant.system("test").in_force(date(2026, 11, 23)).filter(role="chief").count() == 38
