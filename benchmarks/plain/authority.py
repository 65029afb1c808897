"""Turning grants into reaches as one would first write it: a question a table, through models."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from gandan.access import Actor, Reach, today
from gandan.access.actor import ActiveGrant
from gandan.access.roles import RIGHTS
from gandan.staffing.authority import GrantAuthority
from gandan.staffing.models import Grant
from gandan.units.models import Unit, UnitHeir, UnitReach


class PlainAuthority(GrantAuthority):
    def actor(self, user: Any) -> Actor:
        """Return the actor with every grant in force today, in a fixed number of queries."""
        on = today()
        grants = list(Grant.system("authority").filter(user=user).select_related("unit").order_by("valid_from", "id"))
        active = [grant for grant in grants if grant.is_in_force(on)]
        reaches = {grant.unit_id: _reach(grant.unit) for grant in active}
        ordinary: dict[str, Reach] = {}
        concerned: dict[str, Reach] = {}
        for grant in active:
            rights = RIGHTS[grant.role]
            for table, capabilities in ((ordinary, rights.ordinary), (concerned, rights.concerned)):
                for capability in capabilities:
                    table[capability] = table.get(capability, Reach()) | reaches[grant.unit_id]
        return Actor(
            user_id=user.pk,
            name=user.title,
            grants=tuple(
                ActiveGrant(g.pk, g.role, g.unit_id, RIGHTS[g.role].ordinary | RIGHTS[g.role].concerned) for g in active
            ),
            ordinary=ordinary,
            concerned=concerned,
            affiliations=_affiliations(grants, on),
            place=active[0].unit.title if active else "",
        )


class Either:
    """The plain resolver while `chosen.plain` is set, else the product's."""

    def __init__(self) -> None:
        self.sides = {True: PlainAuthority(), False: GrantAuthority()}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sides[chosen.plain], name)


class _Chosen:
    plain = False


chosen = _Chosen()


def _reach(unit: Unit) -> Reach:
    if unit.level == Unit.Level.COUNTRY:
        return Reach(everything=True)
    origins = frozenset(UnitHeir.objects.filter(heir=unit).values_list("origin", flat=True))
    if unit.level == Unit.Level.PROVINCE:
        return Reach(provinces=origins | {unit.pk}, units=frozenset({unit.pk}))
    return Reach(units=origins | {unit.pk})


def _affiliations(grants: list[Grant], on: Any) -> frozenset[UUID]:
    """Return the units in whose concerns a person is a party: their own, lately left ones, and all above.

    Inspectors and auditors watch a unit without serving in it, so that only their own seat counts.
    """
    since = on - timedelta(days=round(settings.GANDAN_COOLING_OFF_MONTHS * 365.25 / 12))
    own = {g.unit_id for g in grants if g.valid_from <= on and (g.valid_to is None or g.valid_to >= since)}
    if not own:
        return frozenset()
    above = UnitReach.objects.filter(descendant__in=own).values_list("ancestor", flat=True)
    kin = UnitHeir.objects.filter(Q(heir__in=own) | Q(origin__in=own)).values_list("heir", "origin")
    return frozenset(own | set(above) | {unit for pair in kin for unit in pair})
