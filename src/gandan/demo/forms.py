from django import forms
from django.utils.translation import gettext_lazy as _

from gandan.demo.trials import ENTRIES

FIGURES = {"a": "4", "b": "7", "c": "2"}
"""What three communes reported, as the story tells it."""
_NARROW = forms.NumberInput(attrs={"class": "govuk-input--width-5 num", "inputmode": "numeric"})


class FiguresForm(forms.Form):
    """Three counts, one for each former commune."""

    a = forms.IntegerField(label=_("First commune"), min_value=0, max_value=10**9, widget=_NARROW)
    b = forms.IntegerField(label=_("Second commune"), min_value=0, max_value=10**9, widget=_NARROW)
    c = forms.IntegerField(label=_("Third commune"), min_value=0, max_value=10**9, widget=_NARROW)


class NumberForm(forms.Form):
    number = forms.IntegerField(
        label=_("Which entry is altered in the copy?"), min_value=1, max_value=ENTRIES, widget=_NARROW
    )
