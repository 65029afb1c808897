"""Writing the record."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, models

from gandan.access import Actor, now
from gandan.audit import chain
from gandan.audit.models import AuditEntry, AuditHead


def record(
    action: str,
    *,
    by: Actor,
    on: models.Model | None = None,
    unit: models.Model | UUID | None = None,
    capability: str = "",
    reason: str = "",
    values: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> AuditEntry:
    """Append one entry to the chain, inside the caller's transaction.

    `action` is a code such as "case.take"; `reason` a code, never prose; `values` are committed to with a
    key and not stored. Raises RuntimeError outside a transaction: an entry must share the fate of its act.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an audit entry is written in the transaction of its action")
    head = _locked_head()
    entry = _entry(action, by=by, on=on, unit=unit, capability=capability, reason=reason, values=values, at=at or now())
    _bind(entry, head)
    entry.save(force_insert=True)
    head.save(update_fields=["seq", "hash"])
    return entry


def record_history(entries: Iterable[AuditEntry]) -> int:
    """Append many prepared entries at once, in order, binding each to the one before; return how many."""
    if not connection.in_atomic_block:
        raise RuntimeError("an audit entry is written in the transaction of its action")
    head = _locked_head()
    rows = []
    for entry in entries:
        _bind(entry, head)
        rows.append(entry)
    AuditEntry.objects.bulk_create(rows, batch_size=2000)
    head.save(update_fields=["seq", "hash"])
    return len(rows)


def prepare(
    action: str,
    *,
    at: datetime,
    actor_id: UUID | None = None,
    grant_id: UUID | None = None,
    capability: str = "",
    object_type: str = "",
    object_id: UUID | None = None,
    unit_id: UUID | None = None,
    reason: str = "",
    values: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Return an entry not yet bound to the chain, for `record_history`."""
    return AuditEntry(
        at=at,
        actor_id=actor_id,
        grant_id=grant_id,
        capability=capability,
        action=action,
        object_type=object_type,
        object_id=object_id,
        unit_id=unit_id,
        reason=reason,
        commitment=chain.commit(settings.GANDAN_KEYS["audit"], values) if values else "",
    )


def verify() -> chain.Verdict:
    """Recompute the whole chain from the database; also compare its end with the stored head."""
    rows = AuditEntry.system("audit-verify").order_by("seq").values(*chain.FIELDS, "hash")
    verdict = chain.verify(rows.iterator(chunk_size=5000))
    head = AuditHead.objects.filter(pk=1).first()
    stored = (head.seq, head.hash) if head else (0, chain.GENESIS)
    if stored != (verdict.entries, verdict.head) and verdict.intact:
        return chain.Verdict(verdict.entries, verdict.head, ((stored[0], "head"),))
    return verdict


def _entry(
    action: str, *, by: Actor, on: Any, unit: Any, capability: str, reason: str, values: Any, at: datetime
) -> Any:
    unit_id = unit.pk if isinstance(unit, models.Model) else unit
    return prepare(
        action,
        at=at,
        actor_id=by.user_id,
        grant_id=by.grant_for(capability or action),
        capability=capability or (action if by.can(action) else ""),
        object_type=on._meta.label_lower if on is not None else "",
        object_id=on.pk if on is not None and isinstance(on.pk, UUID) else None,
        unit_id=unit_id,
        reason=reason or (f"job:{by.job}" if by.job else ""),
        values=values,
    )


def _bind(entry: AuditEntry, head: AuditHead) -> None:
    entry.seq = head.seq + 1
    row = {name: getattr(entry, name) for name in chain.FIELDS}
    entry.hash = chain.link(head.hash, row)
    head.seq, head.hash = entry.seq, entry.hash


def _locked_head() -> AuditHead:
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head is None:
        AuditHead.objects.get_or_create(pk=1, defaults={"seq": 0, "hash": chain.GENESIS})
        head = AuditHead.objects.select_for_update().get(pk=1)
    return head
