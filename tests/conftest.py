"""What every test stands on: an engine, a fixed clock, and, for journeys, the real server and a real browser.

The engine is SQLite, or the PostgreSQL that DATABASE_URL names. Nothing here reads the real day, and nothing
leaves this machine.
"""

import http.client
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import hypothesis
import pytest

from tests import engines
from tests.figures import Figures

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.browser import Watch

pytest_plugins = ["tests.audit.watching"]
ROOT = Path(__file__).resolve().parent.parent
DAY = "2026-11-23"
"""The Monday on which every test happens, unless it says another day."""
UNTIMED = [hypothesis.HealthCheck.too_slow]
MORNING = datetime.fromisoformat(f"{DAY}T09:00:00+07:00")
PATIENCE = 180
"""Seconds after which a program that does not answer counts as broken; no test measures them."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--results", metavar="FOLDER", help="write what the tests measured to files in this folder")
    parser.addoption("--figure", metavar="NAME", action="append", default=[], help="write this figure only")


FIGURES = pytest.StashKey[Figures]()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figures:
    """What this run measures; see tests/figures.py."""
    return request.config.stash[FIGURES]


def pytest_sessionfinish(session: pytest.Session) -> None:
    folder = session.config.getoption("--results")
    if folder:
        from tests.audit import watching

        watching.told(session.config, session.config.stash[FIGURES])
        session.config.stash[FIGURES].write(Path(folder), session.config.getoption("--figure"))


def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' files apart from any installation, and give this run a database name of its own; draw the same
    examples in every run, however slow the machine is."""
    from django.conf import settings
    from django.db import connections

    from gandan.config import keys
    from gandan.secrecy import vault

    steady = {"derandomize": True, "database": None, "deadline": None}
    hypothesis.settings.register_profile("steady", **steady, suppress_health_check=UNTIMED)
    hypothesis.settings.load_profile("steady")
    home = Path(tempfile.mkdtemp(prefix="gandan-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(home, ignore_errors=True))
    for name in ("static", "files"):
        (home / name).mkdir()
    settings.GANDAN_HOME = home
    settings.GANDAN_KEYS_FOLDER = home / "keys"
    settings.GANDAN_KEYS = keys.Keys(settings.GANDAN_KEYS_FOLDER)
    settings.SECRET_KEY = "of the tests alone"
    vault.place(vault.MASTER, b"of the tests".ljust(32))
    settings.GANDAN_SECOND_FACTOR = False  # asked for where a test switches it on
    settings.GANDAN_STRICT = True
    settings.STATIC_ROOT = home / "static"
    settings.MEDIA_ROOT = home / "files"
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    database = connections["default"].settings_dict
    if connections["default"].vendor == "postgresql":
        database["TEST"]["NAME"] = f"gandan_tests_{os.getpid()}"
    config.stash[FIGURES] = Figures(connections["default"].vendor)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about the other engine, mark what runs once, and put what needs the demo province last."""
    from django.db import connection

    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[connection.vendor]
    kept, left = [], []
    for item in items:
        if item.path.is_relative_to(ROOT / "tests/house") and not item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.agnostic)
        (left if item.get_closest_marker(other) else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
    items[:] = sorted(kept, key=lambda item: "demo_province" in getattr(item, "fixturenames", ()))


@pytest.fixture(autouse=True)
def move_to() -> Iterator[Callable[[datetime], None]]:
    """Fix the clock at nine in the morning of the tests' Monday; call with an instant to go elsewhere."""
    from gandan.access import clock

    with ExitStack() as told:

        def go(instant: datetime) -> None:
            told.enter_context(clock.at(instant))

        go(MORNING)
        yield go


@pytest.fixture(scope="session")
def demo_province(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The small demo province, built once: its tests come last, and what each changes is gone at its end."""
    from django.db import connection, transaction
    from django.test import override_settings

    from gandan.access import clock
    from gandan.demo import build

    with django_db_blocker.unblock(), clock.at(MORNING), override_settings(GANDAN_DEMO=True), transaction.atomic():
        build.province(scale="small", seed=99, progress=None)
        if connection.vendor == "postgresql":
            # Nobody else does so inside a transaction, and without it every plan is a guess.
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        yield
        transaction.set_rollback(True)


# The real server


@dataclass
class Live:
    """A running server and the installation that it serves."""

    url: str
    home: Path
    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `gandan` on the same installation; the caller looks at its exit code."""
        return gandan(*arguments, environment=self.environment)

    def address(self, path: str) -> str:
        return self.url + path

    def start(self) -> None:
        port = str(urlsplit(self.url).port)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*_GANDAN, "serve", "--demo", "--port", port],
                env=self.environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait()

    def _answers(self) -> bool:
        asked = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=10)
        try:
            asked.request("GET", "/")
            return bool(asked.getresponse().status)
        except OSError:
            return False
        finally:
            asked.close()

    def stop(self) -> None:
        """End the server and its workers: a session of their own, made by `start`."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _wait(self) -> None:
        assert self.process is not None
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            if self._answers():
                return
            time.sleep(0.1)
        said = self.log.read_text(errors="replace")[-4000:]
        self.stop()
        pytest.fail(f"the server did not start:\n{said}")


_GANDAN = (sys.executable, "-m", "gandan")


def gandan(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the command line as a person would, in an environment of its own."""
    return subprocess.run(
        [*_GANDAN, *arguments],
        env=environment,
        cwd=environment["GANDAN_HOME"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def installation(home: Path, database_url: str = "", **settings: str) -> dict[str, str]:
    """Return the environment of an installation in `home`: this machine's, without any setting of ours."""
    ours = ("GANDAN_", "DATABASE_URL", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    home.mkdir(parents=True, exist_ok=True)
    return kept | {
        "GANDAN_HOME": str(home),
        "GANDAN_DEMO": "1",
        "GANDAN_TODAY": DAY,
        "DATABASE_URL": database_url,
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONWARNINGS": "ignore",
        **settings,
    }


class Prepared:
    """The small demo province, built once a run; each server gets a copy."""

    def __init__(self, folder: Path, today: str = DAY) -> None:
        self.folder = folder
        self.today = today
        self.copies = 0
        self.database_url = os.environ.get("DATABASE_URL", "")
        self.home = folder / "prepared"
        self.template = f"gandan_prepared_{os.getpid()}_{''.join(filter(str.isdigit, today))}"
        self.made: list[str] = []

    def build(self) -> None:
        address = self._create(self.template) if self.database_url else ""
        made = gandan("demo", "--quiet", environment=installation(self.home, address, GANDAN_TODAY=self.today))
        if made.returncode:
            pytest.fail(f"the demo province could not be built:\n{made.stdout[-1000:]}{made.stderr[-4000:]}")

    def copy(self) -> Live:
        self.copies += 1
        home = self.folder / f"copy-{self.copies}"
        shutil.copytree(self.home, home)
        address = self._create(f"{self.template}_{self.copies}", self.template) if self.database_url else ""
        url = f"http://127.0.0.1:{engines.free_port()}"
        settings = installation(home, address, GANDAN_URL=url, GANDAN_TODAY=self.today)
        return Live(url, home, settings, home / "server.log")

    def drop(self, live: Live) -> None:
        shutil.rmtree(live.home, ignore_errors=True)
        if self.database_url:
            self._drop(urlsplit(live.environment["DATABASE_URL"]).path.lstrip("/"))

    def close(self) -> None:
        for name in list(self.made):
            self._drop(name)

    def _create(self, name: str, template: str = "template0") -> str:
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self.made.append(name)
        return urlunsplit(urlsplit(self.database_url)._replace(path=f"/{name}"))

    def _drop(self, name: str) -> None:
        self._administer(f'DROP DATABASE "{name}" WITH (FORCE)')
        self.made.remove(name)

    def _administer(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """The demo province on this run's engine, ready to be copied."""
    ready = Prepared(tmp_path_factory.mktemp("province"))
    try:
        ready.build()
        yield ready
    finally:
        ready.close()


@pytest.fixture
def live(prepared: Prepared) -> Iterator[Live]:
    """A real server over a copy of the demo province that belongs to this test alone."""
    server = prepared.copy()
    try:
        server.start()
        yield server
    finally:
        server.stop()
        prepared.drop(server)


@pytest.fixture(scope="session")
def live_reading(prepared: Prepared) -> Iterator[Live]:
    """A real server shared by the tests that only read."""
    server = prepared.copy()
    try:
        server.start()
        yield server
    finally:
        server.stop()
        prepared.drop(server)


# The browser


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """The machine's Chromium. Without one the journeys fail and say what to install."""
    from playwright.sync_api import sync_playwright

    from tests.browser import arriving, launch

    # Playwright keeps an event loop in this thread; Django would take our own queries for asynchronous ones.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright, arriving():
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def _no_kept_statements() -> Iterator[None]:
    """A test that changes what a rule says changes it for itself alone."""
    sql = sys.modules.get("gandan.access.sql")
    if sql:
        sql.forget()
    yield
    sql = sys.modules.get("gandan.access.sql")
    if sql:
        sql.forget()


@pytest.fixture
def watch() -> Iterator["Watch"]:
    """Collects what the pages of this test did wrong; fails the test at its end if they did."""
    from tests.browser import Watch

    seen = Watch()
    yield seen
    assert not seen.faults, "\n".join(seen.faults)


@pytest.fixture
def visitor(browser: "Browser", watch: "Watch") -> Iterator[Callable[..., "Page"]]:
    """Return a function that opens a new visitor's page: `visitor(width=360, scripts=False, language="en")`."""
    contexts: list[BrowserContext] = []

    def open_page(*, width: int = 1366, scripts: bool = True, language: str = "vi", **options: Any) -> "Page":
        context = browser.new_context(
            locale={"vi": "vi-VN", "en": "en-GB"}[language],
            timezone_id="Asia/Ho_Chi_Minh",
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
            **options,
        )
        contexts.append(context)
        watch.over(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(visitor: Callable[..., "Page"]) -> "Page":
    """One visitor at a laptop, reading Vietnamese."""
    return visitor()


@pytest.fixture
def cast(db: None) -> Any:
    """The permanent cast in this test's own database; see tests/cast.py."""
    from tests.cast import gather

    return gather()
