"""Starting, pausing, extending and ending clocks.

Each action is one transaction (nested inside the caller's, as a rule) with its audit entry. `at` is when
something took effect, the record keeps beside it when it was written down: an entry made late shows both.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now, today
from gandan.access.clock import day_of
from gandan.law.seed import seed_year
from gandan.law.terms import UNITS
from gandan.obligations import terms
from gandan.obligations.ledger import Ledger
from gandan.obligations.models import CalendarDay, CalendarYear, Notice, Obligation, ObligationEvent, Term
from gandan.units.models import Unit, province_of

Kind = ObligationEvent.Kind
REFERENCE = Path(__file__).parent / "reference"
FIRST_CALENDAR_YEAR = 2018
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
}


def start(
    event: str,
    *,
    matter: UUID,
    kind: str,
    procedure: str,
    unit: Unit,
    at: datetime,
    by: Actor,
    complex: bool = False,
    officer: Any = None,
) -> list[Obligation]:
    """Start every clock of our own that this event starts, by the terms in force that day."""
    opened = []
    with transaction.atomic():
        calendar = terms.calendar()
        province = province_of(unit, day_of(at))
        remote = is_remote(unit, day_of(at))
        for term in terms.in_force(procedure, day_of(at), starts_on=event):
            if term.body != "commune":
                continue
            ledger = Ledger.open(
                kind=kind,
                matter=matter,
                term=term,
                amount=terms.amount_of(term, remote=remote, complex=complex),
                owed_by=unit.pk,
                province=province.pk if province else None,
                assignee=officer.pk if officer is not None else None,
                at=at,
                recorded_at=now(),
                actor_id=by.user_id,
                calendar=calendar,
            )
            ledger.save()
            audit.record("obligation.start", by=by, on=ledger.obligation, unit=unit, values=_facts(ledger))
            opened.append(ledger.obligation)
    return opened


def fulfil(event: str, *, matter: UUID, at: datetime, by: Actor) -> int:
    """Discharge every open clock of the matter that this event ends; return how many."""
    ending = Kind.HANDED_OVER if event == "handed_over" else Kind.DISCHARGED
    return _end(_open(matter).filter(term__ends_on=event), ending, at=at, by=by)


def withdraw(*, matter: UUID, at: datetime, by: Actor, ground: str = "withdrawn") -> int:
    """End every open clock of a matter that its bringer took back."""
    return _end(_open(matter), Kind.WITHDRAWN, at=at, by=by, ground=ground)


def hand_over(*, matter: UUID, at: datetime, by: Actor, to_unit: Unit | None = None, ground: str = "") -> int:
    """End every open clock here because another authority has acknowledged the matter."""
    facts = {"to": str(to_unit.pk)} if to_unit is not None else {}
    return _end(_open(matter), Kind.HANDED_OVER, at=at, by=by, ground=ground, facts=facts)


def suspend(*, matter: UUID, ground: str, at: datetime, by: Actor, decision: str = "") -> int:
    """Pause every running clock of the matter whose term names this ground; return how many."""
    count = 0
    with transaction.atomic():
        for ledger in _ledgers(_open(matter).filter(suspended_at=None)):
            if ground not in ledger.obligation.term.pause_grounds:
                continue
            ledger.add(
                Kind.SUSPENDED,
                at=at,
                recorded_at=now(),
                actor_id=by.user_id,
                ground=ground,
                facts={"decision": decision} if decision else {},
            )
            _save(ledger, "obligation.suspend", by, reason=ground)
            count += 1
    return count


def resume(*, matter: UUID, at: datetime, by: Actor) -> int:
    """Let every paused clock of the matter run on; its due date moves by the time it stood still."""
    count = 0
    with transaction.atomic():
        for ledger in _ledgers(_open(matter).exclude(suspended_at=None)):
            ledger.add(Kind.RESUMED, at=at, recorded_at=now(), actor_id=by.user_id)
            _save(ledger, "obligation.resume", by)
            count += 1
    return count


def extend(
    *, obligation: Obligation, extension: str, ground: str, at: datetime, by: Actor, decision: str = ""
) -> Obligation:
    """Extend a clock as its term allows. Raises Refused for an extension the law does not list, one too many,
    one without a ground, and one after the promise was already late."""
    with transaction.atomic():
        ledger = _locked(obligation)
        row = ledger.obligation
        rules = {rule["code"]: rule for rule in row.term.extensions}
        if extension not in rules:
            raise Refused(_("The law gives no such extension for this term."))
        if not ground.strip():
            raise Refused(_("Write the ground of the extension: the person will read it."))
        if row.discharged_at is not None:
            raise Refused(_("This promise has ended; there is nothing to extend."))
        if row.suspended_at is None and row.due_at <= at:
            raise Refused(
                _("The term has passed already. A late promise cannot be extended; tell the person and answer.")
            )
        rule = rules[extension]
        used = sum(1 for event in ledger.events if event.kind == Kind.EXTENDED and event.facts.get("code") == extension)
        if used >= int(rule.get("times", 1)):
            raise Refused(_("This extension was used as often as the law allows."))
        ledger.add(
            Kind.EXTENDED,
            at=at,
            recorded_at=now(),
            actor_id=by.user_id,
            ground=ground.strip(),
            facts={"code": extension, "amount": str(rule["amount"]), "unit": rule["unit"], "decision": decision},
        )
        _save(ledger, "obligation.extend", by, reason=extension)
    return row


def assign(*, matter: UUID, officer: Any, by: Actor) -> int:
    """Name the officer who works on the matter's open clocks."""
    count = 0
    wanted = officer.pk if officer is not None else None
    with transaction.atomic():
        for ledger in _ledgers(_open(matter).exclude(assignee=officer) if officer else _open(matter)):
            ledger.add(
                Kind.ASSIGNED,
                at=now(),
                recorded_at=now(),
                actor_id=by.user_id,
                facts={"assignee": str(wanted) if wanted else None},
            )
            _save(ledger, "obligation.assign", by)
            count += 1
    return count


def transfer(*, obligation: Obligation, to_unit: Unit, at: datetime, by: Actor, ground: str) -> bool:
    """Move an open clock to the successor unit: same clock, same due date, new owner. Moves nothing twice."""
    with transaction.atomic():
        ledger = _locked(obligation)
        if ledger.obligation.owed_by_id == to_unit.pk or ledger.obligation.discharged_at is not None:
            return False
        province = province_of(to_unit, day_of(at))
        ledger.add(
            Kind.TRANSFERRED,
            at=at,
            recorded_at=now(),
            actor_id=by.user_id,
            ground=ground,
            facts={
                "owed_by": str(to_unit.pk),
                "province": str(province.pk) if province else None,
                "assignee": str(ledger.obligation.assignee_id) if ledger.obligation.assignee_id else None,
                "from": str(ledger.obligation.owed_by_id),
            },
        )
        _save(ledger, "obligation.transfer", by, reason="succession")
    return True


def recompute_open(*, by: Actor, ground: str) -> list[Obligation]:
    """Count every open, unmissed clock again after a change of calendar; tell the owners of those that moved.

    A date already missed is never moved.
    """
    moved = []
    at = now()
    with transaction.atomic():
        calendar = terms.calendar()
        rows = (
            Obligation.system("recompute").select_for_update().running().filter(due_at__gt=at).order_by("due_at", "id")
        )
        for row in rows.exclude(term__unit="hour"):
            ledger = Ledger.load(row, calendar)
            before = row.due_at
            if ledger.projection().deadline(calendar).due_at == before:
                continue
            ledger.add(
                Kind.RECOMPUTED,
                at=at,
                recorded_at=at,
                actor_id=by.user_id,
                ground=ground,
                facts={"before": before.isoformat()},
            )
            _save(ledger, "obligation.recompute", by, reason="calendar")
            Notice.objects.create(
                unit_id=row.owed_by_id,
                province_id=row.province_id,
                matter=row.matter,
                obligation=row,
                kind=Notice.Kind.RECOMPUTED,
                at=at,
                facts={"before": before.isoformat(), "after": row.due_at.isoformat()},
            )
            moved.append(row)
    return moved


def declare_day(*, day: date, kind: str, name_vi: str, name_en: str, decree: str, by: Actor) -> list[Obligation]:
    """Enter a day into the calendar by decree; return the promises whose dates moved."""
    if not decree.strip():
        raise Refused(_("Write the number of the decree by which this day is declared."))
    with transaction.atomic():
        year = CalendarYear.objects.select_for_update().filter(year=day.year).first()
        if year is None:
            raise Refused(_("The calendar of %(year)d is not there yet.") % {"year": day.year})
        if kind == CalendarDay.Kind.SWAPPED_WORK and day.weekday() < 5:
            raise Refused(_("Only a Saturday or Sunday is worked in exchange."))
        CalendarDay.objects.update_or_create(
            day=day, defaults={"year": year, "kind": kind, "name_vi": name_vi, "name_en": name_en, "decree": decree}
        )
        return _changed(year, by, decree)


def remove_day(*, day: date, decree: str, by: Actor) -> list[Obligation]:
    """Take a day out of the calendar again; return the promises whose dates moved."""
    with transaction.atomic():
        found = CalendarDay.objects.select_related("year").filter(day=day).first()
        if found is None:
            raise Refused(_("This day is an ordinary one already."))
        year = found.year
        found.delete()
        return _changed(year, by, decree)


def decide_year(*, year: int, decree: str, by: Actor) -> None:
    """Say that a provisional year is decided now."""
    if not decree.strip():
        raise Refused(_("Write the number of the decree that decides the year."))
    with transaction.atomic():
        row = CalendarYear.objects.select_for_update().get(year=year)
        row.status, row.decree = CalendarYear.Status.DECIDED, decree.strip()
        row.save(update_fields=["status", "decree"])
        _changed(row, by, decree)


def keep_years_seeded(*, by: Actor, on: date | None = None, years: Iterable[int] | None = None) -> int:
    """Seed every missing year until two years ahead; return how many were added."""
    last = (on or today()).year + 2
    count = 0
    for number in years or range(FIRST_CALENDAR_YEAR, last + 1):
        with transaction.atomic():
            row, made = CalendarYear.objects.get_or_create(
                year=number, defaults={"status": seed_year(number).status, "decree": ""}
            )
            if not made:
                continue
            CalendarDay.objects.bulk_create(
                CalendarDay(year=row, day=day, kind=rule.kind, name_vi=rule.name_vi, name_en=rule.name_en)
                for day, rule in seed_year(number).days.items()
            )
            audit.record("calendar.seed", by=by, on=row, values={"year": number})
            count += 1
    return count


def seed_reference(*, by: Actor) -> None:
    """Load the calendar years and the terms that come with the package."""
    keep_years_seeded(by=by)
    import_terms(data=_reference_terms(), by=by)


def check_terms(data: Any) -> list[str]:
    """Return what is wrong with a file of terms, each a sentence that names its entry."""
    faults: list[str] = []
    if not isinstance(data, dict) or not isinstance(data.get("terms"), list):
        return [_("The file holds no list called “terms”.")]
    seen = set()
    for number, entry in enumerate(data["terms"], start=1):
        code = str(entry.get("code", "")) if isinstance(entry, dict) else ""
        name = code or _("entry %(n)d") % {"n": number}
        missing = [
            k
            for k in ("code", "vi", "en", "amount", "unit", "starts_on", "ends_on", "evidence")
            if not isinstance(entry, dict) or entry.get(k) in (None, "")
        ]
        if missing:
            faults.append(_("%(name)s lacks %(what)s.") % {"name": name, "what": ", ".join(missing)})
            continue
        faults += [
            _("%(name)s: there is no field %(key)s. Put quotes around a text that holds a comma or a colon.")
            % {"name": name, "key": key}
            for key in entry
            if key not in _TERM_FIELDS
        ]
        if "." not in code:
            faults.append(_("%(name)s: a code reads PROCEDURE.clock.") % {"name": name})
        if code in seen:
            faults.append(_("%(name)s stands in the file twice.") % {"name": name})
        seen.add(code)
        if entry["unit"] not in UNITS:
            faults.append(_("%(name)s: %(unit)s is no unit of time here.") % {"name": name, "unit": entry["unit"]})
        for key in ("amount", "complex", "remote", "remote_complex"):
            try:
                if entry.get(key) is not None and Decimal(str(entry[key])) <= 0:
                    faults.append(_("%(name)s: the amount must be above zero.") % {"name": name})
            except InvalidOperation:
                faults.append(_("%(name)s: %(value)s is not a number.") % {"name": name, "value": entry[key]})
    return faults


def import_terms(*, data: Any, by: Actor, valid_from: date | None = None) -> list[Term]:
    """Take over terms from a file: new ones, and a new version of each that changed. Raises Refused."""
    faults = check_terms(data)
    if faults:
        raise Refused(faults[0])
    made = []
    with transaction.atomic():
        for entry in data["terms"]:
            term = changed_term(entry, valid_from)
            if term is not None:
                made.append(_new_version(term, by))
    return made


def changed_term(entry: dict[str, Any], valid_from: date | None = None) -> Term | None:
    """Return the unsaved version that an entry would add, or None when it changes nothing."""
    columns = {
        "procedure": entry["code"].split(".", 1)[0],
        "name_vi": entry["vi"],
        "name_en": entry["en"],
        "amount": Decimal(str(entry["amount"])),
        "unit": entry["unit"],
        "body": entry.get("body", "commune"),
        "complex_amount": _decimal(entry.get("complex")),
        "remote_amount": _decimal(entry.get("remote")),
        "remote_complex_amount": _decimal(entry.get("remote_complex")),
        "starts_on": entry["starts_on"],
        "ends_on": entry["ends_on"],
        "extensions": entry.get("extensions", []),
        "pause_grounds": entry.get("pause_grounds", []),
        "basis_vi": entry.get("basis_vi", ""),
        "basis_en": entry.get("basis_en", ""),
        "evidence": entry["evidence"],
        "note": entry.get("note", ""),
    }
    latest = Term.objects.filter(code=entry["code"]).order_by("-version").first()
    if latest is not None and all(getattr(latest, name) == value for name, value in columns.items()):
        return None
    begins = valid_from or (today() if latest else date(FIRST_CALENDAR_YEAR, 1, 1))
    return Term(code=entry["code"], version=latest.version + 1 if latest else 1, valid_from=begins, **columns)


def _new_version(term: Term, by: Actor) -> Term:
    latest = Term.objects.filter(code=term.code).order_by("-version").first()
    if latest is not None:
        if term.valid_from <= latest.valid_from:
            raise Refused(
                _("%(code)s: a new version begins after the one before, which began on %(day)s.")
                % {"code": term.code, "day": f"{latest.valid_from:%d/%m/%Y}"}
            )
        latest.valid_to = term.valid_from
        latest.save(update_fields=["valid_to"])
    term.save(force_insert=True)
    audit.record("procedure.edit", by=by, on=term, reason="term", values={"code": term.code, "version": term.version})
    return term


def is_remote(unit: Unit, on: date) -> bool:
    """Say whether the unit counts as remote on a day; without a recorded legal basis it does not."""
    version = unit.version_on(on)
    return bool(version and version.remote)


@cache
def _reference_terms() -> Any:
    import yaml

    return yaml.safe_load((REFERENCE / "terms.yaml").read_text(encoding="utf-8"))


def _changed(year: CalendarYear, by: Actor, decree: str) -> list[Obligation]:
    year.version += 1
    year.save(update_fields=["version"])
    audit.record("calendar.edit", by=by, on=year, values={"decree": decree})
    return recompute_open(by=by, ground=decree)


def _end(
    rows: Any, ending: str, *, at: datetime, by: Actor, ground: str = "", facts: dict[str, Any] | None = None
) -> int:
    count = 0
    with transaction.atomic():
        for ledger in _ledgers(rows):
            ledger.add(
                ending,
                at=max(at, ledger.obligation.started_at),
                recorded_at=now(),
                actor_id=by.user_id,
                ground=ground,
                facts=facts,
            )
            _save(ledger, f"obligation.{ending}", by)
            count += 1
    return count


def _open(matter: UUID) -> Any:
    return Obligation.system("own-matter").open().filter(matter=matter)


def _ledgers(rows: Any) -> list[Ledger]:
    calendar = terms.calendar()
    locked = rows.select_for_update(of=("self",)).select_related("term").order_by("clock", "id")
    return [Ledger.load(row, calendar) for row in locked]


def _locked(obligation: Obligation) -> Ledger:
    rows = Obligation.system("own-matter").select_for_update(of=("self",)).select_related("term")
    return Ledger.load(rows.get(pk=obligation.pk), terms.calendar())


def _save(ledger: Ledger, action: str, by: Actor, reason: str = "") -> None:
    ledger.save()
    audit.record(
        action, by=by, on=ledger.obligation, unit=ledger.obligation.owed_by_id, reason=reason, values=_facts(ledger)
    )


def _facts(ledger: Ledger) -> dict[str, Any]:
    row = ledger.obligation
    return {"clock": row.clock, "due_at": row.due_at, "events": len(ledger.events)}


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def see_notice(*, notice: Notice, by: Actor) -> None:
    """Write down that somebody of the unit has seen a notice."""
    with transaction.atomic():
        changed = (
            Notice.system("see-notice").filter(pk=notice.pk, seen_at=None).update(seen_at=now(), seen_by_id=by.user_id)
        )
        if changed:
            audit.record("obligation.notice_seen", by=by, on=notice, unit=notice.unit_id)


def amend_term(*, term: Term, columns: dict[str, Any], valid_from: date, by: Actor) -> Term:
    """Give a term a new version from a day on. Raises Refused when it would begin before the present one."""
    kept = {
        field.name: getattr(term, field.name)
        for field in Term._meta.concrete_fields
        if field.name not in ("id", "version", "valid_from", "valid_to")
    }
    with transaction.atomic():
        return _new_version(Term(**{**kept, **columns}, version=term.version + 1, valid_from=valid_from), by)
