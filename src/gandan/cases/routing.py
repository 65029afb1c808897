"""Where a matter about the police themselves goes: never to those it is about, and never to nobody."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from gandan.access import Refused, today
from gandan.access.authority import authority
from gandan.access.roles import Role
from gandan.staffing.models import Concern, Grant
from gandan.units.models import Unit, ancestors, successors_of
from gandan.units.standing import Standing, standing


def serving(unit: Unit) -> Standing:
    """Return how the unit stands today that receives for `unit`: itself, or its heir when it ended while somebody
    wrote."""
    on = today()
    present = standing(unit.pk, on)
    if present.unit.valid_to is None or present.unit.valid_to > on:
        return present
    heirs = successors_of(present.unit) or _superiors(present.unit)
    return standing(heirs[0].pk, on) if heirs else present


def oversight_for(subjects: Iterable[Unit], received_by: Unit, officer: Any = None) -> Unit:
    """Return the nearest superior unit of the subjects that has an inspector whom the matter does not concern.

    An inspector is left out who serves or lately served in a unit that is spoken of, or is `officer` himself; so
    is a unit that is spoken of, and every successor of it. Raises Refused when an installation has no such
    inspector: it may not take complaints, and says where they are taken.
    """
    named = list(subjects) or [received_by]
    kin = {unit.pk for unit in named} | {heir.pk for unit in named for heir in successors_of(unit)}
    for unit in _superiors(named[0]):
        if unit.pk not in kin and _has_inspector(unit, kin, officer):
            return unit
    raise Refused(
        _("No inspector is appointed above this unit yet. Take your complaint to the province's inspectorate.")
    )


def may_oversee(matter: UUID, unit: Unit) -> bool:
    """Say whether a matter about the police may be sent to a unit: it has an inspector of its own, and the
    matter concerns neither."""
    concerns = list(Concern.system("routing").filter(matter=matter).exclude(kind=Concern.Kind.RECUSED))
    kin = {concern.unit_id for concern in concerns if concern.unit_id}
    officers = {concern.user_id for concern in concerns if concern.user_id}
    return unit.pk not in kin and _has_inspector(unit, kin, *officers)


def subjects_of(concern: dict[str, Any] | None, unit: Unit) -> list[Unit]:
    """Return the units that a concern names; a concern without a unit is about the one that receives it."""
    if concern is None:
        return []
    return [concern.get("unit") or unit]


def _superiors(unit: Unit) -> list[Unit]:
    """Return the living superiors of a unit, nearest first; for an ended unit those that it had last."""
    on = today()
    last = on if unit.valid_to is None or unit.valid_to > on else unit.valid_to - timedelta(days=1)
    return [above for above in ancestors(unit, last) if above.is_alive(on)]


def _has_inspector(unit: Unit, concerned: set[UUID], *officers: Any) -> bool:
    keys = {getattr(officer, "pk", officer) for officer in officers}
    grants = Grant.system("routing").in_force(today()).filter(role=Role.OVERSIGHT, unit=unit, user__is_active=True)
    return any(
        grant.user_id not in keys and not authority().actor(grant.user).affiliations & concerned
        for grant in grants.select_related("user").order_by("user")
    )
