"""script/test tells the truth: what failed, what was skipped, what never ran."""

import sys
from itertools import combinations

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


def test_two_steps_run_beside_each_other_and_each_is_taken_once(capsys, tmp_path):
    waits = f"import pathlib, time; f = pathlib.Path({str(tmp_path / 'told')!r})\nwhile not f.exists(): time.sleep(.05)"
    tells = f"import pathlib; pathlib.Path({str(tmp_path / 'told')!r}).touch(); print('two speaks')"
    planned = [Step(name, (sys.executable, "-c", code)) for name, code in (("one", waits), ("two", tells))]
    planned.append(Step("three", (sys.executable, "-c", "print('three speaks')")))
    suite.Runner(str(tmp_path)).run(planned)
    assert [step.fault for step in planned] == ["", "", ""]
    said = capsys.readouterr().out
    assert [said.count(f"✓ {name} ") for name in ("one", "two", "three")] == [1, 1, 1]
    assert said.index("two speaks") < said.index("✓ one "), "the first waited for the second"


def test_the_rest_goes_on_after_a_fault(capsys, tmp_path):
    planned = [Step("bad", (sys.executable, "-c", "raise SystemExit(3)"))]
    planned += [Step(f"next {number}", (sys.executable, "-c", "")) for number in range(3)]
    suite.Runner(str(tmp_path)).run(planned)
    assert [step.fault for step in planned] == ["exit code 3", "", "", ""]


MARKS = ("agnostic", "journey", "loop", "long")


@pytest.mark.parametrize("marks", [set(chosen) for size in range(5) for chosen in combinations(MARKS, size)], ids=str)
def test_every_test_belongs_to_exactly_one_run_on_each_engine(marks):
    def runs(database_url: str, **options: bool) -> int:
        asked = [step for step in suite.steps(postgresql="x", **options) if step.tests]
        names = {name: name in marks for name in MARKS}
        return sum(eval(step.command[-1], names) for step in asked if step.database_url == database_url)  # noqa: S307 - our own words

    assert runs("", fast=False, long=True) == 1
    assert runs("", fast=False, long=False) == ("long" not in marks)
    assert runs("", fast=True, long=False) == (not marks & {"long", "journey"})
    assert runs("x", fast=True, long=False) == 0
    if marks.isdisjoint({"agnostic", "journey", "loop"}) or marks - {"long"} == {"journey", "loop"}:
        assert runs("x", fast=False, long=True) == 1
        assert runs("x", fast=False, long=False) == ("long" not in marks)


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
