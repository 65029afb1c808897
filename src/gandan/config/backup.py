"""A copy that proves itself: database, files and a manifest of what is in them.

The database is copied first and the files afterwards; files are kept under their digest and never change,
so that the copy holds at least every file that its database names. Keys are not in the archive.

Exit codes of a refused restore: 10 not a backup, 11 incomplete, 12 altered, 13 made by a newer version,
14 made for the other engine, 15 the installation is not empty.
"""

import hashlib
import io
import json
import os
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from gandan import __version__
from gandan.access import now
from gandan.config.exits import OK, REFUSED, CommandError

NOT_A_BACKUP, INCOMPLETE, ALTERED, NEWER, OTHER_ENGINE, NOT_EMPTY = 10, 11, 12, 13, 14, 15
MANIFEST, DATABASE, FILES = "manifest.json", "database", "files/"
_FORMAT = 1


def write(target: Path) -> int:
    """Write a backup to `target`, verify it by reading it again, and say what it holds."""
    if target.exists():
        raise CommandError(f"{target} exists already; name a new file", REFUSED)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            copy = Path(folder) / DATABASE
            _copy_database(copy)
            files = list(_files())
            manifest = {
                "format": _FORMAT,
                "version": __version__,
                "made_at": now().isoformat(),
                "engine": connection.vendor,
                "migrations": sorted(
                    f"{app}.{name}" for app, name in MigrationLoader(connection).applied_migrations or {}
                ),
                "database": _digest(copy),
                "files": {name: digest for name, _, digest in files},
            }
            with tarfile.open(partial, "w:gz", compresslevel=3) as archive:
                _add_bytes(archive, MANIFEST, json.dumps(manifest, sort_keys=True, indent=1).encode())
                archive.add(copy, DATABASE)
                for name, path, _ in files:
                    archive.add(path, FILES + name)
        verify(partial)
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    print(f"{target}: database and {len(files)} files, verified. The keys in {settings.GANDAN_HOME} are not in it.")
    return OK


def verify(source: Path) -> dict[str, Any]:
    """Read a backup from end to end and return its manifest. Raises CommandError with its own exit code."""
    seen: dict[str, str] = {}
    manifest: dict[str, Any] = {}
    try:
        with tarfile.open(source, "r:gz") as archive:
            for member in archive:
                stream = archive.extractfile(member)
                if stream is None:
                    raise CommandError(f"{source} holds something that is not a file: {member.name}", NOT_A_BACKUP)
                if member.name == MANIFEST:
                    manifest = json.loads(stream.read())
                else:
                    seen[member.name] = _digest_stream(stream)
    except FileNotFoundError:
        raise CommandError(f"{source} does not exist", NOT_A_BACKUP) from None
    except (EOFError, OSError, tarfile.TarError, ValueError) as error:
        # A cut or damaged archive shows itself in many ways, all of which mean: do not use it.
        if manifest:
            raise CommandError(f"{source} ends too early or is damaged: {error}", INCOMPLETE) from None
        raise CommandError(f"{source} is not a readable backup: {error}", NOT_A_BACKUP) from None
    if manifest.get("format") != _FORMAT:
        raise CommandError(f"{source} is not a backup of Gần Dân that this version reads", NOT_A_BACKUP)
    expected = {DATABASE: manifest["database"], **{FILES + n: d for n, d in manifest["files"].items()}}
    missing = sorted(set(expected) - set(seen))
    if missing:
        raise CommandError(f"{source} lacks {len(missing)} parts, first {missing[0]}", INCOMPLETE)
    altered = sorted(name for name, digest in expected.items() if seen[name] != digest)
    if altered or set(seen) - set(expected):
        raise CommandError(f"{source} was altered: {(altered or sorted(set(seen) - set(expected)))[0]}", ALTERED)
    return manifest


def restore(source: Path, *, verify_only: bool = False) -> int:
    """Put a verified backup into an empty installation; otherwise refuse and change nothing."""
    manifest = verify(source)
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    newer = sorted(set(manifest["migrations"]) - known)
    if newer:
        raise CommandError(f"{source} was made by a newer version ({manifest['version']}): it knows {newer[0]}", NEWER)
    if manifest["engine"] != connection.vendor:
        raise CommandError(
            f"{source} holds a {manifest['engine']} database and this installation uses {connection.vendor}",
            OTHER_ENGINE,
        )
    if verify_only:
        print(
            f"{source} is whole: made {manifest['made_at']} by version {manifest['version']}, "
            f"{len(manifest['files'])} files."
        )
        return OK
    if connection.introspection.table_names():
        raise CommandError("the installation is not empty; restore into a new folder or database", NOT_EMPTY)
    connection.close()
    with tempfile.TemporaryDirectory(dir=_made(settings.GANDAN_HOME)) as folder:
        with tarfile.open(source, "r:gz") as archive:
            archive.extractall(folder, filter="data")
        _make_private(Path(folder))
        _put_database(Path(folder) / DATABASE)
        for path in (Path(folder) / FILES).rglob("*"):
            if path.is_file():
                goal = settings.MEDIA_ROOT / path.relative_to(Path(folder) / FILES)
                _made(goal.parent)
                path.rename(goal)
    from gandan.audit import triggers

    triggers.install()
    print(f"Restored the backup of {manifest['made_at']} into {settings.GANDAN_HOME}. Run gandan check before serving.")
    return OK


def _copy_database(copy: Path) -> None:
    if connection.vendor == "sqlite":
        source = sqlite3.connect(f"file:{settings.DATABASES['default']['NAME']}?mode=ro", uri=True)
        goal = sqlite3.connect(copy)
        with source, goal:
            source.backup(goal)
        goal.close()
        source.close()
    else:
        _postgresql("pg_dump", "--format=custom", "--no-owner", f"--file={copy}")


def _put_database(copy: Path) -> None:
    if connection.vendor == "sqlite":
        goal = Path(settings.DATABASES["default"]["NAME"])
        for leftover in (goal, goal.with_name(goal.name + "-wal"), goal.with_name(goal.name + "-shm")):
            leftover.unlink(missing_ok=True)
        copy.rename(goal)
    else:
        _postgresql(
            "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname", _dsn(), str(copy)
        )


def _postgresql(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's own programs, the password kept out of the list of processes."""
    values = settings.DATABASES["default"]
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = {**os.environ, **{variable: str(values[key]) for variable, key in names.items() if values[key]}}
    try:
        done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    except FileNotFoundError:
        raise CommandError(f"{program} is not installed: apt-get install postgresql-client") from None
    if done.returncode:
        raise CommandError(
            f"{program} failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else done.returncode}"
        )


def _dsn() -> str:
    return str(settings.DATABASES["default"]["NAME"])


def _files() -> Iterator[tuple[str, Path, str]]:
    root = settings.MEDIA_ROOT
    for path in sorted(root.rglob("*")) if root.exists() else []:
        if path.is_file() and not path.name.startswith("."):
            yield path.relative_to(root).as_posix(), path, _digest(path)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest_stream(stream: Any) -> str:
    digest = hashlib.sha256()
    while block := stream.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _make_private(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
