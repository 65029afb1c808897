"""Units for other programs: which there are on a day, what became of each, and figures restated by code."""

from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Literal

from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import File, Form, Query, Router, Schema
from ninja.files import UploadedFile
from pydantic import Field

from gandan.access import today
from gandan.access.decorators import public
from gandan.access.interface import Day, Declined, Words, answers_with, may_refuse, text
from gandan.units import recorded, register, restating, views
from gandan.units.models import Placement, Reorganisation, Unit, UnitReach, UnitVersion, dated, find

router = Router(tags=["units"])
PAGE = 200
TABLE_BYTES = 1024 * 1024
TABLE_ROWS = 20_000

Chain = Literal["police", "administrative"]
Level = Literal["country", "province", "district", "commune"]


class UnitRow(Schema):
    """A unit as it stood on a day."""

    slug: str
    code: str
    name: str
    type: str
    level: Level
    parent: str | None
    """The unit that it answers to, in the chain asked for."""
    valid_from: date
    valid_until: date | None
    """The first day on which it is no more."""


class Units(Schema):
    on: date
    chain: Chain
    units: list[UnitRow]
    next: str | None
    """Give it as `after` to read on; null at the end."""


class Found(Schema):
    slug: str
    name: str
    level: Level
    alive: bool
    served_by: list[str]
    """Who serves the place today, when the unit has ended."""


class FoundUnits(Schema):
    units: list[Found]


class Name(Schema):
    code: str
    name: str
    valid_from: date
    valid_until: date | None
    decree: str


class Part(Schema):
    unit: str
    name: str
    part: Literal["whole", "share", "unknown"]
    share: float | None
    on: date
    decree: str


class Contact(Schema):
    duty_phone: str
    address: str
    hours: str


class UnitDetail(Schema):
    slug: str
    name: str
    level: Level
    alive: bool
    valid_from: date
    valid_until: date | None
    remote: bool | None
    parent: str | None
    names: list[Name]
    came_from: list[Part]
    went_to: list[Part]
    served_by: list[str]
    contact: Contact


class UnitsAsked(Words):
    on: Day | None = None
    """The day; today when none is given."""
    level: Level | None = None
    under: text(80) = ""  # type: ignore[valid-type]
    """Only units beneath this one, in the police chain."""
    chain: Chain = "police"
    after: text(80) = ""  # type: ignore[valid-type]
    limit: Annotated[int, Field(ge=1, le=500)] = PAGE


class SearchAsked(Words):
    q: text(120, shortest=1)  # type: ignore[valid-type]
    on: Day | None = None


class Restating(Words):
    start: Day
    """The map on which the figures were reported."""
    end: Day
    """The map that is wanted."""
    how: Literal["sum", "ratio"] = "sum"


@router.get("/units", response=Units)
@public("which units there are is published")
@may_refuse(404)
def unit_tree(request: HttpRequest, words: Query[UnitsAsked]) -> Any:
    """The units alive on a day, each with the one it answers to: the tree, page by page in the order of slugs."""
    on = words.on or today()
    rows = Unit.objects.filter(dated(on), slug__gt=words.after)
    if words.level:
        rows = rows.filter(level=words.level)
    if words.under:
        above = Unit.objects.filter(slug=words.under).first()
        if above is None:
            raise Declined(404, _("We know no unit with this address. Search for it by its name."))
        beneath = UnitReach.objects.filter(dated(on), ancestor=above).exclude(descendant=above)
        rows = rows.filter(pk__in=beneath.values("descendant"))
    found = list(rows.order_by("slug")[: words.limit + 1])
    more = len(found) > words.limit
    found = found[: words.limit]
    keys = [unit.pk for unit in found]
    versions = {v.unit_id: v for v in UnitVersion.objects.filter(dated(on), unit__in=keys)}
    placements = Placement.objects.filter(dated(on), unit__in=keys, chain=words.chain)
    parents = dict(placements.values_list("unit", "parent__slug"))
    units = [
        {
            "slug": unit.slug,
            "code": version.code if version else "",
            "name": version.full_name if version else unit.title,
            "type": version.type if version else "",
            "level": unit.level,
            "parent": parents.get(unit.pk),
            "valid_from": unit.valid_from,
            "valid_until": unit.valid_to,
        }
        for unit in found
        for version in [versions.get(unit.pk)]
    ]
    return {"on": on, "chain": words.chain, "units": units, "next": found[-1].slug if more else None}


@router.get("/units/search", response=FoundUnits)
@public("which units there are is published")
def unit_search(request: HttpRequest, words: Query[SearchAsked]) -> Any:
    """Units by any spelling of their name, with or without diacritics, or by their code; at most thirty."""
    day = words.on or today()
    return {
        "units": [
            {
                "slug": unit.slug,
                "name": unit.name_on(day),
                "level": unit.level,
                "alive": unit.is_alive(day),
                "served_by": [] if unit.is_alive(today()) else _slugs(views.successors_of(unit)),
            }
            for unit in find(words.q, words.on)
        ]
    }


@router.post("/units/restate")
@answers_with("text/csv; charset=utf-8")
@public("reckons with published units; keeps nothing")
def units_restate(request: HttpRequest, words: Form[Restating], file: File[UploadedFile]) -> Any:
    """Restate a CSV (the official code first, then figures) onto the map of a later day. Nothing is kept.

    Whole successions add exactly; what is divided without shares stays empty and is marked unknown.
    """
    if file.size is None or file.size > TABLE_BYTES:
        raise Declined(413, _("The table is larger than 1 MB. Send it in parts."))
    try:
        table = restating.restate_table(file.read(), _register(), words.start, words.end, words.how)
    except restating.TableError as error:
        fields = [("file", fault) for fault in error.faults]
        raise Declined(422, _("The table cannot be restated; its faults are named below."), fields) from None
    except register.RegisterError as error:
        raise Declined(422, str(error), [("end", str(error))]) from None
    return HttpResponse(table, content_type="text/csv; charset=utf-8")


@router.get("/units/{str:slug}", response=UnitDetail)
@public("which units there are is published")
@may_refuse(404)
def unit_detail(request: HttpRequest, slug: str) -> Any:
    """One unit: its names and codes through time, where it came from, what became of it, and how to reach it."""
    unit = Unit.objects.prefetch_related("versions").filter(slug=slug).first()
    if unit is None:
        raise Declined(404, _("We know no unit with this address. Search for it by its name."))
    page = views.page_of(unit)
    version, office = page["version"], page["office"]
    return {
        "slug": unit.slug,
        "name": unit.title,
        "level": unit.level,
        "alive": page["alive"],
        "valid_from": unit.valid_from,
        "valid_until": unit.valid_to,
        "remote": version.remote if version else None,
        "parent": page["parent"].slug if page["parent"] else None,
        "names": [
            {
                "code": v.code,
                "name": v.full_name,
                "valid_from": v.valid_from,
                "valid_until": v.valid_to,
                "decree": v.basis,
            }
            for v in page["versions"]
        ],
        "came_from": [_part(row, row.predecessor) for row in page["came"]],
        "went_to": [_part(row, row.successor) for row in page["went"]],
        "served_by": _slugs(page["now"]),
        "contact": {name: office[name] for name in ("duty_phone", "address", "hours")},
    }


def _part(row: Any, unit: Unit) -> dict[str, Any]:
    return {
        "unit": unit.slug,
        "name": unit.title,
        "part": row.part,
        "share": None if row.share is None else float(row.share),
        "on": row.on,
        "decree": row.act.decree,
    }


def _slugs(units: Any) -> list[str]:
    return [unit.slug for unit in units]


def _register() -> register.Register:
    """Return the units of this installation, read anew when an act has come into force."""
    acts = Reorganisation.system("restating").filter(state=Reorganisation.State.IN_FORCE)
    return _register_at(str(acts.aggregate(at=Max("enacted_at"))["at"]), UnitVersion.objects.count())


@lru_cache(maxsize=1)
def _register_at(enacted: str, versions: int) -> register.Register:
    return recorded.from_database() or register.from_reference()
