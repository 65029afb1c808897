"""In a real browser, against a real office: a passkey from its first day to a sign-in without a password, and the
app with codes without JavaScript."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.mfa.totp.internal import auth as totp

from tests.browser import faults
from tests.conftest import Live, Prepared

pytestmark = pytest.mark.journey
PASSWORD = "mưa rào trên nương ngô"
_PASSWORDS = """
import sys, django; django.setup()
from gandan.accounts.models import User
from gandan.staffing.models import Grant
for role in sys.argv[2:]:
    grant = Grant.system("test").filter(role=role, valid_to=None).order_by("user__username").first()
    user = User.objects.get(pk=grant.user_id)
    user.set_password(sys.argv[1]); user.save(update_fields=["password"])
    print(user.username)
"""


class Office(Live):
    """A real installation, not a demo: passwords, and second factors demanded."""

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gandan", "serve", "--port", str(urlsplit(self.url).port)],
                env=self.environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait()

    def people(self, *roles: str) -> list[str]:
        """Give one person of each role a password; return their user names."""
        ran = subprocess.run(
            [sys.executable, "-c", _PASSWORDS, PASSWORD, *roles],
            env=self.environment | {"DJANGO_SETTINGS_MODULE": "gandan.config.settings"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.split()


@pytest.fixture(scope="module")
def office(prepared: Prepared) -> Iterator[Office]:
    copy = prepared.copy()
    url = copy.url.replace("127.0.0.1", "localhost")
    environment = copy.environment | {"GANDAN_URL": url, "GANDAN_DEMO": "0"}
    server = Office(url, copy.home, environment, copy.log)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        prepared.drop(copy)


def sign_in(page: Any, office: Office, name: str) -> None:
    page.goto(office.address("/account/login/"))
    page.locator("#id_login").fill(name)
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập", exact=True).click()


def authenticator(page: Any) -> Any:
    """Give the browser a phone of its own that always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def test_a_passkey_is_set_up_and_then_signs_in_alone(office: Office, visitor: Callable[..., Any]) -> None:
    [name] = office.people("administrator")
    page = visitor()
    sign_in(page, office, name)
    page.wait_for_url("**/account/2fa/")
    page.get_by_role("link", name="Thêm khóa truy cập").click()
    authenticator(page)
    page.get_by_role("button", name="Thêm khóa này").click()
    page.wait_for_url("**/account/2fa/codes/")
    assert page.locator("main code").count() == 10
    page.goto(office.address("/account/2fa/passkeys/"))
    assert page.get_by_text("đăng nhập không cần mật khẩu").count() == 1
    page.goto(office.address("/admin/people/"))
    assert page.get_by_role("heading", level=1).inner_text() == "Người và vai trò"
    page.goto(office.address("/account/logout/"))
    page.get_by_role("main").get_by_role("button", name="Đăng xuất").click()
    page.goto(office.address("/admin/people/"))
    page.wait_for_url("**/account/login/**")
    page.get_by_role("button", name="Đăng nhập bằng khóa truy cập").click()
    page.wait_for_url(lambda url: "/account/" not in url)
    page.goto(office.address("/admin/people/"))
    assert page.get_by_role("heading", level=1).inner_text() == "Người và vai trò"


PAGES = (
    "/account/",
    "/account/sessions/",
    "/account/password/",
    "/account/2fa/",
    "/account/2fa/codes/",
    "/account/2fa/codes/new/",
    "/account/2fa/totp/end/",
    "/account/2fa/passkeys/",
    "/account/2fa/passkeys/new/",
    "/account/reauthenticate/",
    "/account/2fa/reauthenticate/",
)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_page_of_ones_account_is_accessible_and_fits(
    office: Office, visitor: Callable[..., Any], language: str
) -> None:
    [name] = office.people({"vi": "registrar", "en": "commander"}[language])
    page, prefix = visitor(language=language), {"vi": "", "en": "/en"}[language]
    found = {}
    for path in ("/account/login/", "/account/forgotten/", "/account/recovery/wrong/"):
        page.goto(office.address(prefix + path))
        found[path] = faults(page)
    sign_in(page, office, name)
    page.goto(office.address(f"{prefix}/account/2fa/totp/"))
    found["app"] = faults(page)
    page.locator("#id_code").fill(_code(page.locator("main code").inner_text(), 0))
    page.locator("main form button").click()
    page.wait_for_url("**/2fa/codes/")
    for path in PAGES:
        assert page.goto(office.address(prefix + path)).status == 200, path
        found[path] = faults(page)
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_the_app_is_set_up_and_used_without_javascript_on_a_phone(office: Office, visitor: Callable[..., Any]) -> None:
    [name] = office.people("auditor")
    page = visitor(scripts=False, width=360)
    sign_in(page, office, name)
    page.get_by_role("link", name="Cài ứng dụng").click()
    assert page.locator("main img").get_attribute("src").startswith("data:image/svg+xml")
    secret = page.locator("main code").inner_text()
    page.locator("#id_code").fill(_code(secret, 0))
    page.get_by_role("button", name="Cài đặt").click()
    codes = page.locator("main code").all_inner_texts()
    assert len(codes) == 10
    page.goto(office.address("/desk/audit/"))
    assert "/account/" not in page.url
    other = visitor(scripts=False, width=360, language="en")
    sign_in(other, office, name)
    other.locator("#id_code").fill(codes[3])
    other.get_by_role("button", name="Đăng nhập").click()
    other.goto(office.address("/en/account/sessions/"))
    assert other.get_by_text("this browser").count() == 1
    other.get_by_role("button", name="Sign out everywhere else").click()
    page.goto(office.address("/desk/audit/"))
    assert "/account/login/" in page.url


def _code(secret: str, steps: int) -> str:
    """Return what a phone shows: the server is another process with the machine's own clock."""
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + steps))


def test_passkeys_are_offered_at_a_name_and_not_at_a_bare_address() -> None:
    ask = "from gandan.config import settings as s; print(s.MFA_PASSKEY_LOGIN_ENABLED, *s.MFA_SUPPORTED_TYPES[2:])"
    for url, expected in (
        ("https://congan.example.vn", "True webauthn"),
        ("http://localhost:8000", "True webauthn"),
        ("http://127.0.0.1:8000", "False"),
    ):
        ran = subprocess.run(
            [sys.executable, "-c", ask],
            env={**os.environ, "GANDAN_URL": url},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.stdout.strip() == expected, ran.stderr
