"""What people type to come in and to prove who they are."""

import re
from typing import Any

from allauth.account.forms import LoginForm
from allauth.account.forms import ReauthenticateForm as PasswordAgain
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from gandan.access import now
from gandan.accounts import guessing
from gandan.accounts.adapter import too_many
from gandan.accounts.sessions import SHARED, SHOWN

_CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}


class SignInForm(LoginForm):
    """User name and password."""

    shared = forms.BooleanField(
        label=_("This computer is shared"),
        help_text=_("A counter or a kiosk: the session ends after 10 minutes without work."),
        required=False,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        name, password = self.fields["login"], self.fields["password"]
        name.label, password.label = _("User name"), _("Password")
        name.widget.attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
        password.widget.attrs = {"autocomplete": "current-password"}
        password.help_text = ""

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> Any:
        request.session[SHARED] = bool(self.cleaned_data.get("shared"))
        return super().login(request, redirect_url=redirect_url)


class SamePersonForm(PasswordAgain):
    """One's own password once more."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["password"].label = _("Your password")
        self.fields["password"].widget.attrs = {"autocomplete": "current-password"}


class Limited(forms.Form):
    """A form with codes: few wrong ones an hour, each right one once."""

    user: Any

    def clean_code(self) -> str:
        at = now()
        answer = guessing.code_tries(self.user, at)
        if not answer:
            raise too_many(answer)
        code = re.sub(r"[\s-]", "", self.cleaned_data["code"])
        self.cleaned_data["code"] = code
        super().clean_code()  # type: ignore[misc]
        if not guessing.code_right(self.user, code, at):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(Limited, AuthenticateForm):
    code = forms.CharField(
        label=_("Code"),
        help_text=_("Six digits from the app, or one of your recovery codes."),
        widget=forms.TextInput(attrs={**_CODE, "autofocus": True}),
        max_length=20,
    )


class SamePersonCodeForm(Limited, ReauthenticateForm):
    code = forms.CharField(
        label=_("Code"),
        help_text=_("Six digits from the app, or one of your recovery codes."),
        widget=forms.TextInput(attrs=_CODE),
        max_length=20,
    )


class AppForm(Limited, ActivateTOTPForm):
    """The first code of an app that is being set up."""

    code = forms.CharField(
        label=_("Code that the app shows"),
        help_text=_("Six digits."),
        widget=forms.TextInput(attrs=_CODE),
        max_length=20,
    )

    def clean_code(self) -> str:
        found = super().clean_code()
        context.request.session[SHOWN] = now().timestamp()
        return found


class LimitedPasskey(forms.Form):
    """A form in which a passkey answers."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except ValidationError:
            raise
        except (ValueError, KeyError, TypeError):
            # What a browser would never send.
            raise ValidationError(_("The passkey was not recognised. Try again.")) from None


class PasskeyForm(LimitedPasskey, AuthenticateWebAuthnForm):
    pass


class PasskeySignInForm(LimitedPasskey, LoginWebAuthnForm):
    pass


class SamePersonPasskeyForm(LimitedPasskey, ReauthenticateWebAuthnForm):
    pass


class NewPasskeyForm(AddWebAuthnForm):
    name = forms.CharField(
        label=_("Name of the passkey"),
        help_text=_("So that you know it again, for example the phone's make."),
        required=False,
        max_length=60,
    )
    passwordless = forms.BooleanField(
        label=_("Sign in with this passkey alone"),
        help_text=_("The device asks for a finger, a face or a PIN, and no password is needed here."),
        required=False,
        initial=True,
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean()
        if not self.errors:
            context.request.session[SHOWN] = now().timestamp()
        return found


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(label=_("Name of the passkey"), max_length=60)


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters. A short sentence is easy to remember and hard to guess."),
    )
    again = forms.CharField(
        label=_("The same password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.user = user

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        password, again = data.get("password"), data.get("again")
        if password and again and password != again:
            self.add_error("again", _("The two passwords differ. Type the same one twice."))
        if password:
            try:
                validate_password(password, self.user)
            except ValidationError as error:
                self.add_error("password", error)
        return data


def passkeys_work() -> bool:
    """Say whether browsers offer passkeys at our address: they want TLS, or this machine by its name."""
    return "webauthn" in settings.MFA_SUPPORTED_TYPES
