from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from gandan.access import today
from gandan.cases import catalogue
from gandan.cases.models import Procedure
from gandan.ui.forms import Hinted
from gandan.units.models import Unit, find

LONG = 20_000


class KindForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What do you want to bring?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what you want to bring")},
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["kind"]
        english = _language() == "en"
        grouped: dict[str, list[tuple[str, Hinted]]] = {}
        for p in catalogue.current():
            if p.online:
                hinted = Hinted(p.name, p.summary_en if english else p.summary_vi)
                grouped.setdefault(catalogue.group_name(p.group), []).append((p.code, hinted))
        field.choices = list(grouped.items())


class WhereForm(forms.Form):
    place_name = forms.CharField(
        label=_("Which commune is it in?"),
        max_length=120,
        help_text=_(
            "Type the name, with or without diacritics. If you are not sure, the nearest one will do: we send it on."
        ),
        error_messages={"required": _("Enter the name of the commune, for example Thèn Lúa")},
    )
    unit = forms.ChoiceField(label=_("Choose the commune"), required=False, widget=forms.RadioSelect)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.found: list[Unit] = []
        self.renamed = False
        data = self.data.get("place_name") or self.initial.get("place_name") or ""
        if data:
            self.found = [u for u in find(str(data), today()) if u.is_alive(today()) and u.level == Unit.Level.COMMUNE][
                :8
            ]
        field: Any = self.fields["unit"]
        field.choices = [(u.slug, u.title) for u in self.found]
        # It is asked only where several fit, and then it is needed.
        field.mark_optional = False
        chosen = self.data.get("unit", "")
        if chosen and chosen not in {u.slug for u in self.found}:
            # The browser sends along what was chosen for the name that stood there before.
            self.renamed, self.data = True, {name: self.data.get(name) for name in self.data if name != "unit"}
        if not self.found:
            del self.fields["unit"]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("place_name"):
            if not self.found:
                self.add_error("place_name", _("We know no commune with this name today. Check the spelling."))
            elif len(self.found) == 1:
                data["unit"] = self.found[0].slug
            elif self.renamed:
                self.add_error("unit", _("You changed the name of the commune: choose again."))
            elif not data.get("unit"):
                self.add_error("unit", _("Several communes fit. Choose one."))
        return data


class WhatForm(forms.Form):
    text = forms.CharField(
        label=_("What happened?"),
        max_length=LONG,
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("Tell it in your own words. Do not write what could endanger you or others."),
        error_messages={"required": _("Tell us in a few words what happened")},
    )
    place = forms.CharField(
        label=_("Where exactly?"),
        max_length=200,
        required=False,
        help_text=_("Hamlet, road or a mark that everybody knows"),
    )


class AboutForm(forms.Form):
    named = forms.CharField(
        label=_("Whom is it about?"),
        max_length=200,
        required=False,
        help_text=_(
            "The officer's name or number if you know it; otherwise leave this empty: it is then about the unit."
        ),
    )


class FilesForm(forms.Form):
    file = forms.FileField(
        label=_("Add a photo or a file"),
        required=False,
        help_text=_("JPEG, PNG, WebP or PDF, up to 10 MB each, five at most."),
    )


class WhoForm(forms.Form):
    anonymous = forms.ChoiceField(
        label=_("Do you want to give your name?"),
        widget=forms.RadioSelect(attrs={"class": "closes-rest"}),
        choices=[
            ("no", Hinted(_("Yes"), _("We can call you back when something is unclear."))),
            ("yes", Hinted(_("No, I stay unnamed"), _("You follow the matter with the code alone."))),
        ],
        error_messages={"required": _("Choose whether you want to give your name")},
    )
    name = forms.CharField(
        label=_("Name"), max_length=120, required=False, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel", "class": "govuk-input--width-20"}),
    )
    address = forms.CharField(label=_("Address"), max_length=300, required=False)

    def __init__(self, *args: Any, procedure: Procedure, **options: Any) -> None:
        super().__init__(*args, **options)
        if procedure.identity != Procedure.Identity.OPTIONAL:
            del self.fields["anonymous"]
            self.fields["name"].required = True
            self.fields["name"].error_messages["required"] = _("Enter your name: this procedure needs it")
        else:
            # Needed from those who want to give it.
            self.fields["name"].mark_optional = False  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        phone = data.get("phone", "")
        if phone and sum(c.isdigit() for c in phone) < 8:
            self.add_error("phone", _("Enter a phone number with at least 8 digits, for example 0912 345 678"))
        if self.fields.get("anonymous") and data.get("anonymous") == "no" and not data.get("name"):
            self.add_error("name", _("Enter your name, or choose to stay unnamed"))
        return data


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Follow-up code"),
        max_length=40,
        help_text=_("The 16 digits on your receipt"),
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "class": "govuk-input--width-20 num"}
        ),
        error_messages={"required": _("Enter the 16 digits on your receipt")},
    )


class MessageForm(forms.Form):
    text = forms.CharField(label=_("Your message"), max_length=5000, widget=forms.Textarea(attrs={"rows": 4}))
    file = forms.FileField(
        label=_("Add a photo or a file"), required=False, help_text=_("JPEG, PNG, WebP or PDF, up to 10 MB")
    )


class SupplyForm(MessageForm):
    """The papers that were asked for: words, a file, or both."""

    field_order = ("file", "text")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["text"].required = False
        self.fields["text"].help_text = _("A file or a few words: one of them is enough.")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and not data.get("text") and not data.get("file"):
            self.add_error("file", _("Choose the photo or file to send, or write a few words."))
        return data


class RatingForm(forms.Form):
    score = forms.ChoiceField(
        label=_("How well were you served?"),
        widget=forms.RadioSelect,
        choices=[
            ("5", _("5 – very well")),
            ("4", _("4 – well")),
            ("3", _("3 – so-so")),
            ("2", _("2 – badly")),
            ("1", _("1 – very badly")),
        ],
        error_messages={"required": _("Choose a score")},
    )
    told = forms.ChoiceField(
        label=_("Were you told by when you would have an answer?"),
        widget=forms.RadioSelect(attrs={"class": "govuk-radios--inline"}),
        choices=[("yes", _("Yes")), ("no", _("No"))],
        required=False,
    )


def _language() -> str:
    return get_language() or "vi"
