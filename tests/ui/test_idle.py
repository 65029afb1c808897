"""Before the server ends a session the desk asks, keeps it alive for those who work, and never loses what was typed."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.journey
Visitor = Callable[..., Any]
MINUTE = 60_000


class KeepAlive:
    """The server's answer to the keep-alive, as a test wants it."""

    def __init__(self, page: Any) -> None:
        self.asked = 0
        self.status: int | None = 200
        page.route("**/keep-alive/", self._answer)

    def _answer(self, route: Any) -> None:
        self.asked += 1
        if self.status is None:
            route.abort()
        else:
            route.fulfill(status=self.status, json={"seconds": 900})


@pytest.fixture
def desk(site: str, visitor: Visitor, settings: Any) -> tuple[Any, KeepAlive]:
    settings.GANDAN_IDLE_SECONDS = 900
    page = visitor()
    page.clock.install()
    answers = KeepAlive(page)
    page.goto(site + "/gallery/desk/")
    page.locator("#id_q").fill("trâu")
    return page, answers


def ask_is_open(page: Any) -> bool:
    return bool(page.evaluate("document.getElementById('idle').open"))


def test_nothing_is_asked_before_the_last_two_minutes(desk: tuple[Any, KeepAlive]) -> None:
    page, _ = desk
    page.clock.run_for(12 * MINUTE)
    assert not ask_is_open(page)
    page.clock.run_for(2 * MINUTE)
    assert ask_is_open(page)
    assert page.evaluate("document.activeElement.id") == "idle-stay"


def test_the_time_left_is_spoken_at_two_minutes_one_minute_and_fifteen_seconds_only(
    desk: tuple[Any, KeepAlive],
) -> None:
    page, _ = desk
    page.evaluate(
        """() => {
          const voice = document.getElementById("idle-say");
          window.heard = [];
          new MutationObserver(() => heard.push(voice.textContent)).observe(voice, {childList: true});
        }"""
    )
    page.clock.run_for(15 * MINUTE - 2000)
    assert page.evaluate("heard") == [
        "Phiên làm việc sẽ đóng sau 2 phút.",
        "Phiên làm việc sẽ đóng sau 1 phút.",
        "Phiên làm việc sẽ đóng sau 15 giây.",
    ]


def test_whoever_stays_goes_on_where_they_were(desk: tuple[Any, KeepAlive]) -> None:
    page, answers = desk
    page.clock.run_for(14 * MINUTE)
    asked = answers.asked
    page.get_by_role("button", name="Tôi vẫn đang làm").click()
    page.wait_for_function("!document.getElementById('idle').open")
    assert answers.asked == asked + 1
    page.clock.run_for(12 * MINUTE)
    assert not ask_is_open(page)
    assert page.locator("#id_q").input_value() == "trâu"


def test_escape_stays_too(desk: tuple[Any, KeepAlive]) -> None:
    page, _ = desk
    page.clock.run_for(14 * MINUTE)
    page.keyboard.press("Escape")
    page.wait_for_function("!document.getElementById('idle').open")


def test_whoever_types_is_not_asked_and_the_server_hears_of_it(desk: tuple[Any, KeepAlive]) -> None:
    page, answers = desk
    for _ in range(8):
        page.clock.run_for(3 * MINUTE)
        with page.expect_response("**/keep-alive/"):
            page.locator("#id_q").press("a")
            page.clock.run_for(2000)
    assert not ask_is_open(page)
    assert 8 <= answers.asked <= 10


def test_a_lost_connection_is_told_and_tried_again(desk: tuple[Any, KeepAlive]) -> None:
    page, answers = desk
    page.clock.run_for(14 * MINUTE)
    answers.status = None
    page.get_by_role("button", name="Tôi vẫn đang làm").click()
    page.get_by_text("Không liên lạc được với máy chủ nên phiên").wait_for()
    assert ask_is_open(page)
    answers.status = 200
    page.get_by_role("button", name="Tôi vẫn đang làm").click()
    page.wait_for_function("!document.getElementById('idle').open")


def test_an_ended_session_covers_the_page_and_keeps_what_was_typed(desk: tuple[Any, KeepAlive]) -> None:
    page, _ = desk
    page.clock.run_for(15 * MINUTE + 2000)
    page.get_by_role("heading", name="Phiên làm việc đã đóng").wait_for()
    page.keyboard.press("Escape")
    assert ask_is_open(page)
    backdrop = page.evaluate("getComputedStyle(document.getElementById('idle'), '::backdrop').backgroundColor")
    assert backdrop == "rgb(8, 60, 51)"
    assert page.locator("#id_q").input_value() == "trâu"
    assert page.get_by_role("link", name="Đăng nhập lại").get_attribute("href") == "/sign-in/"


def test_a_refused_keep_alive_ends_the_session_at_once(desk: tuple[Any, KeepAlive]) -> None:
    page, answers = desk
    page.clock.run_for(14 * MINUTE)
    answers.status = 403
    page.get_by_role("button", name="Tôi vẫn đang làm").click()
    page.get_by_role("heading", name="Phiên làm việc đã đóng").wait_for()


def test_signing_in_in_another_tab_opens_the_page_again_with_a_fresh_token(
    desk: tuple[Any, KeepAlive], site: str
) -> None:
    page, _ = desk
    page.clock.run_for(15 * MINUTE + 2000)
    page.get_by_role("heading", name="Phiên làm việc đã đóng").wait_for()
    page.evaluate("for (const f of document.querySelectorAll('[name=csrfmiddlewaretoken]')) f.value = 'stale'")
    other = page.context.new_page()
    other.route("**/keep-alive/", lambda route: route.fulfill(status=200, json={"seconds": 900}))
    other.goto(site + "/gallery/desk/")
    page.wait_for_function("!document.getElementById('idle').open")
    token = page.evaluate("document.querySelector('[name=csrfmiddlewaretoken]').value")
    assert token == other.evaluate("document.querySelector('[name=csrfmiddlewaretoken]').value")
    assert page.locator("#id_q").input_value() == "trâu"


def test_work_in_one_tab_keeps_the_other_tab_quiet(desk: tuple[Any, KeepAlive], site: str) -> None:
    page, _ = desk
    page.clock.run_for(14 * MINUTE)
    assert ask_is_open(page)
    other = page.context.new_page()
    other.goto(site + "/gallery/desk/")
    page.wait_for_function("!document.getElementById('idle').open")


def test_another_person_signing_in_does_not_open_it(desk: tuple[Any, KeepAlive], site: str) -> None:
    page, _ = desk
    page.clock.run_for(15 * MINUTE + 2000)
    page.get_by_role("heading", name="Phiên làm việc đã đóng").wait_for()
    other = page.context.new_page()
    other.goto(site + "/gallery/home/")
    with page.expect_navigation():
        other.evaluate("new BroadcastChannel('gandan-session').postMessage({kind: 'signed-in', who: '8', token: 'x'})")
    assert page.locator("#id_q").input_value() == ""


def test_leaving_in_one_tab_covers_the_others(desk: tuple[Any, KeepAlive], site: str) -> None:
    page, _ = desk
    other = page.context.new_page()
    other.goto(site + "/gallery/desk/")
    other.get_by_text("Đại úy Lò Thị Xuân").click()
    other.route("**/sign-out/", lambda route: route.fulfill(status=200, body="bye"))
    other.get_by_role("button", name="Đăng xuất", exact=True).click()
    page.get_by_role("heading", name="Phiên làm việc đã đóng").wait_for()
