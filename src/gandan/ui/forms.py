"""Form parts that Django does not have: a date in three boxes, and choices that explain themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

# Django's own sentences, said here so that our catalogue gives them in the house's words.
REQUIRED = _("This field is required.")
EMPTY_FILE = _("The submitted file is empty.")
TOO_LONG = ngettext_lazy(
    "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
    "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
    "limit_value",
)
INVALID_CHOICE = _("Select a valid choice. %(value)s is not one of the available choices.")


@dataclass(frozen=True, slots=True)
class Hinted:
    """The label of a choice with a line of explanation: `choices=[("crime", Hinted(label, hint))]`.

    Both may be lazy: they are translated when the form is drawn.
    """

    label: Any
    hint: Any

    def __str__(self) -> str:
        return str(self.label)


class DateBoxes(forms.MultiWidget):
    """Day, month and year, each typed in its own box; works for everyone who knows the date by heart."""

    template_name = "ui/components/date_boxes.html"
    use_fieldset = True
    _parts = (("day", _("Day"), 2), ("month", _("Month"), 2), ("year", _("Year"), 4))

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        widgets: dict[str, forms.Widget | type[forms.Widget]] = {
            name: forms.TextInput(
                {
                    "inputmode": "numeric",
                    "autocomplete": "off",
                    "class": f"govuk-date-input__input govuk-input--width-{width}",
                }
            )
            for name, _label, width in self._parts
        }
        super().__init__(widgets, attrs)

    def decompress(self, value: Any) -> list[Any]:
        if isinstance(value, date):
            return [value.day, value.month, value.year]
        if isinstance(value, str) and value.count("/") == 2:
            return list(value.split("/"))
        return ["", "", ""]

    def value_from_datadict(self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str) -> Any:
        """Return what was typed as day/month/year, for the field to judge; "" when all boxes are empty."""
        typed = [str(part or "").strip() for part in super().value_from_datadict(data, files, name)]
        return "/".join(typed) if any(typed) else ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        for part, (_name, label, _width) in zip(context["widget"]["subwidgets"], self._parts, strict=True):
            part["label"] = label
        return context


class DayField(forms.DateField):
    """A date typed in three boxes. A date that does not exist, or an empty box, is told in a sentence."""

    widget = DateBoxes
    default_error_messages = {
        "required": _("Enter the day, for example 15 11 2026"),
        "invalid": _("Enter a day that exists, for example 15 11 2026"),
        "incomplete": _("Fill in day, month and year, for example 15 11 2026"),
    }

    def to_python(self, value: Any) -> date | None:
        if isinstance(value, str) and value:
            parts = value.split("/")
            if len(parts) == 3 and not all(parts):
                raise forms.ValidationError(self.error_messages["incomplete"], code="incomplete")
            if len(parts) == 3 and len(parts[2]) != 4:
                raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)
