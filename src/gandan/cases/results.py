"""What became of what people brought: counts that a page shows with numerator, denominator and definition.

Matters about units or officers never enter; oversight publishes those apart. A merged unit's figures are the
sum of its own and those of the units it inherited, and the number of parts is said.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Sum

from gandan.access import now
from gandan.access.authority import authority
from gandan.access.clock import VIETNAM
from gandan.cases.models import Case, Rating
from gandan.obligations.models import Obligation
from gandan.units.models import Unit, UnitHeir

RATINGS_SHOWN_FROM = 5


@dataclass(frozen=True, slots=True)
class Results:
    """The results of one unit over [start, end). Shares are not rounded; times are in days."""

    unit: Unit
    start: date
    end: date
    parts: int
    """How many former units are counted in."""
    received: int
    settled: int
    in_time: int
    promises: int
    """Promises that ended in the period: the denominator of `in_time`."""
    median_days: float | None
    open: int
    late: int
    ratings: int
    rating_sum: int

    @property
    def in_time_share(self) -> float | None:
        return self.in_time / self.promises if self.promises else None

    @property
    def rating_mean(self) -> float | None:
        """The mean score, or None while too few people have rated for it to say anything."""
        return self.rating_sum / self.ratings if self.ratings >= RATINGS_SHOWN_FROM else None


def of_units(units: list[Unit], start: date, end: date) -> list[Results]:
    """Return the results of several units in a fixed number of queries."""
    owner: dict[UUID, UUID] = {unit.pk: unit.pk for unit in units}
    parts = dict.fromkeys(owner, 0)
    for heir, origin in UnitHeir.objects.filter(heir__in=list(owner)).values_list("heir", "origin"):
        if origin not in owner:
            owner[origin] = heir
            parts[heir] += 1
    ids = list(owner)
    begin, finish, at = _instant(start), _instant(end), now()
    plain = Case.system("results").filter(~authority().has_subject("id"))
    promises = Obligation.system("results").filter(~authority().has_subject("matter"), kind="case")
    received = _counts(plain.filter(received_by__in=ids, received_at__gte=begin, received_at__lt=finish), "received_by")
    held = plain.filter(holder__in=ids)
    settled = _counts(held.filter(answered_at__gte=begin, answered_at__lt=finish), "holder")
    waiting = _counts(held.unfinished(), "holder")
    ended = promises.filter(owed_by__in=ids, discharged_at__gte=begin, discharged_at__lt=finish).exclude(
        ending="withdrawn"
    )
    kept = _counts(ended.filter(discharged_at__lt=F("due_at")), "owed_by")
    all_ended = _counts(ended, "owed_by")
    late_matters = (
        promises.filter(owed_by__in=ids)
        .overdue(at)
        .values("owed_by")
        .annotate(n=Count("matter", distinct=True))
        .order_by()
    )
    late = {row["owed_by"]: row["n"] for row in late_matters}
    days: dict[UUID, list[float]] = {}
    for holder, got, answered in held.filter(answered_at__gte=begin, answered_at__lt=finish).values_list(
        "holder", "received_at", "answered_at"
    ):
        days.setdefault(owner[holder], []).append((answered - got).total_seconds() / 86400)
    ratings = {
        row["unit"]: (row["n"], row["total"])
        for row in Rating.system("results")
        .filter(unit__in=ids, month__gte=start.replace(day=1), month__lt=end)
        .values("unit")
        .annotate(n=Count("pk"), total=Sum("score"))
        .order_by()
    }

    def add(counts: dict[UUID, int], unit: Unit) -> int:
        return sum(n for pk, n in counts.items() if owner.get(pk) == unit.pk)

    return [
        Results(
            unit=unit,
            start=start,
            end=end,
            parts=parts[unit.pk],
            received=add(received, unit),
            settled=add(settled, unit),
            in_time=add(kept, unit),
            promises=add(all_ended, unit),
            median_days=median(days[unit.pk]) if days.get(unit.pk) else None,
            open=add(waiting, unit),
            late=add(late, unit),
            ratings=sum(n for pk, (n, _) in ratings.items() if owner.get(pk) == unit.pk),
            rating_sum=sum(total for pk, (_, total) in ratings.items() if owner.get(pk) == unit.pk),
        )
        for unit in units
    ]


def of_unit(unit: Unit, start: date, end: date) -> Results:
    return of_units([unit], start, end)[0]


def table(results: list[Results]) -> list[dict[str, Any]]:
    """Return results as plain rows for CSV and JSON; what is not known is None, never 0."""
    return [
        {
            "unit": each.unit.title,
            "slug": each.unit.slug,
            "from": each.start.isoformat(),
            "until": each.end.isoformat(),
            "former_units_added": each.parts,
            "received": each.received,
            "settled": each.settled,
            "in_time": each.in_time,
            "promises_ended": each.promises,
            "median_days": None if each.median_days is None else round(each.median_days, 2),
            "open_now": each.open,
            "late_now": each.late,
            "ratings": each.ratings,
            "rating_mean": None if each.rating_mean is None else round(each.rating_mean, 3),
            "rating_stream": "all users after service",
        }
        for each in results
    ]


def _counts(rows: Any, column: str) -> dict[UUID, int]:
    return {row[column]: row["n"] for row in rows.values(column).annotate(n=Count("pk")).order_by()}


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(0), VIETNAM)
