"""A copy that proves itself: database, files and a manifest of what is in them, encrypted to a key kept elsewhere.

The database is copied first and the files afterwards; files are kept under their digest and never change, so that the
copy holds at least every file that its database names. The installation's own keys are never in the archive.

Exit codes of a refused backup: 10 not a backup, 11 cut, 12 altered, 13 made by a newer version, 14 made for the other
engine, 15 the installation is not empty, 16 encrypted to another key, 17 the copy was aborted, 18 a file that the
database names is missing, 19 the database in it does not hold together.
"""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

from gandan import __version__
from gandan.access import now
from gandan.audit import checkpoints, triggers, verifying
from gandan.audit.models import AuditHead
from gandan.config import digests, installation
from gandan.config.backup import databases
from gandan.config.backup.archive import (
    ALTERED,
    BROKEN,
    MISSING_FILE,
    NEWER,
    OTHER_ENGINE,
    add_bytes,
    add_file,
    identities_of,
    make_key,
    reading,
    recipients_of,
    writing,
)
from gandan.config.exits import NO, OK, REFUSED, WRONG, CommandError
from gandan.config.keys import KeyLost

ABOUT, DATABASE, FILES, MANIFEST = "about.json", "database", "files/", "manifest.json"
_FORMAT = 2


def keygen(path: Path) -> int:
    """Make a key pair for backups; the secret half belongs away from the server."""
    recipient = make_key(path)
    print(f"recipient: {recipient}")
    print(f"The secret key is in {path}. Keep it away from this server and print a copy: without it no backup opens.")
    return OK


def write(target: Path, recipients: list[str], *, open_to_all: bool = False) -> int:
    """Write a backup to `target` while the installation is in use, read it again, and say what it holds."""
    if target.exists():
        raise CommandError(f"{target} exists already; name a new file", REFUSED)
    if not recipients and not open_to_all:
        raise CommandError(
            "a backup holds what people told the police: name the key to encrypt to with --recipient age1... "
            "(make one with gandan backup keygen FILE), or say --unencrypted",
            WRONG,
        )
    keys = recipients_of(recipients)
    installation.required()
    signer = _own_audit_key()
    target.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        copy = Path(folder) / DATABASE
        about = {
            "format": _FORMAT,
            "version": __version__,
            "made_at": now().isoformat(),
            "engine": connection.vendor,
            "migrations": databases.applied_migrations(),
        }
        found = databases.snapshot(copy)
        manifest: dict[str, Any] = {
            **about,
            "audit_key": signer,
            "audit_head": found.audit_head,
            "tables": {name: {**asdict(each), "columns": found.columns[name]} for name, each in found.tables.items()},
        }
        with writing(target, keys) as archive:
            add_bytes(archive, ABOUT, json.dumps(about, sort_keys=True, indent=1).encode())
            manifest["database"] = add_file(archive, DATABASE, copy)
            files = {name: add_file(archive, FILES + name, path) for name, path in _files()}
            add_bytes(archive, MANIFEST, json.dumps({**manifest, "files": files}, sort_keys=True).encode())
    missing = _without(found.files, files)
    rows, tables = sum(each.rows for each in found.tables.values()), found.tables
    how = f"encrypted to {len(keys)} key{'s' if len(keys) > 1 else ''}" if keys else "NOT encrypted"
    print(
        f"{target}: {rows} rows in {len(tables)} tables and {len(files)} files, {how}, "
        f"{target.stat().st_size / 1e6:,.1f} MB in {time.monotonic() - began:.1f} s. "
        f"The keys in {settings.GANDAN_HOME} are not in it: keep them apart from it."
    )
    if missing:
        print(f"But {len(missing)} files that the database names are not on the disk, first {missing[0]}.")
        print("It can be restored only with --without-missing-files. Look for them in an older backup.")
        return NO
    return OK


def restore(
    source: Path, *, identity: Path | None = None, verify_only: bool = False, without_missing: bool = False
) -> int:
    """Verify a backup in a scratch place and, unless `verify_only`, put it into an empty installation.

    Until everything in it has been verified nothing of the installation is touched.
    """
    began = time.monotonic()
    identities = identities_of(identity)
    if not verify_only:
        databases.refuse_a_filled_one()
    with tempfile.TemporaryDirectory(dir=_made(settings.GANDAN_HOME), prefix=".restore-") as place:
        folder = Path(place)
        manifest = _unpack(source, identities, folder, keep_files=not verify_only)
        with databases.scratch(folder / DATABASE) as using:
            _verify_contents(source, manifest, using, without_missing=without_missing)
        read = time.monotonic() - began
        rows = sum(each["rows"] for each in manifest["tables"].values())
        told = (
            f"made {manifest['made_at']} by version {manifest['version']}: {rows} rows, {len(manifest['files'])} files"
        )
        if verify_only:
            print(f"{source} is whole and was restored into a scratch place in {read:.1f} s; {told}.")
            return OK
        _put(folder)
    print(f"Restored into {settings.GANDAN_HOME} in {time.monotonic() - began:.1f} s; {told}.")
    if (own := _own_audit_key_if_any()) != manifest["audit_key"]:
        lost = "are not those of this backup" if own else "are not there"
        print(
            f"The keys in {settings.GANDAN_KEYS_FOLDER} {lost}: put them back before serving, from their own escrow "
            "with gandan keys recover. Follow-up codes, sealed fields and the record's commitments need them."
        )
    print("Run gandan check before serving.")
    return OK


# What is verified


def _unpack(source: Path, identities: list[Any], folder: Path, *, keep_files: bool) -> dict[str, Any]:
    """Read the archive to its end into `folder` and hold it against its manifest."""
    seen: dict[str, str] = {}
    told: dict[str, dict[str, Any]] = {}
    with reading(source, identities) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is None or not _is_expected(member.name):
                raise CommandError(f"{source} holds something that no backup holds: {member.name[:80]}", ALTERED)
            if member.name in (ABOUT, MANIFEST):
                told[member.name] = json.loads(stream.read())
                _refuse_a_foreign_one(source, told[member.name])
                continue
            goal = folder / member.name if keep_files or member.name == DATABASE else None
            seen[member.name] = _store(stream, goal)
    manifest = told.get(MANIFEST)
    if manifest is None:
        raise CommandError(f"{source} holds no manifest", ALTERED)
    expected = {DATABASE: manifest["database"], **{FILES + n: d for n, d in manifest["files"].items()}}
    missing = sorted(set(expected) - set(seen))
    if missing:
        code = MISSING_FILE if missing[0].startswith(FILES) else ALTERED
        raise CommandError(f"{source} lacks {len(missing)} parts, first {missing[0]}", code)
    altered = sorted(name for name, digest in seen.items() if expected.get(name) != digest)
    if altered:
        raise CommandError(f"{source} was altered: {altered[0]} is not what its manifest says", ALTERED)
    return manifest


def _refuse_a_foreign_one(source: Path, about: Mapping[str, Any]) -> None:
    if about.get("format") != _FORMAT:
        raise CommandError(f"{source} has a form that this version does not read: {about.get('format')}", NEWER)
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    newer = sorted(set(about["migrations"]) - known)
    if newer:
        raise CommandError(f"{source} was made by a newer version ({about['version']}): it knows {newer[0]}", NEWER)
    if about["engine"] != connection.vendor:
        raise CommandError(
            f"{source} holds a {about['engine']} database and this installation uses {connection.vendor}; "
            "restore it there, then gandan move",
            OTHER_ENGINE,
        )


def _verify_contents(source: Path, manifest: Mapping[str, Any], using: str, *, without_missing: bool) -> None:
    """Hold a restored database against the manifest, its own rules and its record."""
    faults = databases.faults(using)
    with databases.raw(using) as raw:
        found = databases.look(raw)
    for name, told in manifest["tables"].items():
        if name not in found.tables and name in {table.name for table in digests.tables()}:
            faults.append(f"table {name} is missing")
        elif name in found.tables:
            seen = found.tables[name]
            # An older schema may have columns that this version cannot spell: then the rows are counted only.
            same = found.columns[name] == told["columns"]
            promised = digests.Content(told["rows"], told["digest"] if same else seen.digest)
            faults += digests.differences({name: promised}, {name: seen})
    missing = _without(found.files, manifest["files"])
    if not faults and _has_record(using):
        trusted = [bytes.fromhex(manifest["audit_key"])]
        verdict = verifying.verify(using=using, trusted=trusted, own=bool(_own_audit_key_if_any()))
        faults += [f"the record is broken at {seq}: {code}" for seq, code in verdict.faults]
        if not faults and manifest["audit_head"] != [verdict.last, verdict.head]:
            faults.append("the record does not end where the manifest says")
    if faults:
        raise CommandError(f"{source} does not hold together: {'; '.join(faults[:5])}", BROKEN)
    if missing and not without_missing:
        raise CommandError(
            f"{source} lacks {len(missing)} files that its database names, first {missing[0]}; "
            "--without-missing-files restores the rest",
            MISSING_FILE,
        )


def _has_record(using: str) -> bool:
    """Say whether the record has the columns of this version; an older one is verified after its migration."""
    table, chosen = AuditHead._meta.db_table, connections[using]
    with chosen.cursor() as cursor:
        return "instance" in {column.name for column in chosen.introspection.get_table_description(cursor, table)}


def _own_audit_key() -> str:
    return checkpoints.public_key(settings.GANDAN_KEYS["audit"]).hex()


def _own_audit_key_if_any() -> str:
    """Return this installation's own key, "" where its keys are not yet back: a restore makes none."""
    try:
        return _own_audit_key()
    except KeyLost:
        return ""


# Files


def _files() -> Iterator[tuple[str, Path]]:
    root = settings.MEDIA_ROOT
    for path in sorted(root.rglob("*")) if root.exists() else []:
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(root).as_posix(), path


def _without(named: Iterable[str], files: Mapping[str, str]) -> list[str]:
    """Return what is named and not among the files."""
    kept = {name.rsplit("/", 1)[-1] for name in files}
    return sorted(set(named) - kept)


def _is_expected(name: str) -> bool:
    if name in (ABOUT, DATABASE, MANIFEST):
        return True
    parts = name.split("/")
    return name.startswith(FILES) and len(parts) > 1 and not any(part in ("", ".", "..") for part in parts)


def _store(stream: Any, goal: Path | None) -> str:
    """Return the digest of a stream, written to `goal` if there is one."""
    digest = hashlib.sha256()
    file = None
    if goal is not None:
        _made(goal.parent)
        file = os.fdopen(os.open(goal, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    try:
        while block := stream.read(1 << 20):
            digest.update(block)
            if file is not None:
                file.write(block)
        if file is not None:
            file.flush()
            os.fsync(file.fileno())
    finally:
        if file is not None:
            file.close()
    return digest.hexdigest()


# Putting it in place


def _put(folder: Path) -> None:
    """Put what was verified into the installation; take it out again when a room's own word after it fails."""
    placed: list[Path] = []
    databases.put(folder / DATABASE)
    try:
        for path in sorted((folder / FILES).rglob("*")):
            if path.is_file():
                goal = settings.MEDIA_ROOT / path.relative_to(folder / FILES)
                _made(goal.parent)
                path.rename(goal)
                placed.append(goal)
        # Brings an older schema up to this version, and the database's own rules back.
        call_command("migrate", verbosity=0, interactive=False)
        triggers.install()
        for finish in after_restoring():
            finish()
    except BaseException:
        databases.take_out()
        for goal in placed:
            goal.unlink(missing_ok=True)
        raise


def after_restoring() -> Iterator[Callable[[], Any]]:
    """Yield what each room wants done with a restored installation before anybody is served: its function
    `after_restore` in a module named `restoring`, such as replaying what was erased after the copy was made."""
    for room in settings.GANDAN_ROOMS:
        if find_spec(f"{room}.restoring") is not None:
            yield import_module(f"{room}.restoring").after_restore


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder
