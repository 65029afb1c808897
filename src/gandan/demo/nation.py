"""A nation to measure with: 3,321 invented communes, each with the matters of one of Mường Sương's.

The province is built as ever; then its living communes, their people and their matters are copied under new keys
into further invented provinces, until there are as many communes as Vietnam has. A copy has no identities and no
codes, its complaints have no words, and one entry in the record says that it was made: it is there to be counted
and searched, not to be read.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models, transaction

from gandan.access import SystemActor
from gandan.accounts.models import User
from gandan.audit import record
from gandan.cases.models import Case, CaseEvent, PaperRequest, Rating, Transfer
from gandan.demo import build, sql
from gandan.obligations.models import Obligation, ObligationEvent
from gandan.staffing.models import Concern, Grant
from gandan.units import reach
from gandan.units.models import Placement, Unit, UnitHeir, UnitVersion, unit_slug

COMMUNES = 3_321
_KEY = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
_BARE_KEYS = {"matter", "actor_id", "given_by_id", "submission"}
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_WORDS = {"title": "Nội dung đã được bỏ trống", "text": "", "place": "", "answer": "", "folded": ""}
"""What stands in a copied complaint instead of its words."""
_COPIED: tuple[type[models.Model], ...] = (
    User,
    Grant,
    Case,
    CaseEvent,
    PaperRequest,
    Transfer,
    Concern,
    Rating,
    Obligation,
    ObligationEvent,
)


def nation(*, seed: int, progress: build.Progress | None = None) -> None:
    """Build Mường Sương into an empty installation, and copies of it until the nation is full."""
    build.province(scale="province", seed=seed, progress=progress)
    spread(seed=seed, communes=COMMUNES, progress=progress)


def spread(*, seed: int, communes: int, progress: build.Progress | None = None) -> None:
    """Copy the province that is there until `communes` communes are served; each copy in its own transaction."""
    sql.roomy()
    copies = _Copies(random.Random(seed), communes)  # noqa: S311 - invented, not secret
    while copies.missing > 0:
        with transaction.atomic():
            copies.add()
        if progress:
            progress("the nation", 1 - copies.missing / communes)
    with transaction.atomic():
        reach.rebuild()
    sql.refresh_statistics()


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: list[str]
    rules: list[str]
    rows: list[list[Any]]


class _Copies:
    """The source, read once, and what has been copied so far."""

    def __init__(self, chance: random.Random, communes: int) -> None:
        self.random, self.number = chance, 0
        living = Unit.objects.filter(valid_to=None)
        self.country = living.get(level=Unit.Level.COUNTRY)
        self.seat = living.get(level=Unit.Level.PROVINCE)
        self.communes = list(living.filter(level=Unit.Level.COMMUNE).order_by("slug").prefetch_related("versions"))
        self.missing = communes - len(self.communes)
        self.home = self._homes()
        self.references = set(Case.system("demo").values_list("reference", flat=True))
        self.tables = [self._read(model) for model in _COPIED]

    def add(self) -> None:
        """Copy the province once more, with as many communes as are still missing."""
        self.number += 1
        seat, communes = self._establish(min(self.missing, len(self.communes)))
        goal = {self.seat.pk: seat.pk, self.country.pk: self.country.pk}
        goal |= {unit.pk: communes[n % len(communes)].pk for n, unit in enumerate(self.communes)}
        units: dict[str, str] = {}
        for origin, home in self.home.items():
            units |= {str(origin): str(goal[home]), origin.hex: goal[home].hex}
        mask = self.random.getrandbits(48)
        for table in self.tables:
            sql.write(table.name, table.columns, self._rows(table, units, mask))
        record("demo.copy", by=SystemActor("demo"), on=seat, unit=seat)
        self.missing -= len(communes)

    def _homes(self) -> dict[UUID, UUID]:
        """Return for every unit that ever was the living one that has its records."""
        heirs = {row.origin_id: row.heir_id for row in UnitHeir.objects.filter(heir__valid_to=None)}
        return {
            key: heirs.get(key, self.seat.pk) if end else key for key, end in Unit.objects.values_list("pk", "valid_to")
        }

    def _establish(self, count: int) -> tuple[Unit, list[Unit]]:
        since = self.seat.valid_from
        seat = self._unit(self.seat, f"M{self.number:02}", f"{build.place.PROVINCE_NAME} {self.number}", "Tỉnh")
        communes, placements = [], []
        for number, source in enumerate(self.communes[:count], start=1):
            version = source.version_on(source.valid_from)
            assert version is not None
            code, name = f"M{self.number:02}{number:02}", f"{version.name} {self.number}"
            communes.append(self._unit(source, code, name, version.type))
        pairs = [(seat, self.country), *((unit, seat) for unit in communes)]
        for unit, above in pairs:
            placements += [
                Placement(unit=unit, chain=chain, parent=above, valid_from=since) for chain in Placement.Chain
            ]
        Placement.objects.bulk_create(placements)
        return seat, communes

    def _unit(self, source: Unit, code: str, name: str, type: str) -> Unit:
        since, title = self.seat.valid_from, f"{type} {name}"
        unit = Unit.objects.create(
            level=source.level, slug=unit_slug(title, code, since), title=title, valid_from=since
        )
        UnitVersion.objects.create(unit=unit, code=code, name=name, type=type, valid_from=since, basis=build.BASIS)
        return unit

    def _read(self, model: type[models.Model]) -> _Table:
        fields = model._meta.concrete_fields
        columns = [str(field.column) for field in fields]
        rules = [_rule(model, field) for field in fields]
        found = sql.read(model._meta.db_table, columns)
        for number, rule in enumerate(rules):
            if rule == "json":
                found = [(*row[:number], _KEY.split(row[number]), *row[number + 1 :]) for row in found]
        if model is Grant:
            country = {str(self.country.pk), self.country.pk.hex}
            unit = columns.index("unit_id")
            found = [row for row in found if row[unit] not in country]
        return _Table(model._meta.db_table, columns, rules, self._without_words(model, columns, found))

    def _without_words(self, model: type[models.Model], columns: list[str], found: list[Any]) -> list[list[Any]]:
        rows = [list(row) for row in found]
        if model not in (Case, CaseEvent):
            return rows
        about = {
            key
            for pk in Case.system("demo").filter(procedure__about_service=True).values_list("pk", flat=True)
            for key in (str(pk), pk.hex)
        }
        place = columns.index("id" if model is Case else "case_id")
        blanked = [(n, _WORDS[name]) for n, name in enumerate(columns) if name in _WORDS]
        for row in rows:
            if row[place] in about:
                for n, word in blanked:
                    row[n] = word
        return rows

    def _rows(self, table: _Table, units: dict[str, str], mask: int) -> Iterator[list[Any]]:
        turn: dict[str, Callable[[Any], Any]] = {
            "key": lambda text: _other(text, mask),
            "unit": units.__getitem__,
            "json": lambda parts: _joined(parts, units, mask),
            "username": lambda text: f"{text}-{self.number}",
            "reference": lambda _text: self._reference(),
            "empty": lambda _text: "",
        }
        turned = [(n, turn[rule]) for n, rule in enumerate(table.rules) if rule != "same"]
        for source in table.rows:
            row = source.copy()
            for n, function in turned:
                if row[n] is not None:
                    row[n] = function(row[n])
            yield row

    def _reference(self) -> str:
        while True:
            letters = "".join(self.random.choices(_LETTERS, k=8))
            reference = f"GD-{letters[:4]}-{letters[4:]}"
            if reference not in self.references:
                self.references.add(reference)
                return reference


def _rule(model: type[models.Model], field: "models.Field[Any, Any]") -> str:
    if field.primary_key or field.column in _BARE_KEYS:
        return "key"
    if field.column == "unit_id" or field.related_model is Unit:
        return "unit"
    if field.related_model in _COPIED:
        return "key"
    if isinstance(field, models.JSONField):
        return "json"
    if field.column == "follow_hash":
        return "empty"
    return field.column if field.column in {"username", "reference"} else "same"


def _other(text: str, mask: int) -> str:
    """Return another key: the last 48 bits turned, so that every reference to it can be turned alike."""
    return f"{text[:-12]}{int(text[-12:], 16) ^ mask:012x}"


def _joined(parts: list[str], units: dict[str, str], mask: int) -> str:
    if len(parts) == 1:
        return parts[0]
    return "".join(part if n % 2 == 0 else units.get(part) or _other(part, mask) for n, part in enumerate(parts))
