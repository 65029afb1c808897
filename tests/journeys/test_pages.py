"""Every main page, in both languages: accessible, fitting, light, and usable without scripts."""

import pytest

from tests.browser import axe, first_load, overflow

pytestmark = pytest.mark.journey

PUBLIC = [
    "/",
    "/procedures/",
    "/procedures/CR-01/",
    "/report/",
    "/follow/",
    "/units/",
    "/results/",
    "/privacy/",
    "/demo/",
    "/account/login/",
    "/search/?q=tam+tru",
    "/accessibility/",
]
STAFF = {
    "officer": ["/desk/", "/desk/cases/", "/desk/cases/new/", "/desk/notices/", "/account/"],
    "commander": ["/desk/command/"],
    "auditor": ["/desk/audit/?seed=7"],
    "registrar": ["/admin/units/", "/admin/calendar/", "/admin/calendar/day/", "/admin/terms/"],
    "administrator": ["/admin/people/", "/admin/people/invite/"],
}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_public_pages_are_accessible_and_fit(live_reading, visitor, language):
    prefix = "/en" if language == "en" else ""
    page = visitor(language=language)
    faults = {}
    for path in PUBLIC:
        answer = page.goto(live_reading.address(prefix + path))
        assert answer.status == 200, path
        faults[path] = axe(page) + overflow(page)
    assert not any(faults.values()), faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_desks_are_accessible_and_fit(live_reading, visitor, scheme):
    faults = {}
    for chair, paths in STAFF.items():
        page = visitor(color_scheme=scheme)
        page.goto(live_reading.address("/demo/"))
        page.locator(f"button[value={chair}]").click()
        for path in paths:
            assert page.goto(live_reading.address(path)).status == 200, path
            faults[path] = axe(page) + overflow(page)
    assert not any(faults.values()), faults


def test_a_matter_is_accessible_in_every_width(live_reading, visitor):
    page = visitor()
    page.goto(live_reading.address("/demo/"))
    page.locator("button[value=officer]").click()
    page.locator("table th a").first.click()
    assert axe(page) == [] and overflow(page) == []


def test_public_pages_weigh_at_most_a_hundred_kilobytes_on_first_load(live_reading, browser):
    weights = {path: first_load(browser, live_reading.address(path)).total for path in ("/", "/report/", "/results/")}
    assert all(weight <= 100_000 for weight in weights.values()), weights
