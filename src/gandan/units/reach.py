"""Rebuilding who stands above whom and who inherited from whom, from placements and successions."""

from datetime import date
from uuid import UUID

from gandan.units.models import Placement, Succession, Unit, UnitHeir, UnitReach

Span = tuple[date, date | None]
"""From a day until the day before another, or for good."""


def rebuild() -> None:
    """Rebuild both tables inside the caller's transaction."""
    UnitReach.objects.all().delete()
    UnitReach.objects.bulk_create(_reaches(), batch_size=2000)
    UnitHeir.objects.all().delete()
    UnitHeir.objects.bulk_create(_heirs(), batch_size=2000)


def _reaches() -> list[UnitReach]:
    parents: dict[UUID, list[tuple[UUID, Span]]] = {}
    for unit, parent, start, end in Placement.objects.filter(chain=Placement.Chain.POLICE).values_list(
        "unit", "parent", "valid_from", "valid_to"
    ):
        parents.setdefault(unit, []).append((parent, (start, end)))
    rows = []
    for unit, start, end in Unit.objects.values_list("pk", "valid_from", "valid_to"):
        rows.append(UnitReach(ancestor_id=unit, descendant_id=unit, valid_from=start, valid_to=end))
        level: list[tuple[tuple[UUID, ...], Span]] = [((unit,), (start, end))]
        while level:
            above = []
            for path, span in level:
                for parent, other in parents.get(path[-1], ()):
                    both = overlap(span, other)
                    # Nobody stands above themselves, whatever the rows say: a ring would have no end.
                    if both is not None and parent not in path:
                        above.append(((*path, parent), both))
            rows += [
                UnitReach(ancestor_id=path[-1], descendant_id=unit, valid_from=lower, valid_to=upper)
                for path, (lower, upper) in above
            ]
            level = above
    return rows


def _heirs() -> list[UnitHeir]:
    """A unit's records go to its primary successor; without one, to its last superior."""
    heir_of: dict[UUID, tuple[UUID, date]] = {}
    for row in Succession.objects.filter(primary=True):
        heir_of[row.predecessor_id] = (row.successor_id, row.on)
    last: dict[UUID, tuple[date, UUID]] = {}
    for unit, parent, start in Placement.objects.filter(chain=Placement.Chain.POLICE).values_list(
        "unit", "parent", "valid_from"
    ):
        if unit not in last or start > last[unit][0]:
            last[unit] = (start, parent)
    for unit, end in Unit.objects.exclude(valid_to=None).values_list("pk", "valid_to"):
        if unit not in heir_of and unit in last:
            heir_of[unit] = (last[unit][1], end or last[unit][0])
    rows = []
    for origin in heir_of:
        heir, since = heir_of[origin]
        seen = {origin}
        while heir not in seen:
            seen.add(heir)
            rows.append(UnitHeir(heir_id=heir, origin_id=origin, since=since))
            if heir not in heir_of:
                break
            heir, since = heir_of[heir][0], max(since, heir_of[heir][1])
    return rows


def overlap(one: Span, other: Span) -> Span | None:
    """Return the time that two spans share, or None when they share no day."""
    lower = max(one[0], other[0])
    ends = [end for end in (one[1], other[1]) if end is not None]
    upper = min(ends) if ends else None
    return (lower, upper) if upper is None or lower < upper else None
