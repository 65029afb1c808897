"""Every main page, in both languages: accessible, fitting, light, and usable without scripts."""

import re

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


class Seen:
    """What all the pages of this run showed."""

    def __init__(self):
        self.pages, self.inaccessible, self.breaches = set(), [], []

    def look(self, page, name):
        """Return what is wrong with the page as it is now."""
        found = axe(page)
        self.pages.add(name)
        self.inaccessible += [f"{name}: {fault}" for fault in found]
        return found + overflow(page)

    def told(self, figure, watch):
        self.breaches += [fault for fault in watch.faults if "content policy" in fault or "elsewhere" in fault]
        command = "python -m pytest tests/journeys/test_pages.py --results benchmarks/results/journeys"
        whole = len(self.pages) >= LEAST
        few = "" if whole else f"{len(self.pages)} pages instead of {LEAST}"
        figure(
            26,
            "axe",
            title="Serious and critical faults of accessibility",
            target="none on the public pages, at the desks, and on the way of a report without a name",
            command=command,
            figures={"pages": len(self.pages), "faults": len(self.inaccessible), "first": self.inaccessible[:20]},
            kept=whole and not self.inaccessible,
            note=few,
        )
        figure(
            19,
            "content-policy",
            title="Breaches of the content policy, and requests to other places, in a real browser",
            target="none on any of these pages",
            command=command,
            figures={"pages": len(self.pages), "breaches": len(self.breaches), "first": self.breaches[:20]},
            kept=whole and not self.breaches,
            note=few,
        )


SEEN = Seen()
LEAST = 2 * len(PUBLIC) + 2 * sum(map(len, STAFF.values())) + 9


@pytest.mark.parametrize("language", ["vi", "en"])
def test_public_pages_are_accessible_and_fit(live_reading, visitor, watch, figure, language):
    prefix = "/en" if language == "en" else ""
    page = visitor(language=language)
    faults = {}
    for path in PUBLIC:
        answer = page.goto(live_reading.address(prefix + path))
        assert answer.status == 200, path
        faults[path] = SEEN.look(page, prefix + path)
    SEEN.told(figure, watch)
    assert not any(faults.values()), faults


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_desks_are_accessible_and_fit(live_reading, visitor, watch, figure, scheme):
    faults = {}
    for chair, paths in STAFF.items():
        page = visitor(color_scheme=scheme)
        page.goto(live_reading.address("/demo/"))
        page.locator(f"button[value={chair}]").click()
        for path in paths:
            assert page.goto(live_reading.address(path)).status == 200, path
            faults[path] = SEEN.look(page, f"{path} {scheme}")
    SEEN.told(figure, watch)
    assert not any(faults.values()), faults


def test_a_matter_is_accessible_in_every_width(live_reading, visitor, watch, figure):
    page = visitor()
    page.goto(live_reading.address("/demo/"))
    page.locator("button[value=officer]").click()
    page.locator("table th a").first.click()
    faults = SEEN.look(page, "a matter")
    SEEN.told(figure, watch)
    assert faults == []


def test_the_way_of_a_report_without_a_name_is_accessible(live, visitor, watch, figure):
    """Every step, to the receipt and to following the matter by its code."""
    page = visitor(width=360)
    faults = {}

    def look(step):
        faults[step] = SEEN.look(page, f"report: {step}")

    def send():
        page.locator("main form button.govuk-button:not(.govuk-button--secondary)").last.click()

    page.goto(live.address("/report/?kind=FB-01"))
    page.locator("input[name=kind][value='FB-01']").check()
    look("what it is about")
    send()
    place = page.locator("input[name=place_name]")
    look("where")
    place.fill("Nà")
    send()
    if page.locator("textarea[name=text]").count() == 0:
        page.locator("main input[type=radio]").first.check()
        send()
    look("what happened")
    page.locator("textarea[name=text]").fill("Cột đèn đầu bản bị gãy")
    send()
    look("pictures")
    send()
    page.locator("input[name=anonymous][value=yes]").check()
    look("without a name")
    send()
    look("read it again")
    send()
    look("the receipt")
    digits = re.search(r"\d{4}\s\d{4}\s\d{4}\s\d{4}", page.locator("main").inner_text())
    assert digits, "the receipt shows no code"
    page.goto(live.address("/follow/"))
    page.locator("input[name=code]").fill(digits[0])
    send()
    look("following it")
    SEEN.told(figure, watch)
    assert len(faults) == 8 and not any(faults.values()), faults


def test_faults_planted_in_a_page_of_ours_would_be_found(live_reading, page, watch, figure):
    """The controls: a picture without words and a field without a name; a script written into the page."""
    page.goto(live_reading.address("/"))
    page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"data:,\"><input>')")
    found = " ".join(axe(page))
    figure.control("axe", "a picture without words", noticed="image-alt" in found)
    figure.control("axe", "a field without a name", noticed="label" in found)
    assert "image-alt" in found and "label" in found
    page.evaluate(
        "document.body.appendChild(Object.assign(document.createElement('script'), {textContent: 'window.x = 1'}))"
    )
    for _ in range(100):
        # A browser tells of a breach when it comes to it; a busy machine takes longer.
        if watch.faults:
            break
        page.wait_for_timeout(100)
    page.context.close()  # one breach may be told twice; nothing is told after this
    told, watch.faults[:] = list(watch.faults), []
    noticed = any("content policy" in fault for fault in told)
    figure.control("content-policy", "a script written into the page", noticed=noticed)
    assert noticed, told


def test_public_pages_weigh_at_most_a_hundred_kilobytes_on_first_load(live_reading, browser):
    weights = {path: first_load(browser, live_reading.address(path)).total for path in ("/", "/report/", "/results/")}
    assert all(weight <= 100_000 for weight in weights.values()), weights
