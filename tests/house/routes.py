"""Every address of the house with its methods, its rule and the roles that pass: the file routes.lock.

python -m tests.house.routes            write routes.lock anew
python -m tests.house.routes --check    only compare
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.house import tree

LOCK = tree.ROOT / "routes.lock"
HEAD = """\
# Every address with its methods, its rule and who passes it. Written by `python -m tests.house.routes`;
# a change here is a change of who may see or do what, and is read as such in review.
"""


@dataclass(frozen=True, order=True)
class Route:
    """One address: the pattern as people read it, its name, methods and access rule (None: undeclared)."""

    pattern: str
    name: str
    methods: str
    rule: tuple[str, ...] | None
    module: str = ""

    def line(self) -> str:
        """Return the line of this route in routes.lock."""
        return f"{self.methods:12} {self.pattern:58} {self.name:30} {self.said()}"

    def said(self) -> str:
        """Return the rule, and for a capability the roles that hold it."""
        from gandan.access.roles import RIGHTS

        if self.rule is None:
            return "UNDECLARED"
        kind, *words = self.rule
        if kind != "needs":
            return f"{kind}: {', '.join(words)}"
        holders = [
            str(role)
            for role, rights in RIGHTS.items()
            if any(word in rights.ordinary or word in rights.concerned for word in words)
        ]
        return f"needs {' or '.join(words)}: {', '.join(sorted(holders)) or 'NOBODY'}"


def routes() -> list[Route]:
    """Return every address that the resolver knows, each language's double left out."""
    from django.urls import get_resolver
    from django.utils import translation

    with translation.override("vi"):
        return sorted(set(_walk(get_resolver().url_patterns, "/", "")))


def _walk(patterns: Iterable[Any], before: str, namespace: str) -> Iterator[Route]:
    from django.urls import URLResolver

    from gandan.access.middleware import rule_of

    for pattern in patterns:
        path = before + _plain(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, path, inner)
            continue
        name = f"{namespace}{pattern.name}" if pattern.name else ""
        yield Route(path, name, _methods(pattern.callback), rule_of(pattern.callback, name), _module(pattern.callback))


def _plain(pattern: str) -> str:
    return re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", pattern).replace("^", "").replace("\\Z", "").replace("$", "")


def _module(view: Any) -> str:
    return str(getattr(view, "view_class", view).__module__)


def _methods(view: Any) -> str:
    """Return the methods that a view lets in, as its decorators or its class say."""
    allowed: set[str] | None = set(getattr(view, "methods", ())) or None  # of an operation for programs
    seen = view
    while seen is not None:
        names = getattr(getattr(seen, "__code__", None), "co_freevars", ())
        if "request_method_list" in names:
            listed = set(seen.__closure__[names.index("request_method_list")].cell_contents)
            allowed = listed if allowed is None else allowed & listed
        seen = getattr(seen, "__wrapped__", None)
    view_class = getattr(view, "view_class", None)
    if allowed is None and view_class is not None:
        allowed = {name.upper() for name in view_class.http_method_names if hasattr(view_class, name)}
    return ",".join(sorted(allowed - {"HEAD", "OPTIONS"})) if allowed else "any"


def undeclared(found: Iterable[Route]) -> list[str]:
    """Return the addresses whose view says nothing about who may come in, or what nobody can pass."""
    return [
        f"{route.pattern} ({route.module})"
        for route in found
        if route.rule is None or len(route.rule) < 2 or not route.rule[1] or "NOBODY" in route.said()
    ]


def written(found: Iterable[Route]) -> str:
    """Return routes.lock as it should be."""
    return HEAD + "".join(route.line() + "\n" for route in found)


def main(arguments: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gandan.config.settings")
    import django

    django.setup()
    text = written(routes())
    if "--check" in arguments:
        return 0 if LOCK.exists() and LOCK.read_text(encoding="utf-8") == text else 1
    LOCK.write_text(text, encoding="utf-8")
    print(f"{len(routes())} addresses written to {LOCK.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
