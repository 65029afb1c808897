"""The hook through which the facts about authority come up from staffing (setting GANDAN_AUTHORITY)."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils.module_loading import import_string

from gandan.access.actor import Actor


class Authority(Protocol):
    def actor(self, user: Any) -> Actor:
        """Return the actor for a signed-in user, with the grants in force today."""

    def has_subject(self, matter: str) -> Q:
        """Return the condition: the matter in column `matter` is about a unit or an officer."""

    def names(self, matter: str, actor: Actor) -> Q:
        """Return the condition: the matter in column `matter` concerns this actor."""

    def touches(self, matter: str, actor: Actor) -> Q:
        """Return the condition: `has_subject` or `names`, asked at once."""

    def units_under(self, provinces: Iterable[UUID]) -> Any:
        """Return a subquery of the ids of all units, past ones included, that answer to these provinces."""


@cache
def _load(path: str) -> Authority:
    loaded: Authority = import_string(path)()
    return loaded


def authority() -> Authority:
    return _load(settings.GANDAN_AUTHORITY)
