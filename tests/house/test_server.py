"""The server that journeys talk to is the real one, over a copy of the demo province that is theirs alone."""

import http.client
import os
from urllib.parse import urlsplit

import pytest

pytestmark = [pytest.mark.journey, pytest.mark.loop]


def ask(address: str, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


def test_the_server_answers_on_this_machine_only(live_reading):
    assert urlsplit(live_reading.url).hostname == "127.0.0.1"
    assert ask(live_reading.url, "/").status == 200
    assert ask(live_reading.url, "/no-such-page/").status == 404


def test_the_installation_passes_its_own_check(live_reading):
    checked = live_reading.command("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "FAULT" not in checked.stdout


def test_each_test_has_a_copy_of_its_own(prepared):
    first, second = prepared.copy(), prepared.copy()
    try:
        assert first.home != second.home
        databases = {live.environment["DATABASE_URL"] or str(live.home) for live in (first, second)}
        assert len(databases) == 2
    finally:
        prepared.drop(first)
        prepared.drop(second)


def test_a_stopped_server_leaves_nothing_running(live):
    assert live.process is not None
    group = live.process.pid
    live.stop()
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
    with pytest.raises(OSError):
        ask(live.url, "/")
