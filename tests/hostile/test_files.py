"""Files that want to do harm: refused with a sentence, or taken and harmless; the server feels nothing."""

import base64
import csv
import io
import re
import zlib
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from gandan.access import Refused
from gandan.cases import cleaning, files, uploads
from tests.hostile import corpus, trial

pytestmark = pytest.mark.agnostic

MUTANTS = {"upload": 2500, "table": 1000, "terms": 500, "procedures": 500}
MANY_MUTANTS = {"upload": 55_000, "table": 25_000, "terms": 10_000, "procedures": 10_000}
CONTROLS = [("breaks", "KeyError"), ("hangs", "SIG"), ("eats", "MiB"), ("dies", "SIGSEGV")]
CLASSICS = [("table", corpus.CSV), ("terms", corpus.YAML), ("procedures", corpus.YAML)]
REFUSED = {
    "nothing", "one byte", "a page", "svg with script", "xml that reads files", "xml that multiplies",
    "sheet that reads files", "zip bomb", "zip in a zip", "zip with paths", "program", "elf", "gif and jar",
    "page and pdf", "png bomb", "pdf in a circle", "pdf of many pages", "locked pdf", "tiff", "bmp",
}  # fmt: skip
MARKS = (b"CANARY", b"<script", b"<?php", b"PK\x03\x04", b"JavaScript", b"Launch", b"alert", corpus.POSITION)


def kept(name, data, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    found = uploads.receive(SimpleUploadedFile(name, data))
    assert not any(path.is_file() for path in tmp_path.rglob("*")), "in memory until it is laid down with its matter"
    return found, found.content


@pytest.mark.parametrize("name", sorted(corpus.hostile()))
def test_a_hostile_file_is_refused_or_made_harmless(name, tmp_path, settings):
    data = corpus.hostile()[name]
    if name in REFUSED:
        with pytest.raises(Refused, match="."):
            kept("x.jpg", data, tmp_path, settings)
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
        return
    try:
        found, content = kept("x.jpg", data, tmp_path, settings)
    except Refused as refusal:
        assert str(refusal).strip()
        return
    assert found.media_type in ("image/jpeg", "image/png", "image/webp", "application/pdf")
    assert [mark for mark in MARKS if mark in content] == []


def test_every_refusal_of_the_list_is_in_the_corpus():
    assert set(corpus.hostile()) >= REFUSED and len(corpus.hostile()) >= 38


def test_a_pdf_keeps_what_is_seen_and_loses_what_acts():
    import pikepdf

    kind, content = cleaning.clean(corpus.pdf_with_everything())
    assert kind == "application/pdf"
    with pikepdf.open(BytesIO(content)) as document:
        whole = b"".join(
            (each.read_bytes() if each.get("/Filter") != pikepdf.Name.DCTDecode else each.read_raw_bytes())
            if isinstance(each, pikepdf.Stream)
            else each.unparse(resolved=True)
            for each in document.objects
        )
        assert len(document.pages) == 1
    # What was typed into its form is drawn onto the page.
    assert b"FILLED" in whole
    for mark in (b"JavaScript", b"/Launch", b"CANARY", corpus.POSITION, b"/AcroForm", b"/AA", b"/Annots"):
        assert mark not in whole, mark


def _packed(photo: bytes, filters: list[str]) -> bytes:
    return {
        ("/FlateDecode",): zlib.compress,
        ("/ASCII85Decode",): lambda data: base64.a85encode(data) + b"~>",
        ("/ASCII85Decode", "/FlateDecode"): lambda data: base64.a85encode(zlib.compress(data)) + b"~>",
        (): lambda data: data,
    }[tuple(filters)](photo)


@pytest.mark.parametrize(
    "packing", [[], ["/FlateDecode"], ["/ASCII85Decode"], ["/ASCII85Decode", "/FlateDecode"]], ids=str
)
@pytest.mark.parametrize("camera", ["/DCTDecode", "/JPXDecode"])
def test_a_photo_in_a_pdf_tells_no_place_however_it_is_packed(camera, packing):
    import pikepdf
    from PIL import Image

    photo = corpus.photo_with_position() if camera == "/DCTDecode" else corpus.jpeg2000_with_position()
    assert photo.count(b"Lai Chau") + photo.count(b"CANARY") >= 3
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(100, 100))
    drawn = pikepdf.Stream(document, b"")
    drawn.write(_packed(photo, packing), filter=pikepdf.Array([pikepdf.Name(each) for each in [*packing, camera]]))
    drawn["/Type"], drawn["/Subtype"] = pikepdf.Name.XObject, pikepdf.Name.Image
    drawn["/Width"], drawn["/Height"], drawn["/BitsPerComponent"] = 40, 20, 8
    drawn["/ColorSpace"], drawn["/CANARY"] = pikepdf.Name.DeviceRGB, pikepdf.String("CANARY")
    page.obj["/Resources"] = pikepdf.Dictionary(XObject=pikepdf.Dictionary(P=document.make_indirect(drawn)))
    page.obj["/Contents"] = pikepdf.Stream(document, b"q 100 0 0 100 0 0 cm /P Do Q")
    before = BytesIO()
    document.save(before, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    _kind, content = cleaning.clean(before.getvalue())
    with pikepdf.open(BytesIO(content)) as after:
        kept = after.pages[0].obj.Resources.XObject.P
        told = kept.read_raw_bytes()
        assert b"Lai Chau" not in told and b"CANARY" not in told and "/CANARY" not in kept
        with Image.open(BytesIO(told)) as picture:
            picture.load()
            assert picture.size == (40, 20) and not picture.getexif()


def test_a_page_keeps_no_place_on_a_map_no_private_words_and_no_names_of_layers():
    import pikepdf

    document = pikepdf.new()
    page = document.add_blank_page(page_size=(100, 100))
    page.obj["/VP"] = pikepdf.Array(
        [pikepdf.Dictionary(Measure=pikepdf.Dictionary(GPTS=pikepdf.Array([22.39, 103.47])))]
    )
    page.obj["/Shop"] = pikepdf.String("CANARY")
    maker = pikepdf.Dictionary(CreatorInfo=pikepdf.Dictionary(Creator=pikepdf.String("CANARY")))
    layer = pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name=pikepdf.String("CANARY"), Usage=maker)
    page.obj["/Resources"] = pikepdf.Dictionary(Properties=pikepdf.Dictionary(L=document.make_indirect(layer)))
    page.obj["/Contents"] = pikepdf.Stream(document, b"/OC /L BDC EMC")
    before = BytesIO()
    document.save(before)
    _kind, content = cleaning.clean(before.getvalue())
    with pikepdf.open(BytesIO(content)) as after:
        whole = b"".join(each.unparse(resolved=True) for each in after.objects if not isinstance(each, pikepdf.Stream))
    assert b"CANARY" not in whole and b"22.39" not in whole and b"/VP" not in whole


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_tells_no_place_and_still_stands_upright(form):
    from PIL import Image

    before = corpus.photo_with_position(form)
    assert b"Lai Chau" in before
    _kind, content = cleaning.clean(before)
    for mark in (b"Lai Chau", b"CANARY", b"Exif\x00\x00MM", b"GPS"):
        assert mark not in content
    with Image.open(BytesIO(content)) as after:
        assert after.size == (20, 40) and not after.getexif() and not after.info.get("icc_profile")


def test_the_photo_of_a_telephone_that_keeps_two_pictures_is_taken(tmp_path, settings):
    found, _content = kept("IMG.jpg", corpus.hostile()["two photos in one"], tmp_path, settings)
    assert found.media_type == "image/jpeg"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd.png"),
        ("C:\\Windows\\system32\\x.exe", "x.png"),
        ("a\x00b.png", "ab.png"),
        ("CON", "_CON.png"),
        ("nul.txt", "_nul.png"),
        ("...", "file.png"),
        ("", "file.png"),
        ("anh\u202egnp.exe", "anhgnp.png"),
        ("a" * 5000 + ".png", "a" * 120 + ".png"),
        ("a\r\nSet-Cookie: x=1.png", "aSet-Cookie x=1.png"),
        ("Thèn Lu\u0301a.png", "Thèn Lúa.png"),
        ('"><script>.png', "script.png"),
    ],
)
def test_a_file_name_is_only_a_name(given, name, tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path
    upload = SimpleUploadedFile("x.png", corpus.picture("PNG"))
    upload._name = given
    found = uploads.receive(upload)
    assert found.name == name
    files.store(found.sha256, found.content)
    # On the disk it has no name but its digest.
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [found.sha256]


def test_a_program_that_cleans_and_dies_is_a_refusal(monkeypatch, tmp_path, settings):
    broken = tmp_path / "broken.py"
    for words in (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "bytearray(10**12)",
        "import sys; sys.exit(3)",
    ):
        broken.write_text(words)
        monkeypatch.setattr(cleaning, "__file__", str(broken))
        with pytest.raises(Refused):
            kept("x.jpg", corpus.picture(), tmp_path / "files", settings)


def test_a_program_that_cleans_and_hangs_is_a_refusal(monkeypatch, tmp_path, settings):
    broken = tmp_path / "broken.py"
    broken.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(cleaning, "__file__", str(broken))
    monkeypatch.setattr(uploads, "_PATIENCE", 0.2)
    with pytest.raises(Refused):
        kept("x.jpg", corpus.picture(), tmp_path / "files", settings)


# Mutants


def measured(figure, counts, seed):
    """Breed mutants for every reader, and say what became of them."""
    results = {reader: trial.breed(reader, count, seed) for reader, count in counts.items()}
    for reader, result in results.items():
        print(f"{reader}: {result}")
    faults = [f"{reader}: {fault}" for reader, result in results.items() for fault in result.faults]
    mutants = sum(result.mutants for result in results.values())
    figure(
        8,
        "files",
        title="Broken files that break, stall or fill a reader",
        target="no fault, none above 2 s of computing or 512 MiB of memory, in 100,000 mutants",
        command="python -m tests.hostile --results benchmarks/results/hostile",
        figures={
            "mutants": mutants,
            "faults": len(faults),
            "classics": len(corpus.hostile()) + len(corpus.CSV) + len(corpus.YAML) * 2,
            "slowest seconds": round(max(result.slowest for result in results.values()), 2),
            "most memory MiB": max(result.peak for result in results.values()),
            "readers": {
                reader: {"mutants": each.mutants, "taken": each.taken, "refused": each.refused}
                for reader, each in results.items()
            },
        },
        settings={"mutants": counts, "seed": seed, "seconds": trial.SECONDS, "MiB": trial.MEBIBYTES},
        kept=not faults and mutants >= 100_000,
        note="" if mutants >= 100_000 else f"{mutants} mutants instead of 100,000",
    )
    assert not faults, "\n".join(faults)
    assert all(result.taken and result.refused for result in results.values())
    assert mutants == sum(counts.values())


def test_no_mutant_breaks_hangs_or_fills_a_reader(figure):
    measured(figure, MUTANTS, 1)


@pytest.mark.long
def test_no_mutant_of_a_hundred_thousand_breaks_hangs_or_fills_a_reader(figure):
    measured(figure, MANY_MUTANTS, 2)


@pytest.mark.parametrize(("reader", "fault"), CONTROLS)
def test_a_reader_that_breaks_hangs_eats_or_dies_would_be_found(figure, reader, fault):
    result = trial.breed(reader, 1, 1)
    noticed = any(fault in each for each in result.faults)
    figure.control("files", f"a reader that {reader}", noticed=noticed)
    assert noticed, result


@pytest.mark.parametrize(("reader", "files"), CLASSICS)
def test_the_classics_among_tables_and_settings_are_refused_or_read(reader, files):
    result = trial.feed(reader, files)
    assert not result.faults and result.mutants == len(files), result.faults


def test_uploads_that_unpack_to_gigabytes_are_cheap():
    bombs = {
        name: data for name, data in corpus.hostile().items() if "bomb" in name or "deep" in name or "wide" in name
    }
    result = trial.feed("upload", bombs)
    assert len(bombs) >= 7 and not result.faults, result


# What leaves


def test_a_restated_table_holds_no_formula():
    from datetime import date

    from gandan.units import register, restating

    table = b"code,=cmd|'/c calc'!A1,@SUM(1)\n12001,4,5\n"
    out = restating.restate_table(table, register.from_reference(), date(2025, 6, 1), date(2026, 1, 1))
    cells = [cell for row in csv.reader(io.StringIO(out)) for cell in row]
    assert not [cell for cell in cells if re.match(r"[=+@]|-\D", cell)]
