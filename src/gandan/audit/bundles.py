"""A part of the record to carry away: entries, checkpoints, the key, and a script that verifies them offline."""

import hashlib
import json
import zipfile
from itertools import islice
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from gandan import __version__
from gandan.access import now
from gandan.audit import actions, chain, checkpoints, sql, verifying
from gandan.audit.models import AuditCheckpoint, AuditHead

SCRIPT = Path(__file__).with_name("verify_bundle.py")
README = Path(__file__).with_name("bundle-readme.txt")


def write(target: IO[bytes], *, first: int = 1) -> int:
    """Write a bundle of the entries from number `first` on; return how many. Memory does not grow with them.

    The end is signed first, so that the bundle ends with a checkpoint. Every entry is verified as it is written, and
    held against each checkpoint on the way; only then is the manifest signed. Raises verifying.Broken for a record that
    does not hold together, and LookupError when there is no such entry: what was written until then is no bundle.
    """
    actions.make_checkpoint(now())
    newest = AuditCheckpoint.objects.order_by("-seq").first()
    if newest is None or not 1 <= first <= newest.seq:
        raise LookupError("the record has no such entry")
    key = settings.GANDAN_KEYS["audit"]
    public = checkpoints.public_key(key).hex()
    start = sql.hash_at(first - 1) if first > 1 else chain.GENESIS
    instance = AuditHead.objects.get(pk=1).instance
    kept = AuditCheckpoint.objects.filter(seq__gte=first - 1, seq__lte=newest.seq).order_by("seq")
    signed = [verifying.checkpoint_of(row) for row in kept]
    promised, faults = checkpoints.doubts(signed, trusted=[bytes.fromhex(public)], instance=instance)
    if promised.get(first - 1, {start}) != {start}:
        faults.append((first - 1, "rewritten"))
    reading = chain.Reading(start=start, first=first, expected=promised)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        digests = {}
        digest = hashlib.sha256()
        with archive.open("entries.txt", "w", force_zip64=True) as file:
            entries = sql.entries(after=first - 1, upto=newest.seq)
            while batch := list(islice(entries, sql.BATCH)):
                reading.read(batch)
                if faults or reading.faults:
                    break
                lines = b"".join(map(_line, batch))
                digest.update(lines)
                file.write(lines)
        _refuse_a_broken_one(reading, faults, last=newest.seq)
        digests["entries.txt"] = digest.hexdigest()
        parts = {
            "checkpoints.txt": "".join(f"{each.line}\n" for each in signed),
            "public-key.txt": f"{public}\n",
            "README.txt": README.read_text(encoding="utf-8"),
            "verify_bundle.py": SCRIPT.read_text(encoding="utf-8"),
        }
        for name, text in parts.items():
            archive.writestr(name, text.encode())
            digests[name] = hashlib.sha256(text.encode()).hexdigest()
        manifest = {
            "format": 1,
            "version": __version__,
            "made_at": now().isoformat(),
            "instance": instance.hex,
            "first": first,
            "last": newest.seq,
            "start": start,
            "head": newest.hash,
            "public_key": public,
            "files": digests,
        }
        told = json.dumps(manifest, indent=1, sort_keys=True).encode()
        archive.writestr("manifest.json", told)
        archive.writestr("manifest.sig", checkpoints.signer(key).sign(b"gandan bundle\n" + told).hex())
    return reading.entries


def _refuse_a_broken_one(reading: chain.Reading, faults: list[tuple[int, str]], *, last: int) -> None:
    found = reading.verdict()
    faults = [*faults, *found.faults]
    if not faults and found.last != last:
        faults = [(last, "truncated")]
    if faults:
        raise verifying.Broken(chain.Verdict(found.entries, found.head, tuple(faults), found.last))


def _line(row: chain.Spelled) -> bytes:
    told: dict[str, Any] = dict(zip(chain.SPELLED, row, strict=True))
    digest = told.pop("hash")
    return digest.encode() + b" " + chain.canonical(told) + b"\n"
