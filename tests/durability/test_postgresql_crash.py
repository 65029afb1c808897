"""PostgreSQL itself is killed with all its processes: what was acknowledged is there when it starts again.

Its memory is gone then, and with it whatever it had not yet handed to the operating system; so the control, the same
server told not to wait for the disk, does lose receipts.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from uuid import UUID

import pytest

from tests import engines
from tests.conftest import Prepared
from tests.durability import citizens, kills, power_cuts
from tests.durability.servers import Processes

pytestmark = [pytest.mark.postgresql, pytest.mark.long]

PEOPLE = 6


class Cluster:
    """A PostgreSQL of this test's own, that may be killed."""

    def __init__(self, folder: Path) -> None:
        self.programs, self.port = engines.postgresql_programs(), engines.free_port()
        account = engines._ordinary_account()
        self.account = engines._as(account)
        self.folder, self.data, self.log = folder, folder / "data", folder / "log"
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        how = ["--username=gandan", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(
            [self.programs / "initdb", f"--pgdata={self.data}", *how],
            capture_output=True,
            text=True,
            cwd=folder,
            **self.account,
        )
        assert made.returncode == 0, made.stderr
        self.url = f"postgresql://gandan@127.0.0.1:{self.port}/postgres"
        self.server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        for _ in range(100):
            with self.log.open("ab") as written:
                self.server = subprocess.Popen(
                    [self.programs / "postgres", "-D", self.data, *flags],
                    stdin=subprocess.DEVNULL,
                    stdout=written,
                    stderr=subprocess.STDOUT,
                    cwd=self.folder,
                    **self.account,
                )
            try:
                return engines._wait_until_ready(self.server, self.programs, self.port, self.log)
            except engines.MissingPart:
                # Some process of the killed one is not yet gone, and holds its memory.
                self.server.kill()
                self.server.wait()
                time.sleep(0.2)
        raise AssertionError(self.log.read_text(errors="replace")[-2000:])

    def kill(self) -> None:
        """Kill the server and every process of it, without a word."""
        assert self.server is not None
        listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.server.pid)], capture_output=True, text=True)
        for process in [self.server.pid, *map(int, listed.stdout.split())]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.server.wait()

    def close(self) -> None:
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            self.server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def cluster():
    # Not below pytest's own folder, which is shut to the account that PostgreSQL runs as.
    made = Cluster(Path(tempfile.mkdtemp(prefix="gandan-crash-")))
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def province(cluster, tmp_path_factory):
    ready = Prepared(tmp_path_factory.mktemp("crashing"))
    ready.database_url, ready.template = cluster.url, "gandan_crashing"
    ready.build()
    power_cuts.collect(ready.home)
    return ready


@pytest.mark.parametrize("waits", [True, False], ids=["as it is served", "without waiting for the disk"])
def test_what_was_acknowledged_outlives_a_crash_of_postgresql(cluster, province, waits, monkeypatch):
    live = province.copy()
    drafts = [(UUID(key), text) for key, text in json.loads(kills.script(live, kills._FILL, "600"))]
    environment = dict(live.environment)
    command = None
    if not waits:
        # `gandan serve` refuses it, so the control serves the same application by hand.
        environment["DATABASE_URL"] += "?options=-c%20synchronous_commit%3Doff"
        environment["DJANGO_SETTINGS_MODULE"] = "gandan.config.settings"
        command = [sys.executable, "-c", power_cuts._SERVE.format(weakened=""), "{port}"]
    log = live.home.parent / f"{live.home.name}.log"
    processes = Processes(environment, log, url=live.url, workers=2, working=False, serving_command=command)
    ledger = citizens.Ledger()
    drawn = random.Random(6)
    monkeypatch.setattr(kills, "AGAIN", 0)
    people = [kills._Sender(live.url, drafts[n::PEOPLE], ledger, random.Random(n)) for n in range(PEOPLE)]
    lost: list[str] = []
    told: list[dict[str, str]] = []
    try:
        processes.start()
        for person in people:
            person.start()
        for _ in range(2):
            before = ledger.receipts
            _until(lambda before=before: ledger.receipts >= before + 25)
            time.sleep(drawn.uniform(0, 0.3))
            cluster.kill()
            held = [each for each in list(ledger.errands) if each.receipt is not None]
            told = [
                {"submission": str(e.draft), "text": e.text, "reference": e.receipt.reference, "code": e.receipt.code}
                for e in held
                if e.receipt is not None
            ]
            cluster.start()
            found = json.loads(kills.script(live, kills._COMPARE, given=json.dumps(told)))
            lost += found["lost"]
            assert waits is False or found["duplicated"] == [] == found["faults"]
    finally:
        for person in people:
            person.stopped = True
        processes.cut()
        for person in people:
            person.join()
    assert told
    if waits:
        assert lost == [] and ledger.faults == []
    else:
        assert lost, "the crash would not show a loss"


def _until(holds, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to this"
        assert threading.active_count() > 1
        time.sleep(0.02)
