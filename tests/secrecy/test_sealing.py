"""What is sealed is shut in the database, on the pages and in the search; it opens only in its own place."""

import copy
import json
import os

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.template import Context, Template

from gandan.access import ANONYMOUS, now
from gandan.cases import actions, jobs, sealing, uploads
from gandan.cases.models import Attachment, Case, CaseEvent, CaseIdentity
from gandan.secrecy import keys, vault
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


def test_files_of_a_sealed_matter_are_sealed_on_the_disk(world, at_desk):
    file = uploads.keep(SimpleUploadedFile("anh.jpg", picture("JPEG")))
    clear = uploads.path_of(file.sha256).read_bytes()
    case = world.case("DE-01", text=SAID, by=ANONYMOUS, concern={"unit": world.an}, files=[file])
    kept = Attachment.system("test").get(case=case)
    assert kept.sealed_with and clear[:64] not in uploads.path_of(kept.sha256).read_bytes()
    opened = at_desk("inspector").get("case_file", case.pk, kept.pk)
    assert b"".join(opened.streaming_content) == clear
    assert at_desk("auditor").get("case_file", case.pk, kept.pk).status_code == 403
    os.utime(uploads.path_of(file.sha256), (now().timestamp(),) * 2)
    assert sealing.clear_unnamed_files(now()) == 0, "somebody may just be sending it"
    os.utime(uploads.path_of(file.sha256), (0, 0))
    jobs.tick(now())
    assert not uploads.path_of(file.sha256).exists() and uploads.path_of(kept.sha256).exists()


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
