from typing import Any
from uuid import uuid4

from django.db import models

from gandan.access.models import Guarded
from gandan.access.policies import Open, Policy


class AuditEntry(Guarded):
    """Who did what to which object, when, and by which grant. Never altered, never deleted.

    Ids are bare on purpose: an entry must outlive what it speaks of.
    """

    access = Policy(scope="unit_id", read="audit.read")

    id = None  # type: ignore[assignment]
    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    grant_id = models.UUIDField(null=True)
    capability = models.CharField(max_length=60, blank=True)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.UUIDField(null=True)
    unit_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=120, blank=True)
    commitment = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=["object_id", "seq"], name="audit_object"),
            models.Index(fields=["actor_id", "seq"], name="audit_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"


class AuditHead(Guarded):
    """The end of the chain: one row, locked while the next entry is bound to it."""

    access = Open("the number and hash of the last entry")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)  # type: ignore[assignment]
    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)
    instance = models.UUIDField(default=uuid4, editable=False)
    """Which record this is: it goes into every checkpoint and stays through backups and moves."""

    def __str__(self) -> str:
        return f"{self.seq} {self.hash[:12]}"

    def save(self, *args: Any, **options: Any) -> None:
        self.id = 1
        super().save(*args, **options)


class AuditCheckpoint(Guarded):
    """A signed word about the end of the chain at a time. Added to only; its copies elsewhere are what counts."""

    access = Open("a number, a hash, a time and a signature: made to be given away")

    id = None  # type: ignore[assignment]
    seq = models.BigIntegerField(primary_key=True)
    hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    instance = models.UUIDField()
    key = models.CharField(max_length=16)
    signature = models.CharField(max_length=128)

    def __str__(self) -> str:
        return f"{self.seq} {self.hash[:12]}"
