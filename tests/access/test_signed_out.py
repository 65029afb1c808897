"""A form that comes after the session has ended: what was written comes back, however short."""

from uuid import uuid4

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_every_word_that_was_written_comes_back_and_no_secret():
    sent = {
        "text": "Xong",
        "phone": "0912345678",
        "items": ["Căn cước", "<b>Sổ đỏ</b>"],
        "agreed": "on",
        "empty": "",
        "password": "bi-mat-1",
        "csrfmiddlewaretoken": "machine-value",
        "submission": str(uuid4()),
    }
    answer = Client().post(f"/desk/cases/{uuid4()}/note/", sent)
    page = answer.content.decode()
    assert answer.status_code == 401
    for written in ("Xong", "0912345678", "Căn cước", "&lt;b&gt;Sổ đỏ&lt;/b&gt;"):
        assert f"data-typed>{written}</p>" in page
    assert page.count("data-typed") == 4
    assert "bi-mat-1" not in page and "machine-value" not in page and sent["submission"] not in page
