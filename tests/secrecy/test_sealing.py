"""What is sealed is shut in the database, on the pages and in the search; it opens only in its own place."""

import copy
import json
import os
from functools import partial

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from gandan.access import ANONYMOUS, now, today
from gandan.cases import actions, files, jobs, sealing, uploads
from gandan.cases.models import Attachment, Case, CaseEvent, CaseIdentity, Draft
from gandan.secrecy import keys, rotation, vault
from gandan.secrecy.fields import Sealed, unlock, words
from gandan.secrecy.models import DataKey
from tests.cases.test_public import picture

pytestmark = pytest.mark.django_db
SAID = "Thượng úy Pao đòi hai triệu đồng ở quán nước."
PLACE = "Quán nước đầu bản"


@pytest.fixture
def denounced(world):
    return world.case("DE-01", text=SAID, place=PLACE, by=ANONYMOUS, concern={"unit": world.an})


def stored():
    """Everything that the tables of matters hold, as text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("cases_", "secrecy_", "obligations_", "staffing_")):
                cursor.execute(f'SELECT * FROM "{table}"')
                found += [str(value) for row in cursor.fetchall() for value in row]
    return "\n".join(found)


def test_no_word_of_a_denunciation_and_no_name_lies_in_the_database(world, denounced):
    ordinary = world.case(text="Cột đèn đổ.")
    chief = world.actor("inspector")
    actions.note(case=denounced, text="Đã gặp người tố cáo ở chợ phiên.", by=chief)
    everything = stored()
    for word in (SAID, "doi hai trieu", PLACE, "Lò Thị Hoa", "0912345678", "chợ phiên"):
        assert word not in everything
    assert "Cột đèn đổ." in everything, "an ordinary matter is searched by its words"
    assert world.fresh(denounced).title == denounced.procedure.name_vi
    assert world.fresh(denounced).folded == "" and world.fresh(ordinary).folded
    assert sealing.unsealed() == 0


def test_a_word_left_in_the_open_would_be_found(world, denounced):
    Case.system("test").filter(pk=denounced.pk).update(folded=" quan nuoc ")
    assert sealing.unsealed() == 1


def test_sealed_words_are_three_dots_wherever_they_are_put(world, denounced):
    row = world.fresh(denounced)
    assert isinstance(row.text, Sealed)
    person = CaseIdentity.system("test").get(case=row)
    for value in (row.text, person.phone, person.name, person.others or person.name):
        assert str(value) == repr(value) == f"{value}" == "•••" == "".join([value])
        assert json.loads(json.dumps({"x": value})) == {"x": "•••"}
        assert Template("{{ x }}").render(Context({"x": value})) == "•••"
        assert str(copy.deepcopy(value)) == "•••"


def test_words_open_in_their_own_place_only(world, denounced):
    row = world.fresh(denounced)
    other = world.case("DE-01", text="Chuyện khác.", place="Nơi khác", by=ANONYMOUS, concern={"unit": world.an})
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_case SET answer = text WHERE id = %s", [_key(row.pk)])
        cursor.execute("SELECT text FROM cases_case WHERE id = %s", [_key(row.pk)])
        token = cursor.fetchone()[0]
        cursor.execute("UPDATE cases_case SET text = %s WHERE id = %s", [token, _key(other.pk)])
    row, other = world.fresh(row), world.fresh(other)
    unlock([row, other])
    assert row.text == SAID
    with pytest.raises(vault.Unopened):
        print(row.answer, "moved to another field")
    with pytest.raises(vault.Unopened):
        print(other.text, "moved to another matter")
    with pytest.raises(ValueError, match="another row"):
        world.fresh(other).text = world.fresh(denounced).text


def _key(pk):
    return pk.hex if connection.vendor == "sqlite" else pk


def test_what_is_altered_does_not_open(world, denounced):
    row = world.fresh(denounced)
    token = row.__dict__["text"]
    key = keys.by_id([vault.key_id_of(token)])[vault.key_id_of(token)]
    place = {"table": "cases_case", "row": row.pk, "field": "text"}
    assert vault.text_of(token, key, **place) == SAID
    turned = token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:]
    with pytest.raises(vault.Unopened):
        vault.text_of(turned, key, **place)


def test_saving_what_is_shut_keeps_it_and_three_dots_are_never_kept(world, denounced):
    row = world.fresh(denounced)
    row.save()
    assert words(world.fresh(row).text) == SAID
    row.text = "•••"
    with pytest.raises(ValueError, match="dots"):
        row.save()


def test_what_somebody_types_never_passes_for_sealed(world):
    case = world.case(text="\x1egd1." + "0" * 32 + ".AAAA", title="Thử")
    assert not isinstance(world.fresh(case).text, Sealed)


def test_a_page_of_names_asks_one_question(world, django_assert_num_queries):
    cases = [world.case(text=f"Việc {n}") for n in range(25)]
    rows = list(CaseIdentity.system("test").filter(case__in=cases))
    with django_assert_num_queries(1):
        unlock(rows)
        assert {row.name for row in rows} == {"Lò Thị Hoa"}


@pytest.mark.unrecorded("the rows are written by the test alone")
def test_making_many_rows_asks_twice(world, django_assert_num_queries):
    cases = [world.case(identity={}) for _ in range(5)]
    with transaction.atomic(), django_assert_num_queries(4):  # keys found, whether erased, keys made, rows written
        CaseIdentity.objects.bulk_create([CaseIdentity(case=case, name="Hoa") for case in cases])
    assert DataKey.objects.count() == 5


def test_the_reporter_reads_the_own_words_under_the_code(world, client, denounced):
    receipt = world.bring("DE-01", text=SAID, by=ANONYMOUS, concern={"unit": world.an})
    page = client.post("/follow/", {"code": receipt.code}).content.decode()
    assert denounced.procedure.name_vi in page
    actions.message_out(case=receipt.case, text="Mời bà đến lúc 8 giờ.", by=world.actor("inspector"))
    assert "Mời bà đến lúc 8 giờ." in client.post("/follow/", {"code": receipt.code}).content.decode()


def test_an_unnamed_reporters_code_opens_the_words_without_the_other_keys(world, client, own_keys):
    code = next(
        p.code for p in type(world.procedure("DE-01")).objects.filter(confidentiality="sealed", about_service=False)
    )
    receipt = world.bring(code, text="Chồng đánh vợ con.", anonymous=True, identity={})
    actions.message_out(case=receipt.case, text="Chúng tôi đang đến.", by=world.actor("pao"))
    assert CaseEvent.objects.model.system("test").filter(text="Chúng tôi đang đến.").count() == 0
    (own_keys / "kek-1.key").rename(own_keys / "away")
    vault._read.cache_clear()
    page = client.post("/follow/", {"code": receipt.code}).content.decode()
    assert "Chúng tôi đang đến." in page


def test_the_inspector_reads_the_words_and_the_auditor_does_not(world, at_desk, denounced):
    assert SAID in at_desk("inspector").get("case", denounced.pk).content.decode()
    auditor = at_desk("auditor").get("case", denounced.pk).content.decode()
    assert SAID not in auditor and PLACE not in auditor and denounced.reference in auditor
    assert at_desk("pao").get("case", denounced.pk).status_code == 404


def on_the_disk(settings):
    """Everything under the folder of files, as one text of bytes."""
    found = [path.read_bytes() for path in sorted(settings.MEDIA_ROOT.rglob("*")) if path.is_file()]
    return b"\n".join(found)


@pytest.fixture
def own_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.MEDIA_ROOT.mkdir()


def test_files_of_a_sealed_matter_are_sealed_on_the_disk_and_never_lay_open(world, at_desk, own_files, settings):
    file = uploads.receive(SimpleUploadedFile("anh.jpg", picture("JPEG")))
    assert not on_the_disk(settings), "in memory only"
    case = world.case("DE-01", text=SAID, by=ANONYMOUS, concern={"unit": world.an}, files=[file])
    kept = Attachment.system("test").get(case=case)
    assert kept.sealed_with and file.content[:64] not in on_the_disk(settings)
    opened = at_desk("inspector").get("case_file", case.pk, kept.pk)
    assert b"".join(opened.streaming_content) == file.content
    assert at_desk("auditor").get("case_file", case.pk, kept.pk).status_code == 403
    actions.message_in(case=case, text="Thêm ảnh", by=ANONYMOUS, files=[file])
    assert case.attachments.count() == 2 and file.content[:64] not in on_the_disk(settings)


def test_a_file_of_an_open_matter_lies_on_the_disk_before_its_row(world, own_files, settings):
    file = uploads.receive(SimpleUploadedFile("anh.jpg", picture("JPEG")))
    case = world.case(files=[file])
    assert sealing.bytes_of(case.attachments.get()) == file.content == on_the_disk(settings)
    assert world.case(files=[file]).attachments.get().sha256 == file.sha256, "the same bytes lie there once"
    assert on_the_disk(settings) == file.content


def test_the_open_file_goes_when_its_matter_is_sealed_unless_somebody_else_needs_it(
    world, own_files, django_capture_on_commit_callbacks
):
    file = uploads.receive(SimpleUploadedFile("anh.jpg", picture("JPEG")))
    case, other = world.case(files=[file]), world.case(files=[file])
    os.utime(files.path_of(file.sha256), (0, 0))  # they came long ago

    def seal(one):
        with django_capture_on_commit_callbacks(execute=True):
            actions.correct(case=one, procedure=world.procedure("DE-01"), ground="Tố cáo", by=world.actor("chief"))

    seal(case)
    assert files.path_of(file.sha256).exists(), "another matter names it"
    assert sealing.bytes_of(case.attachments.get()) == file.content
    seal(other)
    assert not files.path_of(file.sha256).exists(), "at once"
    assert sealing.bytes_of(other.attachments.get()) == file.content


def test_an_open_file_that_came_within_the_hour_goes_with_the_next_clearing(
    world, own_files, django_capture_on_commit_callbacks
):
    file = uploads.receive(SimpleUploadedFile("anh.jpg", picture("JPEG")))
    case = world.case(files=[file])
    os.utime(files.path_of(file.sha256), (now().timestamp(),) * 2)
    with django_capture_on_commit_callbacks(execute=True):
        actions.correct(case=case, procedure=world.procedure("DE-01"), ground="Tố cáo", by=world.actor("chief"))
    assert files.path_of(file.sha256).exists(), "somebody may just be sending the same"
    os.utime(files.path_of(file.sha256), (0, 0))
    jobs.tick(now())
    assert not files.path_of(file.sha256).exists()


# Drafts


def test_what_is_typed_into_a_draft_lies_sealed_and_comes_back_to_whoever_types(world, own_files, settings):
    client, words = Client(), "Đèn đường tối ba hôm nay"
    client.post(reverse("report") + f"?unit={world.an.slug}", {"kind": "FB-01"})
    draft = Draft.objects.get()
    step = partial(reverse, "report_step")
    assert client.post(step(args=[draft.pk, "what"]), {"text": words, "place": PLACE}).status_code == 302
    image = SimpleUploadedFile("anh nha toi.jpg", picture("JPEG"))
    assert client.post(step(args=[draft.pk, "files"]), {"file": image}).status_code == 302
    assert client.post(step(args=[draft.pk, "who"]), {"anonymous": "no", "name": "Lò Thị Hoa"}).status_code == 302
    everything = stored()
    for word in (words, PLACE, "Lò Thị Hoa", "anh nha toi", world.an.slug + '"'):
        assert word not in everything, word
    clear = uploads.receive(SimpleUploadedFile("x.jpg", picture("JPEG"))).content
    assert clear[:64] not in on_the_disk(settings)
    assert not DataKey.objects.filter(matter=draft.pk).exists(), "its key is stored nowhere"
    page = client.get(step(args=[draft.pk, "check"])).content.decode()
    assert words in page and "Lò Thị Hoa" in page and "anh nha toi.jpg" in page
    assert client.post(step(args=[draft.pk, "check"])).status_code == 200
    case = Case.system("test").get(submission=draft.pk)
    assert sealing.bytes_of(case.attachments.get()) == clear and case.text == words
    unlock([sent := Draft.objects.get()])
    assert sent.data == {"kind": "FB-01"} and not sent.files.exists()
    again = client.post(step(args=[draft.pk, "check"]))
    assert again.status_code == 200 and case.reference in again.content.decode()


def test_the_same_file_twice_in_a_draft_is_one(world, own_files):
    draft = Draft.objects.create(data={"kind": "FB-01"}, begun_on=today())
    file = uploads.receive(SimpleUploadedFile("anh.jpg", picture("JPEG")))
    for _ in range(2):
        sealing.add_to_draft(draft, file)
    row = draft.files.get()
    assert sealing.of_draft(draft, row) == file
    other = Draft.objects.create(data={"kind": "FB-01"}, begun_on=today())
    with pytest.raises(vault.Unopened):
        sealing.of_draft(other, row)


def test_a_draft_opens_after_the_key_of_the_folder_was_replaced(world):
    draft = Draft.objects.create(data={"text": SAID}, begun_on=today())
    rotation.rotate()
    found = Draft.objects.get()
    unlock([found])
    assert found.data == {"text": SAID}
    found.data = {"text": PLACE}
    found.save(update_fields=["data"])
    found = Draft.objects.get()
    assert repr(found.data) == "•••"
    unlock([found])
    assert found.data == {"text": PLACE} and draft.pk == found.pk


def test_a_draft_from_before_they_were_sealed_is_read_and_sealed_when_it_is_written(world):
    Draft.objects.create(data={}, begun_on=today())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_draft SET data = %s", [json.dumps({"text": SAID})])
    found = Draft.objects.get()
    unlock([found])
    assert found.data == {"text": SAID}
    found.save(update_fields=["data"])
    assert SAID not in stored()


def test_a_draft_whose_file_was_lost_asks_for_it_again_and_keeps_the_words(world, own_files):
    data = {"kind": "FB-01", "unit": world.an.slug, "text": SAID, "anonymous": "yes"}
    draft = Draft.objects.create(data=data, begun_on=today())
    sealing.add_to_draft(draft, uploads.receive(SimpleUploadedFile("anh.jpg", picture("JPEG"))))
    files.path_of(draft.files.get().sha256).unlink()
    client, address = Client(), reverse("report_step", args=[draft.pk, "check"])
    assert client.post(address).status_code == 302 and not Case.system("test").exists()
    assert client.post(address).status_code == 200 and Case.system("test").get().text == SAID


def test_a_kind_corrected_to_a_sealed_one_shuts_what_was_open(world):
    case = world.case(text=SAID, place=PLACE, title="Pao đòi tiền")
    actions.note(case=case, text="Người dân kể về quán nước.", by=world.actor("pao"))
    assert "quán nước" in stored()
    actions.correct(
        case=case, procedure=world.procedure("DE-01"), ground="Đây là tố cáo.", by=world.actor("chief"), named="Pao"
    )
    everything = stored()
    assert "quán nước" not in everything and "quan nuoc" not in everything and "Pao đòi tiền" not in everything
    row = world.fresh(case)
    unlock([row])
    assert row.text == f"Pao đòi tiền\n\n{SAID}"
