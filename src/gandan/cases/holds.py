"""Holding a matter: nothing of it is forgotten while an order says that it is needed."""

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now
from gandan.cases import permissions
from gandan.cases.models import Case
from gandan.secrecy.models import Hold, Tombstone


def place(*, case: Case, ground: str, reason: str, submission: UUID, by: Actor) -> Hold:
    """Keep a matter from being forgotten until the hold is lifted. The same form sent again, and the same order
    again while it holds, give the hold that is there.

    Raises Refused for somebody who may not, for words left out, and for a matter that was erased.
    """
    with transaction.atomic():
        locked = _locked(case.pk)
        _refuse(permissions.hold(locked, by))
        number, words = " ".join(ground.split())[:120], reason.strip()
        if not number or not words:
            raise Refused(_("Write the number of the order and the reason."))
        of_matter = Hold.system("own-matter").filter(matter=locked.pk)
        before = of_matter.filter(pk=submission).first() or of_matter.filter(ground=number, lifted_at=None).first()
        if before is not None:
            return before
        if Hold.system("own-form").filter(pk=submission).exists():
            raise Refused(_("This form was used for another matter. Open the page again and fill it in anew."))
        # The end of the record is locked from here on: what is being forgotten has been, or sees the hold.
        audit.record("hold.place", by=by, on=locked, unit=locked.holder_id, values={"ground": number, "reason": words})
        if Tombstone.objects.filter(matter=locked.pk).exists():
            raise Refused(_("This matter was erased; nothing is left to hold."))
        made: Hold = Hold.objects.create(
            pk=submission,
            matter=locked.pk,
            unit_id=locked.holder_id,
            province_id=locked.province_id,
            ground=number,
            reason=words,
            placed_at=now(),
            placed_by_id=by.user_id,
        )
    return made


def lift(*, hold: Hold, because: str, by: Actor) -> Hold:
    """End a hold; from now on the matter is forgotten when its time is over, unless another hold lies on it.

    Raises Refused for somebody who may not, without a reason, and when it was lifted before.
    """
    with transaction.atomic():
        case = _locked(hold.matter)
        _refuse(permissions.hold(case, by))
        locked: Hold = Hold.system("own-matter").select_for_update().get(pk=hold.pk)
        if locked.lifted_at is not None:
            raise Refused(_("This hold was lifted before."))
        words = because.strip()
        if not words:
            raise Refused(_("Write why the hold is lifted."))
        locked.lifted_at, locked.lifted_by_id, locked.lifted_because = now(), by.user_id, words
        locked.save(update_fields=["lifted_at", "lifted_by_id", "lifted_because"])
        audit.record(
            "hold.lift",
            by=by,
            on=case,
            unit=case.holder_id,
            capability="hold.place",
            values={"ground": locked.ground, "because": words},
        )
    return locked


def in_force(case: Case, by: Actor) -> list[Hold]:
    """Return the holds on a matter for those who may know of them."""
    if not permissions.may(case, by, "hold.read"):
        return []
    return list(Hold.system("own-matter").filter(matter=case.pk, lifted_at=None).order_by("placed_at", "pk"))


def _locked(matter: UUID) -> Case:
    rows = Case.system("own-action").select_for_update(of=("self",)).select_related("procedure", "holder")
    locked: Case = rows.get(pk=matter)
    return locked


def _refuse(reason: permissions.Reason) -> None:
    if reason:
        raise Refused(reason)
