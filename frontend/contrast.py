"""WCAG contrast of every pair of tokens that stand on one another, in light and dark.

Run it for the list; `tests/ui` fails when a pair falls below what it needs.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

TOKENS = Path(__file__).parent / "styles/_tokens.scss"
TEXT, LARGE = 4.5, 3.0
"""Least ratio for text; for large words, borders of controls and drawings with a meaning (WCAG 1.4.3, 1.4.11)."""

PAIRS = [
    *[(ink, ground, TEXT) for ink in ("ink", "ink-2", "link", "link-hover") for ground in ("paper", "surface", "sand")],
    *[("visited", ground, TEXT) for ground in ("paper", "surface")],
    *[("brand", ground, TEXT) for ground in ("paper", "surface", "tint")],
    ("on-brand", "brand", TEXT),
    ("on-brand", "brand-hover", TEXT),
    ("on-deep", "deep", TEXT),
    ("on-deep-2", "deep", TEXT),
    *[(word, hill, LARGE) for word in ("on-deep",) for hill in ("hill-1", "hill-2", "hill-3")],
    ("on-rice", "rice", TEXT),
    ("on-rice", "rice-hover", TEXT),
    ("on-field", "field", TEXT),
    ("rice", "deep", LARGE),
    *[(tone, f"{tone}-tint", TEXT) for tone in ("clay", "ok", "soon", "late", "info", "idle")],
    *[(tone, "surface", TEXT) for tone in ("clay", "ok", "soon", "late", "info", "idle")],
    *[(tone, "paper", TEXT) for tone in ("ok", "soon", "late")],
    ("on-late", "late", TEXT),
    ("ink", "tint", TEXT),
    ("ink-2", "tint", TEXT),
    *[("edge", ground, LARGE) for ground in ("paper", "surface")],
    *[("ink", f"seq-{step}", TEXT) for step in (1, 2, 3)],
    *[(f"on-seq-{step}", f"seq-{step}", TEXT) for step in (4, 5)],
    ("bubble", "surface", LARGE),
    ("bubble", "paper", LARGE),
]


@dataclass(frozen=True, slots=True)
class Measured:
    """The contrast of one pair in one scheme, and what it needs."""

    scheme: str
    ink: str
    ground: str
    ratio: float
    needed: float

    @property
    def holds(self) -> bool:
        return self.ratio >= self.needed


def schemes(source: str) -> dict[str, dict[str, str]]:
    """Return the colours of both schemes, {"light": {name: "#rrggbb"}, "dark": {…}}."""
    lists = re.findall(r"^\$(light|dark): \((.*?)\n\);", source, re.DOTALL | re.MULTILINE)
    return {name: dict(re.findall(r'"([\w-]+)": (#[0-9a-f]{6})', body)) for name, body in lists}


def luminance(colour: str) -> float:
    """Return the relative luminance of "#rrggbb" (WCAG 2.2, definition of relative luminance)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def measure(source: str) -> list[Measured]:
    """Measure all pairs in both schemes."""
    return [
        Measured(name, ink, ground, contrast(colours[ink], colours[ground]), needed)
        for name, colours in schemes(source).items()
        for ink, ground, needed in PAIRS
    ]


def main() -> int:
    measured = measure(TOKENS.read_text())
    for pair in measured:
        verdict = "" if pair.holds else f"  below {pair.needed}"
        print(f"{pair.scheme:5} {pair.ink:12} on {pair.ground:12} {pair.ratio:5.2f}{verdict}")
    return 0 if all(pair.holds for pair in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
