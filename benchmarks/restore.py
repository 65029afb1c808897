"""How long a province takes to back up, to verify and to restore.

    python -m benchmarks restore [--cases N] [--files N] [--database URL] [--json FILE]
    python -m benchmarks restore --home FOLDER [--files N] [--json FILE]

An invented province: cases with identity, four lines, three promises with three events each and ten entries of the
record for each case, in the small demo province. The rows lie in the product's own tables; the record is chained.
Then `backup`, `restore --verify` and `restore` as commands of their own, encrypted, each timed from start to end; the
restored installation must pass `gandan audit verify` and hold the same digests: it is backed up again, and what both
manifests say of every table and file is compared; one word is then changed, which must be told. `--home` takes an
installation on SQLite that is there already, such as an invented nation, and leaves it as it was: where files are to
be added, a copy gets them. PostgreSQL needs `--database`, the address of a server on which databases may be made; they
are dropped at the end. What is not needed any more is removed on the way, so that the disk must hold two of everything.
"""

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from benchmarks.rounds import report

TARGET = "a million cases and 20 GiB restored in less than 15 minutes, nothing differs"

ROOT = Path(__file__).resolve().parent.parent
CLONE = """
import sys, uuid
from gandan.cli import start_django; start_django()
from django.db import transaction
from gandan.audit import actions as audit
from gandan.cases.models import Case, CaseEvent, CaseIdentity
from gandan.obligations.models import Obligation, ObligationEvent

wanted = int(sys.argv[1])
BATCH = 500
samples = list(Case.system('benchmark').exclude(procedure__confidentiality='sealed').order_by('pk')[:BATCH])
lines, owed, events = {}, {}, {}
for line in CaseEvent.system('benchmark').filter(case__in=samples):
    lines.setdefault(line.case_id, []).append(line)
for row in Obligation.system('benchmark').filter(matter__in=[s.pk for s in samples]):
    owed.setdefault(row.matter, []).append(row)
for event in ObligationEvent.system('benchmark').filter(obligation__matter__in=[s.pk for s in samples]):
    events.setdefault(event.obligation_id, []).append(event)
made = Case.system('benchmark').count()
alphabet = '23456789ABCDEFGHJKMNPQRSTVWXYZ'
def reference(n):
    text = ''
    for _ in range(8):
        n, rest = divmod(n, 30); text = alphabet[rest] + text
    return 'GD+' + text[:4] + '-' + text[4:]
def copied(row, **values):
    for field in row._meta.concrete_fields:
        if field.attname not in values:
            value = getattr(row, field.attname)
            values[field.attname] = 'Lời kể' if type(value).__name__ == 'Sealed' else value
    return type(row)(**values)
number = 0
while made < wanted:
    cases, people, all_lines, all_owed, all_events, entries = [], [], [], [], [], []
    for sample in samples:
        if made >= wanted: break
        made += 1; number += 1
        key = uuid.uuid4()
        cases.append(copied(sample, id=key, reference=reference(number), submission=uuid.uuid4(), follow_hash=''))
        people.append(CaseIdentity(case_id=key, name='Người dân %d' % number, phone='0900000000'))
        all_lines += [copied(line, id=uuid.uuid4(), case_id=key) for line in lines.get(sample.pk, ())]
        about = [key]
        for row in owed.get(sample.pk, ()):
            own = uuid.uuid4(); about.append(own)
            all_owed.append(copied(row, id=own, matter=key))
            all_events += [copied(e, id=uuid.uuid4(), obligation_id=own) for e in events.get(row.pk, ())]
        entries += [audit.prepare('case.note', at=sample.received_at, object_type='cases.case',
                                  object_id=about[i % len(about)], unit_id=sample.holder_id) for i in range(10)]
    with transaction.atomic():
        for model, rows in ((Case, cases), (CaseIdentity, people), (CaseEvent, all_lines), (Obligation, all_owed),
                            (ObligationEvent, all_events)):
            model.objects.bulk_create(rows, batch_size=400)
        audit.record_history(entries)
    if number % 20000 < BATCH: print(made, flush=True)
"""
FILES = """
import hashlib, os, sys
from gandan.cli import start_django; start_django()
from django.conf import settings
from django.db import transaction
from gandan.access import now
from gandan.cases.models import Attachment, Case
wanted = int(sys.argv[1])
cases = list(Case.system('benchmark').order_by('pk').values_list('pk', flat=True)[:wanted])
rows = []
for n in range(wanted):
    content = os.urandom(200_000)
    digest = hashlib.sha256(content).hexdigest()
    path = settings.MEDIA_ROOT / digest[:2] / digest
    path.parent.mkdir(parents=True, exist_ok=True); path.write_bytes(content)
    rows.append(Attachment(case_id=cases[n % len(cases)], sha256=digest, name='a.jpg', media_type='image/jpeg',
                           size=len(content), added_at=now()))
with transaction.atomic():
    Attachment.objects.bulk_create(rows, batch_size=400)
"""
COUNT = """
from gandan.cli import start_django; start_django()
from gandan.cases.models import Case
print(Case.system('benchmark').count())
"""


MANIFEST = """
import json, sys
from pathlib import Path
from gandan.cli import start_django; start_django()
from gandan.config.backup import archive
with archive.reading(Path(sys.argv[2]), archive.identities_of(Path(sys.argv[1]))) as inside:
    for member in inside:
        if member.name == 'manifest.json':
            found = json.load(inside.extractfile(member))
rows = {name: [each['rows'], each['digest']] for name, each in found['tables'].items()}
print(json.dumps(rows | found['files']))
"""
CHANGED = """
import json
from gandan.cli import start_django; start_django()
from django.db import transaction
from gandan.cases.models import Case
from gandan.config import digests
from gandan.config.backup import databases
table = next(each for each in digests.tables() if each.name == 'cases_case')
def told():
    with databases.raw('default') as raw:
        return digests.content(raw, table)
before = told()
with transaction.atomic():
    first = Case.system('benchmark').order_by('pk').first()
    Case.system('benchmark').filter(pk=first.pk).update(title=first.title + 'x')
print(json.dumps(before.rows == told().rows and before != told()))
"""


def _run(environment: dict[str, str], *command: str) -> tuple[float, str]:
    began = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=environment["GANDAN_HOME"])
    if done.returncode:
        raise SystemExit(
            f"{' '.join(command[:4])} failed ({done.returncode}):\n{done.stdout[-500:]}{done.stderr[-2000:]}"
        )
    return time.monotonic() - began, done.stdout


class Databases:
    """Databases of the server named, made and dropped again."""

    def __init__(self, address: str) -> None:
        self.address, self.made = address, []

    def make(self, name: str) -> str:
        if not self.address:
            return ""
        name = f"bench_{name}_{secrets.token_hex(3)}"
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE template0')
        self.made.append(name)
        return urlunsplit(urlsplit(self.address)._replace(path=f"/{name}"))

    def drop(self) -> None:
        for name in self.made:
            self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _administer(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self.address, autocommit=True) as raw:
            raw.execute(statement.encode())


def measure(options: argparse.Namespace, folder: Path, databases: Databases) -> dict[str, Any]:
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("GANDAN_", "DATABASE_URL", "DJANGO_"))}

    def installation(name: str) -> dict[str, str]:
        (folder / name).mkdir()
        return kept | {
            "GANDAN_HOME": str(folder / name),
            "GANDAN_DEMO": "1",
            "GANDAN_TODAY": "2026-11-23",
            "DATABASE_URL": databases.make(name),
            "PYTHONPATH": str(ROOT / "src"),
        }

    gandan, made = (sys.executable, "-m", "gandan"), 0.0
    target = installation("target")
    if options.home and not options.files:
        source = target | {"GANDAN_HOME": str(options.home.resolve())}
    elif options.home:
        source = target | {"GANDAN_HOME": str(folder / "source")}
        shutil.copytree(options.home, folder / "source")
    else:
        source = installation("source")
        _run(source, *gandan, "demo", "--quiet")
        made, _ = _run(source, sys.executable, "-c", CLONE, str(options.cases))
    if options.files:
        _run(source, sys.executable, "-c", FILES, str(options.files))
    home = Path(source["GANDAN_HOME"])
    cases = int(_run(source, sys.executable, "-c", COUNT)[1])
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    files = [path.stat().st_size for path in (home / "files").rglob("*") if path.is_file()]
    _run(source, *gandan, "backup", "keygen", str(folder / "key"))
    recipient = (folder / "key").read_text().split("recipient: ")[1].split()[0]
    identity = ("--identity", str(folder / "key"))

    def manifest(archive: Path) -> dict[str, Any]:
        told = _run(target, sys.executable, "-c", MANIFEST, str(folder / "key"), str(archive))[1]
        return dict(json.loads(told))

    archive, again = folder / "province.backup", folder / "again.backup"
    backup, said = _run(source, *gandan, "backup", str(archive), "--recipient", recipient)
    one, archived = manifest(archive), archive.stat().st_size
    (folder / "target/keys").mkdir(exist_ok=True)
    (folder / "target/keys/master.key").write_bytes((home / "keys/master.key").read_bytes())
    if home.parent == folder:
        shutil.rmtree(home)
    drill, _ = _run(target, *gandan, "restore", "--verify", str(archive), *identity)
    restore, _ = _run(target, *gandan, "restore", str(archive), *identity)
    verify, whole = _run(target, *gandan, "audit", "verify")
    archive.unlink()
    _again, other = _run(target, *gandan, "backup", str(again), "--recipient", recipient)
    assert said.split(": ")[1].split(",")[0] == other.split(": ")[1].split(",")[0], "as many rows, tables and files"
    two = manifest(again)
    noticed = json.loads(_run(target, sys.executable, "-c", CHANGED)[1])
    return {
        "engine": "postgresql" if options.database else "sqlite",
        "cases": cases,
        "files": len(files),
        "files_mb": round(sum(files) / 1e6),
        "said": said.split(": ", 1)[1].split(". The keys")[0],
        "installation_mb": round(size / 1e6),
        "archive_mb": round(archived / 1e6),
        "seconds": {
            "make": round(made, 1),
            "backup": round(backup, 1),
            "restore --verify": round(drill, 1),
            "restore": round(restore, 1),
            "audit verify": round(verify, 1),
        },
        "verified": whole.strip(),
        "differing": [name for name in sorted(one.keys() | two.keys()) if one.get(name) != two.get(name)],
        "noticed": noticed,
        "restore_seconds_per_million_cases": round(restore / cases * 1e6),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.restore", description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--files", type=int, default=0, help="attachments of 200 kB to add")
    parser.add_argument("--database", default="", help="a PostgreSQL server; without it SQLite is measured")
    parser.add_argument("--home", type=Path, help="an installation on SQLite to take as it is")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    databases = Databases(options.database)
    try:
        with tempfile.TemporaryDirectory(prefix="gandan-restore-") as folder:
            found = measure(options, Path(folder), databases)
    finally:
        databases.drop()
    print(json.dumps({"restore": found}, indent=1, ensure_ascii=False))
    report("restore", found, target=TARGET, json_file=options.json, cases=options.cases, files=options.files)
    return 0 if found["differing"] == [] and found["noticed"] else 1


if __name__ == "__main__":
    sys.exit(main())
