"""Inviting people, giving and ending roles, naming whom a matter is about."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, Refused, now, today
from gandan.accounts.models import User
from gandan.staffing import permissions
from gandan.staffing.models import Concern, Grant, Invitation

INVITATION_DAYS = 7


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation with its token, which is shown once and stored nowhere."""

    invitation: Invitation
    token: str


def give_grant(
    *,
    user: User,
    role: str,
    unit: Any,
    by: Actor,
    valid_from: date | None = None,
    valid_to: date | None = None,
    reason: str = "",
) -> Grant:
    """Give a role at a unit, until the day before `valid_to`.

    Raises Refused with the reason when `by` may not, or when the dates are wrong.
    """
    _refuse(permissions.give(role=role, unit=unit, user=user, by=by))
    start = valid_from or today()
    if start < today():
        raise Refused(_("A role begins today or later: nobody is given one for days that are past."))
    if unit.valid_to is not None and unit.valid_to <= start:
        raise Refused(_("This unit will not exist any more on that day."))
    same = Grant.system("give-grant").filter(user=user, role=role, unit=unit)
    lasting = same.filter(Q(valid_to=None) | Q(valid_to__gt=F("valid_from")))
    overlapping = lasting.exclude(valid_to__lte=start)
    if (overlapping if valid_to is None else overlapping.filter(valid_from__lt=valid_to)).exists():
        raise Refused(_("This person has this role here already in those days."))
    if same.filter(valid_from=start).exists():
        raise Refused(_("This role was given from that day before, and ended. Choose another first day."))
    return _give(user=user, role=role, unit=unit, by=by, valid_from=valid_from, valid_to=valid_to, reason=reason)


def give_first_grant(*, user: User, role: str, unit: Any, by: Actor) -> Grant:
    """Give the roles with which an installation begins, before anybody could give them."""
    if not by.job or Grant.system("first-grant").filter(role=role).exists():
        raise Refused(_("The first administrator and the first inspector exist already."))
    return _give(user=user, role=role, unit=unit, by=by, valid_from=None, valid_to=None, reason="first")


def end_grant(*, grant: Grant, by: Actor, on: date | None = None) -> Grant:
    """End a role; from `on` (default today) it opens nothing, its own past records included."""
    with transaction.atomic():
        locked = Grant.system("end-grant").select_for_update().get(pk=grant.pk)
        _refuse(permissions.end(grant=locked, by=by))
        locked.valid_to = max(on or today(), locked.valid_from)
        locked.save(update_fields=["valid_to"])
        audit.record("grant.end", by=by, on=locked, unit=locked.unit_id, values={"valid_to": str(locked.valid_to)})
    return locked


def invite(*, username: str, full_name: str, rank: str, role: str, unit: Any, by: Actor) -> Invited:
    """Invite somebody to a role. The link is shown once, to be handed over in person; it lasts seven days."""
    _refuse(permissions.give(role=role, unit=unit, by=by))
    if by.user_id is None:
        raise Refused(_("An invitation names the person who invites."))
    token = secrets.token_urlsafe(24)
    with transaction.atomic():
        invitation = Invitation.objects.create(
            token_hash=token_hash(token),
            username=username.strip().lower(),
            full_name=full_name.strip(),
            rank=rank.strip(),
            role=role,
            unit=unit,
            invited_by_id=by.user_id,
            invited_at=now(),
            expires_at=now() + timedelta(days=INVITATION_DAYS),
        )
        audit.record("account.invite", by=by, on=invitation, unit=unit, values={"role": role})
    return Invited(invitation, token)


def withdraw_invitation(*, invitation: Invitation, by: Actor) -> None:
    with transaction.atomic():
        locked = Invitation.system("withdraw-invitation").select_for_update().get(pk=invitation.pk)
        _refuse(permissions.withdraw(invitation=locked, by=by))
        locked.withdrawn_at = now()
        locked.save(update_fields=["withdrawn_at"])
        audit.record("account.withdraw_invitation", by=by, on=locked, unit=locked.unit_id)


def accept_invitation(*, token: str, password: str) -> User:
    """Make the account and the role. Works once. Raises Refused for a token that does not open anything."""
    with transaction.atomic():
        invitation = open_invitation(token, lock=True)
        if invitation is None or invitation.unit.valid_to is not None:
            raise Refused(_("This invitation is not valid any more. Ask your administrator for a new one."))
        try:
            with transaction.atomic():
                user = User.objects.create_user(
                    invitation.username, password, full_name=invitation.full_name, rank=invitation.rank
                )
        except IntegrityError:
            raise Refused(_("This user name cannot be used. Ask your administrator for a new invitation.")) from None
        invitation.accepted_at = now()
        invitation.save(update_fields=["accepted_at"])
        actor = Actor(user_id=user.pk, name=user.title)
        grant = Grant.objects.create(
            user=user,
            role=invitation.role,
            unit=invitation.unit,
            valid_from=today(),
            given_by_id=invitation.invited_by_id,
            reason="invitation",
        )
        audit.record("account.accept", by=actor, on=grant, unit=grant.unit_id, values={"role": grant.role})
    return user


def open_invitation(token: str, *, lock: bool = False) -> Invitation | None:
    """Return the invitation that a token opens now, or None: wrong, used, withdrawn and expired look alike."""
    rows = Invitation.system("invitation-token").filter(
        token_hash=token_hash(token), accepted_at=None, withdrawn_at=None, expires_at__gt=now()
    )
    found: Invitation | None = (rows.select_for_update() if lock else rows).first()
    return found


def record_concern(
    *,
    matter: UUID,
    by: Actor,
    unit: Any = None,
    user: User | None = None,
    named: str = "",
    recused: bool = False,
    on: Any = None,
    holder: UUID | None = None,
) -> Concern:
    """Say that a matter is about a unit or an officer, or that an officer has stepped back from it.

    `on` and `holder` are the row of the matter and the unit that has it, where the record is to name them.
    """
    kind = Concern.Kind.RECUSED if recused else Concern.Kind.OFFICER if user or named else Concern.Kind.UNIT
    with transaction.atomic():
        concern = Concern.objects.create(matter=matter, kind=kind, unit=unit, user=user, named=named.strip()[:200])
        audit.record(
            "concern.record", by=by, on=on or concern, unit=holder, reason=str(kind), values={"matter": matter}
        )
    return concern


def forget_named(matter: UUID) -> None:
    """Forget how somebody described the officer whom a matter is about; that it was about him still holds."""
    Concern.system("erasing").filter(matter=matter).exclude(named="").update(named="")


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _give(
    *, user: User, role: str, unit: Any, by: Actor, valid_from: date | None, valid_to: date | None, reason: str
) -> Grant:
    start = valid_from or today()
    if valid_to is not None and valid_to <= start:
        raise Refused(_("The last day must come after the first day."))
    try:
        with transaction.atomic():
            grant: Grant = Grant.objects.create(
                user=user,
                role=role,
                unit=unit,
                valid_from=start,
                valid_to=valid_to,
                given_by_id=by.user_id,
                reason=reason,
            )
            audit.record("grant.give", by=by, on=grant, unit=unit, values={"role": role, "from": str(start)})
    except IntegrityError:
        raise Refused(_("This person has this role here from that day already.")) from None
    return grant


def _refuse(sentence: Any) -> None:
    if sentence is not None:
        raise Refused(sentence)
