"""Pointing at a unit, and saying what becomes of the pointer when the unit ends."""

from typing import Any, Literal

from django.db import models

Fate = Literal["stays", "passes", "ends"]


class UnitKey(models.ForeignKey):
    """A foreign key to a unit that declares its fate in a reorganisation.

    `stays`: the row belongs for ever to the unit named (who received it, who reported it); `passes`: a
    carrier moves it to the successor; `ends`: the row ends with the unit.
    """

    def __init__(self, to: Any = "units.Unit", on_delete: Any = models.PROTECT, **options: Any) -> None:
        self.on_reorganisation: Fate = options.pop("on_reorganisation", "stays")
        options.setdefault("related_name", "+")
        super().__init__(to, on_delete, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        options["on_reorganisation"] = self.on_reorganisation
        return name, path, args, options
