"""Where a matter about the police themselves goes: never to those it is about, and never to nobody."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from gandan.access import Refused, today
from gandan.access.roles import Role
from gandan.staffing.models import Grant
from gandan.units.models import Unit, ancestors


def oversight_for(subjects: Iterable[Unit], received_by: Unit) -> Unit:
    """Return the nearest superior unit of the subjects that has an inspector and is not itself a subject.

    Raises Refused when an installation has no inspector above a subject: such an installation may not take
    complaints, and `gandan check` says so.
    """
    named = {unit.pk for unit in subjects} or {received_by.pk}
    start = next((unit for unit in subjects), received_by)
    candidates = [unit for unit in ancestors(start) if unit.pk not in named]
    seats = set(
        Grant.system("routing")
        .in_force(today())
        .filter(role=Role.OVERSIGHT, unit__in=candidates)
        .filter(Q(user__is_active=True))
        .values_list("unit", flat=True)
    )
    for unit in candidates:
        if unit.pk in seats:
            return unit
    raise Refused(
        _("No inspector is appointed above this unit yet. Take your complaint to the province's inspectorate.")
    )


def subjects_of(concern: dict[str, Any] | None, unit: Unit) -> list[Unit]:
    """Return the units that a concern names; a concern without a unit is about the one that receives it."""
    if concern is None:
        return []
    return [concern.get("unit") or unit]
