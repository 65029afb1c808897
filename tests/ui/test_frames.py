"""What stands around every page: language, theme, menus, messages, faults."""

from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

import gandan.ui
from gandan.ui import context
from tests.ui.addresses import Officer

pytestmark = pytest.mark.agnostic
GALLERY = ("/gallery/", "/gallery/home/", "/gallery/form/", "/gallery/desk/")


@pytest.fixture
def client() -> Client:
    return Client()


def frame(path: str = "/gallery/", **cookies: str) -> context.Page:
    request = RequestFactory().get(path)
    request.COOKIES.update({name.replace("_", "-"): value for name, value in cookies.items()})
    return context.Page(request)


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("path", GALLERY)
def test_every_page_is_whole_in_both_languages(client: Client, path: str) -> None:
    for address, language, skip in ((path, "vi", "Đến nội dung chính"), ("/en" + path, "en", "Skip to the content")):
        page = text(client, address)
        assert f'<html lang="{language}">' in page
        assert skip in page
        assert page.count("<main ") == page.count("<h1>") == 1


@pytest.mark.parametrize("path", GALLERY)
def test_no_vietnamese_sentence_of_ours_is_left_on_an_english_page(client: Client, path: str) -> None:
    with (Path(gandan.ui.__file__).parent / "locale/vi/LC_MESSAGES/django.po").open("rb") as file:
        catalogue = read_po(file)
    page = text(client, "/en" + path)
    # Short words are also parts of names; whole sentences are not.
    ours = [entry.string for entry in catalogue if entry.id and isinstance(entry.string, str)]
    whole = [said for said in ours if len(said) > 12 and not set("%{/") & set(said)]
    assert len(whole) > 40
    assert [said for said in whole if said in page] == []


def test_the_other_language_is_the_same_page() -> None:
    assert [other.url for other in frame("/units/ban-may/?q=a").alternates] == [
        "/units/ban-may/?q=a",
        "/en/units/ban-may/?q=a",
    ]
    assert [other.url for other in frame("/en/units/").alternates] == ["/units/", "/en/units/"]
    assert [other.url for other in frame("/en/").alternates] == ["/", "/en/"]
    assert [other.url for other in frame("/enough/").alternates] == ["/enough/", "/en/enough/"]


def test_another_language_never_leads_to_another_house() -> None:
    assert frame("/en//example.org/").alternates[0].url == "/example.org/"


def test_the_theme_is_what_the_reader_chose_or_what_the_device_prefers(client: Client) -> None:
    assert frame().theme == ""
    assert frame(gandan_theme="dark").theme == "dark"
    assert frame(gandan_theme='"><script>').theme == ""
    assert "data-theme" not in text(client, "/gallery/")


def test_choosing_colours_comes_back_to_the_page(client: Client) -> None:
    answer = client.post("/theme/", {"theme": "dark", "next": "/gallery/?q=1"})
    assert (answer.status_code, answer["Location"]) == (302, "/gallery/?q=1")
    assert '<html lang="vi" data-theme="dark">' in text(client, "/gallery/")
    client.post("/theme/", {"theme": "system", "next": "/gallery/"})
    assert '<html lang="vi">' in text(client, "/gallery/")


@pytest.mark.parametrize("away", ["https://example.org/", "//example.org/", "javascript:alert(1)", ""])
def test_choosing_colours_never_leads_away(client: Client, away: str) -> None:
    assert client.post("/theme/", {"theme": "dark", "next": away})["Location"] == "/"
    assert client.post("/en/theme/", {"theme": "dark", "next": away})["Location"] == "/en/"


def test_choosing_colours_is_a_post() -> None:
    assert Client().get("/theme/").status_code == 405


def test_the_gallery_is_closed_where_things_are_real(settings: Any) -> None:
    settings.GANDAN_DEMO = False
    assert Client().get("/gallery/").status_code == 404


def test_public_pages_set_no_cookie_and_load_no_htmx(client: Client) -> None:
    assert not client.get("/gallery/home/").cookies
    for path in GALLERY[:3]:
        assert b"ui/htmx" not in client.get(path).content
    assert b"ui/htmx" in client.get("/gallery/desk/").content


def test_the_menu_marks_where_one_is(client: Client) -> None:
    page = text(client, "/gallery/home/")
    assert '<a href="/gallery/home/" aria-current="page">' in page
    assert page.count('aria-current="page"') == 1


def links(*addresses: str) -> list[dict[str, Any]]:
    return [{"title": address, "url": address} for address in addresses]


@pytest.mark.parametrize(
    ("here", "marked"),
    [
        ("/desk/", {"/desk/": "page"}),
        ("/desk/cases/7/", {"/desk/cases/": "true"}),
        ("/desk/cases/", {"/desk/cases/": "page"}),
        ("/elsewhere/", {}),
    ],
)
def test_a_page_below_a_link_marks_the_nearest_link(
    settings: Any, monkeypatch: pytest.MonkeyPatch, here: str, marked: dict[str, str]
) -> None:
    menu = [{"title": "Việc", "links": links("/", "/desk/", "/desk/cases/")}]
    monkeypatch.setattr("tests.ui.addresses.navigation", lambda request: {"navigation": [], "side_navigation": menu})
    request = RequestFactory().get(here)
    request.actor = Officer()  # type: ignore[attr-defined]
    shown = context.page(request)["side_navigation"][0]["links"]
    assert {link["url"]: link["current"] for link in shown if link["current"]} == marked


def test_a_request_that_failed_early_gets_no_menu() -> None:
    assert context.page(RequestFactory().get("/"))["navigation"] == []


def test_the_desk_warns_before_the_session_ends_and_public_pages_do_not(client: Client, settings: Any) -> None:
    settings.GANDAN_IDLE_SECONDS = 900
    page = text(client, "/gallery/desk/")
    assert '<dialog class="idle"' in page
    assert 'data-seconds="900" data-warning="120" data-keep-alive="/keep-alive/"' in page
    assert "<dialog" not in text(client, "/gallery/home/")


def test_counts_in_the_side_menu_have_words_for_the_ear(client: Client) -> None:
    page = text(client, "/gallery/desk/")
    assert '<span class="badge badge--late">2<span class="vh"> việc quá hạn</span></span>' in page


def test_faults_come_first_and_stand_in_the_title(client: Client) -> None:
    page = text(client, "/gallery/form/")
    assert "<title>Lỗi: Nội dung – Công an xã Bản Mây</title>" in page
    assert page.index("govuk-error-summary") < page.index("<h1>")


def test_messages_are_shown_once_with_their_tone() -> None:
    messages = [Message(constants.SUCCESS, "Đã lưu."), Message(constants.ERROR, "Không gửi được.")]
    page = render_to_string("ui/components/messages.html", {"messages": messages})
    assert "flash--success" in page
    assert 'flash--error" role="alert"' in page


def test_everybody_is_told_that_the_demo_is_invented(client: Client, settings: Any) -> None:
    sentence = "Dữ liệu minh họa"
    assert sentence in text(client, "/gallery/")
    assert sentence in text(client, "/gallery/desk/")
    settings.GANDAN_DEMO = False
    settings.DEBUG = True
    assert sentence not in text(client, "/gallery/")


def test_htmx_gets_a_fragment_and_everybody_else_the_page() -> None:
    from gandan.ui.fragments import render_page, wants_fragment

    def ask(**headers: str) -> HttpRequest:
        return RequestFactory().get("/gallery/", headers=headers)  # type: ignore[arg-type]

    assert wants_fragment(ask(HX_Request_Type="partial"))
    assert not wants_fragment(ask(HX_Request_Type="full"))
    assert not wants_fragment(ask(HX_Request_Type="partial", HX_History_Restore_Request="true"))
    shown = {"text": "Đã lưu."}
    whole = render_page(ask(), "ui/public.html", "ui/components/flash.html", shown)
    part = render_page(ask(HX_Request_Type="partial"), "ui/public.html", "ui/components/flash.html", shown, status=422)
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert part.status_code == 422
    assert "HX-Request-Type" in whole["Vary"]
    assert "HX-History-Restore-Request" in part["Vary"]
