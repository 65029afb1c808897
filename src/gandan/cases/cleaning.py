"""A program of its own that makes one file harmless: bytes in, harmless bytes out.

Pictures are drawn anew, which drops positions, comments and whatever was hung on behind. Of a PDF only its pages
are taken over: what was typed into its form is drawn onto them, and scripts, links, embedded files, layers of
notes and descriptions stay behind. It runs apart from the server, with little memory, little time, and no right
to write a file: a decoder that breaks takes nothing with it.

Needs neither Django nor a database. Standard input: the file. Standard output: a line with its kind, then the
bytes. Exit code 3: a word of `REASONS` instead.
"""

import io
import sys
import warnings
from typing import Any

MEMORY = 480 * 1024 * 1024
SECONDS = 10
"""Limits in bytes and in seconds of computing; a photo of 12 million points takes 60 MB and half a second."""
POINTS = 50_000_000
DRAWN = 16_000_000
"""Pictures may have so many points; a photo (JPEG) of more than `DRAWN` is drawn smaller."""
PAGES = 200
OBJECTS = 100_000
REFUSED = 3
REASONS = ("kind", "points", "pages", "damaged")
PICTURES = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_ACTIVE = (
    "/A", "/AA", "/AcroForm", "/AF", "/Annots", "/B", "/Collection", "/EF", "/EmbeddedFiles", "/JavaScript", "/JS",
    "/LastModified", "/Metadata", "/Names", "/OpenAction", "/OPI", "/PieceInfo", "/Ref", "/RichMediaContent",
    "/Thumb", "/URI",
)  # fmt: skip


_STREAM = ("/Type", "/Subtype", "/Length", "/Filter", "/DecodeParms")
_PAGE = (
    "/Type", "/Parent", "/Resources", "/Contents", "/Group", "/Rotate", "/UserUnit",
    "/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox",
)  # fmt: skip
_KEPT = {
    "/Form": (*_STREAM, "/FormType", "/BBox", "/Matrix", "/Resources", "/Group", "/Name", "/OC"),
    "/Image": (
        *_STREAM, "/Width", "/Height", "/ColorSpace", "/BitsPerComponent", "/Intent", "/ImageMask", "/Mask", "/Decode",
        "/Interpolate", "/SMask", "/SMaskInData", "/Matte", "/Name", "/OC",
    ),
}  # fmt: skip
"""What drawing a page, a part of one or a picture needs (ISO 32000-1, tables 30, 89 and 95); all else says where, when,
by whom and with what."""
_LAYER = ("/Type", "/Intent")
_DRAWING = (0xE0, 0xEE)
"""Segments of a JPEG from APP0 on that its drawing needs: the first one, and Adobe's word on colours."""
_BOXES = (b"jP  ", b"ftyp", b"jp2h", b"jp2c")
"""Boxes of a JPEG 2000 that its drawing needs."""
_COMMENT = b"\xff\x64"


class NotHarmless(Exception):
    """A file that cannot be made harmless, with a word of `REASONS`."""


def clean(data: bytes) -> tuple[str, bytes]:
    """Return the kind of a file and its harmless bytes. Raises NotHarmless."""
    try:
        return ("application/pdf", _pdf(data)) if data[:5] == b"%PDF-" else _picture(data)
    except NotHarmless:
        raise
    except (Exception, RecursionError):  # a hostile file may fail a decoder in any way; the answer is the same
        raise NotHarmless("damaged" if data[:5] == b"%PDF-" else "kind") from None


def _picture(data: bytes) -> tuple[str, bytes]:
    from PIL import Image, ImageOps

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.MAX_IMAGE_PIXELS = None  # counted here, by the kind of picture
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG", "WEBP"]) as picture:
            kind = PICTURES[str(picture.format)]
            photo = kind == "image/jpeg"
            if picture.width * picture.height > (POINTS if photo else DRAWN):
                raise NotHarmless("points")
            if picture.width * picture.height > DRAWN:
                picture.draft("RGB", (picture.width // 2, picture.height // 2))
            picture.load()
            ImageOps.exif_transpose(picture, in_place=True)
            wanted = "RGBA" if not photo and ("A" in picture.getbands() or "transparency" in picture.info) else "RGB"
            plain = picture if picture.mode == wanted else picture.convert(wanted)
        plain.info.clear()
        out = io.BytesIO()
        if photo:
            plain.save(out, "JPEG", quality=85)
        elif kind == "image/png":
            plain.save(out, "PNG", compress_level=1 if plain.width * plain.height > 2_000_000 else 6)
        else:
            plain.save(out, "WEBP", quality=85, method=0)
    return kind, out.getvalue()


def _pdf(data: bytes) -> bytes:
    import pikepdf

    with pikepdf.open(io.BytesIO(data)) as document:
        if len(document.pages) > PAGES:
            raise NotHarmless("pages")
        if len(document.objects) > OBJECTS:
            raise NotHarmless("damaged")
        if "/AcroForm" in document.Root:
            document.generate_appearance_streams()
        document.flatten_annotations("screen")
        with pikepdf.new() as plain:
            # Only what a page needs comes along.
            for page in document.pages:
                _keep(page.obj, _PAGE)
                plain.pages.append(page)
            for each in plain.objects:
                _disarm(each, plain)
            out = io.BytesIO()
            plain.save(out, deterministic_id=True, linearize=False)
    return out.getvalue()


def _disarm(found: Any, document: Any) -> None:
    import pikepdf

    if not isinstance(found, (pikepdf.Dictionary, pikepdf.Stream)):
        return
    for key in _ACTIVE:
        # /A and /B also name ordinary parts, such as fonts; as actions they stand in dictionaries with a /S.
        if key in found and (key not in ("/A", "/B", "/Ref") or _is_action(found[key])):
            del found[key]
    if found.get("/Type") == pikepdf.Name("/OCG"):
        _keep(found, _LAYER)
        found["/Name"] = pikepdf.String("")
    if not isinstance(found, pikepdf.Stream):
        return
    subtype = str(found.get("/Subtype", ""))
    if subtype in _KEPT:
        _keep(found, _KEPT[subtype])
    _take_notes_out(found, document)


def _keep(found: Any, wanted: tuple[str, ...]) -> None:
    for key in set(found.keys()) - set(wanted):
        del found[key]


def _take_notes_out(found: Any, document: Any) -> None:
    """Write a picture anew that lies in a stream as it came from a camera, however often it was packed."""
    import pikepdf

    filters, settings = _listed(found.get("/Filter")), _listed(found.get("/DecodeParms"))
    cameras = {pikepdf.Name("/DCTDecode"): without_notes, pikepdf.Name("/JPXDecode"): without_boxes}
    if not any(name in cameras for name in filters):
        return
    if filters[-1] not in cameras or any(name in cameras for name in filters[:-1]):
        raise NotHarmless("damaged")
    photo, settings = found.read_raw_bytes(), [*settings, *[None] * (len(filters) - len(settings))]
    if filters[:-1]:
        packed = pikepdf.Stream(document, b"")
        told = pikepdf.Array(settings[:-1]) if any(settings[:-1]) else None
        packed.write(photo, filter=pikepdf.Array(filters[:-1]), decode_parms=told)
        photo = packed.read_bytes()
    last = settings[-1] if isinstance(settings[-1], pikepdf.Dictionary) else None
    found.write(cameras[filters[-1]](photo), filter=filters[-1], decode_parms=last)


def _listed(found: Any) -> list[Any]:
    import pikepdf

    return [] if found is None else list(found) if isinstance(found, pikepdf.Array) else [found]


def _is_action(found: Any) -> bool:
    import pikepdf

    return isinstance(found, pikepdf.Dictionary) and "/S" in found


def without_notes(photo: bytes) -> bytes:
    """Return a JPEG without the segments that tell where, when and with what it was taken.

    Source: ITU-T T.81, annex B. What is not written as it asks is returned as it is.
    """
    if photo[:2] != b"\xff\xd8":
        return photo
    out, at = [photo[:2]], 2
    while at + 4 <= len(photo) and photo[at] == 0xFF and photo[at + 1] != 0xDA:
        length = 2 + int.from_bytes(photo[at + 2 : at + 4], "big")
        if photo[at + 1] in _DRAWING or photo[at + 1] < 0xE0:
            out.append(photo[at : at + length])
        at += length
    return b"".join([*out, photo[at:]])


def without_boxes(photo: bytes) -> bytes:
    """Return a JPEG 2000 without the boxes and comments that tell where, when and with what it was taken.

    Source: ITU-T T.800, annexes A and I. Raises NotHarmless for what is not written as it asks.
    """
    if photo[:2] == b"\xff\x4f":
        return _without_comments(photo)
    out, at = [], 0
    while at < len(photo):
        length, kind, head = int.from_bytes(photo[at : at + 4], "big"), photo[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(photo[at + 8 : at + 16], "big"), 16
        end = len(photo) if length == 0 else at + length
        if end < at + head or end > len(photo):
            raise NotHarmless("damaged")
        if kind in _BOXES:
            content = photo[at + head : end]
            content = _without_comments(content) if kind == b"jp2c" else content
            out.append((len(content) + 8).to_bytes(4, "big") + kind + content)
        at = end
    return b"".join(out)


def _without_comments(drawing: bytes) -> bytes:
    """Return the drawing of a JPEG 2000 without the comments before its first part."""
    out, at = [drawing[:2]], 2
    while at + 4 <= len(drawing) and drawing[at : at + 2] != b"\xff\x90":
        end = at + 2 + int.from_bytes(drawing[at + 2 : at + 4], "big")
        if drawing[at : at + 2] != _COMMENT:
            out.append(drawing[at:end])
        at = end
    return b"".join([*out, drawing[at:]])


def confine() -> None:
    """Give up memory, time and the right to write files, for good."""
    import resource

    for limit, most in (
        (resource.RLIMIT_DATA, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            resource.setrlimit(limit, (most, most))
        except (ValueError, OSError):
            # Not every system knows every limit; the server's own patience remains.
            continue


def main() -> int:
    """Clean standard input."""
    confine()
    try:
        kind, content = clean(sys.stdin.buffer.read())
    except NotHarmless as reason:
        sys.stdout.write(str(reason))
        return REFUSED
    except MemoryError:
        sys.stdout.write("points")
        return REFUSED
    sys.stdout.buffer.write(kind.encode() + b"\n" + content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
