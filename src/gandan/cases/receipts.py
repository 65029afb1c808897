"""What somebody takes home: a number, the minute of receipt, who has it, and by when each answer is promised."""

from dataclasses import dataclass
from datetime import datetime

from gandan.access.clock import day_of
from gandan.cases.models import Case
from gandan.obligations import explain
from gandan.obligations.models import Obligation
from gandan.units.models import UnitContact


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise as a receipt prints it: what is owed, by when, by which law."""

    name: str
    due_at: datetime
    basis: str


@dataclass(frozen=True, slots=True)
class Slip:
    """A receipt ready to print. The follow-up code is not part of it: it stands only in the answer to sending."""

    case: Case
    promises: tuple[Promise, ...]
    duty_phone: str
    address: str

    @property
    def settled(self) -> bool:
        return self.case.answered_at is not None


def slip(case: Case) -> Slip:
    """Return the receipt of a matter, its promises those that run now."""
    owed = Obligation.system("receipt").open().filter(matter=case.pk).select_related("term").order_by("due_at", "pk")
    contact = UnitContact.objects.on(day_of(case.received_at)).filter(unit=case.received_by_id).first()
    return Slip(
        case=case,
        promises=tuple(Promise(explain.name(o), o.due_at, explain.basis(o)) for o in owed),
        duty_phone=contact.duty_phone if contact else "",
        address=contact.address if contact else "",
    )
