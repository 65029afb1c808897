"""Guessing follow-up codes: ten tries an hour for a source, also at one moment and around midnight."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from gandan.access import clock, now
from gandan.cases import guessing
from gandan.secrecy import middleware

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_guesses_yet(monkeypatch):
    for module in ("gandan.cases.api.guesses", "gandan.cases.public_views.guesses"):
        monkeypatch.setattr(module, guessing.Guesses())


def test_of_many_tries_at_one_moment_ten_are_answered():
    tries = guessing.Guesses()
    begun = [tries.begin("one", now()) for _ in range(40)]
    assert begun.count(True) == guessing.PER_SOURCE_AN_HOUR
    assert tries.begin("another", now())


def test_a_try_counts_before_the_code_is_looked_at(monkeypatch):
    answers = []

    def slow(code):
        # While this one is still being looked at, the same source asks again.
        if len(answers) < 30:
            answers.append(None)
            answers.append(Client().post("/follow/", {"code": f"{len(answers):016}"}).status_code)

    monkeypatch.setattr("gandan.cases.public_views._find", slow)
    answers.append(Client().post("/follow/", {"code": f"{0:016}"}).status_code)
    assert answers.count(422) == guessing.PER_SOURCE_AN_HOUR and 429 in answers


def test_right_codes_are_never_too_many():
    tries = guessing.Guesses()
    for _ in range(50):
        assert tries.begin("one", now())
        tries.right("one", now())
    assert [tries.begin("one", now()) for _ in range(11)].count(True) == guessing.PER_SOURCE_AN_HOUR


def test_midnight_gives_nobody_new_tries():
    night = datetime(2026, 11, 23, 23, 50, tzinfo=clock.VIETNAM)
    found = {}
    for minutes in (0, 20, 75):
        with clock.at(night + timedelta(minutes=minutes)):
            answers = [Client().post("/follow/", {"code": f"{number:016}"}).status_code for number in range(10)]
            found[minutes] = answers.count(422)
    assert found == {0: 10, 20: 0, 75: 10}


def test_names_change_every_day_and_overlap_for_an_hour():
    def names(hour, minute, day=23):
        at = datetime(2026, 11, day, hour, minute, tzinfo=clock.VIETNAM)
        return middleware.buckets_of("203.0.113.7", at).split()

    assert len(names(23, 59)) == len(names(1, 0, 24)) == 1
    assert set(names(0, 30, 24)) == {*names(23, 59), *names(1, 0, 24)} and len(names(0, 30, 24)) == 2
