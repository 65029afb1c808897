"""The register of an installation: its official units with every act recorded since."""

import os
from fractions import Fraction
from pathlib import Path

from gandan.units.register import Entry, Passing, Register


class NoAnswer(Exception):
    """The installation has a database that does not answer: its acts are not known, and the lists are no answer."""


class WrongSetting(Exception):
    """A setting that keeps the installation from being opened, with its sentence."""


def from_installation() -> Register | None:
    """Return the units of the installation in GANDAN_HOME or DATABASE_URL, or None where there is none yet.

    Raises NoAnswer and WrongSetting.
    """
    home = Path(os.environ.get("GANDAN_HOME", "var"))
    if not os.environ.get("DATABASE_URL") and not (home / "gandan.sqlite3").exists():
        return None
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gandan.config.settings")
    import django
    from django.db import DatabaseError, connection

    try:
        django.setup()
    except ImportError:
        raise
    except Exception as error:
        # The class of this error belongs to a storey above; all that the start of Django refuses is a setting.
        raise WrongSetting(str(error)) from None
    try:
        if "units_unitversion" not in connection.introspection.table_names():
            return None
        return from_database()
    except DatabaseError as error:
        why = str(error).strip().splitlines()
        raise NoAnswer(
            f"the database of the installation does not answer: {why[0] if why else type(error).__name__}; "
            "--reference asks the lists of the package"
        ) from None


def from_database() -> Register | None:
    """Return the recorded units, or None when there are none yet."""
    from gandan.units.models import Placement, Succession, UnitVersion

    parents: dict[str, list] = {}
    for unit, parent, start in Placement.objects.filter(chain=Placement.Chain.ADMINISTRATIVE).values_list(
        "unit", "parent", "valid_from"
    ):
        parents.setdefault(unit.hex, []).append((start, parent.hex))
    entries = []
    for version in UnitVersion.objects.exclude(unit__level="country").select_related("unit").order_by("valid_from"):
        key = version.unit_id.hex
        above = [parent for start, parent in sorted(parents.get(key, [])) if start <= version.valid_from]
        entries.append(
            Entry(
                key,
                version.code,
                version.name,
                version.type,
                version.unit.level,
                above[-1] if above else "",
                version.valid_from,
                version.valid_to,
                version.basis,
            )
        )
    if not entries:
        return None
    known = {entry.key for entry in entries}
    for index, entry in enumerate(entries):
        if entry.parent and entry.parent not in known:
            entries[index] = Entry(
                entry.key,
                entry.code,
                entry.name,
                entry.type,
                entry.level,
                "",
                entry.valid_from,
                entry.valid_to,
                entry.basis,
            )
    passings = [
        Passing(
            row.predecessor_id.hex,
            row.successor_id.hex,
            row.on,
            row.part,
            Fraction(str(row.share)) if row.share is not None else None,
            row.act.decree,
            row.primary,
        )
        for row in Succession.objects.select_related("act")
    ]
    return Register(entries, passings, min(entry.valid_from for entry in entries), "installation")
