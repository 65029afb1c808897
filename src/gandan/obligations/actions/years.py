"""Keeping the working calendar: a day declared or taken out by decree moves the open promises that it lies in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now, today
from gandan.access.clock import VIETNAM
from gandan.law import DayRule
from gandan.law.seed import seed_year
from gandan.obligations import kinds, terms
from gandan.obligations.actions.clocks import save
from gandan.obligations.ledger import Ledger
from gandan.obligations.models import CalendarDay, CalendarYear, Notice, Obligation, ObligationEvent

FIRST_YEAR = 2018


@dataclass(frozen=True, slots=True)
class Move:
    """A promise whose date a change of the calendar moves, and where to."""

    obligation: Obligation
    before: datetime
    after: datetime


def preview_day(
    *, day: date, kind: str, name_vi: str, name_en: str, decree: str, published_on: date | None = None
) -> list[Move]:
    """Return what declaring a day would move. Nothing is written. Raises Refused as `declare_day` does."""
    _may_declare(day, kind, decree)
    rule = DayRule(kind, name_vi, name_en, decree, published_on)  # type: ignore[arg-type]
    return [move for move, _ledger in _moves(terms.calendar().with_day(day, rule), day)]


def declare_day(
    *, day: date, kind: str, name_vi: str, name_en: str, decree: str, by: Actor, published_on: date | None = None
) -> list[Move]:
    """Enter a day into the calendar by decree, in place of what it was; return the promises whose dates moved."""
    decree = decree.strip()
    with audit.together():
        _may_declare(day, kind, decree)
        year = _change(day.year, by, decree)
        _take_out(day, year.version, decree)
        CalendarDay.objects.create(
            year=year,
            day=day,
            kind=kind,
            name_vi=name_vi,
            name_en=name_en,
            decree=decree,
            published_on=published_on,
            since=year.version,
        )
        return _recompute(day, by, decree)


def preview_removal(*, day: date) -> list[Move]:
    """Return what taking a day out would move. Nothing is written. Raises Refused for an ordinary day."""
    _kept_day(day)
    return [move for move, _ledger in _moves(terms.calendar().with_day(day, None), day)]


def remove_day(*, day: date, decree: str, by: Actor) -> list[Move]:
    """Take a day out of the calendar again; return the promises whose dates moved."""
    decree = decree.strip()
    if not decree:
        raise Refused(_("Write the number of the decree by which this day is taken out."))
    with audit.together():
        _kept_day(day)
        year = _change(day.year, by, decree)
        _take_out(day, year.version, decree)
        return _recompute(day, by, decree)


def decide_year(*, year: int, decree: str, by: Actor) -> CalendarYear:
    """Say by which decree a year is decided, as its days stand: a provisional one, or one that was taken for decided
    when it came with the system."""
    if not decree.strip():
        raise Refused(_("Write the number of the decree that decides the year."))
    with transaction.atomic():
        row = _change(year, by, decree.strip())
        if row.decree:
            raise Refused(_("The calendar of %(year)d is decided already.") % {"year": year})
        row.status, row.decree = CalendarYear.Status.DECIDED, decree.strip()
        # Sums that were printed as decided stay so.
        row.decided_in = row.decided_in or row.version
        row.save(update_fields=["status", "decree", "decided_in"])
    return row


def keep_years_seeded(*, by: Actor, on: date | None = None, years: Iterable[int] | None = None) -> int:
    """Seed every missing year until two years ahead; return how many were added."""
    last = (on or today()).year + 2
    wanted = set(years or range(FIRST_YEAR, last + 1))
    count = 0
    for number in sorted(wanted - set(CalendarYear.objects.filter(year__in=wanted).values_list("year", flat=True))):
        seed = seed_year(number)
        decided = seed.status == CalendarYear.Status.DECIDED
        with transaction.atomic():
            row, made = CalendarYear.objects.get_or_create(
                year=number, defaults={"status": seed.status, "decided_in": 1 if decided else None}
            )
            if not made:
                continue
            CalendarDay.objects.bulk_create(
                CalendarDay(
                    year=row,
                    day=day,
                    kind=rule.kind,
                    name_vi=rule.name_vi,
                    name_en=rule.name_en,
                    decree=rule.decree,
                    published_on=rule.published_on,
                )
                for day, rule in seed.days.items()
            )
            audit.record("calendar.seed", by=by, on=row, values={"year": number})
            count += 1
    return count


def _may_declare(day: date, kind: str, decree: str) -> None:
    if not decree.strip():
        raise Refused(_("Write the number of the decree by which this day is declared."))
    if not CalendarYear.objects.filter(year=day.year).exists():
        raise Refused(_("The calendar of %(year)d is not there yet.") % {"year": day.year})
    if kind not in CalendarDay.Kind.values:
        raise Refused(_("Choose what the day is: a holiday, a day of rest or a working day in exchange."))
    if kind == CalendarDay.Kind.SWAPPED_WORK and day.weekday() < 5:
        raise Refused(_("Only a Saturday or Sunday is worked in exchange."))


def _kept_day(day: date) -> CalendarDay:
    found: CalendarDay | None = CalendarDay.objects.filter(day=day, until=None).first()
    if found is None:
        raise Refused(_("This day is an ordinary one already."))
    return found


def _change(number: int, by: Actor, decree: str) -> CalendarYear:
    """Lock a year and give it its next version."""
    year: CalendarYear | None = CalendarYear.objects.select_for_update().filter(year=number).first()
    if year is None:
        raise Refused(_("The calendar of %(year)d is not there yet.") % {"year": number})
    year.version, year.edition = year.version + 1, uuid4()
    year.save(update_fields=["version", "edition"])
    audit.record("calendar.edit", by=by, on=year, values={"decree": decree, "version": year.version})
    return year


def _take_out(day: date, version: int, decree: str) -> None:
    CalendarDay.objects.filter(day=day, until=None).update(until=version, ended_by=decree[:120])


def _moves(calendar: terms.KeptCalendar, day: date, *, locked: bool = False) -> Iterator[tuple[Move, Ledger]]:
    """Yield the running promises over a day that a calendar dates otherwise.

    A date already missed is never moved, and no date is moved into the past. A clock that stands still is
    counted when it runs on.
    """
    at, rows = now(), _over(day)
    if locked:
        rows = rows.select_for_update(of=("self",))
    for row in rows.select_related("term", "owed_by").prefetch_related("events").order_by("due_at", "id"):
        ledger = Ledger.load(row, calendar)
        after = ledger.projection().deadline(calendar).due_at
        if after != row.due_at and after > at:
            yield Move(row, row.due_at, after), ledger


def _over(day: date) -> Any:
    """Return the running promises in whose time a day lies, and that may still be kept."""
    rows = Obligation.system("recompute").running().exclude(term__unit="hour")
    return rows.filter(due_at__gt=max(now(), _midnight(day)), started_at__lt=_midnight(day + timedelta(days=1)))


def _recompute(day: date, by: Actor, decree: str) -> list[Move]:
    """Count the promises over a day again; tell the owners of those that moved, and those who wait for an answer."""
    tellers = {kind.name: kind.teller for kind in kinds.registered() if kind.teller is not None}
    for name, teller in tellers.items():
        # Before the promises, in the order of every other action: none waits for the other.
        teller.lock(set(_over(day).filter(kind=name).values_list("matter", flat=True)))
    at, moved = now(), []
    for move, ledger in list(_moves(terms.calendar(), day, locked=True)):
        row = move.obligation
        ledger.add(
            ObligationEvent.Kind.RECOMPUTED,
            at=max(at, row.started_at),
            recorded_at=at,
            actor_id=by.user_id,
            ground=decree,
            facts={"before": move.before.isoformat()},
        )
        save(ledger, by, reason="calendar")
        Notice.objects.create(
            unit_id=row.owed_by_id,
            province_id=row.province_id,
            matter=row.matter,
            obligation=row,
            kind=Notice.Kind.RECOMPUTED,
            at=at,
            facts={"before": move.before.isoformat(), "after": row.due_at.isoformat()},
        )
        moved.append(move)
    for name, teller in tellers.items():
        teller.tell([move for move in moved if move.obligation.kind == name], day, decree, by)
    return moved


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), VIETNAM)
