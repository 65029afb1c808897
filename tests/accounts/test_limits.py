"""Guessing is slow, for one account and from one place, however many processes ask at once."""

import subprocess
import sys
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.test import RequestFactory

from gandan.access import now
from gandan.accounts import limits
from gandan.accounts.models import Bucket
from tests.conftest import installation


@pytest.mark.django_db
def test_a_bucket_empties_says_how_long_to_wait_and_fills_again():
    at = now()
    assert [bool(limits.take("t", "pao", 6, 3, at)) for _ in range(4)] == [True, True, True, False]
    refused = limits.take("t", "pao", 6, 3, at)
    assert refused.wait == pytest.approx(timedelta(minutes=10), abs=timedelta(seconds=1)) and refused.minutes == 10
    assert limits.take("t", "lan", 6, 3, at) and limits.take("other", "pao", 6, 3, at)
    assert not limits.take("t", "pao", 6, 3, at + timedelta(minutes=9))
    assert limits.take("t", "pao", 6, 3, at + timedelta(minutes=10))
    assert not limits.take("t", "pao", 6, 3, at + timedelta(minutes=10))


@pytest.mark.django_db
def test_nobody_gets_more_than_the_burst_and_the_rate_in_any_hour():
    at, taken = now(), []
    for second in range(0, 3 * 3600, 20):
        if limits.take("t", "guesser", 5, 5, at + timedelta(seconds=second)):
            taken.append(second)
    assert max(sum(1 for t in taken if begin <= t < begin + 3600) for begin in taken) <= 10
    assert len(taken) in (19, 20)


@pytest.mark.django_db
def test_looking_takes_nothing_and_what_is_given_back_can_be_taken_again():
    at = now()
    for _ in range(20):
        assert limits.look("t", "a", 4, 2, at)
    limits.take("t", "a", 4, 2, at, count=2)
    assert not limits.look("t", "a", 4, 2, at) and limits.spent("t", "a", 4, at) == pytest.approx(2)
    limits.give_back("t", "a", 4, at)
    assert limits.take("t", "a", 4, 2, at)
    limits.give_back("t", "a", 4, at, count=99)
    assert limits.spent("t", "a", 4, at) == 0
    with pytest.raises(ValueError, match="bucket"):
        limits.take("t", "a", 4, 2, at, count=3)


@pytest.mark.django_db
def test_the_table_holds_no_address_and_forgets_full_buckets():
    at = now()
    limits.take("source", "203.0.113.7", 5, 5, at)
    assert "203" not in str(list(Bucket.objects.values()))[:20]
    limits.take("source", "198.51.100.9", 5, 5, at + timedelta(minutes=13))
    assert Bucket.objects.count() == 1
    assert limits.clear(at + timedelta(hours=1)) == 1


_TABLE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", "accounts", verbosity=0)
"""
_TRIES = """
import django; django.setup()
from datetime import datetime, UTC
from gandan.accounts import limits
at = datetime(2026, 11, 23, tzinfo=UTC)
print(sum(bool(limits.take("t", "pao", 1, 20, at)) for _ in range(15)))
"""


@pytest.mark.sqlite
@pytest.mark.agnostic
def test_four_processes_take_exactly_what_is_there(tmp_path):
    environment = installation(tmp_path / "home") | {"DJANGO_SETTINGS_MODULE": "gandan.config.settings"}
    subprocess.run([sys.executable, "-c", _TABLE], env=environment, check=True, timeout=120)
    running = [
        subprocess.Popen([sys.executable, "-c", _TRIES], env=environment, stdout=subprocess.PIPE) for _ in range(4)
    ]
    taken = [int(process.communicate(timeout=120)[0]) for process in running]
    assert sum(taken) == 20 and [process.returncode for process in running] == [0] * 4


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_many_connections_take_exactly_what_is_there():
    at, taken = now(), []

    def try_often() -> None:
        try:
            taken.extend(bool(limits.take("t", "pao", 1, 20, at)) for _ in range(15))
        finally:
            connection.close()

    threads = [Thread(target=try_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 60 and sum(taken) == 20


@pytest.mark.agnostic
@pytest.mark.parametrize(
    ("connected", "forwarded", "expected"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "1.1.1.1, 198.51.100.1, 127.0.0.1", "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("127.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
    ],
)
def test_the_source_is_what_our_own_proxy_saw_never_what_the_sender_wrote(connected, forwarded, expected):
    request = RequestFactory().get("/", REMOTE_ADDR=connected, HTTP_X_FORWARDED_FOR=forwarded)
    assert limits.source(request) == expected
