"""What a phone of 360 points shows of a public page before one scrolls, and that nothing wraps into rubble."""

import pytest

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_head_of_a_page_leaves_most_of_a_phone_to_the_page(live, visitor, language):
    page = visitor(language=language, width=360)
    page.goto(live.address("/procedures/" if language == "vi" else "/en/procedures/"))
    assert page.locator("main").bounding_box()["y"] <= 260
    rows = {round(link.bounding_box()["y"]) for link in page.locator(".menu a").all()}
    assert len(rows) == 2, "the menu takes two lines"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_steps_of_a_report_stand_in_one_line(live, visitor, language):
    page = visitor(language=language, width=360)
    page.goto(live.address("/report/?kind=FB-01" if language == "vi" else "/en/report/?kind=FB-01"))

    def go_on():
        page.locator("main form button.govuk-button").first.click()
        marks = page.locator(".steps li").all()
        assert len({round(mark.bounding_box()["y"] + mark.bounding_box()["height"] / 2) for mark in marks}) == 1

    go_on()
    page.locator("[name=place_name]").fill("phin sao")
    go_on()
    page.locator("[name=text]").fill("Đường tối")
    go_on()
    go_on()
    assert page.locator("[name=name]").is_visible()
    page.locator("[name=anonymous][value=yes]").check()
    assert not page.locator("[name=name]").is_visible(), "who stays unnamed is asked for no name"
    go_on()


def test_the_names_of_a_wide_table_stay_in_view_while_it_is_pushed_sideways(live, visitor):
    page = visitor(width=360)
    page.goto(live.address("/results/"))
    name = page.locator("tbody th").first
    before = name.bounding_box()
    page.locator(".sheet").first.evaluate("(sheet) => sheet.scrollTo(400, 0)")
    assert name.bounding_box()["x"] == pytest.approx(before["x"], abs=1)
    assert before["height"] < 60, "a name takes a line or two, not four"


def test_who_changes_the_language_in_the_middle_of_a_form_keeps_what_was_typed(live, visitor):
    page = visitor(width=360)
    page.goto(live.address("/report/?kind=FB-01"))
    page.locator("main form button.govuk-button").first.click()
    page.locator("[name=place_name]").fill("phin sao")
    page.locator("main form button.govuk-button").first.click()
    page.locator("[name=text]").fill("Đường vào bản tối.\nKhông có đèn.")
    page.locator(".languages a").click()
    assert page.url.startswith(live.address("/en/report/"))
    assert page.locator("[name=text]").input_value() == "Đường vào bản tối.\nKhông có đèn."
    assert page.evaluate("sessionStorage.length") == 0, "carried once"
    page.reload()
    assert page.locator("[name=text]").input_value() == ""
