"""Who owes what by when: clocks start, pause, run on, are extended, pass on and end."""

from datetime import date, time, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from gandan.access import Refused, clock
from gandan.audit.models import AuditEntry
from gandan.law.calendar import CalendarNotDeclared
from gandan.obligations import actions, replay
from gandan.obligations.ledger import Ledger, OutOfOrder
from gandan.obligations.models import Obligation, ObligationEvent
from gandan.obligations.terms import calendar
from tests.cast import NOBODY
from tests.obligations.promises import at, do, midnight, one, start

pytestmark = pytest.mark.django_db


def test_every_term_of_the_event_opens_a_clock_with_its_own_date(cast):
    _matter, opened = start(cast, "FB-01", event="received")
    assert {o.clock: o.due_at for o in opened} == {
        "FB-01.acknowledge": midnight("2026-11-19"),
        "FB-01.answer": midnight("2026-12-02"),
    }


def test_a_remote_commune_has_48_hours_and_another_one_24(cast):
    _m, (near,) = start(cast, "CR-01", event="received", when=at("2026-11-16", time(22, 40)))
    _m, (remote,) = start(cast, "CR-01", event="received", when=at("2026-11-16", time(22, 40)), unit=cast.phieng_lua)
    assert near.due_at == at("2026-11-17", time(22, 40))
    assert remote.due_at == at("2026-11-18", time(22, 40))


def test_a_complex_complaint_has_a_longer_term(cast):
    _m, (plain,) = start(cast, "CO-01", event="accepted", when="2026-11-02")
    _m, (complex_one,) = start(cast, "CO-01", event="accepted", when="2026-11-02", complex=True)
    assert (plain.due_at, complex_one.due_at) == (midnight("2026-12-03"), midnight("2026-12-18"))


def test_another_bodys_term_opens_no_clock_here(cast):
    assert start(cast, "CR-01", event="handed_over")[1] == []


def test_every_clock_leaves_its_entry_in_the_audit_record(cast):
    matter, (opened,) = start(cast)
    do(actions.fulfil, "2026-11-17", "answered", matter=matter)
    entries = AuditEntry.system("test").filter(object_id=opened.pk).order_by("seq")
    assert list(entries.values_list("action", flat=True)) == ["obligation.start", "obligation.discharged"]
    assert all(entries.values_list("commitment", flat=True))


def test_a_clock_does_not_start_in_the_future(cast):
    with pytest.raises(Refused), clock.at(at("2026-11-16")):
        actions.start(
            "complete",
            matter=uuid4(),
            kind="case",
            procedure="RE-02",
            unit=cast.na_then,
            at=at("2026-11-17"),
            by=NOBODY,
        )


def test_a_year_without_calendar_is_refused_by_name(cast):
    with pytest.raises(CalendarNotDeclared, match="2039"):
        start(cast, when="2039-01-05")


def test_a_clock_in_hours_needs_no_calendar(cast):
    _m, (opened,) = start(cast, "CR-01", event="received", when="2039-01-05")
    assert opened.due_at == at("2039-01-06")


# Pauses


def test_a_pause_moves_the_date_by_the_days_it_lasted(cast):
    matter, (opened,) = start(cast)
    assert opened.due_at == midnight("2026-11-20")
    assert do(actions.suspend, "2026-11-17", matter=matter, ground="missing_papers") == 1
    assert one(matter).suspended_at == at("2026-11-17")
    assert do(actions.resume, "2026-11-19", matter=matter) == 1
    assert one(matter).due_at == midnight("2026-11-24")
    assert one(matter).suspended_at is None


def test_a_ground_that_the_law_does_not_list_pauses_nothing(cast):
    matter, _ = start(cast, "FB-01", event="received")
    assert do(actions.suspend, "2026-11-17", matter=matter, ground="missing_papers") == 0


def test_a_promise_that_is_late_stays_late_when_papers_are_asked_for(cast):
    matter, _ = start(cast)
    assert do(actions.suspend, "2026-11-21", matter=matter, ground="missing_papers") == 0
    assert one(matter).is_in("overdue", at("2026-11-21"))


def test_an_answer_given_while_the_clock_stands_still_is_in_time(cast):
    """The date would have passed, had the clock not been paused."""
    matter, _ = start(cast)
    do(actions.suspend, "2026-11-17", matter=matter, ground="missing_papers")
    do(actions.fulfil, "2026-11-27", "answered", matter=matter)
    ended = one(matter)
    assert ended.is_in("in_time", at("2026-11-28")) and ended.due_at > at("2026-11-27")
    assert list(replay.check()) == []


def test_a_clock_does_not_run_on_before_it_stood_still(cast):
    matter, _ = start(cast)
    do(actions.suspend, "2026-11-18", matter=matter, ground="missing_papers")
    with pytest.raises(Refused), clock.at(at("2026-11-19")):
        actions.resume(matter=matter, at=at("2026-11-17"), by=NOBODY)


def test_pauses_never_overlap(cast):
    matter, _ = start(cast)
    do(actions.suspend, "2026-11-16", matter=matter, ground="missing_papers")
    do(actions.resume, "2026-11-18", matter=matter)
    with pytest.raises(Refused), clock.at(at("2026-11-19")):
        actions.suspend(matter=matter, ground="missing_papers", at=at("2026-11-17"), by=NOBODY)


# Extensions


def test_a_promise_is_extended_once_with_a_ground_and_only_before_it_is_late(cast):
    matter, _ = start(cast, "FB-01", event="received")
    answer = one(matter, "FB-01.answer")
    extension = {"obligation": answer, "extension": "extend_promise", "ground": "phải xác minh thêm"}
    for when, wrong in (
        ("2026-11-20", {"ground": " "}),
        ("2026-11-20", {"extension": "forever"}),
        ("2026-12-02", {}),
    ):
        with pytest.raises(Refused):
            do(actions.extend, when, **{**extension, **wrong})
    assert do(actions.extend, "2026-11-20", **extension).due_at == midnight("2026-12-17")
    with pytest.raises(Refused):
        do(actions.extend, "2026-11-21", **extension)


def test_an_extension_is_not_dated_back_to_before_the_breach(cast):
    matter, _ = start(cast, "FB-01", event="received")
    with pytest.raises(Refused), clock.at(at("2026-12-05")):
        actions.extend(
            obligation=one(matter, "FB-01.answer"),
            extension="extend_promise",
            ground="x",
            at=at("2026-12-01"),
            by=NOBODY,
        )


def test_what_has_ended_is_not_extended(cast):
    matter, _ = start(cast, "FB-01", event="received")
    do(actions.withdraw, "2026-11-17", matter=matter)
    with pytest.raises(Refused):
        do(
            actions.extend,
            "2026-11-18",
            obligation=one(matter, "FB-01.answer"),
            extension="extend_promise",
            ground="x",
        )


# Ends


def test_an_event_ends_the_clocks_that_wait_for_it_and_no_other(cast):
    matter, _ = start(cast, "FB-01", event="received")
    assert do(actions.fulfil, "2026-11-17", "taken", matter=matter) == 1
    assert one(matter, "FB-01.acknowledge").ending == "discharged"
    assert one(matter, "FB-01.answer").is_in("open", at("2026-11-18"))


def test_an_acknowledged_hand_over_ends_every_clock_here(cast):
    matter, _ = start(cast, "FB-01", event="received")
    assert do(actions.hand_over, "2026-11-18", matter=matter, to_unit=cast.phieng_lua, ground="12/GBN") == 2
    event = one(matter, "FB-01.answer").events.last()
    assert (event.kind, event.ground, event.facts["to"]) == ("handed_over", "12/GBN", str(cast.phieng_lua.pk))


def test_what_was_taken_back_is_neither_in_time_nor_late(cast):
    matter, _ = start(cast)
    do(actions.withdraw, "2026-11-25", matter=matter)
    ended = one(matter)
    assert not any(ended.is_in(state, at("2026-11-26")) for state in Obligation.STATES)


def test_a_clock_names_who_works_on_it(cast):
    matter, _ = start(cast)
    pao = cast.people["pao"]
    assert do(lambda at, by, **v: actions.assign(by=by, **v), "2026-11-17", matter=matter, officer=pao) == 1
    assert one(matter).assignee == pao
    assert do(lambda at, by, **v: actions.assign(by=by, **v), "2026-11-17", matter=matter, officer=pao) == 0
    assert do(lambda at, by, **v: actions.assign(by=by, **v), "2026-11-18", matter=matter, officer=None) == 1
    assert one(matter).assignee is None


def test_nothing_follows_the_end_of_a_clock(cast):
    matter, _ = start(cast)
    do(actions.fulfil, "2026-11-17", "answered", matter=matter)
    ended = one(matter)
    assert not do(actions.transfer, "2026-11-18", obligation=ended, to_unit=cast.phieng_lua, ground="1/NQ")
    with pytest.raises(OutOfOrder):
        Ledger.load(ended, calendar()).add("resumed", at=at("2026-11-18"), recorded_at=at("2026-11-18"))


# Late entries


def test_an_answer_in_time_that_is_written_down_late_says_so(cast):
    """The officer answered on the last day in a hamlet without a line, and came back two days later."""
    matter, _ = start(cast)
    kept = {"matter": matter, "at": at("2026-11-19"), "by": NOBODY}
    with clock.at(at("2026-11-21")):
        with pytest.raises(Refused):
            actions.fulfil("answered", **kept)
        assert one(matter).is_in("overdue", at("2026-11-21"))
        actions.fulfil("answered", **kept, late_entry=True)
    assert one(matter).is_in("in_time", at("2026-11-21"))
    event = one(matter).events.last()
    assert (event.at, event.recorded_at, event.facts["late_entry"]) == (at("2026-11-19"), at("2026-11-21"), True)


def test_a_pause_is_not_dated_back_to_before_the_breach_unmarked(cast):
    matter, _ = start(cast)
    pause = {"matter": matter, "ground": "missing_papers", "at": at("2026-11-18"), "by": NOBODY}
    with clock.at(at("2026-11-21")):
        with pytest.raises(Refused):
            actions.suspend(**pause)
        assert actions.suspend(**pause, late_entry=True) == 1
    assert one(matter).events.last().facts["late_entry"] is True


def test_an_act_written_down_late_that_undoes_no_breach_needs_no_mark(cast):
    matter, _ = start(cast)
    with clock.at(at("2026-11-19")):
        actions.fulfil("answered", matter=matter, at=at("2026-11-17"), by=NOBODY)
    event = one(matter).events.last()
    assert event.recorded_at - event.at == timedelta(days=2) and "late_entry" not in event.facts


# What the database itself keeps


def test_events_cannot_be_altered_or_removed(cast):
    start(cast)
    events = ObligationEvent.system("test")
    with pytest.raises(IntegrityError), transaction.atomic():
        events.update(ground="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        events.all().delete()


def test_a_version_of_a_term_cannot_be_altered(cast):
    _m, (opened,) = start(cast)
    opened.term.amount = 30
    with pytest.raises(IntegrityError), transaction.atomic():
        opened.term.save(update_fields=["amount"])
    opened.term.valid_to = date(2027, 1, 1)
    opened.term.save(update_fields=["valid_to"])
