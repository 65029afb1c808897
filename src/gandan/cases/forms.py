from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gandan.access import Refused
from gandan.cases import catalogue
from gandan.ui.forms import DayField

_LIMIT = 400_000


class ProceduresFileForm(forms.Form):
    """A file of procedures: sent first, then confirmed with the words that were shown."""

    file = forms.FileField(
        label=_("File of procedures"),
        required=False,
        help_text=_("YAML, in UTF-8: the fields of each procedure, as in the file you can download here."),
    )
    text = forms.CharField(widget=forms.HiddenInput, required=False, strip=False, max_length=_LIMIT)
    valid_from = DayField(label=_("First day of what changes"), required=False, help_text=_("Leave empty for today."))

    def clean(self) -> dict[str, Any]:
        """Read and check the file; every fault is a sentence that names its entry."""
        values: dict[str, Any] = super().clean() or {}
        upload = values.get("file")
        text = values.get("text", "")
        if upload is not None:
            if upload.size > _LIMIT:
                raise forms.ValidationError(_("The file is larger than 400 kB. A catalogue is a few pages of text."))
            try:
                text = upload.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", _("The file is not in UTF-8. Save it again with that encoding."))
                return values
        if not text.strip():
            self.add_error("file", _("Choose a file."))
            return values
        try:
            data = catalogue.read(text)
        except Refused as refusal:
            self.add_error("file", str(refusal))
            return values
        for fault in catalogue.check(data)[:20]:
            self.add_error("file", fault)
        return values | {"text": text, "data": data}
