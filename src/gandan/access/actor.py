"""The one who asks, and how far they reach."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from django.db.models import Q


@dataclass(frozen=True, slots=True)
class Reach:
    """The units over which a capability holds: everything, whole provinces, or single units.

    Single units include the predecessors whose records were inherited.
    """

    everything: bool = False
    provinces: frozenset[UUID] = frozenset()
    units: frozenset[UUID] = frozenset()

    def __bool__(self) -> bool:
        return self.everything or bool(self.provinces) or bool(self.units)

    def __or__(self, other: "Reach") -> "Reach":
        return Reach(
            self.everything or other.everything,
            self.provinces | other.provinces,
            self.units | other.units,
        )

    def covers(self, unit_id: UUID | None, province_id: UUID | None = None) -> bool:
        """Say whether a unit lies inside; `province_id` is the province that the unit answers to."""
        return self.everything or unit_id in self.units or unit_id in self.provinces or province_id in self.provinces

    def predicate(self, scope: str, province: str | None) -> Q:
        """Return the condition on a table whose column `scope` names the unit and `province` its province."""
        if self.everything:
            return Q()
        condition = Q(pk__in=[])
        units = self.units
        if self.provinces:
            condition |= Q(**{f"{province or scope}__in": self.provinces})
            # What a province's own seat holds has that province: a second condition would only cost the index.
            units -= self.provinces
        if units:
            condition |= Q(**{f"{scope}__in": units})
        return condition


NOWHERE = Reach()
EVERYWHERE = Reach(everything=True)


@dataclass(frozen=True, slots=True)
class ActiveGrant:
    """A grant in force today, as bare ids."""

    id: UUID
    role: str
    unit_id: UUID
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Actor:
    """A person, or nobody, with what the grants in force today allow.

    `ordinary` and `concerned` map capabilities to reaches over matters without and with a concern.
    `affiliations` are the units whose concerns are this person's own: where they serve or served within
    the cooling-off period, and every superior of those units.
    """

    user_id: UUID | None = None
    name: str = ""
    grants: tuple[ActiveGrant, ...] = ()
    ordinary: Mapping[str, Reach] = field(default_factory=dict)
    concerned: Mapping[str, Reach] = field(default_factory=dict)
    affiliations: frozenset[UUID] = frozenset()
    job: str = ""
    place: str = ""
    """Name of the unit of the first grant, for the head of the page."""

    @cached_property
    def rights(self) -> Hashable:
        """All that decides what this actor may read, to tell two actors apart."""
        return (
            self.user_id,
            self.job,
            self.grants,
            frozenset(self.ordinary.items()),
            frozenset(self.concerned.items()),
            self.affiliations,
        )

    @property
    def is_anonymous(self) -> bool:
        return self.user_id is None and not self.job

    def can(self, capability: str) -> bool:
        """Say whether the capability holds anywhere at all."""
        return bool(self.reach(capability)) or bool(self.concerned_reach(capability))

    def can_any(self, capabilities: Iterable[str]) -> bool:
        return any(self.can(capability) for capability in capabilities)

    def reach(self, capability: str) -> Reach:
        return self.ordinary.get(capability, NOWHERE)

    def concerned_reach(self, capability: str) -> Reach:
        return self.concerned.get(capability, NOWHERE)

    def grant_for(self, capability: str) -> UUID | None:
        """Return the grant to name in the audit record when this capability is used."""
        return next((grant.id for grant in self.grants if capability in grant.capabilities), None)

    def roles(self) -> frozenset[str]:
        return frozenset(grant.role for grant in self.grants)


ANONYMOUS = Actor()


def SystemActor(job: str, *capabilities: str) -> Actor:
    """Return the actor of a job that runs without a person, reaching everywhere with the capabilities listed."""
    if not job:
        raise ValueError("a system actor names its job")
    reaches = dict.fromkeys(capabilities, EVERYWHERE)
    return Actor(name=job, job=job, ordinary=reaches, concerned=reaches)
