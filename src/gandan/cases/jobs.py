"""What `gandan work` does for matters."""

from datetime import datetime, timedelta

from gandan.access import Refused, SystemActor
from gandan.access.clock import day_of
from gandan.cases import actions, sealing
from gandan.cases.models import Case, Draft
from gandan.obligations.models import Obligation

DRAFT_DAYS = 3
SILENCE_DAYS = 15
"""An answered matter closes by itself when the person has said nothing for so long."""


def tick(at: datetime) -> int:
    """Clear drafts that nobody sent with their files, seal what lies open, and close answered matters after a time
    of silence; return how many."""
    cleared, _ = Draft.objects.filter(begun_on__lt=day_of(at) - timedelta(days=DRAFT_DAYS)).delete()
    by = SystemActor("work", "case.close")
    closed = 0
    owed = Obligation.system("work").open().filter(term__ends_on="handed_over").values("matter")
    silent = Case.system("work").answered().filter(answered_at__lt=at - timedelta(days=SILENCE_DAYS))
    silent = silent.exclude(pk__in=owed)
    for case in silent.order_by("answered_at", "pk")[:500]:
        try:
            actions.close(case=case, by=by)
        except Refused:
            # Closed or reopened by somebody else a moment ago.
            continue
        closed += 1
    return cleared + closed + sealing.seal_loose_files() + sealing.clear_unnamed_files(at)
