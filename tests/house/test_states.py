"""A state that is asked of many rows and of one gives the same answer.

Each room registers its states in `AppConfig.ready()`:

    gandan.access.states.register(Case, "waiting", lambda rows, at: rows.waiting(), lambda case, at: case.state == ...)

The rows are those of the demo province, and instants around every date that they hold.
"""

from collections.abc import Iterable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from gandan.access import now, states
from tests.house import tree

MOMENTS = (timedelta(days=-400), timedelta(days=-40), timedelta(days=-1), timedelta(0), timedelta(days=1))


def disagreements(registered: Iterable[states.State], rows: Any, instants: Iterable[Any]) -> list[str]:
    """Return where the query and the function of a state differ; `rows` gives a queryset for a model."""
    faults = []
    for state in registered:
        loaded = list(rows(state.model))
        for at in instants:
            asked = {row.pk for row in state.query(rows(state.model), at)}
            held = {row.pk for row in loaded if state.holds(row, at)}
            if asked != held:
                faults.append(
                    f"{state.model.__name__} {state.name} at {at:%Y-%m-%d %H:%M}: the query finds {len(asked)}, "
                    f"the function {len(held)}, both {len(asked & held)} of {len(loaded)}"
                )
    return faults


def silent(registered: Iterable[states.State], rows: Any, instants: Iterable[Any]) -> list[str]:
    """Return the states in which no row ever was: comparing them proved nothing."""
    instants = list(instants)
    return [
        f"{state.model.__name__} {state.name} never holds"
        for state in registered
        if not any(state.query(rows(state.model), at).exists() for at in instants)
    ]


def unregistered(found: Iterable[type[models.Model]], registered: Iterable[states.State]) -> list[str]:
    """Return the models that keep a state as a property and registered no query for it."""
    known = {state.model for state in registered}
    return sorted(
        model._meta.label
        for model in found
        if model.__module__.startswith("gandan.")
        and (isinstance(vars(model).get("state"), property) or callable(vars(model).get("state")))
        and model not in known
    )


def test_every_derived_state_is_registered():
    tree.none(unregistered(apps.get_models(), states.REGISTERED))


def test_an_unregistered_state_would_be_found():
    planted = type("Planted", (), {"__module__": "gandan.x", "state": property(lambda self: "new")})
    planted._meta = SimpleNamespace(label="x.Planted")
    assert unregistered([planted], []) == ["x.Planted"]


def test_a_query_that_disagrees_would_be_found():
    class Rows(list):
        def exists(self) -> bool:
            return bool(self)

    rows = [SimpleNamespace(pk=1, late=True), SimpleNamespace(pk=2, late=False)]
    wrong = states.State(SimpleNamespace, "late", lambda found, at: Rows(found), lambda row, at: row.late)
    right = states.State(
        SimpleNamespace, "late", lambda found, at: Rows(r for r in found if r.late), lambda row, at: row.late
    )
    assert len(disagreements([wrong], lambda model: Rows(rows), [now()])) == 1
    assert disagreements([right], lambda model: Rows(rows), [now()]) == []
    assert silent([right], lambda model: Rows(), [now()]) == ["SimpleNamespace late never holds"]


@pytest.mark.django_db
def test_queries_and_functions_agree_in_the_demo_province(demo_province):
    assert states.REGISTERED, "no state is registered"

    def demo_rows(model: Any) -> Any:
        return model.system("house-test")

    instants = [now() + moment for moment in MOMENTS]
    tree.none(disagreements(states.REGISTERED, demo_rows, instants))
    tree.none(silent(states.REGISTERED, demo_rows, instants))


# No state is stored

_STORED = {"status", "state", "is_overdue", "overdue", "is_late", "is_open", "is_closed"}
ACTS_OF_LAW = {"units.Reorganisation", "obligations.CalendarYear"}
"""Drafted or in force, provisional or decided: steps that a person decides and signs, not derived from facts."""


def stored_states(found: Iterable[type[models.Model]]) -> list[str]:
    """Return the columns that keep what should be asked."""
    return [
        f"{model._meta.label}.{field.name}"
        for model in found
        if model.__module__.startswith("gandan.") and model._meta.label not in ACTS_OF_LAW
        for field in model._meta.local_fields
        if field.name in _STORED
    ]


def test_no_state_is_stored():
    tree.none(stored_states(apps.get_models()))


def test_a_stored_state_would_be_found():
    planted = type("Planted", (), {"__module__": "gandan.x"})
    planted._meta = SimpleNamespace(label="x.Planted", local_fields=[SimpleNamespace(name="status")])
    assert stored_states([planted]) == ["x.Planted.status"]
