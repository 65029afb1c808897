"""Terms as data: how long, from which event, by which law, and how well that is known."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

Unit = Literal["hour", "day", "working_day", "half_day", "month"]
Evidence = Literal["official", "sourced", "secondary", "memory", "policy", "design"]

UNITS: tuple[Unit, ...] = ("hour", "day", "working_day", "half_day", "month")
WHOLE: tuple[Unit, ...] = ("day", "working_day", "half_day", "month")
"""Units of which a term counts whole ones only."""


class NoTerm(LookupError):
    """No term with this code was in force on the day."""


@dataclass(frozen=True, slots=True)
class ExtensionRule:
    """By how much a term may be extended, how often, who decides, and how many days before its end to ask."""

    code: str
    amount: int
    unit: Unit
    times: int = 1
    by: str = ""
    ask_before: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """One version of a term. `amount` is the ordinary one; remote communes and complex matters may have others.

    A `half_day` amount counts half working days: 0.5 of a working day is one of them. `starts_at_event` names
    the event that starts the clock. Valid on days from `valid_from` up to, and without, `valid_to`.

    Raises ValueError for an amount that is not above zero, and for a part of a day or month.
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
    starts_at_event: str = ""

    def __post_init__(self) -> None:
        for amount in (self.amount, self.remote_amount, self.complex_amount, self.remote_complex_amount):
            if amount is None:
                continue
            if amount <= 0:
                raise ValueError(f"the term {self.code} has no length")
            if self.unit in WHOLE and amount != int(amount):
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

    def for_matter(self, *, remote: bool = False, complex: bool = False) -> "Term":
        """Return this version with the amount that holds for the matter, and no other variants."""
        return replace(
            self,
            amount=self.amount_for(remote=remote, complex=complex),
            remote_amount=None,
            complex_amount=None,
            remote_complex_amount=None,
        )


def term_in_force(terms: Iterable[Term], code: str, on: date, *, remote: bool = False, complex: bool = False) -> Term:
    """Return the version of a term in force on a day, the latest of several.

    With `remote` or `complex` its amount is the one that holds for such a unit or matter. Raises NoTerm.
    """
    found = [
        term
        for term in terms
        if term.code == code and term.valid_from <= on and (term.valid_to is None or on < term.valid_to)
    ]
    if not found:
        raise NoTerm(f"no term {code} was in force on {on}")
    latest = max(found, key=lambda term: (term.valid_from, term.version))
    return latest.for_matter(remote=remote, complex=complex) if remote or complex else latest
