"""Titles and references of matters for the worklists one storey below."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import get_language

from gandan.access import Actor, sql
from gandan.cases.models import Case
from gandan.obligations.kinds import Summary

_AT_ONCE = 25


def summaries(actor: Actor, matters: Sequence[UUID]) -> Mapping[UUID, Summary]:
    """Return what a list shows of each matter that the actor may read: one query for each page of matters."""
    language = "en" if get_language() == "en" else "vi"
    found: dict[UUID, Summary] = {}
    for start in range(0, len(matters), _AT_ONCE):
        some = list(matters[start : start + _AT_ONCE])
        # One shape of statement for every page: the last key is asked again in the empty places.
        some += some[-1:] * (_AT_ONCE - len(some))
        for key, reference, title, channel, received_at, procedure in sql.rows(_wanted, (actor, language), some):
            note = f"{procedure} · {Case.Channel(channel).label}"
            found[key] = Summary(reference, title, note, received_at)
    return found


def _wanted(actor: Actor, language: str, *matters: UUID) -> Any:
    rows = Case.for_(actor, "case.read").filter(pk__in=matters)
    return rows.values_list("pk", "reference", "title", "channel", "received_at", f"procedure__name_{language}")
