"""A form that waits for its sender tells nothing to whoever has the database, and does not wait for long."""

import base64
import json
import subprocess
import sys
from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client

from gandan.access import now
from gandan.accounts import restoring, sessions
from gandan.accounts.models import SignIn
from tests.accounts.conftest import PASSWORD, Move, sign_in

CANARY = "Bi-mat-cua-ba-Hoa"
COOKIE = "gandan-kept"
LATER = "/account/go-on/"


def told() -> str:
    """Return all that the sessions in the database tell to whoever has them and the key that signs them."""
    rows = Session.objects.all()
    return json.dumps([[row.session_key, row.session_data, row.get_decoded()] for row in rows], default=str)


def typed(staff, client, move_to, minutes=31):
    """Send a form in a session that has ended; return the answer."""
    move_to(now() + timedelta(minutes=minutes))
    form = {"full_name": CANARY, "rank": "", "username": "moi", "role": "officer", "unit": staff.na_then.slug}
    return client.post("/admin/people/invite/", form)


def back(client, name):
    client.post("/account/login/", {"login": name, "password": PASSWORD, "next": LATER})
    return client.get(LATER, follow=True).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("minutes", [31, 16], ids=["the session ended", "proof is asked for again"])
def test_what_waits_is_sealed_and_only_the_browser_has_the_key(staff, move_to: Move, minutes):
    client = Client()
    sign_in(client, "administrator")
    answer = typed(staff, client, move_to, minutes)
    assert answer.status_code == 302 and "go-on" in answer.url
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["max-age"] == 3600
    assert CANARY not in told() and CANARY not in str(cookie)
    key = base64.urlsafe_b64decode(cookie.value)
    assert key.hex() not in told() and base64.b64encode(key).decode() not in told() and cookie.value not in told()
    if minutes == 31:
        assert CANARY in back(client, "administrator")
        del client.cookies[COOKIE]
    else:
        assert CANARY in client.get(LATER).content.decode()
        del client.cookies[COOKIE]
    assert CANARY not in client.get(LATER, follow=True).content.decode()
    assert CANARY not in told()


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["", "nothing", "ä", base64.urlsafe_b64encode(b"x" * 32).decode()])
def test_another_key_opens_nothing(staff, move_to: Move, value):
    client = Client()
    sign_in(client, "administrator")
    typed(staff, client, move_to)
    client.cookies[COOKIE] = value
    assert CANARY not in back(client, "administrator")


@pytest.mark.django_db
def test_another_person_at_the_same_browser_does_not_see_it_and_does_not_lose_it_for_the_first(staff, move_to: Move):
    client = Client()
    sign_in(client, "administrator")
    typed(staff, client, move_to)
    assert CANARY not in back(client, "pao")
    client.post("/account/logout/")
    assert CANARY in back(client, "administrator")


@pytest.mark.django_db
def test_it_waits_for_an_hour_and_the_next_form_takes_its_place(staff, move_to: Move):
    client = Client()
    sign_in(client, "administrator")
    before = Session.objects.count()
    typed(staff, client, move_to)
    rows = Session.objects.count()
    back(client, "administrator")
    typed(staff, client, move_to, 16)
    assert Session.objects.count() <= rows + 1 and before, "one row a browser, beside the session itself"
    move_to(now() + timedelta(minutes=29))
    client.get("/account/")
    move_to(now() + timedelta(minutes=29))
    assert CANARY in client.get(LATER, follow=True).content.decode()
    client.get("/account/")
    move_to(now() + timedelta(minutes=3))
    assert CANARY not in client.get(LATER, follow=True).content.decode()
    waiting = Session.objects.get(pk__in=[row.pk for row in Session.objects.all() if "kept" in row.get_decoded()])
    hour = SessionStore().get_expiry_date(expiry=3600)
    assert timedelta(0) <= hour - waiting.expire_date < timedelta(minutes=5), "and then its row is over"


@pytest.mark.django_db
def test_ended_sessions_are_deleted_and_the_others_are_not(staff):
    client, gone = Client(), Client()
    sign_in(client, "pao")
    sign_in(gone, "lan")
    past = SessionStore().get_expiry_date(expiry=-60)
    Session.objects.filter(pk=gone.session.session_key).update(expire_date=past)
    assert sessions.clear_ended(now()) == 1 and sessions.clear_ended(now()) == 0
    assert client.get("/account/").status_code == 200 and gone.get("/account/").status_code == 302


@pytest.mark.django_db
def test_a_restore_ends_every_session(staff):
    client = Client()
    sign_in(client, "pao")
    assert restoring.after_restore() == 1 and not SignIn.objects.exists()
    assert client.get("/account/").status_code == 302


_TYPE = f"""
import json
from gandan.cli import start_django; start_django()
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from gandan.accounts.models import User
from gandan.staffing.models import Grant
grant = Grant.system("test").filter(role="officer").first()
client = Client(HTTP_HOST="127.0.0.1")
client.force_login(User.objects.get(pk=grant.user_id), backend=settings.AUTHENTICATION_BACKENDS[0])
session = client.session
session["seen"] -= 4000
session.save()
answer = client.post("/desk/cases/new/", {{"text": "{CANARY} tố cáo", "name": "{CANARY}", "phone": "0912345678"}})
assert answer.status_code == 302 and answer.url.endswith("/account/go-on/"), answer
print(json.dumps([[row.pk, row.get_decoded()] for row in Session.objects.all()], default=str))
"""
_AGE = """
from gandan.cli import start_django; start_django()
from datetime import timedelta
from django.contrib.sessions.models import Session
from django.db.models import F
Session.objects.update(expire_date=F("expire_date") - timedelta(days=3))
print(Session.objects.count())
"""
_COUNT = (
    "from gandan.cli import start_django; start_django()\n" + _AGE.splitlines()[3] + "\nprint(Session.objects.count())"
)


def test_the_files_of_an_installation_hold_nothing_of_it_and_the_worker_clears_it_away(prepared):
    server = prepared.copy()

    def run(program):
        done = subprocess.run(
            [sys.executable, "-c", program], env=server.environment, cwd=server.home, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    try:
        rows = run(_TYPE)
        assert '"kept"' in rows and CANARY not in rows and "0912345678" not in rows
        files = [path for path in server.home.rglob("*") if path.is_file() and "static" not in path.parts]
        assert not [path.name for path in files if CANARY.encode() in path.read_bytes()]
        assert int(run(_AGE)) >= 1
        worked = server.command("work", "--once")
        assert worked.returncode == 0 and "ended sessions: " in worked.stdout, worked.stderr
        assert int(run(_COUNT)) == 0
    finally:
        prepared.drop(server)
