"""Django forms in the house's manner: label, hint, fault, field; faults first on the page, each with its link."""

from datetime import date
from typing import Any

import pytest
from django import forms
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template import engines
from django.utils.safestring import SafeString

from gandan.ui.forms import DateBoxes, DayField, Hinted
from gandan.ui.gallery import SampleForm, faulty_form
from gandan.ui.templatetags.gandan import first_control

pytestmark = [pytest.mark.agnostic, pytest.mark.usefixtures("vietnamese")]


class Visit(forms.Form):
    name = forms.CharField(label="Tên", help_text="Như trên <b>giấy</b>", max_length=40)
    note = forms.CharField(label="Lời nhắn", required=False, max_length=200, widget=forms.Textarea)
    kind = forms.ChoiceField(
        label="Việc gì?",
        choices=[("a", Hinted("Tố giác", "Có người bị hại")), ("b", "Khác")],
        widget=forms.RadioSelect,
    )
    ticks = forms.MultipleChoiceField(label="Những ai?", choices=[("x", "X")], widget=forms.CheckboxSelectMultiple)
    day = DayField(label="Ngày nào?")
    agree = forms.BooleanField(label="Tôi đồng ý")
    secret = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean(self) -> None:
        raise forms.ValidationError("Hai chỗ không khớp nhau.")


def page(source: str, **context: Any) -> str:
    return engines["django"].from_string("{% load gandan %}" + source).render(context)


def test_faults_come_first_in_the_order_of_the_fields_with_links() -> None:
    shown = page("{% error_summary %}", form=Visit({}))
    targets = ["id_name", "id_kind_0", "id_ticks_0", "id_day_0", "id_agree"]
    places = [shown.index(f'href="#{target}"') for target in targets]
    assert places == sorted(places)
    assert "Còn 6 chỗ cần sửa" in shown
    assert "<li>Hai chỗ không khớp nhau.</li>" in shown
    assert 'role="alert"' in shown


def test_links_of_the_summary_lead_to_controls_that_exist() -> None:
    form = faulty_form()
    drawn = str(form)
    for field in form:
        if field.errors:
            assert f'id="{first_control(field)}"' in drawn


def test_equal_sentences_name_their_fields() -> None:
    class Two(forms.Form):
        first = forms.CharField(label="Họ tên")
        second = forms.CharField(label="Nơi ở")

    shown = page("{% error_summary %}", form=Two({}))
    assert "Họ tên: Chỗ này chưa điền." in shown
    assert "Nơi ở: Chỗ này chưa điền." in shown


def test_several_forms_share_one_summary_and_a_clean_one_adds_nothing() -> None:
    class One(forms.Form):
        name = forms.CharField(label="Tên")

    shown = page("{% error_summary %}", form=None, forms=[One({}, prefix="a"), One({"b-name": "x"}, prefix="b")])
    assert "Còn 1 chỗ cần sửa" in shown
    assert "#id_a-name" in shown


def test_no_summary_and_no_word_in_the_title_without_faults() -> None:
    assert page("{% error_summary %}{% error_title %}", form=Visit()).strip() == ""
    assert page("{% error_summary %}{% error_title %}").strip() == ""
    assert page("{% error_title %}", form=Visit({})) == "Lỗi: "


def test_a_field_is_label_then_hint_then_fault_then_control() -> None:
    shown = str(Visit({})["name"].as_field_group())
    order = [shown.index(part) for part in ("<label", "govuk-hint", "govuk-error-message", "<input")]
    assert order == sorted(order)
    assert 'aria-describedby="id_name_helptext id_name_error"' in shown
    assert "Như trên &lt;b&gt;giấy&lt;/b&gt;" in shown
    assert "govuk-input--error" in shown


def test_optional_fields_are_marked_and_required_ones_are_not() -> None:
    assert "(không bắt buộc)" in str(Visit()["note"].as_field_group())
    assert "(không bắt buộc)" not in str(Visit()["name"].as_field_group())


def test_several_controls_stand_in_a_fieldset_with_a_legend() -> None:
    for name in ("kind", "ticks", "day"):
        shown = str(Visit({})[name].as_field_group())
        assert "<fieldset" in shown
        assert "<legend" in shown
        assert f'aria-describedby="id_{name}_error"' in shown


def test_a_choice_explains_itself() -> None:
    shown = str(Visit()["kind"])
    assert 'aria-describedby="id_kind_0_hint"' in shown
    assert 'id="id_kind_0_hint">Có người bị hại</div>' in shown
    assert "aria-invalid" not in str(Visit({})["kind"])


def test_a_single_tick_box_has_its_label_beside_it() -> None:
    shown = str(Visit()["agree"].as_field_group())
    assert shown.index("<input") < shown.index("<label")


def test_a_long_text_says_its_limit_and_does_not_cut() -> None:
    shown = str(Visit()["note"])
    assert "Tối đa 200 ký tự." in shown
    assert 'data-limit="200"' in shown
    assert "maxlength" not in shown
    assert 'aria-describedby="id_note_count"' in shown


def test_a_form_prints_all_its_fields_once_and_keeps_what_was_typed() -> None:
    shown = page('{% include "ui/components/form.html" %}', form=Visit({"name": "Hoa <3", "day_day": "31"}))
    for name in ("name", "note", "kind", "ticks", "agree", "secret"):
        assert shown.count(f'name="{name}"') == (2 if name == "kind" else 1)
    assert 'value="Hoa &lt;3"' in shown
    assert 'name="day_day" value="31"' in shown
    assert "novalidate" in shown


def test_a_day_is_typed_in_three_boxes() -> None:
    assert DayField().clean("5/1/2026") == date(2026, 1, 5)
    widget = DateBoxes()
    assert widget.value_from_datadict({"d_day": "5", "d_month": " 1", "d_year": "2026"}, {}, "d") == "5/1/2026"  # type: ignore[arg-type]
    assert widget.value_from_datadict({}, {}, "d") == ""  # type: ignore[arg-type]
    assert 'value="2026"' in widget.render("d", date(2026, 1, 5))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Nhập ngày, ví dụ 15 11 2026"),
        ("31//2026", "Nhập đủ ngày, tháng, năm, ví dụ 15 11 2026"),
        ("31/2/2026", "Nhập ngày có thật, ví dụ 15 11 2026"),
        ("1/2/26", "Nhập ngày có thật, ví dụ 15 11 2026"),
        ("một/2/2026", "Nhập ngày có thật, ví dụ 15 11 2026"),
    ],
)
def test_a_day_that_cannot_be_is_told_in_a_sentence(typed: str, sentence: str) -> None:
    with pytest.raises(forms.ValidationError) as told:
        DayField().clean(typed)
    assert told.value.messages == [sentence]


def _widgets() -> list[type[forms.Widget]]:
    import django.forms.widgets as module

    abstract = {"Widget", "Input", "MultiWidget", "ChoiceWidget", "DateTimeBaseInput"}
    return [
        kind
        for name, kind in vars(module).items()
        if isinstance(kind, type) and issubclass(kind, forms.Widget) and name not in abstract
    ]


@pytest.mark.parametrize("kind", _widgets())
def test_every_widget_of_django_is_drawn(kind: type[forms.Widget]) -> None:
    widget = kind()
    if isinstance(widget, forms.widgets.ChoiceWidget) and not widget.choices:
        widget.choices = [("a", "A"), ("Nhóm", [("b", "B")])]
    shown = widget.render("field", ["a"] if kind is forms.MultipleHiddenInput else None, {"id": "id_field"})
    assert isinstance(shown, SafeString)
    assert "field" in shown


def test_a_file_that_is_there_already_can_be_taken_away() -> None:
    class Kept:
        url = "/f"

        def __str__(self) -> str:
            return "ảnh.jpg"

    widget = forms.ClearableFileInput()
    shown = widget.render("photo", Kept(), {"id": "id_photo"})
    assert "ảnh.jpg" in shown
    assert 'name="photo-clear"' in shown


def test_the_sample_form_is_well_formed_when_filled() -> None:
    typed = {
        "story": "Có nhóm thanh niên phóng xe.", "day_day": "15", "day_month": "11", "day_year": "2026",
        "place": "Nà Then", "danger": "no", "topic": "report", "agree": "on",
    }  # fmt: skip
    form = SampleForm(typed, {"photo": SimpleUploadedFile("a.jpg", b"x")})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["day"] == date(2026, 11, 15)


def test_formsets_print_their_management_form() -> None:
    formset = forms.formset_factory(Visit, extra=2)()
    shown = str(formset)
    assert 'name="form-TOTAL_FORMS"' in shown
    assert 'name="form-1-name"' in shown
