"""When something goes wrong, a page says what happened and what to do, in both languages."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import translation

from gandan.ui import views

pytestmark = pytest.mark.agnostic

PAGES: dict[int, tuple[Callable[[HttpRequest], HttpResponse], str, str]] = {
    400: (views.bad_request, "Chúng tôi không đọc được nội dung vừa gửi", "We could not read what was sent"),
    403: (views.forbidden, "Bạn không mở được trang này", "This page is not open to you"),
    404: (views.not_found, "Không có trang này", "There is no such page"),
    409: (views.conflict, "Có người vừa sửa trước bạn", "Somebody was faster"),
    429: (views.too_many, "Bạn thử quá nhiều lần trong thời gian ngắn", "Too many tries in a short time"),
    500: (views.server_error, "Lỗi ở phía chúng tôi", "Something failed on our side"),
}


@pytest.mark.parametrize("code", PAGES)
def test_each_fault_has_its_page_in_both_languages(code: int) -> None:
    view, vietnamese, english = PAGES[code]
    for language, title, path in (("vi", vietnamese, "/x/"), ("en", english, "/en/x/")):
        with translation.override(language):
            response = view(RequestFactory().get(path))
        page = response.content.decode()
        assert response.status_code == code
        assert f"<h1>{title}</h1>" in page
        assert f"<title>{title} – Gần Dân</title>" in page
        assert f'<html lang="{language}">' in page
        assert 'href="tel:113"' in page
        assert f'href="{"/en/" if language == "en" else "/"}"' in page


def test_a_page_that_is_not_there_answers_404_with_our_words() -> None:
    response = Client().get("/en/nothing/")
    assert response.status_code == 404
    assert b"There is no such page" in response.content
    assert 'href="/nothing/"' in response.content.decode()


def test_a_refusal_says_why() -> None:
    page = render_to_string("403.html", {"sentence": "Việc <này> thuộc đơn vị khác."})
    assert "Việc &lt;này&gt; thuộc đơn vị khác." in page


def test_a_form_that_came_back_too_late_is_told_apart() -> None:
    answer = Client(enforce_csrf_checks=True).post("/plain/", {"a": "b"})
    assert answer.status_code == 403
    assert "Chúng tôi chưa nhận được nội dung này" in answer.content.decode()


def test_our_own_fault_needs_no_database_and_shows_nothing_of_itself() -> None:
    answer = Client(raise_request_exception=False).get("/failing/")
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "Lỗi ở phía chúng tôi" in page
    assert "must not show" not in page


def test_even_without_our_templates_a_page_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(views, "get_template", broken)
    response = views.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "Lỗi ở phía chúng tôi" in response.content.decode()
    assert "Something failed on our side" in response.content.decode()
