"""Pairs of a query and a function that must agree about a derived state.

A room registers each state that it asks for both in SQL and on one row, so that the house test can compare
them on real rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class State:
    model: Any
    name: str
    query: Callable[[Any, datetime], Any]
    """Narrow a queryset to the rows in this state at an instant."""
    holds: Callable[[Any, datetime], bool]
    """Say whether one loaded row is in this state at an instant."""


REGISTERED: list[State] = []


def register(
    model: Any, name: str, query: Callable[[Any, datetime], Any], holds: Callable[[Any, datetime], bool]
) -> None:
    REGISTERED.append(State(model, name, query, holds))
