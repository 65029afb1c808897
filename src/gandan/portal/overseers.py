"""Who takes complaints about the police, and what would find nobody: told before anybody has to complain."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gandan.access import Actor, today
from gandan.access.decorators import needs
from gandan.access.roles import Role
from gandan.cases import owners
from gandan.staffing import oversight, permissions
from gandan.staffing.models import Grant


@needs("grant.read", "grant.oversight")
def overseers(request: HttpRequest) -> HttpResponse:
    """The inspectors in one's area, the units about which nobody could complain, and whether something waits."""
    actor = request.actor  # type: ignore[attr-defined]
    grants = Grant.for_(actor, "grant.read") | Grant.for_(actor, "grant.oversight")
    inspectors = grants.in_force(today()).filter(role=Role.OVERSIGHT, user__is_active=True)
    shown = inspectors.select_related("user", "unit").order_by("unit__title", "user__full_name")[:200]
    return render(
        request,
        "portal/overseers.html",
        {
            "inspectors": [{"grant": each, "why_not": permissions.end(grant=each, by=actor)} for each in shown],
            "may_appoint": actor.can("grant.oversight"),
            "body": settings.GANDAN_OUTSIDE_BODY,
            **alarm(actor),
        },
    )


def alarm(actor: Actor) -> dict[str, Any]:
    """Return what a page says loudly: the gaps in the actor's area, which hang on roles alone, and whether a matter
    that does not concern the actor waits for somebody who may read it."""
    reach = actor.reach("grant.read") | actor.reach("grant.oversight")
    return {"gaps": oversight.gaps(reach), "waiting": owners.waiting(actor) > 0}
