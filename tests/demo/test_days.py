"""The front hall on other days than today: it offers what works that day, and says why something does not."""

import re
from datetime import datetime

import pytest
from django.db import transaction
from django.test import Client

from gandan.access import clock
from gandan.cases.models import Case
from gandan.demo import build, story
from gandan.units import actions as units

pytestmark = pytest.mark.django_db


@pytest.fixture
def hall(settings, move_to):
    """Return a function that builds the province on a day and gives a visitor in its hall, and the hall's page."""

    def on(day):
        settings.GANDAN_DEMO = True
        move_to(datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=clock.VIETNAM))
        with transaction.atomic():
            build.Builder(7, 150, lambda what, share: None).run()
        visitor = Client()
        return visitor, visitor.get("/demo/").text

    return on


def offered(page):
    return set(re.findall(r'data-(?:try|step)="([a-z-]+)"', page))


def test_on_the_day_of_the_merger_the_hall_says_why_there_is_no_story(hall):
    visitor, shown = hall("2025-07-01")
    assert "Từ ngày mai bạn làm thử được câu chuyện này." in shown and 'href="#story"' not in shown
    assert offered(shown) >= {"twice", "restated", "tampered"} and "begin" not in offered(shown)
    before = Case.system("test").count()
    told = visitor.post("/demo/story/", follow=True).text
    assert "đưa về như cũ" not in told and Case.system("test").count() == before
    form = visitor.post("/demo/twice/")
    assert visitor.get(form["Location"]).status_code == 200
    assert visitor.get("/demo/restated/").status_code == 200


@pytest.mark.parametrize("day", ["2024-01-03", "2025-06-30", "2025-07-02"])
def test_on_any_other_day_the_story_begins_and_merges_and_every_card_leads_somewhere(hall, day):
    visitor, shown = hall(day)
    merged = day > "2025-07-01"
    assert offered(shown) >= {"begin", "twice", "tampered"} and ("restated" in offered(shown)) == merged
    assert visitor.get("/demo/restated/").status_code == (200 if merged else 404)
    assert ("tháng 7/2025" in shown) == (day > "2025-06-16"), "nobody looks at what is not decided yet"
    assert visitor.post("/demo/twice/", follow=True).status_code == visitor.get("/demo/tampered/").status_code == 200
    key, act = story.begin()
    units.schedule_act(act=story.read(str(key), str(act)).act, by=story._BY)
    assert story.read(str(key), str(act)).officer is not None
