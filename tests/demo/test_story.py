"""The guided story and the cards of what may be tried: everything that they promise happens."""

import re
import sqlite3
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client, override_settings

from gandan.access import clock, now
from gandan.access.clock import day_of
from gandan.cases.models import Case
from gandan.demo import renewal, story, trials
from gandan.obligations.models import Obligation
from gandan.units import actions as units
from gandan.units.models import Unit

pytestmark = pytest.mark.django_db


def page(answer):
    return answer.content.decode()


@pytest.fixture(scope="module", autouse=True)
def _province(django_db_setup, django_db_blocker):
    from datetime import datetime

    from django.db import transaction

    from gandan.demo import build

    day = datetime.fromisoformat("2026-11-23T09:00:00").replace(tzinfo=clock.VIETNAM)
    with django_db_blocker.unblock(), clock.at(day), override_settings(GANDAN_DEMO=True), transaction.atomic():
        build.Builder(7, 300, lambda what, share: None).run()
        yield
        transaction.set_rollback(True)


@pytest.fixture
def visitor(settings):
    settings.GANDAN_DEMO = True
    return Client()


def test_the_call_of_the_story_comes_at_night_and_is_written_down_later(visitor):
    visitor.post("/demo/story/")
    case = Case.system("test").order_by("-recorded_at").first()
    local = case.received_at.astimezone(clock.VIETNAM)
    assert (local.hour, local.minute) == (22, 40) and local.date() == day_of(now()) - timedelta(days=1)
    assert case.recorded_at == now() and Obligation.system("test").open().filter(matter=case.pk).exists()
    text = page(visitor.get("/demo/"))
    code = re.search(r'name="code" value="(\d{16})"', text)[1]
    assert case.reference in page(visitor.post("/follow/", {"code": code}))
    assert text.count('aria-current="step"') == 2 and 'data-step="ask"' in text
    assert text.index('id="story"') < text.index('value="citizen"'), "a story under way stands before the chairs"
    assert 'data-step="answer"' not in text, "a step to come links to nothing yet"


def test_the_act_of_the_story_merges_and_carries_the_promise(visitor):
    key, act = story.begin()
    case = Case.system("test").get(pk=key)
    due = {o.clock: o.due_at for o in Obligation.system("test").open().filter(matter=key)}
    told = story.read(str(key), str(act))
    units.schedule_act(act=told.act, by=story._BY)
    moved = Case.system("test").get(pk=key)
    assert moved.holder_id != case.holder_id
    assert {o.clock: o.due_at for o in Obligation.system("test").open().filter(matter=key)} == due
    assert story.read(str(key), str(act)).officer is not None, "an officer answers at the new commune"


def test_a_story_told_again_merges_other_communes(visitor):
    first = story.read(*map(str, story.begin()))
    units.schedule_act(act=first.act, by=story._BY)
    second = story.read(*map(str, story.begin()))
    units.schedule_act(act=second.act, by=story._BY)
    assert not set(first.act.ended_units()) & set(second.act.ended_units())


def test_a_story_that_the_province_has_forgotten_is_offered_anew(visitor):
    visitor.post("/demo/story/")
    nobody = UUID(int=0)
    assert story.read(str(nobody), str(nobody)) is None
    visitor.cookies["gandan_story"] = "forged:value"
    assert 'data-step="begin"' in page(visitor.get("/demo/"))


def test_a_chair_leads_only_to_pages_of_this_house(visitor):
    for elsewhere in ("https://example.org/", "//example.org/", "javascript:alert(1)"):
        answer = visitor.post("/demo/sit/", {"role": "officer", "to": elsewhere})
        assert answer["Location"] == "/desk/"
    assert visitor.post("/demo/sit/", {"role": "officer", "unit": "none"}).status_code == 404
    assert visitor.post("/demo/sit/", {"role": "emperor"}).status_code == 404


def test_the_form_that_is_sent_twice_makes_one_matter_and_one_receipt(visitor):
    before = Case.system("test").count()
    place = visitor.post("/demo/twice/")["Location"]
    answers = [page(visitor.post(place)) for _ in range(2)]
    codes = {re.search(r"\d{4}\D{1,60}\d{4}\D{1,60}\d{4}\D{1,60}\d{4}", answer)[0] for answer in answers}
    assert len(codes) == 1 and Case.system("test").count() == before + 1


def test_the_sealed_complaint_opens_to_the_inspector_and_to_nobody_it_is_about(visitor):
    case = story.sealed()
    place = f"/desk/cases/{case.pk}/"
    for role, status in (("chief", 404), ("officer", 404), ("oversight", 200)):
        values = {"role": role, "to": place} | ({} if role == "oversight" else {"unit": str(case.received_by_id)})
        assert visitor.post("/demo/sit/", values)["Location"] == place
        assert visitor.get(place).status_code == status, role


def test_four_and_seven_and_two_are_thirteen_on_the_new_map_and_themselves_on_the_old(visitor):
    found = trials.restate(["4", "7", "2"])
    assert [figure for *_, figure in found.parts] == ["4", "7", "2"]
    assert [figure for *_, figure in found.whole] == ["13"]
    text = page(visitor.get("/demo/restated/"))
    assert "data-sum>13<" in text
    assert "data-sum>111<" in page(visitor.get("/demo/restated/", {"a": "100", "b": "10", "c": "1"}))
    for wrong in ("-1", "x", "9" * 30, ""):
        assert visitor.get("/demo/restated/", {"a": wrong, "b": "1", "c": "2"}).status_code == 422


def test_a_tampered_copy_is_found_broken_where_it_was_altered_and_the_record_stays_whole(visitor):
    for number in (1, 40, 300):
        found = trials.tamper(number)
        assert found.whole.intact and found.copy.faults[0] == (number, "altered")
    assert visitor.get("/demo/tampered/").status_code == 200
    for wrong in ("0", "9999999", "x", ""):
        assert visitor.get("/demo/tampered/", {"number": wrong}).status_code == 422


def test_outside_the_demo_nothing_of_it_exists(db, settings):
    settings.GANDAN_DEMO = False
    client = Client()
    assert {client.get(f"/demo/{name}/").status_code for name in ("restated", "tampered")} == {404}
    assert {client.post(f"/demo/{name}/").status_code for name in ("story", "twice", "put-back")} == {404}


@pytest.mark.sqlite
def test_a_database_is_put_back_whole_while_others_read_it(tmp_path):
    for name, rows in (("new", 3), ("served", 5)):
        with sqlite3.connect(tmp_path / name) as made:
            made.execute("PRAGMA journal_mode=WAL")
            made.execute("CREATE TABLE kept (n)")
            made.execute("CREATE TRIGGER never BEFORE DELETE ON kept BEGIN SELECT RAISE(ABORT, 'no'); END")
            made.executemany("INSERT INTO kept VALUES (?)", [(n,) for n in range(rows)])
        made.close()
    reader = sqlite3.connect(tmp_path / "served")
    assert reader.execute("SELECT count(*) FROM kept").fetchone() == (5,)
    renewal._copy(tmp_path / "new", tmp_path / "served")
    assert reader.execute("SELECT count(*) FROM kept").fetchone() == (3,)
    assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    reader.close()


def test_where_the_province_cannot_be_put_back_the_page_says_so(visitor, monkeypatch):
    monkeypatch.setattr("gandan.demo.renewal.possible", lambda: False)
    assert "put-back" not in page(visitor.get("/demo/"))
    assert visitor.post("/demo/put-back/").status_code == 404


def test_living_communes_are_enough_for_many_stories(visitor):
    assert Unit.objects.filter(level="commune", valid_to=None).count() > 30
