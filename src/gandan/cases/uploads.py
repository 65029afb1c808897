"""Files that people send: checked by what they are, not by what they are called, and made harmless.

Pictures are drawn anew and PDFs keep their pages only (see `cleaning`, a program of its own). What comes out is laid
down with the matter that it belongs to (see `files`), under its digest, and handed out as a download only.
"""

import hashlib
import re
import subprocess
import sys
import threading
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gandan.access import Refused
from gandan.cases import cleaning
from gandan.cases.durable import PARTIAL
from gandan.cases.files import File

LIMIT = 10 * 1024 * 1024
FILES = 5
_PATIENCE = 30
"""Seconds of the clock; the program that cleans ends itself after fewer seconds of computing."""
_SLOTS = threading.BoundedSemaphore(2)
_ABANDONED_SECONDS = 24 * 60 * 60
_ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "application/pdf": ".pdf"}
_REASONS = {
    "kind": gettext_lazy("The file %(name)s is not a picture (JPEG, PNG, WebP) or a PDF."),
    "points": gettext_lazy("The picture %(name)s has too many points. Send a smaller one."),
    "pages": gettext_lazy("The file %(name)s has more than 200 pages."),
    "damaged": gettext_lazy("The PDF %(name)s is damaged or locked with a password."),
}
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?$")


def receive(upload: Any) -> File:
    """Check and clean one uploaded file; it is still in memory only. Raises Refused with a sentence."""
    name = clean_name(upload.name or "")
    if upload.size > LIMIT:
        raise Refused(_("The file %(name)s is larger than 10 MB. Send a smaller picture.") % {"name": name})
    data = upload.read()
    if not data:
        raise Refused(_("The file %(name)s is empty.") % {"name": name})
    content, media_type, ending = _cleaned(data, name)
    stem = name.rsplit(".", 1)[0] or "file"
    sha256 = hashlib.sha256(content).hexdigest()
    return File(sha256, f"{stem[:120]}{ending}", media_type, len(content), content)


def clean_name(name: str) -> str:
    """Return a file name without folders, control characters or tricks of direction, that names no device."""
    text = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    kept = "".join(c for c in text if unicodedata.category(c)[0] not in "C" and c not in '<>:"|?*')
    plain = kept.strip(". ")[:140].strip(". ") or "file"
    return f"_{plain}" if _DEVICES.match(plain) else plain


def _cleaned(data: bytes, name: str) -> tuple[bytes, str, str]:
    """Return a file made harmless by a program of its own; what that program does not survive is refused."""
    try:
        with _SLOTS:
            done = subprocess.run(  # noqa: S603 - our own program, told nothing but the bytes
                [sys.executable, "-I", cleaning.__file__],
                input=data,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_PATIENCE,
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise _unfit("", data, name) from None
    if done.returncode:
        raise _unfit(done.stdout.decode("ascii", "replace"), data, name)
    media_type, content = done.stdout.split(b"\n", 1)
    return content, media_type.decode(), _ENDINGS[media_type.decode()]


def _unfit(reason: str, data: bytes, name: str) -> Refused:
    """Return the refusal for the reason given; where none is given, the file broke what reads it."""
    sentence = _REASONS.get(reason) or _REASONS["damaged" if data.startswith(b"%PDF-") else "kind"]
    return Refused(sentence % {"name": name})


def clear_interrupted(at: datetime) -> int:
    """Remove what uploads left half-written when the server was killed, a day after; return how many."""
    root = Path(settings.MEDIA_ROOT)
    count = 0
    for path in root.glob(f"*/{PARTIAL}*"):
        try:
            if at.timestamp() - path.stat().st_mtime > _ABANDONED_SECONDS:
                path.unlink()
                count += 1
        except FileNotFoundError:
            # Another worker was first.
            continue
    return count
