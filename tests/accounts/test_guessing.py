"""Guessing is held off for an account and for a place, and an office of fifty behind one address works on."""

import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import timedelta
from threading import Lock, Thread, get_native_id
from time import sleep

import numpy as np
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.test import Client, RequestFactory

from gandan.access import now
from gandan.accounts import guessing, hashers
from gandan.accounts.guessing import Tries
from gandan.accounts.hashers import AT_ONCE, STEPS_BACK, OfficeArgon2, waiting_room
from gandan.accounts.models import User
from tests.accounts.conftest import Move, sign_in

pytestmark = pytest.mark.django_db


def request(place, cookies=()):
    made = RequestFactory().get("/", REMOTE_ADDR=place)
    made.COOKIES.update(cookies)
    return made


def guesses(name_of, place_of, hours=3, every=20, cookies=()):
    """Fail every 20 seconds for hours; return the seconds at which a password was really compared."""
    begin, compared = now(), []
    for number, second in enumerate(range(0, hours * 3600, every)):
        tries = Tries(request(place_of(number), cookies), name_of(number), begin + timedelta(seconds=second))
        if tries.begin():
            compared.append(second)
            tries.failed()
    return compared


def most_in_an_hour(seconds):
    return max(sum(1 for s in seconds if begin <= s < begin + 3600) for begin in seconds)


FOUND = {}
"""What this run found, over the tests that say it."""


def told(figure, **found):
    FOUND.update({name.replace("_", " "): value for name, value in found.items()})
    account, place = FOUND.get("tries of one account an hour"), FOUND.get("tries from one place an hour")
    locked = [FOUND.get(f"officers locked out {where}") for where in ("in new browsers", "in their own browsers")]
    every = None not in (account, place, *locked)
    figure(
        20,
        "guessing",
        title="Guesses that are answered, and officers who are locked out by them",
        target="at most 20 an hour for an account and 10 for a place; at most 1 % of 50 officers behind one address",
        command="python -m pytest tests/accounts/test_guessing.py --results benchmarks/results/accounts",
        figures=dict(FOUND),
        kept=every and account <= 20 and place <= 10 and all(out <= 0.01 * of for out, of in locked),
    )


def opened_before(name):
    response = HttpResponse()
    guessing.remember(request("192.0.2.1"), response, name)
    return {key: morsel.value for key, morsel in response.cookies.items()}


def test_one_account_answers_at_most_twenty_wrong_tries_an_hour_from_everywhere_together(staff, figure):
    strangers = guesses(lambda n: "pao", lambda n: f"10.0.{n // 250}.{n % 250}")
    known = guesses(lambda n: "pao", lambda n: "192.0.2.1", cookies=opened_before("pao"))
    told(figure, tries_of_one_account_an_hour=most_in_an_hour(strangers) + most_in_an_hour(known))
    assert most_in_an_hour(strangers) + most_in_an_hour(known) <= 20
    assert most_in_an_hour(strangers) >= 10


def test_one_place_answers_at_most_ten_wrong_tries_an_hour_for_all_names_together(staff, figure):
    most = most_in_an_hour(guesses(lambda n: f"name{n}", lambda n: "203.0.113.7"))
    told(figure, tries_from_one_place_an_hour=most)
    assert most in range(8, 11)


def test_without_counting_every_guess_would_be_answered(staff, figure, monkeypatch):
    """The control: the same hours with a limit that takes nothing away."""
    monkeypatch.setattr(guessing.limits, "take", lambda *_: True)
    account = most_in_an_hour(guesses(lambda n: "pao", lambda n: f"10.0.{n // 250}.{n % 250}", hours=1))
    place = most_in_an_hour(guesses(lambda n: f"name{n}", lambda n: "203.0.113.7", hours=1))
    figure.control("guessing", f"limits that count nothing: {account} tries an hour", noticed=min(account, place) > 20)
    assert (account, place) == (180, 180)


def test_unknown_names_are_counted_like_known_ones(staff):
    known = guesses(lambda n: "pao", lambda n: f"10.1.{n // 250}.{n % 250}", hours=1)
    unknown = guesses(lambda n: "nobody", lambda n: f"10.2.{n // 250}.{n % 250}", hours=1)
    assert known == unknown


def test_a_stranger_who_guesses_does_not_lock_the_owner_out_of_the_owners_browser(staff):
    cookies = opened_before("pao")
    guesses(lambda n: "pao", lambda n: f"10.0.0.{n % 250}", hours=1)
    assert not Tries(request("203.0.113.7"), "pao", now()).begin()
    assert Tries(request("203.0.113.7", cookies), "pao", now()).begin()
    staff.people["pao"].set_password("another one altogether")
    staff.people["pao"].save()
    assert not Tries(request("203.0.113.7", cookies), "pao", now()).begin()


def mornings(seed, *, slips, forgetful, at_home):
    """Return how many of how many officers were turned away though they know their password.

    Each of 20 mornings 50 officers sign in behind one address within half an hour. A try is mistyped with
    probability `slips` and made again after ten seconds, five times at most; `forgetful` of them never get it
    right; the share `at_home` uses a browser in which they were signed in before.
    """
    rng, locked, wanted = np.random.default_rng(seed), 0, 0
    cookies = {n: opened_before(f"officer{n}") if n >= 50 * (1 - at_home) else {} for n in range(50)}
    for morning in range(20):
        day = now() + timedelta(days=morning)
        events = sorted((float(rng.uniform(0, 1800)), officer, 0) for officer in range(50))
        out = set()
        while events:
            second, officer, tried = events.pop(0)
            made = request("203.0.113.7", cookies[officer])
            tries = Tries(made, f"officer{officer}", day + timedelta(seconds=second))
            if not tries.begin():
                out.add(officer)
            elif officer < forgetful or rng.random() < slips:
                tries.failed()
                if tried < 4:
                    events = sorted([*events, (second + 10, officer, tried + 1)])
            else:
                tries.succeeded()
        wanted += 50 - forgetful
        locked += len(out - set(range(forgetful)))
    print(f"turned away although they knew it: {locked} of {wanted}")
    return locked, wanted


def test_fifty_officers_behind_one_address_are_hardly_ever_locked_out(staff, figure):
    """The worst morning: everybody in a new browser, one in ten tries mistyped, one who forgot the password."""
    locked, wanted = mornings(20, slips=0.1, forgetful=1, at_home=0)
    told(figure, officers_locked_out_in_new_browsers=(locked, wanted))
    assert locked <= 0.01 * wanted


def test_in_their_own_browsers_even_three_who_forgot_lock_hardly_anybody_out(staff, figure):
    locked, wanted = mornings(21, slips=0.1, forgetful=3, at_home=0.95)
    told(figure, officers_locked_out_in_their_own_browsers=(locked, wanted))
    assert locked <= 0.01 * wanted


def test_without_giving_slips_back_the_same_mornings_lock_many_out(staff, monkeypatch, figure):
    """The control: the simulation sees a limit that counts every slip."""
    monkeypatch.setattr(Tries, "succeeded", lambda self: None)
    locked, wanted = mornings(20, slips=0.1, forgetful=1, at_home=0)
    many = locked > 0.05 * wanted
    figure.control("guessing", f"a limit that counts every slip locks out {locked} of {wanted}", noticed=many)
    assert many


def test_the_pages_count_too_and_say_how_long_to_wait(staff, move_to: Move):
    client = Client(REMOTE_ADDR="203.0.113.7")
    answers = [sign_in(client, "pao", "wrong").status_code for _ in range(5)]
    assert answers == [422] * 4 + [429]
    refused = sign_in(client, "pao")
    assert refused.status_code == 429 and "60 phút" in refused.content.decode()
    assert sign_in(client, "lan").status_code == 302
    client.post("/account/logout/")
    move_to(now() + timedelta(minutes=61))
    assert sign_in(client, "pao").status_code == 302


def test_known_and_unknown_names_get_the_same_answer(staff):
    client = Client()
    known, unknown = sign_in(client, "pao", "wrong"), sign_in(client, "nobody", "wrong")
    assert known.status_code == unknown.status_code == 422
    assert str(known.context["form"].errors) == str(unknown.context["form"].errors)


def test_known_and_unknown_names_cost_the_same_hashes(staff, monkeypatch):
    from django.contrib.auth.hashers import PBKDF2PasswordHasher as Hasher

    counted = []
    encode = Hasher.encode
    monkeypatch.setattr(Hasher, "encode", lambda *given, **more: counted.append(1) or encode(*given, **more))
    costs = []
    for name in ("pao", "nobody"):
        counted.clear()
        sign_in(Client(), name, "wrong")
        costs.append(len(counted))
    type(staff.people["lan"]).objects.filter(username="lan").update(is_active=False)
    counted.clear()
    sign_in(Client(), "lan", "wrong")
    assert [*costs, len(counted)] == [1, 1, 1]


def test_when_too_many_sign_in_at_once_one_more_is_asked_to_press_again_and_loses_no_try(staff):
    client = Client()
    sign_in(client, "pao", "wrong")
    with waiting_room(), ExitStack() as others:
        for _ in range(AT_ONCE):
            others.enter_context(waiting_room())
        for _ in range(9):
            answer = sign_in(client, "pao")
            assert answer.status_code == 503 and answer["Retry-After"] == "3"
            assert 'value="pao"' in answer.content.decode()
    assert sign_in(client, "pao").status_code == 302


@pytest.mark.agnostic
def test_no_more_passwords_are_hashed_at_once_than_the_machine_has_room_for(monkeypatch):
    most, running, lock = [0], [0], Lock()

    def slow(*_given, **_more):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        sleep(0.02)
        with lock:
            running[0] -= 1
        return True

    monkeypatch.setattr(Argon2PasswordHasher, "verify", slow)
    threads = [Thread(target=lambda: OfficeArgon2().verify("x", "y")) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == AT_ONCE


COUNTS_BY_THREAD = sys.platform == "linux"


def priority():
    """How far this thread lets others go first; elsewhere than on Linux no thread has a count of its own."""
    return os.getpriority(os.PRIO_PROCESS, get_native_id()) if COUNTS_BY_THREAD else 0


@pytest.mark.agnostic
def test_whoever_compares_passwords_lets_the_pages_go_first(monkeypatch):
    before, found = priority(), []
    monkeypatch.setattr(Argon2PasswordHasher, "verify", lambda *_given: found.append(priority()) or True)
    assert OfficeArgon2().verify("x", "y")
    assert found == [min(before + STEPS_BACK, 19) if COUNTS_BY_THREAD else before]
    assert priority() == before, "the thread that asked stays where it was"


@pytest.mark.agnostic
def test_where_the_system_forbids_it_passwords_are_compared_all_the_same(monkeypatch):
    def forbid(*_given):
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", forbid)
    hashers._hire()
    try:
        kept = OfficeArgon2().encode("mua rao", "somesaltsomesalt")
        assert OfficeArgon2().verify("mua rao", kept) and not OfficeArgon2().verify("mua rap", kept)
    finally:
        monkeypatch.undo()
        hashers._hire()


@pytest.mark.agnostic
def test_a_fault_while_comparing_reaches_whoever_asked(monkeypatch):
    def fail(*_given):
        raise ValueError("damaged")

    monkeypatch.setattr(Argon2PasswordHasher, "verify", fail)
    with pytest.raises(ValueError, match="damaged"):
        OfficeArgon2().verify("x", "y")


@pytest.mark.agnostic
def test_a_process_that_forks_after_comparing_compares_in_the_child_too():
    program = """
import os, signal, warnings
warnings.simplefilter("ignore")
from django.conf import settings
settings.configure()
from gandan.accounts.hashers import OfficeArgon2
kept = OfficeArgon2().encode("mua rao", "somesaltsomesalt")
child = os.fork()
if child == 0:
    signal.alarm(60)
    os._exit(0 if OfficeArgon2().verify("mua rao", kept) else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=120).returncode == 0


@pytest.mark.agnostic
@pytest.mark.parametrize(
    "password",
    [
        "LoThiXuan2026!!",
        "congan@123456",
        "gandangandangandan",
        "qwertyuiop123456",
        "Xuân Lò Thị 1999",
        "aaaaaaaaaaaaaaa",
    ],
)
def test_a_password_that_the_office_would_guess_is_refused(password):
    person = User(username="lo.thi.xuan", full_name="Lò Thị Xuân")
    with pytest.raises(ValidationError):
        validate_password(password, person)


@pytest.mark.agnostic
def test_a_sentence_of_ones_own_is_accepted():
    validate_password("trâu trắng ăn cỏ ven suối", User(username="lo.thi.xuan", full_name="Lò Thị Xuân"))
