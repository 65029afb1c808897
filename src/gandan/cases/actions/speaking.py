"""Words beside the work: messages both ways, a score without a link, and who read."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from gandan.access import Actor, Refused, now
from gandan.access.clock import day_of
from gandan.audit.models import AuditEntry
from gandan.cases import permissions, sealing
from gandan.cases.actions.acting import Kind, attach, enter, lock, locked_row, needed, refuse, said_before, write
from gandan.cases.files import File
from gandan.cases.models import (
    Case,
    CaseEvent,
    Rating,
)
from gandan.obligations import actions as obligations


def message_out(*, case: Case, text: str, by: Actor) -> CaseEvent:
    """Write to the person under the code; where the law orders word to the person, this is that word."""
    with transaction.atomic():
        locked = lock(case, "message", by)
        words = needed(text, _("Write the message."))
        if before := said_before(locked, Kind.MESSAGE_OUT, words, by):
            return before
        line = write(locked, Kind.MESSAGE_OUT, by, shown=True, text=words)
        obligations.fulfil("notified", matter=locked.pk, at=now(), by=by)
        enter("case.note", locked, by, reason="message")
    return line


def message_in(*, case: Case, text: str, by: Actor, files: Sequence[File] = ()) -> CaseEvent:
    """A message from the person under the code."""
    if not case.is_sealed:
        sealing.lay_open(files)
    with transaction.atomic():
        locked = locked_row(case)
        line = write(locked, Kind.MESSAGE_IN, by, shown=True, text=needed(text, _("Write your message.")))
        attach(locked, files, from_citizen=True)
        enter("case.message_in", locked, by)
    return line


def rate(*, case: Case, score: int, told_until_when: bool | None, by: Actor) -> None:
    """Keep a score without a link to the matter or the person; once for each round of an answered matter.

    No audit entry is written: its place in the record would be the link.
    """
    if score not in range(1, 6):
        raise Refused(_("Choose a score from 1 to 5."))
    with transaction.atomic():
        locked = locked_row(case)
        refuse(permissions.rate(locked))
        locked.rated_round = locked.round
        locked.save(update_fields=["rated_round"])
        Rating.objects.create(
            unit=locked.holder,
            province=locked.province,
            procedure=locked.procedure.code,
            month=day_of(now()).replace(day=1),
            score=score,
            told_until_when=told_until_when,
        )


def record_reading(*, case: Case, by: Actor, part: str = "") -> None:
    """Write down who read the matter, or a `part` of it; once an hour for the same reader is enough."""
    lately = AuditEntry.system("reading").filter(
        object_id=case.pk, actor_id=by.user_id, action="case.read", reason=part, at__gt=now() - timedelta(hours=1)
    )
    if not lately.exists():
        with transaction.atomic():
            enter("case.read", case, by, reason=part)
