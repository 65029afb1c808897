"""The register of procedures, for its keepers."""

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, ngettext

from gandan.access import Refused
from gandan.access.decorators import needs
from gandan.cases import catalogue
from gandan.cases.forms import ProceduresFileForm
from gandan.cases.models import Procedure
from gandan.obligations.forms import EVIDENCE_NAMES


@needs("procedure.read")
def procedure_register(request: HttpRequest) -> HttpResponse:
    """Every procedure in force, with its version and how well its law is verified."""
    return render(
        request,
        "cases/register/procedures.html",
        {
            "rows": [_shown(procedure) for procedure in catalogue.current()],
            "can_edit": request.actor.can("procedure.edit"),  # type: ignore[attr-defined]
        },
    )


@needs("procedure.edit")
def procedures_import(request: HttpRequest) -> HttpResponse:
    """Take over procedures from a file; what it changes is shown first, and confirmed as it was shown."""
    form = ProceduresFileForm(request.POST or None, request.FILES or None)
    changes = None
    if request.method == "POST" and form.is_valid():
        data, valid_from = form.cleaned_data["data"], form.cleaned_data["valid_from"]
        try:
            if "confirm" in request.POST and not request.FILES:
                taken = catalogue.take_over(data=data, valid_from=valid_from, by=request.actor)  # type: ignore[attr-defined]
                messages.success(request, _taken_over(len(taken)))
                return redirect("procedure_register")
            changes = catalogue.preview(data, valid_from)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return render(
        request,
        "cases/register/import.html",
        {
            "form": form,
            "text": form.cleaned_data.get("text", "") if changes is not None else "",
            "changes": None if changes is None else [_changed(change) for change in changes],
        },
        status=422 if form.errors else 200,
    )


@needs("procedure.read")
def procedures_file(request: HttpRequest) -> FileResponse:
    """The file of procedures that comes with the package, as an example to change."""
    return FileResponse(
        catalogue.REFERENCE.open("rb"), as_attachment=True, filename="procedures.yaml", content_type="text/plain"
    )


def _shown(procedure: Procedure) -> dict[str, Any]:
    return {
        "procedure": procedure,
        "law": procedure.law_en if get_language() == "en" else procedure.law_vi,
        "evidence": EVIDENCE_NAMES.get(procedure.evidence, ""),
    }


def _changed(change: catalogue.Change) -> dict[str, Any]:
    names = {field.name: field.verbose_name for field in Procedure._meta.concrete_fields}
    return {
        "procedure": change.procedure,
        "is_new": change.before is None,
        "rows": [
            {
                "name": names[column],
                "before": getattr(change.before, column, ""),
                "after": getattr(change.procedure, column),
            }
            for column in change.columns
        ]
        if change.before is not None
        else [],
    }


def _taken_over(count: int) -> str:
    return ngettext("%(n)d procedure is taken over.", "%(n)d procedures are taken over.", count) % {"n": count}
