"""A matter goes to whom it belongs: another unit, another body, or up to an inspector whom it leaves alone."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from gandan.access import Actor, Refused, now
from gandan.access.authority import authority
from gandan.access.clock import day_of
from gandan.cases import owners, parcels, routing
from gandan.cases.actions.acting import (
    Kind,
    began,
    enter,
    lock,
    locked_row,
    moment,
    needed,
    pause_for_papers,
    refuse,
    start_clocks,
    write,
)
from gandan.cases.models import (
    Case,
    Transfer,
)
from gandan.obligations import actions as obligations
from gandan.obligations.explain import NO_INSPECTOR
from gandan.obligations.models import Obligation
from gandan.staffing import actions as staffing
from gandan.units.models import Unit, province_of


def send(*, case: Case, text: str, by: Actor, to_unit: Unit | None = None, to_body: str = "") -> Transfer:
    """Send the matter to the body that it belongs to, with a note that the person can read.

    Our clock runs on until the receiver acknowledges. A hand-over that the law orders is sent in this way too.
    Raises Refused when a matter about the police would go to those it is about, or to a unit without an inspector.
    """
    with transaction.atomic():
        locked = lock(case, "send", by)
        body = " ".join(to_body.split())
        if (to_unit is None) == (not body):
            raise Refused(_("Choose the unit, or name the body, that the matter goes to: one of the two."))
        if to_unit is not None:
            refuse(_unfit(locked, to_unit))
        owed = Obligation.system("own-matter").open().filter(matter=locked.pk, term__ends_on="handed_over")
        transfer: Transfer = locked.transfers.create(
            from_unit=locked.holder,
            to_unit=to_unit,
            to_body=body[:200],
            statutory=owed.exists(),
            note=needed(text, _("Write why the matter goes there: the person will read it.")),
            sent_at=now(),
        )
        name = to_unit.title if to_unit is not None else body
        write(locked, Kind.SENT, by, shown=True, text=text.strip(), facts={"to": name})
        enter("case.handover", locked, by, reason="sent")
    return transfer


def recall(*, case: Case, by: Actor) -> Case:
    """Take back what was sent and nobody acknowledged: it was the wrong body, or it does not answer."""
    with transaction.atomic():
        locked = lock(case, "recall", by)
        transfer = _pending(locked)
        transfer.recalled_at = now()
        transfer.save(update_fields=["recalled_at"])
        write(locked, Kind.RECALLED, by, shown=True, facts={"to": _receiver(transfer)})
        enter("case.handover", locked, by, reason="recalled")
    return locked


def acknowledge(*, case: Case, by: Actor, number: str = "", at: datetime | None = None) -> Case:
    """The receiver has the matter. The sender's clock ends here; the receiver's own begins, unless the person has
    been answered meanwhile. Papers that the sender asked for are waited for by the receiver.

    `at` is when the receiver acknowledged, if that is written down later.
    """
    with transaction.atomic():
        locked = lock(case, "acknowledge", by)
        transfer = _pending(locked)
        said, at = at, moment(at, after=transfer.sent_at)
        late, starts = said is not None, max(at, began(locked))
        number = number.strip()[:120]
        if transfer.to_unit is None and not number:
            raise Refused(_("Write the number of the paper by which the other body acknowledged."))
        transfer.acknowledged_at, transfer.acknowledgement = at, number
        transfer.save(update_fields=["acknowledged_at", "acknowledgement"])
        obligations.fulfil("handed_over", matter=locked.pk, at=at, by=by, late_entry=late)
        obligations.hand_over(matter=locked.pk, at=at, by=by, to_unit=transfer.to_unit, ground=number, late_entry=late)
        if transfer.to_unit is None:
            write(locked, Kind.ACKNOWLEDGED, by, at=said, shown=True, facts={"number": number, "to": transfer.to_body})
            locked.passed_on_at, locked.asked_at = at, None
            locked.save(update_fields=["passed_on_at", "asked_at"])
            write(locked, Kind.PASSED_ON, by, at=said, shown=True, facts={"to": transfer.to_body})
        else:
            locked.holder, locked.province = transfer.to_unit, province_of(transfer.to_unit, day_of(at))
            locked.officer, locked.taken_at, locked.accepted_at = None, None, None
            locked.save(update_fields=["holder", "province", "officer", "taken_at", "accepted_at"])
            name = transfer.to_unit.title
            write(locked, Kind.ACKNOWLEDGED, by, at=said, shown=True, facts={"number": number, "to": name})
            if locked.answered_at is None:
                start_clocks(locked, ("received", "complete"), starts, by)
                pause_for_papers(locked, by)
        enter("case.handover", locked, by, reason="acknowledged")
    return locked


def move_up(*, case: Case, by: Actor) -> bool:
    """Give an open matter about the police that nobody of its unit may read any more to the nearest inspector above
    whom it does not concern, and where there is none, to the body outside; say whether it moved.

    Clocks and dates stay as they are. What has an owner is left alone, so that it moves once however often this runs.
    """
    with transaction.atomic():
        locked = locked_row(case)
        if not owners.is_ownerless(locked):
            return False
        above = routing.next_above(locked.pk, locked.holder)
        if above is None:
            return send_outside(locked, by)
        at, former = now(), locked.holder
        coming = locked.transfers.filter(acknowledged_at=None, recalled_at=None, to_unit=above)
        coming.update(recalled_at=at)
        obligations.assign(matter=locked.pk, officer=None, by=by)
        locked.holder, locked.province = above, province_of(above, day_of(at))
        locked.officer, locked.taken_at = None, None
        locked.save(update_fields=["holder", "province", "officer", "taken_at"])
        for promise in Obligation.system("own-matter").open().filter(matter=locked.pk).order_by("clock", "id"):
            obligations.transfer(
                obligation=promise, to_unit=above, at=at, by=by, ground=NO_INSPECTOR, reason=NO_INSPECTOR
            )
        write(locked, Kind.MOVED_UP, by, shown=True, facts={"from": former.title, "to": above.title})
        enter("case.move_up", locked, by, reason=NO_INSPECTOR)
    return True


def hand_to_oversight(case: Case, named: str, by: Actor) -> None:
    """Take the matter away from those whom it is about, to the nearest inspector above them."""
    unit = case.holder
    above = routing.oversight_for([unit], unit)
    staffing.record_concern(matter=case.pk, by=by, unit=unit)
    if named.strip():
        staffing.record_concern(matter=case.pk, by=by, unit=unit, named=named)
    case.holder, case.province = above, province_of(above, day_of(now()))
    case.officer, case.taken_at, case.accepted_at = None, None, None
    case.save(update_fields=["holder", "province", "officer", "taken_at", "accepted_at"])
    if settings.GANDAN_OUTSIDE_BODY and owners.is_ownerless(case):
        send_outside(case, by)


def send_outside(case: Case, by: Actor) -> bool:
    """Pack a matter that no inspector of the house may read for the body outside; False where none is named.

    Our clocks run on until somebody here may write down that body's word.
    """
    if not settings.GANDAN_OUTSIDE_BODY:
        return False
    case.transfers.filter(acknowledged_at=None, recalled_at=None).update(recalled_at=now())
    note = _(
        "Every inspector here is absent or concerned. What you brought goes there sealed; only that body opens it."
    )
    to = settings.GANDAN_OUTSIDE_BODY
    case.transfers.create(from_unit=case.holder, to_body=to, note=note, sent_at=now())
    write(case, Kind.SENT, by, shown=True, text=note, facts={"to": to})
    parcels.pack(case)
    enter("case.send_outside", case, by, reason=NO_INSPECTOR)
    return True


def _unfit(case: Case, unit: Unit) -> str | None:
    """Return why a matter cannot go to a unit."""
    if unit.pk == case.holder_id:
        return _("The matter is with this unit already.")
    if not unit.is_alive(day_of(now())):
        return _("%(unit)s has ended. Choose the unit that serves there now.") % {"unit": unit.title}
    about_us = Case.system("routing").filter(authority().has_subject("id"), pk=case.pk).exists()
    if about_us and not routing.may_oversee(case.pk, unit):
        return _("A matter about the police goes only to a unit with an inspector whom it does not concern.")
    return None


def _pending(case: Case) -> Transfer:
    rows = case.transfers.select_for_update(of=("self",)).select_related("to_unit")
    transfer: Transfer = rows.get(acknowledged_at=None, recalled_at=None)
    return transfer


def _receiver(transfer: Transfer) -> str:
    return transfer.to_unit.title if transfer.to_unit is not None else transfer.to_body
