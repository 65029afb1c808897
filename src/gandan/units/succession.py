"""What a reorganisation carries along: each room registers how its rows pass to the successor."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gandan.access import Actor


@dataclass(frozen=True, slots=True)
class Line:
    """One row that an act moves or ends, as the preview shows it."""

    unit_id: UUID
    kind: str
    title: str
    successor_id: UUID | None
    object_id: UUID | None = None
    """Given when the registrar may choose the successor of this row in a division."""


class Carrier:
    """Moves the rows of one room. `carry` may run again after an interruption: it moves nothing twice."""

    name = ""

    def preview(self, act: Any) -> list[Line]:
        """Return what would be moved, without moving it."""
        raise NotImplementedError

    def carry(self, act: Any, by: Actor) -> int:
        """Move the rows inside the act's transaction; return how many."""
        raise NotImplementedError


_CARRIERS: dict[str, Carrier] = {}


def register(carrier: Carrier) -> None:
    _CARRIERS[carrier.name] = carrier


def carriers() -> list[Carrier]:
    """Return the carriers from the lower storeys up, as the rooms registered them."""
    return list(_CARRIERS.values())
