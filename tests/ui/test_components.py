"""Each component prints what it is given, escapes it, and leaves out what it is not given."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from django.template import TemplateSyntaxError, engines
from django.template.loader import render_to_string

import gandan.ui
from gandan.ui.templatetags.gandan import ICONS

pytestmark = [pytest.mark.agnostic, pytest.mark.usefixtures("vietnamese")]

COMPONENTS = Path(gandan.ui.__file__).parent / "templates/ui/components"
GALLERY = Path(gandan.ui.__file__).parent / "templates/ui"


def component(name: str, **arguments: Any) -> str:
    return " ".join(render_to_string(f"ui/components/{name}.html", arguments).split())


def page(source: str, **context: Any) -> str:
    return engines["django"].from_string("{% load gandan %}" + source).render(context)


def test_every_component_is_shown_somewhere_in_the_gallery_or_the_frames() -> None:
    pages = [path.read_text() for path in GALLERY.rglob("*.html")]
    pages += [path.read_text() for path in (GALLERY.parent / "django").rglob("*.html")]
    code = (Path(gandan.ui.__file__).parent / "templatetags/gandan.py").read_text()
    code += (Path(gandan.ui.__file__).parent / "forms.py").read_text()
    for path in COMPONENTS.glob("*.html"):
        name = f"ui/components/{path.name}"
        assert any(name in text for text in pages) or name in code, f"{name} is never shown"


def test_a_service_card_is_one_link() -> None:
    shown = component("service_card", url="/report/", title="Gửi <phản ánh>", text="Nhận mã.", icon="say", tone="clay")
    assert shown.count("<a ") == 1
    assert '<a href="/report/">Gửi &lt;phản ánh&gt;</a>' in shown
    assert "blob--clay" in shown


def test_a_figure_stands_with_its_base() -> None:
    shown = component("result_tile", label="Đúng hạn", figure="94,0%", base="1.204 trên 1.281 việc", interval="93–95")
    assert "94,0%" in shown
    assert "1.204 trên 1.281 việc" in shown
    assert "Khoảng tin cậy 95%: 93–95" in shown


def test_a_missing_figure_says_so_and_is_not_zero() -> None:
    assert "Chưa đủ số liệu" in component("result_tile", label="Đúng hạn", figure=None)
    assert "Chưa có lượt chấm" in component("result_tile", label="Chấm điểm", missing="Chưa có lượt chấm")
    assert ">0<" in component("result_tile", label="Quá hạn", figure=0).replace("> 0 <", ">0<")


def test_a_change_is_told_in_words_and_stressed_only_with_a_direction() -> None:
    assert "<b>tăng 5</b>" in component("result_tile", label="x", figure="1", change="tăng 5", change_tone="bad")
    assert "<b>" not in component("result_tile", label="x", figure="1", change="không đổi")


def test_a_voice_shows_its_answer_or_its_clock() -> None:
    answered = component("voice_card", quote="Đường tối.", answer="đã lắp đèn.", answer_days=4, on=date(2026, 11, 2))
    assert "Trả lời sau 4 ngày:" in answered
    assert "đã lắp đèn." in answered
    assert "Trả lời ngay trong ngày:" in component("voice_card", quote="x", answer="y", answer_days=0)
    assert "Hẹn trả lời" not in component("voice_card", quote="x")


def test_a_flash_speaks_up_only_for_errors() -> None:
    assert 'role="alert"' in component("flash", text="Không gửi được.", tone="error")
    assert 'role="status"' in component("flash", text="Đã lưu.", tone="success")
    assert 'role="status"' in component("flash", text="Đã lưu.")


def test_pagination_offers_only_the_ways_there_are() -> None:
    assert component("pagination") == component("pagination", next_url="", previous_url="")
    assert "<nav" not in component("pagination")
    shown = component("pagination", next_url="?after=9")
    assert 'rel="next"' in shown
    assert 'rel="prev"' not in shown


def test_the_pill_of_the_present_view_is_marked() -> None:
    pills = [{"title": "Tất cả", "count": 0, "url": "?", "current": True}, {"title": "Của tôi", "url": "?v=1"}]
    shown = component("view_pills", pills=pills)
    assert shown.count('aria-current="page"') == 1
    assert shown.count("<b>") == 1


def test_a_timeline_keeps_its_order_and_tells_who_was_told() -> None:
    at = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    shown = component("timeline", events=[{"at": at, "title": "Một", "told": "bà Hoa"}, {"at": at, "title": "Hai"}])
    assert shown.index("Một") < shown.index("Hai")
    assert "Đã báo: bà Hoa" in shown


def test_facts_that_can_be_changed_say_which_for_the_ear() -> None:
    row = {"key": "Nơi", "value": "Nà Then", "url": "/x", "url_text": "Sửa", "hidden": "nơi xảy ra"}
    assert 'Sửa<span class="vh"> nơi xảy ra</span>' in component("summary_list", rows=[row])


def test_an_action_that_is_refused_shows_the_sentence() -> None:
    shown = component("action_button", url="/x", text="Đóng", why_not="Việc này đã đóng.")
    assert " disabled" in shown
    assert "Việc này đã đóng." in shown
    small = component("small_action", url="/x", text="Nhận", why_not="Việc này đã đóng.")
    assert "<form" not in small


def test_an_action_is_a_post_form_with_its_values() -> None:
    shown = component("small_action", url="/x", text="Nhận", hidden="A", fields=[("v", "1")])
    assert '<form class="inline" method="post" action="/x">' in shown
    assert '<input type="hidden" name="v" value="1">' in shown


def test_a_document_names_type_and_size_in_its_link() -> None:
    document = {"number": "9/TB", "on": date(2026, 11, 3), "title": "Lịch", "file_url": "/f", "file_type": "PDF"}
    shown = component("document_table", documents=[document | {"file_size": 412_000, "views": 2915, "downloads": 0}])
    assert "PDF, 412 kB" in shown
    assert "2.915" in shown


def test_totals_of_visits_leave_out_what_is_not_counted() -> None:
    visits = {"today": 3, "month": 9214, "month_on": date(2026, 11, 1), "total": 182_407, "since": date(2025, 7, 1)}
    shown = component("visitor_counter", visits=visits)
    assert "Đang xem" not in shown
    assert "Tháng 11/2026" in shown
    assert "182.407" in shown


def test_a_code_and_the_print_button() -> None:
    assert "1234 5678 9012 3456" in component("receipt_code", code="1234567890123456")
    assert " hidden" in component("print_button")


def test_a_finished_step_says_so_for_the_ear() -> None:
    shown = component("steps", steps=[{"title": "Một", "state": "done"}, {"title": "Hai", "state": "current"}])
    assert "đã xong" in shown
    assert 'aria-current="step"' in shown


def test_an_icon_is_silent_beside_words_and_named_alone() -> None:
    assert 'aria-hidden="true"' in page('{% icon "say" %}')
    assert 'role="img" aria-label="In"' in page('{% icon "print" "In" %}')


def test_an_unknown_icon_is_refused() -> None:
    with pytest.raises(ValueError, match="nothere"):
        page('{% icon "nothere" %}')


def test_every_icon_is_drawn_and_every_drawing_has_a_name() -> None:
    drawn = {path.stem for path in (Path(__file__).parents[2] / "frontend/icons").glob("*.svg")}
    assert drawn == ICONS


TABLE = """{% table caption=title %}<thead><tr><th>Việc</th><th class="r">Số "tệp"</th><th>Hạn</th></tr></thead>
<tbody><tr class="late"><th><a href="#">A</a></th><td class="r">{{ n }}</td><td>mai</td></tr>
<tr><th>B</th><td colspan="2">không</td></tr></tbody>{% endtable %}"""


def test_a_table_gets_roles_scopes_and_the_labels_of_its_cells() -> None:
    shown = page(TABLE, title="Việc <mở>", n=3)
    assert '<table class="table table--stack" role="table"><caption class="vh">Việc &lt;mở&gt;</caption>' in shown
    assert '<th role="columnheader" scope="col">Việc</th>' in shown
    assert '<th role="rowheader" scope="row" data-l="Việc"><a href="#">A</a></th>' in shown
    assert '<td role="cell" data-l="Số &quot;tệp&quot;" class="r">3</td>' in shown
    assert '<tr role="row" class="late">' in shown
    assert '<td role="cell" data-l="Số &quot;tệp&quot;" colspan="2">' in shown


def test_a_wide_table_scrolls_by_keyboard() -> None:
    shown = page('{% table caption="A" stack=False show_caption=True %}<tbody></tbody>{% endtable %}')
    assert 'tabindex="0" role="group" aria-label="A"' in shown
    assert "<caption>A</caption>" in shown
    assert "table--stack" not in shown


@pytest.mark.parametrize("tag", ["{% table %}", '{% table caption="A" colour="red" %}', '{% table "A" %}'])
def test_a_table_without_a_caption_is_refused(tag: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="caption"):
        page(tag + "{% endtable %}")
