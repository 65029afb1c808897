"""Files that people send: checked by what they are, not by what they are called, and made harmless.

Pictures are drawn anew, which drops positions and other hidden data; PDFs lose scripts and embedded files.
Everything is kept under its digest and handed out as a download only.
"""

import hashlib
import io
import os
import secrets
import unicodedata
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from gandan.access import Refused
from gandan.cases.actions import File

LIMIT = 10 * 1024 * 1024
FILES = 5
_PIXELS = 40_000_000
_PARTIAL = ".partial-"
_ABANDONED_SECONDS = 24 * 60 * 60
_PICTURES = {"JPEG": ("image/jpeg", ".jpg"), "PNG": ("image/png", ".png"), "WEBP": ("image/webp", ".webp")}


def keep(upload: Any) -> File:
    """Check, clean and store one uploaded file; return how it is found again. Raises Refused with a sentence."""
    name = clean_name(upload.name or "")
    if upload.size > LIMIT:
        raise Refused(_("The file %(name)s is larger than 10 MB. Send a smaller picture.") % {"name": name})
    data = upload.read()
    if not data:
        raise Refused(_("The file %(name)s is empty.") % {"name": name})
    content, media_type, ending = _cleaned(data, name)
    sha256 = hashlib.sha256(content).hexdigest()
    _store(sha256, content)
    stem = name.rsplit(".", 1)[0] or "file"
    return File(sha256, f"{stem[:120]}{ending}", media_type, len(content))


def path_of(sha256: str) -> Path:
    """Return where a file with this digest is kept."""
    if len(sha256) != 64 or not all(c in "0123456789abcdef" for c in sha256):
        raise ValueError("not a digest")
    return Path(settings.MEDIA_ROOT) / sha256[:2] / sha256


def clean_name(name: str) -> str:
    """Return a file name without folders, control characters or tricks of direction."""
    text = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    kept = "".join(c for c in text if unicodedata.category(c)[0] not in "C" and c not in '<>:"|?*')
    return kept.strip(". ")[:140] or "file"


def _cleaned(data: bytes, name: str) -> tuple[bytes, str, str]:
    if data[:5] == b"%PDF-":
        return _pdf(data, name), "application/pdf", ".pdf"
    return _picture(data, name)


def _picture(data: bytes, name: str) -> tuple[bytes, str, str]:
    from PIL import Image, ImageOps

    refused = Refused(_("The file %(name)s is not a picture (JPEG, PNG, WebP) or a PDF.") % {"name": name})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=list(_PICTURES)) as picture:
                if picture.width * picture.height > _PIXELS:
                    raise Refused(_("The picture %(name)s has too many points. Send a smaller one.") % {"name": name})
                form = str(picture.format)
                upright = ImageOps.exif_transpose(picture)
                plain = upright.convert("RGBA" if "A" in upright.getbands() and form != "JPEG" else "RGB")
    except Refused:
        raise
    except Exception:  # a hostile file may fail a decoder in any way; the answer is the same
        raise refused from None
    media_type, ending = _PICTURES[form]
    out = io.BytesIO()
    plain.save(out, form, **({"quality": 85} if form != "PNG" else {}))
    return out.getvalue(), media_type, ending


def _pdf(data: bytes, name: str) -> bytes:
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(data)) as document:
            if len(document.pages) > 200:
                raise Refused(_("The file %(name)s has more than 200 pages.") % {"name": name})
            for key in ("/OpenAction", "/AA", "/AcroForm", "/Names", "/URI"):
                if key in document.Root:
                    del document.Root[key]
            for page in document.pages:
                for key in ("/AA", "/Annots"):
                    if key in page:
                        del page[key]
            if "/Info" in document.trailer:
                del document.trailer["/Info"]
            if "/Metadata" in document.Root:
                del document.Root["/Metadata"]
            document.remove_unreferenced_resources()
            out = io.BytesIO()
            document.save(out, deterministic_id=True)
    except Refused:
        raise
    except Exception:  # encrypted, cut or hostile: none of them can be made harmless
        raise Refused(_("The PDF %(name)s is damaged or locked with a password.") % {"name": name}) from None
    return out.getvalue()


def clear_interrupted(at: datetime) -> int:
    """Remove what uploads left half-written when the server was killed, a day after; return how many."""
    root = Path(settings.MEDIA_ROOT)
    count = 0
    for path in root.glob(f"*/{_PARTIAL}*"):
        try:
            if at.timestamp() - path.stat().st_mtime > _ABANDONED_SECONDS:
                path.unlink()
                count += 1
        except FileNotFoundError:
            # Another worker was first.
            continue
    return count


def _store(sha256: str, content: bytes) -> None:
    """Write a file so that it survives a power cut before anybody is told that it was received.

    Its bytes, its name in the folder and the folder's own name are all on the disk when this returns, also
    when somebody else is storing the same file at this moment. What cannot be written whole is not left behind.
    """
    goal = path_of(sha256)
    goal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (goal.exists() and goal.stat().st_size == len(content)):
        partial = goal.with_name(f"{_PARTIAL}{sha256[:16]}.{secrets.token_hex(8)}")
        try:
            with partial.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(goal)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
    # Both, always: another request may have made the folder or the file and not yet come to this line.
    _sync_folder(goal.parent)
    _sync_folder(goal.parent.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
