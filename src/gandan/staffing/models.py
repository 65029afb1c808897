from datetime import date
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gandan.access.models import Guarded, GuardedManager
from gandan.access.policies import Policy
from gandan.access.roles import ROLE_NAMES
from gandan.secrecy.fields import SealedManager, SealedTextField
from gandan.units.fields import UnitKey


class GrantQuerySet(models.QuerySet["Grant"]):
    def in_force(self, on: date) -> "GrantQuerySet":
        """Grants whose dates hold on that day; the last day is the day before `valid_to`."""
        return self.filter(Q(valid_to=None) | Q(valid_to__gt=on), valid_from__lte=on)


class Grant(Guarded):
    """A role at a unit, from a day until the day before another."""

    access = Policy(scope="unit", read="grant.read")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=30, choices=list(ROLE_NAMES.items()))
    unit = UnitKey(on_reorganisation="passes", verbose_name=_("unit"))
    valid_from = models.DateField(_("from"))
    valid_to = models.DateField(_("until"), null=True, blank=True)
    given_by_id = models.UUIDField(null=True, editable=False)
    reason = models.CharField(max_length=120, blank=True)

    objects = GuardedManager.from_queryset(GrantQuerySet)()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=models.F("valid_from")), name="grant_dates_in_order"
            ),
            models.UniqueConstraint(fields=["user", "role", "unit", "valid_from"], name="grant_once"),
        ]
        indexes = [models.Index(fields=["user", "valid_from"], name="grant_user")]

    def __str__(self) -> str:
        return f"{self.role} {self.valid_from}"

    def is_in_force(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or self.valid_to > on)


class Concern(Guarded):
    """A matter is about a unit or an officer, or an officer has stepped back from it.

    Kept by the matter's bare id, so that one condition serves every table that hangs on a matter.
    """

    class Kind(models.TextChoices):
        UNIT = "unit", _("about a unit")
        OFFICER = "officer", _("about an officer")
        RECUSED = "recused", _("stepped back")

    access = Policy(scope="unit", read="concern.record", matter="matter")

    matter = models.UUIDField()
    kind = models.CharField(max_length=10, choices=Kind)
    unit = UnitKey(on_reorganisation="stays", null=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    named = SealedTextField(blank=True)
    """The officer as the person who came described him, when no account is known: sealed, as the name of that person
    is, whatever the matter."""

    objects = SealedManager()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="unit", unit__isnull=False)
                | Q(kind="officer", unit__isnull=False)
                | Q(kind="recused", user__isnull=False),
                name="concern_names_somebody",
            ),
        ]
        indexes = [models.Index(fields=["matter", "kind"], name="concern_matter")]

    def __str__(self) -> str:
        return f"{self.kind} {self.matter}"

    def secret_of(self) -> UUID:
        return self.matter


class Invitation(Guarded):
    """An administrator asks somebody to take a role; opening the link once makes the account and the grant."""

    access = Policy(scope="unit", read="account.read")

    token_hash = models.CharField(max_length=64, unique=True)
    username = models.CharField(_("user name"), max_length=60)
    full_name = models.CharField(_("full name"), max_length=120)
    rank = models.CharField(_("rank"), max_length=60, blank=True)
    role = models.CharField(_("role"), max_length=30, choices=list(ROLE_NAMES.items()))
    unit = UnitKey(on_reorganisation="passes", verbose_name=_("unit"))
    invited_by_id = models.UUIDField()
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.username
