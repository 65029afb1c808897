"""Nothing climbs the stairs: not imports, not foreign keys, not templates, not addresses."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterable

import pytest
from django.apps import apps
from django.db import models
from django.urls import URLPattern, URLResolver, get_resolver

from gandan.access.policies import Open
from tests.house import tree

FORBIDDEN_NAMES = {"core", "common", "utils", "util", "services", "helpers", "misc", "reports", "tools"}
PURE = ("law", "inference")
NEVER_MEET = {"surveys": {"accounts", "staffing", "cases", "audit", "forum"}}
"""An answer joins no person: no chain of relations from these rooms to those, in either direction."""
ASKS_THE_CLOCK = re.compile(r"\b(datetime\.now|datetime\.utcnow|date\.today|time\.time|timezone\.now|localdate)\(")

Edge = tuple[str, str, str]
"""A table, the table it points to, and by which field; tables as "room.Model"."""


def relations(found: Iterable[type[models.Model]]) -> list[Edge]:
    """Return every relation that a model of ours declares, also one declared by name."""
    edges = []
    for model in found:
        if not model.__module__.startswith("gandan."):
            continue
        for field in [*model._meta.local_fields, *model._meta.local_many_to_many]:
            target = field.remote_field.model if field.remote_field else None
            if target is not None and not isinstance(target, str):
                edges.append((model._meta.label, target._meta.label, field.name))
    return edges


def _room(table: str) -> str:
    return table.split(".")[0]


def climbing(edges: Iterable[Edge]) -> list[str]:
    """Return the relations that go up or sideways, or out of the house."""
    faults = []
    for table, target, name in edges:
        if _room(target) not in tree.rooms():
            faults.append(f"{table}.{name} points out of the house, to {target}")
        elif tree.climbs(_room(table), _room(target)):
            faults.append(f"{table}.{name} climbs to {target}")
    return faults


def joined(edges: Iterable[Edge], pairs: dict[str, set[str]], registers: Iterable[str] = ()) -> list[str]:
    """Return the tables that a chain of relations joins although their rooms must never meet.

    A chain ends at a public register, such as the list of units: it names no person.
    """
    ends = set(registers)
    neighbours: dict[str, set[str]] = {}
    for table, target, _ in edges:
        neighbours.setdefault(table, set()).add(target)
        neighbours.setdefault(target, set()).add(table)
    faults = []
    for room, never in pairs.items():
        for start in sorted(table for table in neighbours if _room(table) == room):
            seen, waiting = {start}, [start]
            while waiting:
                for nearby in neighbours[waiting.pop()] - seen:
                    seen.add(nearby)
                    if nearby not in ends:
                        waiting.append(nearby)
            faults += [f"{start} is joined to {met}" for met in sorted(seen) if _room(met) in never]
    return faults


def test_relations_go_down_the_stairs():
    tree.none(climbing(relations(apps.get_models(include_auto_created=True))))


def test_a_relation_that_climbs_would_be_found():
    planted = [("obligations.Obligation", "cases.Case", "case"), ("units.Unit", "auth.Group", "group")]
    assert climbing(planted) == [
        "obligations.Obligation.case climbs to cases.Case",
        "units.Unit.group points out of the house, to auth.Group",
    ]


def test_a_relation_by_name_is_seen():
    """A string foreign key is resolved to its table before we look."""
    assert ("staffing.Grant", "accounts.User", "user") in relations(apps.get_models())


def test_an_answer_never_meets_a_person():
    edges = relations(apps.get_models(include_auto_created=True))
    registers = [m._meta.label for m in apps.get_models() if isinstance(getattr(m, "access", None), Open)]
    tree.none(joined(edges, NEVER_MEET, registers))


def test_a_chain_between_an_answer_and_a_person_would_be_found():
    chain = [("surveys.Answer", "documents.Paper", "paper"), ("documents.Paper", "accounts.User", "author")]
    assert joined(chain, NEVER_MEET) == ["surveys.Answer is joined to accounts.User"]
    upwards = [("cases.Case", "surveys.Answer", "answer")]
    assert joined(upwards, NEVER_MEET) == ["surveys.Answer is joined to cases.Case"]
    harmless = [("surveys.Wave", "units.Unit", "unit"), ("staffing.Grant", "units.Unit", "unit")]
    assert joined(harmless, NEVER_MEET, ["units.Unit"]) == []


# Contracts


def test_every_room_has_its_place():
    placed = {name for storey in tree.storeys() for name in storey}
    assert set(tree.rooms()) - placed == set()


_LINT = "from importlinter.cli import lint_imports_command as lint; lint()"


def test_the_linter_refuses_a_room_without_a_place(tmp_path):
    package = tmp_path / "gandan"
    for name in ("", "cli", "config", "staffing", "units", "accounts", "audit", "access", "ui", "shed"):
        (package / name).mkdir(parents=True, exist_ok=True)
        (package / name / "__init__.py").touch()
    kept = (tree.ROOT / ".importlinter").read_text(encoding="utf-8")
    (tmp_path / ".importlinter").write_text(kept, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", _LINT, "--no-cache", "--contract", "storeys"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "gandan.shed" in done.stdout


def rooms_without_contract(rooms: Iterable[str], contracts: dict[str, dict[str, str]]) -> list[str]:
    """Return which rooms a contract should name and does not."""
    rooms = set(rooms)
    faults = []
    inside = contracts["rooms"]["containers"].split()
    faults += [
        f"rooms: {room}"
        for room in sorted(rooms)
        if (tree.SOURCE / room / "models.py").exists() or (tree.SOURCE / room / "views.py").exists()
        if f"gandan.{room}" not in inside and room not in {"access", "ui"}
    ]
    pure = contracts["pure"]["source_modules"].split()
    faults += [f"pure: {room}" for room in PURE if room in rooms and f"gandan.{room}" not in pure]
    if "surveys" in rooms:
        ballot = contracts.get("ballot", {})
        kept = "gandan.surveys" in ballot.get("source_modules", "").split()
        faults += [] if kept and ballot.get("allow_indirect_imports", "").lower() == "true" else ["ballot: surveys"]
    return faults


def unnamed_modules(paths: Iterable[str], contracts: dict[str, dict[str, str]]) -> list[str]:
    """Return the modules that are views, forms and the like by their name, and stand in no layer of a room."""
    layers = set(re.findall(r"\w+", contracts["rooms"]["layers"]))
    kind = re.compile(r"(?:\w+_)?(?:urls|views|api|admin|forms|actions|permissions|models)$")
    return [path for path in paths if kind.match(stem := path.rsplit("/", 1)[-1]) and stem not in layers]


def test_every_view_and_form_stands_in_a_layer_of_its_room():
    paths = [tree.shown(path).removesuffix(".py") for path in tree.modules()]
    tree.none(unnamed_modules(paths, tree.contracts()))


def test_a_view_under_another_name_would_be_found():
    contracts = {"rooms": {"layers": "(urls)\n(views) : (desk_views)\n(models)"}}
    assert unnamed_modules(["cases/desk_views", "cases/phone_views", "cases/search"], contracts) == [
        "cases/phone_views"
    ]


def test_the_contracts_name_every_room_that_they_are_about():
    tree.none(rooms_without_contract(tree.rooms(), tree.contracts()))


def test_a_room_left_out_of_a_contract_would_be_found():
    weakened = {"rooms": {"containers": ""}, "pure": {"source_modules": "gandan.law"}}
    found = rooms_without_contract(["staffing", "law", "inference", "surveys"], weakened)
    assert found == ["rooms: staffing", "pure: inference", "ballot: surveys"]


def test_no_module_is_named_after_nothing():
    named = [tree.shown(path) for path in tree.modules() if path.stem in FORBIDDEN_NAMES]
    named += [tree.shown(path) for path in tree.modules() if path.parent.name in FORBIDDEN_NAMES]
    tree.none(named)


# The clock


def clock_readings(path_text: Iterable[tuple[str, str]]) -> list[str]:
    """Return where the machine's clock is read."""
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in path_text
        for number, line in enumerate(text.splitlines(), 1)
        if ASKS_THE_CLOCK.search(line)
    ]


def test_only_one_module_reads_the_clock():
    read = [
        (tree.shown(path), path.read_text(encoding="utf-8"))
        for path in tree.modules()
        if path != tree.SOURCE / "access/clock.py"
    ]
    tree.none(clock_readings(read))


def test_a_clock_read_elsewhere_would_be_found():
    assert clock_readings([("a.py", "x = 1\nnow = datetime.now(UTC)")]) == ["a.py:2: now = datetime.now(UTC)"]


def pure_faults(name: str, module: ast.Module) -> list[str]:
    """Return what a module of the pure storeys may not do: know the clock of the house or a framework."""
    return [
        f"{name}:{node.lineno} imports {target}"
        for node in ast.walk(module)
        for target in _imported(node)
        if target.split(".")[0] in {"django", "duckdb"} or target.startswith("gandan.access")
    ]


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return []


def test_the_pure_storeys_are_told_everything():
    faults = []
    for path, module in tree.modules().items():
        if tree.room_of(path) in PURE:
            faults += pure_faults(tree.shown(path), module)
    tree.none(faults)


def test_an_impure_import_would_be_found():
    assert pure_faults("law/x.py", ast.parse("def f():\n    from gandan.access import now")) == [
        "law/x.py:2 imports gandan.access"
    ]


# Templates and addresses

_LOADS = re.compile(r"""{%-?\s*(?:include|extends)\s+["']([^"']+)["']""")
_LINKS = re.compile(r"""{%-?\s*url\s+["']([^"']+)["']""")
_RENDERS = {"render", "render_to_string", "get_template", "select_template", "TemplateResponse"}
_REVERSES = {"reverse", "reverse_lazy", "redirect"}


def addresses() -> dict[str, str]:
    """Return the room that answers each named address."""
    found: dict[str, str] = {}

    def walk(patterns: Iterable[URLPattern | URLResolver]) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns)
            elif pattern.name:
                view = getattr(pattern.callback, "view_class", pattern.callback)
                parts = view.__module__.split(".")
                found[pattern.name] = parts[1] if parts[0] == "gandan" else "accounts"

    walk(get_resolver().url_patterns)
    return found


def climbing_words(room: str, loads: Iterable[str], links: Iterable[str], answered_by: dict[str, str]) -> list[str]:
    """Return the templates and addresses that a room names although they lie above or beside it."""
    faults = []
    for name in loads:
        owner = name.split("/")[0]
        if owner in tree.rooms() and tree.climbs(room, owner):
            faults.append(f"{room} shows {name}")
    for name in links:
        owner = answered_by.get(name)
        if owner is not None and tree.climbs(room, owner):
            faults.append(f"{room} links to {name} of {owner}")
    return faults


def _said(module: ast.Module, functions: set[str]) -> list[str]:
    """Return the first words given to calls of these functions."""
    return [
        argument.value
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and (getattr(node.func, "id", None) or getattr(node.func, "attr", "")) in functions
        for argument in node.args[:2]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def test_templates_and_links_go_down_the_stairs():
    answered_by = addresses()
    faults = []
    for path in tree.templates().values():
        text = path.read_text(encoding="utf-8")
        found = climbing_words(tree.room_of(path), _LOADS.findall(text), _LINKS.findall(text), answered_by)
        faults += [f"{tree.shown(path)}: {fault}" for fault in found]
    for path, module in tree.modules().items():
        room = tree.room_of(path)
        if room in {"cli", "config"}:
            continue
        found = climbing_words(room, _said(module, _RENDERS), _said(module, _REVERSES), answered_by)
        faults += [f"{tree.shown(path)}: {fault}" for fault in found]
    tree.none(faults)


@pytest.mark.parametrize(
    ("loads", "links", "fault"),
    [
        (["cases/case.html"], [], "obligations shows cases/case.html"),
        ([], ["case"], "obligations links to case of cases"),
    ],
)
def test_a_link_that_climbs_would_be_found(loads, links, fault):
    assert climbing_words("obligations", loads, links, {"case": "cases"}) == [fault]
