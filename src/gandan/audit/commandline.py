"""`gandan audit`: verify the record, sign its end, and hand a part of it to somebody who trusts nobody.

Exit codes: 0 the record is whole (or what was asked is done); 1 it is not; 2 the command or its input is wrong.
"""

import argparse
import sys
import time
from pathlib import Path

OK, BROKEN, WRONG = 0, 1, 2

WORDS = {
    "gap": "an entry is missing before it",
    "altered": "does not fit its hash: it was altered, or the one before it was",
    "head": "the head of the record tells another end than its entries",
    "rewritten": "is not what a signed checkpoint says it was: the record was written anew",
    "truncated": "a signed checkpoint knows this entry, and the record ends before it",
    "signature": "a checkpoint at this entry is not signed by a key that is trusted here",
    "instance": "a checkpoint at this entry belongs to another record",
    "checkpoint": "a checkpoint kept outside is not in the database any more",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="what to do", metavar="ACTION", dest="action", required=True)
    verify = actions.add_parser("verify", help="recompute the chain: exit code 0 whole, 1 broken, 2 wrong")
    verify.add_argument("--from-checkpoint", action="store_true", help="only what follows the newest good checkpoint")
    verify.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="checkpoints kept elsewhere: .txt files, one a line"
    )
    verify.add_argument(
        "--public-key",
        action="append",
        default=[],
        metavar="HEX",
        help="also trust checkpoints of this key (64 hex digits), as printed when they were made",
    )
    actions.add_parser("checkpoint", help="sign the end of the record now, and print the line to keep elsewhere")
    actions.add_parser("key", help="print the public key that signs the checkpoints")
    bundle = actions.add_parser("bundle", help="write entries, checkpoints and a script that verifies them offline")
    bundle.add_argument("file", type=Path, help="the .zip to write; must not exist yet")


def run(options: argparse.Namespace) -> int:
    from gandan.audit import checkpoints, verifying

    try:
        if options.action == "verify":
            return _verify(options)
        if options.action == "checkpoint":
            return _checkpoint()
        if options.action == "key":
            print(verifying.own_public_key().hex())
            return OK
        return _bundle(options.file)
    except (checkpoints.Unreadable, LookupError) as error:
        print(f"gandan audit: {error}", file=sys.stderr)
        return WRONG
    except verifying.Broken as broken:
        print(f"gandan audit: the record is broken, so it is not signed: {broken}", file=sys.stderr)
        return BROKEN


def _verify(options: argparse.Namespace) -> int:
    from gandan.audit import checkpoints, verifying

    trusted = []
    for text in options.public_key:
        try:
            trusted.append(bytes.fromhex(text))
        except ValueError:
            raise checkpoints.Unreadable(f"a public key is 64 hex digits, not {text!r}") from None
        if len(trusted[-1]) != 32:
            raise checkpoints.Unreadable(f"a public key is 64 hex digits, not {len(text)}")
    outside = verifying.read_outside(options.checkpoints)
    began = time.process_time()
    verdict = verifying.verify(outside=outside, trusted=trusted, from_checkpoint=options.from_checkpoint)
    seconds = max(time.process_time() - began, 1e-6)
    if verdict.intact:
        against = f", {len(outside)} checkpoints from outside hold" if outside else ""
        print(
            f"The record is whole: {verdict.entries} entries up to {verdict.last}, head {verdict.head[:16]}{against}; "
            f"{verdict.entries / seconds:,.0f} a second of processor time."
        )
        return OK
    for seq, code in verdict.faults[:50]:
        print(f"entry {seq}: {WORDS[code]}")
    print(f"The record is broken in {len(verdict.faults)} places.", file=sys.stderr)
    return BROKEN


def _checkpoint() -> int:
    from gandan.access import now
    from gandan.audit import actions, checkpoints, verifying
    from gandan.audit.models import AuditCheckpoint

    actions.make_checkpoint(now())
    newest = AuditCheckpoint.objects.order_by("-seq").first()
    if newest is None:
        raise checkpoints.Unreadable("the record is empty: there is nothing to sign yet")
    print(verifying.checkpoint_of(newest).line)
    return OK


def _bundle(target: Path) -> int:
    from gandan.audit import bundles

    if target.exists():
        print(f"gandan audit: {target} exists already; name a new file", file=sys.stderr)
        return WRONG
    # Under its own name only when it is whole and signed.
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as file:
            count = bundles.write(file)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    print(f"{target}: {count} entries. To verify it: unzip it and run python3 verify_bundle.py there.")
    return OK
