"""Opening a name: only with a reason, and only after it has been written down who opened it.

The rule for an ordinary matter: whoever works on it gives a reason and reads; every reading is recorded. The rule for
a sealed one, or one about a unit or an officer: also a proof within 15 minutes of who is asking, and few openings a
day. In demonstrations, where chairs have no password, sitting down counts as the proof.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now
from gandan.secrecy.fields import lock, unlock
from gandan.secrecy.models import Disclosure

ORDINARY_A_DAY = 100
SEALED_A_DAY = 20
_DAY = timedelta(hours=24)


class ConfirmFirst(Refused):
    """The one who asks has to prove again who they are."""

    def __init__(self) -> None:
        super().__init__(_("Confirm your password first: this name is kept secret."))


def reveal(
    *,
    by: Actor,
    row: Any,
    matter: UUID,
    fields: Sequence[str],
    reason: str,
    capability: str,
    sealed: bool,
    confirmed: bool,
    note: str = "",
    unit: UUID | None = None,
    province: UUID | None = None,
) -> dict[str, Any]:
    """Return the words of sealed fields after writing down, for ever, that they were opened.

    `row` is loaded; `capability` must reach it; `sealed` says that the strict rule applies, `confirmed` that the
    actor proved lately who they are.
    Raises Refused with the sentence for a person who may not, gives no reason, or has opened too many today, and
    ConfirmFirst. The entry is committed before anything is opened.
    """
    if Disclosure.Reason.__members__.get(reason.upper()) is None:
        raise Refused(_("Choose why you need the name."))
    words = " ".join(note.split())[:300]
    if reason == Disclosure.Reason.OTHER and not words:
        raise Refused(_("Write why you need the name."))
    # Within reach, and not about the one who asks.
    if by.user_id is None or not type(row).for_(by, capability).filter(pk=row.pk).exists():
        raise Refused(_("Your role does not open this name."))
    if sealed and not confirmed:
        raise ConfirmFirst
    with transaction.atomic(durable=True):
        # The head of the record is locked by the entry, so that two requests do not count at the same time.
        audit.record(
            "identity.reveal",
            by=by,
            object_id=matter,
            unit=unit,
            capability=capability,
            reason=reason,
            values={"fields": sorted(fields), "note": words},
        )
        if opened_today(by, sealed=sealed) >= (SEALED_A_DAY if sealed else ORDINARY_A_DAY):
            raise Refused(_("You have opened as many names as one person may in a day. Ask your inspector."))
        Disclosure.objects.create(
            matter=matter,
            unit_id=unit,
            province_id=province,
            actor_id=by.user_id,
            at=now(),
            fields=",".join(sorted(fields))[:120],
            reason=reason,
            note=words,
            sealed=sealed,
        )
    unlock([row])
    found = {name: getattr(row, name) for name in fields}
    lock(row)
    return found


def opened_today(by: Actor, *, sealed: bool) -> int:
    """Return how many names somebody opened within the last 24 hours."""
    rows = Disclosure.system("quota").filter(actor_id=by.user_id, at__gt=now() - _DAY, sealed=sealed)
    return int(rows.count())


def weekly(actor: Actor, days: int = 7) -> Any:
    """Return what was opened in the last days within an overseer's reach, newest first."""
    rows = Disclosure.for_(actor, "identity.review").filter(at__gt=now() - timedelta(days=days))
    return rows.order_by("-at", "pk")
