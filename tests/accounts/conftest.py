"""People with passwords, and a fast hash for most of them: what is tried here is not how slow a hash is."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.test import Client, TestCase

from gandan.access import now

PASSWORD = "mưa rào trên nương ngô"


@pytest.fixture(autouse=True)
def _quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    monkeypatch.setattr("django.contrib.auth.hashers.PBKDF2PasswordHasher.iterations", 1)
    # The app on the phone and the server read the same clock as everything else here.
    monkeypatch.setattr(totp, "time", SimpleNamespace(time=lambda: now().timestamp()))


@pytest.fixture
def staff(cast: Any) -> Any:
    """The cast, each with a password."""
    for user in cast.people.values():
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])
    return cast


@pytest.fixture
def demanded(settings: Any) -> None:
    settings.GANDAN_SECOND_FACTOR = True


def sign_in(client: Client, name: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/account/login/", {"login": name, "password": password, **more})


def code(secret: str, later: timedelta = timedelta(0)) -> str:
    """Return what the app shows now, or `later`."""
    counter = int((now() + later).timestamp()) // 30
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


def set_up_app(client: Client) -> str:
    """Set up the app through the pages; return its key."""
    page = client.get("/account/2fa/totp/")
    assert page.status_code == 200, page.get("Location")
    secret = str(page.context["form"].secret)
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = client.post("/account/2fa/totp/", {"code": code(secret)})
    assert answer.status_code == 302, answer.context["form"].errors
    return secret


Move = Callable[[datetime], None]
