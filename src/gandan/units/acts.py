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

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from gandan.units.models import Placement, Reorganisation, Unit, UnitVersion, dated

REQUIRED = {
    "establish": ("code", "name", "type", "level"),
    "merge": ("from", "into"),
    "divide": ("from", "into"),
    "dissolve": ("unit",),
    "rename": ("unit", "name"),
    "change_type": ("unit", "type"),
    "move": ("unit", "chain", "parent"),
}


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
            plan.renamed[data["unit"]] = data["name"]
        elif step.kind == "change_type":
            plan.retyped[data["unit"]] = data["type"]
        elif data["chain"] not in Placement.Chain.values:
            plan.faults.append(_("Step %(n)d names no known chain: %(chain)s.") % {"n": n, "chain": data["chain"]})
        elif known(data["parent"]):
            plan.moved[data["unit"], data["chain"]] = data["parent"]


def _parts(plan: Plan, step: Any, known: Any) -> list[dict[str, Any]]:
    """Return the parts of a division; shares are given for all and sum to 1, or for none."""
    n = step.position
    parts = [part for part in step.data["into"] if known(part.get("unit", ""))]
    if len(parts) != len(step.data["into"]):
        return []
    if len(parts) < 2:
        plan.faults.append(_("Step %(n)d divides a unit into fewer than two parts.") % {"n": n})
        return []
    try:
        shares = [Decimal(str(part["share"])) if part.get("share") else None for part in parts]
    except InvalidOperation:
        plan.faults.append(_("Step %(n)d has a share that is not a number.") % {"n": n})
        return []
    given = [share for share in shares if share is not None]
    if given and (len(given) < len(parts) or sum(given) != 1 or min(given) <= 0):
        plan.faults.append(
            _("Step %(n)d: the shares sum to %(sum)s. Give shares that sum to 1 for all parts, or for none.")
            % {"n": n, "sum": sum(given)}
        )
        return []
    first = next((i for i, part in enumerate(parts) if part.get("primary")), 0)
    return [
        {
            "unit": part["unit"],
            "part": "unknown" if share is None else "share",
            "share": share,
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
        if len(str(data["code"])) not in (2, 3, 5) or not str(data["code"]).isdigit():
            plan.faults.append(
                _("%(code)s is no official code: 2 digits for a province, 5 for a commune.") % {"code": data["code"]}
            )
        if key not in successors and data["level"] == "commune" and plan.ended:
            plan.faults.append(
                _("%(unit)s is established from nothing: say which units it is formed from.") % {"unit": data["name"]}
            )
    _check_orphans(plan, act)
    _check_codes(plan, act)


def _check_orphans(plan: Plan, act: Reorganisation) -> None:
    ended = [UUID(reference) for reference in plan.ended]
    if not ended:
        return
    rows = Placement.objects.filter(dated(act.effective_on), parent__in=ended).select_related("unit", "parent")
    for row in rows:
        reference = str(row.unit_id)
        if reference not in plan.ended and (reference, row.chain) not in plan.moved:
            plan.faults.append(
                _("%(unit)s would stand under %(parent)s, which ends: move it in the same act.")
                % {"unit": row.unit.title, "parent": row.parent.title}
            )


def _check_codes(plan: Plan, act: Reorganisation) -> None:
    codes = [str(data["code"]) for data in plan.established.values()]
    ended = [UUID(reference) for reference in plan.ended]
    taken = (
        UnitVersion.objects.filter(dated(act.effective_on), code__in=codes)
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


def _referenced(steps: list[Any], act: Reorganisation) -> list[Unit]:
    ids = set()
    for step in steps:
        for value in _strings(step.data):
            try:
                ids.add(UUID(value))
            except ValueError:
                continue
    before = dated(act.effective_on)
    return list(Unit.objects.filter(before, pk__in=ids))


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


def _references(data: dict[str, Any]) -> Iterator[Any]:
    for name in ("from", "into", "unit", "parent"):
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
