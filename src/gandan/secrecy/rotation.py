"""Replacing the key that locks all others, and showing that everything still opens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.apps import apps
from django.db import transaction

from gandan import audit
from gandan.access import SystemActor
from gandan.secrecy import keys, vault
from gandan.secrecy.fields import SealedTextField
from gandan.secrecy.models import DataKey

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Rotated:
    """The number that locks everything now, how many data keys, and the numbers that were taken out of use."""

    version: int
    count: int
    retired: tuple[int, ...]


@dataclass(slots=True)
class Verified:
    """How many data keys open, and those that do not, each with the reason."""

    opened: int = 0
    shut: list[tuple[UUID, str]] = field(default_factory=list)


def rotate() -> Rotated:
    """Lock every data key with a new key. Killed at any moment, it is run again and ends the same.

    Raises Unopened when a data key does not open with the old key, or with the new one afterwards; the old key is
    taken out of use only after every single one was opened with the new one.
    """
    before, _locking = keys.current()
    started = DataKey.objects.exclude(kek=before).exists()
    if not started:
        vault.make(before + 1)
    version = vault.newest()
    locking = vault.key(version)
    while _rewrap(version, locking):
        pass
    found = verify()
    if found.shut or DataKey.objects.exclude(kek=version).exists():
        raise vault.Unopened(f"{len(found.shut)} data keys do not open; the old key stays in use")
    retired = tuple(number for number in vault.versions() if number != version)
    for number in retired:
        vault.retire(number)
    return Rotated(version, found.opened, retired)


def _rewrap(version: int, locking: bytes) -> int:
    with transaction.atomic():
        rows = list(DataKey.objects.select_for_update().exclude(kek=version).order_by("pk")[:BATCH])
        for row in rows:
            plain = vault.unwrap(bytes(row.wrapped), vault.key(row.kek))
            row.wrapped, row.kek = vault.wrap(plain, locking), version
        if rows:
            DataKey.objects.bulk_update(rows, ["wrapped", "kek"], batch_size=200)
            audit.record("keys.rotate", by=SystemActor("keys"), reason=f"kek-{version}")
    return len(rows)


def verify(held: Mapping[str, bytes] | None = None) -> Verified:
    """Open every data key with the keys of the folder, or with those given by the names of their files."""
    found = Verified()
    for row in DataKey.objects.order_by("pk").iterator(chunk_size=BATCH):
        try:
            vault.unwrap(bytes(row.wrapped), _locking(row.kek, held))
        except vault.Unopened as error:
            found.shut.append((row.pk, str(error)))
        else:
            found.opened += 1
    return found


def sample(held: Mapping[str, bytes]) -> int:
    """Return how many sealed texts were opened, one of each field that has any, with the keys given. Raises
    Unopened when one does not open."""
    count = 0
    for model in apps.get_models():
        for each in model._meta.concrete_fields:
            if not isinstance(each, SealedTextField):
                continue
            rows = model.system("escrow-test").filter(**{f"{each.attname}__startswith": vault.MARK})  # type: ignore[attr-defined]
            found = rows.values_list("pk", each.attname).first()
            if found is None:
                continue
            key = DataKey.objects.filter(pk=vault.key_id_of(found[1])).first()
            if key is None:
                continue  # a draft: its key follows from the keys given, and is stored nowhere
            plain = vault.unwrap(bytes(key.wrapped), _locking(key.kek, held))
            vault.text_of(found[1], plain, table=model._meta.db_table, row=found[0], field=str(each.column))
            count += 1
    return count


def _locking(version: int, held: Mapping[str, bytes] | None) -> bytes:
    if held is None:
        return vault.key(version)
    for name in (f"kek-{version}.key", f"retired-kek-{version}.key"):
        if name in held:
            return held[name]
    raise vault.KeyMissing(f"the key kek-{version}.key is not among those given")
