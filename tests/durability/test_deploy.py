"""What an administrator installs: units that systemd accepts, proxies that log nobody, wheels of the same bytes."""

import configparser
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gandan.cli import build_parser
from gandan.config import environment
from tests.conftest import ROOT

pytestmark = pytest.mark.agnostic

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
STAFF = ("/desk/", "/admin/")


def unit(path: Path) -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str
    read.read(path)
    return read


def routes() -> list[str]:
    """Return an address for every route, in both languages."""
    found = set()
    for line in (ROOT / "routes.lock").read_text().splitlines():
        for word in line.split():
            if word.startswith("/"):
                plain = re.sub(r"<[^>]+>", "x", word)
                found |= {plain, "/en" + plain}
    assert len(found) > 100
    return sorted(found)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_every_unit_is_complete_and_shut_in(path):
    read = unit(path)
    assert read["Unit"]["Description"].startswith("Gần Dân")
    if path.suffix == ".timer":
        assert read["Timer"]["OnCalendar"] and read["Install"]["WantedBy"] == "timers.target"
        return
    service = read["Service"]
    for name, value in {
        "User": "gandan",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "CapabilityBoundingSet": "",
        "UMask": "0077",
        "StateDirectoryMode": "0700",
        "EnvironmentFile": "/etc/gandan/environment",
    }.items():
        assert service[name] == value, name
    if service.get("Restart"):
        assert int(service["TimeoutStopSec"]) > 20, "longer than a worker may take to finish its answers"


@pytest.mark.parametrize("path", [p for p in UNITS if p.suffix == ".service"], ids=lambda path: path.name)
def test_what_a_unit_starts_is_a_command_of_ours(path):
    """The arguments are read by the very parser that will read them."""
    command = re.search(r"/opt/gandan/bin/gandan ([^'\n]+)", path.read_text())
    assert command is not None
    words = command[1].replace('"', "").replace("$$(date +%%Y%%m%%d-%%H%%M)", "now").split()
    assert build_parser().parse_args(words).handler is not None


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_accepts_every_unit(path, tmp_path):
    """By `systemd-analyze verify` where there is one; the test above holds everywhere."""
    if shutil.which("systemd-analyze") is None:
        assert sys.platform != "linux" or not Path("/run/systemd/system").exists(), "systemd without its own checker"
        return
    program = tmp_path / "gandan"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for each in UNITS:
        (tmp_path / each.name).write_text(each.read_text().replace("/opt/gandan/bin/gandan", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", tmp_path / path.name], capture_output=True, text=True
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "gandan" in line]
    assert done.returncode == 0 and ours == [], done.stderr


def test_the_example_of_settings_names_only_settings_that_are_read():
    known = {name for name, _, _ in environment.table()} | {"GANDAN_BACKUP_RECIPIENTS"}
    text = (DEPLOY / "environment.example").read_text()
    named = dict(line.replace('"', "").split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    assert set(named) <= known
    read = environment.read(named)
    assert read.is_secure and not read.demo


@pytest.mark.parametrize(
    ("name", "pattern"), [("nginx.conf", r"location ~ (\S+) \{"), ("Caddyfile", r"path_regexp (\S+)")]
)
def test_the_proxy_logs_no_page_that_anybody_may_open(name, pattern):
    text = re.sub(r"(?m)#.*$", "", (DEPLOY / name).read_text())
    (logged,) = re.findall(pattern, text)
    for address in routes():
        is_staff = address.removeprefix("/en").startswith(STAFF)
        assert bool(re.search(logged, address)) == is_staff, address


def test_nginx_logs_nothing_but_the_pages_of_staff_and_keeps_no_body_on_the_disk():
    text = re.sub(r"(?m)#.*$", "", (DEPLOY / "nginx.conf").read_text())
    assert text.count("{") == text.count("}")
    servers = re.findall(r"(?s)server \{\n    listen.*?\n\}", text)
    assert len(servers) == 2
    for server in servers:
        outside = re.sub(r"(?s)location .*?\n    \}", "", server)
        assert "access_log off;" in outside and "error_log /dev/null crit;" in outside
    logs = re.findall(r"access_log (?!off)\S+", text)
    assert len(logs) == 1 and "gandan-staff" in logs[0]
    assert re.search(r"client_body_temp_path /run/", text) and "$proxy_add_x_forwarded_for" not in text
    tested = shutil.which("nginx")
    if tested:
        # With its own words, where it is installed; certificates are not, so only the grammar counts.
        done = subprocess.run([tested, "-t", "-c", DEPLOY / "nginx.conf"], capture_output=True, text=True)
        assert "unknown directive" not in done.stderr


def test_the_wheel_has_the_same_bytes_wherever_it_is_built(tmp_path):
    """Twice, with another mask, time zone and folder; with all that an installation needs inside."""
    if not (ROOT / ".venv/bin/python").exists():
        pytest.fail("the wheel is built with .venv: run script/setup --test")
    built = []
    for name, mask, zone in (("one", 0o022, "Asia/Ho_Chi_Minh"), ("two", 0o077, "America/Lima")):
        done = subprocess.run(
            [DEPLOY / "wheel", tmp_path / name],
            env={**os.environ, "TZ": zone, "SOURCE_DATE_EPOCH": "1790000000"},
            umask=mask,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        built += list((tmp_path / name).glob("*.whl"))
    assert len(built) == 2
    first, second = (hashlib.sha256(path.read_bytes()).hexdigest() for path in built)
    assert first == second
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
    for needed in (
        "gandan/cli.py",
        "gandan/ui/static/ui/site.css",
        "gandan/ui/locale/vi/LC_MESSAGES/django.mo",
        "gandan/ui/templates/ui/fault_507.html",
    ):
        assert needed in names, needed
    assert not [name for name in names if "__pycache__" in name or name.startswith("tests/")]


def test_the_containers_steps_can_be_walked():
    """The grammar that `deploy/replay` follows; the walk itself takes minutes and is a command of its own."""
    source = (DEPLOY / "replay").read_text().partition('if __name__ == "__main__"')[0]
    replay: dict[str, object] = {"__file__": str(DEPLOY / "replay")}
    exec(compile(source, "replay", "exec"), replay)  # noqa: S102 - our own file, which has no ending for a module
    steps = replay["steps"]((DEPLOY / "Containerfile").read_text())
    words = [word for word, _ in steps]
    assert words.count("FROM") == 2 and words.index("COPY") < words.index("RUN")
    assert not [rest for word, rest in steps if word == "RUN" and "\\" in rest]
    assert ("ENTRYPOINT", '["gandan"]') in steps
    ignored = replay["_is_ignored"]
    assert ignored("build", "build") and not ignored("script/build", "build")
    assert ignored("src/a.mo", "**/*.mo") and ignored(".mypy_cache", ".*_cache")
