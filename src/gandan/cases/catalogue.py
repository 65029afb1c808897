"""The published procedures: reading a file of them, checking it, showing what it would change, taking it over."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, today
from gandan.access.typed import Unreadable, read_yaml
from gandan.cases.models import Procedure

REFERENCE = Path(__file__).parent / "reference" / "procedures.yaml"
FIRST_DAY = date(2018, 1, 1)
GROUPS = ("report", "complaint", "residence", "papers", "safety", "rights")
_NEEDED = ("code", "kind", "group", "vi", "en", "summary_vi", "summary_en")
_KNOWN = {
    *_NEEDED,
    "bring_vi",
    "bring_en",
    "cost_vi",
    "cost_en",
    "law_vi",
    "law_en",
    "steps",
    "identity",
    "confidentiality",
    "online",
    "call",
    "about_service",
    "evidence",
    "note",
}


def _text(longest: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= longest


def _texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 100 and all(_text(2000)(each) for each in value)


def _steps(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) and _texts([*each.values()]) for each in value)


_KINDS: dict[str, Callable[[Any], bool]] = {
    "code": _text(20),
    "kind": _text(40),
    "group": _text(40),
    "vi": _text(200),
    "en": _text(200),
    "identity": _text(10),
    "confidentiality": _text(12),
    "evidence": _text(12),
    "cost_vi": _text(300),
    "cost_en": _text(300),
    "summary_vi": _text(20_000),
    "summary_en": _text(20_000),
    "note": _text(20_000),
    "call": lambda value: isinstance(value, (int, str)) and len(str(value)) <= 20,
    "online": lambda value: isinstance(value, bool),
    "about_service": lambda value: isinstance(value, bool),
    "bring_vi": _texts,
    "bring_en": _texts,
    "law_vi": _texts,
    "law_en": _texts,
    "steps": _steps,
}


@dataclass(frozen=True, slots=True)
class Change:
    """What a file would change: a new procedure, or a new version of one, with the columns that differ."""

    procedure: Procedure
    before: Procedure | None
    columns: tuple[str, ...]


def current(on: date | None = None) -> list[Procedure]:
    """Return the procedures in force on a day, in the order of the catalogue."""
    day = on or today()
    rows = Procedure.objects.filter(Q(valid_to=None) | Q(valid_to__gt=day), valid_from__lte=day)
    latest = {row.code: row for row in rows.order_by("order", "code", "version")}
    return sorted(latest.values(), key=lambda row: (GROUPS.index(row.group), row.order))


def in_force(code: str, on: date | None = None) -> Procedure | None:
    """Return the version of a procedure in force on a day."""
    day = on or today()
    rows = Procedure.objects.filter(Q(valid_to=None) | Q(valid_to__gt=day), code=code, valid_from__lte=day)
    return rows.order_by("-version").first()


def group_name(group: str) -> str:
    """Return what a group of procedures is called, on every page that shows groups."""
    return {
        "report": _("Reporting and proposing"),
        "complaint": _("Complaints about us"),
        "residence": _("Residence"),
        "papers": _("Papers and registration"),
        "safety": _("Safety"),
        "rights": _("Your rights"),
    }[group]


def read(text: str) -> Any:
    """Read a YAML file. Raises Refused with the line of the fault."""
    try:
        return read_yaml(text)
    except Unreadable as error:
        raise Refused(_("The file cannot be read: line %(line)d is not valid YAML.") % {"line": error.line}) from None


def check(data: Any) -> list[str]:
    """Return what is wrong with a file of procedures, each a sentence that names its entry."""
    if not isinstance(data, dict) or not isinstance(data.get("procedures"), list):
        return [_("The file holds no list called “procedures”.")]
    faults, seen = [], set()
    for number, entry in enumerate(data["procedures"], start=1):
        if not isinstance(entry, dict):
            faults.append(_("Entry %(n)d is not a procedure.") % {"n": number})
            continue
        name = str(entry.get("code") or _("entry %(n)d") % {"n": number})[:60]
        wrong = [key for key, fits in _KINDS.items() if key in entry and not fits(entry[key])]
        if wrong:
            faults += [
                _("%(name)s: %(key)s is not of its kind, or too long.") % {"name": name, "key": key} for key in wrong
            ]
            continue
        missing = [key for key in _NEEDED if not entry.get(key)]
        if missing:
            faults.append(_("%(name)s lacks %(what)s.") % {"name": name, "what": ", ".join(missing)})
        if entry.get("code") in seen:
            faults.append(_("%(name)s stands in the file twice.") % {"name": name})
        seen.add(entry.get("code"))
        if entry.get("group") and entry["group"] not in GROUPS:
            faults.append(_("%(name)s: there is no group %(group)s.") % {"name": name, "group": entry["group"]})
        for key, choices in (("identity", Procedure.Identity), ("confidentiality", Procedure.Confidentiality)):
            if entry.get(key) and entry[key] not in choices.values:
                faults.append(_("%(name)s: %(value)s is not known here.") % {"name": name, "value": entry[key]})
        faults += [
            _("%(name)s: there is no field %(key)s. Put quotes around a text that holds a comma or a colon.")
            % {"name": name, "key": key}
            for key in entry
            if key not in _KNOWN
        ]
        for key in ("bring_vi", "bring_en", "law_vi", "law_en"):
            if not isinstance(entry.get(key, []), list):
                faults.append(_("%(name)s: %(key)s must be a list.") % {"name": name, "key": key})
    return faults


def preview(data: Any, valid_from: date | None = None) -> list[Change]:
    """Return what taking over a checked file would change; nothing is written."""
    changes = []
    for order, entry in enumerate(data["procedures"], start=1):
        columns = _columns(entry, order)
        before = Procedure.objects.filter(code=entry["code"]).order_by("-version").first()
        differing = tuple(n for n, v in columns.items() if before is None or getattr(before, n) != v)
        if before is not None and not set(differing) - {"order"}:
            continue
        row = Procedure(
            code=entry["code"],
            version=before.version + 1 if before else 1,
            valid_from=valid_from or (today() if before else FIRST_DAY),
            **columns,
        )
        changes.append(Change(row, before, differing))
    return changes


def take_over(*, data: Any, by: Actor, valid_from: date | None = None) -> list[Change]:
    """Take over a file: new procedures, and new versions of those that changed. Cases keep their version."""
    faults = check(data)
    if faults:
        raise Refused(faults[0])
    with transaction.atomic():
        changes = preview(data, valid_from)
        for change in changes:
            if change.before is not None:
                if change.procedure.valid_from <= change.before.valid_from:
                    raise Refused(
                        _("%(name)s: a new version begins after the one before, which began on %(day)s.")
                        % {"name": change.procedure.code, "day": f"{change.before.valid_from:%d/%m/%Y}"}
                    )
                change.before.valid_to = change.procedure.valid_from
                change.before.save(update_fields=["valid_to"])
            change.procedure.save(force_insert=True)
            audit.record(
                "procedure.edit",
                by=by,
                on=change.procedure,
                values={"code": change.procedure.code, "version": change.procedure.version},
            )
    return changes


def seed_reference(*, by: Actor) -> None:
    """Load the procedures that come with the package."""
    take_over(data=_reference(), by=by)


@cache
def _reference() -> Any:
    return read(REFERENCE.read_text(encoding="utf-8"))


def _columns(entry: dict[str, Any], order: int) -> dict[str, Any]:
    return {
        "kind": entry["kind"],
        "group": entry["group"],
        "order": order,
        "name_vi": entry["vi"],
        "name_en": entry["en"],
        "summary_vi": entry["summary_vi"],
        "summary_en": entry["summary_en"],
        "bring_vi": entry.get("bring_vi", []),
        "bring_en": entry.get("bring_en", []),
        "cost_vi": entry.get("cost_vi", ""),
        "cost_en": entry.get("cost_en", ""),
        "steps": entry.get("steps", []),
        "law_vi": entry.get("law_vi", []),
        "law_en": entry.get("law_en", []),
        "identity": entry.get("identity", Procedure.Identity.NAMED),
        "confidentiality": entry.get("confidentiality", Procedure.Confidentiality.INTERNAL),
        "online": entry.get("online", True),
        "call_instead": str(entry.get("call", "")),
        "about_service": entry.get("about_service", False),
        "evidence": entry.get("evidence", "memory"),
        "note": entry.get("note", ""),
    }
