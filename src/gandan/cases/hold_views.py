"""The page of holds: what is kept from being forgotten, by which order and why; placing one and lifting it."""

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from gandan.access import Actor, Refused
from gandan.access.decorators import needs
from gandan.accounts.models import User
from gandan.cases import holds
from gandan.cases.models import Case
from gandan.secrecy.models import Hold

SHOWN = 200
_LONGEST = 2_000


def _reason(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label, validators=[MaxLengthValidator(_LONGEST)], widget=forms.Textarea(attrs={"rows": 3})
    )


class HoldForm(forms.Form):
    """A matter by its reference, the order and the reason."""

    submission = forms.UUIDField(widget=forms.HiddenInput)
    reference = forms.CharField(
        label=gettext_lazy("Reference of the matter"),
        max_length=20,
        help_text=gettext_lazy("As it stands on the receipt, for example GD-7K2M-4QXA."),
        widget=forms.TextInput(attrs={"class": "govuk-input--width-10", "autocomplete": "off", "spellcheck": "false"}),
    )
    ground = forms.CharField(
        label=gettext_lazy("Legal ground: number of the order, and who gave it"),
        max_length=120,
        help_text=gettext_lazy("For example 15/QĐ-VKS, the procuracy of the province."),
    )
    reason = _reason(gettext_lazy("Why the matter must be kept"))

    def __init__(self, *args: Any, by: Actor, **options: Any) -> None:
        options["initial"] = {"submission": uuid4(), **(options.get("initial") or {})}
        super().__init__(*args, **options)
        self.by = by

    def clean_reference(self) -> Case:
        typed = "".join(self.cleaned_data["reference"].split()).upper()
        found: Case | None = Case.for_(self.by, "hold.place").filter(reference=typed).first()
        if found is None:
            raise forms.ValidationError(_("No matter in your reach has this reference. Check it against the order."))
        return found


class LiftForm(forms.Form):
    """Why a hold ends."""

    because = _reason(gettext_lazy("Why it is lifted, with the number of the order if there is one"))


@require_safe
@needs("hold.read")
def hold_list(request: HttpRequest) -> HttpResponse:
    """Every hold in force within one's reach, newest first."""
    return _page(request)


@require_POST
@needs("hold.place")
def hold_place(request: HttpRequest) -> HttpResponse:
    """Place a hold on a matter."""
    actor = request.actor  # type: ignore[attr-defined]
    form = HoldForm(request.POST, by=actor)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    data = dict(form.cleaned_data)
    try:
        placed = holds.place(case=data.pop("reference"), by=actor, **data)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, form=form, status=409)
    if placed.lifted_at is not None:
        messages.warning(request, _("This form was sent before, and its hold has been lifted since."))
    else:
        messages.success(request, _("The matter is held: nothing of it is forgotten."))
    return redirect("hold_list")


@require_POST
@needs("hold.place")
def hold_lift(request: HttpRequest, hold: UUID) -> HttpResponse:
    """Lift a hold."""
    actor = request.actor  # type: ignore[attr-defined]
    reachable = Case.for_(actor, "hold.place").values("pk")
    found = get_object_or_404(Hold.for_(actor, "hold.place").filter(matter__in=reachable), pk=hold)
    form = LiftForm(request.POST, auto_id=f"lift_{found.pk.hex}_%s")
    if not form.is_valid():
        return _page(request, failed=found.pk, lift_form=form, status=422)
    try:
        holds.lift(hold=found, because=form.cleaned_data["because"], by=actor)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The hold is lifted."))
    return redirect("hold_list")


def _page(
    request: HttpRequest,
    *,
    form: HoldForm | None = None,
    failed: UUID | None = None,
    lift_form: LiftForm | None = None,
    status: int = 200,
) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    rows = Hold.for_(actor, "hold.read").filter(lifted_at=None).order_by("-placed_at", "pk")
    shown = list(rows[:SHOWN])
    matters = [row.matter for row in shown]
    references = dict(Case.system("holds").filter(pk__in=matters).values_list("pk", "reference"))
    readable = set(Case.for_(actor, "case.read").filter(pk__in=matters).values_list("pk", flat=True))
    may_lift = set(Case.for_(actor, "hold.place").filter(pk__in=matters).values_list("pk", flat=True))
    names = {user.pk: user.title for user in User.objects.filter(pk__in={row.placed_by_id for row in shown})}
    found = [
        {
            "hold": row,
            "reference": references.get(row.matter, ""),
            "readable": row.matter in readable,
            "by": names.get(row.placed_by_id, ""),
            "open": row.pk == failed,
            "form": (lift_form if row.pk == failed else LiftForm(auto_id=f"lift_{row.pk.hex}_%s"))
            if row.matter in may_lift
            else None,
        }
        for row in shown
    ]
    if form is None and actor.can("hold.place"):
        form = HoldForm(by=actor, initial={"reference": request.GET.get("reference", "")[:20]})
    failing = form if form is not None and form.errors else lift_form
    return render(
        request,
        "cases/desk/holds.html",
        {"found": found, "total": rows.count(), "place_form": form, "forms": [failing] if failing else []},
        status=status,
    )
