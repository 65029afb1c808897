from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.utils.translation import gettext_lazy as _

from gandan.access import today
from gandan.access.roles import ROLE_NAMES
from gandan.accounts.models import User
from gandan.ui.forms import DayField
from gandan.units.models import Unit


class InvitationForm(forms.Form):
    full_name = forms.CharField(label=_("Full name"), max_length=120)
    rank = forms.CharField(label=_("Rank"), max_length=60, required=False)
    username = forms.CharField(
        label=_("User name"),
        max_length=60,
        validators=[ASCIIUsernameValidator()],
        help_text=_("Letters without diacritics, digits and . @ + - _; for example lo.thi.xuan"),
    )
    role = forms.ChoiceField(label=_("Role"), choices=[("", _("Choose a role")), *ROLE_NAMES.items()])
    unit = forms.ModelChoiceField(label=_("Unit"), queryset=Unit.objects.none(), to_field_name="slug")

    def __init__(self, *args: Any, units: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["unit"]
        field.queryset = units
        field.label_from_instance = lambda unit: unit.title

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).strip().lower()


class RoleForm(forms.Form):
    """A role at a unit for somebody who has an account, from a day on, perhaps until another."""

    role = forms.ChoiceField(label=_("Role"), choices=[("", _("Choose a role")), *ROLE_NAMES.items()])
    unit = forms.ModelChoiceField(label=_("Unit"), queryset=Unit.objects.none(), to_field_name="slug")
    first_day = DayField(label=_("First day"), initial=today)
    last_day = DayField(label=_("Last day"), required=False, help_text=_("Leave empty while nobody knows it."))

    def __init__(self, *args: Any, units: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field: Any = self.fields["unit"]
        field.queryset = units
        field.label_from_instance = lambda unit: unit.title

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("The last day cannot come before the first day."))
        return data

    def given(self) -> dict[str, Any]:
        """Return what the action takes: the role ends with the day after the last."""
        data = self.cleaned_data
        end = data["last_day"] + timedelta(days=1) if data["last_day"] else None
        return {"role": data["role"], "unit": data["unit"], "valid_from": data["first_day"], "valid_to": end}


class PeopleForm(forms.Form):
    """Whom the reader looks for."""

    q = forms.CharField(label=_("Name or user name"), required=False, max_length=120)


class PasswordForm(forms.Form):
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters. A short sentence is easy to remember and hard to guess."),
    )
    again = forms.CharField(
        label=_("The same password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, invitation: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.invitation = invitation

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        password, again = data.get("password"), data.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two passwords differ. Type the same one twice."))
        if password:
            try:
                validate_password(
                    password, User(username=self.invitation.username, full_name=self.invitation.full_name)
                )
            except forms.ValidationError as error:
                self.add_error("password", error)
        return data


class EndGrantForm(forms.Form):
    confirm = forms.BooleanField(label=_("Yes, end this role today"))
