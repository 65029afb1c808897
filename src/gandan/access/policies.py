"""What each table says about who may read it.

Every concrete model of the house declares `access` as one of:

- `Policy`: rows belong to a unit; reading needs a capability that reaches it, and no concern in the way;
- `Part`: rows are read only through their loaded parent;
- `Open`: rows hold nothing that anybody may not know, with the reason.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from gandan.access.actor import Actor
from gandan.access.authority import authority


@dataclass(frozen=True, slots=True)
class Policy:
    """Rows in reach of a capability, less those whose matter concerns the one who asks.

    `scope` and `province` name the columns that hold the unit and its province; `matter` names the column
    that holds the matter's UUID, if concerns apply.
    """

    scope: str
    read: str
    province: str | None = None
    matter: str | None = None

    def condition(self, actor: Actor, capability: str) -> Q:
        """Return what a row must fulfil for `actor` to use `capability` on it."""
        plain = self._within(actor.reach(capability))
        if self.matter is None:
            return plain
        concern = authority()
        over = actor.concerned_reach(capability)
        if not over and not actor.job:
            # The common case in one question, which every planner answers well.
            return plain & ~concern.touches(self.matter, actor)
        condition = plain & ~concern.has_subject(self.matter)
        if over:
            condition |= self._within(over) & concern.has_subject(self.matter)
        if actor.job:
            return condition
        return condition & ~concern.names(self.matter, actor)

    def _within(self, reach: Any) -> Q:
        condition: Q = reach.predicate(self.scope, self.province)
        if self.province is None and reach.provinces and not reach.everything:
            condition |= Q(**{f"{self.scope}__in": authority().units_under(reach.provinces)})
        return condition


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that are read only through the loaded parent named by `of`."""

    of: str


@dataclass(frozen=True, slots=True)
class Open:
    """Rows that anybody may read, with the reason."""

    reason: str
