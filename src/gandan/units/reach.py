"""Rebuilding who stands above whom and who inherited from whom, from placements and successions."""

from datetime import date
from uuid import UUID

from gandan.units.models import Placement, Succession, Unit, UnitHeir, UnitReach

_Span = tuple[UUID, date, date | None]


def rebuild() -> None:
    """Rebuild both tables inside the caller's transaction."""
    UnitReach.objects.all().delete()
    UnitReach.objects.bulk_create(_reaches(), batch_size=2000)
    UnitHeir.objects.all().delete()
    UnitHeir.objects.bulk_create(_heirs(), batch_size=2000)


def _reaches() -> list[UnitReach]:
    parents: dict[UUID, list[_Span]] = {}
    for unit, parent, start, end in Placement.objects.filter(chain=Placement.Chain.POLICE).values_list(
        "unit", "parent", "valid_from", "valid_to"
    ):
        parents.setdefault(unit, []).append((parent, start, end))
    rows = []
    for unit, start, end in Unit.objects.values_list("pk", "valid_from", "valid_to"):
        rows.append(UnitReach(ancestor_id=unit, descendant_id=unit, valid_from=start, valid_to=end))
        level: list[_Span] = [(unit, start, end)]
        while level:
            above: list[_Span] = []
            for below, since, until in level:
                for parent, first, last in parents.get(below, ()):
                    lower, upper = max(since, first), _earlier(until, last)
                    if upper is None or lower < upper:
                        above.append((parent, lower, upper))
            rows += [
                UnitReach(ancestor_id=parent, descendant_id=unit, valid_from=lower, valid_to=upper)
                for parent, lower, upper in above
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


def _earlier(one: date | None, other: date | None) -> date | None:
    if one is None or other is None:
        return one or other
    return min(one, other)
