"""Cut Be Vietnam Pro down to what Vietnamese and English need, and derive digits of one width from it.

The family has no tabular figures: its 1 is 385 units wide, its 4 710. "Gan Dan Num" holds the ten digits, each
660 units wide; the style sheet takes them for columns of figures.
"""

from pathlib import Path

from fontTools import subset
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl"]
LETTERS = (
    "20-7E,A0,A7,A9,AB,AE,B0-B3,B7,BB,C0-C3,C8-CA,CC-CD,D2-D5,D7,D9-DA,DD,E0-E3,E8-EA,EC-ED,F2-F5,F7,F9-FA,FD,"
    "102-103,110-111,128-129,168-169,1A0-1A1,1AF-1B0,300-301,303,309,323,1EA0-1EF9,20AB,2013-2014,2018-201D,2022,"
    "2026,2212,2264-2265"
)
DIGITS = "0123456789"
DIGIT_WIDTH = 660
WEIGHTS = {400: "400Regular/BeVietnamPro_400Regular.ttf", 700: "700Bold/BeVietnamPro_700Bold.ttf"}


def build(package: Path, out: Path) -> list[Path]:
    """Write the four fonts of the pages into `out` from the npm package; return their paths."""
    written = []
    for weight, name in WEIGHTS.items():
        source = package / name
        written.append(
            _cut(TTFont(source, recalcTimestamp=False), LETTERS, FEATURES, out / f"be-vietnam-pro-{weight}.woff2")
        )
        written.append(
            _cut(_even_digits(TTFont(source, recalcTimestamp=False)), "30-39", [], out / f"gan-dan-num-{weight}.woff2")
        )
    return written


def _cut(font: TTFont, letters: str, features: list[str], path: Path) -> Path:
    options = subset.Options()
    options.layout_features = features
    options.hinting = False
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=subset.parse_unicodes(letters))
    cutter.subset(font)
    font.flavor = "woff2"
    font.save(path)
    return path


def _even_digits(font: TTFont) -> TTFont:
    names, glyphs = font.getBestCmap(), font.getGlyphSet()
    for digit in DIGITS:
        name = names[ord(digit)]
        advance, _ = font["hmtx"][name]
        squeeze, shift = min(1, DIGIT_WIDTH / advance), max(0, (DIGIT_WIDTH - advance) / 2)
        pen = TTGlyphPen(glyphs)
        glyphs[name].draw(TransformPen(pen, (squeeze, 0, 0, 1, shift, 0)))
        drawn = pen.glyph()
        font["glyf"][name] = drawn
        drawn.recalcBounds(font["glyf"])
        font["hmtx"][name] = (DIGIT_WIDTH, drawn.xMin)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6, 16):
            renamed = record.toUnicode().replace("Be Vietnam Pro", "Gan Dan Num").replace("BeVietnamPro", "GanDanNum")
            record.string = renamed
    return font
