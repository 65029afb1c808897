"""Open promises pass to the successor: a merger may not swallow one."""

from datetime import datetime, time
from typing import Any

from django.utils.translation import gettext as _

from gandan.access import Actor
from gandan.access.clock import VIETNAM
from gandan.obligations import actions
from gandan.obligations.models import Notice, Obligation
from gandan.units.models import Unit
from gandan.units.succession import Carrier, Line


class ObligationCarrier(Carrier):
    name = "obligations"

    def preview(self, act: Any) -> list[Line]:
        return [
            Line(
                row.owed_by_id, _("Open promise"), row.clock, act.successor_for(row.owed_by_id, row.matter), row.matter
            )
            for row in self._open(act)
        ]

    def carry(self, act: Any, by: Actor) -> int:
        moved = 0
        at = datetime.combine(act.effective_on, time(0), VIETNAM)
        units: dict[Any, Unit] = {}
        for row in self._open(act):
            successor = act.successor_for(row.owed_by_id, row.matter)
            if successor is None:
                continue
            if successor not in units:
                units[successor] = Unit.objects.get(pk=successor)
            moved += actions.transfer(obligation=row, to_unit=units[successor], at=at, by=by, ground=act.decree)
        for notice in Notice.system("succession").filter(unit__in=act.ended_units(), seen_at=None):
            successor = act.successor_for(notice.unit_id, notice.matter)
            if successor is not None:
                notice.unit_id = successor
                notice.save(update_fields=["unit"])
        return moved

    def _open(self, act: Any) -> Any:
        return (
            Obligation.system("succession")
            .open()
            .filter(owed_by__in=act.ended_units())
            .order_by("owed_by", "due_at", "id")
        )
