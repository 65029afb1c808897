"""Where a matter about the police themselves goes: never to those it is about, and never to nobody."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _

from gandan.access import Refused, today
from gandan.staffing import oversight
from gandan.staffing.models import Concern
from gandan.units.models import Unit, successors_of
from gandan.units.standing import Standing, standing


def serving(unit: Unit) -> Standing:
    """Return how the unit stands today that receives for `unit`: itself, or its heir when it ended while somebody
    wrote."""
    on = today()
    present = standing(unit.pk, on)
    if present.unit.valid_to is None or present.unit.valid_to > on:
        return present
    heirs = successors_of(present.unit) or oversight.superiors(present.unit)
    return standing(heirs[0].pk, on) if heirs else present


def oversight_for(subjects: Iterable[Unit], received_by: Unit, officer: Any = None) -> Unit:
    """Return the nearest superior unit of the subjects that has an inspector whom the matter does not concern.

    An inspector is left out who serves or lately served in a unit that is spoken of, or is `officer` himself; so
    is a unit that is spoken of, and every successor of it. Where there is none, the highest superior holds what the
    body outside is then sent (GANDAN_OUTSIDE_BODY). Raises Refused when an installation names no such body either:
    it may not take complaints, and says where they are taken.
    """
    named = list(subjects) or [received_by]
    people = {getattr(officer, "pk", officer)} - {None}
    found = oversight.above(named[0], oversight.kin_of(named), people)
    if found is not None:
        return found
    if settings.GANDAN_OUTSIDE_BODY:
        return (oversight.superiors(named[0]) or [received_by])[-1]
    raise Refused(
        _("No inspector is appointed above this unit yet. Take your complaint to the province's inspectorate.")
    )


def may_oversee(matter: UUID, unit: Unit) -> bool:
    """Say whether a matter about the police may be sent to a unit: it has an inspector of its own, and the
    matter concerns neither."""
    units, people = concerned(matter)
    return unit.pk not in units and oversight.has_inspector(unit, units, people)


def next_above(matter: UUID, unit: Unit) -> Unit | None:
    """Return where a matter goes that nobody of `unit` may read: the nearest superior with an inspector whom it does
    not concern; for a unit that has ended its heirs are asked first."""
    units, people = concerned(matter)
    if not unit.is_alive(today()):
        for heir in successors_of(unit):
            if heir.pk not in units and oversight.has_inspector(heir, units, people):
                return heir
    return oversight.above(unit, units, people)


def concerned(matter: UUID) -> tuple[set[UUID], set[UUID]]:
    """Return the units that a matter is about, with their heirs, and those whom it names or who stepped back."""
    rows = list(Concern.system("routing").filter(matter=matter).select_related("unit"))
    units = oversight.kin_of(row.unit for row in rows if row.unit is not None and row.kind != Concern.Kind.RECUSED)
    return units, {row.user_id for row in rows if row.user_id}


def subjects_of(concern: dict[str, Any] | None, unit: Unit) -> list[Unit]:
    """Return the units that a concern names; a concern without a unit is about the one that receives it."""
    if concern is None:
        return []
    return [concern.get("unit") or unit]
