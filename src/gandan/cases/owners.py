"""Whether every open matter about the police has an inspector who may read it, and those that have none."""

from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from gandan.access import Actor
from gandan.access.authority import authority
from gandan.access.policies import Policy
from gandan.cases.models import Case, Transfer
from gandan.staffing import oversight
from gandan.units.models import Unit

_SEEN_FROM = Policy(scope="received_by", read="grant.read")
"""An administrator is told by where it came in: whoever it lies with may be above his reach."""


def ownerless() -> Any:
    """Return the open matters about a unit or an officer that no inspector of their holder may read.

    His role has ended, he was closed out, the matter has come to concern him, or the unit is gone. What was sent to
    the body outside lies there.
    """
    rows = _open_about_us().exclude(Exists(_outside(OuterRef("pk"))))
    wanted = Q(pk__in=[])
    for holder in Unit.objects.filter(pk__in=rows.order_by().values("holder")):
        nobody = Q(holder=holder)
        for inspector in oversight.inspectors(holder):
            nobody &= authority().names("id", inspector)
        wanted |= nobody
    return rows.filter(wanted)


def is_ownerless(case: Case) -> bool:
    return bool(ownerless().filter(pk=case.pk).exists())


def waiting(actor: Actor) -> int:
    """Return how many matters about the police wait for somebody who may read them, or for the word of the body
    outside; only such as came in within the actor's area, and none that concerns the actor."""
    lying = Q(pk__in=ownerless().values("pk")) | Q(Exists(_outside(OuterRef("pk"))))
    seen = _SEEN_FROM.condition(actor, "grant.read") | _SEEN_FROM.condition(actor, "grant.oversight")
    rows = _open_about_us().filter(lying).filter(seen)
    return int(rows.exclude(authority().names("id", actor)).count())


def unguarded() -> int:
    """Return how many open complaints name nobody whom they are about, and so would be read by anybody of the unit;
    0 where all is as it must be."""
    rows = Case.system("owners").filter(procedure__about_service=True)
    return int(rows.filter(_OPEN).exclude(authority().has_subject("id")).count())


_OPEN = Q(closed_at=None, withdrawn_at=None, passed_on_at=None)


def _open_about_us() -> Any:
    return Case.system("owners").filter(_OPEN).filter(authority().has_subject("id"))


def _outside(matter: Any) -> Any:
    """Return the sendings of a matter to the body outside that wait for its word."""
    rows = Transfer.system("owners").filter(case=matter, acknowledged_at=None, recalled_at=None)
    return rows.filter(to_unit=None, to_body=settings.GANDAN_OUTSIDE_BODY).exclude(to_body="")
