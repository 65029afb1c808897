"""What the interface promises to other programs: the pages' figures, doors and sentences in another form."""

import json
from uuid import uuid4

import pytest
from django.urls import reverse

from gandan.access import interface, typed
from gandan.access.decorators import public
from gandan.cases.models import Attachment, Case, CaseEvent, CaseIdentity
from gandan.config import api
from gandan.ui import tables
from tests.api.conftest import Program

pytestmark = pytest.mark.django_db


# Units, procedures, calendar, results


def test_the_tree_of_a_day_names_each_unit_and_the_one_it_answers_to(cast, program):
    found = program.get("/units", on="2026-11-23", limit=500).json()
    units = {unit["slug"]: unit for unit in found["units"]}
    assert len(units) == 6 and found["next"] is None
    assert units[cast.na_then.slug]["parent"] == cast.province.slug
    assert units[cast.na_then.slug]["code"] == "98001"
    assert program.get("/units", on="2019-12-31").json()["units"] == []


def test_a_list_is_read_on_from_where_it_stopped(cast, program):
    seen, after = [], ""
    while True:
        page = program.get("/units", limit=2, after=after).json()
        seen += [unit["slug"] for unit in page["units"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == sorted(seen) and len(seen) == len(set(seen)) == 6


def test_units_beneath_one_are_asked_for_by_its_address(cast, program):
    beneath = program.get("/units", under=cast.province.slug).json()["units"]
    assert {unit["slug"] for unit in beneath} == {cast.na_then.slug, cast.phieng_lua.slug}


def test_a_unit_is_found_without_diacritics(cast, program):
    assert [u["slug"] for u in program.get("/units/search", q="na then").json()["units"]] == [cast.na_then.slug]


def test_a_unit_tells_its_names_through_time(cast, program):
    found = program.get(f"/units/{cast.na_then.slug}").json()
    assert found["names"][0]["name"] == "Xã Nà Then" and found["went_to"] == []


def test_a_table_is_restated_as_the_command_line_restates_it(cast, program):
    from io import BytesIO

    table = BytesIO(b"code,petitions\n98001,4\n98002,7\n")
    table.name = "figures.csv"
    answer = program.send("/units/restate", {"start": "2026-01-01", "end": "2026-11-01", "file": table})
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/csv")
    assert "98001,Xã Nà Then,1/1,4,0,0" in answer.content.decode()


def test_the_interface_shows_the_figures_of_the_pages(cast, program):
    cast.brings()
    for name in (cast.na_then.slug, cast.phieng_lua.slug):
        page = program.client.get(reverse("unit_results", args=[name]), {"format": "json"}).json()
        told = program.get(f"/units/{name}/results").json()
        assert told["definitions"] == page["definitions"]
        assert {k: v for k, v in page["rows"][0].items() if k not in ("from", "until")} == told["rows"][0]
    everywhere = program.get("/results").json()["rows"]
    assert sum(row["received"] for row in everywhere) == 1 and len(everywhere) == 3


def test_a_procedure_comes_with_its_terms_and_their_law(cast, program):
    found = program.get("/procedures/FB-01").json()
    assert found["terms"] and all(term["law"] for term in found["terms"])
    assert "note" not in json.dumps(found) and "evidence" not in json.dumps(found)


def test_the_calendar_tells_the_days_that_differ_and_their_decree(cast, program):
    years = program.get("/calendar").json()["years"]
    days = program.get(f"/calendar/{years[0]['year']}").json()["days"]
    assert days and {"day", "kind", "name", "decree"} == set(days[0])


# Bringing and following


def test_the_same_id_with_the_same_words_gives_the_same_receipt(cast, program, matter):
    first, second = program.post("/matters", matter), program.post("/matters", matter)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json() and len(first.json()["code"]) == 16
    assert Case.system("test").count() == 1


def test_the_same_id_with_other_words_keeps_both_and_says_409(cast, program, matter):
    program.post("/matters", matter)
    answer = program.post("/matters", {**matter, "text": "Cột đèn đổ"}, language="vi")
    assert answer.status_code == 409 and answer["Content-Type"] == "application/problem+json"
    case = Case.system("test").get()
    assert case.text == "Đường vào bản tối"
    assert case.events.filter(kind=CaseEvent.Kind.MESSAGE_IN, text__contains="Cột đèn đổ").count() == 1


def picture(size=(8, 8), **options):
    from io import BytesIO

    from PIL import Image

    out = BytesIO()
    Image.new("RGB", size, (20, 120, 90)).save(out, "PNG", **options)
    out.seek(0)
    out.name = "đường.png"
    return out


def test_files_come_with_the_matter_and_count_among_its_words(cast, program, matter):
    first = program.send("/matters/with-files", {**matter, "files": picture()})
    again = program.send("/matters/with-files", {**matter, "files": picture()})
    other = program.send("/matters/with-files", {**matter, "files": picture((9, 9))})
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json() == again.json()
    # The second picture is kept as well.
    assert Attachment.system("test").count() == 2


def test_a_file_that_is_no_picture_is_refused_and_nothing_is_written(cast, program, matter):
    from io import BytesIO

    answer = program.send("/matters/with-files", {**matter, "files": BytesIO(b"MZ\x90\x00 not a picture")})
    assert answer.status_code == 409 and "PDF" in answer.json()["detail"]
    assert not Case.system("test").exists()


def test_a_matter_is_followed_by_the_code_in_the_body(cast, program, matter):
    code = program.post("/matters", matter).json()["code"]
    found = program.post("/follow", {"code": f"{code[:4]} {code[4:8]} {code[8:12]} {code[12:]}"}).json()
    assert found["state"] == "new" and found["promises"] and found["promises"][0]["sum"]
    told = program.post("/follow/message", {"code": code, "text": "Đèn vẫn tối"}).json()
    program.post("/follow/message", {"code": code, "text": "Đèn vẫn tối"})
    assert [line["text"] for line in told["timeline"] if line["text"]] == ["Đèn vẫn tối"]
    case = Case.system("test").get()
    assert case.events.filter(kind=CaseEvent.Kind.MESSAGE_IN).count() == 1
    added = program.send("/follow/files", {"code": code, "text": "Ảnh đây", "files": picture()}).json()
    assert [file["name"] for file in added["files"]] == ["đường.png"]


def test_wrong_codes_are_counted_together_with_those_of_the_page(cast, program):
    for _ in range(10):
        assert program.post("/follow", {"code": "1234567890123456"}).status_code == 404
    assert program.post("/follow", {"code": "1234567890123456"}).status_code == 429
    page = program.client.post(reverse("follow"), {"code": "1234567890123456"})
    assert page.status_code == 429


def test_what_the_form_of_the_page_asks_is_asked_here(cast, program, matter):
    answer = program.post("/matters", {**matter, "name": "", "phone": "12"})
    assert answer.status_code == 422
    assert {field["name"] for field in answer.json()["fields"]} == {"name", "phone"}


# What is refused


def test_a_field_that_is_not_described_is_refused(cast, program, matter):
    for field in ("holder", "officer", "received_at", "channel", "closed_at"):
        answer = program.post("/matters", {**matter, field: "x"})
        assert answer.status_code == 422 and answer.json()["fields"][0]["name"] == field
    answer = program.send("/matters/with-files", {**matter, "channel": "desk", "files": picture()})
    assert answer.status_code == 422
    assert program.get("/units", surprise="1").status_code == 422
    assert program.client.get("/api/v1/units?limit=1&limit=2").status_code == 422
    assert not Case.system("test").exists()


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_refusal_is_a_sentence_in_the_language_asked_for(cast, language):
    answer = Program(language=language).post("/matters", {"id": "x"})
    told = answer.json()
    assert answer["Content-Type"] == "application/problem+json" and answer["Content-Language"] == language
    assert "Accept-Language" in answer["Vary"]
    words = json.dumps(told, ensure_ascii=False)
    assert ("Thiếu trường này." in words) is (language == "vi")
    assert ("This field is missing." in words) is (language == "en")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 415),
        (b"{", 400),
        (b"[]", 422),
        (b"\xff\xfe", 400),
        (b"[" * 200_000, 400),
        (b'{"code": NaN}', 400),
        (b'{"code": "1", "code": "2"}', 400),
        (b'{"code": "\\ud800"}', 422),
        (b'{"code": 5}', 422),
        (b'{"code": "' + b"9" * 300_000 + b'"}', 413),
    ],
)
def test_a_body_that_cannot_be_read_gets_a_sentence(cast, program, body, status):
    answer = program.post("/follow", body)
    assert answer.status_code == status and answer.json()["detail"]


def test_a_body_of_another_kind_is_not_read(cast, program, matter):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", ""):
        assert program.post("/matters", matter, kind=kind).status_code == 415
    assert not Case.system("test").exists()


def test_another_website_cannot_send_in_the_visitors_name(cast, program, matter):
    answer = program.post("/matters", matter, **{"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403 and not Case.system("test").exists()


def test_a_method_that_is_not_offered_is_told_with_the_one_that_is(cast, program):
    answer = program.client.delete("/api/v1/units")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert answer["Content-Type"] == "application/problem+json"
    head = program.client.head("/api/v1/units")
    assert head.status_code == 200 and head.content == b"" and int(head["Content-Length"]) > 100


def test_what_is_not_there_is_said_as_a_problem(cast, program):
    for path in ("/nothing", "/units/none", "/procedures/none", "/cases", "/procedures/%00"):
        answer = program.get(path)
        assert answer["Content-Type"] == "application/problem+json", path


def test_a_day_is_written_as_a_day(cast, program):
    for day in ("1700000000", "2026-07-01T00:00:00", "1/7/2026", "2026-02-30", "0001-01-01", ""):
        assert program.get("/units", on=day).status_code == 422, day


# Staff


def test_who_is_not_signed_in_is_told_so(cast, program):
    for path in ("/cases", "/worklist", f"/cases/{uuid4()}", f"/obligations/{uuid4()}"):
        assert program.get(path).status_code == 401


def test_a_role_without_the_capability_is_refused(cast):
    answer = Program(cast.people["registrar"]).get("/cases")
    assert answer.status_code == 403 and answer.json()["detail"]


def test_the_lists_hold_what_the_pages_hold_and_no_more(cast):
    own, near = cast.brings().case, cast.brings(unit=cast.phieng_lua).case
    complaint = cast.brings("DE-01", "Cán bộ đòi tiền").case
    pao = Program(cast.people["pao"])
    assert [row["id"] for row in pao.get("/cases").json()["rows"]] == [str(own.pk)]
    assert {row["matter"] for row in pao.get("/worklist").json()["rows"]} == {str(own.pk)}
    for hidden in (near, complaint):
        assert pao.get(f"/cases/{hidden.pk}").status_code == 404
    inspector = Program(cast.people["inspector"])
    assert [row["id"] for row in inspector.get("/cases").json()["rows"]] == [str(complaint.pk)]
    everything = pao.get(f"/cases/{own.pk}").json()
    assert "Hoa" not in json.dumps(everything) and CaseIdentity.system("test").filter(case=own).exists()
    promise = everything["obligations"][0]["id"]
    assert pao.get(f"/obligations/{promise}").json()["sum"]
    assert Program(cast.people["lan"]).get(f"/obligations/{promise}").status_code == 404


def test_a_reading_is_written_down_as_on_the_page(cast):
    from gandan.audit.models import AuditEntry

    case = cast.brings().case
    Program(cast.people["pao"]).get(f"/cases/{case.pk}")
    assert AuditEntry.system("test").filter(action="case.read", object_id=case.pk).count() == 1


def test_a_place_in_one_list_opens_no_other(cast):
    for _ in range(3):
        cast.brings(text=f"Việc {uuid4()}")
    pao, chief = Program(cast.people["pao"]), Program(cast.people["chief"])
    first = pao.get("/cases", limit=2).json()
    assert len(pao.get("/cases", limit=2, after=first["next"]).json()["rows"]) == 1
    for answer in (chief.get("/cases", after=first["next"]), pao.get("/cases", q="việc", after=first["next"])):
        assert answer.status_code == 400


# The house


def test_every_operation_says_who_may_use_it_and_has_an_address_of_its_own():
    found = list(interface.operations(api._ROUTERS))
    assert len(found) == 20
    router = interface.Router()
    router.get("/open")(lambda request: {})
    with pytest.raises(ValueError, match="does not say who"):
        list(interface.operations([router]))
    shared = interface.Router()
    shared.get("/one")(public("a test")(lambda request: {}))
    shared.post("/one")(public("a test")(lambda request: {}))
    with pytest.raises(ValueError, match="several operations"):
        list(interface.operations([shared]))


def test_the_description_names_every_operation_with_its_rule(cast, program):
    answer = program.get("/openapi.json")
    described = answer.json()
    entries = [entry for path in described["paths"].values() for entry in path.values()]
    assert len(entries) == 20 and all(entry["x-access"] for entry in entries)
    locked = [e for e in entries if not e["x-access"].startswith("public")]
    assert len(locked) == 4 and all(e["security"] == [{"session": []}] for e in locked)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_for_programs_lists_every_operation_and_loads_nothing_from_elsewhere(cast, program, language):
    page = program.client.get("/programs/" if language == "vi" else "/en/programs/")
    text = page.content.decode()
    assert page.status_code == 200 and text.count('<section class="panel"') == 20
    assert "/api/v1/matters/with-files" in text and "case.read" in text
    assert "http://" not in text.replace("http://www.w3.org", "") and "https://" not in text


# Texts


@pytest.mark.parametrize(
    ("typed_text", "kept"),
    [
        ("Thèn Lu\u0301a", "Thèn Lúa"),
        ("a\x00b\x1bc", "a\ufffdb\ufffdc"),
        ("dòng\tmột\r\ndòng hai", "dòng\tmột\r\ndòng hai"),
        ("a\u202eb", "a\u202eb\u202c"),
        ("a\u202eb\nc", "a\u202eb\u202c\nc"),
        ("a\u2067b\u202ec\u2069d", "a\u2067b\u202ec\u202c\u2069d"),
        ("a\u202cb\u2069c", "abc"),
        ("", ""),
    ],
)
def test_a_text_is_brought_into_one_form(typed_text, kept):
    assert typed.whole(typed_text) == kept
    assert typed.whole(kept) == kept


@pytest.mark.parametrize(
    ("value", "shown"),
    [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-cmd", "'-cmd"), ("-12,5", "-12,5"), (7, 7), ("Xã", "Xã")],
)
def test_a_cell_never_becomes_a_formula(value, shown):
    assert tables.cell(value) == shown
