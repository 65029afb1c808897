"""How the sign-in package behaves in this house."""

import base64
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gandan.access import now
from gandan.accounts import limits
from gandan.accounts.guessing import Tries, remember
from gandan.accounts.hashers import Busy, waiting_room

WRONG = gettext_lazy("The user name or the password is wrong. Check both; capital letters count in the password.")
SAID = {
    "mfa/messages/totp_activated.txt": gettext_lazy("The app is your second factor from now on."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("The app is no longer a second factor."),
    "mfa/messages/webauthn_added.txt": gettext_lazy("The passkey was added."),
    "mfa/messages/webauthn_removed.txt": gettext_lazy("The passkey was removed."),
    "mfa/messages/recovery_codes_generated.txt": gettext_lazy("New recovery codes were made; older ones end."),
    "account/messages/password_changed.txt": gettext_lazy("The password was changed."),
    "account/messages/password_set.txt": gettext_lazy("The password was changed."),
}


class StaffOnly(DefaultAccountAdapter):
    """Nobody registers alone; an invitation makes the account."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "username_password_mismatch": WRONG,
        "incorrect_password": gettext_lazy("This password is wrong."),
        "enter_current_password": gettext_lazy("This is not your present password."),
        "too_many_login_attempts": gettext_lazy("Too many wrong tries. Wait a few minutes and try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return limits.source(request)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Compare a password, within the limits. Unknown names, closed accounts and wrong passwords look alike.

        Raises ValidationError with how long to wait, for known and unknown names at the same count.
        """
        try:
            # Before anything is asked of the database: when many come at once, each costs little.
            with waiting_room():
                return self._compare(request, **credentials)
        except Busy:
            raise forms.ValidationError(
                _("Many people are signing in at this moment. Press the button again in a few seconds."), code="busy"
            ) from None

    def _compare(self, request: HttpRequest, **credentials: Any) -> Any:
        tries = Tries(request, str(credentials.get("username", "")), now())
        answer = tries.begin()
        if not answer:
            raise too_many(answer)
        user = super().authenticate(request, **credentials)
        if user is None or not user.is_active:
            tries.failed()
            return None
        tries.succeeded()
        return user

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Nothing: `authenticate` counts in the database, which all processes share."""

    def post_login(self, request: HttpRequest, user: Any, **values: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **values)
        remember(request, response, user.username)
        return response

    def is_reauthentication_required(self, *, app: str, **values: Any) -> bool:
        from gandan.accounts.recent import is_recent

        return not is_recent(context.request)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **values: Any
    ) -> None:
        said = SAID.get(message_template or "")
        if said is not None:
            messages.add_message(request, level, said)
        elif values.get("message"):
            messages.add_message(request, level, values["message"])


class Factors(DefaultMFAAdapter):
    """Second factors; what an app's codes are made from is kept sealed."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "This code is not right, or it was used before. Wait for the next one, and check the clock of the phone."
        ),
        "cannot_delete_authenticator": gettext_lazy("This second factor cannot be taken away."),
        "cannot_generate_recovery_codes": gettext_lazy("Set up an app or a passkey first."),
    }

    def encrypt(self, text: str) -> str:
        return _seal().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _seal().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return "Gần Dân"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": urlsplit(settings.GANDAN_URL).hostname or "localhost", "name": "Gần Dân"}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        from allauth.mfa.models import Authenticator

        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)d") % {"number": number}


def too_many(answer: limits.Answer) -> forms.ValidationError:
    """Return the sentence for somebody who must wait."""
    sentence = ngettext(
        "Too many wrong tries. Wait %(minutes)d minute and try again; nobody needs to unlock anything.",
        "Too many wrong tries. Wait %(minutes)d minutes and try again; nobody needs to unlock anything.",
        answer.minutes,
    )
    return forms.ValidationError(sentence % {"minutes": answer.minutes}, code="too_many")


def _seal() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(settings.GANDAN_KEYS["factors"]))
