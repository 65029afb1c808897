"""Statements that are kept: the answers are those of the questions, for everybody and at any time."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from gandan.access import ANONYMOUS, now, sql
from gandan.access.authority import authority
from gandan.obligations import worklist
from gandan.obligations.models import Obligation
from gandan.staffing.models import Grant

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept():
    sql.forget()
    yield
    sql.forget()


def due_before(actor, at):
    return Obligation.for_(actor, "obligation.read").filter(due_at__lt=at).order_by("pk").values_list("pk", "due_at")


def of_unit(unit):
    return Obligation.system("test").filter(owed_by=unit).values_list("pk")


def several(actor, at):
    rows = Obligation.for_(actor, "obligation.read")
    return [rows, rows.filter(due_at__lt=at), rows.none()]


def actors():
    """Return up to six holders of each role, at different units."""
    seen = {}
    for grant in Grant.system("test").filter(unit__valid_to=None).select_related("user").order_by("user__username"):
        units = seen.setdefault(grant.role, {})
        if len(units) < 6:
            units.setdefault(grant.unit_id, grant.user)
    return [authority().actor(user) for units in seen.values() for user in units.values()]


def test_everybody_gets_the_answer_to_their_own_question(demo_province):
    at = now()
    found = set()
    for _turn in range(2):
        for actor in [*actors(), ANONYMOUS]:
            kept = sql.rows(due_before, (actor,), (at,))
            assert kept == list(due_before(actor, at))
            found.add(len(kept))
    assert len(found) > 5, "readers who all see the same prove nothing"


def test_instants_and_keys_are_filled_in_anew(demo_province):
    actor = next(a for a in actors() if "commander" in a.roles())
    counts = []
    for days in (0, 100, 400):
        at = now() - timedelta(days=days)
        counts.append(len(sql.rows(due_before, (actor,), (at,))))
        assert counts[-1] == due_before(actor, at).count()
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[2]
    for unit in Obligation.system("test").values_list("owed_by", flat=True).distinct()[:5]:
        assert len(sql.rows(of_unit, (), (unit,))) == Obligation.system("test").filter(owed_by=unit).count()
    assert sql.rows(of_unit, (), (uuid4(),)) == []


def test_values_come_back_as_the_framework_gives_them(demo_province):
    actor = next(a for a in actors() if "commander" in a.roles())
    ((_key, due_at),) = sql.rows(due_before, (actor,), (now(),))[:1]
    assert isinstance(due_at, datetime) and due_at.tzinfo == UTC


def test_counts_go_no_further_than_told(demo_province):
    actor = next(a for a in actors() if "commander" in a.roles())
    everything = Obligation.for_(actor, "obligation.read").count()
    assert everything > 10
    assert sql.counts_up_to(10, several, (actor,), (now(),)) == (10, 10, 0)
    assert sql.counts_up_to(10**6, several, (actor,), (now(),))[0] == everything
    assert sql.counts_up_to(10, several, (ANONYMOUS,), (now(),)) == (0, 0, 0)


def test_a_grant_that_ends_today_ends_the_statement(demo_province, move_to):
    officers = Grant.system("test").filter(role="officer", unit__valid_to=None).select_related("user")
    grant = next(g for g in officers if worklist.page(authority().actor(g.user), now()).counts["all"])
    Grant.system("test").filter(user=grant.user).update(valid_to=now().date() - timedelta(days=1))
    after = worklist.page(authority().actor(grant.user), now())
    assert (after.rows, set(after.counts.values())) == ([], {0})


def test_a_question_that_knows_more_than_it_is_given_is_refused(db):
    hidden = uuid4()
    with pytest.raises(ValueError, match="more than it is given"):
        sql.rows(lambda: of_unit(hidden), (), ())


def test_no_more_statements_are_kept_than_there_is_room_for(db, monkeypatch):
    monkeypatch.setattr(sql, "KEPT", 3)
    for number in range(10):
        sql.counts_up_to(number, several, (ANONYMOUS,), (now(),))
    assert 0 < len(sql._kept) <= 3
