"""Every rule taken away in turn: each policy, each door, each reason why not, each question about concerns."""

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

from django.apps import apps
from django.conf import settings
from django.db.models import Q
from django.urls import URLPattern, get_resolver

from gandan.access import sql
from gandan.access.actor import EVERYWHERE
from gandan.access.policies import Policy
from gandan.staffing import authority
from gandan.staffing.authority import GrantAuthority

NOTHING = Q(pk__in=[])
_ASKED = {"policy Grant", "policy Case", "policy CaseIdentity", "policy Obligation"}
"""What asks the questions about concerns and reach."""
_PERMISSIONS = ("cases", "obligations", "staffing")


class Mutant(NamedTuple):
    name: str
    touched: Callable[[str], bool]
    """Whether what a cell touched (addresses, policies, functions) is what is taken away."""
    patches: Callable[[], list[Any]]


class Lax(Policy):
    """A policy that asks nothing."""

    def condition(self, actor: Any, capability: str) -> Q:
        return Q()


def mutants() -> Iterator[Mutant]:
    yield from _policies()
    yield from _doors()
    yield from _reasons()
    yield from _concerns()


def guarded() -> dict[str, type]:
    """Return the models with a policy of their own, by name."""
    return {model.__name__: model for model in apps.get_models() if isinstance(getattr(model, "access", None), Policy)}


def _policies() -> Iterator[Mutant]:
    for name, model in guarded().items():
        own: Policy = model.access  # type: ignore[attr-defined]
        lax = Lax(own.scope, own.read, own.province, own.matter)
        yield Mutant(
            f"policy {name}", _is(f"policy {name}"), lambda m=model, p=lax: [mock.patch.object(m, "access", p)]
        )
        if own.matter:
            blind = dataclasses.replace(own, matter=None)
            yield Mutant(
                f"concern of {name}",
                _is(f"policy {name}"),
                lambda m=model, p=blind: [mock.patch.object(m, "access", p)],
            )


def views() -> Iterator[tuple[str, Any]]:
    """Return every named view that says itself who may come in."""

    def walk(patterns: Any) -> Iterator[tuple[str, Any]]:
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                if pattern.name:
                    yield pattern.name, pattern.callback
            else:
                yield from walk(pattern.url_patterns)

    return walk(get_resolver().url_patterns)


def _doors() -> Iterator[Mutant]:
    open_rule = ("public", "a mutant")
    for name, view in views():
        rule = getattr(view, "access_rule", None)
        if rule is None and name not in settings.GANDAN_FOREIGN_VIEWS:
            continue
        kind = (rule or settings.GANDAN_FOREIGN_VIEWS[name])[0]
        replacement = None if kind == "public" else open_rule

        def patches(view: Any = view, name: str = name, rule: Any = rule, new: Any = replacement) -> list[Any]:
            if rule is not None:
                return [mock.patch.object(view, "access_rule", new)]
            return [mock.patch.dict(settings.GANDAN_FOREIGN_VIEWS, {name: new})]

        yield Mutant(f"@{kind} {name}", _is(f"route {name}"), patches)


def reasons() -> Iterator[tuple[str, Any, Any]]:
    """Return every function that says why not, with its module."""
    for room in _PERMISSIONS:
        module = importlib.import_module(f"gandan.{room}.permissions")
        for name, function in vars(module).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_"):
                yield name, module, function


def _reasons() -> Iterator[Mutant]:
    for name, module, function in reasons():
        if inspect.signature(function).return_annotation not in ("Reason", bool, module.Reason):
            continue
        willing = {"may": True, "is_about_us": False}.get(name)

        def patches(module: Any = module, name: str = name, willing: Any = willing) -> list[Any]:
            lax = lambda *args, **options: willing  # noqa: E731
            found = [mock.patch.object(module, name, lax)]
            if name in getattr(module, "ALL", {}):
                found.append(mock.patch.dict(module.ALL, {name: lax}))
            return found

        yield Mutant(f"{module.__name__}.{name}", _is(f"{module.__name__}.{name}"), patches)


def _concerns() -> Iterator[Mutant]:
    def method(name: str, value: Any) -> Mutant:
        return Mutant(
            f"authority.{name}", _ASKED.__contains__, lambda: [mock.patch.object(GrantAuthority, name, value)]
        )

    def function(name: str, value: Any) -> Mutant:
        return Mutant(f"authority.{name}", _ASKED.__contains__, lambda: [mock.patch.object(authority, name, value)])

    yield method("subject", lambda self: NOTHING)
    yield method("about", lambda self, actor: NOTHING)
    yield method("has_subject", lambda self, matter: NOTHING)
    yield method("names", lambda self, matter, actor: NOTHING)
    yield method("touches", lambda self, matter, actor: NOTHING)
    yield method("units_under", lambda self, provinces: authority.Unit.objects.values("pk"))
    yield function("_affiliations", lambda grants, on: frozenset())
    yield function("_reach", lambda grant: EVERYWHERE)
    yield Mutant(
        "authority._Held.is_in_force",
        _ASKED.__contains__,
        lambda: [mock.patch.object(authority._Held, "is_in_force", lambda self, on: True)],
    )


def _is(name: str) -> Callable[[str], bool]:
    return lambda said: said == name


@contextmanager
def living(mutant: Mutant) -> Iterator[None]:
    """Take the rule away inside the block."""
    patches = mutant.patches()
    sql.forget()
    try:
        for patch in patches:
            patch.start()
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()
        sql.forget()


@contextmanager
def recording(said: set[str]) -> Iterator[None]:
    """Note which policies are asked and which reasons are sought inside the block."""
    names = {id(model.access): name for name, model in guarded().items()}  # type: ignore[attr-defined]
    condition = Policy.condition

    def asked(self: Policy, actor: Any, capability: str) -> Q:
        said.add(f"policy {names.get(id(self), '?')}")
        return condition(self, actor, capability)

    patches: list[Any] = [mock.patch.object(Policy, "condition", asked)]
    for name, module, function in reasons():

        def sought(*args: Any, _f: Any = function, _n: str = f"{module.__name__}.{name}", **options: Any) -> Any:
            said.add(_n)
            return _f(*args, **options)

        patches.append(mock.patch.object(module, name, sought))
        if name in getattr(module, "ALL", {}):
            patches.append(mock.patch.dict(module.ALL, {name: sought}))
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()
