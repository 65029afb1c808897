"""The programs that the tests need beside Python: a real PostgreSQL and a real browser.

Both are found on the machine. What is missing is installed as root through apt, announced first; for everybody
else the sentence says what to install. The PostgreSQL started here lives in a temporary folder, listens on a
free loopback port, asks for a password made for this run, and ends with the run.

    python -m tests.engines postgresql COMMAND ...     run COMMAND with DATABASE_URL of a fresh PostgreSQL
    python -m tests.engines install                    find or install both, and say where they are
"""

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POSTGRESQL_AT_LEAST = 15
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_BROWSERS_ON_MACOS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_POSTGRESQL_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/latest/bin",
)
_PACKAGES = {"PostgreSQL": "postgresql", "Chromium": "chromium"}
_BREW = {"PostgreSQL": "brew install postgresql@17", "Chromium": "brew install --cask chromium"}


class MissingPart(Exception):
    """Something that the tests cannot do without, with the sentence that says what to do."""


def browser() -> Path:
    """Return the browser for the journeys: $CHROMIUM, or the first one found. Raises MissingPart."""
    named = os.environ.get("CHROMIUM")
    if named:
        if not os.access(named, os.X_OK):
            raise MissingPart(f"CHROMIUM names {named}, which is not a program")
        return Path(named)
    for name in _BROWSERS:
        found = shutil.which(name)
        if found:
            return Path(found)
    for name in _BROWSERS_ON_MACOS:
        if os.access(name, os.X_OK):
            return Path(name)
    raise MissingPart(f"no Chromium was found. {_how_to_install('Chromium')}")


def postgresql_programs() -> Path:
    """Return the newest folder with initdb and postgres, of a version that we support. Raises MissingPart."""
    folders = [Path(found) for pattern in _POSTGRESQL_FOLDERS for found in sorted(_glob(pattern))]
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    versions = {_version(folder): folder for folder in folders if _is_complete(folder)}
    newest = max(versions, default=0)
    if newest >= POSTGRESQL_AT_LEAST:
        return versions[newest]
    found = f"PostgreSQL {newest} is older than {POSTGRESQL_AT_LEAST}." if newest else "no PostgreSQL was found."
    raise MissingPart(f"{found} {_how_to_install('PostgreSQL')}")


def ensure() -> None:
    """Find both parts; as root on Debian or Ubuntu install what is missing, after saying so."""
    missing = []
    for name, find in (("PostgreSQL", postgresql_programs), ("Chromium", browser)):
        try:
            find()
        except MissingPart as error:
            missing.append((name, error))
    if not missing:
        return
    if not _may_install():
        raise MissingPart("\n".join(str(error) for _, error in missing))
    packages = [_PACKAGES[name] for name, _ in missing]
    print(f"Installing what the tests need: apt-get install {' '.join(packages)}", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", "-qq", *command], check=True, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr
        )
    postgresql_programs()
    browser()


@contextmanager
def postgresql() -> Iterator[str]:
    """Start a PostgreSQL of our own and give its address; stop it, and remove its data, at the end."""
    programs = postgresql_programs()
    account = _ordinary_account()
    folder = Path(tempfile.mkdtemp(prefix="gandan-postgresql-"))
    port, password = free_port(), secrets.token_urlsafe(24)
    data, log, word = folder / "data", folder / "log", folder / "password"
    try:
        word.write_text(password)
        word.chmod(0o600)
        if account is not None:
            for path in (folder, word):
                os.chown(path, account.pw_uid, account.pw_gid)
        options = {"cwd": folder, "stdin": subprocess.DEVNULL, **_as(account)}
        how = ["--username=gandan", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(
            [programs / "initdb", f"--pgdata={data}", f"--pwfile={word}", *how],
            capture_output=True,
            text=True,
            **options,
        )
        if made.returncode:
            raise MissingPart(f"PostgreSQL could not make its data folder: {made.stderr.strip()}")
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 60,
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with log.open("wb") as written:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, *flags], stdout=written, stderr=subprocess.STDOUT, **options
            )
        try:
            _wait_until_ready(server, programs, port, log)
            yield f"postgresql://gandan:{password}@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(server: subprocess.Popen[bytes], programs: Path, port: int, log: Path) -> None:
    for _ in range(600):
        if server.poll() is not None:
            break
        ready = [programs / "pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(port)]
        if subprocess.run(ready, check=False).returncode == 0:
            return
        time.sleep(0.1)
    raise MissingPart(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")


def _ordinary_account() -> pwd.struct_passwd | None:
    """Return the account to run PostgreSQL as: none needed, unless we are root, whom it refuses."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise MissingPart("PostgreSQL refuses to run as root and there is no account named postgres or nobody")


def _as(account: pwd.struct_passwd | None) -> dict[str, object]:
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _is_complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres", "pg_isready"))


def _version(folder: Path) -> int:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    number = re.search(r"(\d+)", said)
    return int(number[1]) if number else 0


def _glob(pattern: str) -> Iterator[Path]:
    return Path("/").glob(pattern.lstrip("/"))


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _how_to_install(name: str) -> str:
    if sys.platform == "darwin":
        return f"Install it with: {_BREW[name]}"
    return f"Install it with: sudo apt-get install {_PACKAGES[name]}"


def main(arguments: list[str]) -> int:
    try:
        if arguments == ["install"]:
            ensure()
            print(f"PostgreSQL in {postgresql_programs()}\nbrowser at {browser()}")
            return 0
        if arguments[:1] == ["postgresql"] and len(arguments) > 1:
            with postgresql() as address:
                return subprocess.run(arguments[1:], env=os.environ | {"DATABASE_URL": address}).returncode
    except MissingPart as error:
        print(error, file=sys.stderr)
        return 2
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
