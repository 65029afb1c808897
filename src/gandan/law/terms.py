"""Terms as data: how long, from which event, by which law, and how well that is known."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Unit = Literal["hour", "day", "working_day", "half_day", "month"]
Evidence = Literal["official", "sourced", "secondary", "memory", "policy", "design"]

UNITS: tuple[Unit, ...] = ("hour", "day", "working_day", "half_day", "month")


class NoTerm(LookupError):
    """No term with this code was in force on the day."""


@dataclass(frozen=True, slots=True)
class ExtensionRule:
    """By how much a term may be extended, how often, and who decides."""

    code: str
    amount: int
    unit: Unit
    times: int = 1
    by: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """One version of a term. `amount` holds for this unit and matter: the remote or complex variant is chosen.

    A `half_day` amount counts half working days.
    """

    code: str
    amount: Decimal
    unit: Unit
    basis_vi: str = ""
    basis_en: str = ""
    evidence: Evidence = "memory"
    version: int = 1
    valid_from: date = date.min
    valid_to: date | None = None
    remote_amount: Decimal | None = None
    complex_amount: Decimal | None = None
    remote_complex_amount: Decimal | None = None
    extensions: tuple[ExtensionRule, ...] = ()
    pause_grounds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.amount <= 0:
            raise ValueError(f"the term {self.code} has no length")
        if self.unit in ("day", "working_day", "month") and self.amount != int(self.amount):
            raise ValueError(f"the term {self.code} counts whole {self.unit}s")

    def amount_for(self, *, remote: bool = False, complex: bool = False) -> Decimal:
        """Return the amount for a unit's remote status and the matter's complexity.

        A variant that the law does not give falls back to the nearest one that it does.
        """
        if remote and complex:
            return self.remote_complex_amount or self.remote_amount or self.complex_amount or self.amount
        if remote:
            return self.remote_amount or self.amount
        if complex:
            return self.complex_amount or self.amount
        return self.amount


def term_in_force(terms: Iterable[Term], code: str, on: date) -> Term:
    """Return the version of a term in force on a day, the latest of several. Raises NoTerm."""
    found = [
        term
        for term in terms
        if term.code == code and term.valid_from <= on and (term.valid_to is None or on < term.valid_to)
    ]
    if not found:
        raise NoTerm(f"no term {code} was in force on {on}")
    return max(found, key=lambda term: (term.valid_from, term.version))
