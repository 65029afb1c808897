"""Who may read what, told a second time in plain Python: no query, no policy, no cached statement.

The rule as the design says it: a grant in force today at a unit that is alive reaches the living units beneath it
and what these inherited; a matter about the police answers only to those who watch; and nothing answers to
those whom it concerns.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

WATCHERS = {"oversight", "auditor"}
"""Who reads matters about the police."""
BLIND = {"oversight"}
"""Who reads no other matter."""
_COOLING_OFF_DAYS = 730.5


class U(NamedTuple):
    level: str
    start: date
    end: date | None


class Held(NamedTuple):
    user: Any
    role: str
    unit: UUID
    start: date
    end: date | None


class About(NamedTuple):
    matter: UUID
    kind: str
    unit: UUID | None
    user: Any


@dataclass
class Oracle:
    today: date
    units: dict[UUID, U] = field(default_factory=dict)
    placements: list[tuple[UUID, UUID, date, date | None]] = field(default_factory=list)
    heirs: dict[UUID, UUID] = field(default_factory=dict)
    """The primary successor of each ended unit that has one."""
    grants: list[Held] = field(default_factory=list)
    concerns: list[About] = field(default_factory=list)

    @classmethod
    def read(cls, today: date) -> "Oracle":
        """Return what the tables of facts say; the two tables derived from them are not read."""
        from gandan.staffing.models import Concern, Grant
        from gandan.units.models import Placement, Succession, Unit

        return cls(
            today,
            {key: U(*row) for key, *row in Unit.objects.values_list("pk", "level", "valid_from", "valid_to")},
            list(
                Placement.objects.filter(chain="police").values_list("unit", "parent", "valid_from", "valid_to"),
            ),
            dict(Succession.objects.filter(primary=True).values_list("predecessor", "successor")),
            [
                Held(*row)
                for row in Grant.system("oracle").values_list("user", "role", "unit", "valid_from", "valid_to")
            ],
            [About(*row) for row in Concern.system("oracle").values_list("matter", "kind", "unit", "user")],
        )

    def alive(self, unit: UUID) -> bool:
        return _holds(self.units[unit].start, self.units[unit].end, self.today)

    def above(self, unit: UUID) -> set[UUID]:
        """Return the unit and every superior that it has today."""
        found, level = {unit}, [unit]
        while level:
            level = [p for u, p, s, e in self.placements if u in level and _holds(s, e, self.today) and p not in found]
            found |= set(level)
        return found

    def ever_above(self, unit: UUID) -> set[UUID]:
        """Return the unit and every superior that it ever had."""
        found, level = {unit}, [(unit, self.units[unit].start, self.units[unit].end)]
        while level:
            above = []
            for below, since, until in level:
                for u, parent, start, end in self.placements:
                    first, last = max(since, start), min(until or date.max, end or date.max)
                    if u == below and first < last:
                        above.append((parent, first, last))
            found |= {parent for parent, _s, _e in above}
            level = above
        return found

    def heir(self, unit: UUID) -> UUID | None:
        """Return who goes on for an ended unit: its primary successor, else its last superior."""
        if unit in self.heirs:
            return self.heirs[unit]
        if self.units[unit].end is None:
            return None
        last = max(((s, p) for u, p, s, _e in self.placements if u == unit), default=None)
        return last[1] if last else None

    def answering(self, unit: UUID) -> set[UUID]:
        """Return the unit and whoever, one after the other, inherited what it left."""
        found = {unit}
        following = self.heir(unit)
        while following is not None and following not in found:
            found.add(following)
            following = self.heir(following)
        return found

    def reached(self, grant: Held, unit: UUID | None) -> bool:
        """Say whether a grant reaches what a unit holds."""
        if not _holds(grant.start, grant.end, self.today) or not self.alive(grant.unit):
            return False
        if self.units[grant.unit].level == "country":
            return True
        if unit is None:
            return False
        return any(grant.unit in self.above(each) for each in self.answering(unit) if self.alive(each))

    def concerned(self, user: Any, matter: UUID) -> bool:
        """Say whether a matter concerns somebody: named, stepped back, or serving or lately serving there."""
        own: set[UUID] = set()
        for held in self.grants:
            lately = held.end is None or (self.today - held.end).days <= round(_COOLING_OFF_DAYS)
            if held.user == user and held.start <= self.today and lately:
                own |= self.ever_above(held.unit)
                own |= {u for u in self.units if held.unit in self.answering(u) or u in self.answering(held.unit)}
        return any(
            row.matter == matter and (row.user == user or (row.kind == "unit" and row.unit in own))
            for row in self.concerns
        )

    def about_us(self, matter: UUID) -> bool:
        return any(row.matter == matter and row.kind != "recused" for row in self.concerns)

    def may(
        self,
        user: Any,
        roles: Iterable[str],
        unit: UUID | None,
        matter: UUID | None = None,
        blind: Iterable[str] = BLIND,
    ) -> bool:
        """Say whether somebody who must hold one of `roles` reaches a row of `unit` about `matter`; those in `blind`
        reach no matter that is not about the police."""
        about_us = matter is not None and self.about_us(matter)
        if matter is not None and self.concerned(user, matter):
            return False
        fit = [role for role in roles if (role in WATCHERS if about_us else role not in blind or matter is None)]
        return any(held.user == user and held.role in fit and self.reached(held, unit) for held in self.grants)


def _holds(start: date, end: date | None, on: date) -> bool:
    return start <= on and (end is None or end > on)
