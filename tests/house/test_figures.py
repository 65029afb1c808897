"""A figure is written whole, and counts as met only where its check was seen to fail."""

import json

from tests.figures import Figures


def said(figures, folder):
    return {path.stem: json.loads(path.read_text()) for path in figures.write(folder)}


def test_a_figure_is_met_when_it_is_kept_and_its_control_was_noticed(tmp_path):
    figures = Figures("sqlite")
    for name, kept in (("good", True), ("alone", True), ("blind", True), ("broken", False)):
        figures(4, name, title="t", target="0", command="c", figures={"leaks": 0}, kept=kept)
    for name, noticed in (("good", True), ("blind", True), ("blind", False), ("broken", True)):
        figures.control(name, "a planted leak", noticed=noticed)
    found = said(figures, tmp_path / "results")
    assert {name: each["met"] for name, each in found.items()} == {
        "good": True, "alone": False, "blind": False, "broken": False,
    }  # fmt: skip
    assert found["good"]["row"] == 4 and found["good"]["figures"] == {"leaks": 0}
    assert found["good"]["controls"] == [{"what": "a planted leak", "noticed": True}]
    assert found["good"]["circumstances"]["cores"] and "/" not in found["good"]["circumstances"]["commit"]


def test_each_engine_has_a_file_of_its_own(tmp_path):
    for engine in ("sqlite", "postgresql"):
        figures = Figures(engine)
        figures(13, "completeness", title="t", target="0", command="c")
        figures.write(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["completeness-postgresql.json", "completeness.json"]
