"""Keeping the terms: taking them over from a file, and giving one a new version from a day on."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, today
from gandan.law.terms import UNITS, WHOLE
from gandan.obligations import terms
from gandan.obligations.actions.years import FIRST_YEAR, keep_years_seeded
from gandan.obligations.models import Term

REFERENCE = Path(__file__).parent.parent / "reference"
_TERM_FIELDS = {
    "code",
    "vi",
    "en",
    "amount",
    "unit",
    "starts_on",
    "ends_on",
    "evidence",
    "complex",
    "remote",
    "remote_complex",
    "extensions",
    "pause_grounds",
    "basis_vi",
    "basis_en",
    "body",
    "note",
    "valid_from",
}
_TERM_NEEDS = ("code", "vi", "en", "amount", "unit", "starts_on", "ends_on", "evidence")
_AMOUNTS = ("amount", "complex", "remote", "remote_complex")
_TEXTS = {
    "code": "code",
    "vi": "name_vi",
    "en": "name_en",
    "starts_on": "starts_on",
    "ends_on": "ends_on",
    "body": "body",
    "basis_vi": "basis_vi",
    "basis_en": "basis_en",
    "note": "note",
}
LARGEST = 10_000
EVIDENCE = ("official", "sourced", "secondary", "memory", "policy", "design")


@dataclass(frozen=True, slots=True)
class TermChange:
    """A version of a term that a file adds, and the one that it follows."""

    before: Term | None
    after: Term


def seed_reference(*, by: Actor) -> None:
    """Load the calendar years and the terms that come with the package."""
    keep_years_seeded(by=by)
    import_terms(data=reference_terms(), by=by)


@cache
def reference_terms() -> Any:
    """Return the file of terms that comes with the package."""
    import yaml

    return yaml.safe_load((REFERENCE / "terms.yaml").read_text(encoding="utf-8"))


def check_terms(data: Any) -> list[str]:
    """Return what is wrong with a file of terms, each a sentence that names its entry."""
    if not isinstance(data, dict) or not isinstance(data.get("terms"), list):
        return [_("The file holds no list called “terms”.")]
    faults: list[str] = []
    seen: set[str] = set()
    for number, entry in enumerate(data["terms"], start=1):
        if not isinstance(entry, dict):
            faults.append(_("Entry %(n)d is no list of fields.") % {"n": number})
            continue
        code = str(entry.get("code") or _("entry %(n)d") % {"n": number})
        missing = [key for key in _TERM_NEEDS if entry.get(key) in (None, "")]
        if missing:
            faults.append(_("%(name)s lacks %(what)s.") % {"name": code, "what": ", ".join(missing)})
            continue
        if code in seen:
            faults.append(_("%(name)s stands in the file twice.") % {"name": code})
        seen.add(code)
        faults += _entry_faults(code, entry)
    return faults


def import_terms(*, data: Any, by: Actor, valid_from: date | None = None, dry_run: bool = False) -> list[TermChange]:
    """Take over terms from a file: new ones, and a new version of each that changed; return the changes.

    `valid_from` is the first day of new versions of terms that are known already (default: the day that the
    entry names, else today). With `dry_run` nothing is written. Raises Refused with the first fault.
    """
    faults = check_terms(data)
    if faults:
        raise Refused(faults[0])
    changes = [change for entry in data["terms"] if (change := _changed(entry, valid_from)) is not None]
    with transaction.atomic():
        for change in changes:
            _refuse_earlier(change)
            if not dry_run:
                _put(change, by)
    return changes


def amend_term(*, term: Term, columns: dict[str, Any], valid_from: date, by: Actor) -> Term:
    """Give a term a new version from a day on. Raises Refused when it would begin before the present one, or
    would change nothing."""
    kept = {
        field.name: getattr(term, field.name)
        for field in Term._meta.concrete_fields
        if field.name not in ("id", "version", "valid_from", "valid_to")
    }
    if all(kept[name] == value for name, value in columns.items()):
        raise Refused(_("Nothing differs from the version in force."))
    new = {**kept, **columns}
    for name in ("amount", "complex_amount", "remote_amount", "remote_complex_amount"):
        for fault in _amount_faults(term.code, new[name], new["unit"]):
            raise Refused(fault)
    with transaction.atomic():
        latest = Term.objects.select_for_update().filter(code=term.code).order_by("-version").first()
        change = TermChange(latest, Term(**new, version=latest.version + 1 if latest else 1, valid_from=valid_from))
        _refuse_earlier(change)
        _put(change, by)
    return change.after


def _entry_faults(code: str, entry: dict[str, Any]) -> list[str]:
    faults = [
        _("%(name)s: there is no field %(key)s. Put quotes around a text that holds a comma or a colon.")
        % {"name": code, "key": key}
        for key in entry
        if key not in _TERM_FIELDS
    ]
    for key, column in _TEXTS.items():
        text, longest = entry.get(key) or "", getattr(Term._meta.get_field(column), "max_length", None)
        if not isinstance(text, str) or (longest and len(text) > longest):
            faults.append(_("%(name)s: %(key)s is no text, or too long a one.") % {"name": code, "key": key})
    if not re.fullmatch(r"[A-Z]{2}-\d{2}\.\w+", code):
        faults.append(_("%(name)s: a code reads AA-00.clock, the procedure before the point.") % {"name": code})
    if entry["unit"] not in UNITS:
        faults.append(_("%(name)s: %(unit)s is no unit of time here.") % {"name": code, "unit": entry["unit"]})
    if entry["evidence"] not in EVIDENCE:
        faults.append(_("%(name)s: %(mark)s is no mark of evidence.") % {"name": code, "mark": entry["evidence"]})
    if type(entry.get("valid_from", date.min)) is not date:
        faults.append(_("%(name)s: write the first day as 2026-07-01.") % {"name": code})
    for key in _AMOUNTS:
        faults += _amount_faults(code, entry.get(key), entry["unit"])
    grounds = entry.get("pause_grounds") or []
    if not isinstance(grounds, list) or not all(isinstance(ground, str) for ground in grounds):
        faults.append(_("%(name)s: the grounds of a pause are a list of codes.") % {"name": code})
    extensions = entry.get("extensions") or []
    if not isinstance(extensions, list) or not all(_is_extension(rule) for rule in extensions):
        faults.append(
            _("%(name)s: an extension has a code, a whole amount, a unit of time, and how many times it may be used.")
            % {"name": code}
        )
    return faults


def _is_extension(rule: Any) -> bool:
    return (
        isinstance(rule, dict)
        and {"code", "amount", "unit"} <= set(rule) <= {"code", "amount", "unit", "times", "by", "ask_before"}
        and isinstance(rule["code"], str)
        and rule["unit"] in UNITS
        and all(type(rule.get(key, 1)) is int and rule.get(key, 1) > 0 for key in ("amount", "times", "ask_before"))
    )


def _amount_faults(code: str, amount: Any, unit: Any) -> list[str]:
    if amount is None:
        return []
    try:
        number = Decimal(str(amount))
    except InvalidOperation:
        return [_("%(name)s: %(value)s is not a number.") % {"name": code, "value": amount}]
    if not number.is_finite() or not 0 < number < LARGEST:
        return [_("%(name)s: the amount must lie above zero and below %(most)d.") % {"name": code, "most": LARGEST}]
    if unit in WHOLE and number != int(number):
        return [_("%(name)s: days and months are counted whole.") % {"name": code}]
    if number != round(number, 2):
        return [_("%(name)s: an amount has at most two decimals.") % {"name": code}]
    return []


def _changed(entry: dict[str, Any], valid_from: date | None) -> TermChange | None:
    """Return the unsaved version that an entry would add, or None when it changes nothing."""
    columns = {
        "procedure": entry["code"].split(".", 1)[0],
        "name_vi": entry["vi"],
        "name_en": entry["en"],
        "unit": entry["unit"],
        "body": entry.get("body") or terms.OURS,
        "amount": _decimal(entry["amount"]),
        "complex_amount": _decimal(entry.get("complex")),
        "remote_amount": _decimal(entry.get("remote")),
        "remote_complex_amount": _decimal(entry.get("remote_complex")),
        "starts_on": entry["starts_on"],
        "ends_on": entry["ends_on"],
        "extensions": entry.get("extensions") or [],
        "pause_grounds": entry.get("pause_grounds") or [],
        "basis_vi": entry.get("basis_vi") or "",
        "basis_en": entry.get("basis_en") or "",
        "evidence": entry["evidence"],
        "note": entry.get("note") or "",
    }
    latest = Term.objects.filter(code=entry["code"]).order_by("-version").first()
    if latest is None:
        first = valid_from or entry.get("valid_from") or date(FIRST_YEAR, 1, 1)
        return TermChange(None, Term(code=entry["code"], version=1, valid_from=first, **columns))
    if all(getattr(latest, name) == value for name, value in columns.items()):
        return None
    named = entry.get("valid_from")
    first = valid_from or (named if named and named > latest.valid_from else today())
    return TermChange(latest, Term(code=entry["code"], version=latest.version + 1, valid_from=first, **columns))


def _refuse_earlier(change: TermChange) -> None:
    before, after = change.before, change.after
    if before is not None and after.valid_from <= before.valid_from:
        raise Refused(
            _("%(code)s: a new version begins after the one before, which began on %(day)s.")
            % {"code": after.code, "day": f"{before.valid_from:%d/%m/%Y}"}
        )


def _put(change: TermChange, by: Actor) -> None:
    before, after = change.before, change.after
    if before is not None:
        before.valid_to = after.valid_from
        before.save(update_fields=["valid_to"])
    after.save(force_insert=True)
    audit.record("procedure.edit", by=by, on=after, reason="term", values={"code": after.code, "v": after.version})


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))
