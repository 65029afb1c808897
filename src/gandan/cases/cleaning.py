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


_DRAWING = (0xE0, 0xEE)
"""Segments of a JPEG from APP0 on that its drawing needs: the first one, and Adobe's word on colours."""


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
                for key in _ACTIVE:
                    if key in page.obj:
                        del page.obj[key]
                plain.pages.append(page)
            for each in plain.objects:
                _disarm(each)
            out = io.BytesIO()
            plain.save(out, deterministic_id=True, linearize=False)
    return out.getvalue()


def _disarm(found: Any) -> None:
    import pikepdf

    if not isinstance(found, (pikepdf.Dictionary, pikepdf.Stream)):
        return
    for key in _ACTIVE:
        # /A and /B also name ordinary parts, such as fonts; as actions they stand in dictionaries with a /S.
        if key in found and (key not in ("/A", "/B", "/Ref") or _is_action(found[key])):
            del found[key]
    if isinstance(found, pikepdf.Stream) and found.get("/Filter") == pikepdf.Name("/DCTDecode"):
        found.write(without_notes(found.read_raw_bytes()), filter=pikepdf.Name("/DCTDecode"))


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
