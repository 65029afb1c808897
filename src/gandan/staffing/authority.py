"""Turning grants into reaches: what `access` asks when somebody comes through the door.

Authority is judged today. A grant reaches the units beneath its unit as they stand today, and the records
of every unit that these inherited (`UnitHeir`). The date that a page shows changes the data, never the
authority.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from gandan.access import Actor, Reach, sql, today
from gandan.access.actor import ActiveGrant
from gandan.access.roles import RIGHTS
from gandan.staffing.models import Concern, Grant
from gandan.units.models import Unit, UnitHeir, UnitReach


class GrantAuthority:
    def actor(self, user: Any) -> Actor:
        """Return the actor with every grant in force today, in a fixed number of queries."""
        on = today()
        grants = [_Held(*row) for row in sql.rows(_grants, (), (user.pk,))]
        active = [grant for grant in grants if grant.is_in_force(on)]
        reaches = {grant.unit_id: _reach(grant) for grant in active}
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
            place=active[0].title if active else "",
        )

    def has_subject(self, matter: str) -> Q:
        """The matter is about a unit or an officer."""
        return _concerns(matter, self.subject())

    def names(self, matter: str, actor: Actor) -> Q:
        """The matter concerns the actor: themselves, or a unit under which they serve or lately served."""
        return _concerns(matter, self.about(actor))

    def touches(self, matter: str, actor: Actor) -> Q:
        """Either of the two, in one question."""
        return _concerns(matter, self.subject() | self.about(actor))

    def subject(self) -> Q:
        """Concerns that say what a matter is about."""
        return ~Q(kind="recused")

    def about(self, actor: Actor) -> Q:
        """Concerns that are the actor's own."""
        about = Q(user_id=actor.user_id) if actor.user_id else Q(pk__in=[])
        if actor.affiliations:
            about |= Q(kind="unit", unit_id__in=actor.affiliations)
        return about

    def units_under(self, provinces: Iterable[UUID]) -> Any:
        on = today()
        beneath = UnitReach.objects.filter(ancestor__in=list(provinces), valid_from__lte=on).filter(
            Q(valid_to=None) | Q(valid_to__gt=on)
        )
        origins = UnitHeir.objects.filter(heir__in=beneath.values("descendant")).values("origin")
        return Unit.objects.filter(
            Q(pk__in=beneath.values("descendant")) | Q(pk__in=origins) | Q(pk__in=list(provinces))
        ).values("pk")


def cooling_off_since(on: date) -> date:
    """Return the day since which whoever served in a unit is still a party to its concerns."""
    return on - timedelta(days=round(settings.GANDAN_COOLING_OFF_MONTHS * 365.25 / 12))


def _concerns(matter: str, which: Q) -> Q:
    return Q(Exists(Concern.system("concern-predicate").filter(which, matter=OuterRef(matter))))


class _Held(NamedTuple):
    """A grant, in force or not, with what its unit is."""

    pk: UUID
    role: str
    valid_from: date
    valid_to: date | None
    unit_id: UUID
    level: str
    title: str
    unit_ended_on: date | None

    def is_in_force(self, on: date) -> bool:
        """Say whether the dates hold and the unit is still there: a role at a unit that has ended opens nothing."""
        if self.unit_ended_on is not None and self.unit_ended_on <= on:
            return False
        return self.valid_from <= on and (self.valid_to is None or self.valid_to > on)


def _grants(user: UUID) -> Any:
    rows = Grant.system("authority").filter(user=user).order_by("valid_from", "id")
    return rows.values_list(
        "pk", "role", "valid_from", "valid_to", "unit", "unit__level", "unit__title", "unit__valid_to"
    )


def _origins(heir: UUID) -> Any:
    return UnitHeir.objects.filter(heir=heir).values_list("origin", "origin__level")


def _above(*units: UUID) -> Any:
    return UnitReach.objects.filter(descendant__in=units).values_list("ancestor")


def _kin(*units: UUID) -> Any:
    return UnitHeir.objects.filter(Q(heir__in=units) | Q(origin__in=units)).values_list("heir", "origin")


def _reach(grant: _Held) -> Reach:
    if grant.level == Unit.Level.COUNTRY:
        return Reach(everything=True)
    inherited = sql.rows(_origins, (), (grant.unit_id,))
    if grant.level == Unit.Level.PROVINCE:
        # What a former district left behind bears the province in its own column.
        provinces = frozenset(origin for origin, level in inherited if level == Unit.Level.PROVINCE)
        return Reach(provinces=provinces | {grant.unit_id}, units=frozenset({grant.unit_id}))
    return Reach(units=frozenset(origin for origin, _level in inherited) | {grant.unit_id})


def _affiliations(grants: list[_Held], on: date) -> frozenset[UUID]:
    """Return the units in whose concerns a person is a party: their own, lately left ones, and all above.

    Inspectors and auditors watch a unit without serving in it, so that only their own seat counts.
    """
    since = cooling_off_since(on)
    own = {g.unit_id for g in grants if g.valid_from <= on and (g.valid_to is None or g.valid_to >= since)}
    if not own:
        return frozenset()
    named = tuple(own)
    beyond = [*sql.rows(_above, (), named), *sql.rows(_kin, (), named)]
    return frozenset(own.union(*beyond))
