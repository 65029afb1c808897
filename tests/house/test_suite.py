"""script/test tells the truth: what failed, what was skipped, what never ran."""

import sys

import pytest

from tests import engines, suite
from tests.suite import Step


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("12 passed in 3.21s", {"passed": 12}),
        ("= 1 failed, 2 passed, 3 deselected in 75.20s (0:01:15) =", {"failed": 1, "passed": 2, "deselected": 3}),
        ("2 passed, 1 skipped, 4 errors in 0.10s", {"passed": 2, "skipped": 1, "error": 4}),
    ],
)
def test_the_closing_line_is_read(line, counts):
    closing, found = suite.closing_line(f"something 7 passed earlier\n{line}\nafterwords\n")
    assert found == counts and closing == line.strip("= ")


def test_words_that_only_look_like_a_closing_line_are_not_read():
    assert suite.closing_line("we saw 3 passed\nand went home in 2s\n") == ("", {})


@pytest.mark.parametrize(
    ("code", "counts", "fault"),
    [
        (0, {"passed": 3}, ""),
        (0, {"passed": 3, "deselected": 9}, ""),
        (0, {"passed": 3, "skipped": 1}, "1 tests were skipped"),
        (0, {"passed": 3, "xfailed": 1}, "1 tests were skipped"),
        (0, {}, "no test was run"),
        (5, {}, "no test was found"),
        (1, {"passed": 3, "failed": 1}, "exit code 1"),
        (None, {}, "not run"),
    ],
)
def test_what_did_not_run_is_a_fault(code, counts, fault):
    assert Step("tests", ("true",), tests=True, code=code, counts=counts).fault == fault


def test_the_report_closes_with_plain_counts(capsys):
    good = Step("tests", ("x",), tests=True, code=0, counts={"passed": 7}, closing="7 passed in 1.00s")
    broken = Step("lint", ("x",), code=1)
    assert suite.report([good, broken], 60) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "7 passed, 1 failed"
    assert suite.report([good], 60) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "7 passed, 0 failed"


def test_lanes_run_beside_each_other_and_keep_their_order(capsys, tmp_path):
    def say(name: str) -> Step:
        return Step(name, (sys.executable, "-c", f"print('{name} speaks')"))

    planned = [[say("one"), say("two")], [say("three")]]
    suite.Runner(str(tmp_path)).run(planned)
    said = capsys.readouterr().out
    assert all(step.code == 0 for lane in planned for step in lane)
    assert said.index("one speaks") < said.index("two speaks")


def test_a_lane_goes_on_after_a_fault(capsys, tmp_path):
    planned = [[Step("bad", (sys.executable, "-c", "raise SystemExit(3)")), Step("next", (sys.executable, "-c", ""))]]
    suite.Runner(str(tmp_path)).run(planned)
    assert [step.fault for step in planned[0]] == ["exit code 3", ""]


def test_every_test_belongs_to_exactly_one_run_on_sqlite():
    names = {step.name for lane in suite.lanes(fast=False, long=True, postgresql="x") for step in lane}
    assert {"tests on SQLite", "journeys on SQLite", "long tests on SQLite"} <= names
    assert {"tests on PostgreSQL", "loop on PostgreSQL", "long tests on PostgreSQL"} <= names
    fast = [step for lane in suite.lanes(fast=True, long=False, postgresql="") for step in lane]
    assert not any("journey" in step.name or step.database_url for step in fast)


def test_a_missing_part_says_what_to_install(monkeypatch):
    monkeypatch.setattr(engines.shutil, "which", lambda name: None)
    monkeypatch.setattr(engines, "_BROWSERS_ON_MACOS", ())
    monkeypatch.setattr(engines, "_POSTGRESQL_FOLDERS", ())
    monkeypatch.delenv("CHROMIUM", raising=False)
    for find, name in ((engines.browser, "chromium"), (engines.postgresql_programs, "postgresql")):
        with pytest.raises(engines.MissingPart, match=name):
            find()


def test_nothing_is_installed_without_being_root(monkeypatch):
    monkeypatch.setattr(engines, "_may_install", lambda: False)
    monkeypatch.setattr(engines, "browser", _missing)
    with pytest.raises(engines.MissingPart, match="not here"):
        engines.ensure()


def _missing() -> None:
    raise engines.MissingPart("it is not here")
