"""Whoever decides about other people shows a second factor, and nothing else opens before."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from gandan.access import now
from gandan.access.roles import CAPABILITIES, RIGHTS
from gandan.accounts import second_factor
from tests.accounts.conftest import Move, code, set_up_app, sign_in

pytestmark = pytest.mark.django_db
WITHOUT = {"pao", "truc", "lan"}


def test_every_role_but_the_two_at_the_desk_needs_a_second_factor(staff, demanded):
    needing = {name for name in staff.people if second_factor.is_demanded(staff.actor(name))}
    assert needing == set(staff.people) - WITHOUT
    assert set(RIGHTS) == {grant.role for name in staff.people for grant in staff.actor(name).grants}


def test_a_capability_that_nobody_decided_about_needs_one():
    assert second_factor.requiring() | second_factor.PASSWORD_ENOUGH.keys() == CAPABILITIES
    assert second_factor.PASSWORD_ENOUGH.keys() <= CAPABILITIES
    assert {"identity.reveal", "grant.give", "case.close", "command.read", "audit.read"} <= second_factor.requiring()


def test_who_needs_one_is_led_to_set_it_up_and_reaches_nothing_before(staff, demanded):
    client = Client()
    assert sign_in(client, "chief").status_code == 302
    for path in ("/desk/", "/", "/report/", "/account/sessions/"):
        answer = client.get(path)
        assert (answer.status_code, answer.url) == (302, "/account/2fa/"), path
    page = client.get("/account/2fa/")
    assert page.status_code == 200 and "cần lớp xác thực thứ hai" in page.content.decode()
    assert client.get("/account/").status_code == 200
    set_up_app(client)
    assert client.get("/desk/").status_code == 200


def test_a_program_gets_what_is_public_before_the_factor_and_nothing_else(staff, demanded):
    client = Client()
    assert sign_in(client, "chief").status_code == 302
    for path in ("/api/v1/procedures", "/api/v1/units", "/api/v1/calendar/2026", "/api/v1/openapi.json"):
        answer = client.get(path)
        assert (answer.status_code, answer.content) == (200, Client().get(path).content), path
    answer = client.get("/api/v1/cases")
    assert answer.status_code == 403
    assert "lớp xác thực thứ hai" in answer.json()["detail"]


def test_who_needs_none_works_without(staff, demanded):
    client = Client()
    sign_in(client, "pao")
    assert client.get("/desk/").status_code == 200


def test_the_second_sign_in_asks_for_the_code_and_a_code_works_once(staff, demanded, move_to: Move):
    first = Client()
    sign_in(first, "chief")
    secret = set_up_app(first)
    move_to(now() + timedelta(minutes=5))
    second = Client()
    answer = sign_in(second, "chief")
    assert answer.url == "/account/2fa/authenticate/"
    assert second.get("/desk/").status_code == 302
    shown = code(secret)
    assert second.post("/account/2fa/authenticate/", {"code": f"{shown[:3]} {shown[3:]}"}).status_code == 302
    assert second.get("/desk/").status_code == 200
    third = Client()
    sign_in(third, "chief")
    assert third.post("/account/2fa/authenticate/", {"code": shown}).status_code == 200
    assert third.get("/desk/").status_code == 302


def test_codes_are_guessed_five_times_not_six(staff, demanded, move_to: Move):
    first = Client()
    sign_in(first, "chief")
    secret = set_up_app(first)
    move_to(now() + timedelta(minutes=5))
    guesser = Client()
    sign_in(guesser, "chief")
    wrong = "000000" if code(secret) != "000000" else "111111"
    for _ in range(5):
        assert "Chờ mã" in guesser.post("/account/2fa/authenticate/", {"code": wrong}).content.decode()
    assert "quá nhiều" in guesser.post("/account/2fa/authenticate/", {"code": code(secret)}).content.decode()
    move_to(now() + timedelta(minutes=13))
    assert guesser.post("/account/2fa/authenticate/", {"code": code(secret)}).status_code == 302


def test_a_recovery_code_opens_once(staff, demanded, move_to: Move):
    first = Client()
    sign_in(first, "chief")
    set_up_app(first)
    codes = first.get("/account/2fa/codes/").context["unused_codes"]
    assert len(codes) == 10
    assert codes[0] in first.get("/account/2fa/codes/file/").content.decode()
    for expected in (302, 200):
        client = Client()
        sign_in(client, "chief")
        assert client.post("/account/2fa/authenticate/", {"code": codes[0]}).status_code == expected


def test_what_the_codes_are_made_from_is_sealed(staff):
    client = Client()
    sign_in(client, "chief")
    secret = set_up_app(client)
    assert secret not in str(list(Authenticator.objects.values("data")))


def test_a_session_from_before_must_show_the_factor(staff, demanded, settings):
    old, new = Client(), Client()
    sign_in(old, "chief")
    sign_in(new, "chief")
    set_up_app(new)
    assert old.get("/desk/").url == "/account/2fa/reauthenticate/?next=%2Fdesk%2F"
    assert new.get("/desk/").status_code == 200


def test_taking_the_factor_away_asks_for_another_and_ends_other_sessions(staff, demanded, move_to: Move):
    client = Client()
    sign_in(client, "chief")
    secret = set_up_app(client)
    move_to(now() + timedelta(minutes=2))
    other = Client()
    sign_in(other, "chief")
    other.post("/account/2fa/authenticate/", {"code": code(secret)})
    assert client.post("/account/2fa/totp/end/").status_code == 302
    assert client.get("/desk/").url == "/account/2fa/"
    assert "/account/login/" in other.get("/account/").url


def test_the_demo_says_that_it_asks_for_none(staff, settings):
    settings.GANDAN_DEMO = True
    client = Client()
    client.force_login(staff.people["chief"])
    assert "Trong bản mẫu" in client.get("/account/2fa/").content.decode()


def test_without_the_demand_the_same_walk_is_open(staff):
    client = Client()
    sign_in(client, "chief")
    assert client.get("/desk/").status_code == 200
