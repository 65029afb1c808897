"""The repository stands alone and speaks of the product alone; rules that a reviewer would overlook."""

import ast
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from tests.house import tree

LARGEST = 400_000
"""Bytes of a file that may be committed."""

_MACHINE_PATHS = re.compile(r"(?<![\w.:/-])/(?:work|farm|home|root|Users)/[\w.-]+")
_REGISTRIES = re.compile(
    r"registry\.npmjs\.org|registry\.yarnpkg\.com|pypi\.org/simple|files\.pythonhosted\.org|--(?:extra-)?index-url"
    r"|index-url\s*=|^\s*\"resolved\"\s*:",
    re.MULTILINE,
)
_UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
# Each written in two halves, so that this file does not hold them itself.
_MAKERS = ("chat|gpt", "cla|ude", "anthro|pic", "open|ai", "co|pilot", "language| model", "prompt| engineering")
_FOREIGN_WORDS = re.compile(
    r"\b(?:" + "|".join(halves.replace("|", "") for halves in _MAKERS) + r")|\bissues? #\d+", re.IGNORECASE
)
_BUNDLES = re.compile(
    r"\.(?:min\.(?:js|css)|woff2?|ttf|otf|eot|wasm|jar|whl|map)$|(?:^|/)(?:node_modules|vendor|dist)/"
)
_MAY_NAME_REGISTRIES = {"tests/house/test_sources.py"}


def words(found: Iterable[tuple[str, str]], pattern: re.Pattern[str]) -> list[str]:
    """Return where a pattern stands in the texts."""
    return [
        f"{name}:{text[: match.start()].count(chr(10)) + 1}: {match[0].strip()}"
        for name, text in found
        for match in pattern.finditer(text)
    ]


def texts() -> list[tuple[str, str]]:
    return [(tree.shown(path), text) for path, text in tree.text_files()]


def test_no_path_of_a_machine_is_written():
    found = [(name, text) for name, text in texts() if name not in _MAY_NAME_REGISTRIES]
    tree.none(words(found, _MACHINE_PATHS))


@pytest.mark.parametrize("planted", ["cd /" + "work/main", 'x = "/' + 'home/somebody/x"', "/" + "Users/lan/code"])
def test_a_path_of_a_machine_would_be_found(planted):
    assert words([("a", planted)], _MACHINE_PATHS)


@pytest.mark.parametrize("fine", ["https://example.org/work/plan", "docs/work/x", "/desk/work/"])
def test_an_address_is_no_path_of_a_machine(fine):
    assert words([("a", fine)], _MACHINE_PATHS) == []


def test_no_registry_is_named():
    tree.none(words([(n, t) for n, t in texts() if n not in _MAY_NAME_REGISTRIES], _REGISTRIES))


@pytest.mark.parametrize("planted", ["--index-" + "url x", '   "resolved": "x"', "https://registry.npm" + "js.org/a"])
def test_a_registry_would_be_found(planted):
    assert words([("a", planted)], _REGISTRIES)


def test_the_product_is_spoken_of_alone():
    tree.none(words(texts(), _FOREIGN_WORDS))


def test_a_foreign_word_would_be_found():
    assert words([("a", "written by Cla" + "ude")], _FOREIGN_WORDS)


def test_nothing_is_left_for_later():
    tree.none(words([(n, t) for n, t in texts() if n not in _MAY_NAME_REGISTRIES], _UNFINISHED))


def test_something_left_for_later_would_be_found():
    assert words([("a", "# TO" + "DO: later")], _UNFINISHED)


def foreign_files(sizes: Mapping[str, int]) -> list[str]:
    """Return the tracked files that look built, copied from others, or too large."""
    return [f"{name} ({size} bytes)" for name, size in sizes.items() if _BUNDLES.search(name) or size > LARGEST]


def test_nothing_built_or_copied_is_committed():
    tree.none(foreign_files({tree.shown(path): path.stat().st_size for path in tree.tracked()}))


@pytest.mark.parametrize(
    ("name", "size"), [("src/a/htmx.min.js", 9), ("x/font.woff2", 9), ("frontend/dist/a.js", 9), ("a.csv", 400_001)]
)
def test_a_bundle_would_be_found(name, size):
    assert foreign_files({name: size})


def test_nothing_is_read_from_outside_the_repository():
    """Scripts and code reach for no file above the root of the checkout, but for one fixture: the reference
    figures of other projects, which are compared where they are present and never committed."""
    allowed = ("tests/house/test_sources.py", "tests/inference/conftest.py")
    above = re.compile(r"\.\./shared|\.\./\.\./\.\./shared")
    tree.none(words([(n, t) for n, t in texts() if n not in allowed], above))


# Locked packages


def unlocked(text: str) -> list[str]:
    """Return the lines of a requirements file that name a package without a version and a hash."""
    entries = [entry for entry in re.split(r"\n(?=[^\s#])", text) if entry.strip() and not entry.startswith("#")]
    return [
        entry.splitlines()[0] for entry in entries if "==" not in entry.splitlines()[0] or "--hash=sha256:" not in entry
    ]


@pytest.mark.parametrize("name", ["run", "build", "test"])
def test_every_package_is_pinned_with_its_hash(name):
    text = (tree.ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
    assert "==" in text
    tree.none(unlocked(text))


def test_an_unpinned_package_would_be_found():
    assert unlocked("django>=5\nnumpy==2 \\\n    --hash=sha256:aa\n") == ["django>=5"]


def _package(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=\[;! ]", name)[0]).lower()


def test_every_declared_package_is_locked():
    project = tomllib.loads((tree.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    declared = {
        "run": project["project"]["dependencies"],
        "build": project["project"]["dependencies"] + groups["build"],
        "test": project["project"]["dependencies"] + groups["build"] + groups["test"],
    }
    lacking = []
    for name, packages in declared.items():
        text = (tree.ROOT / f"requirements/{name}.txt").read_text(encoding="utf-8")
        locked = {_package(line) for line in text.splitlines() if "==" in line}
        lacking += [f"{name}: {package}" for package in packages if _package(package) not in locked]
    tree.none(lacking, "run script/lock")


# What may be called where

_DOORS_TO_SQL = {"raw", "cursor", "unscoped"}
_EXTRA_SQL = {"select", "where", "tables", "order_by", "params"}
_READS_ANYTHING = {"pickle", "marshal", "shelve"}
_MAY_WRITE_MARKUP = re.compile(r"^src/gandan/(?:ui/templatetags/|obligations/drawing\.py$)")
_MAY_SPEAK_SQL = re.compile(
    r"^src/gandan/(?:\w+/sql\.py|audit/triggers\.py|cases/word_index\.py|config/|access/models\.py|.*/migrations/)"
)


def side_doors(place: str, module: ast.Module) -> list[str]:
    """Return where a module goes round the scoped managers, or calls what no room may call."""
    faults = []
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and node.attr == "_base_manager":
            faults.append(f"{place}:{node.lineno}: ._base_manager")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            words = {word.arg for word in node.keywords}
            if node.func.attr in _DOORS_TO_SQL or (node.func.attr == "extra" and words & _EXTRA_SQL):
                faults.append(f"{place}:{node.lineno}: .{node.func.attr}()")
        if isinstance(node, ast.Call) and tree.called(node) in {"eval", "exec", "__import__"}:
            faults.append(f"{place}:{node.lineno}: {tree.called(node)}()")
        if isinstance(node, ast.Call) and tree.called(node) == "mark_safe" and not _MAY_WRITE_MARKUP.match(place):
            faults.append(f"{place}:{node.lineno}: mark_safe()")
        if isinstance(node, ast.ImportFrom | ast.Import):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            faults += [
                f"{place}:{node.lineno}: imports {name}" for name in names if name in {"pickle", "marshal", "shelve"}
            ]
    return faults


def test_no_room_goes_round_the_scoped_managers():
    faults = []
    for path, module in tree.modules().items():
        if not _MAY_SPEAK_SQL.match(tree.shown(path)):
            faults += side_doors(tree.shown(path), module)
    tree.none(faults)


@pytest.mark.parametrize(
    "planted",
    [
        "Case._base_manager.all()",
        "Case.objects.raw('x')",
        "connection.cursor()",
        "rows.extra(where=[])",
        "Case.objects.unscoped()",
        "mark_safe(x)",
        "eval(x)",
        "import pickle",
    ],
)
def test_a_side_door_would_be_found(planted):
    assert side_doors("views.py", ast.parse(planted))


def managers_bypassed(place: str, module: ast.Module) -> list[str]:
    """Return where a form or view offers rows through a default manager: ModelForm fields and generic views."""
    return [
        f"{place}:{node.lineno}: {tree.called(node)}(queryset=...objects...)"
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "queryset" and ".objects" in ast.unparse(word.value) and ".none()" not in ast.unparse(word.value)
    ]


def test_no_form_offers_rows_to_nobody_in_particular():
    faults = []
    for path, module in tree.modules().items():
        faults += managers_bypassed(tree.shown(path), module)
    tree.none(faults)


def test_a_form_over_all_rows_would_be_found():
    assert managers_bypassed("f.py", ast.parse("ModelChoiceField(queryset=Unit.objects.all())"))


# Silence


def silenced(place: str, text: str) -> list[str]:
    """Return where a fault is hidden: a bare except that passes, an ignore without its code, a skipped test."""
    patterns = (
        r"except(?: Exception| BaseException)?:\s*\n\s+pass\b",
        r"#\s*type:\s*ignore(?!\[)",
        r"#\s*noqa(?!:)",
        r"pytest\.mark\.(?:skip|skipif|xfail)\b|pytest\.(?:skip|xfail)\(|unittest\.skip",
    )
    return [
        f"{place}:{text[: match.start()].count(chr(10)) + 1}: {match[0].splitlines()[0].strip()}"
        for pattern in patterns
        for match in re.finditer(pattern, text)
    ]


def test_no_fault_is_hidden():
    faults = []
    for path in tree.tracked():
        if path.suffix == ".py" and path != Path(__file__).resolve():
            faults += silenced(tree.shown(path), path.read_text(encoding="utf-8"))
    tree.none(faults)


@pytest.mark.parametrize(
    "planted",
    [
        "try:\n    f()\nexcept Exception:\n    pass\n",
        "x = 1  # type: ignore\n",
        "x = 1  # noqa\n",
        "@pytest.mark.skip\n",
    ],
)
def test_a_hidden_fault_would_be_found(planted):
    assert silenced("a.py", planted)
