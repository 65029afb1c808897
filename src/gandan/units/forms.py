import csv
import io
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gandan.ui.forms import DayField
from gandan.units.models import Placement


class ActForm(forms.Form):
    decree = forms.CharField(label=_("Decree number"), max_length=120)
    title = forms.CharField(label=_("What it does"), max_length=200)
    decided_on = DayField(label=_("Decided on"))
    effective_on = DayField(label=_("In force from"))


class MergeForm(forms.Form):
    """New units from whole or divided old ones: one line for each part."""

    table = forms.CharField(
        label=_("Which unit goes where"),
        widget=forms.Textarea(attrs={"rows": 8}),
        max_length=200_000,
        help_text=_(
            "One line a part: old code; new code; type; name; share. "
            "Leave the share empty for a whole unit; write ? for a part of unknown size."
        ),
    )

    def clean_table(self) -> list[dict[str, str]]:
        rows, faults = [], []
        for number, cells in enumerate(csv.reader(io.StringIO(self.cleaned_data["table"]), delimiter=";"), start=1):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) < 4:
                faults.append(_("Line %(n)d has fewer than four parts separated by semicolons.") % {"n": number})
                continue
            old, new, kind, name, *share = (cell.strip() for cell in cells)
            rows.append({"old": old, "new": new, "type": kind, "name": name, "share": share[0] if share else ""})
        if faults:
            raise forms.ValidationError(faults)
        return rows


class OneUnitForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What happens"),
        widget=forms.RadioSelect,
        choices=[
            ("rename", _("A unit gets another name")),
            ("change_type", _("A unit changes its type")),
            ("move", _("A unit moves under another superior")),
            ("dissolve", _("A unit ends without successor")),
        ],
    )
    code = forms.CharField(label=_("Official code of the unit"), max_length=5)
    value = forms.CharField(label=_("New name, new type, or code of the new superior"), max_length=100, required=False)
    chain = forms.ChoiceField(label=_("Chain"), choices=Placement.Chain.choices, required=False)


class ContactForm(forms.Form):
    duty_phone = forms.CharField(label=_("Duty phone"), max_length=30)
    address = forms.CharField(label=_("Address"), max_length=200, required=False)
    hours_vi = forms.CharField(label=_("Hours in Vietnamese"), max_length=200, required=False)
    hours_en = forms.CharField(label=_("Hours in English"), max_length=200, required=False)


class SearchForm(forms.Form):
    q = forms.CharField(label=_("Name or code of a commune"), max_length=120, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["q"].widget.attrs["autocomplete"] = "off"
