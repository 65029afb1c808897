"""Rules that the database itself keeps, on both engines, whatever code runs above it.

Migrations on SQLite rebuild tables and drop their triggers; so every trigger is declared here and
installed anew after each migration. `missing()` lists what is not in place, for `gandan check`.
"""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connections, models


@dataclass(frozen=True, slots=True)
class Trigger:
    """A named trigger with its statement for each engine; `{name}` and `{table}` are filled in."""

    model: type[models.Model]
    name: str
    sqlite: str
    postgresql: str

    def statement(self, vendor: str) -> str:
        text = self.sqlite if vendor == "sqlite" else self.postgresql
        return text.replace("{name}", self.name).replace("{table}", self.model._meta.db_table)


_REGISTERED: dict[str, Trigger] = {}


def register(model: type[models.Model], name: str, *, sqlite: str, postgresql: str) -> None:
    """Declare a trigger. `postgresql` is the body of a plpgsql function with its timing, see `append_only`."""
    _REGISTERED[name] = Trigger(model, name, sqlite, postgresql)


def append_only(model: type[models.Model], *, but_columns: tuple[str, ...] = ()) -> None:
    """Refuse every DELETE, and every UPDATE of a column other than `but_columns`."""
    table = model._meta.db_table
    kept = [f.column for f in model._meta.local_concrete_fields if f.column not in but_columns]
    for event in ("update", "delete"):
        if event == "delete" or not but_columns:
            condition_sqlite = condition_pg = ""
        else:
            condition_sqlite = "WHEN " + " OR ".join(f'NEW."{c}" IS NOT OLD."{c}"' for c in kept)
            condition_pg = "WHEN (" + " OR ".join(f'NEW."{c}" IS DISTINCT FROM OLD."{c}"' for c in kept) + ")"
        register(
            model,
            f"{table}_no_{event}",
            sqlite=(
                f"CREATE TRIGGER {{name}} BEFORE {event.upper()} ON {{table}} FOR EACH ROW {condition_sqlite} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            ),
            postgresql=(
                "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'integrity_constraint_violation'; "
                "END $$; "
                f"CREATE TRIGGER {{name}} BEFORE {event.upper()} ON {{table}} FOR EACH ROW {condition_pg} "
                "EXECUTE FUNCTION {name}()"
            ),
        )


def registered() -> tuple[Trigger, ...]:
    return tuple(_REGISTERED.values())


def install(using: str = "default") -> int:
    """(Re)create every declared trigger whose table exists; return how many."""
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    count = 0
    with connection.cursor() as cursor:
        for trigger in registered():
            table = trigger.model._meta.db_table
            if table not in tables:
                continue
            if connection.vendor == "sqlite":
                cursor.execute(f'DROP TRIGGER IF EXISTS "{trigger.name}"')
            else:
                cursor.execute(f'DROP TRIGGER IF EXISTS "{trigger.name}" ON "{table}"')
            cursor.execute(trigger.statement(connection.vendor))
            count += 1
    return count


def missing(using: str = "default") -> list[str]:
    """Return the names of declared triggers that the database does not hold."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        present = {row[0] for row in cursor.fetchall()}
    return sorted(trigger.name for trigger in registered() if trigger.name not in present)


def install_after_migrating(sender: Any, using: str = "default", **_: Any) -> None:
    # post_migrate is sent once for each app: install once, after the last.
    if sender.label == list(apps.get_app_configs())[-1].label:
        install(using)
