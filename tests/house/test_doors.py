"""Every address says who may come in, and routes.lock says so to the reviewer."""

import difflib

import pytest

from gandan.access import roles
from tests.house import routes, tree
from tests.house.routes import Route


@pytest.fixture(scope="module")
def found():
    return routes.routes()


def test_every_address_has_a_rule(found):
    assert found, "no address was found"
    tree.none(routes.undeclared(found))


def test_an_address_without_a_rule_would_be_found():
    planted = [
        Route("/a/", "a", "any", None, "gandan.cases.views"),
        Route("/b/", "b", "any", ("public", ""), "gandan.cases.views"),
        Route("/c/", "c", "any", ("needs", "case.dream"), "gandan.cases.views"),
        Route("/d/", "d", "any", ("public", "everybody asks for help"), "gandan.cases.views"),
    ]
    assert [fault.split()[0] for fault in routes.undeclared(planted)] == ["/a/", "/b/", "/c/"]


def test_routes_lock_is_up_to_date(found):
    kept = routes.LOCK.read_text(encoding="utf-8") if routes.LOCK.exists() else ""
    changed = list(difflib.unified_diff(kept.splitlines(), routes.written(found).splitlines(), lineterm="", n=0))
    tree.none(changed, "who may see what has changed: run `python -m tests.house.routes` and read the difference")


def test_a_changed_rule_changes_the_lock():
    before = Route("/desk/", "desk", "any", ("needs", "obligation.read"))
    after = Route("/desk/", "desk", "any", ("public", "why not"))
    assert routes.written([before]) != routes.written([after])


def test_the_lock_names_the_roles_that_pass():
    assert "auditor" in Route("/desk/audit/", "audit_desk", "GET", ("needs", "audit.read")).said()


def unknown_capabilities(found) -> list[str]:
    """Return the capabilities that an address asks for and no role has."""
    return sorted(
        f"{route.pattern} asks for {word}"
        for route in found
        if route.rule and route.rule[0] == "needs"
        for word in route.rule[1:]
        if word not in roles.CAPABILITIES
    )


def test_every_capability_asked_for_exists(found):
    tree.none(unknown_capabilities(found))


def test_an_unknown_capability_would_be_found():
    assert unknown_capabilities([Route("/x/", "x", "any", ("needs", "case.read", "case.dream"))]) == [
        "/x/ asks for case.dream"
    ]


def test_what_changes_something_declares_its_methods(found):
    """A view that answers POST alone says so; the framework's own views are exempt."""
    silent = [
        route.pattern
        for route in found
        if route.module.startswith("gandan.") and route.methods == "any" and route.pattern.endswith(_VERBS)
    ]
    tree.none(silent)


_VERBS = tuple(f"/{verb}/" for verb in ("take", "end", "withdraw", "close", "assign", "delete", "apply", "reset"))


def test_the_framework_admin_is_not_installed(settings):
    assert "django.contrib.admin" not in settings.INSTALLED_APPS


def test_no_address_is_named_twice(found):
    names = [route.name for route in found if route.name]
    assert sorted({name for name in names if names.count(name) > 1}) == []


def test_the_lock_lies_at_the_root():
    assert routes.LOCK == tree.ROOT / "routes.lock"
