"""Open matters pass to the successor unit. Who received them never changes."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, now
from gandan.access.clock import VIETNAM, day_of
from gandan.cases.models import Case, CaseEvent, Transfer
from gandan.units.models import Unit, province_of
from gandan.units.succession import Carrier, Line


class CaseCarrier(Carrier):
    """Carries open matters and what is on its way to an ended unit. Closed ones stay where they are: the heir
    reads them with the records that it inherited. Runs again without moving anything twice."""

    name = "cases"

    def preview(self, act: Any) -> list[Line]:
        held = [
            Line(case.holder_id, _("Open matter"), case.reference, act.successor_for(case.holder_id, case.pk), case.pk)
            for case in self._open(act)
        ]
        coming = [
            Line(
                transfer.to_unit_id,
                _("Matter on its way"),
                transfer.case.reference,
                act.successor_for(transfer.to_unit_id, transfer.case_id),
                transfer.case_id,
            )
            for transfer in self._coming(act)
        ]
        return held + coming

    def carry(self, act: Any, by: Actor) -> int:
        at = datetime.combine(act.effective_on, time(0), VIETNAM)
        heirs = _Heirs(day_of(at))
        moved = 0
        for case in self._open(act):
            successor = act.successor_for(case.holder_id, case.pk)
            if successor is None:
                continue
            former = case.holder.title
            case.holder, case.province = heirs.unit(successor), heirs.province(successor)
            case.save(update_fields=["holder", "province"])
            self._write(case, CaseEvent.Kind.SUCCEEDED, at, by, {"from": former, "decree": act.decree})
            audit.record("case.succeed", by=by, on=case, unit=successor, reason=f"act:{act.pk.hex}")
            moved += 1
        for transfer in self._coming(act):
            successor = act.successor_for(transfer.to_unit_id, transfer.case_id)
            if successor is None:
                continue
            transfer.to_unit = heirs.unit(successor)
            transfer.save(update_fields=["to_unit"])
            audit.record("case.succeed", by=by, on=transfer.case, unit=successor, reason=f"act:{act.pk.hex}")
            moved += 1
        self._arrive(act, at, by)
        return moved

    def _arrive(self, act: Any, at: datetime, by: Actor) -> None:
        """A matter on its way between two units that became one is where it was going."""
        heirs = {row.successor_id for rows in act.successions().values() for row in rows}
        rows = Transfer.system("succession").filter(acknowledged_at=None, recalled_at=None, to_unit__in=heirs)
        for transfer in rows.select_related("case", "case__holder"):
            if transfer.to_unit_id == transfer.case.holder_id:
                transfer.acknowledged_at = at
                transfer.save(update_fields=["acknowledged_at"])
                self._write(transfer.case, CaseEvent.Kind.ACKNOWLEDGED, at, by, {"decree": act.decree})

    def _write(self, case: Case, kind: str, at: datetime, by: Actor, facts: dict[str, Any]) -> None:
        case.events.create(
            kind=kind,
            at=at,
            recorded_at=now(),
            actor_id=by.user_id,
            actor_name=by.name,
            unit_id=case.holder_id,
            shown=True,
            facts={**facts, "to": case.holder.title},
        )

    def _open(self, act: Any) -> Any:
        rows = Case.system("succession").filter(
            holder__in=act.ended_units(), closed_at=None, withdrawn_at=None, passed_on_at=None
        )
        return rows.select_related("holder").order_by("holder", "received_at", "pk")

    def _coming(self, act: Any) -> Any:
        rows = Transfer.system("succession").filter(
            to_unit__in=act.ended_units(), acknowledged_at=None, recalled_at=None
        )
        return rows.select_related("case", "case__holder").order_by("to_unit", "sent_at", "pk")


class _Heirs:
    """The successor units of one act and their provinces, each read once."""

    def __init__(self, on: Any) -> None:
        self.on = on
        self.units: dict[UUID, Unit] = {}
        self.provinces: dict[UUID, Unit | None] = {}

    def unit(self, key: UUID) -> Unit:
        if key not in self.units:
            self.units[key] = Unit.objects.get(pk=key)
        return self.units[key]

    def province(self, key: UUID) -> Unit | None:
        if key not in self.provinces:
            self.provinces[key] = province_of(self.unit(key), self.on)
        return self.provinces[key]
