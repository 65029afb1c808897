#!/usr/bin/env python3
"""Verify a bundle of the audit record, away from the server that made it.

    python3 verify_bundle.py [FOLDER or BUNDLE.zip] [--public-key HEX] [--checkpoint "gandan1 ..."]

Needs Python 3.9 or later and the package `cryptography`; no network. Without arguments it reads the folder in which it
lies. Give --public-key the key that you were told by another way (on paper, by telephone), and --checkpoint each line
that you have kept or scanned yourself: those are what an altered server cannot forge.

Exit codes: 0 the bundle is whole; 1 it is not, and a sentence says why; 2 it cannot be read; 3 it is whole in itself,
but a checkpoint that you gave is of an entry before its first, so that the two could not be compared.
"""

import argparse
import hashlib
import json
import re
import sys
import zipfile
from pathlib import Path

LINE = re.compile(
    r"gandan1 (\d{1,19}) ([0-9a-f]{64}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) "
    r"([0-9a-f]{32}) ([0-9a-f]{16}) ([0-9a-f]{128})"
)
FILES = ("entries.txt", "checkpoints.txt", "public-key.txt", "README.txt", "verify_bundle.py")


class Refused(Exception):
    """A bundle that does not hold together: (English, Vietnamese)."""


class NotCompared(Exception):
    """A whole bundle, and a checkpoint kept by somebody that says nothing about it: (English, Vietnamese)."""


class Unreadable(Exception):
    """Something that is no bundle: (English, Vietnamese)."""


class Bundle:
    """The files of a bundle, from a folder or a zip."""

    def __init__(self, place):
        self.zip = None
        self.folder = Path(place)
        if self.folder.is_file():
            try:
                self.zip = zipfile.ZipFile(self.folder)
            except (zipfile.BadZipFile, OSError) as error:
                raise Unreadable(
                    f"{place} is not a readable zip: {error}", f"{place} không phải tệp zip đọc được"
                ) from None
        elif not self.folder.is_dir():
            raise Unreadable(f"there is no {place}", f"không có {place}")

    def open(self, name):
        try:
            if self.zip is not None:
                return self.zip.open(name)
            return (self.folder / name).open("rb")
        except (KeyError, OSError):
            raise Refused(f"{name} is missing", f"thiếu tệp {name}") from None

    def read(self, name):
        with self.open(name) as file:
            return file.read()


def verify(place, trusted=None, promised=()):
    """Return the manifest of a whole bundle. Raises Refused, NotCompared or Unreadable with a sentence in both
    languages."""
    bundle = Bundle(place)
    try:
        return _verify(bundle, trusted, promised)
    except (Refused, NotCompared, Unreadable):
        raise
    except ImportError:
        raise Unreadable("install the package cryptography first", "hãy cài gói cryptography trước") from None
    except Exception as error:  # a damaged file fails its readers in any way; the answer is the same
        raise Refused(f"the bundle is damaged: {error}", f"gói bị hỏng: {error}") from None


def _verify(bundle, trusted, promised):
    public = bundle.read("public-key.txt").decode("ascii", "replace").strip()
    if not re.fullmatch(r"[0-9a-f]{64}", public):
        raise Refused("public-key.txt holds no key", "public-key.txt không chứa khoá")
    if trusted is not None and public != trusted.lower():
        raise Refused("it is signed with another key than the one you trust", "gói ký bằng khoá khác với khoá bạn tin")
    text = bundle.read("manifest.json")
    if not _signed(public, bundle.read("manifest.sig").decode("ascii", "replace").strip(), b"gandan bundle\n" + text):
        raise Refused("the manifest is not signed with this key", "bản kê không được ký bằng khoá này")
    manifest = json.loads(text)
    for name in FILES:
        if _digest(bundle, name) != manifest["files"][name]:
            raise Refused(f"{name} was altered", f"tệp {name} đã bị sửa")
    checkpoints = _checkpoints(bundle.read("checkpoints.txt").decode().splitlines(), public, manifest["instance"])
    kept = _checkpoints(promised, public, manifest["instance"])
    first, last, hashes = manifest["first"], manifest["last"], {}
    wanted = {seq for seq, _ in (*checkpoints, *kept)}
    previous, number, head = bytes.fromhex(manifest["start"]), first, manifest["start"]
    with bundle.open("entries.txt") as file:
        for line in file:
            head, _, entry = line.rstrip(b"\n").decode().partition(" ")
            if json.loads(entry)["seq"] != number:
                raise Refused(f"entry {number} is missing", f"thiếu bản ghi số {number}")
            if hashlib.sha256(previous + b"\x01" + entry.encode()).hexdigest() != head:
                raise Refused(f"entry {number} does not fit its hash", f"bản ghi số {number} không khớp mã băm")
            previous = bytes.fromhex(head)
            if number in wanted:
                hashes[number] = head
            number += 1
    if number - 1 != last or head != manifest["head"]:
        raise Refused(
            f"the entries end at {number - 1}, not at {last}", f"bản ghi dừng ở số {number - 1}, không phải {last}"
        )
    if first > 1:
        hashes[first - 1] = manifest["start"]
    for seq, promise in checkpoints:
        if hashes.get(seq) != promise:
            raise Refused(f"the checkpoint at {seq} tells another hash", f"mốc tại số {seq} cho mã băm khác")
    for seq, promise in kept:
        if seq > last:
            raise Refused(
                f"your checkpoint knows entry {seq}, and the record ends at {last}: its end was cut off",
                f"mốc bạn giữ có bản ghi số {seq}, nhưng nhật ký dừng ở {last}: phần cuối đã bị cắt",
            )
        if seq >= first - 1 and hashes.get(seq) != promise:
            raise Refused(
                f"your checkpoint at {seq} tells another hash: the record was written anew",
                f"mốc bạn giữ tại số {seq} cho mã băm khác: nhật ký đã bị viết lại",
            )
    early = sorted(seq for seq, _ in kept if seq < first - 1)
    if early:
        raise NotCompared(
            f"the entries {first} to {last} fit one another, but your checkpoint at {early[0]} lies before them and "
            f"could not be compared: ask for a bundle from entry {early[0] + 1} or earlier",
            f"các bản ghi từ số {first} đến {last} khớp nhau, nhưng mốc bạn giữ tại số {early[0]} nằm trước chúng nên "
            f"chưa so được: hãy xin gói bắt đầu từ bản ghi số {early[0] + 1} trở về trước",
        )
    return manifest


def _signed(public, signature, message):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _checkpoints(lines, public, instance):
    """Return (number, hash) of each line. A line that this key did not sign, or of another record, is refused."""
    found = []
    for line in lines:
        match = LINE.fullmatch(" ".join(line.split()))
        if match is None:
            raise Refused(f"this is no checkpoint: {line[:60]!r}", f"dòng này không phải mốc: {line[:60]!r}")
        message, _, signature = match[0].rpartition(" ")
        if not _signed(public, signature, message.encode()):
            raise Refused(
                f"the checkpoint at {match[1]} is not signed with this key",
                f"mốc tại số {match[1]} không ký bằng khoá này",
            )
        if match[4] != instance:
            raise Refused(
                f"the checkpoint at {match[1]} is of another record", f"mốc tại số {match[1]} thuộc nhật ký khác"
            )
        found.append((int(match[1]), match[2]))
    return found


def _digest(bundle, name):
    digest = hashlib.sha256()
    with bundle.open(name) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Verify a bundle of the audit record / Kiểm tra gói nhật ký kiểm toán")
    parser.add_argument("place", nargs="?", default=str(Path(__file__).resolve().parent), help="folder or .zip")
    parser.add_argument("--public-key", metavar="HEX", help="the key that you trust / khoá bạn tin")
    parser.add_argument(
        "--checkpoint", action="append", default=[], metavar="LINE", help="a line you kept / mốc bạn giữ"
    )
    options = parser.parse_args(arguments)
    try:
        manifest = verify(options.place, options.public_key, options.checkpoint)
    except Refused as refusal:
        english, vietnamese = refusal.args
        print(f"REFUSED: {english}.\nKHÔNG ĐẠT: {vietnamese}.", file=sys.stderr)
        return 1
    except NotCompared as gap:
        english, vietnamese = gap.args
        print(f"NOT COMPARED: {english}.\nCHƯA SO ĐƯỢC: {vietnamese}.", file=sys.stderr)
        return 3
    except Unreadable as fault:
        english, vietnamese = fault.args
        print(f"CANNOT BE READ: {english}.\nKHÔNG ĐỌC ĐƯỢC: {vietnamese}.", file=sys.stderr)
        return 2
    first, last = manifest["first"], manifest["last"]
    print(f"WHOLE: entries {first} to {last}, made {manifest['made_at']}.")
    print(f"ĐÚNG: bản ghi từ số {first} đến {last}, lập lúc {manifest['made_at']}.")
    if options.public_key is None:
        key = manifest["public_key"]
        print("Compare the key with the one you know by another way / Hãy so khoá với khoá bạn biết qua đường khác:")
        print(key)
    return 0


if __name__ == "__main__":
    sys.exit(main())
