"""The sign-in pages that we use of allauth. Registration and e-mail pages stay closed: they are not here."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.conf import settings
from django.urls import path

from gandan.accounts.views import SignInView

urlpatterns = [
    path("login/", SignInView.as_view(), name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/", account.password_change, name="account_change_password"),
    path("password/set/", account.password_set, name="account_set_password"),
    path("2fa/", mfa.index, name="mfa_index"),
    path("2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/totp/", totp.activate_totp, name="mfa_activate_totp"),
    path("2fa/totp/end/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("2fa/codes/", recovery.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("2fa/codes/new/", recovery.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("2fa/codes/file/", recovery.download_recovery_codes, name="mfa_download_recovery_codes"),
]

if "webauthn" in settings.MFA_SUPPORTED_TYPES:
    urlpatterns += [
        path("2fa/passkeys/", webauthn.list_webauthn, name="mfa_list_webauthn"),
        path("2fa/passkeys/new/", webauthn.add_webauthn, name="mfa_add_webauthn"),
        path("2fa/passkeys/<int:pk>/rename/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
        path("2fa/passkeys/<int:pk>/end/", webauthn.remove_webauthn, name="mfa_remove_webauthn"),
        path("2fa/passkeys/confirm/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    ]
    if settings.MFA_PASSKEY_LOGIN_ENABLED:
        urlpatterns += [path("login/passkey/", webauthn.login_webauthn, name="mfa_login_webauthn")]
