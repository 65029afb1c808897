"""What the steps of an act say, and whether together they make sense.

A step refers to a unit by its id, or by `new:CODE` for one that the same act establishes.

    establish    {code, name, type, level, administrative, police, remote, remote_basis}
    merge        {from: [ref, …], into: ref}
    divide       {from: ref, into: [{unit: ref, share: "0.4" or null, primary: bool}, …]}
    dissolve     {unit: ref}
    rename       {unit: ref, name}
    change_type  {unit: ref, type}
    move         {unit: ref, chain, parent: ref}
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from gandan.units.models import (
    SHARE_DECIMALS,
    Placement,
    Reorganisation,
    Succession,
    Unit,
    UnitVersion,
    dated,
    unit_slug,
)
from gandan.units.reach import Span, overlap

REQUIRED = {
    "establish": ("code", "name", "type", "level"),
    "merge": ("from", "into"),
    "divide": ("from", "into"),
    "dissolve": ("unit",),
    "rename": ("unit", "name"),
    "change_type": ("unit", "type"),
    "move": ("unit", "chain", "parent"),
}
DIGITS = {Unit.Level.PROVINCE: 2, Unit.Level.DISTRICT: 3, Unit.Level.COMMUNE: 5}
"""How long the official code of a unit is."""
_SHARE = re.compile(r"\d{1,12}(?:\.\d{1,24}|/\d{1,12})?")


@dataclass
class Plan:
    """An act read as a whole: who begins, who ends, what goes where, and what is wrong with it."""

    established: dict[str, dict[str, Any]] = field(default_factory=dict)
    ended: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Reference of an ended unit → its successors as {unit, part, share, primary}; none for a closure."""
    renamed: dict[str, str] = field(default_factory=dict)
    retyped: dict[str, str] = field(default_factory=dict)
    moved: dict[tuple[str, str], str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def read(act: Reorganisation) -> Plan:
    """Read every step and return the plan with all faults found, each a sentence that names its step."""
    plan = Plan()
    steps = list(act.steps.all())
    living = {str(unit.pk): unit for unit in _referenced(steps, act)}
    for step in steps:
        missing = [name for name in REQUIRED[step.kind] if not step.data.get(name)]
        if missing:
            plan.faults.append(_("Step %(n)d lacks %(what)s.") % {"n": step.position, "what": ", ".join(missing)})
            continue
        if step.kind == "establish":
            key = f"new:{step.data['code']}"
            if key in plan.established:
                plan.faults.append(
                    _("Step %(n)d establishes code %(code)s a second time.")
                    % {"n": step.position, "code": step.data["code"]}
                )
            plan.established[key] = step.data
    for step in steps:
        if all(step.data.get(name) for name in REQUIRED[step.kind]):
            _read_step(plan, step, living)
    if not steps:
        plan.faults.append(_("The act has no step yet."))
    _check_whole(plan, act, living)
    plan.faults = list(dict.fromkeys(plan.faults))
    return plan


def _read_step(plan: Plan, step: Any, living: dict[str, Unit]) -> None:
    data, n = step.data, step.position

    def known(reference: str) -> bool:
        if reference in living or reference in plan.established:
            return True
        plan.faults.append(
            _("Step %(n)d names a unit that does not exist on the day before the act: %(unit)s.")
            % {"n": n, "unit": reference}
        )
        return False

    def end(reference: str, successors: list[dict[str, Any]]) -> None:
        if reference in plan.established:
            plan.faults.append(_("Step %(n)d ends a unit that the same act establishes.") % {"n": n})
        elif reference in plan.ended:
            name = living[reference].title if reference in living else reference
            plan.faults.append(_("Step %(n)d ends %(unit)s a second time.") % {"n": n, "unit": name})
        else:
            plan.ended[reference] = successors

    def change(changed: dict[Any, str], what: Any, value: str) -> None:
        if data["unit"] in plan.established:
            plan.faults.append(
                _("Step %(n)d changes a unit that the same act establishes: establish it as it shall be.") % {"n": n}
            )
        elif what in changed:
            name = living[data["unit"]].title
            plan.faults.append(_("Step %(n)d changes %(unit)s a second time.") % {"n": n, "unit": name})
        else:
            changed[what] = value

    if step.kind == "merge":
        if not known(data["into"]):
            return
        for reference in data["from"]:
            # A unit that goes on and absorbs others stands on both sides and does not end.
            if known(reference) and reference != data["into"]:
                end(reference, [{"unit": data["into"], "part": "whole", "share": None, "primary": True}])
    elif step.kind == "divide":
        if known(data["from"]):
            parts = _parts(plan, step, known)
            if parts and all(part["unit"] != data["from"] for part in parts):
                end(data["from"], parts)
            elif parts:
                plan.faults.append(
                    _("Step %(n)d gives a part to the unit that it divides: establish a new unit for the rest.")
                    % {"n": n}
                )
    elif step.kind == "dissolve":
        if known(data["unit"]):
            end(data["unit"], [])
    elif step.kind in ("rename", "change_type", "move") and known(data["unit"]):
        if step.kind == "rename":
            change(plan.renamed, data["unit"], data["name"])
        elif step.kind == "change_type":
            change(plan.retyped, data["unit"], data["type"])
        elif data["chain"] not in Placement.Chain.values:
            plan.faults.append(_("Step %(n)d names no known chain: %(chain)s.") % {"n": n, "chain": data["chain"]})
        elif known(data["parent"]):
            change(plan.moved, (data["unit"], data["chain"]), data["parent"])


def _parts(plan: Plan, step: Any, known: Any) -> list[dict[str, Any]]:
    """Return the parts of a division; shares are given for all and sum to 1, or for none."""
    n = step.position
    parts = [part for part in step.data["into"] if known(part.get("unit", ""))]
    if len(parts) != len(step.data["into"]):
        return []
    if len(parts) < 2:
        plan.faults.append(_("Step %(n)d divides a unit into fewer than two parts.") % {"n": n})
        return []
    if len({part["unit"] for part in parts}) < len(parts):
        plan.faults.append(_("Step %(n)d names the same successor twice: give one part to each.") % {"n": n})
        return []
    written = [str(part.get("share") or "").strip() for part in parts]
    if not all(_SHARE.fullmatch(text) for text in written if text):
        plan.faults.append(_("Step %(n)d has a share that is not a number.") % {"n": n})
        return []
    try:
        shares = [Fraction(text) if text else None for text in written]
    except ZeroDivisionError:
        plan.faults.append(_("Step %(n)d has a share that is not a number.") % {"n": n})
        return []
    given = [share for share in shares if share is not None]
    if given and (len(given) < len(parts) or sum(given) != 1 or min(given) <= 0):
        total = sum(given)
        plan.faults.append(
            _("Step %(n)d: the shares sum to %(sum)s. Give shares that sum to 1 for all parts, or for none.")
            % {"n": n, "sum": total if total.denominator == 1 else f"{float(total):.12g}"}
        )
        return []
    # What the database would round is no longer what the decree says, and may no longer sum to 1.
    if any(share * 10**SHARE_DECIMALS % 1 for share in given):
        plan.faults.append(
            _("Step %(n)d has a share with more than %(most)d decimals. Round the shares so that they still sum to 1.")
            % {"n": n, "most": SHARE_DECIMALS}
        )
        return []
    first = next((i for i, part in enumerate(parts) if part.get("primary")), 0)
    return [
        {
            "unit": part["unit"],
            "part": "unknown" if share is None else "share",
            "share": share if share is None else Decimal(share.numerator) / share.denominator,
            "primary": i == first,
        }
        for i, (part, share) in enumerate(zip(parts, shares, strict=True))
    ]


def _check_whole(plan: Plan, act: Reorganisation, living: dict[str, Unit]) -> None:
    for reference in plan.ended:
        unit = living.get(reference)
        if unit is not None and unit.valid_from >= act.effective_on:
            plan.faults.append(_("%(unit)s begins only after the act would end it.") % {"unit": unit.title})
    successors = {part["unit"] for parts in plan.ended.values() for part in parts}
    for reference in successors & set(plan.ended):
        plan.faults.append(
            _("%(unit)s is a successor and ends by the same act.")
            % {"unit": living[reference].title if reference in living else reference}
        )
    for key, data in plan.established.items():
        for chain in Placement.Chain.values:
            parent = data.get(chain)
            if not parent:
                plan.faults.append(
                    _("%(unit)s has no superior in the %(chain)s chain.")
                    % {"unit": data["name"], "chain": Placement.Chain(chain).label}
                )
            elif parent in plan.ended or (parent not in living and parent not in plan.established):
                plan.faults.append(
                    _("%(unit)s would stand under a unit that does not exist then.") % {"unit": data["name"]}
                )
        code = str(data["code"])
        if data["level"] not in DIGITS:
            plan.faults.append(
                _("%(unit)s is neither a province, a district nor a commune: %(level)s.")
                % {"unit": data["name"], "level": data["level"]}
            )
        elif len(code) != DIGITS[data["level"]] or not (code.isascii() and code.isdigit()):
            plan.faults.append(
                _("%(code)s is no official code: 2 digits for a province, 5 for a commune.") % {"code": code}
            )
        if key not in successors and data["level"] == "commune" and plan.ended:
            plan.faults.append(
                _("%(unit)s is established from nothing: say which units it is formed from.") % {"unit": data["name"]}
            )
    for reference in dict.fromkeys([*plan.renamed, *plan.retyped, *(unit for unit, _chain in plan.moved)]):
        if reference in plan.ended:
            plan.faults.append(
                _("%(unit)s changes and ends by the same act: take out one of the two.")
                % {"unit": living[reference].title}
            )
    _check_names(plan, act, living)
    _check_orphans(plan, act, living)
    _check_codes(plan, act)
    _check_later(plan, act, living)
    _check_rings(plan, act)


def _check_names(plan: Plan, act: Reorganisation, living: Mapping[str, Unit]) -> None:
    """Names and types have room in the database, and no address of a unit is given twice."""
    longest = {"type": _room(UnitVersion, "type"), "name": _room(UnitVersion, "name")}
    most = _room(Unit, "title")
    named = [(str(data["type"]), str(data["name"])) for data in plan.established.values()]
    for reference in dict.fromkeys([*plan.renamed, *plan.retyped]):
        version = living[reference].version_on(act.effective_on)
        named.append(
            (
                plan.retyped.get(reference) or (version.type if version else ""),
                plan.renamed.get(reference) or (version.name if version else ""),
            )
        )
    for kind, name in named:
        if len(kind) > longest["type"] or len(name) > longest["name"] or len(f"{kind} {name}") > most:
            plan.faults.append(
                _("“%(text)s” is too long: a type has at most %(type)d letters, a name %(name)d.")
                % {"text": f"{kind} {name}"[:60], **longest}
            )
    slugs = {
        unit_slug(f"{data['type']} {data['name']}".strip(), str(data["code"]), act.effective_on): data["name"]
        for data in plan.established.values()
    }
    for slug in Unit.objects.filter(slug__in=slugs).order_by("slug").values_list("slug", flat=True):
        plan.faults.append(
            _("A unit called %(unit)s with the same code began in the same month already.") % {"unit": slugs[slug]}
        )


def _room(model: Any, name: str) -> int:
    return int(model._meta.get_field(name).max_length)


def _check_orphans(plan: Plan, act: Reorganisation, living: Mapping[str, Unit]) -> None:
    for (reference, _chain), parent in plan.moved.items():
        if parent in plan.ended and reference not in plan.ended:
            plan.faults.append(
                _("%(unit)s would move under %(parent)s, which ends by the same act.")
                % {"unit": living[reference].title, "parent": living[parent].title}
            )
    ended = [UUID(reference) for reference in plan.ended]
    if not ended:
        return
    rows = Placement.objects.filter(_from(act.effective_on), parent__in=ended).select_related("unit", "parent")
    for row in rows:
        reference = str(row.unit_id)
        if reference not in plan.ended and (reference, row.chain) not in plan.moved:
            plan.faults.append(
                _("%(unit)s would stand under %(parent)s, which ends: move it in the same act.")
                % {"unit": row.unit.title, "parent": row.parent.title}
            )


def _check_later(plan: Plan, act: Reorganisation, living: Mapping[str, Unit]) -> None:
    """Refuse what a later act in force has settled already.

    Names and types, the superior in each chain, and the life of a unit are rows of their own. A change of one touches
    nothing of the others, so that only a later change of the same thing, or the end of the unit, stands in its way;
    the end of a unit touches all of them. A unit that is only a successor or a superior need but go on.
    """
    day = act.effective_on
    parents = {data.get(chain) for data in plan.established.values() for chain in Placement.Chain.values}
    parents |= set(plan.moved.values())
    successors = {part["unit"] for parts in plan.ended.values() for part in parts}
    versions = plan.renamed.keys() | plan.retyped.keys() | plan.ended.keys()
    moved = plan.moved.keys() | {(unit, chain) for unit in plan.ended for chain in Placement.Chain.values}
    named = versions | {unit for unit, _chain in moved} | successors | parents
    going = set()
    for reference, unit in living.items():
        if reference in named and unit.valid_to is not None:
            plan.faults.append(
                _("%(unit)s ends on %(day)s by another act: an act of %(own)s cannot change or use it any more.")
                % {"unit": unit.title, "day": _told(unit.valid_to), "own": _told(day)}
            )
        elif reference in named:
            going.add(unit.pk)
    later = Q(unit__in=going, valid_from__gte=day)
    for version in UnitVersion.objects.filter(later).select_related("unit").order_by("valid_from"):
        if str(version.unit_id) in versions:
            plan.faults.append(
                _("%(unit)s has its name and type from %(day)s on: an act of %(own)s cannot change or end it.")
                % {"unit": version.full_name, "day": _told(version.valid_from), "own": _told(day)}
            )
    for row in Placement.objects.filter(later).select_related("unit", "parent").order_by("valid_from"):
        if (str(row.unit_id), row.chain) in moved:
            plan.faults.append(
                _("%(unit)s stands under %(parent)s from %(day)s on: an act of %(own)s cannot move or end it.")
                % {
                    "unit": row.unit.title,
                    "parent": row.parent.title,
                    "day": _told(row.valid_from),
                    "own": _told(day),
                }
            )
    ending = [UUID(reference) for reference in plan.ended]
    heirs = Succession.objects.filter(successor__in=ending, on__gte=day).select_related("successor", "predecessor")
    for heir in heirs.order_by("on"):
        plan.faults.append(
            _("%(unit)s succeeds %(other)s on %(day)s: an act of %(own)s cannot end it.")
            % {"unit": heir.successor.title, "other": heir.predecessor.title, "day": _told(heir.on), "own": _told(day)}
        )


def _check_rings(plan: Plan, act: Reorganisation) -> None:
    """Refuse a move by which a unit would, on any day from the act's on, stand somewhere above itself."""
    for chain in Placement.Chain.values:
        above: dict[str, list[tuple[str, Span]]] = {}
        for key, data in plan.established.items():
            if data.get(chain):
                above[key] = [(str(data[chain]), (act.effective_on, None))]
        for (reference, moved_in), parent in plan.moved.items():
            if moved_in == chain:
                above[reference] = [(parent, (act.effective_on, None))]
        told: set[str] = set()
        for start in list(above):
            ring = () if start in told else _ring(start, above, act.effective_on, chain)
            told.update(ring)
            names = [_name(plan, each) for each in ring]
            if len(ring) == 1:
                plan.faults.append(_("%(unit)s would stand under itself.") % {"unit": names[0]})
            elif ring:
                plan.faults.append(
                    _("These would stand under one another in a ring, in the %(chain)s chain: %(units)s.")
                    % {"chain": Placement.Chain(chain).label, "units": ", ".join(names)}
                )


def _ring(start: str, above: dict[str, list[tuple[str, Span]]], day: date, chain: str) -> tuple[str, ...]:
    """Return the units through which one would stand above itself; none when it would not.

    `above` holds to whom a unit answers and when; what it lacks is read and kept there.
    """
    level: list[tuple[tuple[str, ...], Span]] = [((start,), (day, None))]
    while level:
        unread = {path[-1] for path, _span in level if path[-1] not in above}
        above.update((each, []) for each in unread)
        rows = Placement.objects.filter(_from(day), chain=chain, unit__in=[each for each in unread if _key(each)])
        for row in rows:
            above[str(row.unit_id)].append((str(row.parent_id), (row.valid_from, row.valid_to)))
        further: list[tuple[tuple[str, ...], Span]] = []
        for path, span in level:
            for parent, other in above[path[-1]]:
                both = overlap(span, other)
                if both is not None and parent == start:
                    return path
                if both is not None and parent not in path:
                    further.append(((*path, parent), both))
        level = further
    return ()


def _check_codes(plan: Plan, act: Reorganisation) -> None:
    codes = [str(data["code"]) for data in plan.established.values()]
    ended = [UUID(reference) for reference in plan.ended]
    taken = (
        UnitVersion.objects.filter(_from(act.effective_on), code__in=codes)
        .exclude(unit__in=ended)
        .select_related("unit")
    )
    for version in taken:
        plan.faults.append(
            _("Code %(code)s still belongs to %(unit)s.") % {"code": version.code, "unit": version.unit.title}
        )
    for code, times in Counter(codes).items():
        if times > 1:
            plan.faults.append(_("Code %(code)s is given to two units.") % {"code": code})


def _from(day: date) -> Q:
    """Return the condition: the interval [valid_from, valid_to) holds the day or lies after it."""
    return Q(valid_to=None) | Q(valid_to__gt=day)


def _told(day: date) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")


def _referenced(steps: list[Any], act: Reorganisation) -> list[Unit]:
    ids = set()
    for step in steps:
        for value in _strings(step.data):
            try:
                ids.add(UUID(value))
            except ValueError:
                continue
    before = dated(act.effective_on)
    return list(Unit.objects.filter(before, pk__in=ids).prefetch_related("versions"))


def _strings(data: Any) -> list[str]:
    if isinstance(data, str):
        return [data]
    if isinstance(data, dict):
        return [text for value in data.values() for text in _strings(value)]
    if isinstance(data, list):
        return [text for value in data for text in _strings(value)]
    return []


def sentences(steps: Sequence[Any]) -> list[str]:
    """Return steps in words, with the names of the units that they speak of, read at once."""
    established = [step.data for step in steps if step.kind == "establish"]
    names = {f"new:{data.get('code', '')}": _full_name(data) for data in established}
    spoken_of = {str(each) for step in steps for each in _references(step.data)}
    units = Unit.objects.filter(pk__in=[each for each in spoken_of if _key(each)])
    names |= {str(unit.pk): unit.title for unit in units}
    return [_sentence(step, names) for step in steps]


def units_named(steps: Iterable[dict[str, Any]]) -> set[UUID]:
    """Return the units that the data of steps name: as subject, source, successor or superior."""
    return {UUID(str(each)) for data in steps for each in _references(data) if _key(str(each))}


def _references(data: dict[str, Any]) -> Iterator[Any]:
    for name in ("from", "into", "unit", "parent", *Placement.Chain.values):
        value = data.get(name, [])
        for each in value if isinstance(value, list) else [value]:
            yield each.get("unit", "") if isinstance(each, dict) else each


def _key(reference: str) -> bool:
    try:
        UUID(reference)
    except ValueError:
        return False
    return True


def _full_name(data: dict[str, Any]) -> str:
    return f"{data.get('type', '')} {data.get('name', '')}".strip()


def _sentence(step: Any, names: dict[str, str]) -> str:
    data = step.data

    def name(reference: Any) -> str:
        return names.get(str(reference), str(reference).removeprefix("new:"))

    match step.kind:
        case "establish":
            return _("Establish %(unit)s, code %(code)s") % {
                "unit": _full_name(data),
                "code": data.get("code", ""),
            }
        case "merge":
            return _("%(parts)s go whole into %(unit)s") % {
                "parts": ", ".join(name(part) for part in data.get("from", [])),
                "unit": name(data.get("into", "")),
            }
        case "divide":
            parts = ", ".join(
                f"{name(part.get('unit'))} ({part.get('share') or _('unknown size')})" for part in data.get("into", [])
            )
            return _("%(unit)s is divided among %(parts)s") % {"unit": name(data.get("from", "")), "parts": parts}
        case "dissolve":
            return _("%(unit)s ends without successor") % {"unit": name(data.get("unit", ""))}
        case "rename":
            return _("%(unit)s is called %(name)s") % {"unit": name(data.get("unit", "")), "name": data.get("name", "")}
        case "change_type":
            return _("%(unit)s becomes %(type)s") % {"unit": name(data.get("unit", "")), "type": data.get("type", "")}
        case _:
            return _("%(unit)s moves under %(parent)s") % {
                "unit": name(data.get("unit", "")),
                "parent": name(data.get("parent", "")),
            }


def choices(act: Reorganisation) -> dict[str, list[tuple[str, str]]]:
    """Return, for each unit that the act divides, the successors to choose from as (reference, name)."""
    plan = read(act)
    found = {}
    for reference, parts in plan.ended.items():
        if len(parts) > 1:
            found[reference] = [(part["unit"], _name(plan, part["unit"])) for part in parts]
    return found


def _name(plan: Plan, reference: str) -> str:
    if reference in plan.established:
        data = plan.established[reference]
        return f"{data['type']} {data['name']}"
    unit = Unit.objects.filter(pk=reference).first()
    return unit.title if unit else reference
