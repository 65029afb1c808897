from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gandan.access import today

NEAR_HOURS = 24
LONGEST_DAYS = 366


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        input_formats=["%Y-%m-%d"],
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        error_messages={"invalid": _("Write the day as 2026-11-23."), "required": _("Write the day as 2026-11-23.")},
    )


class DrawForm(forms.Form):
    seed = forms.RegexField(
        r"^[0-9A-Za-z-]{1,40}$",
        label=_("Seed: the same seed draws the same matters"),
        error_messages={"invalid": _("A seed has up to 40 letters without marks, digits and hyphens.")},
    )
    before = _day(_("Received before"))
    by_unit = forms.BooleanField(label=_("From as many units as possible"), required=False)

    def clean_before(self) -> Any:
        before = self.cleaned_data["before"]
        if before > today():
            raise forms.ValidationError(gettext("Choose today or an earlier day: later matters are not there yet."))
        return before


class WindowForm(forms.Form):
    start = _day(_("From"))
    end = _day(_("Until"))
    hours = forms.IntegerField(label=_("Hours before the date"), min_value=1, max_value=24 * 31)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        start, end = given.get("start"), given.get("end")
        if start and end and start > end:
            raise forms.ValidationError(gettext("The first day comes after the last one."))
        if start and end and end - start > timedelta(days=LONGEST_DAYS):
            raise forms.ValidationError(gettext("Look at one year at most."))
        return given


class BundleForm(forms.Form):
    first = forms.IntegerField(label=_("First entry"), min_value=1, initial=1)
