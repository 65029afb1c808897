"""What became of what people brought: counts that a page shows with numerator, denominator and definition.

Matters about units or officers never enter; oversight publishes those apart. A merged unit's figures are the
sum of its own and those of the units it inherited, and the number of parts is said.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time
from statistics import median
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, Sum

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
    """Matters that nobody has answered today: the denominator of `late`."""
    late: int
    """Those among them of which a promise is past its date."""
    ratings: int
    rating_sum: int

    @property
    def in_time_share(self) -> float | None:
        return self.in_time / self.promises if self.promises else None

    @property
    def rating_mean(self) -> float | None:
        """The mean score, or None while too few people have rated for it to say anything."""
        return self.rating_sum / self.ratings if self.ratings >= RATINGS_SHOWN_FROM else None


def of_units(units: list[Unit], start: date, end: date, *, medians: bool = True) -> list[Results]:
    """Return the results of several units in a fixed number of queries; without `medians` no matter is read."""
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
    came = plain.filter(received_by__in=ids, received_at__gte=begin, received_at__lt=finish)
    received = _counts(came, "received_by")["all"]
    held = plain.filter(holder__in=ids)
    answered_then = Q(answered_at__gte=begin, answered_at__lt=finish)
    # One walk over the matters gives both counts, one over the promises the next two.
    by_holder = _counts(held.filter(answered_then | _WAITING), "holder", settled=answered_then, open=_WAITING)
    ended = promises.filter(owed_by__in=ids, discharged_at__gte=begin, discharged_at__lt=finish).exclude(
        ending="withdrawn"
    )
    by_owner = _counts(ended, "owed_by", kept=Q(discharged_at__lt=F("due_at")))
    # An answered matter may still owe something, its closing for one; nobody waits for an answer there.
    overdue = Obligation.system("results").overdue(at).filter(kind="case", matter=OuterRef("pk"))
    late = _counts(held.filter(_WAITING).filter(Exists(overdue)), "holder")["all"]
    days: dict[UUID, list[float]] = {}
    if medians:
        rows = held.filter(answered_then).values_list("holder", "received_at", "answered_at")
        for holder, got, answered in rows:
            days.setdefault(owner[holder], []).append((answered - got).total_seconds() / 86400)
    rated = Rating.system("results").filter(unit__in=ids, month__gte=start.replace(day=1), month__lt=end)
    scores = list(rated.values("unit").annotate(n=Count("pk"), total=Sum("score")).order_by())

    def joined(counts: dict[UUID, int]) -> Counter[UUID]:
        """Return counts by the unit that answers for them today."""
        sums: Counter[UUID] = Counter()
        for pk, n in counts.items():
            if pk in owner:
                sums[owner[pk]] += n
        return sums

    by_unit = {
        "received": joined(received),
        "settled": joined(by_holder["settled"]),
        "in_time": joined(by_owner["kept"]),
        "promises": joined(by_owner["all"]),
        "open": joined(by_holder["open"]),
        "late": joined(late),
        "ratings": joined({row["unit"]: row["n"] for row in scores}),
        "rating_sum": joined({row["unit"]: row["total"] for row in scores}),
    }

    return [
        Results(
            unit=unit,
            start=start,
            end=end,
            parts=parts[unit.pk],
            median_days=median(days[unit.pk]) if days.get(unit.pk) else None,
            **{name: sums[unit.pk] for name, sums in by_unit.items()},
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


_WAITING = Q(closed_at=None, withdrawn_at=None, passed_on_at=None, answered_at=None)
"""Matters that still wait for an answer, as `CaseQuerySet.unfinished` asks for them."""


def _counts(rows: Any, column: str, **parts: Q) -> dict[str, dict[UUID, int]]:
    """Return by name the counts of all rows and of each part, by the value of a column."""
    asked = {"all": Count("pk"), **{name: Count("pk", filter=part) for name, part in parts.items()}}
    found = list(rows.values(column).annotate(**asked).order_by())
    return {name: {row[column]: row[name] for row in found} for name in asked}


def _instant(day: date) -> datetime:
    return datetime.combine(day, time(0), VIETNAM)
