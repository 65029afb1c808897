"""What came with the system is not passed off as decreed: the page says so until somebody has compared it."""

from datetime import date

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from gandan.obligations import actions, doubts, first_steps, replay, terms
from gandan.obligations.calendar import almanac
from gandan.obligations.models import CalendarDay, CalendarYear
from tests.cast import NOBODY
from tests.obligations.promises import start

pytestmark = pytest.mark.django_db

DECREE = "12/TB-BNV"


@pytest.fixture(autouse=True)
def _vietnamese():
    with translation.override("vi"):
        yield


def page(cast, name="registrar", year=2026):
    client = Client()
    client.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client.get(reverse("calendar"), {"year": year}).text


def step(cast):
    return next(step for step in first_steps.of(cast.actor("registrar")) if step.url == reverse("calendar"))


def in_doubt():
    rows = CalendarDay.objects.filter(year__year=2026, until=None).select_related("year")
    return {row.day for row in rows if doubts.about(row)}


def test_days_in_doubt_and_their_year_are_marked_on_the_page(cast):
    assert in_doubt() == {date(2026, 8, 22), date(2026, 8, 31), date(2026, 11, 24)}
    shown = page(cast)
    assert shown.count("Cần đối chiếu.") == 3 and "chưa thấy văn bản" in shown
    assert "cần đối chiếu văn bản" in shown and ">đã quyết định<" not in shown
    assert "Các ngày đúng như văn bản" in shown and "Các ngày đúng như văn bản" not in page(cast, "auditor")
    with translation.override("en"):
        assert "in one source only" in page(cast)
    assert ">đã quyết định<" in page(cast, year=2025), "no date is counted with a year that is over"


def test_the_first_step_stays_open_until_the_decree_is_written_down(cast):
    assert not step(cast).done and "có sẵn trong hệ thống" in step(cast).text
    actions.decide_year(year=2026, decree=DECREE, by=NOBODY)
    assert step(cast).done and "đã được quyết định" in step(cast).text
    shown = page(cast)
    assert in_doubt() == set() and "đối chiếu" not in shown
    assert ">đã quyết định<" in shown and DECREE in shown


def test_a_day_entered_anew_by_decree_is_in_doubt_no_more(cast):
    day = CalendarDay.objects.get(day=date(2026, 8, 31), until=None)
    actions.declare_day(day=day.day, kind=day.kind, name_vi=day.name_vi, name_en=day.name_en, decree=DECREE, by=NOBODY)
    assert in_doubt() == {date(2026, 8, 22), date(2026, 11, 24)}
    actions.remove_day(day=date(2026, 8, 22), decree=DECREE, by=NOBODY)
    assert in_doubt() == {date(2026, 11, 24)}
    assert not step(cast).done, "the year itself waits for its decree"


def test_a_decree_written_down_later_makes_no_former_sum_provisional(cast):
    start(cast, when="2026-11-20")
    version = CalendarYear.objects.get(year=2026).version
    actions.decide_year(year=2026, decree=DECREE, by=NOBODY)
    assert not almanac().as_of({"2026": version}).is_provisional(date(2026, 11, 20))
    assert not terms.calendar().is_provisional(date(2026, 11, 20))
    assert list(replay.check()) == []
