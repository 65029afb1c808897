"""The hook by which a room lends titles and links to its obligations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
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


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    url_name: str
    """The name of the page of one matter, which takes its UUID."""
    summaries: Summaries
    """Return the summaries of the matters that the actor may read, in one query."""


_KINDS: dict[str, Kind] = {}


def register(name: str, url_name: str, summaries: Summaries) -> None:
    _KINDS[name] = Kind(name, url_name, summaries)


def kind(name: str) -> Kind:
    return _KINDS[name]


def registered() -> tuple[Kind, ...]:
    return tuple(_KINDS.values())
