"""A full disk: an honest refusal, never a false receipt, nothing half stored, and all is well when there is room.

Two ways of running out: a limit on the size of files, which every account may set, and, as root, a small disk in
memory (tmpfs). PostgreSQL's own disk is not filled here; its error codes are told apart in the table below.
"""

import errno
import os
import resource
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psycopg.errors
import pytest
from django.db import OperationalError

from gandan.config import faults
from tests.conftest import PATIENCE, installation
from tests.durability import citizens, power_cuts
from tests.durability.servers import Processes

MARGIN = 1_500_000
"""Bytes left for the beginning, before the disk is full."""


def can_mount() -> bool:
    return os.geteuid() == 0 and shutil.which("unshare") is not None and _try_mount()


def _try_mount() -> bool:
    tried = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True)
    return tried.returncode == 0


class Limited:
    """No file may grow beyond a size: enough for what is there, not for what comes."""

    def __init__(self, folder: Path, base: Path) -> None:
        self.home = folder / "home"
        power_cuts._copy(base, self.home)

    def fill(self, processes: Processes) -> None:
        self._limit(processes, 16 * 1024)

    def empty(self, processes: Processes) -> None:
        self._limit(processes, resource.RLIM_INFINITY)

    def close(self) -> None:
        pass

    @staticmethod
    def _limit(processes: Processes, size: int) -> None:
        for worker in processes.web_workers():
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class Small:
    """A disk in memory that is a little larger than the installation."""

    def __init__(self, folder: Path, base: Path) -> None:
        # Not below pytest's folder, which could not be removed were this test stopped with the disk in place.
        self.home = Path(tempfile.mkdtemp(prefix="gandan-small-disk-"))
        used = sum(path.stat().st_blocks * 512 for path in base.rglob("*"))
        size = used + MARGIN + 12_000_000
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.home], check=True)
        shutil.copytree(base, self.home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*-shm", "*.log"))
        self.ballast = self.home / "ballast"

    def fill(self, processes: Processes) -> None:
        descriptor = os.open(self.ballast, os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(descriptor, b"\0" * 4096)
        except OSError as error:
            assert error.errno == errno.ENOSPC
        finally:
            os.close(descriptor)

    def empty(self, processes: Processes) -> None:
        self.ballast.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", self.home], check=True)
        self.home.rmdir()


WAYS = {"a limit on files": Limited, **({"a small disk": Small} if can_mount() else {})}
USUAL = list(WAYS)[-1]
"""The more real one of those that this account may take; the other one belongs to the long tests."""


@pytest.mark.sqlite
@pytest.mark.parametrize("way", [pytest.param(way, marks=() if way == USUAL else pytest.mark.long) for way in WAYS])
def test_a_full_disk_is_answered_honestly_and_recovers(prepared, tmp_path, way):
    power_cuts.collect(prepared.home)
    disk = WAYS[way](tmp_path, prepared.home)
    processes = Processes(installation(disk.home), tmp_path / "log", workers=2, working=False)
    ledger, stop = citizens.Ledger(), threading.Event()
    slug = power_cuts._slug(disk.home)
    people = [
        citizens.Citizen(
            processes.url, slug, ledger, stop, citizens.errands(n, pictures=lambda drawn: [citizens.picture(drawn)])
        )
        for n in range(4)
    ]
    try:
        processes.start()
        for person in people:
            person.start()
        _until(lambda: ledger.receipts >= 4)
        disk.fill(processes)
        _until(lambda: sum(ledger.refused.values()) >= 12 and (way != "a small disk" or ledger.refused[507]))
        assert processes.answers(), "pages to read are answered all the same"
        told = ledger.receipts
        disk.empty(processes)
        _until(lambda: ledger.receipts >= told + 8)
        stop.set()
        for person in people:
            person.join()
        processes.stop()
        outcome = power_cuts.Outcome(way)
        power_cuts._examine(disk.home, ledger, outcome)
        assert ledger.faults == [], "an answer was neither a receipt nor an honest refusal"
        assert set(ledger.refused) <= {503, 507}
        assert outcome.lost == [] and outcome.damaged == [] and outcome.duplicated == []
        assert not list((disk.home / "files").rglob(".partial-*")), "something half stored was left"
        assert not _half_stored(disk.home)
    finally:
        stop.set()
        processes.cut()
        disk.close()


def _half_stored(home: Path) -> list[str]:
    """Return the matters that lack what is written with them: the line, the clock, the entry."""
    database = sqlite3.connect(home / "gandan.sqlite3")
    try:
        asked = """
            SELECT reference FROM cases_case c WHERE c.reference NOT IN (
                SELECT reference FROM cases_case d
                WHERE EXISTS (SELECT 1 FROM cases_caseevent e WHERE e.case_id = d.id AND e.kind = 'received')
                AND EXISTS (SELECT 1 FROM obligations_obligation o WHERE o.matter = d.id)
                AND EXISTS (SELECT 1 FROM audit_auditentry a WHERE a.object_id = d.id))
            AND c.text LIKE 'Đường vào bản tối, cột số%'
        """
        return [row[0] for row in database.execute(asked)]
    finally:
        database.close()


def _until(holds, seconds: float = 2 * PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to this"
        time.sleep(0.02)


def _caused(cause: Exception) -> OperationalError:
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


def _sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("of SQLite")
    error.sqlite_errorcode = code
    return error


@pytest.mark.agnostic
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OSError(errno.ENOSPC, "no space"), 507),
        (OSError(errno.EDQUOT, "no quota"), 507),
        (OSError(errno.EACCES, "not allowed"), None),
        (_caused(_sqlite(sqlite3.SQLITE_FULL)), 507),
        (_caused(_sqlite(sqlite3.SQLITE_BUSY)), 503),
        (_caused(_sqlite(sqlite3.SQLITE_CORRUPT)), None),
        (_caused(psycopg.errors.DiskFull("no space left on device")), 507),
        (_caused(psycopg.errors.AdminShutdown("terminating")), 503),
        (_caused(psycopg.errors.TooManyConnections("sorry")), 503),
        (_caused(psycopg.OperationalError("connection refused")), 503),
        (_caused(psycopg.errors.UndefinedTable("no such table")), None),
        (ValueError("ours"), None),
        (None, None),
    ],
)
def test_each_fault_has_its_honest_answer(error, status):
    assert faults.status_of(error) == status


@pytest.mark.agnostic
@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OSError(errno.ENOSPC, "no space"), 507, ("đã hết chỗ để lưu", "no room left")),
        (_caused(_sqlite(sqlite3.SQLITE_BUSY)), 503, ("tạm thời chưa trả lời được", "cannot be reached")),
    ],
)
def test_the_refusal_is_a_page_in_both_languages(rf, error, status, words):
    from django.utils import translation

    for language, expected in zip(("vi", "en"), words, strict=True):
        try:
            raise error
        except Exception:
            with translation.override(language):
                answer = faults.server_error(rf.get("/"))
        assert answer.status_code == status and answer["Retry-After"] == "30"
        assert expected in answer.content.decode() and 'href="tel:113"' in answer.content.decode()
