"""A name opens with a reason, after it was written down, for those who work on the matter and nobody else."""

from datetime import timedelta

import pytest
from django.urls import reverse

from gandan.access import ANONYMOUS, Refused, now
from gandan.audit.models import AuditEntry
from gandan.cases.models import CaseIdentity
from gandan.secrecy import revealing
from gandan.secrecy.models import Disclosure

pytestmark = pytest.mark.django_db
NAME, PHONE = "Lò Thị Hoa", "0912 345 678"


def page(response):
    return response.content.decode()


def denunciation(world):
    return world.case("DE-01", by=ANONYMOUS, concern={"unit": world.an})


def test_the_officer_reaches_the_person_in_two_clicks_and_it_is_written_down(world, at_desk):
    case, desk = world.case(), at_desk("pao")
    before = page(desk.get("case", case.pk))
    assert NAME not in before and PHONE not in before and reverse("case_reveal", args=[case.pk]) in before
    shown = desk.do("reveal", case, reason="contact")
    assert NAME in page(shown) and "0912 345 678" in page(shown) and "no-store" in shown["Cache-Control"]
    entry = AuditEntry.system("test").get(action="identity.reveal")
    assert (entry.object_id, entry.actor_id, entry.reason) == (case.pk, world.pao.pk, "contact")
    assert Disclosure.system("test").get().fields == "address,name,others,phone"
    assert NAME not in page(desk.get("case", case.pk)), "opened once, for one page"


def test_without_a_reason_nothing_opens_and_nothing_is_written(world, at_desk):
    case, desk = world.case(), at_desk("pao")
    for reason, note in (("", ""), ("curious", ""), ("other", " ")):
        refused = desk.do("reveal", case, reason=reason, note=note)
        assert refused.status_code == 409 and NAME not in page(refused)
    assert desk.get("case_reveal", case.pk).status_code == 405
    assert not Disclosure.system("test").exists()


@pytest.mark.parametrize("who", ["lan", "dispatcher", "commander", "auditor", "inspector"])
def test_who_does_not_work_on_it_opens_no_name(world, at_desk, who):
    case = world.case()
    answer = at_desk(who).do("reveal", case, reason="contact")
    assert answer.status_code in (403, 404, 409) and NAME not in page(answer)
    assert not Disclosure.system("test").exists()


def test_a_denouncers_name_needs_a_proof_of_who_asks_within_a_quarter_of_an_hour(world, at_desk, move_to):
    case, desk = denunciation(world), at_desk("inspector")
    move_to(now() + timedelta(minutes=14))
    assert NAME in page(desk.do("reveal", case, reason="verify")), "signing in is a proof"
    move_to(now() + timedelta(minutes=2))
    late = desk.do("reveal", case, reason="verify")
    assert late.status_code == 302 and reverse("account_reauthenticate") in late["Location"]
    assert Disclosure.system("test").count() == 1


def test_those_whom_it_concerns_and_those_who_look_over_it_never_open_it(world, at_desk):
    case = denunciation(world)
    for who in ("pao", "chief", "auditor", "commander"):
        desk = at_desk(who)
        answer = desk.do("reveal", case, reason="verify")
        assert answer.status_code in (403, 404, 409) and NAME not in page(answer)


def test_a_day_has_so_many_openings_and_no_more(world, move_to, monkeypatch):
    monkeypatch.setattr(revealing, "SEALED_A_DAY", 2)
    case = denunciation(world)
    row = CaseIdentity.system("test").get(case=case)

    def opened():
        return revealing.reveal(
            by=world.actor("inspector"),
            row=row,
            matter=case.pk,
            fields=("name",),
            reason="verify",
            capability="identity.reveal",
            sealed=True,
            confirmed=True,
        )

    assert opened() == opened() == {"name": NAME}
    with pytest.raises(Refused):
        opened()
    assert AuditEntry.system("test").filter(action="identity.reveal").count() == 2
    assert row.name == "•••", "the row itself stays shut"
    move_to(now() + timedelta(hours=25))
    assert opened() == {"name": NAME}


def test_what_was_opened_is_on_the_disk_before_it_is_opened(world, monkeypatch):
    case = world.case()
    seen = []

    def spying(rows, opened=None):
        seen.append(Disclosure.system("test").filter(matter=case.pk).count())
        raise RuntimeError("the power went")

    monkeypatch.setattr(revealing, "unlock", spying)
    with pytest.raises(RuntimeError):
        revealing.reveal(
            by=world.actor("pao"),
            row=CaseIdentity.system("test").get(case=case),
            matter=case.pk,
            fields=("name",),
            reason="contact",
            capability="case.identity",
            sealed=False,
            confirmed=False,
        )
    assert seen == [1] and Disclosure.system("test").count() == 1


def test_oversight_sees_who_opened_what_in_a_week(world, at_desk):
    case = world.case()
    at_desk("pao").do("reveal", case, reason="contact")
    for who, sees in (("inspector", 1), ("auditor", 1), ("pao", 0), ("chief", 0)):
        assert revealing.weekly(world.actor(who)).count() == sees
