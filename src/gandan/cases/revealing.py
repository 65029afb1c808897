"""Opening the name of the person who brought a matter: a POST with a reason, written down before it is shown; and
the list of such openings for those who look over others."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import Refused
from gandan.access.decorators import needs
from gandan.accounts.models import User
from gandan.accounts.recent import is_recent, needs_recent
from gandan.cases import permissions
from gandan.cases.desk_views import find_case, matter_page
from gandan.cases.models import Case, CaseIdentity
from gandan.secrecy.revealing import ConfirmFirst, reveal, weekly

FIELDS = ("name", "phone", "address", "others")
SHOWN = 500


@needs("identity.review")
def openings(request: HttpRequest) -> HttpResponse:
    """Every name that was opened within the last seven days in one's reach: by whom, when, why and in which matter,
    by the reference that the receipt shows; a link where one may read the matter."""
    actor = request.actor  # type: ignore[attr-defined]
    rows = list(weekly(actor)[:SHOWN])
    names = {user.pk: user.title for user in User.objects.filter(pk__in={row.actor_id for row in rows})}
    matters = {row.matter for row in rows}
    references = dict(Case.system("openings").filter(pk__in=matters).values_list("pk", "reference"))
    readable = set(Case.for_(actor, "case.read").filter(pk__in=matters).values_list("pk", flat=True))
    found = [
        {
            "row": row,
            "name": names.get(row.actor_id, ""),
            "reference": references.get(row.matter, ""),
            "readable": row.matter in readable,
        }
        for row in rows
    ]
    return render(request, "cases/desk/openings.html", {"found": found, "total": weekly(actor).count()})


@require_POST
@needs("case.identity", "identity.reveal")
def case_reveal(request: HttpRequest, case: UUID) -> HttpResponse:
    """Show the matter with the name opened, once; nothing keeps the page."""
    actor = request.actor  # type: ignore[attr-defined]
    found = find_case(actor, case)
    about_us = found.procedure.about_service or permissions.is_about_us(found, actor)
    row = CaseIdentity.for_(actor, "case.identity").filter(case=found).first()
    try:
        if row is None:
            raise Refused(_("There is no name that your role opens."))
        opened: dict[str, Any] = reveal(
            by=actor,
            row=row,
            matter=found.pk,
            fields=FIELDS,
            reason=request.POST.get("reason", ""),
            note=request.POST.get("note", ""),
            capability="identity.reveal" if about_us else "case.identity",
            sealed=about_us or found.is_sealed,
            confirmed=is_recent(request),
            unit=found.holder_id,
            province=found.province_id,
        )
    except ConfirmFirst as first:
        return needs_recent(request) or matter_page(request, found, refusal=str(first), status=409)
    except Refused as refusal:
        return matter_page(request, found, refusal=str(refusal), status=409)
    response = matter_page(request, found, opened=opened)
    response["Cache-Control"] = "no-store"
    return response
