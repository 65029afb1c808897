"""The merger of July 2025 itself, lived through: a matter is brought to an old commune and answered by the new one.

The server stands in June first. `gandan work` puts the act in force on its day, as it would a registrar's, and
the server goes on in July.
"""

import pytest

from tests.browser import axe, overflow
from tests.conftest import Prepared
from tests.journeys.test_loop import brings, desk_of, follows, press, sit

pytestmark = pytest.mark.journey

JUNE, JULY = "2025-06-30T23:45", "2025-07-01T00:05"
"""The last quarter of an hour of the old map, and the first minutes of the new one: nobody is signed out in between."""


@pytest.fixture(scope="module")
def june(tmp_path_factory):
    """The demo province in the last quarter of an hour of the old map, ready to be copied."""
    ready = Prepared(tmp_path_factory.mktemp("june"), today=JUNE)
    try:
        ready.build()
        yield ready
    finally:
        ready.close()


@pytest.fixture
def live(june):
    server = june.copy()
    try:
        server.start()
        yield server
    finally:
        server.stop()
        june.drop(server)


def due(page):
    return page.locator(".chip-due, .clock-due, [class*=due] time, main time").first.get_attribute("datetime")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_matter_crosses_the_merger_of_july_2025(live, visitor, language):
    prefix = {"vi": "", "en": "/en"}[language]
    officer = sit(visitor(language=language), live, "officer", language)
    old = desk_of(officer)
    citizen = visitor(language=language, width=360)
    words = "Cầu treo gãy ván, trẻ em đi học nguy hiểm"
    code = brings(citizen, live, language, old, words)
    officer.goto(live.address(f"{prefix}/desk/cases/?q=cau+treo+gay+van"))
    press(officer, "table th a")
    matter = officer.url
    press(officer, "form[action$='/take/'] button")
    follows(citizen, live, language, code)
    promised = due(citizen)
    registrar = sit(visitor(language=language), live, "registrar", language)
    assert "02/NQ-MS" in registrar.locator("main").inner_text(), "the act waits for its day"

    live.stop()
    live.environment["GANDAN_TODAY"] = JULY
    assert live.command("work", "--once").returncode == 0
    live.start()

    follows(citizen, live, language, code)
    text = citizen.locator("main").inner_text()
    assert old in text, "the citizen reads which commune was merged"
    assert due(citizen) == promised, "the promise keeps its date"
    assert axe(citizen) == [] and overflow(citizen) == []
    officer.goto(matter)
    new = desk_of(officer)
    assert new in text, "the officer goes on at the successor"
    press(officer, "details:has(form[action$='/answer/']) summary")
    officer.locator("form[action$='/answer/'] textarea[name=text]").fill("Đã thay ván cầu sáng nay.")
    press(officer, "form[action$='/answer/'] button")

    follows(citizen, live, language, code)
    assert "Đã thay ván cầu sáng nay." in citizen.locator("main").inner_text()
    citizen.locator("input[name=score][value='4']").check()
    press(citizen, "form:has(input[value=rate]) button")
    citizen.goto(live.address(f"{prefix}/units/?q={new}"))
    slug = citizen.locator("main ul a").first.get_attribute("href").rstrip("/").rsplit("/", 1)[1]
    assert slug.endswith("-202507"), "a unit of the new map, whatever its name"
    citizen.goto(live.address(f"{prefix}/units/{slug}/results/"))
    row = citizen.request.get(live.address(f"/units/{slug}/results/?format=json")).json()["rows"][0]
    assert row["settled"] >= 1 and row["ratings"] >= 1 and row["former_units_added"] >= 1
    assert row["in_time"] >= 1, "kept in time, by the date promised before the merger"
    assert axe(citizen) == [] and overflow(citizen) == []
    assert live.command("check").returncode == 0
