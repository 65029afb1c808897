"""Feeding mutants to one reader in a process of its own, under limits, and saying what became of them.

    python -m tests.hostile.trial upload 1000 7     a thousand mutants bred from seed 7

A mutant may be taken or refused; anything else is a fault: a program that breaks, more than two seconds of
computing, more than 512 MiB of memory. Computing is counted, not the time on the wall, so that a busy machine
makes no faults.
"""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 2.0
MEBIBYTES = 512
READERS = ("upload", "table", "terms", "procedures")
_INTERESTING = (
    b"\x00", b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"-1", b"99999999999999999999", b"%n%s",
    b"\xef\xbb\xbf", b"\xed\xa0\x80", b"..//", b"[" * 200, b"&a *a", b"<<", b"\r\n\r\n", b'"', b"'", b"1e9999",
    b"=1+1", b"\xe2\x80\xae",
)  # fmt: skip
_BEGIN = {"image/jpeg": b"\xff\xd8", "image/png": b"\x89PNG", "image/webp": b"RIFF", "application/pdf": b"%PDF"}


class Tolerated(Exception):
    """The reader refused, as it should."""


def mutant(chance: random.Random, seeds: list[bytes]) -> bytes:
    """Return an honest file with a few things done to it."""
    found = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 3, 8, 30))):
        if not found:
            found = bytearray(chance.choice(_INTERESTING))
        at = chance.randrange(len(found))
        far = min(len(found), at + chance.choice((1, 2, 4, 16, 200, 4000)))
        match chance.randrange(9):
            case 0:
                found[at] ^= 1 << chance.randrange(8)
            case 1:
                found[at] = chance.randrange(256)
            case 2:
                del found[at:far]
            case 3:
                found[at:at] = found[at:far] * chance.choice((1, 2, 40))
            case 4:
                found[at:at] = chance.choice(_INTERESTING)
            case 5:
                other = chance.choice(seeds)
                start = chance.randrange(len(other) or 1)
                found[at:far] = other[start : start + chance.choice((4, 64, 2000))]
            case 6:
                del found[at:]
            case 7:
                found[at:far] = chance.randbytes(far - at)
            case 8:
                found[at : at + 4] = chance.choice((0, 1, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)).to_bytes(4, "big")
    return bytes(found[:2_000_000])


def reader(name: str) -> Callable[[bytes], None]:
    """Return the reader: it returns when it took a file, and raises Tolerated when it refused it.

    `breaks`, `hangs`, `eats` and `dies` are the controls: readers that do what none may.
    """
    if name in _CONTROLS:
        return _CONTROLS[name]
    if name == "upload":
        from gandan.cases import cleaning

        def upload(data: bytes) -> None:
            try:
                kind, content = cleaning.clean(data)
            except (cleaning.NotHarmless, MemoryError):
                raise Tolerated from None
            begin = {
                "image/jpeg": b"\xff\xd8",
                "image/png": b"\x89PNG",
                "image/webp": b"RIFF",
                "application/pdf": b"%PDF",
            }
            assert content.startswith(begin[kind]), "what came out is not what it says"

        return upload
    _django()
    if name == "table":
        from gandan.units import register, restating

        known = register.from_reference()

        def table(data: bytes) -> None:
            try:
                restating.restate_table(data, known, date(2025, 6, 1), date(2026, 1, 1))
            except (restating.TableError, register.RegisterError):
                raise Tolerated from None

        return table
    if name == "terms":
        from django.core.files.uploadedfile import SimpleUploadedFile

        from gandan.obligations.forms import TermsFileForm

        def terms(data: bytes) -> None:
            form = TermsFileForm({}, {"file": SimpleUploadedFile("terms.yaml", data)})
            if not form.is_valid():
                assert str(form.errors)
                raise Tolerated

        return terms
    from django.core.files.uploadedfile import SimpleUploadedFile

    from gandan.cases.forms import ProceduresFileForm

    def procedures(data: bytes) -> None:
        form = ProceduresFileForm({}, {"file": SimpleUploadedFile("procedures.yaml", data)})
        if not form.is_valid():
            assert str(form.errors)
            raise Tolerated

    return procedures


def _breaks(data: bytes) -> None:
    raise KeyError("MPO")


def _hangs(data: bytes) -> None:
    while True:
        pass


def _eats(data: bytes) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert bytearray(600 * 1024 * 1024).count(1) == 0


def _dies(data: bytes) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


_CONTROLS: dict[str, Callable[[bytes], None]] = {"breaks": _breaks, "hangs": _hangs, "eats": _eats, "dies": _dies}


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gandan.config.settings")
    import django

    django.setup()


def main(arguments: list[str]) -> int:
    """Feed mutants, or the files of a folder; print what came of them as JSON. The last line written before the
    process dies names the mutant that killed it."""
    name, progress = arguments[0], Path(arguments[1])
    read = reader(name)
    resource.setrlimit(resource.RLIMIT_DATA, (MEBIBYTES * 1024 * 1024, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    taken = refused = 0
    slowest, faults = 0.0, []
    source = _files(Path(arguments[3])) if arguments[2] == "files" else _bred(name, *map(int, arguments[2:5]))
    log = progress.open("w")
    for label, data in source:
        log.seek(0)
        log.write(f"{label}\n")
        log.flush()
        signal.setitimer(signal.ITIMER_PROF, SECONDS * 2)  # a hang in a library ends the process here
        began = time.process_time()
        try:
            read(data)
            taken += 1
        except Tolerated:
            refused += 1
        except BaseException as error:
            faults.append(f"{label}: {type(error).__name__}: {error}"[:300])
        signal.setitimer(signal.ITIMER_PROF, 0)
        spent = time.process_time() - began
        slowest = max(slowest, spent)
        if spent > SECONDS:
            faults.append(f"{label}: {spent:.1f} s of computing")
    peak = _peak()
    if peak > MEBIBYTES:
        faults.append(f"{peak} MiB of memory")
    print(json.dumps({"taken": taken, "refused": refused, "slowest": slowest, "peak": peak, "faults": faults}))
    return 0


def _bred(name: str, count: int, seed: int, first: int) -> Iterator[tuple[str, bytes]]:
    from tests.hostile import corpus

    seeds = corpus.good().get(name, [b"anything"])
    for number in range(first, count):
        yield str(number), mutant(random.Random(f"{name} {seed} {number}"), seeds)


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.iterdir()):
        yield path.name, path.read_bytes()


def _peak() -> int:
    """Return the most memory in MiB that this process has held since it began."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024 // 1024


@dataclass
class Result:
    """What became of the mutants of one reader."""

    taken: int = 0
    refused: int = 0
    slowest: float = 0.0
    peak: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def mutants(self) -> int:
        return self.taken + self.refused

    def __str__(self) -> str:
        return (
            f"{self.mutants} mutants: {self.taken} taken, {self.refused} refused, {len(self.faults)} faults, "
            f"slowest {self.slowest:.2f} s, peak {self.peak} MiB"
        )


def breed(name: str, count: int, seed: int) -> Result:
    """Feed mutants to a reader in processes of their own; go on after one that kills its process."""
    result, first = Result(), 0
    with tempfile.TemporaryDirectory() as folder:
        while first < count:
            first = _once(name, [str(count), str(seed), str(first)], Path(folder) / "at", result, count)
    return result


def feed(name: str, files: dict[str, bytes]) -> Result:
    """Feed files to a reader in a process of its own."""
    result = Result()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "files"
        place.mkdir()
        for label, data in files.items():
            (place / label.replace("/", " ")).write_bytes(data)
        _once(name, ["files", str(place)], Path(folder) / "at", result, 0)
    return result


def _once(name: str, arguments: list[str], progress: Path, result: Result, count: int) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile.trial", name, str(progress), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if done.returncode:
        last = progress.read_text().split("\n")[0] if progress.exists() else "the beginning"
        how = signal.Signals(-done.returncode).name if done.returncode < 0 else f"exit code {done.returncode}"
        result.faults.append(f"{last}: the process ended with {how}")
        return int(last) + 1 if last.isdigit() else count
    told = json.loads(done.stdout.splitlines()[-1])
    result.taken += told["taken"]
    result.refused += told["refused"]
    result.slowest = max(result.slowest, told["slowest"])
    result.peak = max(result.peak, told["peak"])
    result.faults += told["faults"]
    return count


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[2].isdigit():
        print(breed(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
        sys.exit(0)
    sys.exit(main(sys.argv[1:]))
