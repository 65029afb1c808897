"""Every text field of every form, found on the pages themselves: no words break anything, and none are lost.

Each role opens every page that it may open; every form found there is filled with hostile words and sent. Then
every text in the database is looked at.
"""

import json
import re
import unicodedata
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from django import forms
from django.apps import apps
from django.core.validators import MaxLengthValidator
from django.db import models
from django.test import Client
from django.urls import get_resolver, reverse

from gandan.access.typed import whole
from gandan.cases.models import Case
from gandan.obligations.models import Notice, Obligation
from tests.house import tree

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
HOSTILE = (
    "<script>alert(77)</script><b title=\"x' onmouseover='alert(77)\">&amp; Lu\u0301a "
    "\u202eđảo\u2067 \x00\x1b {{7*7}}{%77%}"
)
KEPT = whole(HOSTILE)
ROLES = ("", "pao", "chief", "dispatcher", "inspector", "registrar", "administrator")
NOT_VISITED = {"demo", "demo_sit", "demo_put_back", "account_logout", "theme"}
RAW = ("<script>alert(77)", "onmouseover='alert(77)", "49{%")


@dataclass
class Form:
    """A form as a page holds it."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)


class Reader(HTMLParser):
    """Reads the forms of a page that are sent by POST."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.now: Form | None = None
        self.select = ""

    def handle_starttag(self, tag: str, found: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in found}
        name = values.get("name", "")
        if tag == "form":
            self.now = Form(values.get("action", "")) if values.get("method", "").lower() == "post" else None
            if self.now is not None:
                self.forms.append(self.now)
        elif self.now is None or (not name and tag != "option"):
            return
        elif tag == "textarea":
            self.now.texts.append(name)
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and values.get("value") and self.select not in self.now.fields:
            self.now.fields[self.select] = values["value"]
        elif tag == "input":
            self._input(name, values)
        elif tag == "button" and values.get("value"):
            self.now.fields.setdefault(name, values["value"])

    def _input(self, name: str, values: dict[str, str]) -> None:
        assert self.now is not None
        kind = values.get("type", "text")
        if kind in ("hidden", "radio", "checkbox"):
            self.now.fields.setdefault(name, values.get("value", "on"))
        elif kind in ("text", "search", "tel", "email", "url", "password"):
            if part := re.search(r"_(day|month|year)$", name):  # a day in three boxes
                self.now.fields[name] = {"day": "1", "month": "12", "year": "2026"}[part[1]]
            else:
                self.now.texts.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.now = None
        elif tag == "select":
            self.select = ""


def pages(cast: Any) -> list[str]:
    """Return the address of every page, with things that exist."""
    own = cast.brings().case
    cast.brings("DE-01", "Cán bộ đòi tiền")
    promise = Obligation.system("test").filter(matter=own.pk).first()
    notice = Notice.system("test").first()
    draft = Client().post(reverse("report"), {"kind": "FB-01"})["Location"].split("/report/")[1].split("/")[0]
    complaint = Client().post(reverse("report"), {"kind": "DE-01"})["Location"].split("/report/")[1].split("/")[0]
    given = {
        "case": own.pk, "matter": own.pk, "obligation": promise.pk, "slug": cast.na_then.slug, "code": "FB-01",
        "file": uuid4(), "notice": notice.pk if notice else uuid4(), "day": "2026-11-24", "year": 2027, "step": "what",
        "token": "none", "position": 1, "rest": "x",
    }  # fmt: skip
    found = []
    for name, entries in get_resolver().reverse_dict.lists():
        if isinstance(name, str) and name not in NOT_VISITED and not name.startswith("api_"):
            arguments = entries[0][0][0][1]
            values = {argument: given.get(argument, uuid4()) for argument in arguments}
            if name == "report_step":
                found += [
                    reverse(name, args=[each, step])
                    for each in (draft, complaint)
                    for step in ("where", "what", "files", "who", "check")
                ]
                continue
            if name == "term_edit":
                values["code"] = "FB-01.answer"
            found.append(reverse(name, kwargs=values))
    return sorted(set(found))


def sent(client: Client, page: str, form: Form, words: str) -> Any:
    data = {**form.fields, **dict.fromkeys(form.texts, words)}
    return client.post(form.action or page, data)


def shut(response: Any) -> None:
    """Close the file of a download; closing the answer itself would end the database's connection too."""
    if response.streaming:
        for close in response._resource_closers:
            close()


def harm(response: Any) -> list[str]:
    """Return what of the hostile words came back alive."""
    if response.streaming or "html" not in response.get("Content-Type", ""):
        return []
    body = response.content.decode()
    return [mark for mark in RAW if mark in body] + (["a change of direction"] if turned(body) else [])


def turned(text: str) -> bool:
    """Say whether some piece of text between two tags changes the direction of what follows it."""
    return any(piece != whole(piece) for piece in re.findall(r">([^<]*[\u202a-\u202e\u2066-\u2069][^<]*)<", text))


def texts_of_the_database() -> list[tuple[str, str]]:
    found = []
    for model in apps.get_models():
        if not model.__module__.startswith("gandan."):
            continue
        rows = model.system("test") if hasattr(model, "system") else model._default_manager.all()
        for column in model._meta.concrete_fields:
            if isinstance(column, (models.CharField, models.TextField, models.JSONField)):
                for value in rows.values_list(column.attname, flat=True):
                    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                    found.append((f"{model.__name__}.{column.name}", text))
    return found


def test_hostile_words_in_every_field_break_nothing_and_are_kept(cast):
    addresses, seen, kept, answers = pages(cast), set(), 0, []
    for role in ROLES:
        client = Client()
        if role:
            client.force_login(cast.people[role], backend=BACKEND)
        waiting = list(addresses)
        while waiting:
            page = waiting.pop(0)
            shown = client.get(page)
            shut(shown)
            assert shown.status_code < 500, (role, page)
            assert not harm(shown), (role, page, harm(shown))
            if shown.status_code != 200 or shown.streaming or "html" not in shown["Content-Type"]:
                continue
            reader = Reader()
            reader.feed(shown.content.decode())
            for form in reader.forms:
                action = re.sub(r"[0-9a-f-]{36}|\d+", "*", form.action or page)
                key = (action, tuple(form.texts), bool(role))
                if not form.texts or key in seen or "password" in " ".join(form.texts):
                    continue
                seen.add(key)
                answer = sent(client, page, form, HOSTILE)
                answers.append((role, page, answer.status_code))
                assert answer.status_code < 500, (role, page, form)
                assert not harm(answer), (role, page, form, harm(answer))
                if answer.status_code == 422 and not answer.streaming:
                    # What was typed stands on the page again.
                    kept += "alert(77)" in answer.content.decode()
                if answer.status_code == 302 and len(waiting) < 400:
                    waiting.append(answer["Location"])
    assert len(seen) >= 20 and kept >= 5, (len(seen), kept, answers)
    texts = texts_of_the_database()
    stored = [(name, text) for name, text in texts if "alert(77)" in text]
    assert len(stored) >= 3, [name for name, _ in stored]
    for name, text in texts:
        assert unicodedata.is_normalized("NFC", text) and "\x00" not in text and "\u0000" not in text, name
        assert "\\u0000" not in text and not turned(f">{text}<"), name


def test_ten_megabytes_in_any_field_are_refused_with_a_sentence(cast):
    words = "ă" * 5_000_000
    addresses, seen = pages(cast), set()
    for role in ("", "chief", "registrar", "administrator"):
        client = Client()
        if role:
            client.force_login(cast.people[role], backend=BACKEND)
        for page in addresses:
            shown = client.get(page)
            shut(shown)
            if shown.status_code != 200 or shown.streaming or "html" not in shown["Content-Type"]:
                continue
            reader = Reader()
            reader.feed(shown.content.decode())
            for form in reader.forms:
                action = re.sub(r"[0-9a-f-]{36}|\d+", "*", form.action or page)
                if not form.texts or (action, tuple(form.texts)) in seen or "password" in " ".join(form.texts):
                    continue
                seen.add((action, tuple(form.texts)))
                answer = sent(client, page, Form(form.action, form.fields, form.texts[:1]), words)
                assert answer.status_code < 500, (role, page)
                assert answer.status_code >= 400 or words[:20_001] not in _stored(), (role, page, form)
    assert len(seen) >= 15
    assert words[:20_001] not in _stored()
    assert Case.system("test").count() < 20


def _stored() -> str:
    return "".join(text for _name, text in texts_of_the_database())


HASHED = {("password", forms.PasswordInput), ("again", forms.PasswordInput)}
"""Never stored as they are: any length that fits into a body is hashed to the same few bytes."""


def unbounded(found: list[type[forms.BaseForm]]) -> list[str]:
    """Return the text fields without a greatest length."""
    faults = []
    for each in found:
        for name, text in getattr(each, "base_fields", {}).items():
            limited = any(isinstance(each_one, MaxLengthValidator) for each_one in text.validators)
            if type(text) is forms.CharField and not limited and (name, type(text.widget)) not in HASHED:
                faults.append(f"{each.__module__}.{each.__name__}.{name}")
    return faults


def every_form() -> list[type[forms.BaseForm]]:
    found, waiting = [], [forms.BaseForm]
    for path in tree.modules():
        if path.stem.endswith("forms"):
            __import__("gandan." + ".".join(path.relative_to(tree.SOURCE).with_suffix("").parts))
    while waiting:
        for each in waiting.pop().__subclasses__():
            waiting.append(each)
            if each.__module__.startswith("gandan."):
                found.append(each)
    return found


def test_every_text_field_has_a_greatest_length():
    assert len(every_form()) >= 20
    assert unbounded(every_form()) == []


def test_a_text_field_without_a_greatest_length_would_be_found():
    planted = type("Planted", (forms.Form,), {"words": forms.CharField(), "short": forms.CharField(max_length=5)})
    assert [fault.rsplit(".", 1)[1] for fault in unbounded([planted])] == ["words"]


def test_words_that_turn_round_what_follows_would_be_found():
    assert turned("<p>a\u202eb</p>") and not turned("<p>a\u202eb\u202c</p>")
