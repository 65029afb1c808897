"""Templates: each one is used, each one exists, none carries style or script of its own."""

import ast
import re
from collections.abc import Iterable, Mapping

import pytest

from tests.house import tree

_NAMED = re.compile(r"""{%-?\s*(?:include|extends|component|cotton|fragment)\s+["']([^"'#]+)""")
_QUOTED_NAME = re.compile(r"""["']([\w./-]+\.(?:html|txt|svg|js|xml))(?:#[\w-]+)?["']""")
LOADED_BY_THE_FRAMEWORK = (
    # By name from Django, allauth and the form renderer; they replace the packages' own.
    re.compile(r"^(400|401|403|404|409|429|500)(_csrf)?\.html$"),
    re.compile(r"^(account|mfa|allauth|django/forms)/"),
    re.compile(r"^registration/"),
)
_INLINE = (
    (re.compile(r"<style\b", re.IGNORECASE), "a <style> element"),
    (
        re.compile(r"<script\b(?![^>]*\bsrc=)(?![^>]*type=[\"']application/(?:ld\+)?json)", re.IGNORECASE),
        "inline script",
    ),
    (re.compile(r"\sstyle\s*=", re.IGNORECASE), "a style attribute"),
    (re.compile(r"\son[a-z]+\s*=\s*[\"']", re.IGNORECASE), "an event attribute"),
    (re.compile(r"javascript:", re.IGNORECASE), "a javascript: address"),
    (re.compile(r"\shx-on[:\w-]*=", re.IGNORECASE), "hx-on, which needs eval"),
    (re.compile(r"\shx-(?:vals|headers)=[\"']js:", re.IGNORECASE), "a js: value, which needs eval"),
)
_COMMENTS = re.compile(r"{#.*?#}|{%-?\s*comment.*?endcomment\s*%}|<!--.*?-->", re.DOTALL)
_LOADS_FROM_ELSEWHERE = re.compile(r"<(?:script|link|img|iframe|source|object)\b[^>]*https?://", re.IGNORECASE)


def inline(text: str) -> list[str]:
    """Return what the content policy would block, or what would leave the machine."""
    plain = _COMMENTS.sub("", text)
    found = [name for pattern, name in _INLINE if pattern.search(plain)]
    if _LOADS_FROM_ELSEWHERE.search(plain):
        found.append("something loaded from elsewhere")
    return found


def test_no_template_carries_style_or_script():
    faults = [
        f"{name}: {fault}"
        for name, path in tree.templates().items()
        for fault in inline(path.read_text(encoding="utf-8"))
    ]
    tree.none(faults)


def test_no_module_writes_style_or_script():
    faults = [
        f"{tree.shown(path)}:{node.lineno}: {fault}"
        for path, module in tree.modules().items()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "<" in node.value
        for fault in inline(node.value)
    ]
    tree.none(faults)


@pytest.mark.parametrize(
    "planted",
    [
        "<style>p{}</style>",
        "<script>alert(1)</script>",
        '<p style="color: red">',
        '<a onclick="go()">',
        '<a href="javascript:go()">',
        '<div hx-on:click="go()">',
        '<script src="https://cdn.example/x.js"></script>',
    ],
)
def test_inline_style_or_script_would_be_found(planted):
    assert inline(planted)


def test_our_own_script_files_pass():
    assert inline('<script src="{% static "ui/site.js" %}" defer></script><p class="style">') == []


# Used and existing


def names_in_template(text: str) -> set[str]:
    """Return the templates that a template names."""
    return set(_NAMED.findall(text)) | {name for name in _QUOTED_NAME.findall(text) if "/" in name}


def names_in_module(module: ast.Module) -> set[str]:
    """Return the words of a Python module that look like the name of a template."""
    return {
        node.value.split("#")[0]
        for node in ast.walk(module)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[\w./-]+\.(?:html|txt|svg|js|xml)(?:#[\w-]+)?", node.value)
    }


def families_in_module(module: ast.Module) -> list[re.Pattern[str]]:
    """Return the patterns of template names that a module puts together, such as f"ui/step_{name}.html"."""
    families = []
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
            if isinstance(parts[0], str) and "/" in parts[0] and str(parts[-1]).endswith((".html", ".txt")):
                families.append(
                    re.compile("".join(r"[\w-]+" if part is None else re.escape(part) for part in parts) + "$")
                )
    return families


def unused(present: Iterable[str], named: Mapping[str, set[str]]) -> list[str]:
    """Return the templates that no view reaches, also through others; `named` maps a file to what it names."""
    present = set(present)
    reached, waiting = set(), [name for file, names in named.items() if file not in present for name in names]
    waiting += [name for name in present if any(pattern.match(name) for pattern in LOADED_BY_THE_FRAMEWORK)]
    while waiting:
        name = waiting.pop()
        if name in present and name not in reached:
            reached.add(name)
            waiting += named.get(name, set())
    return sorted(present - reached)


def _named() -> dict[str, set[str]]:
    named = {name: names_in_template(path.read_text(encoding="utf-8")) for name, path in tree.templates().items()}
    for path, module in tree.modules().items():
        families = families_in_module(module)
        named[tree.shown(path)] = names_in_module(module) | {
            name for name in tree.templates() if any(family.match(name) for family in families)
        }
    return named


def test_every_template_is_used():
    tree.none(unused(tree.templates(), _named()))


def test_an_unused_template_would_be_found():
    named = {
        "views.py": {"cases/case.html"},
        "cases/case.html": {"ui/base.html"},
        "cases/old.html": {"cases/old_part.html"},
    }
    present = ["cases/case.html", "ui/base.html", "cases/old.html", "cases/old_part.html", "404.html"]
    assert unused(present, named) == ["cases/old.html", "cases/old_part.html"]


def test_names_put_together_are_understood():
    (family,) = families_in_module(ast.parse('render(request, f"cases/step_{step}.html")'))
    assert family.match("cases/step_place.html") and not family.match("cases/old.html")


def absent(named: Mapping[str, set[str]], present: Iterable[str], rooms: Iterable[str]) -> list[str]:
    """Return the templates that are named and do not exist."""
    present, rooms = set(present), set(rooms)
    return sorted(
        f"{file} names {name}"
        for file, names in named.items()
        for name in names
        if name.endswith(".html") and name.split("/")[0] in rooms and name not in present
    )


def test_every_template_named_exists():
    tree.none(absent(_named(), tree.templates(), tree.rooms()))


def test_an_absent_template_would_be_found():
    assert absent({"views.py": {"cases/lost.html"}}, [], ["cases"]) == ["views.py names cases/lost.html"]


def test_templates_lie_below_the_name_of_their_room():
    misplaced = [
        name
        for name, path in tree.templates().items()
        if name.split("/")[0] != tree.room_of(path)
        if not any(pattern.match(name) for pattern in LOADED_BY_THE_FRAMEWORK)
    ]
    tree.none(misplaced)
