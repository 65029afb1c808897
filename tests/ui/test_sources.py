"""Nothing inline, nothing from elsewhere, nothing heavy: what the front end is made of and what it weighs."""

import hashlib
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import brotli
import pytest
from django.test import Client

pytestmark = pytest.mark.agnostic
ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
TEMPLATES = sorted(ROOT.glob("src/gandan/*/templates/**/*.html"))
# A block of JSON is data: no browser runs it, and the content policy lets it stand.
INLINE = re.compile(
    r"<style|<script(?![^>]*\b(?:src=|type=\"application/json\"))|\sstyle=|\son[a-z]+=[\"']|javascript:|\shx-on|hx-vals=[\"']js:|\ssrcdoc=",
    re.IGNORECASE,
)
ELSEWHERE = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "src/gandan")))
def test_no_template_holds_style_or_script_or_loads_from_elsewhere(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert INLINE.findall(source) == []
    assert ELSEWHERE.findall(source) == []


@pytest.mark.parametrize("bad", ['<p style="x">', "<script>1</script>", '<a onclick="x()">', '<b hx-on:click="x">'])
def test_what_is_inline_is_found(bad: str) -> None:
    assert INLINE.search(bad)


def test_templates_of_the_design_system_name_no_route() -> None:
    for path in TEMPLATES:
        if "gandan/ui/" in path.as_posix():
            assert "{% url" not in path.read_text(encoding="utf-8"), path.name


def test_the_lock_file_holds_digests_and_no_addresses() -> None:
    text = (FRONTEND / "package-lock.json").read_text()
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert [name for name, package in packages.items() if name and not package.get("integrity")] == []


def test_packages_are_pinned_exactly() -> None:
    package = json.loads((FRONTEND / "package.json").read_text())
    pinned = package["dependencies"] | package["devDependencies"]
    assert [name for name, version in pinned.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def weigh(*paths: Path) -> int:
    """Return the bytes sent for files: fonts as they are, everything else with brotli."""
    return sum(
        len(path.read_bytes()) if path.suffix == ".woff2" else len(brotli.compress(path.read_bytes())) for path in paths
    )


def loaded(page: bytes, static_files: Path) -> list[Path]:
    """Return the files of ours that a page loads, the fonts of its style sheet included."""
    names = set(re.findall(rb"/static/ui/([\w./-]+)", page))
    return [static_files / name.decode() for name in names] + sorted((static_files / "fonts").glob("*-[47]00.woff2"))


@pytest.mark.parametrize(
    ("path", "limit"), [("/gallery/home/", 60_000), ("/gallery/form/", 60_000), ("/gallery/desk/", 75_000)]
)
def test_a_first_visit_stays_light(static_files: Path, path: str, limit: int) -> None:
    page = Client().get(path).content
    files = set(loaded(page, static_files))
    assert len(files) >= 8
    assert weigh(*files) + len(brotli.compress(page)) < limit


def test_fonts_hold_all_vietnamese_letters(static_files: Path) -> None:
    from fontTools.ttLib import TTFont

    tones = "aàáảãạăằắẳẵặâầấẩẫậeèéẻẽẹêềếểễệiìíỉĩịoòóỏõọôồốổỗộơờớởỡợuùúủũụưừứửữựyỳýỷỹỵđ"
    needed = set(tones + tones.upper() + "₫–—“”‘’…·−≤≥ 0123456789")
    for weight in (400, 700):
        with TTFont(static_files / f"fonts/be-vietnam-pro-{weight}.woff2") as font:
            assert needed <= {chr(code) for code in font.getBestCmap()}
        with TTFont(static_files / f"fonts/gan-dan-num-{weight}.woff2") as font:
            names = font.getBestCmap()
            assert {font["hmtx"][names[ord(digit)]][0] for digit in "0123456789"} == {660}


def test_what_is_shipped_brings_its_licences(static_files: Path) -> None:
    assert "SIL OPEN FONT LICENSE" in (static_files / "fonts/OFL.txt").read_text()
    assert "Permission is hereby granted" in (static_files / "licences/govuk-frontend.txt").read_text()
    assert (static_files / "licences/htmx.txt").stat().st_size > 300


def test_no_file_refers_to_one_that_is_not_there(static_files: Path) -> None:
    for path in static_files.rglob("*.css"):
        for name in re.findall(r"url\([\"']?(?!data:)([^\"')]+)", path.read_text()):
            assert (path.parent / name).exists(), name
    for path in static_files.rglob("*.js"):
        assert "sourceMappingURL" not in path.read_text(encoding="utf-8")


def test_building_again_changes_nothing(static_files: Path) -> None:
    def state() -> dict[str, Any]:
        files = sorted(path for path in static_files.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}

    before = state()
    done = subprocess.run([ROOT / "script/build"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert state() == before


def test_a_missing_package_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    build = load_build()
    monkeypatch.setattr(build, "STATIC", tmp_path)
    monkeypatch.setattr(build, "OUT", tmp_path / "ui")
    monkeypatch.setattr(build, "STAMP", tmp_path / ".built")
    monkeypatch.setattr(build, "NEEDED", {"a_package_that_nobody_has": "a-package"})
    assert build.main() == 2
    assert "a-package. Run script/setup" in capsys.readouterr().err
    assert not (tmp_path / "ui").exists()


def test_what_is_built_depends_on_every_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    build = load_build()
    monkeypatch.setattr(build, "HERE", tmp_path)
    (tmp_path / "a.scss").write_text("a")
    first = build.inputs()
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/b").write_text("b")
    assert build.inputs() == first
    (tmp_path / "a.scss").write_text("b")
    assert build.inputs() != first


def load_build() -> Any:
    import importlib.util

    spec = importlib.util.spec_from_file_location("gandan_build", FRONTEND / "build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
