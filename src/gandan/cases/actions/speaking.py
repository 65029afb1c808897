"""Words beside the work: messages both ways, a score without a link, and who read."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from gandan.access import Actor, Refused, now
from gandan.access.clock import VIETNAM, day_of
from gandan.audit.models import AuditEntry
from gandan.cases import permissions, sealing
from gandan.cases.actions.acting import (
    CALENDAR,
    Kind,
    attach,
    enter,
    lock,
    locked_row,
    needed,
    refuse,
    said_before,
    write,
)
from gandan.cases.files import File
from gandan.cases.models import (
    Case,
    CaseEvent,
    Rating,
)
from gandan.obligations import actions as obligations
from gandan.obligations import explain


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


_AT_ONCE = 500


class NewDates:
    """Tells people, in a line of their matter's timeline, that a change of the calendar moved their date."""

    def lock(self, matters: Collection[UUID]) -> None:
        for _part in _locked(matters):
            pass

    def tell(self, moves: Sequence[Any], day: date, decree: str, by: Actor) -> None:
        by_matter = {key: list(of_one) for key, of_one in groupby(sorted(moves, key=_place), key=_matter)}
        for case in _locked(by_matter):
            if not case.is_ended:
                _tell_new_date(case, by_matter[case.pk], day, decree, by)


def _tell_new_date(case: Case, moves: Sequence[Any], day: date, decree: str, by: Actor) -> None:
    """Write which dates of one matter moved and why, in the language in which it came."""
    with translation.override(case.language):
        said = [
            _(
                "%(promise)s: the date moves from %(before)s to %(after)s, because the calendar of working days "
                "changed for %(day)s (%(decree)s)."
            )
            % {
                "promise": explain.name(move.obligation),
                "before": _last_day(move.before),
                "after": _last_day(move.after),
                "day": f"{day:%d/%m/%Y}",
                "decree": decree,
            }
            for move in moves
        ]
    dates = [
        {"clock": move.obligation.clock, "before": move.before.isoformat(), "after": move.after.isoformat()}
        for move in moves
    ]
    facts = {CALENDAR: day.isoformat(), "decree": decree, "moved": dates}
    write(case, Kind.MESSAGE_OUT, by, shown=True, text="\n".join(said), facts=facts)
    enter("case.note", case, by, reason="calendar")


def _last_day(due_at: datetime) -> str:
    """Return the last day of a term: the midnight that ends a day is that day."""
    return f"{(due_at - timedelta(microseconds=1)).astimezone(VIETNAM):%d/%m/%Y}"


def _matter(move: Any) -> UUID:
    matter: UUID = move.obligation.matter
    return matter


def _place(move: Any) -> tuple[UUID, datetime, str]:
    return (_matter(move), move.after, move.obligation.clock)


def _locked(matters: Collection[UUID]) -> Iterator[Case]:
    """Yield these matters, locked, in the order of their keys."""
    keys = sorted(matters)
    for start in range(0, len(keys), _AT_ONCE):
        rows = Case.system("calendar").select_for_update(of=("self",)).select_related("procedure", "holder")
        yield from rows.filter(pk__in=keys[start : start + _AT_ONCE]).order_by("pk")
