"""Seal how people described the officers whom their matters are about, or, backwards, open it again.

It lies here because the keys of matters are forgotten when `0004_words_sealed` is taken back: this goes back before.
"""

import secrets
from typing import Any
from uuid import UUID, uuid4

from django.db import migrations

from gandan.access import now
from gandan.secrecy import vault

TABLE = "staffing_concern"


def seal(apps: Any, _editor: Any) -> None:
    erased = apps.get_model("secrecy", "Tombstone").objects
    for row in _rows(apps).exclude(named__startswith=vault.MARK):
        if erased.filter(matter=row.matter).exists():
            row.named = ""
        else:
            key_id, key = _key(apps, row.matter)
            row.named = vault.token(row.named, key, key_id, table=TABLE, row=row.pk, field="named")
        row.save(update_fields=["named"])


def unseal(apps: Any, _editor: Any) -> None:
    keys = apps.get_model("secrecy", "DataKey").objects
    for row in _rows(apps).filter(named__startswith=vault.MARK):
        found = keys.filter(pk=vault.key_id_of(row.named)).first()
        if found is None:
            row.named = ""  # erased
        else:
            key = vault.unwrap(bytes(found.wrapped), vault.key(found.kek))
            row.named = vault.text_of(row.named, key, table=TABLE, row=row.pk, field="named")[:200]
        row.save(update_fields=["named"])


def _rows(apps: Any) -> Any:
    return apps.get_model("staffing", "Concern").objects.exclude(named="").order_by("pk")


def _key(apps: Any, matter: UUID) -> tuple[UUID, bytes]:
    """Return the key of a matter as the table stood then, made where it has none."""
    keys = apps.get_model("secrecy", "DataKey").objects
    row = keys.filter(matter=matter).first()
    if row is None:
        if not vault.newest():
            vault.make(1)
        version = vault.newest()
        wrapped = vault.wrap(secrets.token_bytes(32), vault.key(version))
        row = keys.create(id=uuid4(), matter=matter, wrapped=wrapped, kek=version, made_at=now())
    return row.pk, vault.unwrap(bytes(row.wrapped), vault.key(row.kek))


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0010_drafts_open_on_the_way_back"),
        ("secrecy", "0002_holds_by_whom_and_why"),
        ("staffing", "0002_names_of_officers_sealed"),
    ]
    operations = [migrations.RunPython(seal, unseal)]
