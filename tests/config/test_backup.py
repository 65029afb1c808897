"""A backup proves itself, and a damaged one is refused with its own exit code and nothing changed."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.conftest import gandan, installation

pytestmark = pytest.mark.agnostic


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("backup")
    environment = installation(folder / "home")
    assert gandan("demo", "--quiet", environment=environment).returncode == 0
    (folder / "home/files").mkdir(exist_ok=True)
    (folder / "home/files/aa").mkdir(exist_ok=True)
    (folder / "home/files/aa/picture").write_bytes(b"a picture")
    done = gandan("backup", str(folder / "whole.tar.gz"), environment=environment)
    assert done.returncode == 0, done.stderr
    return folder / "whole.tar.gz"


def restore(source: Path, home: Path, *options: str):
    return gandan("restore", str(source), *options, environment=installation(home))


def rewritten(source: Path, goal: Path, change) -> Path:
    """Copy an archive, letting `change(name, content)` alter or drop (None) each part."""
    with tarfile.open(source, "r:gz") as old, tarfile.open(goal, "w:gz") as new:
        for member in old:
            content = change(member.name, old.extractfile(member).read())
            if content is not None:
                part = tarfile.TarInfo(member.name)
                part.size = len(content)
                new.addfile(part, io.BytesIO(content))
    return goal


def test_a_restored_installation_passes_its_own_check(made, tmp_path):
    assert restore(made, tmp_path, "--verify").returncode == 0
    assert not (tmp_path / "gandan.sqlite3").exists() or (tmp_path / "gandan.sqlite3").stat().st_size == 0
    done = restore(made, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "files/aa/picture").read_bytes() == b"a picture"
    (tmp_path / "keys").mkdir(exist_ok=True)
    assert gandan("audit", "verify", environment=installation(tmp_path)).returncode == 0


def test_a_filled_installation_is_not_overwritten(made, tmp_path):
    assert restore(made, tmp_path).returncode == 0
    before = (tmp_path / "gandan.sqlite3").read_bytes()
    assert restore(made, tmp_path).returncode == 15
    assert (tmp_path / "gandan.sqlite3").read_bytes() == before


def newer(name, content):
    if name != "manifest.json":
        return content
    manifest = json.loads(content)
    manifest["migrations"].append("cases.9999_of_tomorrow")
    return json.dumps(manifest).encode()


def elsewhere(name, content):
    if name != "manifest.json":
        return content
    return json.dumps(json.loads(content) | {"engine": "postgresql"}).encode()


@pytest.mark.parametrize(
    ("name", "damage", "code"),
    [
        ("not one", lambda whole, bad: bad.write_bytes(b"no archive"), 10),
        ("cut by a kilobyte", lambda whole, bad: bad.write_bytes(whole.read_bytes()[:-1024]), 11),
        ("a part is missing", lambda w, b: rewritten(w, b, lambda n, c: None if n.startswith("files/") else c), 11),
        (
            "a byte is changed",
            lambda w, b: rewritten(w, b, lambda n, c: c[:-1] + b"!" if n.startswith("files/") else c),
            12,
        ),
        ("made by a newer version", lambda w, b: rewritten(w, b, newer), 13),
        ("made for the other engine", lambda w, b: rewritten(w, b, elsewhere), 14),
    ],
)
def test_a_damaged_backup_is_refused_with_its_own_code(made, tmp_path, name, damage, code):
    bad = tmp_path / "bad.tar.gz"
    damage(made, bad)
    done = restore(bad, tmp_path / "home")
    assert done.returncode == code, (name, done.stderr)
    assert not (tmp_path / "home/files").exists() or not any((tmp_path / "home/files").iterdir())
    assert done.stderr.startswith("gandan: "), "a refusal is a sentence"


def test_an_existing_file_is_not_overwritten_by_a_backup(made):
    home = made.parent / "home"
    assert gandan("backup", str(made), environment=installation(home)).returncode == 3
