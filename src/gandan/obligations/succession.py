"""Open promises pass to the successor: a merger may not swallow one."""

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from gandan.access import Actor, Refused
from gandan.access.clock import VIETNAM
from gandan.obligations import actions
from gandan.obligations.models import Notice, Obligation
from gandan.units.models import Unit, UnitReach
from gandan.units.succession import Carrier, Line


class ObligationCarrier(Carrier):
    """Same clock, same date, new owner. Where a unit goes on under another province, the province follows.

    Runs again without moving anything twice: what has passed no longer belongs to an ended unit.
    """

    name = "obligations"

    def preview(self, act: Any) -> list[Line]:
        return [
            Line(
                row.owed_by_id, _("Open promise"), row.clock, act.successor_for(row.owed_by_id, row.matter), row.matter
            )
            for row in self._open(act)
        ]

    def carry(self, act: Any, by: Actor) -> int:
        """Move every open promise of the ended units. Raises Refused for one that nobody would take over."""
        at = datetime.combine(act.effective_on, time(0), VIETNAM)
        moved, units = 0, _Units()
        for row in self._open(act):
            successor = act.successor_for(row.owed_by_id, row.matter)
            if successor is None:
                raise Refused(
                    _("%(unit)s has no successor and no superior: its open promises would be lost. Name a successor.")
                    % {"unit": row.owed_by.title}
                )
            moved += actions.transfer(obligation=row, to_unit=units[successor], at=at, by=by, ground=act.decree)
        provinces = _new_provinces(act.effective_on)
        for row in Obligation.system("succession").open().filter(owed_by__in=provinces).order_by("owed_by", "id"):
            if row.province_id != provinces[row.owed_by_id]:
                moved += actions.transfer(
                    obligation=row, to_unit=units[row.owed_by_id], at=at, by=by, ground=act.decree
                )
        self._carry_notices(act, provinces)
        return moved

    def _carry_notices(self, act: Any, provinces: dict[UUID, UUID]) -> None:
        """What nobody has seen yet is addressed to the successor."""
        unseen = Notice.system("succession").filter(seen_at=None)
        for notice in unseen.filter(unit__in=act.ended_units()):
            successor = act.successor_for(notice.unit_id, notice.matter)
            if successor is not None:
                notice.unit_id = successor
                notice.province_id = provinces.get(successor, notice.province_id)
                notice.save(update_fields=["unit", "province"])
        for unit, province in provinces.items():
            unseen.filter(unit=unit).exclude(province=province).update(province=province)

    def _open(self, act: Any) -> Any:
        rows = Obligation.system("succession").open().filter(owed_by__in=act.ended_units())
        return rows.select_related("owed_by").order_by("owed_by", "due_at", "id")


def _new_provinces(on: date) -> dict[UUID, UUID]:
    """Return the units that answer to a province from this day on, each with that province."""
    rows = UnitReach.objects.filter(ancestor__level=Unit.Level.PROVINCE, valid_from=on)
    return dict(rows.values_list("descendant", "ancestor"))


class _Units(dict[UUID, Unit]):
    """Units by key, each read once."""

    def __missing__(self, key: UUID) -> Unit:
        self[key] = Unit.objects.get(pk=key)
        return self[key]
