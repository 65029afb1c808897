"""The keys of matters: made when first needed, found in one question for a whole page, destroyed on erasure."""

import os
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from django.utils.translation import gettext as _

from gandan.access import Refused, now, sql
from gandan.secrecy import vault
from gandan.secrecy.models import DataKey, Tombstone

Opened = dict[UUID, bytes]
"""Open data keys by their id."""


def current() -> tuple[int, bytes]:
    """Return number and bytes of the key that locks what is new; make the first one when nothing is locked yet."""
    version = vault.newest()
    if not version:
        if DataKey.objects.exists():
            raise vault.KeyMissing(
                f"names are sealed in this database, but no key lies in {vault.folder()}: "
                "put the keys back, or bring them back with `gandan keys recover`"
            )
        vault.make(1)
        version = vault.newest()
    return version, vault.key(version)


def of_matters(matters: Iterable[UUID]) -> dict[UUID, tuple[UUID, bytes]]:
    """Return (id, open key) for each matter, making those that are missing, with two statements for any number.

    Raises Refused for a matter that was erased.
    """
    wanted = set(matters)
    rows = {row.matter: row for row in DataKey.objects.filter(matter__in=wanted)}
    missing = sorted(wanted - rows.keys())
    made: dict[UUID, tuple[UUID, bytes]] = {}
    if missing:
        if Tombstone.objects.filter(matter__in=missing).exists():
            raise Refused(_("This matter was erased; nothing can be added to it."))
        version, locking = current()
        new = []
        for matter in missing:
            plain = os.urandom(32)
            row = DataKey(id=uuid4(), matter=matter, wrapped=vault.wrap(plain, locking), kek=version, made_at=now())
            new.append(row)
            made[matter] = (row.pk, plain)
        DataKey.objects.bulk_create(new, batch_size=500)
    return made | {matter: (row.pk, _opened(row)) for matter, row in rows.items()}


def of_new(matter: UUID, *, reporter: bytes = b"") -> tuple[UUID, bytes]:
    """Make the key of a matter whose id was drawn at random in this very transaction, so that nothing can be there
    yet, and return (id, open key). `reporter` locks it a second time, as `give_reporter` does."""
    version, locking = current()
    plain = os.urandom(32)
    row = DataKey(
        matter=matter,
        wrapped=vault.wrap(plain, locking),
        kek=version,
        reporter=vault.wrap(plain, reporter) if reporter else b"",
        made_at=now(),
    )
    sql.add([row])
    return row.pk, plain


def of_draft(row: UUID, key_id: UUID | None = None) -> tuple[UUID, bytes]:
    """Return (id, open key) of a row that lives for days only: the key with which it is written now, or the one that
    `key_id` names. The id is the number of the key in the folder that it follows from; one that was replaced opens
    for as long as it is kept there."""
    version, locking = current() if key_id is None else (key_id.int, vault.key(key_id.int))
    return UUID(int=version), vault.derived(locking, row)


def by_id(ids: Iterable[UUID]) -> Opened:
    """Return the open keys of these ids with one question; what was destroyed is absent."""
    wanted = set(ids)
    if not wanted:
        return {}
    return {row.pk: _opened(row) for row in DataKey.objects.filter(pk__in=wanted)}


def for_reporter(matter: UUID, reporter: bytes) -> Opened:
    """Return the key of a matter opened with the reporter's own key; nothing where it does not open."""
    row = DataKey.objects.filter(matter=matter).first()
    if row is None or not bytes(row.reporter):
        return {}
    return {row.pk: vault.unwrap(bytes(row.reporter), reporter)}


def give_reporter(matter: UUID, reporter: bytes) -> None:
    """Lock the key of a matter a second time, with what the reporter's code gives."""
    key_id, plain = of_matters([matter])[matter]
    DataKey.objects.filter(pk=key_id).update(reporter=vault.wrap(plain, reporter))


def _opened(row: Any) -> bytes:
    return vault.unwrap(bytes(row.wrapped), vault.key(row.kek))
