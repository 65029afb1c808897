"""Programs that talk to the interface: nobody in particular, or somebody who is signed in."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from gandan.cases import guessing

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class Program:
    """A client of the interface: JSON in, JSON out, in one language."""

    def __init__(self, user: Any = None, language: str = "vi") -> None:
        self.client, self.language = Client(raise_request_exception=True), language
        if user is not None:
            self.client.force_login(user, backend=BACKEND)

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1{path}", query, headers={"accept-language": self.language})

    def post(self, path: str, body: Any, **options: Any) -> Any:
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        kind = options.pop("kind", "application/json")
        headers = {"accept-language": self.language} | options
        return self.client.post(f"/api/v1{path}", data, content_type=kind, headers=headers)

    def send(self, path: str, fields: dict[str, Any], **headers: str) -> Any:
        return self.client.post(f"/api/v1{path}", fields, headers={"accept-language": self.language} | headers)


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture(autouse=True)
def no_earlier_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins without wrong codes tried before."""
    monkeypatch.setattr(guessing, "guesses", guessing.Guesses())
    for module in ("gandan.cases.api.guesses", "gandan.cases.public_views.guesses"):
        monkeypatch.setattr(module, guessing.guesses)


@pytest.fixture
def matter(cast: Any) -> dict[str, Any]:
    """What Hoa brings over the interface."""
    return {
        "id": str(uuid4()),
        "procedure": "FB-01",
        "unit": cast.na_then.slug,
        "text": "Đường vào bản tối",
        "name": "Hoa",
        "phone": "0900000001",
    }
