"""The auditor draws, lists, follows and carries away; each with what proves it, and nothing beyond their reach."""

import csv
import io
import re
from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse as address
from django.utils import translation

from gandan.access.clock import VIETNAM
from gandan.audit import actions as audit
from gandan.audit.models import AuditEntry
from gandan.audit.verify_bundle import verify
from gandan.cases import actions
from gandan.obligations import actions as obligations
from gandan.obligations.models import Obligation
from gandan.portal import auditing

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 23, 9, tzinfo=VIETNAM)
WINDOW = auditing.Window(MONDAY - timedelta(days=90), MONDAY + timedelta(days=90), timedelta(hours=24))


def reverse(name, **options):
    """Return the English address of a page."""
    with translation.override("en"):
        return address(name, **options)


def vietnamese(name):
    with translation.override("vi"):
        return address(name)


@pytest.fixture
def client(cast):
    return sign_in(cast, "auditor")


def sign_in(cast, name):
    client = Client()
    client.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def page(client, name, *args, status=200, **query):
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


def table(response):
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def promise(case, clock=None):
    rows = Obligation.system("test").filter(matter=case.pk).order_by("due_at")
    return rows.filter(clock=clock).get() if clock else rows.last()


# Drawing


def test_a_seed_draws_the_same_matters_for_everybody_who_reaches_them(cast):
    for number in range(40):
        cast.brings(text=f"Việc {number}", unit=(cast.na_then, cast.phieng_lua)[number % 2])
    drawn = auditing.draw(cast.actor("auditor"), seed="a1", before=date(2026, 11, 24), by_unit=False)
    again = auditing.draw(cast.actor("commander"), seed="a1", before=date(2026, 11, 24), by_unit=False)
    other = auditing.draw(cast.actor("auditor"), seed="a2", before=date(2026, 11, 24), by_unit=False)
    assert len(drawn.cases) == 30 and drawn.population == 40
    assert drawn.cases == again.cases and drawn.cases != other.cases


def test_a_matter_that_comes_later_changes_no_draw(cast, move_to):
    for number in range(5):
        cast.brings(text=f"Việc {number}")
    move_to(MONDAY + timedelta(days=1))
    before = auditing.draw(cast.actor("auditor"), seed="s", before=date(2026, 11, 24), by_unit=False)
    cast.brings(text="Việc đến sau")
    assert auditing.draw(cast.actor("auditor"), seed="s", before=date(2026, 11, 24), by_unit=False) == before


def test_a_draw_by_unit_looks_at_the_small_unit_too(cast):
    for number in range(60):
        cast.brings(text=f"Việc {number}", unit=cast.na_then)
    small = cast.brings(text="Việc duy nhất", unit=cast.phieng_lua).case
    drawn = auditing.draw(cast.actor("auditor"), seed="any", before=date(2026, 11, 24), by_unit=True)
    assert small in drawn.cases[:2] and len(drawn.cases) == 30


def test_a_draw_stands_in_the_record_and_a_look_does_not(cast, client):
    case = cast.brings().case
    before = AuditEntry.system("test").filter(action="audit.draw").count()
    assert "this is a look, not a draw" in page(client, "audit_sample", seed="x7", before="2026-11-23")
    given = {"seed": "x7", "before": "2026-11-23", "by_unit": "on"}
    response = client.post(reverse("audit_draw"), given, follow=True)
    text = response.content.decode()
    assert response.status_code == 200 and "This draw stands in the record as entry" in text
    (entry,) = AuditEntry.system("test").filter(action="audit.draw")
    assert before == 0 and entry.reason == "seed:x7" and entry.actor_id == cast.people["auditor"].pk
    assert case.reference not in text, "it was received today, and the draw is of the days before"


def test_the_sample_is_a_file_too(cast, move_to):
    case = cast.brings().case
    move_to(MONDAY + timedelta(days=1))
    client = sign_in(cast, "auditor")
    response = client.get(reverse("audit_sample"), {"seed": "x", "before": "2026-11-24", "format": "csv"})
    (row,) = table(response)
    assert row["Matter"] == case.reference and str(case.pk) in row["Address"]


@pytest.mark.parametrize(
    "given", [{"seed": "né"}, {"seed": "x", "before": "hôm qua"}, {"seed": "x", "before": "2031-01-01"}]
)
def test_a_wrong_seed_or_day_is_told_and_kept(client, given):
    for response in (
        client.post(reverse("audit_draw"), {"before": "2026-11-23"} | given),
        client.get(reverse("audit_sample"), {"before": "2026-11-23"} | given),
    ):
        assert response.status_code == 422 and given["seed"] in response.content.decode()
    assert not AuditEntry.system("test").filter(action="audit.draw").exists()


# Lists


def due_soon(case, move_to, hours):
    """Go to some hours before the last promise of a matter."""
    at = promise(case).due_at - timedelta(hours=hours)
    move_to(at)
    return at


def test_a_clock_paused_just_before_its_date_is_listed_and_one_paused_early_is_not(cast, move_to):
    early, late = cast.brings("RE-02", "Sớm").case, cast.brings("RE-02", "Muộn").case
    auditor = cast.actor("auditor")
    actions.ask_papers(case=early, items=["Giấy"], by=cast.actor("pao"))
    due_soon(late, move_to, 3)
    actions.ask_papers(case=late, items=["Giấy"], by=cast.actor("pao"))
    found = auditing.paused(auditor, WINDOW)
    assert {each.matter for each in found} == {late.pk}
    assert found[0].reference == late.reference and found[0].left_text == "3:00"


def test_a_promise_kept_just_before_its_date_is_listed_with_the_date_as_it_stood(cast, move_to):
    case = cast.brings().case
    actions.take(case=case, by=cast.actor("pao"))
    due_soon(case, move_to, 2)
    actions.answer(case=case, text="Đã lắp đèn", by=cast.actor("pao"))
    (found,) = auditing.closed(cast.actor("auditor"), WINDOW)
    assert found.matter == case.pk and found.left == timedelta(hours=2)


def test_an_extension_is_held_against_the_date_before_it(cast, move_to):
    case = cast.brings("FB-01").case
    owed = next(
        row for row in Obligation.system("test").filter(matter=case.pk).select_related("term") if row.term.extensions
    )
    move_to(owed.due_at - timedelta(hours=5))
    rule = owed.term.extensions[0]
    obligations.extend(
        obligation=owed, extension=rule["code"], ground="Chờ xác minh", at=owed.due_at - timedelta(hours=5),
        by=cast.actor("chief"),
    )  # fmt: skip
    (found,) = auditing.extended(cast.actor("auditor"), WINDOW)
    assert found.left == timedelta(hours=5) and found.ground == "Chờ xác minh"


def test_what_is_written_down_late_is_listed_with_both_times(cast, move_to):
    case = cast.brings().case
    move_to(MONDAY + timedelta(days=2))
    obligations.fulfil("taken", matter=case.pk, at=MONDAY + timedelta(minutes=1), by=cast.actor("pao"), late_entry=True)
    found = auditing.late(cast.actor("auditor"), WINDOW)
    assert found and all(each.recorded_at - each.at > timedelta(days=1) for each in found)


def test_what_is_opened_again_soon_is_listed(cast, move_to):
    case, pao = cast.brings().case, cast.actor("pao")
    actions.take(case=case, by=pao)
    actions.answer(case=case, text="Xong", by=pao)
    move_to(MONDAY + timedelta(hours=6))
    actions.reopen(case=case, by=cast.actor("chief"), text="Chưa xong")
    (found,) = auditing.reopened(cast.actor("auditor"), WINDOW)
    assert found.matter == case.pk and found.left_text == "6:00"
    short = auditing.Window(WINDOW.start, WINDOW.end, timedelta(hours=5))
    assert auditing.reopened(cast.actor("auditor"), short) == []


def test_the_lists_stay_inside_one_s_reach(cast, move_to):
    far = cast.brings(unit=cast.far_away).case
    move_to(MONDAY + timedelta(days=2))
    obligations.fulfil("taken", matter=far.pk, at=MONDAY + timedelta(minutes=1), by=cast.actor("pao"), late_entry=True)
    assert all(find(cast.actor("auditor"), WINDOW) == [] for find in auditing.LISTS.values())


@pytest.mark.parametrize("name", list(auditing.LISTS))
def test_every_list_has_a_page_and_a_file_in_both_languages(cast, name, move_to):
    case = cast.brings(text="Việc").case
    actions.take(case=case, by=cast.actor("pao"))
    due_soon(case, move_to, 2)
    actions.answer(case=case, text="=1+1", by=cast.actor("pao"))
    client = sign_in(cast, "auditor")
    query = {"list": name, "start": "2026-11-01", "end": "2026-12-31", "hours": "48"}
    text = page(client, "audit_list", **query)
    response = client.get(reverse("audit_list"), query | {"format": "csv"})
    assert response["Content-Disposition"].endswith(f'audit-{name}.csv"')
    rows = table(response)
    assert f'<b class="num">{len(rows)}</b>' in text
    if name == "closed":
        assert rows[0]["Matter"] == case.reference and rows[0]["Minutes"] == "120"
    assert "Ghi lại" not in text
    assert "Đến ngày" in client.get(vietnamese("audit_list"), {"list": name}).content.decode()


def test_wrong_days_are_told(client):
    for wrong in (
        {"start": "x"},
        {"start": "2026-11-23", "end": "2026-01-01"},
        {"start": "2020-01-01"},
        {"hours": "0"},
    ):
        page(client, "audit_list", status=422, **wrong)
    page(client, "audit_list", status=404, list="nothing")


# One matter


def test_one_matter_shows_each_promise_as_a_sum_who_read_it_and_every_entry(cast, client):
    case = cast.brings().case
    actions.take(case=case, by=cast.actor("pao"))
    sign_in(cast, "truc").get(reverse("case", args=[case.pk]))
    text = page(client, "audit_matter", case.pk)
    owed = Obligation.system("test").filter(matter=case.pk)
    assert text.count('<div class="sum">') == owed.count() > 0
    readings = text[text.index("Who read what") : text.index("Entries of the record")]
    assert cast.people["truc"].title in readings and "case.read" in readings
    entries = AuditEntry.system("test").filter(object_id__in=[case.pk, *owed.values_list("pk", flat=True)])
    for entry in entries:
        if entry.action != "access.read":
            assert entry.hash[:12] in text


# The signed end, and the bundle


def test_an_ending_says_whether_it_came_in_time(cast, client, move_to):
    move_to(datetime(2026, 11, 2, 9, tzinfo=VIETNAM))
    kept, broken = (cast.brings(text=f"Việc {number}").case for number in range(2))
    for case, day in ((kept, 3), (broken, 20)):
        move_to(datetime(2026, 11, day, 9, tzinfo=VIETNAM))
        actions.take(case=case, by=cast.actor("pao"))
        actions.answer(case=case, text="Xong", by=cast.actor("pao"))
    move_to(MONDAY)
    for case, told, other in (
        (kept, "ended the promise in time", "ended the promise after its date"),
        (broken, "ended the promise after its date", "ended the promise in time"),
    ):
        shown = page(client, "audit_matter", case.pk)
        assert told in shown and other not in shown and "kept the promise" not in shown
    handed = cast.brings(text="Của xã bên").case
    actions.send(case=handed, text="Của xã bên", to_unit=cast.phieng_lua, by=cast.actor("pao"))
    actions.acknowledge(case=handed, by=cast.actor("lan"))
    assert "handed the promise over in time" in page(client, "audit_matter", handed.pk)


def test_the_page_to_print_carries_the_line_and_a_code_that_tells_the_same(cast, client):
    assert "Nothing is signed yet" in page(client, "audit_checkpoint")
    cast.brings()
    made = audit.make_checkpoint(MONDAY)
    text = page(client, "audit_checkpoint")
    assert made.line in text and 'style="' not in text and "<script" not in text.split('<svg class="qr"')[1][:200]
    drawn = re.search(r'<path d="((?:M\d+ \d+h1v1h-1z)+)"', text)
    size = int(re.search(r'class="qr"[^>]*viewBox="0 0 (\d+) ', text)[1])
    assert scanned(drawn[1], size) == made.line


def scanned(path, size):
    """Return what a QR code says, read back by the rules of its own making: the squares of a code for another line
    differ, and those of this line are the same."""
    import qrcode

    squares = {(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", path)}
    from gandan.audit.models import AuditCheckpoint
    from gandan.audit.verifying import checkpoint_of

    for row in AuditCheckpoint.objects.all():
        code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4)
        code.add_data(checkpoint_of(row).line)
        code.make(fit=True)
        matrix = code.get_matrix()
        if len(matrix) == size and squares == {(x, y) for y, r in enumerate(matrix) for x, d in enumerate(r) if d}:
            return checkpoint_of(row).line
    return ""


def test_the_bundle_verifies_and_its_taking_is_recorded(cast, client, tmp_path, settings):
    settings.GANDAN_CHECKPOINTS = tmp_path / "elsewhere"
    cast.brings()
    response = client.post(reverse("audit_bundle"), {"first": "1"})
    assert response.status_code == 200 and response["Content-Disposition"].endswith('record-20261123.zip"')
    target = tmp_path / "record.zip"
    target.write_bytes(b"".join(response.streaming_content))
    for close in response._resource_closers:
        # Not the response itself: that would close the test's own connection to the database.
        close()
    manifest = verify(target)
    (entry,) = AuditEntry.system("test").filter(action="audit.bundle")
    assert manifest["last"] == entry.seq and entry.reason == "from:1"


@pytest.mark.parametrize("first", ["", "0", "x", "99999999"])
def test_entries_that_are_not_there_are_told(client, first):
    response = client.post(reverse("audit_bundle"), {"first": first}, follow=True)
    assert response.status_code == 200 and "entry" in response.content.decode()


def test_nobody_else_comes_in(cast):
    for name in ("pao", "chief", "commander", "inspector", "administrator"):
        client = sign_in(cast, name)
        for route in ("audit_desk", "audit_list", "audit_sample", "audit_checkpoint"):
            page(client, route, status=403)
        for route in ("audit_draw", "audit_bundle"):
            assert client.post(reverse(route)).status_code == 403


def test_the_desk_shows_each_list_with_its_number(cast, client):
    cast.brings()
    text = page(client, "audit_desk")
    assert text.count("?list=") == len(auditing.LISTS)
    assert client.get(vietnamese("audit_desk")).content.decode().count("?list=") == len(auditing.LISTS)
