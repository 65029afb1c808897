"""`gandan keys`: replace the key that locks all others, verify, and split it among three holders."""

import argparse
import base64
import hashlib
import json
import os
import sys
from pathlib import Path

OK, NO, WRONG, REFUSED = 0, 1, 2, 3
NEEDED, HOLDERS = 2, 3
_FORM = "gandan-escrow-1"
_SUM = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    doings = parser.add_subparsers(dest="do", metavar="WHAT", required=True)

    def doing(name: str, text: str) -> argparse.ArgumentParser:
        return doings.add_parser(name, help=text, description=text)

    doing("rotate", "make a new key, lock every data key with it, verify, and take the old one out of use")
    doing("verify", "open every data key; exit 1 when one does not open")
    escrow = doing("escrow", "write three shares of all keys, any two of which bring them back")
    escrow.add_argument("folder", type=Path, metavar="DIR", help="where to write them; give each to another person")
    test = doing("escrow-test", "show that two shares open what is sealed, without writing anything")
    test.add_argument("shares", type=Path, nargs=2, metavar="SHARE")
    recover = doing("recover", "put the keys back from two shares; never over a key that is there")
    recover.add_argument("shares", type=Path, nargs=2, metavar="SHARE")


def run(options: argparse.Namespace) -> int:
    """Do what was asked. Exit codes: 0 done; 1 something does not open; 2 a share is not one; 3 refused because of
    what is already there."""
    from gandan.secrecy import vault

    try:
        match options.do:
            case "rotate":
                return _rotate()
            case "verify":
                return _verify()
            case "escrow":
                return _escrow(options.folder)
            case "escrow-test":
                return _escrow_test(options.shares)
            case _:
                return _recover(options.shares)
    except ValueError as error:
        print(f"gandan: {error}", file=sys.stderr)
        return WRONG
    except vault.Unopened as error:
        print(f"gandan: {error}", file=sys.stderr)
        return NO


def _rotate() -> int:
    from gandan.secrecy import rotation

    done = rotation.rotate()
    print(f"kek-{done.version}.key locks {done.count} data keys now; all of them open with it.")
    for version in done.retired:
        print(f"kek-{version}.key is out of use; delete retired-kek-{version}.key with the last backup that needs it.")
    print("The shares that were handed out no longer hold the newest key: run `gandan keys escrow DIR` again.")
    return OK


def _verify() -> int:
    from gandan.secrecy import rotation

    found = rotation.verify()
    print(f"{found.opened} data keys open, {len(found.shut)} do not.")
    for key, why in found.shut[:20]:
        print(f"      {key}: {why}")
    return NO if found.shut else OK


def _escrow(folder: Path) -> int:
    from gandan.secrecy import keys, shamir, vault

    goals = {n: folder / f"share-{n}.txt" for n in range(1, HOLDERS + 1)}
    if any(goal.exists() for goal in goals.values()):
        print(f"gandan: there are shares in {folder} already; name an empty folder", file=sys.stderr)
        return REFUSED
    keys.current()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    held = {path.name: path.read_bytes().hex() for path in vault.versions(retired=True).values()}
    master = vault.folder() / vault.MASTER
    if master.exists():
        held[master.name] = master.read_bytes().hex()
    content = json.dumps(held, sort_keys=True).encode()
    whole = hashlib.sha256(content).digest()[:_SUM] + content
    name = hashlib.sha256(whole).hexdigest()[:8]
    for number, share in shamir.split(whole, needed=NEEDED, shares=HOLDERS).items():
        text = f"{_FORM} {name} {number} {base64.b32encode(share).decode()}\n"
        descriptor = os.open(goals[number], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
    print(f"Three shares of {len(held)} keys are in {folder}. Any two bring the keys back; one alone says nothing.")
    print("Give each to another person, on paper or a stick in a sealed envelope, and delete them here.")
    return OK


def _escrow_test(shares: list[Path]) -> int:
    from gandan.secrecy import rotation, vault

    held = joined(shares)
    newest = f"kek-{vault.newest()}.key"
    if newest not in held:
        print(f"These shares do not hold {newest}: run `gandan keys escrow DIR` again.")
        return NO
    found = rotation.verify(held)
    words = rotation.sample(held)
    print(f"The shares open {found.opened} data keys and {words} sealed texts; {len(found.shut)} do not open.")
    return NO if found.shut else OK


def _recover(shares: list[Path]) -> int:
    from gandan.secrecy import vault

    held = joined(shares)
    there = [name for name in held if (vault.folder() / name).exists()]
    other = [name for name in there if (vault.folder() / name).read_bytes() != held[name]]
    if other:
        print(
            f"gandan: {', '.join(other)} in {vault.folder()} is another key; nothing was written. If what is kept here "
            "was made with the keys of these shares, move that file to another place and run this again",
            file=sys.stderr,
        )
        return REFUSED
    for name, content in held.items():
        vault.place(name, content)
    print(f"{len(held) - len(there)} keys are back in {vault.folder()}.")
    return OK


def joined(shares: list[Path]) -> dict[str, bytes]:
    """Return the keys that the shares hold, by the names of their files. Raises ValueError for what is no share of
    ours, or two that do not belong together."""
    from gandan.secrecy import shamir

    parts: dict[int, bytes] = {}
    names = set()
    for path in shares:
        words = path.read_text(errors="replace").split() if path.is_file() else []
        if len(words) != 4 or words[0] != _FORM or not words[2].isdigit():
            raise ValueError(f"{path} is not a share made by gandan keys escrow")
        names.add(words[1])
        try:
            parts[int(words[2])] = base64.b32decode(words[3])
        except ValueError:
            raise ValueError(f"{path} is damaged: it was not copied exactly") from None
    if len(parts) < NEEDED or len(names) != 1:
        raise ValueError("two different shares of the same splitting are needed")
    whole = shamir.combine(parts)
    if hashlib.sha256(whole[_SUM:]).digest()[:_SUM] != whole[:_SUM]:
        raise ValueError("these shares do not give the keys: one of them was altered")
    return {name: bytes.fromhex(key) for name, key in json.loads(whole[_SUM:]).items()}


def retention(*, dry_run: bool) -> int:
    """Forget what is past its period, or only say what would be; print one line a table."""
    from gandan.access import now
    from gandan.secrecy import retention as periods

    for line in periods.run(now(), dry_run=dry_run):
        rule, days = line.rule, "for ever" if line.rule.days is None else f"{line.rule.days} days"
        print(f"{rule.table:20} {rule.do:10} {days:10} {line.due:6} past it, {line.held:4} held  {rule.basis['en']}")
    print("Nothing was changed." if dry_run else "Done.")
    return OK
