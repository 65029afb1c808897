"""Seal the names and confided words that lie in the open, or, backwards, open them again.

Files are sealed by `gandan work`, which finds what still lies open.
"""

import json
import secrets
import unicodedata
from typing import Any
from uuid import UUID, uuid4

from django.db import migrations

from gandan.access import now
from gandan.secrecy import vault

BATCH = 500
PERSON = ("name", "phone", "address", "others")
CASE = ("text", "place", "answer")
PARTS = {"CaseEvent": ("text",), "Transfer": ("note",), "PaperRequest": ("items", "note"), "Attachment": ("name",)}


def seal(apps: Any, _editor: Any) -> None:
    found = _Keys(apps)
    _over(apps, "CaseIdentity", {}, PERSON, "case_id", found.seal)
    for case in _rows(apps, "Case", {"procedure__confidentiality": "sealed"}).select_related("procedure"):
        if not case.text.startswith((vault.MARK, case.title.rstrip("…"))):
            case.text = f"{case.title}\n\n{case.text}"
        case.title, case.folded = case.procedure.name_vi[:200], ""
        found.seal(case, CASE, case.pk)
        case.save(update_fields=["title", "folded", *CASE])
    for model, names in PARTS.items():
        _over(apps, model, {"case__procedure__confidentiality": "sealed"}, names, "case_id", found.seal)


def unseal(apps: Any, _editor: Any) -> None:
    if apps.get_model("cases", "Attachment").objects.exclude(sealed_with=None).exists():
        raise RuntimeError("files are sealed on the disk; this version cannot go back behind their keys")
    found = _Keys(apps)
    _over(apps, "CaseIdentity", {}, PERSON, "case_id", found.unseal)
    for case in _rows(apps, "Case", {}):
        if any(_shut(getattr(case, name)) for name in CASE):
            found.unseal(case, CASE, case.pk)
            first = " ".join(case.text.split())
            case.title = first if len(first) <= 90 else first[:89].rsplit(" ", 1)[0] + "…"
            case.folded = f" {_fold(' '.join((case.title, case.text, case.place)))} "
            case.save(update_fields=["title", "folded", *CASE])
    for model, names in PARTS.items():
        _over(apps, model, {}, names, "case_id", found.unseal)
    found.forget()


def _rows(apps: Any, model: str, chosen: dict[str, Any]) -> Any:
    return apps.get_model("cases", model).objects.filter(**chosen).order_by("pk")


def _over(apps: Any, model: str, chosen: dict[str, Any], names: Any, matter: str, change: Any) -> None:
    for row in _rows(apps, model, chosen).iterator(chunk_size=BATCH):
        before = [getattr(row, name) for name in names]
        change(row, names, getattr(row, matter))
        if before != [getattr(row, name) for name in names]:
            row.save(update_fields=list(names))


def _shut(text: Any) -> bool:
    return isinstance(text, str) and text.startswith(vault.MARK)


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFD", text.lower()).replace("đ", "d")
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join("".join(c if c.isascii() and c.isalnum() else " " for c in bare).split())


class _Keys:
    """The keys of matters as the tables stood then."""

    def __init__(self, apps: Any) -> None:
        self.model = apps.get_model("secrecy", "DataKey")
        self.found: dict[UUID, tuple[UUID, bytes]] = {}

    def of(self, matter: UUID) -> tuple[UUID, bytes]:
        if matter not in self.found:
            row = self.model.objects.filter(matter=matter).first()
            if row is None:
                if not vault.newest():
                    vault.make(1)
                version, plain = vault.newest(), secrets.token_bytes(32)
                wrapped = vault.wrap(plain, vault.key(version))
                row = self.model.objects.create(id=uuid4(), matter=matter, wrapped=wrapped, kek=version, made_at=now())
            self.found[matter] = (row.pk, vault.unwrap(bytes(row.wrapped), vault.key(row.kek)))
        return self.found[matter]

    def seal(self, row: Any, names: Any, matter: UUID) -> None:
        for name in names:
            text = getattr(row, name)
            if text and text != "[]" and not _shut(text):
                key_id, key = self.of(matter)
                place = {"table": row._meta.db_table, "row": row.pk, "field": name}
                setattr(row, name, vault.token(text, key, key_id, **place))

    def unseal(self, row: Any, names: Any, matter: UUID) -> None:
        for name in names:
            text = getattr(row, name)
            if _shut(text):
                _id, key = self.of(matter)
                place = {"table": row._meta.db_table, "row": row.pk, "field": name}
                plain = vault.text_of(text, key, **place)
                setattr(row, name, json.dumps(json.loads(plain)) if name in ("others", "items") else plain)

    def forget(self) -> None:
        self.model.objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("cases", "0003_sealed_columns"), ("secrecy", "0001_keys")]
    operations = [migrations.RunPython(seal, unseal)]
