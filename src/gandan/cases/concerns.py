"""Whom a matter is about: who is told of it, writing down an officer, and stepping back from a matter."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from gandan.access import Actor, Refused, today
from gandan.access.authority import authority
from gandan.access.roles import Role
from gandan.accounts.models import User
from gandan.cases import owners, permissions
from gandan.cases.actions import move_up
from gandan.cases.actions.acting import Kind, lock, locked_row, needed, user_of, write
from gandan.cases.models import Case
from gandan.cases.search import fold
from gandan.obligations import actions as obligations
from gandan.secrecy.fields import SHOWN, unlock
from gandan.staffing import actions as staffing
from gandan.staffing.authority import cooling_off_since
from gandan.staffing.models import Concern, Grant
from gandan.units.models import UnitHeir

MOST = 20
"""How many people a search offers: more are told apart by more of the name."""


@dataclass(frozen=True, slots=True)
class About:
    """Whom a matter is about, in words, and who has stepped back from it."""

    units: list[str]
    officers: list[str]
    written: list[str]
    """The officers as the person who came described them."""
    stepped_back: list[str]


def about(case: Case, *, readable: bool) -> About | None:
    """Return whom a matter is about, None where it is about nobody and nobody has stepped back. The caller has asked
    who reads; whoever does not read the words of a sealed matter (`readable`) is told the units only."""
    rows = _rows(case.pk)
    if not rows:
        return None
    if readable:
        unlock(rows)
    subjects = [row for row in rows if row.kind != Concern.Kind.RECUSED]
    officers = [row.user.title if readable else SHOWN for row in subjects if row.user is not None]
    return About(
        units=list(dict.fromkeys(row.unit.title for row in subjects if row.unit is not None)),
        officers=list(dict.fromkeys(officers)),
        written=[row.named for row in subjects if row.named],
        stepped_back=[row.user.title for row in rows if row.user is not None and row.kind == Concern.Kind.RECUSED],
    )


# Doing it


def name_officer(*, case: Case, officer: User, reason: str, by: Actor) -> Case:
    """Write down that a matter about the police is about this officer: from now on it does not exist for them.

    Where nobody of the unit may read it any more, it goes on to the inspector above. Raises Refused for somebody who
    may not, without a reason, and for an officer who is written down already.
    """
    with transaction.atomic():
        locked = lock(case, "concern", by)
        words = needed(reason, _("Write why the matter is about this officer."))
        rows = [row for row in _rows(locked.pk) if row.kind != Concern.Kind.RECUSED]
        if any(row.user_id == officer.pk for row in rows):
            raise Refused(_("%(name)s is written down already.") % {"name": officer.title})
        unit = next(row.unit for row in rows if row.unit is not None)
        said = _("The matter is about %(name)s: %(reason)s") % {"name": officer.title, "reason": words}
        write(locked, Kind.NOTED, by, text=said)
        staffing.record_concern(matter=locked.pk, by=by, unit=unit, user=officer, on=locked, holder=locked.holder_id)
        return _without(locked, officer.pk, by)


def step_back(*, case: Case, reason: str, by: Actor) -> Case:
    """Put oneself out of reach of a matter. It goes on to the next inspector where it is about the police and nobody
    of the unit may read it any more; any other lies with the unit again.

    Raises Refused for somebody who may not, and without a reason.
    """
    with transaction.atomic():
        locked = lock(case, "recuse", by)
        words = needed(reason, _("Write why you step back."))
        user = user_of(by)
        assert user is not None
        write(locked, Kind.NOTED, by, text=_("Stepped back from the matter: %(reason)s") % {"reason": words})
        staffing.record_concern(matter=locked.pk, by=by, user=user, recused=True, on=locked, holder=locked.holder_id)
        return _without(locked, user.pk, by)


def is_unread(case: Case) -> bool:
    """Say whether a matter about the police has nobody now who may read it, and waits for an inspector."""
    return owners.is_ownerless(case)


def is_outside(case: Case) -> bool:
    """Say whether a matter about the police is on its way to the body outside."""
    pending = permissions.pending(case)
    return pending is not None and pending.to_unit is None and pending.to_body == settings.GANDAN_OUTSIDE_BODY


def _without(locked: Case, officer: UUID, by: Actor) -> Case:
    """Take a matter off somebody whom it has just come to concern, and pass it on where nobody is left."""
    if locked.officer_id == officer:
        locked.officer, locked.taken_at = None, None
        locked.save(update_fields=["officer", "taken_at"])
        obligations.assign(matter=locked.pk, officer=None, by=by)
    move_up(case=locked, by=by)
    return locked_row(locked)


# Who it may be


def candidates(case: Case) -> list[tuple[User, str]]:
    """Return whom a matter may be about, each with a unit: those who serve or lately served in the units that it is
    about, and the inspectors of the unit that has it."""
    rows = [row for row in _rows(case.pk) if row.kind != Concern.Kind.RECUSED]
    units = {row.unit_id for row in rows if row.unit_id}
    kin = UnitHeir.objects.filter(Q(heir__in=units) | Q(origin__in=units)).values_list("heir", "origin")
    units = units.union(*kin)
    lately = Q(valid_to=None) | Q(valid_to__gte=cooling_off_since(today()))
    where = Q(unit__in=units) | Q(unit=case.holder_id, role=Role.OVERSIGHT)
    return _people(Grant.system("candidates").filter(lately, where, valid_from__lte=today()), _named(rows))


def found(case: Case, by: Actor, text: str) -> list[tuple[User, str]]:
    """Return those who have or had a role within an inspector's reach and whose name or user name has these words,
    written with diacritics or without; none for a text without letters."""
    wanted = fold(text).split()
    if not wanted:
        return []
    reach = by.concerned_reach("concern.record")
    inside = Q() if reach.everything else Q(unit__in=reach.units)
    if reach.provinces and not reach.everything:
        inside |= Q(unit__in=authority().units_under(reach.provinces))
    grants = Grant.system("candidates").filter(inside)
    names = User.objects.filter(pk__in=grants.values("user")).values_list("pk", "rank", "full_name", "username")
    alike = [key for key, *each in names.order_by("full_name", "pk") if _has(fold(" ".join(each)).split(), wanted)]
    return _people(grants.filter(user__in=alike[: MOST + 1]), _named(_rows(case.pk)))


def _has(words: list[str], wanted: list[str]) -> bool:
    return all(any(word.startswith(each) for word in words) for each in wanted)


def _people(grants: Any, but: set[UUID]) -> list[tuple[User, str]]:
    """Return the people behind some grants, each once, with the unit where they served last."""
    last = {grant.user_id: grant for grant in grants.select_related("user", "unit").order_by("valid_from", "pk")}
    rows = [(grant.user, grant.unit.title) for key, grant in last.items() if key not in but]
    return sorted(rows, key=lambda row: (fold(row[0].full_name), row[0].pk))


def _named(rows: Iterable[Concern]) -> set[UUID]:
    return {row.user_id for row in rows if row.user_id and row.kind != Concern.Kind.RECUSED}


def _rows(matter: UUID) -> list[Concern]:
    rows = Concern.system("own-matter").filter(matter=matter).select_related("unit", "user")
    return list(rows.order_by("kind", "unit__title", "user__full_name", "pk"))
