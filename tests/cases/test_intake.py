"""The desk takes a matter in: nobody gets another person's receipt, and nothing that was typed is lost in silence."""

import html
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import translation

from gandan.access import Refused, now
from gandan.cases import actions
from gandan.cases.actions import intake
from gandan.cases.desk_forms import ExtendForm
from gandan.cases.models import Case
from gandan.obligations.models import Obligation

pytestmark = pytest.mark.django_db
CODE = re.compile(r"\d{4} \d{4} \d{4} \d{4}")


def page(response):
    return html.unescape(response.content.decode())


def heard(**values):
    """Return what an officer types for somebody who gives no name."""
    return {
        "submission": str(uuid4()),
        "procedure": "FB-01",
        "text": "Mất điện cả bản",
        "anonymous": "on",
        "channel": "phone",
        "received_on_day": "23",
        "received_on_month": "11",
        "received_on_year": "2026",
        "received_at": "08:40",
        "unit": "xa-an-linh-99001-2018",
        **values,
    }


def cases():
    return Case.system("tests").order_by("recorded_at", "received_at")


def promise(case, clock):
    return Obligation.system("tests").get(matter=case.pk, clock=clock)


def button(text, name):
    """Return what a button of the page sends, with everything else that stands in its form."""
    return re.search(rf'<button[^>]* name="{name}" value="([^"]*)"', text)[1]


# The same words twice


def test_two_people_with_the_same_words_get_two_numbers_and_two_codes(world, at_desk):
    desk = at_desk("duty")
    first = page(desk.post("case_intake", **heard()))
    second = heard(channel="desk", received_at="08:55")
    asked = desk.post("case_intake", **second)
    text = page(asked)
    assert asked.status_code == 409 and not CODE.search(text) and cases().count() == 1
    assert cases().get().reference in text and "Mất điện cả bản" in text and second["submission"] in text
    answer = page(desk.post("case_intake", **second, another=button(text, "another")))
    assert cases().count() == 2 and {case.channel for case in cases()} == {"phone", "desk"}
    assert CODE.search(answer) and CODE.search(answer)[0] != CODE.search(first)[0]
    again = page(desk.post("case_intake", **second, another="on"))
    assert cases().count() == 2 and CODE.search(again)[0] == CODE.search(answer)[0], "a second click is no third matter"


def test_the_same_matter_is_shown_again_without_its_code(world, at_desk):
    desk = at_desk("duty")
    desk.post("case_intake", **heard())
    back = heard()
    text = page(desk.post("case_intake", **back))
    answer = desk.post("case_intake", **back, same_as=button(text, "same_as"))
    assert answer.status_code == 200 and cases().get().reference in page(answer) and not CODE.search(page(answer))


def test_a_form_kept_open_and_sent_for_the_next_person_asks_and_gets_a_number_of_its_own(world, at_desk, move_to):
    desk, kept = at_desk("duty"), heard()
    desk.post("case_intake", **kept)
    move_to(now() + timedelta(minutes=20))
    asked = desk.post("case_intake", **{**kept, "received_at": "09:15"})
    number = re.search(r'name="submission" value="([^"]+)"', page(asked))[1]
    assert asked.status_code == 409 and number != kept["submission"]
    desk.post("case_intake", **{**kept, "received_at": "09:15", "submission": number, "another": "on"})
    assert cases().count() == 2 and len({case.follow_hash for case in cases()}) == 2


def test_a_name_does_not_make_it_the_same_person(world, at_desk):
    desk = at_desk("duty")
    for status in (200, 409):
        assert desk.post("case_intake", **heard(anonymous="", name="Lò Thị Hoa")).status_code == status


def test_the_enter_key_answers_no_question(world, at_desk):
    desk = at_desk("duty")
    desk.post("case_intake", **heard())
    form = page(desk.post("case_intake", **heard())).split("<main")[1].split("<form", 1)[1]
    assert "name=" not in re.search(r"<button[^>]*>", form)[0]


def test_what_is_not_the_same_is_not_lost_behind_the_first_receipt(world, at_desk):
    desk = at_desk("pao")
    desk.post("case_intake", **heard())
    same_as = str(cases().get().pk)
    for other in ({"text": "Mất điện cả bản, trạm biến áp cháy"}, {"procedure": "RE-10"}):
        told = desk.post("case_intake", **heard(**{**other, "anonymous": "", "same_as": same_as}))
        assert told.status_code == 422 and "govuk-error-summary" in page(told)
        assert other.get("text", "Mất điện cả bản") in page(told)


def test_nobody_is_shown_a_receipt_that_somebody_else_wrote(world, at_desk):
    at_desk("duty").post("case_intake", **heard())
    case = cases().get()
    told = at_desk("mai").post("case_intake", **heard(same_as=str(case.pk)))
    assert told.status_code == 422 and case.reference not in page(told)


# Settled on the spot, too late


def test_an_answer_that_comes_with_the_form_again_settles_the_matter(world, at_desk):
    desk, values = at_desk("pao"), heard()
    desk.post("case_intake", **values)
    answer = desk.post("case_intake", **values, settled="Điện lực đã đóng lại điện.")
    case = cases().get()
    assert answer.status_code == 200 and "Điện lực đã đóng lại điện." in page(answer)
    assert case.state == Case.State.CLOSED and case.answer == "Điện lực đã đóng lại điện."
    assert desk.post("case_intake", **values, settled="Điện lực đã đóng lại điện.").status_code == 200
    assert [event.kind for event in case.events.all()] == ["received", "taken", "answered", "closed"]


def test_an_answer_to_the_same_matter_settles_it_after_the_question(world, at_desk):
    desk = at_desk("pao")
    desk.post("case_intake", **heard())
    case, back = cases().get(), heard(settled="Đã hướng dẫn.")
    assert "Đã hướng dẫn." in page(desk.post("case_intake", **back))
    assert desk.post("case_intake", **back, same_as=str(case.pk)).status_code == 200
    assert world.fresh(case).state == Case.State.CLOSED and world.fresh(case).answer == "Đã hướng dẫn."


def test_an_answer_is_never_older_than_what_happened_before_it(world, at_desk, move_to):
    desk, values = at_desk("pao"), heard()
    desk.post("case_intake", **values)
    move_to(now() + timedelta(minutes=10))
    taken = actions.take(case=cases().get(), by=world.actor("pao"))
    assert desk.post("case_intake", **values, settled="Xong.").status_code == 200
    case = world.fresh(taken)
    assert case.answered_at >= taken.taken_at > case.received_at
    assert [event.kind for event in case.events.all()] == ["received", "taken", "answered", "closed"]


@pytest.mark.parametrize("known", ["the very form", "the same words"])
def test_an_answer_that_comes_too_late_is_said_not_to_be_kept(world, at_desk, known):
    desk, values = at_desk("pao"), heard()
    desk.post("case_intake", **values)
    case = cases().get()
    actions.take(case=case, by=world.actor("mai"))
    late = values if known == "the very form" else heard(same_as=str(case.pk))
    refused = desk.post("case_intake", **late, settled="Đã hướng dẫn xong tại chỗ.")
    text = page(refused)
    assert refused.status_code == 409 and "Đã hướng dẫn xong tại chỗ." in text and "Tẩn Thị Mai" in text
    assert "chưa được lưu" in text and reverse("case", args=[case.pk]) in text and not CODE.search(text)
    actions.answer(case=world.fresh(case), text="Mai đã trả lời.", by=world.actor("mai"))
    assert desk.post("case_intake", **late, settled="Đã hướng dẫn xong tại chỗ.").status_code == 409
    assert world.fresh(case).answer == "Mai đã trả lời." and world.fresh(case).officer == world.mai


def test_an_answer_beside_other_words_is_said_not_to_be_kept(world, at_desk):
    desk, values = at_desk("pao"), heard()
    desk.post("case_intake", **values)
    told = desk.post("case_intake", **{**values, "text": "Mất nước cả bản", "settled": "Đã hướng dẫn."})
    assert told.status_code == 409 and "Câu trả lời vừa gõ chưa được lưu." in page(told)
    assert reverse("case", args=[cases().get().pk]) in page(told)


# Settled on the spot, against the law


@pytest.mark.parametrize("code", ["CR-01", "WE-01"])
def test_what_the_law_orders_to_be_handed_over_is_not_settled_on_the_spot(world, at_desk, code):
    desk = at_desk("pao")
    person = {"procedure": code, "anonymous": "", "name": "Lò Thị Hoa", "phone": "0912345678"}
    assert world.procedure(code).name in page(desk.get("case_intake")).split('id="id_settled_helptext"')[1][:400]
    refused = desk.post("case_intake", **heard(**person, settled="Đã nhắc nhở hai bên."))
    assert refused.status_code == 422 and not cases().exists()
    assert "Đã nhắc nhở hai bên." in page(refused) and "Luật buộc phải chuyển việc này" in page(refused)
    assert desk.post("case_intake", **heard(**person)).status_code == 200
    actions.send(case=cases().get(), text="Thuộc cơ quan điều tra", to_body="Cơ quan điều tra", by=world.actor("pao"))


def test_the_law_of_the_hand_over_is_asked_again_of_the_matter_itself(world):
    matter = {"procedure": world.procedure("CR-01"), "unit": world.an, "channel": "desk", "text": "Mất xe máy"}
    with pytest.raises(Refused, match="Luật buộc"):
        actions.settle_on_the_spot(answer="Xong", by=world.actor("pao"), submission=uuid4(), **matter)
    assert not cases().exists()
    submission = uuid4()
    actions.receive(by=world.actor("pao"), submission=submission, **matter)
    with pytest.raises(intake.NotKept, match="Luật buộc"):
        actions.settle_on_the_spot(answer="Xong", by=world.actor("pao"), submission=submission, **matter)
    assert cases().get().state == Case.State.NEW


# A longer term


@pytest.mark.parametrize(
    ("code", "clock"),
    [("RE-09", "RE-09.result"), ("RE-10", "RE-10.verify"), ("JR-01", "JR-01.result"), ("AV-01", "AV-01.decide")],
)
def test_a_matter_that_must_be_verified_gets_the_longer_term_at_receipt(world, at_desk, code, clock):
    desk = at_desk("pao")
    for n, ticked in enumerate(({}, {"complex": "on"})):
        person = {"procedure": code, "anonymous": "", "name": f"Người {n}", "phone": f"091234567{n}"}
        assert desk.post("case_intake", **heard(**person, **ticked)).status_code == 200, code
    plain, longer = sorted(cases(), key=lambda case: case.complex)
    assert longer.complex and promise(longer, clock).due_at > promise(plain, clock).due_at


def test_a_denunciation_is_first_handled_in_the_longer_term(world, at_desk):
    desk = at_desk("inspector")
    values = heard(procedure="DE-01", anonymous="", name="Lò Thị Hoa", address="Bản Phiêng", complex="on")
    assert desk.post("case_intake", **values).status_code == 200
    initial = promise(cases().get(), "DE-01.initial")
    assert initial.due_at > promise(world.case("DE-01"), "DE-01.initial").due_at
    assert initial.events.get(kind="opened").facts["complex"] is True


@pytest.mark.parametrize("code", ["FB-01", "CO-01"])
def test_a_longer_term_that_the_law_does_not_give_at_receipt_is_refused(world, at_desk, code):
    refused = at_desk("pao").post(
        "case_intake", **heard(procedure=code, complex="on", anonymous="", name="Lò Thị Hoa", address="Bản Phiêng")
    )
    assert refused.status_code == 422 and 'id="id_complex_error"' in page(refused) and not cases().exists()


def test_the_form_names_what_has_a_longer_term_and_is_silent_where_nothing_has(world, at_desk):
    hint = page(at_desk("pao").get("case_intake")).split('id="id_complex_helptext"')[1].split("</div>")[0]
    assert all(world.procedure(code).name in hint for code in ("RE-09", "RE-10", "JR-01", "FO-01", "AV-01", "DE-01"))
    assert world.procedure("CO-01").name not in hint and world.procedure("FB-01").name not in hint


def test_a_longer_term_that_the_first_matter_has_not_is_told(world, at_desk):
    desk, person = at_desk("pao"), {"procedure": "RE-09", "anonymous": "", "name": "Lò Thị Hoa", "phone": "0912345678"}
    values = heard(**person)
    desk.post("case_intake", **values)
    asked = desk.post("case_intake", **values, complex="on")
    assert asked.status_code == 409
    told = desk.post("case_intake", **heard(**person, complex="on", same_as=button(page(asked), "same_as")))
    assert told.status_code == 422 and cases().count() == 1 and not cases().get().complex


# Extensions


@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_extension_says_what_it_is_for(world, at_desk, language):
    case = world.case("DE-01")
    actions.accept(case=case, by=world.actor("inspector"))
    with translation.override(language):
        text = page(at_desk("inspector").get("case", case.pk))
    labels = dict(re.findall(r'<option value="[0-9a-f-]+:(extend_\w+)"[^>]*>(.*?)</option>', text))
    assert len(labels) == 2 == len(set(labels.values()))
    words = ("việc phức tạp", "việc đặc biệt phức tạp") if language == "vi" else ("a complex matter", "very complex")
    assert words[0] in labels["extend_complex"] and words[1] in labels["extend_very_complex"]


def test_extensions_that_nobody_has_named_are_told_apart(world):
    owed = promise(world.case(), "FB-01.answer")
    owed.term.extensions = [{"code": code, "amount": 5, "unit": "day"} for code in ("flood", "storm")]
    labels = [label for _code, label in ExtendForm(obligations=[owed]).fields["clock"].choices]
    assert len(labels) == 2 == len(set(labels))
