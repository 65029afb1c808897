"""Titles and references of matters for the worklists one storey below."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from gandan.access import Actor
from gandan.cases.models import Case
from gandan.obligations.kinds import Summary


def summaries(actor: Actor, matters: Sequence[UUID]) -> Mapping[UUID, Summary]:
    """Return what a list shows of each matter that the actor may read: one query."""
    rows = Case.for_(actor, "case.read").filter(pk__in=matters).select_related("procedure")
    return {
        case.pk: Summary(
            case.reference, case.title, f"{case.procedure.name} · {case.get_channel_display()}", case.received_at
        )
        for case in rows
    }
