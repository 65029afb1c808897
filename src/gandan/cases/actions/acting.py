"""What every action does: lock the matter and ask again, write its line, start its clocks, enter it in the record."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now, sql
from gandan.access.clock import VIETNAM
from gandan.accounts.models import User
from gandan.cases import permissions, sealing
from gandan.cases.files import File
from gandan.cases.models import (
    Attachment,
    Case,
    CaseEvent,
)
from gandan.obligations import actions as obligations
from gandan.secrecy import fields
from gandan.secrecy.fields import words
from gandan.units.standing import Standing

Kind = CaseEvent.Kind
MISSING_PAPERS = "missing_papers"
CALENDAR = "calendar"
"""The fact by which a message tells that a change of the calendar moved a date."""
_SECOND_CLICK = timedelta(minutes=2)


def lock(case: Case, action: str, by: Actor) -> Case:
    """Lock the row of a matter and ask the permission of `action` again; raise Refused with the reason why not."""
    locked = locked_row(case)
    refuse(permissions.ALL[action](locked, by))
    return locked


def locked_row(case: Case) -> Case:
    """Lock the row of a matter and read it as it stands now."""
    rows = Case.system("own-action").select_for_update(of=("self",)).select_related("procedure", "holder", "officer")
    locked: Case = rows.get(pk=case.pk)
    return locked


def refuse(reason: permissions.Reason) -> None:
    """Raise Refused with a reason, if there is one."""
    if reason:
        raise Refused(reason)


def write(
    case: Case,
    kind: str,
    by: Actor,
    *,
    at: datetime | None = None,
    shown: bool = False,
    text: str = "",
    facts: dict[str, Any] | None = None,
) -> CaseEvent:
    """Write a line of the timeline, `shown` to the person or not; `at` is when it happened, if that was earlier."""
    line = line_of(case, kind, by, _after_the_last(case), at=at, shown=shown, text=text, facts=facts)
    fields.prepare([line])
    sql.add([line])
    return line


def line_of(
    case: Case,
    kind: str,
    by: Actor,
    written: datetime,
    *,
    at: datetime | None = None,
    shown: bool = False,
    text: str = "",
    facts: dict[str, Any] | None = None,
) -> CaseEvent:
    """Return a line of the timeline that is not stored yet."""
    case.__dict__["_last_written"] = written
    return CaseEvent(
        case=case,
        kind=kind,
        at=at or written,
        recorded_at=written,
        actor_id=by.user_id,
        actor_name=by.name[:120],
        unit_id=case.holder_id,
        shown=shown,
        text=text,
        facts=facts or {},
    )


def _after_the_last(case: Case) -> datetime:
    """Return the present, later than every line before, so that lines of one moment keep their order."""
    last = case.__dict__.get("_last_written") or case.events.aggregate(last=Max("recorded_at"))["last"]
    return now() if last is None else max(now(), last + timedelta(microseconds=1))


def attach(case: Case, files: Sequence[File], *, from_citizen: bool) -> None:
    """Keep files with a matter, sealed where it is."""
    laid = [sealing.laid_down(case, file) for file in files]
    Attachment.objects.bulk_create(
        Attachment(
            case=case,
            sha256=sha256,
            sealed_with=sealed_with,
            name=file.name,
            media_type=file.media_type,
            size=file.size,
            from_citizen=from_citizen,
            added_at=now(),
        )
        for file, (sha256, sealed_with) in zip(files, laid, strict=True)
    )


def start_clocks(case: Case, events: Sequence[str], at: datetime, by: Actor, stands: Standing | None = None) -> None:
    """Start the clocks that these events start for a matter where it lies."""
    obligations.start(
        *events,
        matter=case.pk,
        kind="case",
        procedure=case.procedure.code,
        unit=case.holder,
        at=at,
        by=by,
        complex=case.complex,
        officer=case.officer,
        stands=stands,
    )


def began(case: Case) -> datetime:
    """Return when the present clocks began: at receipt, when it was opened again, or when it came from elsewhere."""
    starts = case.events.filter(kind__in=(Kind.RECEIVED, Kind.REOPENED, Kind.ACKNOWLEDGED))
    # A merger that brings sender and receiver together acknowledges too, and begins nothing.
    last = starts.exclude(facts__has_key="decree").aggregate(last=Max("at"))["last"]
    return last or case.received_at


def pause_for_papers(case: Case, by: Actor) -> None:
    """Let clocks that have just been started stand still while papers were, or are, waited for.

    Papers are asked for once: what another unit of ours asked for before it sent the matter is waited for still.
    """
    request = case.paper_requests.filter(round=case.round).first()
    if request is None or (request.supplied_at is None and case.asked_at is None):
        return
    obligations.suspend(
        matter=case.pk,
        ground=MISSING_PAPERS,
        at=request.asked_at,
        until=request.supplied_at,
        by=by,
        late_entry=True,
    )


def enter(action: str, case: Case, by: Actor, reason: str = "") -> None:
    """Enter an action on a matter in the record."""
    audit.record(action, by=by, on=case, unit=case.holder_id, reason=reason)


def said_before(case: Case, kind: str, text: str, by: Actor) -> CaseEvent | None:
    """Return the line that a second click would write again: the same words by the same person, just now."""
    last: CaseEvent | None = case.events.order_by("-recorded_at").first()
    if last is None or (last.kind, words(last.text), last.actor_id) != (kind, text, by.user_id):
        return None
    return last if now() - last.recorded_at < _SECOND_CLICK else None


def moment(at: datetime | None, *, after: datetime) -> datetime:
    """Return when something happened: now, or as it is said. Raises Refused for what cannot have been."""
    if at is None:
        return now()
    if at > now():
        raise Refused(_("This time lies in the future. Check the date and the hour."))
    if at < after:
        raise Refused(
            _("This time lies before what had to come first (%(first)s). Check the date and the hour.")
            % {"first": f"{after.astimezone(VIETNAM):%d/%m/%Y, %H:%M}"}
        )
    return at


def needed(text: str, sentence: str) -> str:
    """Return a text without its outer spaces; raise Refused with `sentence` when nothing is left."""
    if not text.strip():
        raise Refused(sentence)
    return text.strip()


def user_of(by: Actor) -> User | None:
    """Return the account behind an actor, None for the public and for programs."""
    return User.objects.get(pk=by.user_id) if by.user_id is not None else None
