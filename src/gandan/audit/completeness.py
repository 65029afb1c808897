"""Does everything that changes a watched table leave an entry in the record, in the same transaction?

Triggers count the changes of each table in a table of their own, so that what raw SQL or a bulk write changes is
counted too, and what is rolled back is not. They are switched on where the question is asked (the tests), and cost
nothing elsewhere.
"""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models

from gandan.access.models import Guarded
from gandan.audit import sql

RECORD = "audit_auditentry"
UNWATCHED = {
    "audit.AuditEntry": "the record itself",
    "audit.AuditHead": "the end of the record",
    "audit.AuditCheckpoint": "signs the record, changes nothing",
    "units.UnitReach": "computed anew from placements",
    "units.UnitHeir": "computed anew from successions",
    "obligations.Effect": "keys that keep an effect from happening twice",
    "cases.Rating": "a score is kept without a link to a matter or a person, and an entry's place would be the link",
    "cases.Draft": "a form that nobody has sent yet belongs to nobody's work",
    "cases.DraftFile": "a form that nobody has sent yet belongs to nobody's work",
}
"""Tables of the house whose changes need no entry, each with the reason."""
UNWATCHED_COLUMNS = {
    # A sign-in is told in the record by an entry of its own.
    "accounts.User": ("last_login",),
    # Set when a score is given, see cases.Rating.
    "cases.Case": ("rated_round",),
}
"""Columns that may change without an entry."""


def watched() -> list[type[models.Model]]:
    """Return the tables whose every change needs an entry."""
    return [
        model
        for model in apps.get_models()
        if (issubclass(model, Guarded) or model._meta.label == settings.AUTH_USER_MODEL)
        and model._meta.label not in UNWATCHED
    ]


def install(using: str = "default") -> int:
    """Switch the counting on; return how many tables are watched."""
    chosen = watched()
    sql.count_changes([(m._meta.db_table, _columns(m)) for m in chosen], RECORD, using)
    return len(chosen)


def remove(using: str = "default") -> None:
    """Switch the counting off."""
    sql.stop_counting([m._meta.db_table for m in watched()], RECORD, using)


def counts(using: str = "default") -> dict[str, int]:
    """Return how often each table was changed in the transactions that stand, the present one included."""
    return sql.change_counts(using)


def unrecorded(before: dict[str, int], after: dict[str, int]) -> list[str]:
    """Return the watched tables that changed between two counts while the record did not."""
    if after.get(RECORD, 0) > before.get(RECORD, 0):
        return []
    return sorted(table for table, count in after.items() if count > before.get(table, 0) and table != RECORD)


def _columns(model: Any) -> Iterable[str]:
    """Return the columns whose update counts; none means all of them."""
    left_out = UNWATCHED_COLUMNS.get(model._meta.label, ())
    return [f.column for f in model._meta.local_concrete_fields if f.column not in left_out] if left_out else []
