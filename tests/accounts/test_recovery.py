"""Nobody stays locked out, nobody gets in by it, and all of it is on the record."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from gandan.access import now
from gandan.accounts.models import RecoveryLink
from gandan.audit.models import AuditEntry
from gandan.staffing import actions as staffing
from gandan.staffing.models import Grant, Invitation
from gandan.staffing.succession import InvitationCarrier
from gandan.units import actions as units
from tests.accounts.conftest import PASSWORD, Move, code, set_up_app, sign_in
from tests.cast import NOBODY
from tests.obligations.test_succession import merged

pytestmark = pytest.mark.django_db
NEW = "chim sâu hót ngoài hiên nhà"


def page_of(staff, name):
    return f"/admin/people/{staff.people[name].pk}/sign-in/"


def help_with(client, staff, name, what, reason="lost_phone"):
    return client.post(page_of(staff, name), {"what": what, "reason": reason})


@pytest.fixture
def administrator(staff):
    client = Client()
    sign_in(client, "administrator")
    return client


def link_for(administrator, staff, name):
    answer = help_with(administrator, staff, name, "link", "forgotten")
    assert answer.status_code == 200 and answer["Cache-Control"] == "no-store"
    return str(answer.context["address"]).removeprefix("http://testserver")


def test_a_link_from_the_administrator_sets_a_new_password_once(staff, administrator):
    here = Client()
    sign_in(here, "pao")
    path = link_for(administrator, staff, "pao")
    assert path.rsplit("/", 2)[1] not in str(list(RecoveryLink.objects.values()))
    person = Client()
    assert person.get(path).status_code == 200
    assert person.post(path, {"password": "pao pao pao pao", "again": "pao pao pao pao"}).status_code == 422
    assert person.post(path, {"password": NEW, "again": NEW}).status_code == 302
    assert person.get(path).status_code == 410
    assert "/account/login/" in here.get("/account/").url
    assert sign_in(Client(), "pao").status_code == 422
    assert sign_in(Client(), "pao", NEW).status_code == 302


def test_a_link_lasts_a_day_and_a_newer_one_replaces_it(staff, administrator, move_to: Move):
    first = link_for(administrator, staff, "pao")
    second = link_for(administrator, staff, "pao")
    assert Client().get(first).status_code == 410
    move_to(now() + timedelta(hours=23, minutes=59))
    assert Client().get(second).status_code == 200
    move_to(now() + timedelta(minutes=2))
    assert Client().get(second).status_code == 410


def test_a_new_password_never_stands_in_for_the_second_factor(staff, administrator, demanded, settings, move_to: Move):
    settings.GANDAN_SECOND_FACTOR = False
    chief = Client()
    sign_in(chief, "chief")
    secret = set_up_app(chief)
    path = link_for(administrator, staff, "chief")
    settings.GANDAN_SECOND_FACTOR = True
    move_to(now() + timedelta(minutes=3))
    thief = Client()
    thief.post(path, {"password": NEW, "again": NEW})
    assert sign_in(thief, "chief", NEW).url == "/account/2fa/authenticate/"
    assert thief.get("/desk/").status_code == 302
    thief.post("/account/2fa/authenticate/", {"code": code(secret)})
    assert thief.get("/desk/").status_code == 200


def test_an_administrator_takes_a_lost_factor_away_and_it_is_written_down(staff, administrator, settings):
    chief = Client()
    sign_in(chief, "chief")
    set_up_app(chief)
    assert help_with(administrator, staff, "chief", "factor").status_code == 302
    assert not Authenticator.objects.filter(user=staff.people["chief"]).exists()
    assert "/account/login/" in chief.get("/account/").url
    entry = AuditEntry.system("test").get(action="account.reset_factor")
    assert entry.object_id == staff.people["chief"].pk and entry.reason == "lost_phone" and entry.grant_id
    settings.GANDAN_SECOND_FACTOR = True
    sign_in(chief, "chief")
    assert chief.get("/desk/").url == "/account/2fa/"


def test_a_reason_is_asked_for_and_nothing_happens_without(staff, administrator):
    answer = help_with(administrator, staff, "pao", "close", "")
    assert answer.status_code == 422 and AuditEntry.system("test").filter(action="account.close").count() == 0


def test_a_closed_account_is_refused_at_its_next_request_and_comes_back(staff, administrator):
    pao = Client()
    sign_in(pao, "pao")
    assert pao.get("/desk/").status_code == 200
    help_with(administrator, staff, "pao", "close", "left")
    assert "/account/login/" in pao.get("/desk/").url
    closed, wrong = sign_in(Client(), "pao"), sign_in(Client(), "pao", "nope")
    assert closed.status_code == wrong.status_code == 422
    assert str(closed.context["form"].errors) == str(wrong.context["form"].errors)
    help_with(administrator, staff, "pao", "reopen", "returned")
    assert sign_in(Client(), "pao").status_code == 302


def test_nobody_helps_himself_a_stranger_or_those_who_watch(staff, administrator):
    assert help_with(administrator, staff, "administrator", "factor").status_code == 403
    assert help_with(administrator, staff, "auditor", "factor").status_code == 403
    assert help_with(administrator, staff, "stranger", "factor").status_code == 404
    inspector, chief = Client(), Client()
    sign_in(inspector, "inspector")
    assert help_with(inspector, staff, "auditor", "sessions").status_code == 302
    assert help_with(inspector, staff, "pao", "sessions").status_code == 403
    sign_in(chief, "chief")
    assert help_with(chief, staff, "pao", "sessions").status_code == 403


def test_who_also_acts_elsewhere_is_helped_by_who_reaches_both(staff, administrator):
    staff.appoint("pao", "officer", staff.far_away)
    assert help_with(administrator, staff, "pao", "link").status_code == 403


def test_wrong_tokens_are_counted_and_all_closed_links_look_alike(staff):
    client = Client()
    seen = {client.get(f"/account/recovery/{'x' * n}/").status_code for n in range(20, 25)}
    assert seen == {410}
    assert client.get("/account/recovery/another/").status_code == 429
    assert client.get("/account/invitation/another/").status_code == 429
    assert Client(REMOTE_ADDR="203.0.113.9").get("/account/invitation/another/").status_code == 410


# Invitations


def invited(staff, name, role="officer", unit=None):
    return staffing.invite(
        username=name,
        full_name="Người Mới",
        rank="",
        role=role,
        unit=unit or staff.na_then,
        by=staff.actor("administrator"),
    )


def test_an_open_invitation_passes_to_the_whole_successor_and_a_chiefs_ends(staff):
    officer, chief = invited(staff, "moi"), invited(staff, "truong", "chief")
    units.schedule_act(act=merged(staff), by=NOBODY)
    open_one = staffing.open_invitation(officer.token)
    assert open_one is not None and open_one.unit.versions.filter(code="98003").exists()
    assert staffing.open_invitation(chief.token) is None
    user = staffing.accept_invitation(token=officer.token, password=NEW)
    assert Grant.system("test").get(user=user).unit_id == open_one.unit_id
    reasons = set(AuditEntry.system("test").filter(action__endswith="invitation").values_list("action", flat=True))
    assert reasons == {"account.withdraw_invitation", "account.move_invitation"}


def test_carrying_invitations_again_moves_nothing_twice(staff):
    invited(staff, "moi")
    act = merged(staff)
    assert "Người Mới" in [line.title.split(",")[0] for line in units.preview_act(act=act, by=NOBODY)]
    act = units.schedule_act(act=act, by=NOBODY)
    assert InvitationCarrier().carry(act, NOBODY) == 0


def test_sending_an_invitation_asks_again_who_it_is_and_keeps_what_was_typed(staff, administrator, move_to: Move):
    move_to(now() + timedelta(minutes=16))
    typed = {"full_name": "Người Mới", "rank": "", "username": "moi", "role": "officer", "unit": staff.na_then.slug}
    answer = administrator.post("/admin/people/invite/", typed)
    assert answer.url == "/account/reauthenticate/?next=%2Faccount%2Fgo-on%2F"
    assert administrator.post(answer.url, {"password": "wrong", "next": "/account/go-on/"}).status_code == 200
    answer = administrator.post(answer.url, {"password": PASSWORD, "next": "/account/go-on/"})
    page = administrator.get(answer.url)
    assert page.context["kept"]["to"] == "/admin/people/invite/"
    assert dict(page.context["kept"]["fields"]) == typed
    assert "Người Mới" in page.content.decode()
    assert administrator.post("/admin/people/invite/", typed).status_code == 200
    assert Invitation.system("test").filter(username="moi").exists()
