import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from gandan.access import today
from gandan.access.models import Guarded, GuardedManager
from gandan.access.policies import Open, Part, Policy
from gandan.units.fields import UnitKey
from gandan.units.register import alphabetical

SHARE_DECIMALS = 8
"""How exactly a share can be kept."""
PUBLIC = Open("which units there are, and what became of them, is published by decree")


def fold(text: str) -> str:
    """Return text as people type it in a hurry: lower case, no diacritics, đ as d, single spaces."""
    plain = unicodedata.normalize("NFD", text.lower()).replace("đ", "d")
    return " ".join("".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c)).split())


def unit_slug(title: str, code: str, day: date) -> str:
    """Return an address for a unit: its name, its code, and the year in which it began, so that no later
    unit with the same name and code can take it."""
    # The address has room for 80 signs, a long name for more.
    name = slugify(fold(title))[:60].rstrip("-")
    return f"{name}-{code}-{day.year}{'' if day.month == 1 and day.day == 1 else f'{day.month:02}'}"


def dated(on: date) -> Q:
    """Return the condition: the interval [valid_from, valid_to) holds the day."""
    return Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gt=on))


class DatedQuerySet(models.QuerySet[Any]):
    def on(self, day: date) -> "DatedQuerySet":
        return self.filter(dated(day))


class Unit(Guarded):
    """A unit between the act that established it and the act that ended it."""

    class Level(models.TextChoices):
        COUNTRY = "country", _("country")
        PROVINCE = "province", _("province")
        DISTRICT = "district", _("district")
        COMMUNE = "commune", _("commune")

    access = PUBLIC

    level = models.CharField(_("level"), max_length=10, choices=Level)
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(_("name"), max_length=120)
    """Latest full name, for lists; the name on a date stands in `UnitVersion`."""
    valid_from = models.DateField(_("from"))
    valid_to = models.DateField(_("until"), null=True, blank=True)
    established_by = models.ForeignKey("Reorganisation", on_delete=models.PROTECT, null=True, related_name="+")
    ended_by = models.ForeignKey("Reorganisation", on_delete=models.PROTECT, null=True, related_name="+")

    objects = GuardedManager.from_queryset(DatedQuerySet)()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=models.F("valid_from")), name="unit_life_in_order"
            )
        ]

    def __str__(self) -> str:
        return self.title

    def is_alive(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_to is None or self.valid_to > on)

    def version_on(self, on: date) -> "UnitVersion | None":
        """Return name, type and code on a day; for an ended unit the last ones."""
        versions = sorted(self.versions.all(), key=lambda version: version.valid_from)
        held = [version for version in versions if version.valid_from <= on]
        return held[-1] if held else (versions[0] if versions else None)

    def name_on(self, on: date) -> str:
        version = self.version_on(on)
        return version.full_name if version else self.title


class UnitVersion(Guarded):
    """Name, type, code and remote status of a unit for a time."""

    access = PUBLIC

    unit = UnitKey(on_delete=models.CASCADE, related_name="versions", on_reorganisation="ends")
    code = models.CharField(_("official code"), max_length=5)
    name = models.CharField(_("name"), max_length=100)
    type = models.CharField(_("type"), max_length=20)
    remote = models.BooleanField(_("remote area"), null=True)
    """None: no legal basis is recorded, so ordinary terms apply."""
    remote_basis = models.CharField(_("legal basis of remote status"), max_length=200, blank=True)
    basis = models.CharField(_("decree"), max_length=120, blank=True)
    valid_from = models.DateField(_("from"))
    valid_to = models.DateField(_("until"), null=True, blank=True)

    objects = GuardedManager.from_queryset(DatedQuerySet)()  # type: ignore[misc]

    class Meta:
        indexes = [models.Index(fields=["code", "valid_from"], name="version_code")]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=models.F("valid_from")), name="version_dates_in_order"
            )
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.type} {self.name}".strip()


class Placement(Guarded):
    """To whom a unit answers for a time. The police chain and the administrative chain are dated apart."""

    class Chain(models.TextChoices):
        ADMINISTRATIVE = "administrative", _("administrative")
        POLICE = "police", _("police")

    access = PUBLIC

    unit = UnitKey(on_delete=models.CASCADE, related_name="placements", on_reorganisation="ends")
    chain = models.CharField(_("chain"), max_length=16, choices=Chain)
    parent = UnitKey(on_reorganisation="stays", related_name="+")
    valid_from = models.DateField(_("from"))
    valid_to = models.DateField(_("until"), null=True, blank=True)

    objects = GuardedManager.from_queryset(DatedQuerySet)()  # type: ignore[misc]

    class Meta:
        indexes = [models.Index(fields=["parent", "chain"], name="placement_parent")]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gt=models.F("valid_from")), name="placement_dates_in_order"
            )
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.valid_from}"


class UnitAlias(Guarded):
    """Another spelling under which a unit is looked for."""

    access = PUBLIC

    unit = UnitKey(on_delete=models.CASCADE, related_name="aliases", on_reorganisation="ends")
    text = models.CharField(max_length=120)
    folded = models.CharField(max_length=120, db_index=True)
    official = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.text


class UnitContact(Guarded):
    """Where and when a unit can be reached."""

    access = PUBLIC

    unit = UnitKey(on_delete=models.CASCADE, related_name="contacts", on_reorganisation="ends")
    duty_phone = models.CharField(_("duty phone"), max_length=30, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    hours_vi = models.CharField(_("hours in Vietnamese"), max_length=200, blank=True)
    hours_en = models.CharField(_("hours in English"), max_length=200, blank=True)
    valid_from = models.DateField(_("from"))
    valid_to = models.DateField(_("until"), null=True, blank=True)

    objects = GuardedManager.from_queryset(DatedQuerySet)()  # type: ignore[misc]

    def __str__(self) -> str:
        return self.duty_phone


class Reorganisation(Guarded):
    """A legal act that changes units: which decree, from which day, and how far it has come."""

    class State(models.TextChoices):
        DRAFTED = "drafted", _("drafted")
        CHECKED = "checked", _("checked")
        SCHEDULED = "scheduled", _("scheduled")
        IN_FORCE = "in_force", _("in force")

    access = Policy(scope="seat", province="seat", read="unit.draft")

    decree = models.CharField(_("decree number"), max_length=120)
    title = models.CharField(_("what it does"), max_length=200)
    decided_on = models.DateField(_("decided on"))
    effective_on = models.DateField(_("in force from"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFTED)
    seat = UnitKey(on_reorganisation="stays")
    """The unit whose registrar keeps the act."""
    assignments = models.JSONField(default=dict, blank=True)
    """In a division: the successor chosen by the registrar for each open row, {row id: unit id or "new:CODE"}."""
    enacted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["decree", "effective_on"], name="act_once")]
        ordering = ["-effective_on", "decree"]

    def __str__(self) -> str:
        return f"{self.decree}: {self.title}"

    def ended_units(self) -> list[UUID]:
        """Return the units that this act ends."""
        return list(Unit.objects.filter(ended_by=self).order_by("pk").values_list("pk", flat=True))

    def successions(self) -> dict[UUID, list["Succession"]]:
        if not hasattr(self, "_successions"):
            found: dict[UUID, list[Succession]] = {}
            for row in Succession.objects.filter(act=self).select_related("successor").order_by("-primary", "id"):
                found.setdefault(row.predecessor_id, []).append(row)
            self._successions = found
        return self._successions

    def whole_successor(self, unit_id: UUID) -> UUID | None:
        """Return the unit into which a unit went whole, or None when it was divided or closed."""
        rows = self.successions().get(unit_id, [])
        return rows[0].successor_id if len(rows) == 1 and rows[0].part == Succession.Part.WHOLE else None

    def successor_for(self, unit_id: UUID, object_id: UUID | None = None) -> UUID | None:
        """Return who takes over a row of an ended unit: the registrar's choice, else the primary heir,
        else the unit's last superior."""
        chosen = self.assignments.get(str(object_id)) if object_id else None
        rows = self.successions().get(unit_id, [])
        for row in rows:
            if chosen and chosen in (str(row.successor_id), *(f"new:{v.code}" for v in row.successor.versions.all())):
                return row.successor_id
        if rows:
            return rows[0].successor_id
        parent = Placement.objects.filter(unit=unit_id, chain=Placement.Chain.POLICE).order_by("-valid_from").first()
        return parent.parent_id if parent else None


class ReorganisationStep(Guarded):
    """One sentence of an act."""

    class Kind(models.TextChoices):
        ESTABLISH = "establish", _("establish")
        DISSOLVE = "dissolve", _("dissolve")
        MERGE = "merge", _("merge")
        DIVIDE = "divide", _("divide")
        RENAME = "rename", _("rename")
        CHANGE_TYPE = "change_type", _("change type")
        MOVE = "move", _("move under another superior")

    access = Part(of="act")

    act = models.ForeignKey(Reorganisation, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    data = models.JSONField()
    """See `units.acts` for the fields of each kind."""

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["act", "position"], name="step_position_once")]

    def __str__(self) -> str:
        return f"{self.position} {self.kind}"


class Succession(Guarded):
    """Which part of a unit went where. A share lies between 0 and 1; without one the part is unknown."""

    class Part(models.TextChoices):
        WHOLE = "whole", _("whole")
        SHARE = "share", _("a share")
        UNKNOWN = "unknown", _("a part of unknown size")

    access = PUBLIC

    act = models.ForeignKey(Reorganisation, on_delete=models.PROTECT, related_name="+")
    predecessor = UnitKey(on_reorganisation="stays", related_name="successors")
    successor = UnitKey(on_reorganisation="stays", related_name="predecessors")
    part = models.CharField(max_length=8, choices=Part)
    share = models.DecimalField(max_digits=SHARE_DECIMALS + 1, decimal_places=SHARE_DECIMALS, null=True)
    primary = models.BooleanField(default=True)
    """The successor that keeps the records."""
    on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["act", "predecessor", "successor"], name="succession_once"),
            models.CheckConstraint(
                condition=Q(part="share", share__gt=0, share__lt=1) | (~Q(part="share") & Q(share=None)),
                name="succession_share_fits_part",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.part} {self.on}"


class UnitReach(Guarded):
    """Who stands above whom in the police chain, and when. Rebuilt with its sources; a unit reaches itself."""

    access = PUBLIC

    ancestor = UnitKey(on_reorganisation="stays", related_name="+")
    descendant = UnitKey(on_reorganisation="stays", related_name="+")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["ancestor", "valid_from"], name="reach_ancestor"),
            models.Index(fields=["descendant", "valid_from"], name="reach_descendant"),
        ]

    def __str__(self) -> str:
        return f"{self.ancestor_id} {self.descendant_id}"


class UnitHeir(Guarded):
    """Whose records a unit inherited, through however many acts."""

    access = PUBLIC

    heir = UnitKey(on_reorganisation="stays", related_name="+")
    origin = UnitKey(on_reorganisation="stays", related_name="+")
    since = models.DateField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["heir", "origin"], name="heir_once")]
        indexes = [models.Index(fields=["origin"], name="heir_origin")]

    def __str__(self) -> str:
        return f"{self.heir_id} {self.origin_id}"


def superior_on(unit: Unit, on: date, chain: str = Placement.Chain.POLICE) -> Unit | None:
    """Return the unit to which `unit` answers on a day."""
    row = Placement.objects.on(on).filter(unit=unit, chain=chain).select_related("parent").first()
    return row.parent if row else None


def ancestors(unit: Unit, on: date | None = None, chain: str = Placement.Chain.POLICE) -> list[Unit]:
    """Return the superiors of a unit on a day, nearest first."""
    found: list[Unit] = []
    above = superior_on(unit, on or today(), chain)
    while above is not None and above not in found:
        found.append(above)
        above = superior_on(above, on or today(), chain)
    return found


def province_of(unit: Unit, on: date | None = None) -> Unit | None:
    """Return the province that a unit answers to; for an ended unit, the one it answered to last."""
    if unit.level == Unit.Level.PROVINCE:
        return unit
    if unit.level == Unit.Level.COUNTRY:
        return None
    day = on or today()
    if unit.valid_to is not None and day >= unit.valid_to:
        reach = UnitReach.objects.filter(descendant=unit, ancestor__level=Unit.Level.PROVINCE).order_by("-valid_from")
    else:
        reach = UnitReach.objects.filter(dated(day), descendant=unit, ancestor__level=Unit.Level.PROVINCE)
    row = reach.select_related("ancestor").first()
    return row.ancestor if row else None


def successors_of(unit: Unit) -> list[Unit]:
    """Return the living units that serve the place of a unit today; the unit itself while it lives."""
    if unit.valid_to is None or unit.valid_to > today():
        return [unit]
    found: dict[UUID, Unit] = {}
    for row in Succession.objects.filter(predecessor=unit).select_related("successor").order_by("-primary"):
        for each in successors_of(row.successor):
            found.setdefault(each.pk, each)
    return list(found.values())


def find(text: str, on: date | None = None, limit: int = 30) -> list[Unit]:
    """Return units whose name or other spelling holds the words, with or without diacritics, or whose
    official code it is; living ones first."""
    # No unit has a name as long as a page; a database refuses to look for one.
    folded = fold(text) if len(text) <= 200 else ""
    if not folded:
        return []
    by_name = Q(aliases__folded__contains=folded)
    by_code = Q(versions__code=text.strip()) if text.strip().isdigit() else Q(pk__in=[])
    rows: Iterable[Unit] = Unit.objects.filter(by_name | by_code).distinct()
    exact = {fold(text)}
    day = on or today()
    return sorted(
        rows,
        key=lambda unit: (
            not unit.is_alive(day),
            fold(unit.title.split(" ", 1)[-1]) not in exact,
            unit.level != "commune",
            alphabetical(unit.title),
        ),
    )[:limit]
