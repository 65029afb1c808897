"""A newcomer's clean clone runs, and the wheel that operators install holds everything."""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import zipfile

import pytest
import yaml

from tests import engines
from tests.house import tree

BARE = ("PATH", "HOME", "LANG", "TMPDIR", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "NPM_CONFIG_USERCONFIG")
PATIENCE = 600


def bare_environment() -> dict[str, str]:
    """Return what a fresh shell has, and how this machine reaches its packages."""
    kept = {name: os.environ[name] for name in BARE if name in os.environ}
    inside = str(tree.ROOT / ".venv/bin")
    kept["PATH"] = os.pathsep.join(part for part in kept["PATH"].split(os.pathsep) if part != inside)
    return kept | {"CI": "true"}


def _answers(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


@pytest.mark.long
@pytest.mark.agnostic
def test_a_clean_clone_serves_the_demo(tmp_path):
    """Twice: the second start finds everything in place."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", tree.ROOT, clone], check=True)
    for _ in range(2):
        port = engines.free_port()
        log = tmp_path / "server.log"
        with log.open("wb") as written:
            server = subprocess.Popen(
                [clone / "script/server", "--port", str(port), "--home", tmp_path / "home"],
                env=bare_environment(),
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            end = time.monotonic() + PATIENCE
            while not _answers(port, "/demo/") and server.poll() is None and time.monotonic() < end:
                time.sleep(0.2)
            assert _answers(port, "/demo/") == 200, log.read_text(errors="replace")[-4000:]
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=60)


@pytest.mark.long
@pytest.mark.agnostic
def test_the_wheel_holds_pages_styles_and_translations(tmp_path):
    source = tmp_path / "source"
    unwanted = shutil.ignore_patterns(".git", ".venv", "var", "build", "node_modules", "*.egg-info", "__pycache__")
    shutil.copytree(tree.ROOT, source, ignore=unwanted)
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", tmp_path, source], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("gandan-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    expected = {
        path.relative_to(tree.SOURCE.parent).as_posix()
        for pattern in ("*/templates/**/*.*", "*/locale/*/LC_MESSAGES/django.mo", "*/static/**/*.*", "*/reference/*.*")
        for path in tree.SOURCE.glob(pattern)
        if path.is_file() and path.suffix not in {".py", ".pyc"} and not path.name.startswith(".")
    }
    assert expected, "nothing was built: run script/setup"
    tree.none(sorted(expected - names))
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_description_for_catalogues_of_public_code_is_complete():
    described = yaml.safe_load((tree.ROOT / "publiccode.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((tree.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert described["softwareVersion"] == project["version"]
    assert described["legal"]["license"] == project["license"]
    for text in described["description"].values():
        assert len(text["shortDescription"]) <= 150
        assert 150 <= len(text["longDescription"]) <= 10_000


@pytest.mark.parametrize("name", ["setup", "server", "test", "build", "picture", "translate", "lock"])
def test_every_script_can_be_run(name):
    assert os.access(tree.ROOT / "script" / name, os.X_OK)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--port", "eight"], "takes a number"), (["--bogus"], "unknown argument --bogus")],
)
def test_a_wrong_argument_is_answered_by_a_sentence(arguments, words):
    done = subprocess.run(
        [tree.ROOT / "script/server", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 2 and words in done.stderr


def test_units_of_systemd_and_containers_run_commands_that_exist():
    from gandan.cli import build_parser

    parser = build_parser()
    for path in sorted((tree.ROOT / "deploy/systemd").glob("*.service")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("ExecStart=/opt/gandan/bin/gandan "):
                assert parser.parse_args(line.split()[1:]).handler
    services = yaml.safe_load((tree.ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))["services"]
    assert parser.parse_args(services["work"]["command"]).handler
