"""Who owes what today: one query for a unit's or an officer's list, one for a commander's overview."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Q
from django.utils.translation import gettext_lazy as _

from gandan.access import Actor, sql
from gandan.access.clock import VIETNAM, day_of
from gandan.accounts.models import User
from gandan.law import ClockState, clock_state
from gandan.obligations import explain, kinds
from gandan.obligations.models import Obligation
from gandan.ui import cursors
from gandan.ui.cursors import WrongCursor
from gandan.units.register import alphabetical

__all__ = ["BUCKETS", "MANY", "PAGE", "Load", "Page", "Row", "WrongCursor", "by_unit", "dress", "for_matter", "page"]

PAGE = 25
MANY = 1000
BUCKETS = {
    "all": _("All open"),
    "overdue": _("Overdue"),
    "today": _("Due today"),
    "week": _("Due this week"),
    "later": _("Due later"),
    "waiting": _("Waiting for others"),
}
"""The views of a list. "This week" includes today, "later" is all that falls due after it."""


@dataclass(frozen=True, slots=True)
class Named:
    title: str
    slug: str = ""


@dataclass(frozen=True, slots=True)
class TermWords:
    code: str
    name_vi: str
    name_en: str
    basis_vi: str
    basis_en: str


@dataclass(frozen=True, slots=True)
class Promise:
    """What a list reads of an obligation: the names are those of `Obligation`, without the weight of a model."""

    pk: UUID
    kind: str
    matter: UUID
    clock: str
    started_at: datetime
    due_at: datetime
    suspended_at: datetime | None
    suspended_for: str
    discharged_at: datetime | None
    owed_by: Named
    assignee: Named | None
    term: TermWords


_PROMISE = (
    "pk",
    "kind",
    "matter",
    "clock",
    "started_at",
    "due_at",
    "suspended_at",
    "suspended_for",
    "discharged_at",
)
_COLUMNS = (
    *_PROMISE,
    "owed_by__title",
    "owed_by__slug",
    "assignee",
    "assignee__rank",
    "assignee__full_name",
    "term__code",
    "term__name_vi",
    "term__name_en",
    "term__basis_vi",
    "term__basis_en",
)


def _promise(row: tuple[Any, ...]) -> Promise:
    own = dict(zip(_PROMISE, row, strict=False))
    unit, slug, assignee, rank, full_name, *term = row[len(_PROMISE) :]
    owner = Named(User.titled(rank, full_name)) if assignee else None
    return Promise(**own, owed_by=Named(unit, slug), assignee=owner, term=TermWords(*term))


@dataclass(frozen=True, slots=True)
class Row:
    """One promise as a list shows it."""

    obligation: Obligation | Promise
    clock: ClockState
    summary: kinds.Summary
    url_name: str
    waiting_for: str = ""
    """Why the clock stands still, in words."""

    @property
    def due_at(self) -> datetime:
        return self.obligation.due_at


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row]
    next_cursor: str
    counts: dict[str, int]


def query(actor: Actor, *, mine: bool = False, unit: UUID | None = None) -> Any:
    """Return the obligations that the actor may see, ended ones too."""
    rows = Obligation.for_(actor, "obligation.read")
    if mine:
        rows = rows.filter(assignee=actor.user_id)
    if unit is not None:
        rows = rows.filter(owed_by=unit)
    return rows


def page(
    actor: Actor, at: datetime, *, bucket: str = "all", mine: bool = False, unit: UUID | None = None, cursor: str = ""
) -> Page:
    """Return one page in order of due date, with the counts of all buckets: one query for the rows, one for the
    counts, one for the titles of each kind.

    Among all open promises those that wait stand at the end, for a paused clock has no date; the page on which
    they begin takes one query more. Raises WrongCursor.
    """
    parts = ["running", "waiting"] if bucket == "all" else [bucket]
    digest = f"{actor.user_id}|{bucket}|{mine}|{unit}"
    begin, *place = cursors.read(cursor, digest) if cursor else ["0"]
    instants = (at, _end_of_day(at), _end_of_week(at))
    after = (datetime.fromisoformat(place[0]), UUID(place[1])) if place else ()
    found: list[Promise] = []
    for number, part in list(enumerate(parts))[int(begin) :]:
        behind = after if number == int(begin) else ()
        found += [_promise(row) for row in sql.rows(_listed, (actor, part, mine, unit), instants + behind)]
        if len(found) > PAGE:
            break
    following = ""
    if len(found) > PAGE:
        found = found[:PAGE]
        part_number = len(parts) - 1 if found[-1].suspended_at is not None else 0
        following = cursors.sign([str(part_number), found[-1].due_at.isoformat(), str(found[-1].pk)], digest)
    # Up to a thousand and one, so that a wide scope never counts a million rows.
    counts = sql.counts_up_to(MANY + 1, _in_buckets, (actor, mine, unit), instants)
    return Page(dress(actor, found, at), following, dict(zip(BUCKETS, counts, strict=True)))


def _listed(
    actor: Actor, part: str, mine: bool, unit: UUID | None, at: datetime, day: datetime, week: datetime, *place: Any
) -> Any:
    rows = _bucket(query(actor, mine=mine, unit=unit), part, at, day, week)
    if place:
        due_at, last = place
        rows = rows.filter(due_at__gte=due_at).filter(Q(due_at__gt=due_at) | Q(pk__gt=last))
    return rows.order_by("due_at", "pk").values_list(*_COLUMNS)[: PAGE + 1]


def _in_buckets(actor: Actor, mine: bool, unit: UUID | None, at: datetime, day: datetime, week: datetime) -> list[Any]:
    everything = query(actor, mine=mine, unit=unit)
    return [_bucket(everything, name, at, day, week) for name in BUCKETS]


def dress(actor: Actor, obligations: Sequence[Obligation | Promise], at: datetime) -> list[Row]:
    """Give each obligation its clock and, in one query a kind, the summary of its matter."""
    summaries: dict[UUID, kinds.Summary] = {}
    for kind in kinds.registered():
        matters = [o.matter for o in obligations if o.kind == kind.name]
        if matters:
            summaries |= kind.summaries(actor, matters)
    rows = []
    for o in obligations:
        # A matter that the reader may not open shows its clock only.
        summary = summaries.get(o.matter) or kinds.Summary(reference="", title="")
        waiting_for = explain.ground(o.suspended_for)
        rows.append(Row(o, state_of(o, at), summary, kinds.kind(o.kind).url_name, waiting_for))
    return rows


def state_of(obligation: Obligation | Promise, at: datetime) -> ClockState:
    return clock_state(
        obligation.started_at,
        obligation.due_at,
        at,
        suspended=obligation.suspended_at is not None,
        discharged_at=obligation.discharged_at,
    )


def for_matter(actor: Actor, matter: UUID, at: datetime) -> list[tuple[Obligation, ClockState]]:
    """Return the promises of one matter with their clocks, their events at hand for the printed sum."""
    rows = Obligation.for_(actor, "obligation.read").filter(matter=matter).select_related("term", "owed_by", "assignee")
    rows = rows.prefetch_related("events").order_by("started_at", "clock")
    return [(row, state_of(row, at)) for row in rows]


def units(actor: Actor) -> list[tuple[str, str]]:
    """Return (slug, title) of the units in reach that owe something, for a filter."""
    found = sql.rows(_owing, (actor,), ())
    return [(slug, title) for title, slug in sorted(found, key=lambda row: alphabetical(row[0]))]


def _owing(actor: Actor) -> Any:
    return query(actor).open().order_by().values_list("owed_by__title", "owed_by__slug").distinct()


@dataclass(frozen=True, slots=True)
class Load:
    """What one unit owes now."""

    unit_id: UUID
    unit: str
    slug: str
    open: int
    overdue: int
    today: int
    waiting: int
    oldest: Row | None


def by_unit(actor: Actor, at: datetime) -> list[Load]:
    """Return the load of every unit in reach that owes something, the latest first, each with its oldest
    overdue promise: three queries, whatever the number of units."""
    rows = Obligation.for_(actor, "obligation.read").open()
    end = _end_of_day(at)
    running = Q(suspended_at=None)
    totals = rows.values("owed_by", "owed_by__title", "owed_by__slug").annotate(
        open=Count("pk"),
        overdue=Count("pk", filter=running & Q(due_at__lte=at)),
        today=Count("pk", filter=running & Q(due_at__gt=at, due_at__lte=end)),
        waiting=Count("pk", filter=Q(suspended_at__isnull=False)),
        first=Min("due_at", filter=running & Q(due_at__lte=at)),
    )
    found = sorted(totals, key=lambda total: (-total["overdue"], alphabetical(total["owed_by__title"])))
    firsts = {total["owed_by"]: total["first"] for total in found if total["first"]}
    late = rows.filter(running, owed_by__in=firsts, due_at__in=set(firsts.values())).select_related(
        "owed_by", "assignee", "term"
    )
    oldest: dict[UUID, Obligation] = {}
    for row in late.order_by("due_at", "pk"):
        if firsts.get(row.owed_by_id) == row.due_at:
            oldest.setdefault(row.owed_by_id, row)
    dressed = dict(zip(oldest, dress(actor, list(oldest.values()), at), strict=True))
    return [
        Load(
            total["owed_by"],
            total["owed_by__title"],
            total["owed_by__slug"],
            total["open"],
            total["overdue"],
            total["today"],
            total["waiting"],
            dressed.get(total["owed_by"]),
        )
        for total in found
    ]


def _bucket(rows: Any, bucket: str, at: datetime, day: datetime, week: datetime) -> Any:
    """Narrow obligations to a view of open ones; `day` and `week` are the midnights that end them."""
    if bucket == "running":
        return rows.running()
    if bucket == "overdue":
        return rows.overdue(at)
    if bucket == "today":
        return rows.due_within(at, day - at)
    if bucket == "week":
        return rows.due_within(at, week - at)
    if bucket == "later":
        return rows.running().filter(due_at__gt=week)
    if bucket == "waiting":
        return rows.waiting()
    return rows.open()


def _end_of_day(at: datetime) -> datetime:
    return datetime.combine(day_of(at) + timedelta(days=1), time(0), VIETNAM)


def _end_of_week(at: datetime) -> datetime:
    """Return the midnight that ends Sunday."""
    return _end_of_day(at) + timedelta(days=6 - day_of(at).weekday())
