"""Every pair of colours that stand on one another can be read, in light and in dark."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.agnostic
FRONTEND = Path(__file__).resolve().parents[2] / "frontend"


@pytest.fixture(scope="module")
def contrast() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gandan_contrast", FRONTEND / "contrast.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_no_pair_falls_below_what_it_needs(contrast: ModuleType) -> None:
    measured = contrast.measure((FRONTEND / "styles/_tokens.scss").read_text())
    assert {pair.scheme for pair in measured} == {"light", "dark"}
    assert [f"{pair.scheme}: {pair.ink} on {pair.ground} {pair.ratio:.2f}" for pair in measured if not pair.holds] == []


def test_the_measure_agrees_with_known_pairs(contrast: ModuleType) -> None:
    assert contrast.contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast.contrast("#1c2b2a", "#faf6ef") == pytest.approx(13.65, abs=0.01)


def test_a_pair_that_cannot_be_read_is_found(contrast: ModuleType) -> None:
    source = (FRONTEND / "styles/_tokens.scss").read_text().replace('"ink-2": #4b5856', '"ink-2": #b4c1bc')
    assert any(not pair.holds and pair.ink == "ink-2" for pair in contrast.measure(source))


def test_both_schemes_name_the_same_tokens(contrast: ModuleType) -> None:
    light, dark = contrast.schemes((FRONTEND / "styles/_tokens.scss").read_text()).values()
    assert light.keys() == dark.keys()


def test_components_take_their_colours_from_tokens_only() -> None:
    for path in (FRONTEND / "styles").glob("*.scss"):
        if path.name in ("_tokens.scss", "_print.scss"):
            continue
        source = re.sub(r"//.*|print-text: #000000", "", path.read_text())
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)", source) == [], path.name


def test_every_token_that_is_used_exists(contrast: ModuleType) -> None:
    tokens = contrast.schemes((FRONTEND / "styles/_tokens.scss").read_text())["light"].keys()
    others = {"shadow", "lifted", "radius", "radius-s", "font", "font-num"}
    for path in [*(FRONTEND / "styles").glob("*.scss"), *(FRONTEND.parent / "src/gandan").rglob("templates/**/*.html")]:
        assert set(re.findall(r"var\(--gd-([\w-]+)", path.read_text())) <= tokens | others, path.name
