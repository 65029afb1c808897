"""Fields that are shut: their rows carry a token, and whoever prints them sees `•••`.

A model with such fields says in `secret_of()` which matter its words belong to, or None where they are not sealed.
They open after `unlock(rows)`, with one question for the keys of all of them.
"""

import json
from collections.abc import Iterable
from typing import Any, Protocol
from uuid import UUID

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from gandan.access.models import GuardedManager
from gandan.secrecy import keys, vault

SHOWN = "•••"
_OPEN, _WRITE = "_open_keys", "_write_key"


class Secretive(Protocol):
    """A row that knows whether it is sealed."""

    def secret_of(self) -> UUID | None: ...


class Sealed(str):
    """What stands in the place of sealed words: three dots, however it is printed, joined or turned into JSON."""

    __slots__ = ("field", "row", "stored", "table")
    stored: str
    table: str
    row: UUID
    field: str

    def __new__(cls, stored: str, table: str, row: UUID, field: str) -> "Sealed":
        made = super().__new__(cls, SHOWN)
        made.stored, made.table, made.row, made.field = stored, table, row, field
        return made

    def __repr__(self) -> str:
        return SHOWN

    def __reduce__(self) -> Any:
        return Sealed, (self.stored, self.table, self.row, self.field)


class _Attribute(DeferredAttribute):
    """Hands out words while a row is unlocked, and `Sealed` otherwise."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        value = instance.__dict__[name] if name in instance.__dict__ else super().__get__(instance, cls)
        if not _is_token(value):
            return value
        place = {"table": self.field.model._meta.db_table, "row": instance.pk, "field": str(self.field.column)}
        opened = instance.__dict__.get(_OPEN)
        if opened is None or vault.key_id_of(value) not in opened:
            return Sealed(value, **place)
        return self.field.decode(vault.text_of(value, opened[vault.key_id_of(value)], **place))  # type: ignore[attr-defined]

    def __set__(self, instance: Any, value: Any) -> None:
        if isinstance(value, Sealed):
            if (value.row, value.field) != (instance.pk, self.field.column):
                raise ValueError("sealed words cannot be moved to another row: open them first")
            value = value.stored
        instance.__dict__[self.field.attname] = value


class SealedTextField(models.TextField):
    """A text that is sealed where its row says so. To migrations it is a text column."""

    descriptor_class = _Attribute

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname, getattr(model_instance, self.attname))
        if _is_token(value) or not value:
            return value
        if value == SHOWN:
            raise ValueError("the dots that stand for sealed words are not words")
        matter = model_instance.secret_of()
        if matter is None:
            return value
        key_id, data_key = _writing_key(model_instance, matter)
        return vault.token(
            self.encode(value),
            data_key,
            key_id,
            table=model_instance._meta.db_table,
            row=model_instance.pk,
            field=str(self.column),
        )

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return value.stored
        return value if _is_token(value) else self.to_column(value)

    def encode(self, value: Any) -> str:
        return str(value)

    def decode(self, text: str) -> Any:
        return text

    def to_column(self, value: Any) -> Any:
        # What somebody types never passes for a token.
        return super().get_prep_value(value.replace("\x1e", "") if isinstance(value, str) else value)


class SealedJSONField(SealedTextField):
    """A list or mapping that is sealed where its row says so; a text column to the database."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return value if value is None or _is_token(value) else json.loads(value)

    def to_python(self, value: Any) -> Any:
        return value

    def encode(self, value: Any) -> str:
        return json.dumps(value, ensure_ascii=False)

    def decode(self, text: str) -> Any:
        return json.loads(text)

    def to_column(self, value: Any) -> Any:
        return self.encode(value)


class OpenTextField(models.TextField):
    """A text that anybody with the row may read, and that therefore is empty where the row is sealed."""

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        return "" if value and model_instance.secret_of() is not None else value


class SealedManager(GuardedManager):
    """Finds the keys of many rows at once before they are written."""

    def bulk_create(self, rows: Any, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        rows = list(rows)
        prepare(rows)
        return super().bulk_create(rows, *args, **options)


class ShortLived:
    """A row whose words are sealed for its few days with a key that follows from its own id and is kept nowhere."""

    def draft_of(self) -> UUID:
        """Return the id from which the key follows."""
        raise NotImplementedError


def prepare(rows: Iterable[Any]) -> None:
    """Find or make the keys with which these rows are about to be written: two statements for all of them."""
    lasting = [row for row in rows if not isinstance(row, ShortLived)]
    matters = [(row, matter) for row in lasting if _has_words(row) and (matter := row.secret_of()) is not None]
    found = keys.of_matters({matter for _row, matter in matters}) if matters else {}
    for row, matter in matters:
        row.__dict__[_WRITE] = found[matter]


def write_with(key: tuple[UUID, bytes], *rows: Any) -> None:
    """Say with which key (its id, and it open) the words of these rows are sealed when they are written."""
    for row in rows:
        row.__dict__[_WRITE] = key


def unlock(rows: Iterable[Any], opened: keys.Opened | None = None) -> None:
    """Open the sealed fields of these rows for as long as they are in memory, with one question for all their keys.

    The caller has asked whether the reader may. `opened` gives keys that are open already. What was sealed with a
    key that has been destroyed stays shut.
    """
    rows = list(rows)
    wanted = {vault.key_id_of(stored) for row in rows for stored in tokens(row).values()}
    found = dict(opened or {})
    for row in rows:
        if isinstance(row, ShortLived):
            own = {vault.key_id_of(stored) for stored in tokens(row).values()}
            row.__dict__[_OPEN] = dict(keys.of_draft(row.draft_of(), key) for key in own)
            wanted -= own
    found |= keys.by_id(wanted - found.keys())
    for row in rows:
        row.__dict__[_OPEN] = {**row.__dict__.get(_OPEN, {}), **found}


def lock(row: Any) -> None:
    """Shut a row that was unlocked."""
    row.__dict__.pop(_OPEN, None)


def words(value: str) -> str:
    """Return the words behind one value, for a rule that compares them; plain ones as they are."""
    if not isinstance(value, Sealed):
        return value
    opened = keys.by_id([vault.key_id_of(value.stored)])
    named = vault.key_id_of(value.stored)
    if named not in opened:
        return value
    return vault.text_of(value.stored, opened[named], table=value.table, row=value.row, field=value.field)


def tokens(row: Any) -> dict[str, str]:
    """Return the sealed fields of a loaded row with what stands in their columns."""
    return {
        field.attname: row.__dict__[field.attname]
        for field in row._meta.concrete_fields
        if isinstance(field, SealedTextField) and _is_token(row.__dict__.get(field.attname))
    }


def _has_words(row: Any) -> bool:
    return any(isinstance(f, SealedTextField) and row.__dict__.get(f.attname) for f in row._meta.concrete_fields)


def _writing_key(row: Any, matter: UUID) -> tuple[UUID, bytes]:
    if isinstance(row, ShortLived):
        return keys.of_draft(matter)
    found: tuple[UUID, bytes] = row.__dict__.get(_WRITE) or keys.of_matters([matter])[matter]
    return found


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(vault.MARK) and not isinstance(value, Sealed)
