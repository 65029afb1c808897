"""The disk that loses power: builds the shim `powercut.c`, prepares its table, and reads what was left at a cut.

Two kinds of loss, both allowed by POSIX. *Bare*: nothing survives but what was synchronised. *Torn*: of what was
not synchronised any sector may have reached the disk, and any folder may already have its newest names.
"""

import ctypes
import mmap
import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.engines import MissingPart

SOURCE = Path(__file__).with_name("powercut.c")
SLOTS, PAGE, BITMAP, SECTOR = 8192, 4096, 16384, 512
ALIVE = 1
NEVER = 2**64 - 1
BROKEN = {
    1: "too many files",
    2: "a file above 512 MiB",
    4: "a file was written through memory",
    8: "a file was made past the shim",
    16: "a copy to the shadow failed",
}


class _Head(ctypes.Structure):
    _fields_ = [
        ("magic", ctypes.c_uint64),
        ("device", ctypes.c_uint64),
        ("broken", ctypes.c_uint64),
        ("syncs", ctypes.c_uint64),
        ("room", ctypes.c_uint8 * 128),
        ("rest", ctypes.c_uint8 * 96),
    ]


class _Slot(ctypes.Structure):
    _fields_ = [
        ("inode", ctypes.c_uint64),
        ("generation", ctypes.c_uint32),
        ("state", ctypes.c_uint32),
        ("folder", ctypes.c_uint32),
        ("dirty", ctypes.c_uint32),
        ("least", ctypes.c_uint64),
        ("rest", ctypes.c_uint64 * 4),
    ]

    @property
    def key(self) -> str:
        return f"{self.inode}-{self.generation}"


HEAD, SLOT = ctypes.sizeof(_Head), ctypes.sizeof(_Slot)


def build() -> Path:
    """Compile the shim and return it. Raises MissingPart where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise MissingPart("the power-cut tests need a C compiler. Install it with: sudo apt-get install gcc libc6-dev")
    made = Path(tempfile.mkdtemp(prefix="gandan-powercut-")) / "powercut.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", made, SOURCE]
    done = subprocess.run([*command, "-ldl", "-lpthread"], capture_output=True, text=True)
    if done.returncode:
        raise MissingPart(
            "powercut.c does not compile; it needs Linux and the C library's headers "
            f"(sudo apt-get install libc6-dev):\n{done.stderr[-2000:]}"
        )
    return made


@dataclass
class Left:
    """What a cut left: the home as the disk has it, and what was lost with the memory."""

    home: Path
    syncs: int
    lost_pages: int
    unseen: list[str] = field(default_factory=list)
    """Files in which something changed past the shim: must be empty, else the shadow proves nothing."""


class Disk:
    """One life of an installation between two cuts: `home` is what the programs see, `control` what is on the disk."""

    def __init__(self, home: Path, control: Path, shim: Path) -> None:
        self.home, self.control, self.shim = home.resolve(), control, shim
        for name in ("objects", "dirs"):
            (control / name).mkdir(parents=True)
        size = HEAD + SLOTS * (SLOT + BITMAP)
        with (control / "table").open("wb") as table:
            table.truncate(size)
        self._register()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self.shim),
            "POWERCUT_HOME": str(self.home),
            "POWERCUT_CONTROL": str(self.control),
        }

    def after_the_cut(self, goal: Path, *, torn: random.Random | None = None) -> Left:
        """Write into `goal` what a disk would hold now; with `torn` also a random part of what it need not hold."""
        head, slots, bitmaps = self._read()
        if head.broken:
            why = "; ".join(words for bit, words in BROKEN.items() if head.broken & bit)
            raise AssertionError(f"the simulated disk missed something: {why}")
        known = {slot.inode: slot for slot in slots if slot.state == ALIVE}
        live = {path.stat().st_ino: path for path in self._walk(self.home)}
        left = Left(goal, head.syncs, 0)
        for inode, path in live.items():
            slot = known.get(inode)
            if slot is None:
                # One that is empty was being made at the very moment of the cut.
                is_empty = not any(path.iterdir()) if path.is_dir() else path.stat().st_size == 0
                left.unseen += [] if is_empty else [f"{path} is not in the table"]
            elif not slot.folder:
                left.unseen += self._compare(slot, path, bitmaps[slot.key])
                left.lost_pages += sum(byte.bit_count() for byte in bitmaps[slot.key])
        root = known[self.home.stat().st_ino]
        self._materialise(root, self.home, goal, known, bitmaps, live, torn)
        if (self.home / "static").is_dir():
            shutil.copytree(self.home / "static", goal / "static", copy_function=os.link)
        return left

    def _register(self) -> None:
        """Everything that is there before the programs start is on the disk."""
        with (self.control / "table").open("r+b") as file, mmap.mmap(file.fileno(), HEAD + SLOTS * SLOT) as memory:
            head = _Head.from_buffer(memory)
            head.device = self.home.stat().st_dev
            slots = (_Slot * SLOTS).from_buffer(memory, HEAD)
            for path in self._walk(self.home):
                inode, folder = path.stat().st_ino, path.is_dir()
                at = ((inode * 11400714819323198485) & NEVER) >> (64 - 13)
                while slots[at].state:
                    at = (at + 1) % SLOTS
                slots[at].inode, slots[at].state = inode, ALIVE
                slots[at].folder, slots[at].least = int(folder), NEVER
                if folder:
                    lines = [
                        f"{'d' if each.is_dir() else 'f'} {each.stat().st_ino}-0 {each.name}\n"
                        for each in sorted(path.iterdir())
                        if not _is_ignored(each.name)
                    ]
                    (self.control / f"dirs/{inode}-0").write_text("".join(lines))
                else:
                    shutil.copyfile(path, self.control / f"objects/{inode}-0")
            del head, slots

    def _read(self) -> tuple[_Head, list[_Slot], dict[str, bytes]]:
        with (self.control / "table").open("rb") as file:
            head = _Head.from_buffer_copy(file.read(HEAD))
            slots = [s for s in (_Slot * SLOTS).from_buffer_copy(file.read(SLOTS * SLOT)) if s.state]
            bitmaps = {}
            file.seek(HEAD)
            places = (_Slot * SLOTS).from_buffer_copy(file.read(SLOTS * SLOT))
            for place, slot in enumerate(places):
                if slot.state == ALIVE:
                    file.seek(HEAD + SLOTS * SLOT + place * BITMAP)
                    bitmaps[slot.key] = file.read(BITMAP) if slot.dirty else bytes(BITMAP)
        return head, slots, bitmaps

    def _walk(self, folder: Path) -> Iterator[Path]:
        yield folder
        for each in sorted(folder.iterdir()):
            if _is_ignored(each.name):
                continue
            if each.is_dir():
                yield from self._walk(each)
            elif each.is_file():
                yield each

    def _compare(self, slot: _Slot, path: Path, dirty: bytes) -> list[str]:
        """Compare every page that counts as clean with the shadow: what differs was written past the shim."""
        kept = self.control / f"objects/{slot.key}"
        if not kept.exists():
            changed = path.stat().st_size and not slot.dirty
            return [f"{path} has bytes that nobody wrote"] if changed else []
        with path.open("rb") as seen, kept.open("rb") as held:
            number = 0
            while True:
                ours, theirs = seen.read(PAGE), held.read(PAGE)
                if not ours and not theirs:
                    return []
                is_dirty = number < BITMAP * 8 and dirty[number // 8] >> (number % 8) & 1
                past_a_cut = slot.least != NEVER and (number + 1) * PAGE > slot.least
                if ours != theirs and not is_dirty and not past_a_cut:
                    return [f"{path} differs in page {number}, which counts as clean"]
                number += 1

    def _materialise(
        self,
        slot: _Slot,
        live_folder: Path | None,
        goal: Path,
        known: dict[int, _Slot],
        bitmaps: dict[str, bytes],
        live: dict[int, Path],
        torn: random.Random | None,
    ) -> None:
        goal.mkdir(parents=True, mode=0o700)
        entries = self._names(slot.key)
        if torn is not None and torn.random() < 0.5 and live_folder is not None and live_folder.is_dir():
            entries = [
                (each.is_dir(), known[each.stat().st_ino].key, each.name)
                for each in sorted(live_folder.iterdir())
                if not _is_ignored(each.name) and each.stat().st_ino in known
            ]
        by_key = {each.key: each for each in known.values()}
        for is_folder, key, name in entries:
            inner = by_key.get(key)
            path = live.get(inner.inode) if inner is not None else None
            if is_folder:
                if inner is None:
                    (goal / name).mkdir()
                else:
                    self._materialise(inner, path, goal / name, known, bitmaps, live, torn)
                continue
            kept = self.control / f"objects/{key}"
            if kept.exists():
                shutil.copyfile(kept, goal / name)
            else:
                (goal / name).touch()
            (goal / name).chmod(0o600)
            if torn is not None and path is not None and inner is not None and inner.dirty:
                _tear(goal / name, path, bitmaps[key], torn)

    def _names(self, key: str) -> list[tuple[bool, str, str]]:
        path = self.control / f"dirs/{key}"
        if not path.exists():
            return []
        rows = [line.split(" ", 2) for line in path.read_text().splitlines()]
        return [(kind == "d", inner, name) for kind, inner, name in rows]


def _tear(kept: Path, live: Path, dirty: bytes, torn: random.Random) -> None:
    """Let about half of the sectors that were not synchronised reach the disk, in no order."""
    size = live.stat().st_size
    with kept.open("r+b") as goal, live.open("rb") as source:
        for number in range(BITMAP * 8):
            if not dirty[number // 8]:
                continue
            if dirty[number // 8] >> (number % 8) & 1:
                for at in range(number * PAGE, min((number + 1) * PAGE, size), SECTOR):
                    if torn.random() < 0.5:
                        source.seek(at)
                        goal.seek(at)
                        goal.write(source.read(min(SECTOR, size - at)))
        if torn.random() < 0.5:
            goal.truncate(size)


def _is_ignored(name: str) -> bool:
    return name.endswith("-shm") or name == "static"
