"""Who inspects whom: the inspectors of a unit, the nearest above it, and the units for which there is none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from gandan.access import Actor, today
from gandan.access.actor import Reach
from gandan.access.authority import authority
from gandan.access.roles import Role
from gandan.staffing.models import Grant
from gandan.units.models import Placement, Unit, ancestors, successors_of


@dataclass(frozen=True, slots=True)
class Gap:
    """A unit about which nobody could complain: every inspector above it is missing or belongs to it.

    `beneath` counts the units under a province of which the same is true.
    """

    unit: Unit
    itself: bool
    beneath: int


def inspectors(unit: Unit) -> list[Actor]:
    """Return the inspectors who have their role at this very unit today and can sign in."""
    grants = Grant.system("oversight").in_force(today()).filter(role=Role.OVERSIGHT, unit=unit, user__is_active=True)
    users = [grant.user for grant in grants.select_related("user").order_by("user")]
    return [actor for actor in map(authority().actor, users) if _inspects(actor, unit.pk)]


def has_inspector(unit: Unit, concerned: Iterable[UUID], officers: Iterable[UUID]) -> bool:
    """Say whether a unit has an inspector who is none of these officers and neither serves nor lately served in one
    of the units concerned."""
    units, people = set(concerned), set(officers)
    return any(actor.user_id not in people and not actor.affiliations & units for actor in inspectors(unit))


def superiors(unit: Unit) -> list[Unit]:
    """Return the living superiors of a unit, nearest first; for an ended unit those that it had last."""
    on = today()
    last = on if unit.valid_to is None or unit.valid_to > on else unit.valid_to - timedelta(days=1)
    return [above for above in ancestors(unit, last) if above.is_alive(on)]


def kin_of(units: Iterable[Unit]) -> set[UUID]:
    """Return these units and those that serve in their place today."""
    named = list(units)
    return {unit.pk for unit in named} | {heir.pk for unit in named for heir in successors_of(unit)}


def above(unit: Unit, concerned: Iterable[UUID], officers: Iterable[UUID]) -> Unit | None:
    """Return the nearest superior of a unit that has an inspector whom a matter does not concern."""
    units, people = set(concerned), set(officers)
    return next((each for each in superiors(unit) if each.pk not in units and has_inspector(each, units, people)), None)


def gaps(reach: Reach) -> list[Gap]:
    """Return for each province in reach what could not be complained about today, in a fixed number of questions for
    each inspector. Told from roles and units alone: it is the same whether or not anybody has complained."""
    on = today()
    parents = dict(Placement.objects.on(on).filter(chain=Placement.Chain.POLICE).values_list("unit", "parent"))
    grants = Grant.system("oversight").in_force(on).filter(role=Role.OVERSIGHT, user__is_active=True)
    actors = [authority().actor(grant.user) for grant in grants.select_related("user").order_by("user", "unit")]
    found: dict[UUID, list[Unit]] = {}
    units = {unit.pk: unit for unit in Unit.objects.on(on).exclude(level=Unit.Level.COUNTRY).order_by("title", "pk")}
    for unit in units.values():
        line = list(_line(unit.pk, parents))
        province = next((key for key in (unit.pk, *line) if key in units and _is_province(units[key])), None)
        if not reach.covers(unit.pk, province):
            continue
        if not any(_inspects(actor, seat) and unit.pk not in actor.affiliations for seat in line for actor in actors):
            found.setdefault(province or unit.pk, []).append(unit)
    return [
        Gap(units[key], any(unit.pk == key for unit in rows), sum(unit.pk != key for unit in rows))
        for key, rows in found.items()
    ]


def _is_province(unit: Unit) -> bool:
    return bool(unit.level == Unit.Level.PROVINCE)


def _inspects(actor: Actor, unit: UUID) -> bool:
    return any(grant.role == Role.OVERSIGHT and grant.unit_id == unit for grant in actor.grants)


def _line(unit: UUID, parents: dict[Any, Any]) -> Iterator[UUID]:
    """Yield the superiors of a unit, nearest first."""
    seen = {unit}
    while (unit := parents.get(unit, unit)) not in seen:
        seen.add(unit)
        yield unit
