"""The hook by which a room lends titles and links to its obligations."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from gandan.access import Actor


@dataclass(frozen=True, slots=True)
class Summary:
    """What a worklist shows of a matter: its reference, title, and how it came."""

    reference: str
    title: str
    note: str = ""
    received_at: Any = None


Summaries = Callable[[Actor, Sequence[UUID]], Mapping[UUID, Summary]]


class Teller(Protocol):
    """Tells those who wait for an answer that a change of the calendar moved its date."""

    def lock(self, matters: Collection[UUID]) -> None:
        """Lock these matters, as every action on one does before it locks what is owed on it."""

    def tell(self, moves: Sequence[Any], day: date, decree: str, by: Actor) -> None:
        """Tell of the moves that a decree about a day made, each once, inside the caller's transaction."""


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    url_name: str
    """The name of the page of one matter, which takes its UUID."""
    summaries: Summaries
    """Return the summaries of the matters that the actor may read, in one query."""
    teller: Teller | None = None


_KINDS: dict[str, Kind] = {}


def register(name: str, url_name: str, summaries: Summaries, teller: Teller | None = None) -> None:
    _KINDS[name] = Kind(name, url_name, summaries, teller)


def kind(name: str) -> Kind:
    return _KINDS[name]


def registered() -> tuple[Kind, ...]:
    return tuple(_KINDS.values())
