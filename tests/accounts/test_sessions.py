"""A session begins anew at each sign-in, and ends: by idleness, by age, by its owner, by an administrator."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from gandan.access import now
from gandan.accounts import sessions
from tests.accounts.conftest import PASSWORD, Move, sign_in

pytestmark = pytest.mark.django_db
ROLES = (
    "pao",
    "truc",
    "chief",
    "dispatcher",
    "commander",
    "inspector",
    "auditor",
    "registrar",
    "administrator",
)


def is_in(client):
    """Ask for one's own account: a page that every role has."""
    return client.get("/account/").status_code == 200


def idle_half_an_hour(client, staff, name, move_to):
    for _ in range(3):
        move_to(now() + timedelta(minutes=29))
        assert is_in(client)
    move_to(now() + timedelta(minutes=30, seconds=1))


def twelve_hours(client, staff, name, move_to):
    for _ in range(28):
        move_to(now() + timedelta(minutes=25))
        assert is_in(client)
    move_to(now() + timedelta(minutes=20, seconds=1))


def shared_machine(client, staff, name, move_to):
    client.post("/account/logout/")
    sign_in(client, name, shared="on")
    move_to(now() + timedelta(minutes=9, seconds=50))
    assert is_in(client)
    assert 'data-seconds="600"' in client.get("/account/").content.decode()
    move_to(now() + timedelta(minutes=10, seconds=1))


def disabled(client, staff, name, move_to):
    type(staff.people[name]).objects.filter(pk=staff.people[name].pk).update(is_active=False)


RULES = (idle_half_an_hour, twelve_hours, shared_machine, disabled)
ENDED: dict[str, int] = {}
"""For how many roles each rule ended the session in this run."""


def ended_by(rule, staff, move_to: Move, roles=ROLES) -> list[str]:
    """Return the roles whose session was over after the rule's time, having seen that it was not before."""
    start, ended = now(), []
    for name in roles:
        move_to(start)
        client = Client()
        assert sign_in(client, name).status_code == 302 and is_in(client)
        rule(client, staff, name, move_to)
        answer = client.get("/account/")
        if answer.status_code == 302 and "/account/login/" in answer.url:
            ended.append(name)
    return ended


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__name__)
def test_each_rule_ends_the_session_of_every_role_and_not_before(staff, move_to: Move, figure, rule):
    ended = ended_by(rule, staff, move_to)
    ENDED[rule.__name__.replace("_", " ")] = len(ended)
    figure(
        25,
        "sessions",
        title="Rules that end a session, and the roles for whom they do",
        target="four of four rules, for every role: idle, too long, on a shared machine, account disabled",
        command="python -m pytest tests/accounts/test_sessions.py --results benchmarks/results/accounts",
        figures={"roles": len(ROLES), "ended by rule": dict(ENDED)},
        kept=len(ENDED) == len(RULES) and all(number == len(ROLES) for number in ENDED.values()),
    )
    assert ended == list(ROLES)


@pytest.mark.parametrize("rule", RULES[:3], ids=lambda r: r.__name__)
def test_a_rule_that_is_switched_off_ends_nothing(staff, move_to: Move, figure, rule, monkeypatch):
    """The control for the three that go by time."""
    monkeypatch.setattr("gandan.accounts.middleware.sessions.has_ended", lambda *_: False)
    ended = ended_by(rule, staff, move_to, ("pao", "administrator"))
    figure.control("sessions", f"{rule.__name__.replace('_', ' ')}, switched off", noticed=ended == [])
    assert ended == []


def test_a_disabled_account_that_may_go_on_would_be_found(staff, move_to: Move, figure, settings):
    """The control for the fourth: a way of signing in that lets disabled people in."""
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.AllowAllUsersModelBackend"]
    ended = ended_by(disabled, staff, move_to, ("pao", "administrator"))
    figure.control("sessions", "disabled, in an office that lets disabled people go on", noticed=ended == [])
    assert ended == []


def test_a_sign_in_gets_a_new_session(staff):
    client = Client()
    client.get("/account/login/")
    client.session["planted"] = True
    session = client.session
    session.save()
    client.cookies["gandan-session"] = session.session_key
    planted = session.session_key
    sign_in(client, "pao")
    assert client.session.session_key not in ("", None, planted)
    stranger = Client()
    stranger.cookies["gandan-session"] = planted
    assert not is_in(stranger)


def test_one_sees_and_ends_ones_own_sessions_and_no_other(staff):
    here, there, other = Client(HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Firefox/130.0"), Client(), Client()
    for client, name in ((here, "pao"), (there, "pao"), (other, "lan")):
        sign_in(client, name)
    page = here.get("/account/sessions/")
    places = page.context["places"]
    assert [place.here for place in places].count(True) == 1 and len(places) == 2
    assert "Firefox · Windows" in page.content.decode()
    foreign = sessions.places(staff.people["lan"])[0]
    here.post(reverse("end_own_sessions"), {"session": foreign.id})
    assert is_in(other) and is_in(there)
    mine = next(place for place in places if not place.here)
    here.post(reverse("end_own_sessions"), {"session": mine.id})
    assert is_in(here) and not is_in(there) and is_in(other)


def test_everywhere_else_ends_everything_but_this_browser(staff):
    clients = [Client() for _ in range(4)]
    for client in clients:
        sign_in(client, "pao")
    clients[0].post(reverse("end_own_sessions"))
    assert [is_in(client) for client in clients] == [True, False, False, False]


def test_a_session_that_ended_by_itself_is_listed_no_more(staff, move_to: Move):
    old, new = Client(), Client()
    sign_in(old, "pao")
    move_to(now() + timedelta(minutes=31))
    sign_in(new, "pao")
    assert len(new.get("/account/sessions/").context["places"]) == 1


def test_signing_out_forgets_the_session_and_clears_copies(staff):
    client = Client()
    sign_in(client, "pao")
    answer = client.post("/account/logout/")
    assert answer["Clear-Site-Data"] == '"cache"' and answer["Cache-Control"] == "no-store"
    assert sessions.places(staff.people["pao"]) == [] and not is_in(client)


def test_what_was_typed_before_the_session_ended_is_offered_again_to_the_same_person_only(staff, move_to: Move):
    client = Client()
    sign_in(client, "administrator")
    move_to(now() + timedelta(minutes=31))
    answer = client.post("/admin/people/invite/", {"full_name": "Lò Thị Mới", "password": "secret"})
    assert answer.url == "/account/login/?next=/account/go-on/"
    other = Client()
    other.cookies = client.cookies.copy()
    client.post(answer.url, {"login": "administrator", "password": PASSWORD, "next": "/account/go-on/"})
    page = client.get("/account/go-on/").content.decode()
    assert "Lò Thị Mới" in page and "secret" not in page
    other.post(answer.url, {"login": "pao", "password": PASSWORD})
    assert "Lò Thị Mới" not in other.get("/account/go-on/", follow=True).content.decode()
