"""PostgreSQL goes away and comes back: the same server and the same worker go on, and say honestly what they cannot."""

import contextlib
import http.client
import json
import re
import time
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from tests.durability import citizens, kills
from tests.durability.servers import Processes

pytestmark = pytest.mark.postgresql


@contextlib.contextmanager
def away(live, prepared):
    """Cut every connection to the installation's database and let no new one in, as during a restart."""
    name = urlsplit(live.environment["DATABASE_URL"]).path.lstrip("/")

    def allow(word: str) -> None:
        with psycopg.connect(prepared.database_url, autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {word}'.encode())

    allow("false")
    try:
        with psycopg.connect(prepared.database_url, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
    finally:
        allow("true")


def status(url: str, path: str) -> int:
    asked = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        asked.request("GET", path)
        answer = asked.getresponse()
        answer.read()
        return answer.status
    finally:
        asked.close()


def until(holds, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_server_and_worker_outlive_their_database(prepared):
    live = prepared.copy()
    ((key, text),) = json.loads(kills.script(live, kills._FILL, "1"))
    log = live.home.parent / f"{live.home.name}.log"
    processes = Processes(live.environment, log, url=live.url)
    try:
        processes.start()
        assert processes.work is not None and processes.serve is not None
        worker, server = processes.work.pid, processes.serve.pid
        browser = citizens.Browser(live.url)
        with away(live, prepared):
            assert status(live.url, "/procedures/") == 503
            said = browser.post(f"/report/{key}/check/", {})
            assert said[0] == 503 and "GD-" not in said[2]
            assert until(lambda: "tried again later" in log.read_text(errors="replace")), "the worker met no fault"
        receipt = citizens.send(browser.post, f"/report/{key}")
        browser.close()
        assert status(live.url, "/procedures/") == 200
        assert processes.work.poll() is None and processes.work.pid == worker
        assert processes.serve.poll() is None and processes.serve.pid == server
        told = [{"submission": str(UUID(key)), "text": text, "reference": receipt.reference, "code": receipt.code}]
        found = json.loads(kills.script(live, kills._COMPARE, given=json.dumps(told)))
        assert found["cases"] == 1 and not (found["lost"] or found["duplicated"] or found["faults"])
        # What was asked in between left its fault in the log, and nothing else did.
        faults = set(
            re.findall(r"^([\w.]+(?:Error|Exception|Shutdown))\b", log.read_text(errors="replace"), re.MULTILINE)
        )
        assert all(fault.startswith(("psycopg.", "django.db.utils.")) for fault in faults), faults
    finally:
        processes.stop()
        prepared.drop(live)
