"""How a unit stands on a day: whether it lives, to which province it answers, whether it counts as remote.

Asked together in one statement that is kept: every matter that comes in needs all of it.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Subquery, UUIDField

from gandan.access import sql
from gandan.units.models import Unit, UnitReach, UnitVersion, dated, province_of

_COLUMNS = tuple(field.attname for field in Unit._meta.concrete_fields)


@dataclass(frozen=True, slots=True)
class Standing:
    """The unit as its row is now, with what held on the day `on`."""

    unit: Unit
    on: date
    province: UUID | None
    """As `province_of` says."""
    remote: bool
    """Without a recorded legal basis a unit is not remote."""


def standing(unit: UUID, on: date) -> Standing:
    """Return how a unit stands on a day. Raises Unit.DoesNotExist."""
    for *columns, above, known, remote in sql.rows(_asked, (on,), (unit,)):
        row = Unit.from_db(connection.alias, _COLUMNS, columns)
        ended = row.valid_to is not None and row.valid_to <= on
        if ended or above is None:
            # The last province of an ended unit; a province itself; the country.
            province = province_of(row, on)
            above = province.pk if province is not None else None
        if not known:
            version = row.version_on(on)
            remote = version is not None and version.remote
        return Standing(row, on, above, bool(remote))
    raise Unit.DoesNotExist(unit)


def _asked(on: date, unit: UUID) -> Any:
    above = UnitReach.objects.filter(dated(on), descendant=OuterRef("pk"), ancestor__level=Unit.Level.PROVINCE)
    names = UnitVersion.objects.filter(unit=OuterRef("pk"), valid_from__lte=on).order_by("-valid_from")
    return (
        Unit.objects.filter(pk=unit)
        .annotate(
            above=Subquery(above.order_by("pk").values("ancestor")[:1], output_field=UUIDField()),
            known=Exists(names),
            far=Subquery(names.values("remote")[:1]),
        )
        .values_list(*_COLUMNS, "above", "known", "far")
    )
