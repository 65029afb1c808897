"""Open matters pass to the successor unit. Who received them never changes."""

from datetime import datetime, time
from typing import Any

from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, now
from gandan.access.clock import VIETNAM, day_of
from gandan.cases.models import Case, CaseEvent, Transfer
from gandan.units.models import Unit, province_of
from gandan.units.succession import Carrier, Line


class CaseCarrier(Carrier):
    name = "cases"

    def preview(self, act: Any) -> list[Line]:
        return [
            Line(case.holder_id, _("Open matter"), case.reference, act.successor_for(case.holder_id, case.pk), case.pk)
            for case in self._open(act)
        ]

    def carry(self, act: Any, by: Actor) -> int:
        moved = 0
        at = datetime.combine(act.effective_on, time(0), VIETNAM)
        units: dict[Any, Unit] = {}
        provinces: dict[Any, Unit | None] = {}

        def unit_of(pk: Any) -> Unit:
            if pk not in units:
                units[pk] = Unit.objects.get(pk=pk)
                provinces[pk] = province_of(units[pk], day_of(at))
            return units[pk]

        for case in self._open(act):
            successor = act.successor_for(case.holder_id, case.pk)
            if successor is None:
                continue
            former = case.holder.title
            case.holder, case.province = unit_of(successor), provinces[successor]
            case.save(update_fields=["holder", "province"])
            case.events.create(
                kind=CaseEvent.Kind.SUCCEEDED,
                at=at,
                recorded_at=now(),
                actor_id=by.user_id,
                actor_name=by.name,
                unit_id=successor,
                shown=True,
                facts={"from": former, "to": case.holder.title, "decree": act.decree},
            )
            audit.record("case.succeed", by=by, on=case, unit=successor, reason=f"act:{act.pk.hex}")
            moved += 1
        for transfer in Transfer.system("succession").filter(to_unit__in=act.ended_units(), acknowledged_at=None):
            goal = act.successor_for(transfer.to_unit_id, transfer.case_id)
            if goal is not None:
                transfer.to_unit = unit_of(goal)
                transfer.save(update_fields=["to_unit"])
                moved += 1
        return moved

    def _open(self, act: Any) -> Any:
        rows = Case.system("succession").filter(
            holder__in=act.ended_units(), closed_at=None, withdrawn_at=None, passed_on_at=None
        )
        return rows.select_related("holder").order_by("holder", "received_at", "pk")
