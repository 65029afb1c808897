from typing import Any

from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gandan.access.typed import Unreadable, read_yaml
from gandan.law.terms import UNITS
from gandan.obligations import actions
from gandan.obligations.models import CalendarDay, Term
from gandan.ui.forms import DayField

LARGEST = 200_000
"""Bytes of a file of terms."""
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
BODY_NAMES = {
    "commune": _("commune police"),
    "forum": _("commune police, at the forum"),
    "investigating_agency": _("investigating agency"),
    "committee": _("commune People's Committee"),
    "applicant": _("the person who applies"),
}


class DayForm(forms.Form):
    day = DayField(label=_("Day"))
    kind = forms.ChoiceField(label=_("Kind"), choices=CalendarDay.Kind.choices, widget=forms.RadioSelect)
    name_vi = forms.CharField(label=_("Name in Vietnamese"), max_length=120)
    name_en = forms.CharField(label=_("Name in English"), max_length=120)
    decree = forms.CharField(
        label=_("Decree number"), max_length=120, help_text=_("The decision by which this day is declared.")
    )
    published_on = DayField(label=_("Day of publication"), required=False)

    def said(self) -> str:
        """Return in one line what the form says, so that what is confirmed is what was shown."""
        return "|".join(str(self.cleaned_data[name]) for name in self.fields)


class DecreeForm(forms.Form):
    decree = forms.CharField(label=_("Decree number"), max_length=120)


class UnitForm(forms.Form):
    """Narrow a list to one unit of those in reach."""

    unit = forms.ChoiceField(label=_("Unit"), required=False)

    def __init__(self, *args: Any, units: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["unit"] = forms.ChoiceField(label=_("Unit"), required=False, choices=[("", _("All units")), *units])


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
        for name in ("amount", "remote_amount", "complex_amount", "remote_complex_amount"):
            self.fields[name].widget = forms.NumberInput({"class": "govuk-input--width-5", "inputmode": "decimal"})
            given = self.initial.get(name)
            self.initial[name] = f"{given.normalize():f}" if given is not None else None
        self.fields["unit"] = forms.ChoiceField(label=_("Unit"), choices=[(u, UNIT_NAMES[u]) for u in UNITS])
        self.fields["evidence"] = forms.ChoiceField(label=_("Evidence"), choices=list(EVIDENCE_NAMES.items()))


TermForm.base_fields["note"].validators.append(MaxLengthValidator(5_000))


class TermsFileForm(forms.Form):
    """A file of terms: sent first, then confirmed with the words that were shown."""

    file = forms.FileField(
        label=_("File of terms"),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
        help_text=_("YAML, in UTF-8: the fields of each term, as in the file you can download here."),
    )
    text = forms.CharField(widget=forms.HiddenInput, required=False, strip=False, max_length=LARGEST)
    valid_from = DayField(
        label=_("First day of what changes"),
        required=False,
        help_text=_("Leave empty to take the day that the file names, or today."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["file"].required = not self.data.get("text")

    def clean(self) -> dict[str, Any]:
        """Read the file; every fault is a sentence that names its entry."""
        values: dict[str, Any] = super().clean() or {}
        text = self._text(values)
        if text is None:
            return values
        values["text"] = text
        try:
            values["data"] = _parsed(text)
        except ValueError as unreadable:
            self.add_error("file", str(unreadable))
            return values
        for fault in actions.check_terms(values["data"])[:20]:
            self.add_error("file", fault)
        return values

    def _text(self, values: dict[str, Any]) -> str | None:
        sent = values.get("file")
        if sent is None:
            text = str(values.get("text", ""))
            return text if 0 < len(text) <= LARGEST and "file" not in self.errors else None
        if sent.size > LARGEST:
            self.add_error("file", gettext("The file is larger than 200 kB. A file of terms is a few pages of text."))
            return None
        try:
            return str(sent.read().decode("utf-8"))
        except UnicodeDecodeError:
            self.add_error("file", gettext("The file is not in UTF-8. Save it again with that encoding."))
            return None


def _parsed(text: str) -> Any:
    try:
        return read_yaml(text)
    except Unreadable as wrong:
        if wrong.line:
            raise ValueError(
                gettext("Line %(line)d cannot be read. Check colons, quotes and indents.") % {"line": wrong.line}
            ) from None
        raise ValueError(gettext("The file cannot be read as YAML.")) from None
