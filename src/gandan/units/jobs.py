"""What `gandan work` does for units."""

from datetime import datetime

from gandan.access import SystemActor
from gandan.access.clock import day_of
from gandan.units import actions
from gandan.units.models import Reorganisation


def apply_due_acts(at: datetime) -> int:
    """Bring into force every scheduled act whose day has come, oldest first; return how many."""
    due = Reorganisation.system("work").filter(state=Reorganisation.State.SCHEDULED, effective_on__lte=day_of(at))
    by = SystemActor("work", "unit.enact")
    count = 0
    for act in due.order_by("effective_on", "decree"):
        actions.bring_into_force(act=act, by=by)
        count += 1
    return count
