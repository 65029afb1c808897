"""What the public pages publish is what happened, and nothing about complaints."""

import re
from datetime import datetime

import pytest
from django.test import Client

from gandan.access import now
from gandan.access.clock import VIETNAM
from gandan.cases import actions
from gandan.obligations.models import Obligation
from gandan.portal import periods
from gandan.units import actions as units
from tests import cast as cast_module

pytestmark = pytest.mark.django_db


def figures(unit):
    return Client().get(f"/units/{unit.slug}/results/?format=json").json()["rows"][0]


def answered(cast, text):
    receipt, pao = cast.brings(text=text), cast.actor("pao")
    actions.take(case=receipt.case, by=pao)
    actions.answer(case=receipt.case, text="Đã lắp đèn", by=pao)
    return receipt.case


def test_figures_count_what_was_received_settled_and_kept(cast):
    assert figures(cast.na_then)["received"] == 0
    answered(cast, "Đường tối")
    cast.brings("DE-01", "Cán bộ đòi tiền")
    found = figures(cast.na_then)
    assert (found["received"], found["settled"], found["in_time"], found["promises_ended"]) == (1, 1, 2, 2)
    assert found["rating_mean"] is None and found["ratings"] == 0
    assert figures(cast.phieng_lua)["received"] == 0


def test_a_mean_is_shown_from_five_scores_on(cast):
    for count in range(1, 6):
        actions.rate(case=answered(cast, f"Việc {count}"), score=4, told_until_when=True, by=cast.actor("pao"))
        assert figures(cast.na_then)["rating_mean"] == (4.0 if count == 5 else None)


def test_csv_and_json_tell_the_same(cast):
    cast.brings()
    text = Client().get(f"/units/{cast.na_then.slug}/results/?format=csv").content.decode("utf-8-sig")
    header, row = (line.split(",") for line in text.strip().splitlines())
    assert row[header.index("received")] == "1" and row[header.index("median_days")] == ""
    assert Client().get("/results/?format=json").json()["rows"]


@pytest.mark.parametrize(
    "address", ["/units/{}/results/?period=2026Q9", "/units/{}/results/?format=xml", "/results/?period=x"]
)
def test_a_period_or_form_that_does_not_exist_is_not_found(cast, address):
    assert Client().get(address.format(cast.na_then.slug)).status_code == 404


@pytest.mark.parametrize(
    ("code", "first", "end"), [("2026Q4", "2026-10-01", "2027-01-01"), ("2026", "2026-01-01", "2027-01-01")]
)
def test_a_period_ends_the_day_before_the_next_begins(code, first, end):
    found = periods.read(code)
    assert (found.start.isoformat(), found.end.isoformat()) == (first, end)


@pytest.mark.parametrize("address", ["/units/{}/results/", "/results/", "/en/results/"])
def test_a_period_that_has_not_begun_has_a_sentence_and_no_zeros(cast, address):
    place, client = address.format(cast.na_then.slug), Client()
    answer = client.get(f"{place}?period=2099")
    assert answer.status_code == 404 and "tile__figure" not in answer.text and "<td" not in answer.text
    assert ("has not begun" if "/en/" in place else "Kỳ này chưa đến") in answer.text
    assert client.get(f"{place}?period=2099&format=json").status_code == 404
    assert client.get(f"{place}?period=2026Q4").status_code == client.get(f"{place}?period=2026").status_code == 200
    asked = client.get("/api/v1/results?period=2027Q1", headers={"accept-language": "vi"})
    assert asked.status_code == 404 and "chưa đến" in asked.json()["detail"]


def test_late_today_is_a_part_of_what_waits_in_figures_and_in_words(cast, move_to):
    move_to(datetime(2026, 10, 5, 9, tzinfo=VIETNAM))
    pao = cast.actor("pao")
    case = cast.brings("AV-01", channel="desk", by=pao).case
    actions.take(case=case, by=pao)
    actions.answer(case=case, text="Quyết định", by=pao)
    move_to(datetime(2026, 11, 23, 9, tzinfo=VIETNAM))
    assert Obligation.system("test").overdue(now()).filter(matter=case.pk).exists(), "its sending is overdue"
    assert (figures(cast.na_then)["open_now"], figures(cast.na_then)["late_now"]) == (0, 0)
    cast.brings()
    for address, told, meant in (
        ("/units/{}/results/", "trong 1 việc chưa trả lời", "trong đó số việc có việc phải làm đã quá hạn"),
        ("/en/units/{}/results/", "of 1 not answered yet", "among them those of which a promise is past its date"),
    ):
        shown = Client().get(address.format(cast.na_then.slug)).text
        assert told in shown and meant in shown


def test_a_tile_names_what_it_counts_and_not_the_unit_of_the_page(cast):
    answered(cast, "Đường tối")
    client = Client()
    client.force_login(cast.people["commander"], backend="allauth.account.auth_backends.AuthenticationBackend")
    for address in (f"/units/{cast.na_then.slug}/results/", f"/desk/command/{cast.na_then.slug}/"):
        figures_shown = re.findall(r'<p class="tile__figure">(.*?)</p>', client.get(address).text)
        assert figures_shown and not any(cast.na_then.title in each for each in figures_shown)


@pytest.mark.parametrize("address", ["/desk/command/", "/results/"])
def test_on_a_phone_no_column_of_figures_is_cut_off(cast, address):
    """A table that does not become cards hides its last columns beyond the edge of a narrow screen."""
    cast.brings()
    client = Client()
    client.force_login(cast.people["commander"], backend="allauth.account.auth_backends.AuthenticationBackend")
    tables = re.findall(r'<table class="([^"]*)"', client.get(address).text)
    assert tables and all("table--stack" in classes.split() for classes in tables)


def test_communes_are_listed_as_a_dictionary_lists_them(cast):
    for code, name in (("98003", "Huổi Ngân"), ("98004", "Hồng Bông"), ("98005", "Đào"), ("98006", "Dào Lụa")):
        units.establish(
            level="commune",
            code=code,
            name=name,
            type="Xã",
            valid_from=cast_module.BEGIN,
            by=cast_module.NOBODY,
            administrative=cast.province,
            police=cast.province,
        )
    right = ["Xã Dào Lụa", "Xã Đào", "Xã Hồng Bông", "Xã Huổi Ngân", "Xã Nà Then", "Xã Phiêng Lúa", "Xã Xa Xôi"]
    for address in ("/results/", "/units/"):
        shown = re.findall(r">(Xã [^<]+)</a>", Client().get(address).text)
        assert shown == right
