"""The gallery in a real browser: accessible and whole at every width and in both colours, with and without scripts."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import axe, overflow

pytestmark = pytest.mark.journey
PAGES = ("/gallery/", "/gallery/home/", "/gallery/form/", "/gallery/desk/", "/conversions/", "/nothing/")
Visitor = Callable[..., Any]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 360])
def test_axe_finds_nothing(site: str, visitor: Visitor, path: str, scheme: str, width: int) -> None:
    page = visitor(width=width, color_scheme=scheme)
    page.goto(site + path)
    assert axe(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_reaches_beyond_the_window(site: str, visitor: Visitor, path: str) -> None:
    for language in ("", "/en"):
        page = visitor()
        page.goto(site + language + path)
        assert overflow(page) == []


def test_icons_and_fonts_are_drawn_under_the_strict_policy(site: str, visitor: Visitor) -> None:
    page = visitor()
    page.goto(site + "/gallery/home/", wait_until="networkidle")
    shown = "[...document.querySelectorAll('svg.icon')].filter((icon) => icon.checkVisibility())"
    drawn = page.evaluate(shown + ".map((icon) => icon.getBBox().width)")
    assert len(drawn) > 8
    assert min(drawn) > 3
    assert page.evaluate("document.fonts.check('16px \"Be Vietnam Pro\"', 'ẫ')")
    loaded = page.evaluate("[...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family + f.weight)")
    assert {'"Be Vietnam Pro"400', '"Be Vietnam Pro"700'} <= set(loaded) or {
        "Be Vietnam Pro400",
        "Be Vietnam Pro700",
    } <= set(loaded)


def test_a_form_with_faults_puts_the_reader_at_the_summary_and_then_into_the_field(site: str, visitor: Visitor) -> None:
    page = visitor()
    page.goto(site + "/gallery/form/")
    assert page.evaluate("document.activeElement.className") == "govuk-error-summary"
    page.get_by_role("link", name="Nhập đủ ngày, tháng, năm").click()
    assert page.evaluate("document.activeElement.id") == "id_day_0"


def test_characters_are_counted_while_typing(site: str, visitor: Visitor) -> None:
    page = visitor()
    page.goto(site + "/gallery/form/")
    page.locator("#id_story").fill("x" * 2990 + "\n")
    assert page.locator("#id_story_count").text_content() == "Còn 8 ký tự."
    page.locator("#id_story").fill("x" * 3100)
    assert page.locator("#id_story_count").text_content() == "Thừa 100 ký tự."


def test_choosing_a_file_speaks_our_language(site: str, visitor: Visitor) -> None:
    page = visitor()
    page.goto(site + "/gallery/form/")
    assert page.locator(".file__names").text_content() == "Chưa chọn tệp nào"
    page.locator("#id_photo").set_input_files({"name": "đường.jpg", "mimeType": "image/jpeg", "buffer": b"x"})
    assert page.locator(".file__names").text_content() == "đường.jpg"


def test_filters_are_folded_on_phones_and_open_elsewhere(site: str, visitor: Visitor) -> None:
    for options, is_open in (
        ({"width": 1366}, True),
        ({"width": 360}, False),
        ({"width": 360, "scripts": False}, True),
    ):
        page = visitor(**options)
        page.goto(site + "/gallery/desk/")
        assert (page.locator("details.filters").get_attribute("open") is not None) is is_open


def test_the_side_menu_stands_open_on_wide_screens_and_opens_by_hand_on_phones(site: str, visitor: Visitor) -> None:
    for scripts in (True, False):
        wide = visitor(scripts=scripts)
        wide.goto(site + "/gallery/desk/")
        assert wide.get_by_role("link", name="Chỉ đạo").is_visible()
        narrow = visitor(width=360, scripts=scripts)
        narrow.goto(site + "/gallery/desk/")
        assert not narrow.get_by_role("link", name="Chỉ đạo").is_visible()
        narrow.get_by_text("Danh mục").click()
        assert narrow.get_by_role("link", name="Chỉ đạo").is_visible()


def test_printing_needs_scripts_and_shows_no_dead_button_without_them(site: str, visitor: Visitor) -> None:
    page = visitor()
    page.goto(site + "/gallery/")
    assert page.locator("[data-print]").is_visible()
    bare = visitor(scripts=False)
    bare.goto(site + "/gallery/")
    assert not bare.locator("[data-print]").is_visible()


def test_colours_are_chosen_without_scripts(site: str, visitor: Visitor) -> None:
    page = visitor(scripts=False, color_scheme="light")
    page.goto(site + "/gallery/home/")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(250, 246, 239)"
    page.get_by_role("button", name="Nền tối").click()
    assert page.url.endswith("/gallery/home/")
    assert page.evaluate(ground) == "rgb(16, 25, 23)"
    page.get_by_role("button", name="Theo máy của tôi").click()
    assert page.evaluate(ground) == "rgb(250, 246, 239)"


def test_paper_is_light_and_leaves_the_menus_out(site: str, visitor: Visitor) -> None:
    page = visitor(color_scheme="dark")
    page.goto(site + "/gallery/desk/")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.querySelector('.table th')).color") == "rgb(0, 0, 0)"
    assert not page.locator(".side").is_visible()
    assert page.locator("table").is_visible()


def test_states_keep_their_lines_in_a_contrast_theme(site: str, visitor: Visitor) -> None:
    page = visitor(forced_colors="active")
    page.goto(site + "/gallery/")
    widths = page.evaluate(
        "[...document.querySelectorAll('.clock, .tag')].map((e) => parseFloat(getComputedStyle(e).borderTopWidth))"
    )
    assert min(widths) >= 1
    assert max(widths) >= 3


def test_every_control_can_be_reached_and_its_focus_seen(site: str, visitor: Visitor) -> None:
    page = visitor()
    page.goto(site + "/gallery/home/")
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                """() => {
                  const e = document.activeElement, card = e.closest(".card--go") ?? e, style = getComputedStyle(card);
                  const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 3;
                  return [e === document.body ? "BODY" : e.textContent.trim().slice(0, 30) || e.name, shown];
                }"""
            )
        )
        if seen[-1][0] == "BODY":
            break
    assert len(seen) > 15
    assert [name for name, shown in seen if not shown and name != "BODY"] == []


def ask(page: Any, words: str) -> None:
    page.locator("#id_q").fill(words)
    page.get_by_role("button", name="Lọc").click()


def test_a_filter_renews_the_list_alone_and_says_so(site: str, visitor: Visitor) -> None:
    page = visitor()
    page.goto(site + "/gallery/desk/")
    page.evaluate("window.same = true")
    ask(page, "trâu")
    page.get_by_text("Số việc: 1", exact=True).wait_for()
    assert page.evaluate("window.same")
    assert page.url == site + "/gallery/desk/?q=tr%C3%A2u&kind=&who="
    assert page.locator("tbody tr").count() == 1
    assert page.evaluate("document.activeElement.hasAttribute('data-announce')")
    page.go_back()
    page.get_by_text("Số việc: 7", exact=True).wait_for()
    assert page.url == site + "/gallery/desk/"


def test_the_same_filter_works_without_scripts(site: str, visitor: Visitor) -> None:
    page = visitor(scripts=False)
    page.goto(site + "/gallery/desk/")
    ask(page, "trâu")
    assert page.locator("tbody tr").count() == 1
    assert page.locator("#id_q").input_value() == "trâu"


def test_a_whole_page_is_never_put_into_a_list(site: str, visitor: Visitor) -> None:
    page = visitor()
    page.goto(site + "/gallery/desk/")
    page.route("**/gallery/desk/?q=*", lambda route: route.fulfill(status=302, headers={"Location": "/gallery/home/"}))
    ask(page, "trâu")
    page.wait_for_url("**/gallery/home/")


def test_a_lost_connection_leaves_the_list_and_says_so(site: str, visitor: Visitor) -> None:
    page = visitor()
    page.goto(site + "/gallery/desk/")
    page.route("**/gallery/desk/?q=*", lambda route: route.abort())
    ask(page, "trâu")
    page.get_by_text("Không liên lạc được với máy chủ. Nội dung đang thấy là của lần trước").wait_for()
    assert page.locator("tbody tr").count() == 7


@pytest.mark.parametrize("by_key", [False, True])
def test_whoever_is_watched_leaves_at_once_and_back_does_not_return(site: str, visitor: Visitor, by_key: bool) -> None:
    page = visitor()
    page.goto(site + "/gallery/home/")
    page.goto(site + "/gallery/form/")
    if by_key:
        for _ in range(3):
            page.keyboard.press("Escape")
    else:
        page.get_by_role("link", name="Thoát khỏi trang này ngay").click()
    page.wait_for_url("**/conversions/")
    assert page.title() == "Bảng đổi đơn vị đo – bảng tra cứu"
    assert "Công an" not in page.locator("body").inner_text()
    page.go_back()
    assert page.url == site + "/gallery/home/"


def test_the_way_out_works_without_scripts(site: str, visitor: Visitor) -> None:
    page = visitor(scripts=False)
    page.goto(site + "/gallery/form/")
    page.get_by_role("link", name="Thoát khỏi trang này ngay").click()
    page.wait_for_url("**/conversions/")
