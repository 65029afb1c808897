"""Why not: each answers None, or the sentence with which a view refuses."""

from django.utils.translation import gettext as _

from gandan.access import Actor
from gandan.access.roles import Role
from gandan.obligations.models import Notice

Reason = str | None


def see(notice: Notice, by: Actor) -> Reason:
    """Why somebody cannot mark a notice as seen: it is addressed to a unit in which they do not serve."""
    serves = any(
        grant.unit_id == notice.unit_id and "obligation.read" in grant.capabilities and grant.role != Role.AUDITOR
        for grant in by.grants
    )
    return None if serves else _("A notice is marked as seen by the unit to which it was sent.")
