from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from gandan.access.models import Guarded, GuardedManager
from gandan.access.policies import Open, Part, Policy
from gandan.law import is_overdue
from gandan.law.terms import UNITS
from gandan.units.fields import UnitKey


class CalendarYear(Guarded):
    """A year of the working calendar: decided by decree, or provisional until it is."""

    class Status(models.TextChoices):
        DECIDED = "decided", _("decided")
        PROVISIONAL = "provisional", _("provisional")

    access = Open("the working calendar binds everybody")

    year = models.PositiveSmallIntegerField(_("year"), unique=True)
    status = models.CharField(_("status"), max_length=12, choices=Status)
    decree = models.CharField(_("decree"), max_length=120, blank=True)
    version = models.PositiveIntegerField(default=1)
    """One more with each change. An event keeps the versions by which its due date was counted."""
    edition = models.UUIDField(default=uuid4, editable=False)
    """Another one with each change, so that a change that was undone is never taken for the one after it."""
    decided_in = models.PositiveIntegerField(null=True)
    """The version with which the year was decided."""

    def __str__(self) -> str:
        return str(self.year)


class CalendarDay(Guarded):
    """A day that differs from its weekday: a holiday, a swapped day of rest, a Saturday worked in exchange.

    A day that is taken out stays in the history of its year, so that what was counted by it can be counted again.
    """

    class Kind(models.TextChoices):
        HOLIDAY = "holiday", _("public holiday")
        SWAPPED_REST = "swapped_rest", _("day of rest in exchange")
        SWAPPED_WORK = "swapped_work", _("working day in exchange")

    access = Open("the working calendar binds everybody")

    year = models.ForeignKey(CalendarYear, on_delete=models.CASCADE, related_name="days")
    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    name_vi = models.CharField(_("name in Vietnamese"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=120)
    decree = models.CharField(_("decree"), max_length=120, blank=True)
    published_on = models.DateField(_("published on"), null=True, blank=True)
    since = models.PositiveIntegerField(default=1)
    """The version of the year that brought it in."""
    until = models.PositiveIntegerField(null=True)
    """The version of the year that took it out."""
    ended_by = models.CharField(_("decree that took it out"), max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day"], condition=Q(until=None), name="calendar_day_once"),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gt=models.F("since")), name="calendar_day_order"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name_vi}"


class Term(Guarded):
    """One version of a statutory or promised term, with its citation and how well that is verified.

    A version is never altered; the next one only says until when it held.
    """

    access = Open("what the law and the province promise is public")

    code = models.CharField(_("code"), max_length=60)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    procedure = models.CharField(_("procedure"), max_length=20)
    name_vi = models.CharField(_("name in Vietnamese"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200)
    amount = models.DecimalField(_("amount"), max_digits=7, decimal_places=2)
    unit = models.CharField(_("unit"), max_length=12)
    """hour, day, working_day, half_day or month, as in `law.terms`."""
    complex_amount = models.DecimalField(
        _("amount in complex matters"), max_digits=7, decimal_places=2, null=True, blank=True
    )
    remote_amount = models.DecimalField(
        _("amount in remote communes"), max_digits=7, decimal_places=2, null=True, blank=True
    )
    remote_complex_amount = models.DecimalField(
        _("amount in complex matters in remote communes"), max_digits=7, decimal_places=2, null=True, blank=True
    )
    starts_on = models.CharField(_("starts on"), max_length=40)
    """The event that starts the clock: received, accepted, decided, ..."""
    ends_on = models.CharField(_("ends on"), max_length=40)
    """The event that discharges it: taken, answered, handed_over, ..."""
    body = models.CharField(_("who owes it"), max_length=30, default="commune")
    """Only `commune` opens an obligation here; the terms of other bodies are shown."""
    extensions = models.JSONField(_("extensions"), default=list, blank=True)
    """List of {code, amount, unit, times, by}."""
    pause_grounds = models.JSONField(_("grounds of pause"), default=list, blank=True)
    basis_vi = models.CharField(_("legal basis in Vietnamese"), max_length=300, blank=True)
    basis_en = models.CharField(_("legal basis in English"), max_length=300, blank=True)
    evidence = models.CharField(_("evidence"), max_length=12)
    """official, sourced, secondary, memory, policy or design."""
    note = models.TextField(_("note"), blank=True)
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid until"), null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code", "version"], name="term_version_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="term_amount_positive"),
            models.CheckConstraint(condition=Q(unit__in=UNITS), name="term_unit_known"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=models.F("valid_from")), name="term_dates_in_order"
            ),
        ]
        indexes = [models.Index(fields=["procedure", "starts_on"], name="term_procedure")]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


class ObligationQuerySet(models.QuerySet["Obligation"]):
    """Questions about many obligations at an instant. Each agrees with `Obligation.is_in(name, at)`."""

    def open(self) -> "ObligationQuerySet":
        return self.filter(discharged_at=None)

    def running(self) -> "ObligationQuerySet":
        return self.open().filter(suspended_at=None)

    def overdue(self, at: datetime) -> "ObligationQuerySet":
        return self.running().filter(due_at__lte=at)

    def due_within(self, at: datetime, span: timedelta) -> "ObligationQuerySet":
        return self.running().filter(due_at__gt=at, due_at__lte=at + span)

    def waiting(self) -> "ObligationQuerySet":
        return self.open().filter(suspended_at__isnull=False)

    def in_time(self) -> "ObligationQuerySet":
        """Discharged before the due instant; what was withdrawn is neither in time nor late."""
        return (
            self.filter(discharged_at__isnull=False)
            .exclude(ending=Obligation.Ending.WITHDRAWN)
            .filter(discharged_at__lt=models.F("due_at"))
        )

    def late(self) -> "ObligationQuerySet":
        return (
            self.filter(discharged_at__isnull=False)
            .exclude(ending=Obligation.Ending.WITHDRAWN)
            .filter(discharged_at__gte=models.F("due_at"))
        )


_WAITING = Q(discharged_at=None, suspended_at__isnull=False)


class Obligation(Guarded):
    """A unit owes an answer on a matter by an instant.

    `owed_by`, `province`, `assignee`, `due_at`, `suspended_at`, `suspended_for`, `discharged_at` and `ending` are
    projections: replaying the events gives them again (`gandan check` does). No state is stored.
    """

    STATES = ("open", "waiting", "overdue", "in_time", "late")

    class Ending(models.TextChoices):
        DISCHARGED = "discharged", _("done")
        HANDED_OVER = "handed_over", _("handed over")
        WITHDRAWN = "withdrawn", _("withdrawn")

    access = Policy(scope="owed_by", province="province", read="obligation.read", matter="matter")

    kind = models.CharField(max_length=20)
    matter = models.UUIDField()
    clock = models.CharField(max_length=60)
    term = models.ForeignKey(Term, on_delete=models.PROTECT, related_name="+")
    owed_by = UnitKey(on_reorganisation="passes", related_name="+")
    province = UnitKey(on_reorganisation="passes", related_name="+", null=True)
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    suspended_at = models.DateTimeField(null=True)
    suspended_for = models.CharField(max_length=200, blank=True)
    """The ground of the pause while it lasts."""
    discharged_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=12, choices=Ending, blank=True)

    objects = GuardedManager.from_queryset(ObligationQuerySet)()  # type: ignore[misc]

    class Meta:
        indexes = [
            models.Index(
                fields=["owed_by", "due_at", "id"], name="obligation_unit_open", condition=Q(discharged_at=None)
            ),
            models.Index(
                fields=["province", "due_at", "id"], name="obligation_prov_open", condition=Q(discharged_at=None)
            ),
            models.Index(fields=["due_at", "id"], name="obligation_open", condition=Q(discharged_at=None)),
            # A paused clock among many running ones is found without reading those.
            models.Index(fields=["owed_by", "due_at", "id"], name="obligation_unit_wait", condition=_WAITING),
            models.Index(fields=["province", "due_at", "id"], name="obligation_prov_wait", condition=_WAITING),
            models.Index(fields=["due_at", "id"], name="obligation_wait", condition=_WAITING),
            models.Index(fields=["matter"], name="obligation_matter"),
            # Without the open ones, which no planner shall look for here.
            models.Index(
                fields=["owed_by", "discharged_at"],
                name="obligation_unit_done",
                condition=Q(discharged_at__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(discharged_at=None, ending="") | (Q(discharged_at__isnull=False) & ~Q(ending="")),
                name="obligation_end_has_kind",
            ),
            models.CheckConstraint(
                condition=Q(suspended_at=None) | Q(discharged_at=None), name="obligation_ended_is_not_paused"
            ),
            models.CheckConstraint(
                condition=Q(suspended_at=None, suspended_for="") | Q(suspended_at__isnull=False),
                name="obligation_pause_has_start",
            ),
        ]

    def __str__(self) -> str:
        return self.clock

    def is_in(self, state: str, at: datetime) -> bool:
        """Say whether the obligation is in a state of `STATES` at an instant; some include others."""
        ended, counted = self.discharged_at, self.ending != self.Ending.WITHDRAWN
        match state:
            case "open":
                return ended is None
            case "waiting":
                return ended is None and self.suspended_at is not None
            case "overdue":
                return is_overdue(
                    self.due_at, at, suspended=self.suspended_at is not None, discharged=ended is not None
                )
            case "in_time":
                return ended is not None and counted and ended < self.due_at
            case "late":
                return ended is not None and counted and ended >= self.due_at
        raise ValueError(f"an obligation knows {', '.join(self.STATES)}, not {state!r}")


class ObligationEvent(Guarded):
    """What happened to an obligation. Only ever added to."""

    class Kind(models.TextChoices):
        OPENED = "opened", _("clock started")
        ASSIGNED = "assigned", _("assigned")
        SUSPENDED = "suspended", _("clock paused")
        RESUMED = "resumed", _("clock resumed")
        EXTENDED = "extended", _("extended")
        RECOMPUTED = "recomputed", _("recomputed after a change of calendar")
        TRANSFERRED = "transferred", _("passed to the successor unit")
        HANDED_OVER = "handed_over", _("handed over")
        DISCHARGED = "discharged", _("done")
        WITHDRAWN = "withdrawn", _("withdrawn")

    access = Part(of="obligation")

    obligation = models.ForeignKey(Obligation, on_delete=models.CASCADE, related_name="events")
    seq = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    """When it took effect."""
    recorded_at = models.DateTimeField()
    """When it was written down; late offline entries show both."""
    actor_id = models.UUIDField(null=True)
    ground = models.CharField(max_length=200, blank=True)
    """A code of the term's grounds, or the number of a decision; never a person's words."""
    facts = models.JSONField(default=dict)
    """What replaying needs: due_at and the versions of the calendar by which it was counted, owed_by, province,
    assignee, amount and unit. `late_entry` marks what was written down only after the date had passed."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["obligation", "seq"], name="obligation_event_once")]
        ordering = ["obligation", "seq"]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class Effect(Guarded):
    """Something that was done exactly once because its key is unique."""

    access = Open("keys of effects say nothing about a person")

    key = models.CharField(max_length=160, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.key


class Notice(Guarded):
    """A reminder to the unit that owes, or word to its superior that a promise is late."""

    class Kind(models.TextChoices):
        REMINDER = "reminder", _("due soon")
        OVERDUE = "overdue", _("overdue")
        ESCALATION = "escalation", _("a unit beneath yours is late")
        RECOMPUTED = "recomputed", _("new due date after a change of calendar")

    access = Policy(scope="unit", province="province", read="obligation.read", matter="matter")

    unit = UnitKey(on_reorganisation="passes", related_name="+")
    province = UnitKey(on_reorganisation="passes", related_name="+", null=True)
    matter = models.UUIDField()
    obligation = models.ForeignKey(Obligation, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    seen_by_id = models.UUIDField(null=True)

    class Meta:
        indexes = [models.Index(fields=["unit", "-at"], name="notice_unit")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"
