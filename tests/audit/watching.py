"""A plug-in for the whole suite: no act of ours may change a watched table without an entry in its transaction.

An act is the outermost transaction that our own code opens, or a single write outside one. What a test itself writes
to prepare its world is no act. A test during which an act left no entry fails at its end, unless it is marked
`unrecorded("reason")`. How many acts a run watched becomes a figure where the run holds the control, the planted act
of `test_completeness`.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.figures import Figures

ROOT = Path(__file__).resolve().parents[2]
OURS, TESTS = f"{ROOT / 'src/gandan'}/", f"{ROOT / 'tests'}/"
UNWATCHED_PLACES = re.compile(r"/src/gandan/(?:demo/|[a-z_]+/migrations/)")
"""The demo writes years of history at once and its record at the end of each part; migrations are no acts."""
SEEN_THROUGH = re.compile(
    r"/src/gandan/(?:access/|accounts/models\.py|config/sqlite/|audit/completeness\.py|obligations/ledger\.py"
    r"|[a-z_]+/succession\.py)"
)
"""Managers, the engine, the book of an obligation's events, and what carries rows through a reorganisation: whoever
calls them is acting, and opens the transaction."""
_WRITE = re.compile(r"\s*(?:insert|update|delete|truncate|copy)\b", re.IGNORECASE)


class Watch:
    """What the acts during one test left unrecorded."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.acting = False
        self.acts = 0
        self.places: set[str] = set()

    @contextmanager
    def act(self, connection: Any) -> Iterator[None]:
        """Hold the counts before an act against those after it."""
        from gandan.audit import completeness

        if self.acting or connection.needs_rollback:
            yield
            return
        place, before = whose(), completeness.counts()
        self.acting = True
        try:
            yield
        finally:
            self.acting = False
        if connection.connection is None or connection.needs_rollback:
            return
        self.acts += 1
        left = completeness.unrecorded(before, completeness.counts())
        if left:
            self.faults.append(f"{place} changed {', '.join(left)} without an entry in the record")
        self.places.add(place)


@dataclass
class Seen:
    """What all the tests of a run came to."""

    tests: int = 0
    acts: int = 0
    places: set[str] = field(default_factory=set)
    """The lines of ours that acted."""
    faults: list[str] = field(default_factory=list)


ROOMS = ("accounts", "api", "audit", "cases", "obligations", "portal", "secrecy", "staffing", "units")
"""Where most acts are tried; the whole suite is watched all the same."""
SEEN = pytest.StashKey[Seen]()


def whose() -> str:
    """Return the line of ours that is acting; "" when the nearest one is a test's, or there is none."""
    frame, found = sys._getframe(1), ""
    while frame is not None:
        name = frame.f_code.co_filename
        if UNWATCHED_PLACES.search(name):
            return ""
        if found:
            frame = frame.f_back
            continue
        if name.startswith(OURS) and not SEEN_THROUGH.search(name):
            found = f"{name.removeprefix(str(ROOT))[1:]}:{frame.f_lineno}"
        if name.startswith(TESTS) and name != __file__:
            return ""
        if frame.f_code.co_name == "inner" and "func" in frame.f_locals and name.endswith("contextlib.py"):
            # An atomic function: who called it does not matter.
            code = getattr(frame.f_locals["func"], "__code__", None)
            if code is not None and code.co_filename.startswith(OURS):
                found = f"{code.co_filename.removeprefix(str(ROOT))[1:]}:{code.co_firstlineno}"
        frame = frame.f_back
    return found


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "unrecorded(reason): this test's acts are meant to leave no entry")
    config.stash[SEEN] = Seen()
    from django.db.models.signals import post_migrate

    post_migrate.connect(_switch_on, dispatch_uid="tests.audit.watching")


def told(config: pytest.Config, figure: Figures) -> None:
    """Say what the run watched, if it also showed that the watch notices."""
    if "completeness" not in figure.controls:
        return
    seen = config.stash[SEEN]
    figure(
        13,
        "completeness",
        title="Acts that changed a watched table without an entry in the record",
        target="none in the acts of the tests of every room, 500 tests at least",
        command=f"python -m pytest {' '.join(f'tests/{room}' for room in ROOMS)} -m 'not journey and not long' "
        "--figure completeness --results benchmarks/results/audit",
        figures={
            "tests watched": seen.tests,
            "acts": seen.acts,
            "places that act": len(seen.places),
            "without an entry": len(seen.faults),
            "first": seen.faults[:20],
        },
        kept=not seen.faults and seen.tests >= 500,
    )


def _switch_on(sender: Any, using: str = "default", **_: Any) -> None:
    from django.apps import apps

    from gandan.audit import completeness

    if sender.label == list(apps.get_app_configs())[-1].label:
        completeness.install(using)


@pytest.fixture(autouse=True)
def watched_acts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Watch the acts of this test."""
    watch = Watch()
    if not {"db", "transactional_db"} & set(request.fixturenames) and not request.node.get_closest_marker("django_db"):
        yield watch
        return
    _listen(watch, monkeypatch)
    yield watch
    seen = request.config.stash[SEEN]
    seen.tests += 1
    seen.acts += watch.acts
    seen.places |= watch.places
    if watch.faults and not request.node.get_closest_marker("unrecorded"):
        seen.faults += watch.faults
    if watch.faults and not request.node.get_closest_marker("unrecorded"):
        pytest.fail("\n".join(dict.fromkeys(watch.faults)))


def _listen(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection
    from django.db.backends.utils import CursorWrapper
    from django.db.transaction import Atomic

    entering, leaving, executing = Atomic.__enter__, Atomic.__exit__, CursorWrapper._execute_with_wrappers

    def enter(self: Any) -> Any:
        self._act = None
        if self.using in (None, "default") and not watch.acting and connection.connection is not None and whose():
            self._act = watch.act(connection)
            self._act.__enter__()
        return entering(self)

    def leave(self: Any, *error: Any) -> Any:
        try:
            return leaving(self, *error)
        finally:
            act, self._act = getattr(self, "_act", None), None
            if act is not None:
                act.__exit__(None, None, None)

    def execute(self: Any, sql: Any, params: Any, many: Any, executor: Any) -> Any:
        alone = not watch.acting and self.db.alias == "default" and _WRITE.match(str(sql)) and whose()
        if not alone:
            return executing(self, sql, params, many, executor)
        with watch.act(connection):
            return executing(self, sql, params, many, executor)

    monkeypatch.setattr(Atomic, "__enter__", enter)
    monkeypatch.setattr(Atomic, "__exit__", leave)
    monkeypatch.setattr(CursorWrapper, "_execute_with_wrappers", execute)
