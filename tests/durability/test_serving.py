"""Starting and stopping: a sentence and an exit code, never a panic; and no serving where words could be lost."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gandan.config import durability, serving
from gandan.config.exits import CommandError
from tests.conftest import PATIENCE, gandan, installation
from tests.durability import citizens
from tests.durability.servers import Processes
from tests.engines import free_port

LOCAL = "36 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"


@pytest.fixture
def taken():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen(1)
        yield holder.getsockname()[1]


def children(process: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True)
    return [int(each) for each in listed.stdout.split()]


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(holds, seconds: float = PATIENCE) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.agnostic
def test_a_taken_port_is_answered_by_a_sentence(taken, tmp_path):
    done = gandan("serve", "--port", str(taken), environment=installation(tmp_path))
    assert done.returncode == 3
    assert done.stderr.startswith(f"gandan: port {taken} of 127.0.0.1 is taken by another program")
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.agnostic
@pytest.mark.parametrize(
    ("host", "port", "sentence"),
    [
        ("203.0.113.9", 8000, "port 8000 of 203.0.113.9 cannot be opened"),
        ("127.0.0.1", 99999, "port 99999 of 127.0.0.1 is not an address of this machine"),
        ("no such host", 8000, "port 8000 of no such host is not an address of this machine"),
    ],
)
def test_a_place_that_is_not_here_is_answered_by_a_sentence(host, port, sentence):
    with pytest.raises(CommandError, match=sentence):
        serving.claim(host, port)


@pytest.mark.agnostic
def test_a_free_port_is_left_free():
    port = free_port()
    serving.claim("127.0.0.1", port)
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", port))


@pytest.mark.agnostic
@pytest.mark.parametrize("command", ["serve", "work"])
def test_an_absent_database_is_answered_by_a_sentence(tmp_path, command):
    hasty = "from gandan.config import durability; durability.PATIENCE = 0; "
    environment = installation(tmp_path, f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    arguments = [command, *(["--port", str(free_port())] if command == "serve" else ["--once"])]
    done = subprocess.run(
        [sys.executable, "-c", f"{hasty}import sys; from gandan.cli import main; sys.exit(main({arguments!r}))"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert "gandan: the database does not answer: " in done.stderr and "Traceback" not in done.stderr


@pytest.mark.agnostic
@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "tmpfs"])
def test_a_disk_that_forgets_is_refused(kind):
    mounts = LOCAL + f"90 36 0:50 / /srv/share rw - {kind} server:/share rw\n"
    (fault,) = durability.of_place(Path("/srv/share/gandan"), mounts)
    assert kind in fault and "move it to a local disk" in fault
    assert durability.of_place(Path("/srv/other"), mounts) == []
    assert durability.of_place(Path("/srv/share/gandan"), mounts, demo=True) == [], "an invented province"


@pytest.mark.agnostic
def test_the_nearest_and_latest_mount_decides():
    mounts = LOCAL + "90 36 0:50 / /srv rw - nfs4 a:/ rw\n91 90 8:1 / /srv/with\\040space rw - xfs /dev/sdb rw\n"
    assert durability.file_system(Path("/srv/with space/home"), mounts) == "xfs"
    assert durability.file_system(Path("/srv/withspace"), mounts) == "nfs4"
    assert durability.file_system(Path("/srv"), mounts + "92 36 8:1 / /srv rw - ext4 /dev/sdc rw\n") == "ext4"


@pytest.mark.postgresql
def test_the_postgresql_of_the_tests_is_durable(db):
    assert durability.faults() == []


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("pragma", "words"),
    [("synchronous=NORMAL", "synchronous"), ("synchronous=OFF", "synchronous"), ("foreign_keys=OFF", "rules")],
)
def test_a_weakened_sqlite_is_found(tmp_path, monkeypatch, pragma, words, django_db_blocker):
    from django.db import connections

    from gandan.config import database
    from gandan.config.sqlite.base import DatabaseWrapper

    values = connections["default"].settings_dict | database.sqlite(tmp_path / "a.sqlite3")
    wrapper = DatabaseWrapper({**values, "TIME_ZONE": None, "CONN_HEALTH_CHECKS": False, "AUTOCOMMIT": True}, "weak")
    with django_db_blocker.unblock():
        with wrapper.cursor() as cursor:
            monkeypatch.setattr(durability, "connection", wrapper)
            before = durability._of_sqlite()
            cursor.execute(f"PRAGMA {pragma}")
            after = durability._of_sqlite()
        wrapper.close()
    assert before == [] or all("file system" in each or "memory" in each for each in before)
    assert any(words in each for each in set(after) - set(before))


@pytest.mark.postgresql
@pytest.mark.parametrize("setting", ["synchronous_commit = off", "zero_damaged_pages = on"])
def test_a_weakened_postgresql_is_found(db, setting):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL {setting}")
    assert [fault for fault in durability.faults() if setting.split()[0] in fault]


@pytest.mark.postgresql
def test_a_table_without_a_log_is_found(db):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE UNLOGGED TABLE forgetful (a int)")
    assert any("without a log" in fault for fault in durability.faults())


@pytest.mark.sqlite
def test_a_weakened_database_is_not_served(prepared):
    """The real command, with the one setting changed that a hurried administrator would change."""
    copy = prepared.copy()
    (copy.home / "weak.py").write_text(
        "from gandan.config.settings import *\n"
        "o = DATABASES['default']['OPTIONS']\n"
        "o['init_command'] = o['init_command'].replace('synchronous=FULL', 'synchronous=NORMAL')\n"
    )
    weak = copy.environment | {
        "DJANGO_SETTINGS_MODULE": "weak",
        "PYTHONPATH": f"{copy.home}:{copy.environment['PYTHONPATH']}",
    }
    try:
        for command in (["serve", "--port", str(free_port())], ["work", "--once"]):
            done = gandan(*command, environment=weak)
            assert done.returncode == 3 and "synchronous mode is below FULL" in done.stderr
        checked = gandan("check", environment=weak)
        assert checked.returncode == 1 and "FAULT database durability" in checked.stdout
    finally:
        prepared.drop(copy)


@pytest.mark.sqlite
def test_a_told_server_finishes_the_answer_it_has_begun_and_leaves_nothing(live):
    """SIGTERM while a request waits its turn to write: it is written and answered, and then all is gone."""
    assert live.process is not None
    workers = children(live.process.pid)
    turn = live.home / "gandan.sqlite3.lock"
    holder = os.open(turn, os.O_RDWR | os.O_CREAT)
    fcntl.flock(holder, fcntl.LOCK_EX)
    browser, answers = citizens.Browser(live.url, timeout=PATIENCE), []
    sender = threading.Thread(target=lambda: answers.append(browser.post("/report/", {"kind": "FB-01"})))
    sender.start()
    waiting = f":{turn.stat().st_ino} "
    assert wait_until(
        lambda: any("->" in line and waiting in line for line in Path("/proc/locks").read_text().splitlines())
    ), f"nobody waits: {answers}"
    live.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    os.close(holder)
    sender.join()
    browser.close()
    assert answers and answers[0][0] == 302 and "/report/" in answers[0][1]
    assert live.process.wait(timeout=60) == 0
    assert not [each for each in workers if is_alive(each)]


@pytest.mark.sqlite
def test_a_told_worker_ends_well(prepared):
    copy = prepared.copy()
    log = copy.home.parent / f"{copy.home.name}.log"
    processes = Processes(copy.environment, log, every=600)
    try:
        processes._work()
        assert processes.work is not None
        assert wait_until(lambda: "reminders and escalations" in log.read_text()), "the first round did not end"
        processes.work.send_signal(signal.SIGTERM)
        assert processes.work.wait(timeout=60) == 0
        assert "Traceback" not in log.read_text()
    finally:
        processes.cut()
        prepared.drop(copy)


@pytest.mark.sqlite
def test_a_killed_worker_is_replaced_and_orphans_do_not_stay(live):
    assert live.process is not None
    (worker,) = children(live.process.pid)
    os.kill(worker, signal.SIGKILL)
    assert wait_until(lambda: [each for each in children(live.process.pid) if each != worker])
    assert wait_until(live._answers)
    (second,) = [each for each in children(live.process.pid) if is_alive(each)]
    live.process.kill()
    live.process.wait()
    assert wait_until(lambda: not is_alive(second)), "a worker outlived its server"
    live.process = None
