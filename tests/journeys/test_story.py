"""A stranger with a phone walks the guided story to its end, then tries to break what the cards offer."""

import re

import pytest

from tests.browser import axe, overflow

pytestmark = pytest.mark.journey

PREFIX = {"vi": "", "en": "/en"}


def story(page, scripts):
    """Return to the story as a stranger does, by the link at the top of every page."""
    page.locator("aside.demo a").click()
    current = page.locator("[aria-current=step]").first.bounding_box()
    assert 0 <= current["y"] < 400, "one comes back to what is to be done now"
    # What judges a page is a script itself.
    assert not scripts or axe(page) + overflow(page) == []


def step(page, name):
    page.locator(f"[data-step={name}]").click()


def do(page, action, **values):
    """Open the card of an action on the matter's page, fill it in and send it."""
    form = page.locator(f"form[action$='/{action}/']")
    if values:
        page.locator(f"details:has(form[action$='/{action}/']) > summary").click()
    for name, value in values.items():
        form.locator(f"[name={name}]").fill(value)
    form.locator("button.govuk-button").click()


@pytest.mark.parametrize(("language", "scripts"), [("vi", True), ("en", False)])
def test_a_stranger_finishes_the_story_on_a_phone(live, visitor, language, scripts):
    page = visitor(language=language, width=360, scripts=scripts)
    page.goto(live.address(f"{PREFIX[language]}/"))
    story_page = page.locator("aside.demo a")
    story_page.click()
    step(page, "begin")

    step(page, "comes")
    text = page.locator("main").inner_text()
    assert "22:40" in text, "the receipt says when the call came, to the minute"
    page.locator("details.card summary").first.click()
    assert re.search(r"\d{2}/\d{2}/\d{4}|\d{1,2} \w+ \d{4}", page.locator("details.card").first.inner_text())

    story(page, scripts)
    step(page, "ask")
    do(page, "take")
    do(page, "ask", items="Giấy tờ chứng minh chỗ ở")
    assert "Giấy tờ chứng minh chỗ ở" in page.locator("main").inner_text()
    former = page.locator("header .mark small").inner_text()

    story(page, scripts)
    step(page, "merge")
    assert former in page.locator("main").inner_text(), "the preview names what it moves"
    page.locator("form[action$='/schedule/'] button").click()

    story(page, scripts)
    step(page, "supply")
    text = page.locator("main").inner_text()
    assert former in text and "–" in text, "the citizen reads who has it now"
    page.locator("form:has(input[value=supply]) textarea").fill("Tôi gửi giấy chứng minh chỗ ở.")
    page.locator("form:has(input[value=supply]) button.govuk-button").click()

    story(page, scripts)
    step(page, "answer")
    do(page, "answer", text="Đã đăng ký tạm trú cho hai người.")

    story(page, scripts)
    step(page, "rate")
    page.locator("input[name=score][value='5']").check()
    page.locator("form:has(input[value=rate]) button.govuk-button").click()

    story(page, scripts)
    step(page, "results")
    figures = page.request.get(page.url.split("?")[0] + "?format=json").json()["rows"][0]
    assert figures["settled"] >= 1 and figures["ratings"] >= 1 and figures["former_units_added"] >= 2
    assert live.command("check").returncode == 0, "the record is whole after the story"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_cards_of_what_may_be_tried_do_what_they_say(live, visitor, language):
    page = visitor(language=language, width=360)
    home = live.address(f"{PREFIX[language]}/demo/")

    page.goto(home)
    page.locator("[data-try=twice]").click()
    page.locator("main form button.govuk-button").last.click()
    first = page.locator("main").inner_text()
    page.go_back()
    page.reload()
    page.locator("main form button.govuk-button").last.click()
    code = re.compile(r"\d{4}\s\d{4}\s\d{4}\s\d{4}")
    assert code.search(first)[0] == code.search(page.locator("main").inner_text())[0]

    page.goto(home)
    page.locator("[data-try=sealed-chief]").click()
    assert page.locator("main.fault").count() == 1, "to the chief the complaint does not exist"
    matter = page.url
    page.goto(home)
    page.locator("[data-try=sealed-inspector]").click()
    assert page.url == matter and page.locator("#doing").count() == 1

    page.goto(home)
    page.locator("[data-try=restated]").click()
    assert page.locator("[data-sum]").inner_text() == "13"
    assert axe(page) == [] and overflow(page) == []

    page.goto(home)
    page.locator("[data-try=tampered]").click()
    page.locator("input[name=number]").fill("7")
    page.locator("main form button.govuk-button").click()
    assert axe(page) == [] and overflow(page) == []
    assert "7" in page.locator(".grid--tiles").inner_text()
    assert live.command("audit", "verify").returncode == 0


@pytest.mark.sqlite
def test_the_demo_is_put_back_as_it_was(live, visitor):
    page = visitor(width=360)
    page.goto(live.address("/demo/"))
    page.locator("[data-step=begin]").click()
    assert page.locator("[data-step=ask]").count() == 1
    page.locator("form[action$='/put-back/'] button").click()
    page.wait_for_url("**/demo/", timeout=180_000)
    assert page.locator("[data-step=ask]").count() == 0 and page.locator("[data-step=begin]").count() == 1
    assert live.command("check").returncode == 0
    page.locator("button[value=officer]").click()
    assert page.locator("table th a").count() > 0
