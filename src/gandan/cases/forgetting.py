"""What becomes of matters when their time is over: the name goes first, then the words; the bare figures stay."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db.models import Q

from gandan import audit
from gandan.access import SystemActor
from gandan.cases import word_index
from gandan.cases.models import Attachment, Case, CaseEvent, CaseIdentity, PaperRequest, Transfer
from gandan.secrecy import retention

BY = SystemActor("work")


def register() -> None:
    """Tell the table of periods how matters are forgotten."""
    retention.register("cases.CaseIdentity", retention.Keeper(_names_due, _forget_name))
    retention.register("cases.Case", retention.Keeper(_matters_due, partial(retention.erase, spare=True)))
    retention.register_eraser(erase, after=word_index.condense)


def _ended_before(at: datetime) -> Q:
    return Q(closed_at__lt=at) | Q(withdrawn_at__lt=at) | Q(passed_on_at__lt=at)


def _names_due(before: datetime) -> Iterable[UUID]:
    ended = Case.system("retention").filter(_ended_before(before)).values("pk")
    rows = CaseIdentity.system("retention").filter(case__in=ended).order_by("case")
    return list(rows.values_list("case", flat=True))


def _matters_due(before: datetime) -> Iterable[UUID]:
    rows = Case.system("retention").filter(_ended_before(before)).exclude(digest="").order_by("pk")
    return list(rows.values_list("pk", flat=True))


def _forget_name(matter: UUID, reason: str) -> None:
    CaseIdentity.system("retention").filter(case=matter).delete()
    audit.record("case.forget_name", by=BY, object_id=matter, reason=reason)
    retention.spare_held(matter)


def erase(matter: UUID) -> None:
    """Leave of a matter what counts it: kind, units and instants. Names, words and files go; run again it does
    nothing more. The bytes of its files are removed by the next round of clearing."""
    CaseIdentity.system("erasing").filter(case=matter).delete()
    Attachment.system("erasing").filter(case=matter).delete()
    CaseEvent.system("erasing").filter(case=matter).exclude(text="").update(text="")
    Transfer.system("erasing").filter(case=matter).update(note="")
    PaperRequest.system("erasing").filter(case=matter).update(items=[], note="")
    words = dict.fromkeys(("title", "text", "place", "answer", "folded", "digest", "follow_hash"), "")
    Case.system("erasing").filter(pk=matter).update(**words)
    word_index.keep(matter)
