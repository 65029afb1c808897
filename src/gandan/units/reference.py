"""Putting the official units into the database, with all their dates."""

from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from gandan.access import Refused, now
from gandan.units import register
from gandan.units.models import Placement, Reorganisation, Succession, Unit, UnitAlias, UnitVersion, fold, unit_slug

DISTRICT_POLICE_ENDED = date(2025, 3, 1)
"""From this day commune police answer to the province (source: press, March 2025)."""


def load(province: str | None) -> int:
    """Write units, versions, placements, successions and their acts; return how many units."""
    book = register.from_reference()
    keys = _chosen(book, province)
    entries = [entry for entry in book.entries if entry.key in keys]
    country = Unit.objects.create(
        level=Unit.Level.COUNTRY, slug="viet-nam", title="Việt Nam", valid_from=min(e.valid_from for e in entries)
    )
    UnitVersion.objects.create(unit=country, code="VN", name="Việt Nam", type="", valid_from=country.valid_from)
    units = {
        entry.key: Unit(
            level=entry.level,
            slug=unit_slug(entry.full_name, entry.code, entry.valid_from),
            title=entry.full_name,
            valid_from=entry.valid_from,
            valid_to=entry.valid_to,
        )
        for entry in entries
    }
    acts = _acts(book, entries, country)
    for entry in entries:
        if entry.basis:
            units[entry.key].established_by = acts[entry.basis]
    for passing in book.passings:
        if passing.old in keys:
            units[passing.old].ended_by = acts[passing.basis]
    Unit.objects.bulk_create(units.values(), batch_size=1000)
    UnitVersion.objects.bulk_create(
        (
            UnitVersion(
                unit=units[e.key],
                code=e.code,
                name=e.name,
                type=e.type,
                basis=e.basis,
                valid_from=e.valid_from,
                valid_to=e.valid_to,
            )
            for e in entries
        ),
        batch_size=1000,
    )
    UnitAlias.objects.bulk_create(
        (UnitAlias(unit=units[e.key], text=e.full_name, folded=fold(e.full_name), official=True) for e in entries),
        batch_size=1000,
    )
    by_code = {(e.code, e.valid_from): e for e in entries}
    UnitAlias.objects.bulk_create(
        UnitAlias(unit=units[by_code[code, day].key], text=text, folded=fold(text))
        for code, day, text in register.aliases()
        if (code, day) in by_code
    )
    Placement.objects.bulk_create(_placements(book, entries, units, country), batch_size=1000)
    Succession.objects.bulk_create(_successions(book, units, acts, keys), batch_size=1000)
    return len(units) + 1


def _chosen(book: register.Register, province: str | None) -> set[str]:
    """Return the keys of the units to load: of one present province with all that became part of it, or all."""
    if province is None:
        return {entry.key for entry in book.entries}
    seat = next((e for e in book.entries if e.level == "province" and e.code == province and e.valid_to is None), None)
    if seat is None:
        raise Refused(_("There is no province with the code %(code)s today.") % {"code": province})
    chosen = {seat.key} | {passing.old for passing in book.before(seat.key)}
    for level in ("district", "commune"):
        chosen |= {entry.key for entry in book.entries if entry.level == level and entry.parent in chosen}
    # A commune may have given a part to, or taken one from, a neighbour in another province.
    return chosen | {
        passing.old for passing in book.passings if passing.new in chosen and passing.on == register.MERGER
    }


def _acts(book: register.Register, entries: Any, country: Unit) -> dict[str, Reorganisation]:
    keys = {entry.key for entry in entries}
    names = {entry.basis for entry in entries if entry.basis}
    names |= {passing.basis for passing in book.passings if passing.old in keys}
    decided = {register.CIRCULAR: date(2025, 6, 12)}
    acts = [
        Reorganisation(
            decree=name,
            title="Sắp xếp đơn vị hành chính",
            decided_on=decided.get(name, date(2025, 6, 16)),
            effective_on=register.MERGER,
            state=Reorganisation.State.IN_FORCE,
            seat=country,
            enacted_at=now(),
        )
        for name in sorted(names)
    ]
    Reorganisation.objects.bulk_create(acts)
    return {act.decree: act for act in acts}


def _placements(book: register.Register, entries: Any, units: dict[str, Unit], country: Unit) -> list[Placement]:
    rows = []
    seats = {e.key: e for e in book.entries}
    administrative, police = Placement.Chain.ADMINISTRATIVE, Placement.Chain.POLICE
    province_after = {p.old: p.new for p in book.passings if seats[p.old].level == "province"}

    def place(unit: Unit, chain: str, parent: Unit, start: date, end: date | None) -> None:
        if end is None or start < end:
            rows.append(Placement(unit=unit, chain=chain, parent=parent, valid_from=start, valid_to=end))

    for entry in entries:
        unit, start, end = units[entry.key], entry.valid_from, entry.valid_to
        if entry.level == "province":
            for chain in (administrative, police):
                place(unit, chain, country, start, end)
            continue
        parent = units.get(entry.parent, country)
        if entry.level == "district":
            place(unit, administrative, parent, start, end)
            place(unit, police, parent, start, min(end or DISTRICT_POLICE_ENDED, DISTRICT_POLICE_ENDED))
        elif parent.level == Unit.Level.DISTRICT:
            old_seat = seats[entry.parent].parent
            seat = units.get(old_seat, country)
            later = units.get(province_after.get(old_seat, old_seat), country)
            place(unit, administrative, parent, start, register.MERGER)
            place(unit, police, parent, start, DISTRICT_POLICE_ENDED)
            place(unit, police, seat, max(start, DISTRICT_POLICE_ENDED), register.MERGER)
            if end is None:
                for chain in (administrative, police):
                    place(unit, chain, later, register.MERGER, None)
        else:
            for chain in (administrative, police):
                place(unit, chain, parent, start, end)
    return rows


def _successions(
    book: register.Register, units: dict[str, Unit], acts: dict[str, Reorganisation], keys: set[str]
) -> list[Succession]:
    rows = []
    first: set[str] = set()
    chosen = [p for p in book.passings if p.old in keys and p.new in units]
    for passing in sorted(chosen, key=lambda p: (p.old, not p.primary, p.new)):
        rows.append(
            Succession(
                act=acts[passing.basis],
                predecessor=units[passing.old],
                successor=units[passing.new],
                part=passing.part,
                primary=passing.old not in first,
                on=passing.on,
            )
        )
        first.add(passing.old)
    return rows
