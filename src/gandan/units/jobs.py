"""What `gandan work` does for units."""

import logging
from datetime import datetime

from django.core.exceptions import ObjectDoesNotExist
from django.db import DataError, IntegrityError, InterfaceError, OperationalError

from gandan.access import Refused, SystemActor
from gandan.access.clock import day_of
from gandan.units import actions
from gandan.units.models import Reorganisation

logger = logging.getLogger(__name__)


def apply_due_acts(at: datetime) -> int:
    """Bring into force every scheduled act whose day has come, oldest first; return how many.

    An act that cannot be applied as it stands goes back among the drafts, told in the log and on its page, and holds
    up none behind it. An act that fails for a reason that is not its own is tried again in the next round: the fault
    is raised once the others are done.
    """
    due = Reorganisation.system("work").filter(state=Reorganisation.State.SCHEDULED, effective_on__lte=day_of(at))
    by = SystemActor("work", "unit.enact")
    count = 0
    failed: Exception | None = None
    for act in due.order_by("effective_on", "decree"):
        try:
            actions.bring_into_force(act=act, by=by)
        except (OperationalError, InterfaceError):
            raise
        except (Refused, IntegrityError, DataError, ObjectDoesNotExist) as fault:
            logger.error("act %s cannot come into force and is off the schedule: %s", act.pk, fault)
            actions.take_off_schedule(act=act, by=by)
        except Exception as fault:
            logger.exception("act %s failed and is tried again in the next round", act.pk)
            failed = failed or fault
        else:
            count += 1
    if failed is not None:
        raise failed
    return count
