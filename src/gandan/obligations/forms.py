from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gandan.law.terms import UNITS
from gandan.obligations.models import CalendarDay, Term
from gandan.ui.forms import DayField

UNIT_NAMES = {
    "hour": _("hours"),
    "day": _("days"),
    "working_day": _("working days"),
    "half_day": _("half working days"),
    "month": _("months"),
}
EVIDENCE_NAMES = {
    "official": _("checked against the official text"),
    "sourced": _("read on a public page, to be verified"),
    "secondary": _("seen in a summary, to be verified"),
    "memory": _("from memory, to be verified"),
    "policy": _("the province's own promise"),
    "design": _("a rule of this system"),
}


class DayForm(forms.Form):
    day = DayField(label=_("Day"))
    kind = forms.ChoiceField(label=_("Kind"), choices=CalendarDay.Kind.choices, widget=forms.RadioSelect)
    name_vi = forms.CharField(label=_("Name in Vietnamese"), max_length=120)
    name_en = forms.CharField(label=_("Name in English"), max_length=120)
    decree = forms.CharField(
        label=_("Decree number"), max_length=120, help_text=_("The decision by which this day is declared.")
    )


class DecreeForm(forms.Form):
    decree = forms.CharField(label=_("Decree number"), max_length=120)


class TermForm(forms.ModelForm):
    """A new version of a term; the former one stays in force for what began under it."""

    valid_from = DayField(label=_("In force from"))

    class Meta:
        model = Term
        fields = [
            "amount",
            "unit",
            "remote_amount",
            "complex_amount",
            "remote_complex_amount",
            "basis_vi",
            "basis_en",
            "evidence",
            "note",
        ]
        widgets = {"note": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["unit"] = forms.ChoiceField(label=_("Unit"), choices=[(u, UNIT_NAMES[u]) for u in UNITS])
        self.fields["evidence"] = forms.ChoiceField(label=_("Evidence"), choices=list(EVIDENCE_NAMES.items()))
