"""The whole loop, walked by four people in a real browser: from what a citizen brings to a published answer."""

import re

import pytest

from tests.browser import axe, overflow

pytestmark = [pytest.mark.journey, pytest.mark.loop]

PREFIX = {"vi": "", "en": "/en"}


def sit(page, live, chair, language):
    page.goto(live.address(f"{PREFIX[language]}/demo/"))
    page.locator(f"button[value={chair}]").click()
    return page


def press(page, selector):
    page.locator(selector).first.click()


def send(page):
    page.locator("main form button.govuk-button:not(.govuk-button--secondary)").last.click()


def brings(page, live, language, place, text, kind="FB-01"):
    """Walk the pages of the report and return the sixteen digits."""
    page.goto(live.address(f"{PREFIX[language]}/report/?kind={kind}"))
    page.locator(f"input[name=kind][value='{kind}']").check()
    send(page)
    page.locator("input[name=place_name]").fill(place)
    send(page)
    page.locator("textarea[name=text]").fill(text)
    send(page)
    send(page)
    page.locator("input[name=anonymous][value=yes]").check()
    send(page)
    assert text in page.locator("main").inner_text()
    send(page)
    digits = re.search(r"\d{4}\s\d{4}\s\d{4}\s\d{4}", page.locator("main").inner_text())
    assert digits, "the receipt shows no code"
    return digits[0]


def follows(page, live, language, code):
    page.goto(live.address(f"{PREFIX[language]}/follow/"))
    page.locator("input[name=code]").fill(code)
    send(page)
    assert code.replace(" ", "") not in page.url
    return page


def received(page, live, slug):
    answer = page.request.get(live.address(f"/units/{slug}/results/?format=json"))
    return answer.json()["rows"][0]["received"]


def desk_of(page):
    """Return the name of the unit whose desk is open."""
    return page.locator("header .mark small").inner_text()


@pytest.mark.parametrize(("language", "scripts"), [("vi", True), ("en", True), ("vi", False)])
def test_from_what_a_citizen_brings_to_a_published_answer(live, visitor, language, scripts):
    officer = sit(visitor(language=language, scripts=scripts), live, "officer", language)
    place = desk_of(officer)
    citizen = visitor(language=language, width=360, scripts=scripts)
    citizen.goto(live.address(f"{PREFIX[language]}/units/?q={place}"))
    slug = citizen.locator("main ul a").first.get_attribute("href").rstrip("/").rsplit("/", 1)[1]
    before = received(citizen, live, slug)
    text = f"Cột điện nghiêng ở đầu bản, nhờ xem giúp ({language}{scripts})"
    code = brings(citizen, live, language, place, text)

    officer.goto(live.address(f"{PREFIX[language]}/desk/cases/?q=cot+dien+nghieng"))
    press(officer, "table th a")
    matter = officer.url
    press(officer, "form[action$='/take/'] button")
    press(officer, "details:has(form[action$='/ask/']) summary")
    officer.locator("form[action$='/ask/'] textarea[name=items]").fill("Ảnh cột điện\nTên đường")
    press(officer, "form[action$='/ask/'] button")
    assert "Ảnh cột điện" in officer.locator("main").inner_text()

    follows(citizen, live, language, code)
    assert "Ảnh cột điện" in citizen.locator("main").inner_text()
    citizen.locator("form:has(input[value=supply]) textarea").fill("Đường vào nhà văn hóa")
    press(citizen, "form:has(input[value=supply]) button")

    officer.goto(matter)
    press(officer, "details:has(form[action$='/answer/']) summary")
    officer.locator("form[action$='/answer/'] textarea[name=text]").fill("Điện lực đã dựng lại cột hôm nay.")
    press(officer, "form[action$='/answer/'] button")

    follows(citizen, live, language, code)
    assert "Điện lực đã dựng lại cột hôm nay." in citizen.locator("main").inner_text()
    assert axe(citizen) == [] and overflow(citizen) == [] if scripts else True
    citizen.locator("input[name=score][value='5']").check()
    press(citizen, "form:has(input[value=rate]) button")
    assert citizen.locator("form:has(input[value=rate])").count() == 0, "a second score is offered"
    assert received(citizen, live, slug) == before + 1
    assert live.command("check").returncode == 0, "the record is not whole after the loop"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_matter_crosses_a_merger_with_its_date(live, visitor, language):
    officer = sit(visitor(language=language), live, "officer", language)
    place = desk_of(officer)
    citizen = visitor(language=language)
    code = brings(citizen, live, language, place, "Cầu treo gãy ván, trẻ em đi học nguy hiểm")
    follows(citizen, live, language, code)
    due = citizen.locator(".chip-due, .clock-due, [class*=due] time, main time").first.get_attribute("datetime")
    citizen.goto(live.address(f"{PREFIX[language]}/units/?q={place}"))
    citizen.locator("main ul a").first.click()
    old = re.search(r"\b99\d{3}\b", citizen.locator("main").inner_text())[0]

    registrar = sit(visitor(language=language), live, "registrar", language)
    press(registrar, "details:has(input[name=decree]) > summary")
    registrar.locator("input[name=decree]").fill("3/NQ-MS")
    registrar.locator("input[name=title]").fill("Đặt tên lại")
    for field, parts in (("decided_on", ("20", "11", "2026")), ("effective_on", ("23", "11", "2026"))):
        for name, value in zip(("day", "month", "year"), parts, strict=True):
            registrar.locator(f"input[name={field}_{name}]").fill(value)
    press(registrar, "details:has(input[name=decree]) button.govuk-button")
    registrar.locator("textarea[name=table]").fill(f"{old}; 99901; Phường; Ban Mai")
    press(registrar, "form[action$='/parts/'] button")
    press(registrar, "form[action$='/check/'] button")
    press(registrar, "a[href$='/preview/']")
    assert place in registrar.locator("main").inner_text()
    registrar.go_back()
    press(registrar, "form[action$='/schedule/'] button")

    follows(citizen, live, language, code)
    text = citizen.locator("main").inner_text()
    assert "Phường Ban Mai" in text and place in text
    assert due == citizen.locator(".chip-due, .clock-due, [class*=due] time, main time").first.get_attribute("datetime")
    officer.goto(live.address(f"{PREFIX[language]}/desk/"))
    assert desk_of(officer) == "Phường Ban Mai", "the officer goes on at the successor"
    assert live.command("check").returncode == 0
