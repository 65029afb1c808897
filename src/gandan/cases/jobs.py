"""What `gandan work` does for matters."""

from datetime import datetime, timedelta

from gandan.access import SystemActor
from gandan.access.clock import day_of
from gandan.cases import actions
from gandan.cases.models import Case, Draft

DRAFT_DAYS = 3
SILENCE_DAYS = 15
"""An answered matter closes by itself when the person has said nothing for so long."""


def tick(at: datetime) -> int:
    """Clear drafts that nobody sent, and close answered matters after a time of silence; return how many."""
    cleared, _ = Draft.objects.filter(begun_on__lt=day_of(at) - timedelta(days=DRAFT_DAYS)).delete()
    by = SystemActor("work", "case.close")
    closed = 0
    silent = Case.system("work").answered().filter(answered_at__lt=at - timedelta(days=SILENCE_DAYS))
    for case in silent.order_by("answered_at", "pk")[:500]:
        actions.close(case=case, by=by)
        closed += 1
    return cleared + closed
