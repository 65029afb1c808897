"""Drafting, checking and bringing into force the acts that change units; loading the official ones."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now, today
from gandan.access.authority import authority
from gandan.units import acts, reach, reference, succession
from gandan.units.models import (
    Placement,
    Reorganisation,
    ReorganisationStep,
    Succession,
    Unit,
    UnitAlias,
    UnitContact,
    UnitVersion,
    fold,
    unit_slug,
)

State = Reorganisation.State


def draft_act(
    *,
    decree: str,
    title: str,
    decided_on: date,
    effective_on: date,
    seat: Unit,
    by: Actor,
    steps: Iterable[tuple[str, dict[str, Any]]] = (),
) -> Reorganisation:
    """Write down an act. Nothing changes before it is in force. Refuses steps about units out of the actor's reach."""
    steps = list(steps)
    _within_reach((data for _kind, data in steps), "unit.draft", by)
    try:
        with transaction.atomic():
            act: Reorganisation = Reorganisation.objects.create(
                decree=decree.strip(), title=title.strip(), decided_on=decided_on, effective_on=effective_on, seat=seat
            )
            ReorganisationStep.objects.bulk_create(
                ReorganisationStep(act=act, position=n, kind=kind, data=data)
                for n, (kind, data) in enumerate(steps, start=1)
            )
            audit.record("unit.draft", by=by, on=act, unit=seat)
    except IntegrityError:
        raise Refused(_("An act with this number and date is recorded already.")) from None
    return act


def add_step(*, act: Reorganisation, kind: str, data: dict[str, Any], by: Actor) -> ReorganisationStep:
    _within_reach([data], "unit.draft", by)
    with transaction.atomic():
        locked = _open(act)
        last = locked.steps.order_by("-position").first()
        step: ReorganisationStep = locked.steps.create(
            position=(last.position if last else 0) + 1, kind=kind, data=data
        )
        _reset(locked)
        audit.record("unit.draft", by=by, on=locked, unit=locked.seat_id, reason="step-added")
    return step


def remove_step(*, act: Reorganisation, position: int, by: Actor) -> None:
    with transaction.atomic():
        locked = _open(act)
        locked.steps.filter(position=position).delete()
        _reset(locked)
        audit.record("unit.draft", by=by, on=locked, unit=locked.seat_id, reason="step-removed")


def check_act(*, act: Reorganisation, by: Actor) -> list[str]:
    """Check the act as a whole; return its faults, none when it can be scheduled.

    Refuses for a scheduled act, which was checked and is checked again on its day.
    """
    with transaction.atomic():
        locked = _open(act)
        if locked.state == State.SCHEDULED:
            raise Refused(
                _("This act is checked and scheduled already. To change it, add a step or take one out, then check it.")
            )
        plan = acts.read(locked)
        if not plan.faults:
            locked.state = State.CHECKED
            locked.save(update_fields=["state"])
            audit.record("unit.draft", by=by, on=locked, unit=locked.seat_id, reason="checked")
    return plan.faults


def preview_act(*, act: Reorganisation, by: Actor) -> list[succession.Line]:
    """Return every row that the act would move or end, from all rooms, by doing it and undoing it."""
    lines: list[succession.Line] = []
    with transaction.atomic():
        rehearsal = Reorganisation.system("rehearsal").get(pk=act.pk)
        _within_reach((step.data for step in rehearsal.steps.all()), "unit.draft", by)
        _apply(rehearsal, by)
        for carrier in succession.carriers():
            lines += carrier.preview(rehearsal)
        transaction.set_rollback(True)
    return lines


def assign_rows(*, act: Reorganisation, assignments: dict[str, str], by: Actor) -> None:
    """Keep the registrar's choice of successor for open rows of a divided unit."""
    with transaction.atomic():
        locked = _open(act)
        locked.assignments = {**locked.assignments, **assignments}
        locked.save(update_fields=["assignments"])
        audit.record("unit.draft", by=by, on=locked, unit=locked.seat_id, reason="rows-assigned")


def schedule_act(*, act: Reorganisation, by: Actor) -> Reorganisation:
    """Let a checked act come into force on its day; at once when the day has come."""
    with transaction.atomic():
        locked = _open(act)
        _within_reach((step.data for step in locked.steps.all()), "unit.enact", by)
        if acts.read(locked).faults or locked.state == State.DRAFTED:
            raise Refused(_("Check the act first and mend what the check names."))
        locked.state = State.SCHEDULED
        locked.save(update_fields=["state"])
        audit.record("unit.enact", by=by, on=locked, unit=locked.seat_id, reason="scheduled")
        if locked.effective_on <= today():
            locked = bring_into_force(act=locked, by=by)
    return locked


def bring_into_force(*, act: Reorganisation, by: Actor) -> Reorganisation:
    """Apply the act and let every room carry its rows over: all of it, or nothing."""
    with transaction.atomic():
        locked: Reorganisation = Reorganisation.system("enact").select_for_update().get(pk=act.pk)
        if locked.state == State.IN_FORCE:
            return locked
        if locked.state != State.SCHEDULED:
            raise Refused(_("Only a scheduled act comes into force."))
        if locked.effective_on > today():
            raise Refused(_("This act comes into force only on its own day."))
        _apply(locked, by)
        for carrier in succession.carriers():
            carrier.carry(locked, by)
        locked.state, locked.enacted_at = State.IN_FORCE, now()
        locked.save(update_fields=["state", "enacted_at"])
        audit.record("unit.enact", by=by, on=locked, unit=locked.seat_id, reason="in-force")
    return locked


def take_off_schedule(*, act: Reorganisation, by: Actor) -> None:
    """Put an act that cannot come into force as it stands back among the drafts, where the registrar mends it."""
    with transaction.atomic():
        locked = _open(act)
        if locked.state == State.SCHEDULED:
            _reset(locked)
            audit.record("unit.enact", by=by, on=locked, unit=locked.seat_id, reason="not-in-force")


def set_contact(
    *, unit: Unit, by: Actor, duty_phone: str, address: str, hours_vi: str, hours_en: str, on: date | None = None
) -> UnitContact:
    """Give a unit new contact details from a day on; the former ones stay in the history."""
    day = on or today()
    with transaction.atomic():
        UnitContact.objects.filter(unit=unit, valid_to=None, valid_from__lt=day).update(valid_to=day)
        UnitContact.objects.filter(unit=unit, valid_from=day).delete()
        contact: UnitContact = UnitContact.objects.create(
            unit=unit, duty_phone=duty_phone, address=address, hours_vi=hours_vi, hours_en=hours_en, valid_from=day
        )
        audit.record("unit.contact", by=by, on=contact, unit=unit)
    return contact


def establish(
    *,
    level: str,
    code: str,
    name: str,
    type: str,
    valid_from: date,
    by: Actor,
    administrative: Unit | None = None,
    police: Unit | None = None,
    remote: bool | None = None,
    remote_basis: str = "",
    basis: str = "",
) -> Unit:
    """Establish one unit outside any act: the country and provinces with which an installation begins."""
    with transaction.atomic():
        unit = _new_unit(level, code, name, type, valid_from, remote, remote_basis, basis)
        parents = ((Placement.Chain.ADMINISTRATIVE, administrative), (Placement.Chain.POLICE, police))
        Placement.objects.bulk_create(
            Placement(unit=unit, chain=chain, parent=parent, valid_from=valid_from)
            for chain, parent in parents
            if parent is not None
        )
        audit.record("unit.enact", by=by, on=unit, unit=unit, reason="established")
    return unit


def load_reference(*, province: str | None, by: Actor) -> int:
    """Load the official units of one province (by its code of today), or of the whole country; return how many.

    Raises Refused for a code that is no province.
    """
    with transaction.atomic():
        count = reference.load(province)
        reach.rebuild()
        audit.record("unit.enact", by=by, reason="reference", values={"units": count})
    return count


def _apply(act: Reorganisation, by: Actor) -> None:
    plan = acts.read(act)
    if plan.faults:
        raise Refused(plan.faults[0])
    day = act.effective_on
    units: dict[str, Unit] = {}
    for key, data in plan.established.items():
        units[key] = _new_unit(
            data["level"],
            data["code"],
            data["name"],
            data["type"],
            day,
            data.get("remote"),
            data.get("remote_basis", ""),
            act.decree,
        )
    Unit.objects.filter(pk__in=[unit.pk for unit in units.values()]).update(established_by=act)

    def unit_of(text: str) -> Unit:
        if text not in units:
            units[text] = Unit.objects.get(pk=UUID(text))
        return units[text]

    Placement.objects.bulk_create(
        Placement(unit=units[key], chain=chain, parent=unit_of(data[chain]), valid_from=day)
        for key, data in plan.established.items()
        for chain in Placement.Chain.values
    )
    for (text, chain), parent in plan.moved.items():
        Placement.objects.filter(unit=unit_of(text), chain=chain, valid_to=None).update(valid_to=day)
        Placement.objects.create(unit=unit_of(text), chain=chain, parent=unit_of(parent), valid_from=day)
    for text in plan.renamed.keys() | plan.retyped.keys():
        _new_version(unit_of(text), day, act.decree, name=plan.renamed.get(text), type=plan.retyped.get(text))
    ended = [UUID(text) for text in plan.ended]
    Unit.objects.filter(pk__in=ended).update(valid_to=day, ended_by=act)
    UnitVersion.objects.filter(unit__in=ended, valid_to=None).update(valid_to=day)
    Placement.objects.filter(unit__in=ended, valid_to=None).update(valid_to=day)
    UnitContact.objects.filter(unit__in=ended, valid_to=None).update(valid_to=day)
    Succession.objects.bulk_create(
        Succession(
            act=act,
            predecessor_id=UUID(text),
            successor=unit_of(part["unit"]),
            part=part["part"],
            share=part["share"],
            primary=part["primary"],
            on=day,
        )
        for text, parts in plan.ended.items()
        for part in parts
    )
    reach.rebuild()


def _new_unit(
    level: str, code: str, name: str, type: str, day: date, remote: Any, remote_basis: str, basis: str
) -> Unit:
    title = f"{type} {name}".strip()
    unit: Unit = Unit.objects.create(level=level, slug=unit_slug(title, code, day), title=title, valid_from=day)
    UnitVersion.objects.create(
        unit=unit,
        code=code,
        name=name,
        type=type,
        remote=remote,
        remote_basis=remote_basis,
        basis=basis,
        valid_from=day,
    )
    UnitAlias.objects.create(unit=unit, text=title, folded=fold(title), official=True)
    return unit


def _new_version(unit: Unit, day: date, basis: str, *, name: str | None, type: str | None) -> None:
    old = UnitVersion.objects.filter(unit=unit, valid_to=None).get()
    UnitVersion.objects.filter(pk=old.pk).update(valid_to=day)
    new = UnitVersion.objects.create(
        unit=unit,
        code=old.code,
        name=name or old.name,
        type=type or old.type,
        remote=old.remote,
        remote_basis=old.remote_basis,
        basis=basis,
        valid_from=day,
    )
    unit.title = new.full_name
    unit.save(update_fields=["title"])
    UnitAlias.objects.create(unit=unit, text=unit.title, folded=fold(unit.title), official=True)


def _within_reach(steps: Iterable[dict[str, Any]], capability: str, by: Actor) -> None:
    """Raise Refused when a step names a unit that the actor does not reach with the capability."""
    reach_of = by.reach(capability)
    named = acts.units_named(steps)
    if reach_of.everything or not named:
        return
    inside = Q(pk__in=reach_of.units | reach_of.provinces) | Q(pk__in=authority().units_under(reach_of.provinces))
    outside = Unit.objects.filter(pk__in=named).exclude(inside).order_by("title").first()
    if outside is not None:
        raise Refused(
            _("%(unit)s lies outside the area of your role: an act of yours cannot name it.") % {"unit": outside.title}
        )


def _open(act: Reorganisation) -> Reorganisation:
    locked: Reorganisation = Reorganisation.system("edit-act").select_for_update().get(pk=act.pk)
    if locked.state == State.IN_FORCE:
        raise Refused(_("This act is in force; a later act can change what it did."))
    return locked


def _reset(act: Reorganisation) -> None:
    act.state = State.DRAFTED
    act.save(update_fields=["state"])


def unit_by_code(code: str, act: Reorganisation) -> Unit:
    """Return the unit that bears a code on the day before an act. Raises Refused when none or several do."""
    before = act.effective_on - timedelta(days=1)
    rows = list(UnitVersion.objects.on(before).filter(code=code.strip()).select_related("unit"))
    if len(rows) != 1:
        raise Refused(
            _("No unit bears the code %(code)s on %(day)s.") % {"code": code.strip(), "day": f"{before:%d/%m/%Y}"}
            if not rows
            else _("The code %(code)s means several units on that day.") % {"code": code.strip()}
        )
    found: Unit = rows[0].unit
    return found


def add_parts(*, act: Reorganisation, rows: Iterable[dict[str, str]], by: Actor) -> None:
    """Add the steps that a table of parts describes: {old, new, type, name, share} for each part.

    A new unit stands where its first old unit stood in both chains, or under the seat of the act when that
    one ends too. Raises Refused naming the first line that cannot be read.
    """
    steps: list[tuple[str, dict[str, Any]]] = []
    established: set[str] = set()
    merged: dict[str, list[str]] = {}
    divided: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        old = unit_by_code(row["old"], act)
        key = f"new:{row['new']}"
        if key not in established:
            established.add(key)
            version = old.version_on(act.effective_on)
            steps.append(
                (
                    "establish",
                    {
                        "code": row["new"],
                        "name": row["name"],
                        "type": row["type"],
                        "level": old.level,
                        "administrative": str(act.seat_id),
                        "police": str(act.seat_id),
                        "remote": version.remote if version else None,
                        "remote_basis": version.remote_basis if version else "",
                    },
                )
            )
        if row["share"]:
            share = None if row["share"] == "?" else row["share"].replace(",", ".")
            divided.setdefault(str(old.pk), []).append({"unit": key, "share": share})
        else:
            merged.setdefault(key, []).append(str(old.pk))
    steps += [("merge", {"from": parts, "into": key}) for key, parts in merged.items()]
    steps += [("divide", {"from": old, "into": parts}) for old, parts in divided.items()]
    with transaction.atomic():
        for kind, data in steps:
            add_step(act=act, kind=kind, data=data, by=by)
