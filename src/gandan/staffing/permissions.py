"""Why somebody may not give, end or ask for a role. None means they may."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from gandan.access import Actor, today
from gandan.access.roles import Role
from gandan.staffing.models import Grant, Invitation

Reason = str | Promise | None

WATCHING = frozenset({Role.OVERSIGHT, Role.AUDITOR})


def give(*, by: Actor, user: Any = None, role: str = "", unit: Any = None) -> Reason:
    """Nobody gives a role to himself or beyond his reach; only oversight appoints those who watch.

    Without a role: why this person may be given none at all. Without a person: to somebody who has no account yet.
    """
    if user is not None and user.pk == by.user_id:
        return _("You cannot give a role to yourself. Ask another administrator.")
    if user is not None and not user.is_active:
        return _("The account of this person is closed. Open it again first.")
    if not role:
        return None
    capability = _of(role, "grant.give")
    if not by.can(capability):
        if role in WATCHING:
            return _("Only an oversight inspector appoints inspectors and auditors.")
        return _("Giving roles is the administrator's task.")
    if not by.reach(capability).covers(unit.pk, _province_id(unit)):
        return _("This unit is outside your area. Its own administrator gives roles there.")
    return None


def end(*, grant: Grant, by: Actor) -> Reason:
    if grant.valid_to is not None and grant.valid_to <= today():
        return _("This role has already ended.")
    capability = _of(grant.role, "grant.end")
    if not by.can(capability):
        if grant.role in WATCHING:
            return _("Only an oversight inspector ends the role of an inspector or auditor.")
        return _("Ending roles is the administrator's task.")
    if not by.reach(capability).covers(grant.unit_id, _province_id(grant.unit)):
        return _("This unit is outside your area.")
    return None


def withdraw(*, invitation: Invitation, by: Actor) -> Reason:
    if invitation.accepted_at is not None:
        return _("This invitation has been accepted; end the role instead.")
    if invitation.withdrawn_at is not None:
        return _("This invitation was withdrawn before.")
    return give(role=invitation.role, unit=invitation.unit, by=by)


def help_sign_in(*, user: Any, by: Actor) -> Reason:
    """Nobody helps himself; who helps must reach every unit at which the person acts; inspectors help watchers."""
    if user.pk == by.user_id:
        return _("For your own account, use the page of your account, or ask another administrator.")
    held = list(Grant.system("help-sign-in").filter(user=user).select_related("unit").order_by("-valid_from"))
    acting = [grant for grant in held if grant.is_in_force(today())] or held[:1]
    for grant in acting:
        capability = _of(grant.role, "account.close")
        if not by.can(capability):
            return (
                _("Only an oversight inspector helps inspectors and auditors.")
                if grant.role in WATCHING
                else _("This is the administrator's task.")
            )
        if not by.reach(capability).covers(grant.unit_id, _province_id(grant.unit)):
            return _("This person also acts for a unit outside your area. Ask the administrator of the province.")
    return None


def _province_id(unit: Any) -> Any:
    from gandan.units.models import province_of

    province = province_of(unit)
    return province.pk if province is not None else None


def _of(role: str, usual: str) -> str:
    """Return the capability over a role: that of oversight where it is of those who watch, else the usual one."""
    return "grant.oversight" if role in WATCHING else usual
