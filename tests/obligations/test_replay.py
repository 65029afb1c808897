"""The present is what the events say, the dates are what the law counts, and the record knows both."""

from datetime import date, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gandan.access import Refused, clock
from gandan.audit import actions as audit
from gandan.obligations import actions, replay, terms
from gandan.obligations.calendar import almanac
from gandan.obligations.ledger import Ledger, OutOfOrder, entries_of, save_all
from gandan.obligations.models import CalendarDay, Obligation, ObligationEvent, Term
from tests.cast import NOBODY
from tests.obligations.promises import at, do, one, start, without_triggers

pytestmark = pytest.mark.django_db


def columns():
    return [difference.column for difference in replay.check()]


def test_the_stored_present_is_what_the_events_say(cast):
    matter, _ = start(cast)
    do(actions.suspend, "2026-11-17", matter=matter, ground="missing_papers")
    assert columns() == []
    Obligation.system("test").filter(matter=matter).update(due_at=at("2027-01-01"))
    assert columns() == ["due_at"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("started_at", at("2026-11-15")),
        ("suspended_at", at("2026-11-17")),
        ("due_at", at("2026-11-17")),
        ("assignee_id", "pao"),
        ("owed_by_id", "phieng_lua"),
        ("province_id", "other_province"),
    ],
)
def test_every_altered_column_is_found(cast, column, value):
    matter, _ = start(cast)
    if isinstance(value, str):
        value = (cast.people.get(value) or getattr(cast, value)).pk
    Obligation.system("test").filter(matter=matter).update(**{column: value})
    assert columns() == [column.removesuffix("_id")]


def test_an_event_altered_beneath_the_triggers_is_found(cast):
    """Somebody with the database in hand sets the date of an answer back, in the event and in the row."""
    matter, (opened,) = start(cast)
    do(actions.fulfil, "2026-11-25", "answered", matter=matter)
    last = one(matter).events.last()
    without_triggers(ObligationEvent)
    ObligationEvent.system("test").filter(pk=last.pk).update(at=at("2026-11-18"))
    Obligation.system("test").filter(matter=matter).update(discharged_at=at("2026-11-18"))
    assert [str(found.obligation) for found in replay.check()] == [str(opened.pk)]
    assert columns() == ["an event"]


def test_an_event_that_nobody_recorded_is_found(cast):
    matter, _ = start(cast)
    start(cast)
    ledger = Ledger.load(one(matter), terms.calendar())
    ledger.add("discharged", at=at("2026-11-17"), recorded_at=at("2026-11-17"))
    ledger.save()
    assert columns() == ["an event"]


def test_a_lost_key_is_one_fault_not_thousands(cast, monkeypatch):
    for _ in range(3):
        start(cast)
    monkeypatch.setitem(django_settings.GANDAN_KEYS, "audit", b"another key")
    assert columns() == ["the key of the audit record"]


def test_a_due_date_that_the_law_does_not_count_is_found(cast):
    matter, (opened,) = start(cast)
    wrong = ObligationEvent(
        obligation=opened,
        seq=2,
        kind="recomputed",
        at=at("2026-11-17"),
        recorded_at=at("2026-11-17"),
        facts={"due_at": at("2026-12-24").isoformat(), "calendar": {"2026": 1}},
    )
    ObligationEvent.objects.bulk_create([wrong])
    Obligation.system("test").filter(matter=matter).update(due_at=at("2026-12-24"))
    assert "due date of event 2" in columns()


def test_replaying_twice_gives_the_same(cast):
    matter, _ = start(cast)
    do(actions.suspend, "2026-11-17", matter=matter, ground="missing_papers")
    do(actions.resume, "2026-11-20", matter=matter)
    events = list(one(matter).events.all())
    assert replay.fold(events) == replay.fold(events)


@pytest.mark.parametrize(
    "events",
    [
        [("resumed", 17)],
        [("suspended", 17), ("suspended", 18)],
        [("suspended", 17), ("resumed", 16)],
        [("suspended", 17), ("resumed", 19), ("suspended", 18)],
        [("discharged", 17), ("assigned", 18)],
        [("discharged", 15)],
        [("opened", 17)],
    ],
)
def test_events_that_cannot_follow_one_another_are_refused(cast, events):
    _m, (opened,) = start(cast)
    ledger = Ledger.load(opened, terms.calendar())
    with pytest.raises(OutOfOrder):
        for kind, day in events:
            ledger.add(kind, at=at(f"2026-11-{day}"), recorded_at=at(f"2026-11-{day}"))


# Any order of events, late ones among them

STEP = st.tuples(
    st.sampled_from(["suspend", "resume", "extend", "assign", "fulfil", "withdraw", "transfer", "holiday", "ordinary"]),
    st.integers(1, 60),  # hours since the step before
    st.sampled_from([0, 0, 0, 20, 70]),  # hours by which the act lies before its entry
    st.booleans(),  # marked as entered late
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(STEP, max_size=10), st.sampled_from(["RE-07", "RE-09", "AI-01"]))
def test_any_order_of_events_replays_to_what_is_stored_and_undoes_no_breach_in_silence(cast, steps, procedure):
    event = "received" if procedure == "AI-01" else "complete"
    matter, _ = start(cast, procedure, event=event)
    moment, breached = at("2026-11-16"), False
    for step, gap, delay, marked in steps:
        moment += timedelta(hours=gap)
        breached = breached or one(matter).is_in("overdue", moment)
        with clock.at(moment):
            _take(cast, step, matter, moment - timedelta(hours=delay), marked)
        row = one(matter)
        events = list(row.events.all())
        found = replay.fold(events)
        assert replay.compare(row, events) == []
        assert replay.recount(row.pk, events, almanac()) == []
        assert all(one_.end <= other.start for one_, other in pairwise(found.pauses))
        if breached:
            stays = row.is_in("overdue", moment) or row.is_in("late", moment) or row.ending == "withdrawn"
            assert stays or any(each.facts.get("late_entry") for each in events)
    assert list(replay.check()) == []


def _take(cast, step, matter, when, marked):
    row = one(matter)
    try:
        if step == "suspend":
            actions.suspend(matter=matter, ground="missing_papers", at=when, by=NOBODY, late_entry=marked)
        elif step == "resume":
            actions.resume(matter=matter, at=when, by=NOBODY)
        elif step == "assign":
            actions.assign(matter=matter, officer=cast.people["pao"], by=NOBODY)
        elif step == "fulfil":
            actions.fulfil("answered", matter=matter, at=when, by=NOBODY, late_entry=marked)
        elif step == "withdraw":
            actions.withdraw(matter=matter, at=when, by=NOBODY)
        elif step == "transfer":
            other = cast.phieng_lua if row.owed_by_id == cast.na_then.pk else cast.na_then
            actions.transfer(obligation=row, to_unit=other, at=when, by=NOBODY, ground="1/NQ")
        elif step == "holiday":
            day = clock.day_of(when) + timedelta(days=2)
            actions.declare_day(day=day, kind="holiday", name_vi="x", name_en="x", decree="1/QĐ", by=NOBODY)
        elif step == "ordinary":
            actions.remove_day(day=clock.day_of(when) + timedelta(days=1), decree="2/QĐ", by=NOBODY)
        else:
            actions.extend(obligation=row, extension="extend_once", ground="x", at=when, by=NOBODY)
    except Refused:
        pass


# History in bulk


def test_a_history_written_in_bulk_passes_every_check(cast):
    """The invented province is written so: the same ledgers, with their entries in the audit record."""
    calendar = terms.calendar()
    term = Term.objects.get(code="RE-02.result")
    ledgers = []
    for number in range(300):
        opened = at(date(2026, 1, 5) + timedelta(days=number))
        ledger = Ledger.open(
            kind="case",
            matter=uuid4(),
            term=term,
            amount=term.amount,
            owed_by=cast.na_then.pk,
            province=cast.province.pk,
            assignee=None,
            at=opened,
            recorded_at=opened,
            actor_id=None,
            calendar=calendar,
        )
        day = opened + timedelta(days=1)
        if number % 3 == 0 and ledger.can_pause("missing_papers", day):
            ledger.add("suspended", at=day, recorded_at=day, ground="missing_papers")
            ledger.add("resumed", at=day + timedelta(days=4), recorded_at=day + timedelta(days=4))
        if number % 2:
            ledger.add("discharged", at=day + timedelta(days=5), recorded_at=day + timedelta(days=5))
        ledgers.append(ledger)
    with transaction.atomic():
        audit.record_history(sorted(entries_of(ledgers, "demo"), key=lambda entry: entry.at))
        save_all(ledgers)
    assert Obligation.system("test").count() == 300
    assert list(replay.check(batch=70)) == []
    assert audit.verify().intact


def test_a_changed_calendar_leaves_the_counts_of_the_past_as_they_were(cast):
    """Every event keeps the version of the calendar by which it was counted."""
    start(cast, when="2026-11-02")
    actions.declare_day(
        day=date(2026, 11, 3), kind="holiday", name_vi="Nghỉ lụt", name_en="Flood", decree="9/QĐ", by=NOBODY
    )
    start(cast, when="2026-11-02")
    assert columns() == []
    with pytest.raises(IntegrityError), transaction.atomic():
        CalendarDay.objects.filter(decree="9/QĐ").delete()
    without_triggers(CalendarDay)
    CalendarDay.objects.filter(decree="9/QĐ").delete()
    assert columns() == ["due date of event 1"]
