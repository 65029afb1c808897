"""Settings of every installation. Places differ by the variables of `environment.py` only."""

from pathlib import Path

from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from gandan.config import database, environment, keys

ENVIRONMENT = environment.read()
PACKAGE = Path(__file__).resolve().parent.parent

GANDAN_HOME = ENVIRONMENT.home
GANDAN_DEMO = ENVIRONMENT.demo
GANDAN_URL = ENVIRONMENT.url
DEBUG = ENVIRONMENT.debug
GANDAN_PROXIES = ENVIRONMENT.proxies
GANDAN_CHECKPOINTS = ENVIRONMENT.checkpoints_folder
GANDAN_OUTSIDE_BODY = ENVIRONMENT.outside_body
GANDAN_OUTSIDE_KEY = ENVIRONMENT.outside_key
GANDAN_OUTSIDE = GANDAN_HOME / "outside"
GANDAN_KEYS_FOLDER = ENVIRONMENT.keys_folder
GANDAN_KEYS = keys.Keys(ENVIRONMENT.keys_folder)
SECRET_KEY = SimpleLazyObject(lambda: GANDAN_KEYS["django"].hex())
GANDAN_STRICT = DEBUG
"""A view without an access rule is a loud error where somebody builds or tests; elsewhere it is refused and logged."""

# Rooms from the top storey to the bottom one.
_ROOMS = [
    "demo",
    "portal",
    "ratings",
    "measures",
    "cases",
    "directives",
    "forum",
    "fieldwork",
    "obligations",
    "documents",
    "surveys",
    "staffing",
    "units",
    "secrecy",
    "accounts",
    "audit",
    "access",
    "ui",
]
GANDAN_ROOMS = [f"gandan.{room}" for room in reversed(_ROOMS) if (PACKAGE / room / "apps.py").exists()]
INSTALLED_APPS = [
    *GANDAN_ROOMS,
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]

# Tables of other people's making: reached in `accounts` only.
GANDAN_OPEN_MODELS = {
    "accounts.User": "read by sign-in before anybody is known; other rooms ask accounts",
    "accounts.Bucket": "counts tries under keyed hashes, before anybody is known",
    "accounts.SignIn": "one's own sessions, and those that an administrator ends",
    "accounts.RecoveryLink": "opened by its random token before anybody is known",
    "auth.Permission": "unused part of the framework's sign-in",
    "auth.Group": "unused part of the framework's sign-in",
    "auth.Group_permissions": "unused part of the framework's sign-in",
    "contenttypes.ContentType": "names of tables",
    "sessions.Session": "read by the framework at each request",
    "account.EmailAddress": "read by sign-in",
    "account.EmailConfirmation": "read by sign-in",
    "mfa.Authenticator": "read by sign-in",
}
GANDAN_AUTHORITY = "gandan.staffing.authority.GrantAuthority"
GANDAN_NAVIGATION = "gandan.config.navigation.navigation"
GANDAN_INTERFACE = "gandan.config.api.document"

MIDDLEWARE = [
    "gandan.secrecy.middleware.Nameless",
    "django.middleware.security.SecurityMiddleware",
    "gandan.ui.middleware.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "gandan.accounts.middleware.SessionLimits",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "gandan.audit.middleware.RecordMiddleware",
    "gandan.access.middleware.AccessMiddleware",
    "gandan.accounts.middleware.SecondFactor",
    "gandan.access.typed.TypedMiddleware",
]
ROOT_URLCONF = "gandan.config.urls"
WSGI_APPLICATION = "gandan.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "gandan.ui.context.page",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {
    "default": (
        database.postgresql(ENVIRONMENT.database_url)
        if ENVIRONMENT.database_url
        else database.sqlite(GANDAN_HOME / "gandan.sqlite3")
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", _("Vietnamese")), ("en", _("English"))]
LOCALE_PATHS = [PACKAGE / "config" / "locale"]
FORMAT_MODULE_PATH = ["gandan.ui.formats"]
TIME_ZONE = "Asia/Ho_Chi_Minh"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = GANDAN_HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = GANDAN_HOME / "files"
WHITENOISE_USE_FINDERS = DEBUG

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["gandan.accounts.hashers.OfficeArgon2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "gandan.accounts.passwords.NotOfThisOffice"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "desk"
ACCOUNT_ADAPTER = "gandan.accounts.adapter.StaffOnly"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False  # counted by gandan.accounts.guessing, for all processes together
ACCOUNT_FORMS = {
    "login": "gandan.accounts.forms.SignInForm",
    "reauthenticate": "gandan.accounts.forms.SamePersonForm",
}
# Browsers offer passkeys under https, and on this machine by its name; never for a bare address of numbers.
MFA_PASSKEY_LOGIN_ENABLED = ENVIRONMENT.is_secure or ENVIRONMENT.hostname == "localhost"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not ENVIRONMENT.is_secure
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", *(["webauthn"] if MFA_PASSKEY_LOGIN_ENABLED else [])]
MFA_TOTP_TOLERANCE = 1
MFA_ADAPTER = "gandan.accounts.adapter.Factors"
MFA_FORMS = {
    "authenticate": "gandan.accounts.forms.CodeForm",
    "reauthenticate": "gandan.accounts.forms.SamePersonCodeForm",
    "activate_totp": "gandan.accounts.forms.AppForm",
    "authenticate_webauthn": "gandan.accounts.forms.PasskeyForm",
    "login_webauthn": "gandan.accounts.forms.PasskeySignInForm",
    "reauthenticate_webauthn": "gandan.accounts.forms.SamePersonPasskeyForm",
    "add_webauthn": "gandan.accounts.forms.NewPasskeyForm",
    "edit_webauthn": "gandan.accounts.forms.RenamePasskeyForm",
}
GANDAN_SECOND_FACTOR = not GANDAN_DEMO
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

# Views that other packages define, with the rule that access applies to them.
GANDAN_FOREIGN_VIEWS = {
    "account_login": ("public", "signing in"),
    "account_logout": ("public", "signing out works even when the session has just ended"),
    "account_reauthenticate": ("signed_in", "confirming one's own password"),
    "account_change_password": ("signed_in", "one's own password"),
    "account_set_password": ("signed_in", "one's own password, where there was none"),
    "mfa_index": ("signed_in", "one's own second factor"),
    "mfa_authenticate": ("public", "second step of signing in"),
    "mfa_reauthenticate": ("signed_in", "confirming one's own second factor"),
    "mfa_activate_totp": ("signed_in", "one's own second factor"),
    "mfa_deactivate_totp": ("signed_in", "one's own second factor"),
    "mfa_generate_recovery_codes": ("signed_in", "one's own second factor"),
    "mfa_view_recovery_codes": ("signed_in", "one's own second factor"),
    "mfa_download_recovery_codes": ("signed_in", "one's own second factor"),
    "mfa_list_webauthn": ("signed_in", "one's own second factor"),
    "mfa_add_webauthn": ("signed_in", "one's own second factor"),
    "mfa_edit_webauthn": ("signed_in", "one's own second factor"),
    "mfa_remove_webauthn": ("signed_in", "one's own second factor"),
    "mfa_reauthenticate_webauthn": ("signed_in", "confirming one's own second factor"),
    "mfa_login_webauthn": ("public", "signing in"),
}
# What can be reached by somebody whose second factor is still to be set up or shown.
GANDAN_BEFORE_SECOND_FACTOR = frozenset(GANDAN_FOREIGN_VIEWS) | {"keep_alive", "go_on", "own_account", "theme"}

GANDAN_IDLE_SECONDS = 30 * 60
GANDAN_SHARED_IDLE_SECONDS = 10 * 60
GANDAN_SESSION_SECONDS = 12 * 60 * 60
GANDAN_COOLING_OFF_MONTHS = 24

SECURE_CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
}
_SECURE = ENVIRONMENT.is_secure
_PREFIX = "__Host-" if _SECURE else ""
SESSION_COOKIE_NAME = f"{_PREFIX}gandan-session"
CSRF_COOKIE_NAME = f"{_PREFIX}gandan-csrf"
GANDAN_BROWSER_COOKIE = f"{_PREFIX}gandan-browser"
GANDAN_KEPT_COOKIE = f"{_PREFIX}gandan-kept"
LANGUAGE_COOKIE_NAME = f"{_PREFIX}gandan-language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = _SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = GANDAN_SESSION_SECONDS
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SECURE_HSTS_SECONDS = 31_536_000 if _SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _SECURE else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
ALLOWED_HOSTS = (
    ["127.0.0.1", "localhost", "[::1]", "testserver"]
    if ENVIRONMENT.is_loopback
    else [GANDAN_URL.split("://", 1)[1].split("/", 1)[0].rsplit(":", 1)[0]]
)
CSRF_TRUSTED_ORIGINS = [GANDAN_URL.rstrip("/")] if _SECURE else []
DATA_UPLOAD_MAX_MEMORY_SIZE = 25 * 1024 * 1024
# Files that people send pass through memory only: none is written down before it has been cleaned.
FILE_UPLOAD_HANDLERS = ["gandan.secrecy.uploads.InMemory"]
DATA_UPLOAD_MAX_NUMBER_FIELDS = 400
DATA_UPLOAD_MAX_NUMBER_FILES = 10
GANDAN_BODY_BYTES = 60 * 1024 * 1024
SILENCED_SYSTEM_CHECKS: list[str] = []

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
