"""Writing down an officer whom a matter is about, and stepping back from a matter."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from gandan.access import Actor, Refused
from gandan.access.decorators import needs
from gandan.cases import concern_forms, concerns
from gandan.cases.desk_views import find_case, matter_page
from gandan.cases.models import Case
from gandan.cases.permissions import Reason, is_about_us


@require_POST
@needs(*concern_forms.NEEDED[concern_forms.NAMING])
def case_concern(request: HttpRequest, case: UUID) -> HttpResponse:
    """Put a matter about the police out of an officer's reach."""
    return _done(request, case, concern_forms.NAMING, concerns.naming, _named)


@require_POST
@needs(*concern_forms.NEEDED[concern_forms.STEPPING_BACK])
def case_step_back(request: HttpRequest, case: UUID) -> HttpResponse:
    """Put a matter out of one's own reach."""
    return _done(request, case, concern_forms.STEPPING_BACK, concerns.stepping_back, _stepped_back)


def _done(
    request: HttpRequest,
    case: UUID,
    name: str,
    why_not: Callable[[Case, Actor], Reason],
    perform: Callable[[Case, Actor, Any], str],
) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    found = find_case(actor, case)
    # Before the form is drawn: it lists colleagues, for those only who may choose among them.
    if reason := why_not(found, actor):
        return matter_page(request, found, refusal=str(reason), status=409)
    form = concern_forms.form_of(name, found, actor, request.POST)
    if not form.is_valid():
        return matter_page(request, found, name, form, status=422)
    try:
        said = perform(found, actor, form)
    except Refused as refusal:
        return matter_page(request, find_case(actor, case), name, form, str(refusal), status=409)
    messages.success(request, said)
    if not Case.for_(actor, "case.read").filter(pk=found.pk).exists():
        return redirect("case_list")
    return redirect("case", case=found.pk)


def _named(case: Case, by: Actor, form: Any) -> str:
    officer = form.chosen
    after = concerns.name_officer(case=case, officer=officer, reason=form.cleaned_data["reason"], by=by)
    if officer.pk == by.user_id:
        return _whither(case, after, by)
    return _("It is written down; %(name)s cannot find or open this matter any more.") % {"name": officer.title}


def _stepped_back(case: Case, by: Actor, form: Any) -> str:
    return _whither(case, concerns.step_back(case=case, reason=form.cleaned_data["reason"], by=by), by)


def _whither(before: Case, after: Case, by: Actor) -> str:
    """Return the sentence that says who goes on with a matter; it names neither the matter nor anybody."""
    if not is_about_us(after, by):
        return _("You have stepped back. The matter lies with the unit again, for somebody else.")
    if after.holder_id != before.holder_id:
        return _("You have stepped back. The matter has gone on to the next inspector above.")
    if concerns.is_outside(after):
        return _("You have stepped back. The matter has gone, sealed, to the body outside.")
    if concerns.is_unread(after):
        return _("You have stepped back. No other inspector may read the matter yet: ask for one to be appointed.")
    return _("You have stepped back. Another inspector goes on with the matter.")
