"""The catalogue of procedures is data: taken over from a file, checked, shown first, and kept in versions."""

from datetime import date

import pytest
import yaml
from django.test import Client

from gandan.access import Refused
from gandan.cases import catalogue
from gandan.cases.models import Procedure
from tests.cast import NOBODY

pytestmark = pytest.mark.django_db


def the_file():
    return yaml.safe_load(catalogue.REFERENCE.read_text(encoding="utf-8"))


def registrar(cast):
    client = Client()
    client.force_login(cast.people["registrar"], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_27_procedures_ship_whole_in_both_languages(cast):
    assert len(catalogue.current()) == 27
    for procedure in catalogue.current():
        assert procedure.name_vi and procedure.name_en and procedure.summary_vi and procedure.bring_vi, procedure.code


def test_the_same_file_changes_nothing(cast):
    assert catalogue.preview(the_file()) == []


def test_a_changed_file_is_shown_first_and_a_matter_keeps_its_version(cast):
    receipt = cast.brings("RE-02", "Tạm trú", identity={"name": "Hoa"})
    data = the_file()
    next(p for p in data["procedures"] if p["code"] == "RE-02")["cost_vi"] = "Không mất tiền"
    text = yaml.safe_dump(data, allow_unicode=True)
    client = registrar(cast)
    shown = client.post("/en/admin/procedures/import/", {"text": text})
    assert shown.status_code == 200 and "RE-02" in shown.content.decode()
    assert Procedure.objects.filter(code="RE-02").count() == 1, "a preview writes nothing"
    assert client.post("/en/admin/procedures/import/", {"text": text, "confirm": "1"}).status_code == 302
    assert catalogue.in_force("RE-02").version == 2
    receipt.case.refresh_from_db()
    assert receipt.case.procedure.version == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("procedures: [", "YAML"),
        ("terms: []", "procedures"),
        ("procedures: [{code: X-01}]", "X-01"),
        ("procedures: [{code: A, kind: a, group: moon, vi: a, en: a, summary_vi: a, summary_en: a}]", "moon"),
        ("procedures: [{code: A, kind: a, group: report, vi: a, en: a, summary_vi: a, b c, summary_en: a}]", "b c"),
        (
            "procedures: [{code: A, kind: a, group: report, vi: a, en: a, summary_vi: a, summary_en: a, law_vi: x}]",
            "law_vi",
        ),
        ("procedures: [1]", "1"),
        ("", ""),
    ],
)
def test_a_faulty_file_is_answered_by_its_entry(cast, text, words):
    answer = registrar(cast).post("/en/admin/procedures/import/", {"text": text})
    assert answer.status_code == 422 and words in answer.content.decode()
    assert Procedure.objects.count() == 27


def test_a_version_never_begins_before_the_one_it_follows(cast):
    data = the_file()
    data["procedures"][0]["cost_vi"] = "Một đồng"
    with pytest.raises(Refused):
        catalogue.take_over(data=data, by=NOBODY, valid_from=date(2017, 1, 1))


def test_only_the_registrar_edits_the_register(cast):
    for name, status in (("pao", 403), ("auditor", 403), ("registrar", 200)):
        client = Client()
        client.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
        assert client.get("/admin/procedures/import/").status_code == status
