"""The classics of hostile files, made here: nothing of anybody else's is kept.

`GOOD` are honest files from which mutants are bred, by the kind of reader that takes them.
"""

import io
import struct
import zipfile
import zlib
from functools import cache
from typing import Any

SCRIPT = b"<script>alert(document.cookie)</script>"
POSITION = b"22.396400N 103.470300E Lai Chau"


def picture(form: str = "PNG", size: tuple[int, int] = (32, 24), **options: Any) -> bytes:
    from PIL import Image

    image = Image.new("RGB", size)
    image.putdata([((x * 7) % 256, (x * 13) % 256, (x * 29) % 256) for x in range(size[0] * size[1])])
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def photo_with_position(form: str = "JPEG") -> bytes:
    """Return a picture whose hidden data say where and with what it was taken, in every place that we know."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x010F] = "CANARY-maker"
    exif[0x0112] = 6  # lying on its side
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (22.0, 23.0, 47.0), "E", (103.0, 28.0, 13.0)
    exif[0x010E] = POSITION.decode()
    options: dict[str, Any] = {"exif": exif.tobytes()}
    if form == "JPEG":
        options |= {"comment": b"CANARY-comment", "xmp": b"<x:xmpmeta>CANARY-xmp</x:xmpmeta>"}
    if form == "PNG":
        from PIL.PngImagePlugin import PngInfo

        notes = PngInfo()
        notes.add_text("Location", POSITION.decode())
        notes.add_itxt("XML:com.adobe.xmp", "CANARY-xmp")
        options["pnginfo"] = notes
    options["icc_profile"] = b"CANARY-icc" + bytes(200)
    return picture(form, (40, 20), **options)


def jpeg2000_with_position() -> bytes:
    """Return a JPEG 2000 whose comment and boxes say where and with what it was taken."""
    plain = picture("JPEG2000", (40, 20), comment=POSITION)
    body = bytes.fromhex("be7acfcb97a942e89c71999491e3afac") + b"<x:xmpmeta>CANARY-xmp</x:xmpmeta>" + POSITION
    at = plain.index(b"jp2c") - 4
    return plain[:at] + struct.pack(">I", len(body) + 8) + b"uuid" + body + plain[at:]


def png_bomb(side: int = 60_000) -> bytes:
    """Return a small PNG that says it has 3,600 million points."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes(side // 8 + 1) * 4000, 9)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def png_text_bomb() -> bytes:
    """Return a PNG with a compressed note of a hundred megabytes."""
    honest = picture("PNG")
    body = b"Comment\x00\x00" + zlib.compress(bytes(100_000_000), 9)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    return honest[:33] + chunk + honest[33:]


def pdf(pages: int = 1, **root: Any) -> bytes:
    import pikepdf

    with pikepdf.new() as document:
        for _ in range(pages):
            document.add_blank_page(page_size=(200, 200))
        for name, value in root.items():
            document.Root[f"/{name}"] = value
        out = io.BytesIO()
        document.save(out, static_id=True)
    return out.getvalue()


def pdf_with_everything() -> bytes:
    """Return a PDF with scripts, launches, links, embedded files, a form with words in it, and notes."""
    import pikepdf
    from pikepdf import Array, Dictionary, Name, String

    with pikepdf.new() as document:
        document.add_blank_page(page_size=(200, 200))
        page = document.pages[0]
        script = Dictionary(S=Name.JavaScript, JS=String("app.alert('CANARY-js')"))
        launch = Dictionary(S=Name.Launch, F=String("CANARY-launch.exe"))
        embedded = document.make_stream(b"CANARY-embedded", Type=Name.EmbeddedFile)
        document.Root.OpenAction = script
        document.Root.AA = Dictionary(WC=script)
        document.Root.Names = Dictionary(
            JavaScript=Dictionary(Names=Array([String("a"), script])),
            EmbeddedFiles=Dictionary(
                Names=Array([String("b"), Dictionary(Type=Name.Filespec, EF=Dictionary(F=embedded))])
            ),
        )
        document.Root.AF = Array([Dictionary(Type=Name.Filespec, EF=Dictionary(F=embedded))])
        document.Root.Outlines = Dictionary(First=Dictionary(Title=String("x"), A=launch))
        document.Root.Metadata = document.make_stream(b"CANARY-metadata")
        document.Root.PieceInfo = Dictionary(X=String("CANARY-piece"))
        page.AA = Dictionary(O=script)
        look = document.make_stream(
            b"BT /F1 12 Tf (FILLED) Tj ET",
            Type=Name.XObject,
            Subtype=Name.Form,
            BBox=Array([0, 0, 100, 20]),
            Resources=Dictionary(
                Font=Dictionary(F1=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
            ),
        )
        field = document.make_indirect(
            Dictionary(
                Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("name"), V=String("FILLED"),
                Rect=Array([10, 10, 110, 30]), F=4, AP=Dictionary(N=look), A=script,
            )
        )  # fmt: skip
        link = document.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]), A=launch)
        )
        page.Annots = Array([field, link])
        document.Root.AcroForm = Dictionary(Fields=Array([field]), XFA=document.make_stream(b"CANARY-xfa"))
        image = document.make_stream(
            photo_with_position(), Type=Name.XObject, Subtype=Name.Image, Width=40, Height=20, BitsPerComponent=8,
            ColorSpace=Name.DeviceRGB, Filter=Name.DCTDecode, Metadata=document.make_stream(b"CANARY-image-metadata"),
        )  # fmt: skip
        page.Resources = Dictionary(XObject=Dictionary(I=image))
        page.Contents = document.make_stream(b"q 40 0 0 20 0 0 cm /I Do Q")
        document.docinfo["/Author"] = "CANARY-author"
        out = io.BytesIO()
        document.save(out, static_id=True, compress_streams=False)
    return out.getvalue()


def pdf_bomb(megabytes: int = 900) -> bytes:
    """Return a PDF whose catalogue stands in an object stream that unpacks to a thousand times its size."""
    first = megabytes * 1024 * 1024
    packer = zlib.compressobj(9)
    body = packer.compress(b"1 0 ")
    for _ in range(megabytes):
        body += packer.compress(b" " * (1024 * 1024))
    body += packer.compress(b"<< /Type /Catalog /Pages 5 0 R >>") + packer.flush()
    objects = {
        4: b"<< /Type /ObjStm /N 1 /First %d /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream"
        % (first + 4, len(body), body),
        5: b"<< /Type /Pages /Kids [6 0 R] /Count 1 >>",
        6: b"<< /Type /Page /Parent 5 0 R /MediaBox [0 0 99 99] >>",
    }
    out, places = b"%PDF-1.5\n", {}
    for number, text in objects.items():
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, text)
    start = len(out)
    rows = struct.pack(">BIH", 0, 0, 65535) + struct.pack(">BIH", 2, 4, 0) + bytes(14)
    for number in (4, 5, 6):
        rows += struct.pack(">BIH", 1, places[number], 0)
    rows += struct.pack(">BIH", 1, start, 0)
    return out + (
        b"7 0 obj\n<< /Type /XRef /Size 8 /Root 1 0 R /W [1 4 2] /Length %d >>\nstream\n%s\nendstream\nendobj\n"
        b"startxref\n%d\n%%%%EOF" % (len(rows), rows, start)
    )


def pdf_page_bomb(megabytes: int = 900) -> bytes:
    """Return a PDF whose one page is drawn by a gigabyte of spaces, with a form above it."""
    import pikepdf
    from pikepdf import Array, Dictionary, Name

    with pikepdf.open(io.BytesIO(pdf_with_everything())) as document:
        packer = zlib.compressobj(9)
        body = b"".join(packer.compress(b" " * (1024 * 1024)) for _ in range(megabytes)) + packer.flush()
        document.pages[0].Contents = Array([document.make_stream(body, Filter=Name.FlateDecode)] * 3)
        document.pages[0].Resources.Font = Dictionary()
        out = io.BytesIO()
        document.save(out, static_id=True, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    return out.getvalue()


def pdf_deep(depth: int = 60_000) -> bytes:
    return _raw_pdf(b"[" * depth + b"]" * depth, b"<< /Type /Catalog /Pages 5 0 R /X 4 0 R >>")


def pdf_circle() -> bytes:
    """Return a PDF whose pages are their own parents."""
    return _raw_pdf(
        b"<< /Type /Pages /Kids [4 0 R 4 0 R] /Count 2 /Parent 4 0 R >>", b"<< /Type /Catalog /Pages 4 0 R >>"
    )


def _raw_pdf(odd: bytes, catalogue: bytes) -> bytes:
    parts = [(4, odd), (1, catalogue), (5, b"<< /Type /Pages /Kids [6 0 R] /Count 1 >>")]
    parts.append((6, b"<< /Type /Page /Parent 5 0 R /MediaBox [0 0 99 99] >>"))
    out, places = b"%PDF-1.5\n", {}
    for number, body in parts:
        places[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 1\n0000000000 65535 f \n"
    for number in sorted(places):
        out += b"%d 1\n%010d 00000 n \n" % (number, places[number])
    return out + b"trailer << /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % start


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return out.getvalue()


XXE = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>"""
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, (b"&%c;" % (97 + i)) * 10) for i in range(9))
    + b"]><l>&j;</l>"
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'


@cache
def hostile() -> dict[str, bytes]:
    """Return the classics by name. Every one must be refused or made harmless."""
    jpeg, gif = picture("JPEG"), b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00"
    archive = zipped({"META-INF/MANIFEST.MF": b"Main-Class: X", "X.class": b"\xca\xfe\xba\xbe"})
    sheet = zipped({"[Content_Types].xml": XXE, "xl/workbook.xml": LAUGHS, "xl/worksheets/sheet1.xml": XXE})
    return {
        "nothing": b"",
        "one byte": b"\xff",
        "a page": b"<!doctype html>" + SCRIPT,
        "svg with script": SVG,
        "xml that reads files": XXE,
        "xml that multiplies": LAUGHS,
        "sheet that reads files": sheet,
        "zip bomb": zipped({"a": bytes(50_000_000)}),
        "zip in a zip": zipped({"a.zip": zipped({"b.zip": zipped({"c": bytes(10_000_000)})})}),
        "zip with paths": zipped({"../../etc/cron.d/x": b"x", "C:\\x": b"x", "/etc/passwd": b"x"}),
        "program": b"MZ" + bytes(300),
        "elf": b"\x7fELF" + bytes(300),
        "gif and jar": gif + archive,
        "jpeg and jar": jpeg + archive,
        "jpeg and page": jpeg + SCRIPT,
        "jpeg with page inside": jpeg[:2] + b"\xff\xfe" + struct.pack(">H", len(SCRIPT) + 2) + SCRIPT + jpeg[2:],
        "png and php": picture("PNG") + b"<?php system($_GET[0]);",
        "pdf and page": b"%PDF-1.4\n" + SCRIPT + pdf(),
        "page and pdf": SCRIPT + pdf(),
        "pdf and zip": pdf() + archive,
        "png bomb": png_bomb(),
        "png note bomb": png_text_bomb(),
        "pdf bomb": pdf_bomb(),
        "pdf page bomb": pdf_page_bomb(),
        "pdf too deep": pdf_deep(),
        "pdf in a circle": pdf_circle(),
        "pdf with everything": pdf_with_everything(),
        "pdf of many pages": pdf(260),
        "locked pdf": _locked(),
        "photo with position": photo_with_position("JPEG"),
        "png with position": photo_with_position("PNG"),
        "webp with position": photo_with_position("WEBP"),
        "two photos in one": _two_photos(),
        "very wide photo": picture("JPEG", (60_000, 1)),
        "very wide png": picture("PNG", (200_000, 2)),
        "moving png": _moving("PNG"),
        "moving webp": _moving("WEBP"),
        "tiff": picture("TIFF"),
        "bmp": picture("BMP"),
    }


def _locked() -> bytes:
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf())) as document:
        out = io.BytesIO()
        document.save(out, encryption=pikepdf.Encryption(owner="a", user="b"))
    return out.getvalue()


def _two_photos() -> bytes:
    """Return a photo as some phones write it: two pictures in one file."""
    from PIL import Image

    one, two = Image.new("RGB", (30, 20), "red"), Image.new("RGB", (30, 20), "blue")
    out = io.BytesIO()
    one.save(out, "MPO", save_all=True, append_images=[two])
    return out.getvalue()


def _moving(form: str) -> bytes:
    from PIL import Image

    frames = [Image.new("RGB", (300, 300), (n, 0, 0)) for n in range(40)]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=10)
    return out.getvalue()


TABLE = b'code,reports,residents\n12001,4,1000\n12002,7,2000\n03145,"1.234,5",10\n'
TERMS = """terms:
- code: FB-01.answer
  vi: Trả lời
  en: Answer
  amount: 5
  unit: working_day
  starts_on: received
  ends_on: answered
  evidence: policy
  pause_grounds: [missing_papers]
""".encode()
PROCEDURES = """procedures:
- code: FB-01
  kind: feedback
  group: report
  vi: Phản ánh
  en: Feedback
  summary_vi: A
  summary_en: A
  bring_vi: [a, b]
""".encode()

CSV = {
    "nothing": b"",
    "only spaces": b"   \n",
    "zeros": bytes(5000),
    "a very long cell": b"code,a\n" + b"9" * 300_000,
    "a huge power": b"code,a\n12001,1e999999999\n",
    "a tiny power": b"code,a\n12001,1e-999999999\n",
    "many digits": b"code,a\n12001," + b"9" * 100_000 + b"\n",
    "a fraction": b"code,a\n12001,1/3\n",
    "no number": b"code,a\n12001,nan\n03145,inf\n",
    "formulas": b"code,=cmd|'/c calc'!A1\n12001,4\n",
    "formula as a figure": b"code,a\n12001,=1+1\n",
    "open quotes": b'code,a\n"12001,4\n' * 2000,
    "many columns": b"code," + b"a," * 40_000 + b"a\n12001" + b",1" * 40_001,
    "many rows": b"code,a\n" + b"".join(b"%05d,1\n" % n for n in range(90_000)),
    "utf-16": "code,a\n12001,4\n".encode("utf-16"),
    "half of utf-16": b"\xff\xfe\x00",
    "old letters": "mã,số\n12001,4\n".encode("cp1258", "replace"),
    "lone halves": b"code,a\n\xed\xa0\x80,1\n",
    "arabic digits": "code,a\n12001,١٢\n".encode(),
    "a page": SCRIPT,
    "zip": b"PK\x03\x04" + bytes(100),
}
YAML = {
    "nothing": b"",
    "laughs": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(12)),
    "itself": b"&a [*a]\n",
    "a mapping as key": b"? {a: b}\n: c\n",
    "python": b"!!python/object/apply:os.system ['true']\n",
    "no such day": b"- valid_from: 2026-13-45\n",
    "no such number": b"- amount: 0x\n- amount: 1:99:99\n- amount: .inf\n- amount: 1e999\n",
    "many digits": b"- amount: " + b"9" * 100_000 + b"\n",
    "deep": b"[" * 50_000,
    "deep in blocks": b"".join(b" " * n + b"a:\n" for n in range(800)),
    "many keys": b"".join(b"k%d: v\n" % n for n in range(30_000)),
    "many lists": b"[]," * 3 + b"- " * 5000,
    "two files": b"a: 1\n---\nb: 2\n",
    "binary": b"a: !!binary aGVsbG8=\n",
    "zeros": b"a: \x00\n",
    "a list of words": b"- a\n- b\n",
    "a word": b"word\n",
    "nulls": b"- null\n- ~\n- []\n- {}\n",
    "wrong kinds": b"terms: &t\n- {code: [1], vi: {a: 1}, en: 5, amount: true, unit: [5], starts_on: {}, ends_on: 1, "
    b"evidence: [], extensions: [{code: 1, amount: 1, unit: []}]}\nprocedures:\n- {code: [1], kind: 5, group: [a], "
    b"vi: {a: 1}, en: 2, summary_vi: [], summary_en: 1, bring_vi: 7, steps: x, law_vi: 3, identity: [1]}\n",
}


@cache
def good() -> dict[str, list[bytes]]:
    """Return honest files by the reader that takes them; mutants are bred from these."""
    return {
        "upload": [
            picture("PNG"),
            picture("JPEG"),
            picture("WEBP"),
            photo_with_position(),
            _two_photos(),
            pdf(2),
            pdf_with_everything(),
        ],
        "table": [TABLE, b"\xef\xbb\xbf" + TABLE, TABLE.replace(b",", b";"), "mã\tsố\n12001\t4\n".encode("utf-16")],
        "terms": [TERMS, *list(YAML.values())[-4:]],
        "procedures": [PROCEDURES, *list(YAML.values())[-4:]],
    }
