"""The notices sent to the units in which somebody serves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from gandan.access import Actor
from gandan.obligations import permissions, worklist
from gandan.obligations.models import Notice
from gandan.ui import cursors

PAGE = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One notice with the promise that it speaks of; `why_not` says why it cannot be marked as seen."""

    notice: Notice
    promise: worklist.Row
    why_not: permissions.Reason


@dataclass(frozen=True, slots=True)
class Page:
    entries: Sequence[Entry]
    next_cursor: str
    unseen: int


def query(actor: Actor) -> Any:
    """Return the notices addressed to the actor's own units, and to those that these inherited; what is sent to
    units beneath stays theirs."""
    own = {grant.unit_id for grant in actor.grants} | actor.reach("obligation.read").units
    return Notice.for_(actor, "obligation.read").filter(unit__in=own)


def page(actor: Actor, at: datetime, *, unseen: bool = True, cursor: str = "") -> Page:
    """Return one page, newest first. Raises WrongCursor for the address of another list."""
    everything = query(actor)
    rows = everything.filter(seen_at=None) if unseen else everything
    of = f"notices|{actor.user_id}|{unseen}"
    if cursor:
        sent, last = cursors.read(cursor, of)
        rows = rows.filter(at__lte=sent).filter(Q(at__lt=sent) | Q(pk__lt=last))
    related = ("obligation", "obligation__term", "obligation__owed_by", "obligation__assignee")
    found = list(rows.select_related("unit", *related).order_by("-at", "-pk")[: PAGE + 1])
    following = ""
    if len(found) > PAGE:
        found = found[:PAGE]
        following = cursors.sign([found[-1].at.isoformat(), str(found[-1].pk)], of)
    promises = worklist.dress(actor, [notice.obligation for notice in found], at)
    entries = [
        Entry(notice, promise, permissions.see(notice, actor)) for notice, promise in zip(found, promises, strict=True)
    ]
    return Page(entries, following, everything.filter(seen_at=None)[: worklist.MANY + 1].count())
