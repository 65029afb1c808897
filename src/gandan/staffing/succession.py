"""What becomes of grants when their unit ends."""

from typing import Any

from django.utils.translation import gettext as _

from gandan import audit
from gandan.access import Actor, now
from gandan.access.roles import ROLE_NAMES, Role
from gandan.staffing.models import Grant, Invitation
from gandan.units.succession import Carrier, Line


class GrantCarrier(Carrier):
    """Ends every grant at an ended unit; officers go on at a whole successor, a chief never does by himself."""

    name = "staffing"

    def preview(self, act: Any) -> list[Line]:
        return [
            Line(
                unit_id=grant.unit_id,
                kind=_("Grant"),
                title=f"{grant.user.title}, {ROLE_NAMES[grant.role]}",
                successor_id=self._successor(act, grant),
            )
            for grant in self._ending(act)
        ]

    def carry(self, act: Any, by: Actor) -> int:
        moved = 0
        for grant in self._ending(act):
            successor = self._successor(act, grant)
            grant.valid_to = act.effective_on
            grant.save(update_fields=["valid_to"])
            audit.record("grant.end", by=by, on=grant, unit=grant.unit_id, reason=f"act:{act.pk.hex}")
            if successor is None:
                continue
            following, made = Grant.system("succession").get_or_create(
                user=grant.user,
                role=grant.role,
                unit_id=successor,
                valid_from=act.effective_on,
                defaults={"given_by_id": by.user_id, "reason": f"act:{act.pk.hex}"},
            )
            if made:
                audit.record("grant.give", by=by, on=following, unit=successor, reason=f"act:{act.pk.hex}")
                moved += 1
        return moved

    def _ending(self, act: Any) -> Any:
        return (
            Grant.system("succession")
            .in_force(act.effective_on)
            .filter(unit__in=act.ended_units(), valid_from__lt=act.effective_on)
            .select_related("user")
            .order_by("unit_id", "role", "user__username")
        )

    def _successor(self, act: Any, grant: Grant) -> Any:
        return None if grant.role == Role.CHIEF else act.whole_successor(grant.unit_id)


class InvitationCarrier(Carrier):
    """An open invitation passes to a whole successor; elsewhere, and for a chief, it ends and is made anew."""

    name = "staffing.invitations"

    def preview(self, act: Any) -> list[Line]:
        return [
            Line(
                unit_id=invitation.unit_id,
                kind=_("Invitation"),
                title=f"{invitation.full_name}, {ROLE_NAMES[invitation.role]}",
                successor_id=self._successor(act, invitation),
            )
            for invitation in self._open(act)
        ]

    def carry(self, act: Any, by: Actor) -> int:
        moved = 0
        for invitation in self._open(act).select_for_update():
            unit, successor, reason = invitation.unit_id, self._successor(act, invitation), f"act:{act.pk.hex}"
            if successor is None:
                invitation.withdrawn_at = now()
                invitation.save(update_fields=["withdrawn_at"])
                audit.record("account.withdraw_invitation", by=by, on=invitation, unit=unit, reason=reason)
            else:
                invitation.unit_id = successor
                invitation.save(update_fields=["unit"])
                audit.record("account.move_invitation", by=by, on=invitation, unit=successor, reason=reason)
                moved += 1
        return moved

    def _open(self, act: Any) -> Any:
        return (
            Invitation.system("succession")
            .filter(unit__in=act.ended_units(), accepted_at=None, withdrawn_at=None, expires_at__gt=now())
            .order_by("unit_id", "username", "pk")
        )

    def _successor(self, act: Any, invitation: Invitation) -> Any:
        return None if invitation.role == Role.CHIEF else act.whole_successor(invitation.unit_id)
