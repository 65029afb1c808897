"""The simulated disk keeps what was synchronised, loses the rest, and notices what it did not see."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.durability import shadow

pytestmark = pytest.mark.agnostic

WRITER = """
import os, sys
home = sys.argv[1]
def put(name, text, *, keep, folder=None):
    path = os.path.join(home, name)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.write(fd, text.encode())
    if keep:
        os.fsync(fd)
    os.close(fd)
def sync(name):
    fd = os.open(os.path.join(home, name), os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)
"""


@pytest.fixture(scope="module")
def shim() -> Path:
    return shadow.build()


@pytest.fixture
def disk(tmp_path, shim):
    home = tmp_path / "home"
    (home / "old").mkdir(parents=True)
    (home / "old/letter").write_text("as it was")
    return shadow.Disk(home, tmp_path / "control", shim)


def run(disk: shadow.Disk, script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITER + script, str(disk.home)],
        env=os.environ | disk.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def read(left: shadow.Left) -> dict[str, str]:
    return {p.relative_to(left.home).as_posix(): p.read_text() for p in sorted(left.home.rglob("*")) if p.is_file()}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", {"old/letter": "as it was"}),
        ("put('new', 'words', keep=True)", {"old/letter": "as it was"}),
        ("put('new', 'words', keep=False); sync('.')", {"old/letter": "as it was", "new": ""}),
        ("put('new', 'words', keep=True); sync('.')", {"old/letter": "as it was", "new": "words"}),
        ("put('old/letter', 'changed', keep=False)", {"old/letter": "as it was"}),
        ("put('old/letter', 'changed', keep=True)", {"old/letter": "changed"}),
        ("os.truncate(home + '/old/letter', 2)", {"old/letter": "as it was"}),
        ("os.truncate(home + '/old/letter', 2); sync('old/letter')", {"old/letter": "as"}),
        ("os.unlink(home + '/old/letter')", {"old/letter": "as it was"}),
        ("os.unlink(home + '/old/letter'); sync('old')", {}),
        ("os.unlink(home + '/old/letter'); put('old/letter', 'b', keep=True)", {"old/letter": "as it was"}),
        (
            "put('old/part', 'better', keep=True); os.replace(home + '/old/part', home + '/old/letter')",
            {"old/letter": "as it was"},
        ),
        (
            "put('old/part', 'better', keep=True); os.replace(home + '/old/part', home + '/old/letter'); sync('old')",
            {"old/letter": "better"},
        ),
        (
            "os.mkdir(home + '/box'); put('box/a', 'words', keep=True); sync('box')",
            {"old/letter": "as it was"},
        ),
        (
            "os.mkdir(home + '/box'); put('box/a', 'words', keep=True); sync('box'); sync('.')",
            {"old/letter": "as it was", "box/a": "words"},
        ),
        (
            # Another descriptor's synchronisation counts for the file, whoever wrote.
            "a = os.open(home + '/old/letter', os.O_RDWR); os.pwrite(a, b'AS', 0); sync('old/letter')",
            {"old/letter": "AS it was"},
        ),
    ],
)
def test_only_what_was_synchronised_is_kept(disk, tmp_path, script, expected):
    run(disk, script)
    left = disk.after_the_cut(tmp_path / "left")
    assert left.unseen == []
    assert read(left) == expected


def test_another_process_may_synchronise_what_a_killed_one_wrote(disk, tmp_path):
    run(disk, "put('old/letter', 'changed', keep=False)")
    run(disk, "sync('old/letter')")
    assert read(disk.after_the_cut(tmp_path / "left")) == {"old/letter": "changed"}


def test_a_torn_disk_may_hold_more_but_never_less(disk, tmp_path):
    run(disk, "put('old/letter', 'k' * 9000, keep=True); put('new', 'n' * 9000, keep=False)")
    seen = set()
    for seed in range(12):
        left = disk.after_the_cut(tmp_path / f"left-{seed}", torn=random.Random(seed))
        found = read(left)
        assert found["old/letter"] == "k" * 9000
        seen.add(found.get("new"))
    assert None in seen and len(seen) > 2


def test_what_is_written_past_the_shim_is_noticed(disk, tmp_path):
    (disk.home / "old/letter").write_text("forged it")
    assert disk.after_the_cut(tmp_path / "left").unseen


def test_a_mapped_file_is_refused(disk, tmp_path):
    run(disk, "import mmap; f = open(home + '/old/letter', 'r+b'); mmap.mmap(f.fileno(), 0)[0] = 66")
    with pytest.raises(AssertionError, match="through memory"):
        disk.after_the_cut(tmp_path / "left")


def test_a_missing_compiler_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shadow.shutil, "which", lambda _: None)
    with pytest.raises(shadow.MissingPart, match="apt-get install gcc"):
        shadow.build()
