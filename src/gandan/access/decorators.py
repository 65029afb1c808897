"""Every view says who may come in. One that does not is refused."""

from collections.abc import Callable
from typing import Any

View = Callable[..., Any]


def needs(capability: str, *others: str) -> Callable[[View], View]:
    """Let in those who hold the capability (or one of the others) anywhere; the rows decide the rest."""

    def mark(view: View) -> View:
        view.access_rule = ("needs", capability, *others)  # type: ignore[attr-defined]
        return view

    return mark


def public(reason: str) -> Callable[[View], View]:
    """Let in everybody, for the reason given."""

    def mark(view: View) -> View:
        view.access_rule = ("public", reason)  # type: ignore[attr-defined]
        return view

    return mark


def signed_in(reason: str) -> Callable[[View], View]:
    """Let in everybody who is signed in, whatever their role, for the reason given."""

    def mark(view: View) -> View:
        view.access_rule = ("signed_in", reason)  # type: ignore[attr-defined]
        return view

    return mark
