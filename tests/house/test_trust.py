"""The page of figures says what the files of results say, and calls nothing good that was not seen to fail."""

import json
import subprocess
import sys

import pytest

from benchmarks import verdicts
from tests.figures import Figures
from tests.trust import page, reading, rows
from tests.trust.rows import Row, Source

EVERY = (*rows.ROWS, *rows.SPEED)


def test_the_page_is_as_the_results_say():
    done = subprocess.run([sys.executable, "script/trust", "--check"], cwd=reading.ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_of_results_belongs_to_a_row_and_names_its_command():
    expected = {reading.path_of(source): source for row in EVERY for source in row.sources}
    for path in sorted(reading.RESULTS.rglob("*.json")):
        source = expected.pop(path, None)
        assert source is not None, f"no row reads {path.relative_to(reading.ROOT)}"
        said = json.loads(path.read_text(encoding="utf-8"))
        assert said.get("command", source.command) == source.command, path.name


def test_every_benchmark_of_a_row_has_its_verdict():
    assert {source.verdict for row in EVERY for source in row.sources} - {""} == set(verdicts.READ)


def told(folder, *, kept=True, noticed=True, planted=True):
    """Return the result of a row of one figure."""
    figures = Figures()
    figures(4, "walker", title="Leaks", target="none", command="c", figures={"leaks": int(not kept)}, kept=kept)
    if planted:
        figures.control("walker", "a planted leak", noticed=noticed)
    figures.write(folder)
    return reading.result(Row("4", "Access", "No leaks.", (Source("walker", "c"),)), folder)


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        ({}, "met"),
        ({"kept": False}, "falls short"),
        ({"noticed": False}, "falls short"),
        ({"planted": False}, "falls short"),
    ],
)
def test_only_what_is_kept_and_was_seen_to_fail_is_met(tmp_path, how, verdict):
    found = told(tmp_path, **how)
    assert found.verdict == verdict
    text = "\n".join(page.section(found))
    assert ("Why it falls short" in text) == (verdict != "met")
    assert ("nothing shows that the check" in text) == (how in ({"noticed": False}, {"planted": False}))


def test_a_row_without_its_file_is_not_measured(tmp_path):
    row = Row("4", "Access", "No leaks.", (Source("walker", "c"),))
    assert reading.result(row, tmp_path).verdict == "not measured"
    more = Row("4", "Access", "No leaks.", (Source("walker", "c"), Source("walker-postgresql", "c")))
    told(tmp_path)
    assert reading.result(more, tmp_path).verdict == "not measured", "one of two engines is not enough"
    assert "not measured" in "\n".join(page.section(reading.result(more, tmp_path)))


def test_a_page_without_any_results_promises_nothing(tmp_path):
    text = page.write(tmp_path)
    assert "**0 met, 0 fall short" in text
    assert all(each.row.title in text for each in map(reading.result, EVERY))


def test_a_speed_without_a_slower_way_beside_it_is_not_met(tmp_path):
    source = Source("speed/restate", "c", "restate", "Restating")
    results = {"best": {"ours": 0.2, "joined": 0.1}, "rows": 10_035, "same": 9}
    path = reading.path_of(source, tmp_path)
    path.parent.mkdir()
    for noticed, verdict in ((None, "falls short"), (False, "falls short"), (True, "met")):
        path.write_text(json.dumps({"commit": "abc", "results": results | {"noticed": noticed}}))
        assert reading.result(Row("restate", "R", "p", (source,)), tmp_path).verdict == verdict


def test_the_risks_are_those_of_the_security_page(tmp_path):
    assert len(page.risks(page.SECURITY)) > 6
    gone = tmp_path / "SECURITY.md"
    gone.write_text("# Security\n")
    with pytest.raises(ValueError, match="what remains possible"):
        page.risks(gone)


def test_every_link_of_the_page_leads_to_a_heading():
    text = page.write()
    headings = {page.re.sub(r"[^\w -]", "", line[4:].lower()).replace(" ", "-")
                for line in text.splitlines() if line.startswith("### ")}  # fmt: skip
    assert {page.anchor(row) for row in EVERY} == headings
