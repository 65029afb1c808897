from django.db import models
from django.utils.translation import gettext_lazy as _

from gandan.access.models import Guarded
from gandan.access.policies import Open, Policy


class DataKey(Guarded):
    """The key of one matter, locked. Destroying this row shuts everything that was sealed with it for ever."""

    access = Open("useless without the key that lies outside the database")

    matter = models.UUIDField(unique=True)
    wrapped = models.BinaryField()
    kek = models.PositiveIntegerField(db_index=True)
    """Number of the key that locks this one."""
    reporter = models.BinaryField(default=bytes)
    """The same key locked with what only the follow-up code of an unnamed reporter gives; empty otherwise."""
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)


class Disclosure(Guarded):
    """Somebody opened what is sealed: who, when, what, and why. Written before it is opened."""

    class Reason(models.TextChoices):
        CONTACT = "contact", _("to answer or call the person")
        VERIFY = "verify", _("to verify what was reported")
        PROTECT = "protect", _("to protect somebody from harm")
        HAND_OVER = "hand_over", _("to hand the matter over as the law orders")
        COURT = "court", _("ordered by a court or the procuracy")
        OTHER = "other", _("another reason, written below")

    access = Policy(scope="unit_id", province="province_id", read="identity.review", matter="matter")

    matter = models.UUIDField(db_index=True)
    unit_id = models.UUIDField(null=True)
    province_id = models.UUIDField(null=True)
    actor_id = models.UUIDField()
    at = models.DateTimeField(db_index=True)
    fields = models.CharField(max_length=120)
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    note = models.CharField(_("note"), max_length=300, blank=True)
    sealed = models.BooleanField(default=False)
    """Whether the matter itself is sealed, not only the name."""

    class Meta:
        indexes = [models.Index(fields=["actor_id", "at"], name="disclosure_actor")]

    def __str__(self) -> str:
        return str(self.pk)


class Tombstone(Guarded):
    """A matter was erased. Kept for ever, so that a restored copy forgets it again."""

    access = Open("a bare id, a day and a code")

    matter = models.UUIDField(unique=True)
    at = models.DateTimeField()
    reason = models.CharField(max_length=40)

    def __str__(self) -> str:
        return str(self.matter)


class Hold(Guarded):
    """Nothing of this matter may be erased while somebody with the right to say so needs it."""

    access = Policy(scope="unit_id", province="province_id", read="hold.read", matter="matter")

    matter = models.UUIDField(db_index=True)
    unit_id = models.UUIDField(null=True)
    province_id = models.UUIDField(null=True)
    """Who had the matter when the hold was placed."""
    ground = models.CharField(_("number of the order"), max_length=120)
    reason = models.TextField(_("reason"), blank=True)
    placed_at = models.DateTimeField()
    placed_by_id = models.UUIDField(null=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by_id = models.UUIDField(null=True)
    lifted_because = models.TextField(_("why it was lifted"), blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["matter", "ground"], condition=models.Q(lifted_at=None), name="hold_once_an_order"
            ),
        ]

    def __str__(self) -> str:
        return self.ground
