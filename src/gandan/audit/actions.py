"""Writing the record."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, models, transaction

from gandan.access import Actor, now
from gandan.audit import chain, checkpoints, sql, verifying
from gandan.audit.models import AuditCheckpoint, AuditEntry, AuditHead
from gandan.audit.verifying import verify as verify

log = logging.getLogger(__name__)
_afterwards: ContextVar[list[Any] | None] = ContextVar("afterwards", default=None)
_together: ContextVar["_Waiting | None"] = ContextVar("together", default=None)


def record(
    action: str,
    *,
    by: Actor,
    on: models.Model | None = None,
    object_id: UUID | None = None,
    unit: models.Model | UUID | None = None,
    capability: str = "",
    reason: str = "",
    values: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> AuditEntry:
    """Append one entry to the chain, inside the caller's transaction.

    `action` is a code such as "case.take"; `on` is what it was done to, or `object_id` where only the id is
    known; `reason` a code, never prose; `values` are committed to with a
    key and not stored. Raises RuntimeError outside a transaction: an entry must share the fate of its act.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an audit entry is written in the transaction of its action")
    entry = _entry(action, by=by, on=on, unit=unit, capability=capability, reason=reason, values=values, at=at)
    entry.object_id = entry.object_id or object_id
    waiting = _together.get()
    if waiting is None:
        _append([entry])
    else:
        waiting.append(entry)
    return entry


class _Waiting:
    """Entries of one act, in order. Each stands or falls with the savepoint in which it was told: the connection
    keeps a mark of it among what is to be done on commit, and drops the mark when the savepoint is rolled back."""

    def __init__(self) -> None:
        self.marked: dict[Any, AuditEntry] = {}

    def append(self, entry: AuditEntry) -> None:
        def mark() -> None: ...

        self.marked[mark] = entry
        transaction.on_commit(mark)

    def standing(self) -> list[AuditEntry]:
        """Return the entries that stand, and take the marks away."""
        left = [each for each in connection.run_on_commit if each[1] in self.marked]
        connection.run_on_commit = [each for each in connection.run_on_commit if each[1] not in self.marked]
        return [self.marked[each[1]] for each in left]


@contextmanager
def together(*, savepoint: bool = True) -> Iterator[None]:
    """Make the block one transaction, of which all entries are bound and written at once, at its end, in the order in
    which they were told: the end of the record is locked once, and late. Blocks within belong to the outermost.

    `savepoint` as `transaction.atomic` takes it.
    """
    with transaction.atomic(savepoint=savepoint):
        if _together.get() is not None:
            yield
            return
        waiting = _Waiting()
        token = _together.set(waiting)
        try:
            yield
        finally:
            _together.reset(token)
            entries = waiting.standing()
        if entries:
            _append(entries)


def _append(entries: Sequence[AuditEntry]) -> None:
    head = _locked_head()
    for entry in entries:
        # Only now, at the head, so that the hours follow one another as the numbers do.
        entry.at = entry.at or now()
        _bind(entry, head)
    sql.append(entries)


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
    AuditHead.objects.filter(pk=1).update(seq=head.seq, hash=head.hash)
    return len(rows)


def prepare(
    action: str,
    *,
    at: datetime | None,
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
    entry = AuditEntry(
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
    if at is not None:
        entry.at = at
    return entry


def record_apart(action: str, *, by: Actor, **values: Any) -> None:
    """Append an entry that stands even when what it tells of is rolled back: a refusal, a sign-in, a reading.

    Inside `writing_afterwards` (every request) it is written when the request is over, in a transaction of its
    own; elsewhere at once. Takes what `record` takes.
    """
    write = partial(record, action, by=by, at=now(), **values)
    waiting = _afterwards.get()
    if waiting is None:
        _write([write])
    else:
        waiting.append(write)


@contextmanager
def writing_afterwards() -> Iterator[None]:
    """Keep what `record_apart` is told inside the block, and write it at its end, come what may."""
    waiting: list[Any] = []
    token = _afterwards.set(waiting)
    try:
        yield
    finally:
        _afterwards.reset(token)
        if waiting:
            _write(waiting)


def _write(waiting: list[Any]) -> None:
    with transaction.atomic():
        for write in waiting:
            write()


def make_checkpoint(at: datetime) -> checkpoints.Checkpoint | None:
    """Sign the end of the record and keep it in the database and in the file outside; None for an empty record.

    What was written since the last checkpoint is verified first, and that this checkpoint still stands; raises
    verifying.Broken otherwise. Its cost does not grow with the record: what lies behind an earlier checkpoint was
    verified when that one was made, and is read again by `gandan audit verify` and by every bundle.
    """
    found = verifying.since_last_checkpoint()
    if found.faults:
        raise verifying.Broken(found)
    made = _keep(found.last, found.head, at) if found.last else None
    _write_outside()
    return made


def _keep(last: int, digest: str, at: datetime) -> checkpoints.Checkpoint | None:
    """Sign a number and its hash, unless another worker has signed this far; workers do it one after the other."""
    with transaction.atomic():
        # Taken for these two statements only: the long reading came before.
        sql.locked_head()
        kept = AuditCheckpoint.objects.order_by("-seq").first()
        if kept is not None and last <= kept.seq:
            return None
        # The instance never changes; the number and hash are those that were verified just now.
        instance = AuditHead.objects.get(pk=1).instance
        made = checkpoints.sign(settings.GANDAN_KEYS["audit"], seq=last, hash=digest, at=at, instance=instance)
        columns = {name: getattr(made, name) for name in ("hash", "at", "instance", "key", "signature")}
        AuditCheckpoint.objects.create(seq=made.seq, **columns)
    return made


def tick(at: datetime) -> int:
    """Make a checkpoint when a thousand entries or ten minutes have passed since the last one; return how many."""
    head = AuditHead.objects.filter(pk=1).first()
    if head is None:
        return 0
    kept = AuditCheckpoint.objects.order_by("-seq").first()
    since = head.seq - (kept.seq if kept else 0)
    if since == 0:
        _write_outside()
        return 0
    if kept is not None and since < checkpoints.EVERY_ENTRIES and at - kept.at < checkpoints.EVERY:
        return 0
    try:
        return int(make_checkpoint(at) is not None)
    except verifying.Broken as broken:
        # The work goes on; the record is not vouched for until somebody has looked.
        log.error("no checkpoint was made: %s. Run gandan audit verify.", broken)
        return 0


def _write_outside() -> None:
    """Bring the file outside up to date with the database: a cut between the two leaves nothing out."""
    newest = AuditCheckpoint.objects.order_by("-seq").first()
    if newest is None:
        return
    folder = settings.GANDAN_CHECKPOINTS
    with checkpoints.alone(folder):
        written = checkpoints.last_written(folder, newest.instance)
        rows = AuditCheckpoint.objects.filter(instance=newest.instance, seq__gt=written).order_by("seq")
        lines = [verifying.checkpoint_of(row).line for row in rows]
        if lines:
            checkpoints.append(folder, lines, newest.instance)


def _entry(
    action: str, *, by: Actor, on: Any, unit: Any, capability: str, reason: str, values: Any, at: datetime | None
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


@dataclass(slots=True)
class _Head:
    """The end of the record while entries are bound to it."""

    seq: int
    hash: str


def _bind(entry: AuditEntry, head: _Head) -> None:
    entry.seq = head.seq + 1
    row = {name: getattr(entry, name) for name in chain.FIELDS}
    entry.hash = chain.link(head.hash, row)
    head.seq, head.hash = entry.seq, entry.hash


def _locked_head() -> _Head:
    release_early = getattr(connection, "release_early", None)
    if release_early is not None:
        # On PostgreSQL nobody waits at the head for another's disk, see gandan.config.postgresql.
        release_early()
    found = sql.locked_head()
    if found is None:
        AuditHead.objects.get_or_create(pk=1, defaults={"seq": 0, "hash": chain.GENESIS})
        found = sql.locked_head()
    assert found is not None
    return _Head(*found)
