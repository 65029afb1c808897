"""Every table says who may read it and what becomes of it when its unit ends; migrations are whole."""

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations import Migration, RunPython, RunSQL
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django.utils import translation

from gandan.access.models import Guarded
from gandan.access.policies import Open, Part, Policy
from tests.house import tree

# Access


def access_faults(found: Iterable[type[models.Model]], open_models: Mapping[str, str]) -> list[str]:
    """Return the tables without a rule, or with one that names a column they do not have."""
    faults = []
    for model in found:
        label = model._meta.label
        access = getattr(model, "access", None)
        if label in open_models:
            if not open_models[label]:
                faults.append(f"{label} is open without a reason")
        elif not issubclass(model, Guarded):
            faults.append(f"{label} is not guarded")
        elif isinstance(access, Policy):
            columns = filter(None, (access.scope, access.province, access.matter))
            faults += [f"{label}: its policy names {name}" for name in columns if not _reaches(model, name)]
        elif isinstance(access, Part):
            if not _reaches(model, access.of):
                faults.append(f"{label} is part of {access.of}, which it does not point to")
        elif not (isinstance(access, Open) and access.reason):
            faults.append(f"{label} declares no access")
    return faults


def _reaches(model: Any, path: str) -> bool:
    for name in path.split("__"):
        known = {field.name: field for field in model._meta.get_fields()}
        known |= {field.attname: field for field in model._meta.concrete_fields}
        if name not in known:
            return False
        model = getattr(known[name], "related_model", None) or model
    return True


def test_every_table_declares_who_may_read_it(settings):
    tree.none(access_faults(apps.get_models(include_auto_created=True), settings.GANDAN_OPEN_MODELS))


@pytest.mark.parametrize("access", [None, Open(""), Part("nothing"), Policy(scope="nowhere", read="case.read")])
def test_a_table_without_a_rule_would_be_found(access):
    bare = type("Bare", (Guarded,), {"__module__": __name__, "Meta": _meta("tables_bare"), "access": access})
    apps.all_models["tables_bare"].clear()
    assert len(access_faults([bare], {})) == 1


def test_a_table_that_is_not_guarded_would_be_found():
    loose = type("Loose", (models.Model,), {"__module__": __name__, "Meta": _meta("tables_loose")})
    apps.all_models["tables_loose"].clear()
    assert access_faults([loose], {}) == ["tables_loose.Loose is not guarded"]


def _meta(label: str) -> type:
    return type("Meta", (), {"app_label": label})


# What becomes of a row when its unit ends


def undeclared_fates(modules: Mapping[str, ast.Module], found: Iterable[type[models.Model]]) -> list[str]:
    """Return the keys to a unit that do not say in writing whether they stay, pass or end."""
    faults = []
    for place, module in modules.items():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and tree.called(node) == "UnitKey":
                fate = next((word.value for word in node.keywords if word.arg == "on_reorganisation"), None)
                if not isinstance(fate, ast.Constant) or fate.value not in {"stays", "passes", "ends"}:
                    faults.append(f"{place}:{node.lineno}: UnitKey without on_reorganisation")
    for model in found:
        for field in model._meta.local_fields:
            target = field.remote_field.model if field.remote_field else None
            label = target._meta.label if hasattr(target, "_meta") else ""
            if label == "units.Unit" and not getattr(field, "on_reorganisation", None):
                faults.append(f"{model._meta.label}.{field.name} points to a unit without UnitKey")
    return faults


def test_every_key_to_a_unit_says_what_becomes_of_it():
    written = {
        tree.shown(path): module
        for path, module in tree.modules().items()
        if "migrations" not in path.parts and path.name != "fields.py"
    }
    assert any("UnitKey" in ast.dump(module) for module in written.values())
    tree.none(undeclared_fates(written, apps.get_models()))


def test_a_key_without_a_fate_would_be_found():
    planted = ast.parse("unit = UnitKey(related_name='+')\nother = UnitKey(on_reorganisation='vanishes')")
    assert len(undeclared_fates({"models.py": planted}, [])) == 2


def test_a_plain_foreign_key_to_a_unit_would_be_found():
    plain = type(
        "Plain",
        (models.Model,),
        {
            "__module__": __name__,
            "Meta": _meta("tables_plain"),
            "unit": models.ForeignKey("units.Unit", on_delete=models.PROTECT, related_name="+"),
        },
    )
    apps.all_models["tables_plain"].clear()
    assert undeclared_fates({}, [plain]) == ["tables_plain.Plain.unit points to a unit without UnitKey"]


def rooms_without_carrier(found: Iterable[type[models.Model]], carrying: Iterable[str]) -> list[str]:
    """Return the rooms whose rows pass to a successor, or end, and that registered nobody to carry them."""
    carrying = set(carrying)
    return sorted(
        {
            model._meta.app_label
            for model in found
            for field in model._meta.local_fields
            if getattr(field, "on_reorganisation", "stays") in {"passes", "ends"}
        }
        - carrying
        # The act itself closes the rows of its own room.
        - {"units"}
    )


def test_rows_that_pass_have_somebody_who_carries_them():
    from gandan.units import succession

    carrying = [type(carrier).__module__.split(".")[1] for carrier in succession.carriers()]
    tree.none(rooms_without_carrier(apps.get_models(), carrying))


def test_a_room_without_a_carrier_would_be_found():
    from gandan.staffing.models import Grant

    assert rooms_without_carrier([Grant], []) == ["staffing"]


# Migrations


def migration_faults(found: Mapping[tuple[str, str], Migration]) -> list[str]:
    """Return what is wrong with the migrations: unnamed, branching, or without a way back."""
    faults = []
    parents: dict[tuple[str, str], list[str]] = {}
    for (room, name), migration in sorted(found.items()):
        if not re.fullmatch(r"\d{4}_[a-z][a-z0-9_]+", name) or re.search(r"_auto(_|\d)|_alter_|_and_more$", name):
            faults.append(f"{room}.{name} is not named for what it does")
        for dependency in migration.dependencies:
            if dependency[0] == room:
                parents.setdefault((room, dependency[1]), []).append(name)
        faults += [
            f"{room}.{name} cannot be undone: {operation}"
            for operation in migration.operations
            if (isinstance(operation, RunPython) and operation.reverse_code is None)
            or (isinstance(operation, RunSQL) and operation.reverse_sql is None)
        ]
    faults += [
        f"{room} branches after {name}: {', '.join(children)}"
        for (room, name), children in parents.items()
        if len(children) > 1
    ]
    return faults


def _ours() -> dict[tuple[str, str], Migration]:
    loader = MigrationLoader(None)
    rooms = set(tree.rooms())
    return {key: migration for key, migration in loader.disk_migrations.items() if key[0] in rooms}


def test_migrations_are_named_linear_and_reversible():
    found = _ours()
    assert found, "no migration was found"
    tree.none(migration_faults(found))


def test_a_faulty_migration_would_be_found():
    def made(operations: list[Any], *dependencies: tuple[str, str]) -> Migration:
        migration = Migration("x", "cases")
        migration.operations, migration.dependencies = operations, list(dependencies)
        return migration

    first = ("cases", "0001_first")
    planted = {
        first: made([]),
        ("cases", "0002_alter_case_title"): made([], first),
        ("cases", "0002_fill"): made([RunPython(lambda apps, editor: None)], first),
        ("cases", "0003_raw"): made([RunSQL("DELETE FROM x")], ("cases", "0002_fill")),
    }
    found = " ".join(migration_faults(planted))
    assert "0002_alter_case_title is not named" in found
    assert "0002_fill cannot be undone" in found and "0003_raw cannot be undone" in found
    assert "branches after 0001_first" in found


def missing_migrations(present: ProjectState) -> list[str]:
    """Return what the tables as declared have beyond the migrations."""
    loader = MigrationLoader(None)
    with translation.override(None):  # labels are compared in the language in which they are written
        changes = MigrationAutodetector(loader.project_state(), present).changes(graph=loader.graph)
    return [
        f"{room}: {operation.describe()}"
        for room, migrations in changes.items()
        if room in tree.rooms()
        for migration in migrations
        for operation in migration.operations
    ]


def test_no_migration_is_missing():
    tree.none(missing_migrations(ProjectState.from_apps(apps)), "make the migration and name it for what it does")


def test_a_missing_migration_would_be_found():
    planted = ProjectState.from_apps(apps)
    planted.add_field("accounts", "user", "planted", models.CharField(max_length=3, null=True), True)
    assert any("planted" in fault for fault in missing_migrations(planted))


def test_every_room_with_tables_keeps_its_migrations():
    lacking = sorted(
        {
            model._meta.app_label
            for model in apps.get_models()
            if model.__module__.startswith("gandan.")
            and not list(Path(tree.SOURCE / model._meta.app_label / "migrations").glob("0001_*.py"))
        }
    )
    tree.none(lacking)
