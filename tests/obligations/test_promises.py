"""Who owes what by when: clocks start, pause, run on, are extended, pass on and end, and can be replayed."""

from datetime import date, datetime, time, timedelta
from uuid import uuid4

import pytest

from gandan.access import Refused, clock, now
from gandan.access.clock import VIETNAM
from gandan.obligations import actions, explain, jobs, replay, terms, worklist
from gandan.obligations.models import CalendarDay, Effect, Notice, Obligation, ObligationEvent, Term
from tests.cast import NOBODY

pytestmark = pytest.mark.django_db


def at(day: str, moment: time = time(9)) -> datetime:
    return datetime.combine(date.fromisoformat(day), moment, VIETNAM)


def start(cast, procedure="RE-02", unit=None, day="2026-11-16", event="complete"):
    matter = uuid4()
    opened = actions.start(
        event, matter=matter, kind="case", procedure=procedure, unit=unit or cast.na_then, at=at(day), by=NOBODY
    )
    return matter, opened


def one(matter):
    return Obligation.system("test").get(matter=matter)


def test_every_term_of_the_event_opens_a_clock_with_its_own_date(cast):
    _matter, opened = start(cast, "FB-01", event="received")
    assert {o.clock: o.due_at.astimezone(VIETNAM).date().isoformat() for o in opened} == {
        "FB-01.acknowledge": "2026-11-19",
        "FB-01.answer": "2026-12-02",
    }


def test_a_remote_commune_has_48_hours_and_another_one_24(cast):
    _m, (near,) = start(cast, "CR-01", event="received")
    _m, (remote,) = start(cast, "CR-01", unit=cast.phieng_lua, event="received")
    assert near.due_at - near.started_at == timedelta(hours=24)
    assert remote.due_at - remote.started_at == timedelta(hours=48)


def test_another_bodys_term_opens_no_clock_here(cast):
    assert start(cast, "CR-01", event="handed_over")[1] == []


def test_a_ground_that_the_law_does_not_list_pauses_nothing(cast):
    matter, _ = start(cast, "FB-01", event="received")
    assert actions.suspend(matter=matter, ground="missing_papers", at=at("2026-11-17"), by=NOBODY) == 0


def test_a_promise_is_extended_once_with_a_ground_and_only_before_it_is_late(cast):
    matter, _ = start(cast, "FB-01", event="received", day="2026-11-16")
    answer = Obligation.system("test").get(matter=matter, clock="FB-01.answer")
    extend = {"obligation": answer, "extension": "extend_promise", "by": NOBODY, "at": at("2026-11-20")}
    for wrong in ({"ground": " "}, {"ground": "x", "extension": "forever"}, {"ground": "x", "at": at("2026-12-09")}):
        with pytest.raises(Refused):
            actions.extend(**{**extend, **wrong})
    changed = actions.extend(ground="phải xác minh thêm", **extend)
    assert changed.due_at == at("2026-12-17", time(0))
    with pytest.raises(Refused):
        actions.extend(ground="lần nữa", **extend)


def test_events_cannot_be_altered_or_removed(cast):
    from django.db import IntegrityError, transaction

    start(cast)
    events = ObligationEvent.system("test")
    with pytest.raises(IntegrityError), transaction.atomic():
        events.update(ground="x")
    with pytest.raises(IntegrityError), transaction.atomic():
        events.all().delete()


def test_a_new_holiday_moves_open_dates_and_never_a_missed_one(cast):
    open_matter, _ = start(cast, day="2026-11-23")
    missed, _ = start(cast, day="2026-11-10")
    before = one(missed).due_at
    assert one(open_matter).due_at == at("2026-11-28", time(0))
    moved = actions.declare_day(
        day=date(2026, 11, 26),
        kind=CalendarDay.Kind.HOLIDAY,
        name_vi="Nghỉ lụt",
        name_en="Flood",
        decree="9/QĐ",
        by=NOBODY,
    )
    assert [move.obligation.matter for move in moved] == [open_matter]
    assert one(open_matter).due_at == at("2026-12-01", time(0)) and one(missed).due_at == before
    assert Notice.system("test").get().kind == Notice.Kind.RECOMPUTED
    assert list(replay.check()) == []


def test_a_day_is_declared_by_decree_only(cast):
    day = {"day": date(2026, 11, 26), "kind": "holiday", "name_vi": "x", "name_en": "x", "by": NOBODY}
    with pytest.raises(Refused):
        actions.declare_day(decree=" ", **day)
    with pytest.raises(Refused):
        actions.declare_day(decree="1", **{**day, "kind": "swapped_work"})
    with pytest.raises(Refused):
        actions.declare_day(decree="1", **{**day, "day": date(2040, 1, 1)})


def test_two_years_ahead_are_kept_seeded(cast, move_to):
    move_to(at("2027-01-02"))
    jobs.tick(now())
    assert terms.calendar().is_provisional(date(2029, 1, 2))


def test_reminders_and_escalations_happen_exactly_once(cast):
    matter, _ = start(cast, day="2026-11-16")
    soon, late = at("2026-11-19"), at("2026-11-21")
    for _ in range(3):
        with clock.at(soon):
            jobs.tick(soon)
    for _ in range(3):
        with clock.at(late):
            jobs.tick(late)
    kinds = sorted(Notice.system("test").filter(matter=matter).values_list("kind", "unit__title"))
    assert kinds == [("escalation", "Tỉnh Sương Mai"), ("overdue", "Xã Nà Then"), ("reminder", "Xã Nà Then")]
    assert Effect.objects.count() == 3


def test_a_term_gets_a_new_version_and_old_promises_keep_theirs(cast):
    matter, _ = start(cast, day="2026-11-16")
    term = Term.objects.get(code="RE-02.result")
    actions.amend_term(term=term, columns={"amount": 5}, valid_from=date(2026, 11, 20), by=NOBODY)
    assert one(matter).term.version == 1
    later, _ = start(cast, day="2026-11-23")
    assert one(later).term.version == 2
    with pytest.raises(Refused):
        actions.amend_term(
            term=Term.objects.get(code="RE-02.result", version=2), columns={}, valid_from=date(2026, 1, 1), by=NOBODY
        )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({}, "RE|lacks|thiếu"),
        ({"unit": "moon"}, "moon"),
        ({"amount": "-1"}, "zero|không"),
        ({"amount": "many"}, "many"),
        ({"renewal or replacement.": None}, "renewal"),
    ],
)
def test_a_faulty_file_of_terms_is_answered_by_its_entry(cast, entry, words):
    import re

    good = {
        "code": "RE-99.result",
        "vi": "a",
        "en": "a",
        "amount": 3,
        "unit": "day",
        "starts_on": "received",
        "ends_on": "answered",
        "evidence": "memory",
    }
    data = {"terms": [good | entry if entry else {"code": "RE-99.result"}]}
    assert re.search(words, " ".join(actions.check_terms(data)))
    with pytest.raises(Refused):
        actions.import_terms(data=data, by=NOBODY)


def test_the_worklist_shows_the_units_own_and_nobody_elses(cast, django_assert_max_num_queries):
    start(cast, day="2026-11-16")
    start(cast, day="2026-11-23")
    start(cast, unit=cast.phieng_lua, day="2026-11-23")
    moment = at("2026-11-23")
    with django_assert_max_num_queries(12):
        page = worklist.page(cast.actor("truc"), moment)
    assert page.counts["all"] == 2 and page.counts["overdue"] == 1
    assert [row.clock.kind for row in page.rows] == ["late", "idle"] or len(page.rows) == 2
    assert worklist.page(cast.actor("lan"), moment).counts["all"] == 1
    assert worklist.page(cast.actor("stranger"), moment).counts["all"] == 0
    assert worklist.page(cast.actor("commander"), moment).counts["all"] == 3


def test_pages_follow_one_another_without_gap_or_repetition(cast):
    for day in range(30):
        start(cast, day=(date(2026, 10, 1) + timedelta(days=day)).isoformat())
    actor, moment, seen, cursor = cast.actor("pao"), at("2026-11-23"), [], ""
    while True:
        page = worklist.page(actor, moment, cursor=cursor)
        seen += [row.obligation.pk for row in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 30
    first = worklist.page(actor, moment)
    with pytest.raises(worklist.WrongCursor):
        worklist.page(actor, moment, bucket="overdue", cursor=first.next_cursor)


def test_the_commander_sees_the_oldest_late_promise_of_each_unit(cast):
    start(cast, day="2026-11-02")
    start(cast, day="2026-11-16")
    start(cast, unit=cast.phieng_lua, day="2026-11-23")
    loads = worklist.by_unit(cast.actor("commander"), at("2026-11-23"))
    assert [(load.unit, load.overdue) for load in loads] == [("Xã Nà Then", 2), ("Xã Phiêng Lúa", 0)]
    assert loads[0].oldest.obligation.started_at == at("2026-11-02")


def test_a_promise_is_printed_as_a_sum_in_both_languages(cast):
    from django.utils import translation

    matter, _ = start(cast, day="2026-11-20")
    with translation.override("vi"):
        lines = explain.lines(one(matter))
        assert lines[0].startswith("Bắt đầu từ 09:00 20/11/2026") and lines[-1].startswith("Hạn: hết")
    with translation.override("en"):
        assert "24 November 2026" in "\n".join(explain.lines(one(matter)))
