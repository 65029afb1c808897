"""What `gandan work` does for matters."""

import logging
from datetime import date, datetime, timedelta

from django.db import InterfaceError, OperationalError

from gandan.access import Refused, SystemActor
from gandan.access.clock import day_of
from gandan.cases import actions, owners, sealing
from gandan.cases.models import Case, Draft
from gandan.obligations.models import Obligation

log = logging.getLogger(__name__)
DRAFT_DAYS = 3
_LOOKED: set[date] = set()
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


def keep_owned_daily(at: datetime) -> int:
    """Do `keep_owned` once a day and process."""
    day = day_of(at)
    if day in _LOOKED:
        return 0
    moved = keep_owned(at)
    _LOOKED.clear()
    _LOOKED.add(day)
    return moved


def keep_owned(at: datetime) -> int:
    """Give every open matter about the police that nobody may read to the next who may; return how many moved.

    What finds nobody is told of in the log, without saying which it is.
    """
    by, moved = SystemActor("work", "case.handover"), 0
    for case in owners.ownerless().order_by("received_at", "pk"):
        try:
            moved += actions.move_up(case=case, by=by)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            # One that cannot be moved keeps no other from its inspector.
            log.exception("a matter about the police could not be moved to an inspector, and is tried again tomorrow")
    if left := owners.ownerless().count():
        log.error(
            "%d matters about the police have nobody who may read them. Appoint an inspector at a higher unit, "
            "or name a body outside (GANDAN_OUTSIDE_BODY).",
            left,
        )
    return moved
