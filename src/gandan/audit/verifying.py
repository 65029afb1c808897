"""Recomputing the record: the whole of it, or what came after a checkpoint."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from django.conf import settings
from django.db import connections

from gandan.audit import chain, checkpoints, sql
from gandan.audit.checkpoints import Checkpoint
from gandan.audit.models import AuditCheckpoint, AuditHead


class Broken(Exception):
    """A record that does not hold together, with what was found."""

    def __init__(self, verdict: chain.Verdict) -> None:
        super().__init__(", ".join(f"entry {seq}: {code}" for seq, code in verdict.faults[:5]))
        self.verdict = verdict


def verify(
    *,
    using: str = "default",
    outside: Sequence[Checkpoint] = (),
    trusted: Iterable[bytes] = (),
    own: bool = True,
    from_checkpoint: bool = False,
    kept: bool = True,
) -> chain.Verdict:
    """Recompute the chain; hold it against its head row, its own checkpoints and those kept outside.

    `trusted` are public keys (32 bytes each) whose checkpoints count beside this installation's own; a checkpoint
    signed by nobody trusted is a fault. `from_checkpoint` reads only what follows the newest good checkpoint.
    `own=False` does so without this installation's key, for a copy that is looked at where its keys are not yet back.
    `kept=False` leaves the table of checkpoints out, for a record whose signing key is not here.
    Writers may go on meanwhile: what they add is verified as far as the reading gets.
    """
    keys = [*trusted, *([own_public_key()] if own else [])]
    before = _head(using)
    table = [checkpoint_of(row) for row in AuditCheckpoint.objects.using(using).order_by("seq")] if kept else []
    promised, faults = checkpoints.doubts(table, trusted=keys, instance=before.instance)
    told, doubtful = checkpoints.doubts(outside, trusted=keys, instance=before.instance)
    faults += doubtful
    if kept:
        faults += checkpoints.unkept(told, promised)
    expected = {seq: {*promised.get(seq, ()), *told.get(seq, ())} for seq in {*promised, *told}}
    start, first = chain.GENESIS, 1
    if from_checkpoint and expected:
        newest = max(expected)
        start, first = next(iter(sorted(expected[newest]))), newest + 1
        if sql.hash_at(newest, using) not in expected[newest] or len(expected[newest]) > 1:
            faults.append((newest, "rewritten" if sql.hash_at(newest, using) else "truncated"))
    reading = chain.Reading(start=start, first=first, expected=expected)
    reading.read(sql.entries(after=first - 1, using=using))
    found = reading.verdict()
    faults += found.faults
    faults += [(seq, "truncated") for seq in sorted(expected) if seq > found.last]
    faults += _head_faults(before, _head(using), found, using)
    return chain.Verdict(found.entries, found.head, tuple(dict.fromkeys(faults)), found.last)


def since_last_checkpoint(using: str = "default") -> chain.Verdict:
    """Recompute what follows the newest checkpoint in the database."""
    return verify(using=using, from_checkpoint=True)


def read_outside(folder: Path | None) -> list[Checkpoint]:
    """Return the checkpoints of a folder, if one is named. Raises checkpoints.Unreadable."""
    return checkpoints.read_folder(folder) if folder is not None else []


def own_public_key() -> bytes:
    """Return the public key that signs this installation's checkpoints."""
    return checkpoints.public_key(settings.GANDAN_KEYS["audit"])


def checkpoint_of(row: AuditCheckpoint) -> Checkpoint:
    return Checkpoint(row.seq, row.hash, row.at, row.instance, row.key, row.signature)


def _head(using: str) -> AuditHead:
    if AuditHead._meta.db_table not in connections[using].introspection.table_names():
        raise LookupError("this database holds no record")
    return AuditHead.objects.using(using).filter(pk=1).first() or AuditHead(seq=0, hash=chain.GENESIS)


def _head_faults(before: AuditHead, after: AuditHead, found: chain.Verdict, using: str) -> list[tuple[int, str]]:
    """Say whether the head row and the entries tell the same end, while writers may be adding to both."""
    if before.seq == found.last and before.hash == found.head:
        return []
    still = (before.seq, before.hash) == (after.seq, after.hash)
    inside = before.seq <= found.last <= after.seq
    if still or not inside or (before.seq and sql.hash_at(before.seq, using) != before.hash):
        return [(before.seq, "head")]
    return []
