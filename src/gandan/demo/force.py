"""How the regular police came to the communes: pure data, the same in every installation.

On 31 August 2020 they are 327 in 94 of 94 rural communes; a month later at least five in each; about 620 now.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from gandan.demo import place

FIRST_POSTED = date(2018, 3, 1)
EVERYWHERE = date(2020, 8, 31)
FIVE_EACH = date(2020, 9, 30)
_FOUR_BY_AUGUST = 45
_LATER = 16
_TOWN = ("chief", "duty_officer", "duty_officer", "officer", "officer", "officer", "officer", "officer")
_RURAL = ("chief", "officer", "duty_officer", "officer", "officer")
STRENGTHENED = date(2025, 10, 1)
"""On this day each new commune receives one officer more, as decided with the merger."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One officer who comes to one commune and stays."""

    commune: str
    role: str
    start: date


def before_the_merger() -> list[Posting]:
    """Return who came to the 106 communes until 2024, in order of time."""
    return sorted(_postings(), key=lambda posting: posting.start)


def strength(on: date, *, types: tuple[str, ...] = ("Xã",)) -> Counter[str]:
    """Return how many officers each old commune of these types has on a day."""
    codes = {commune.code for commune in place.old_communes() if commune.type in types}
    return Counter(each.commune for each in _postings() if each.commune in codes and each.start <= on)


def _postings() -> Iterator[Posting]:
    communes = place.old_communes()
    rural = [commune.code for commune in communes if commune.type == "Xã"]
    span = (EVERYWHERE - FIRST_POSTED).days
    for commune in communes:
        if commune.type != "Xã":
            # Wards and towns had regular police before.
            yield from (Posting(commune.code, role, place.FIRST_DAY) for role in _TOWN)
    for number, code in enumerate(rural):
        # The chief comes first, commune by commune over thirty months; the others follow within the last year.
        arrived = FIRST_POSTED + timedelta(days=span * number // (len(rural) - 1))
        early = 3 + _in_turn(number, len(rural), _FOUR_BY_AUGUST)
        for nth, role in enumerate(_RURAL):
            if nth >= early:
                start = FIVE_EACH - timedelta(days=(number + nth) % 20)
            else:
                start = min(arrived + timedelta(days=90 * nth), EVERYWHERE)
            yield Posting(code, role, start)
        if _in_turn(number, len(rural), _LATER):
            yield Posting(code, "officer", date(2022, 1 + number % 12, 1))


def _in_turn(number: int, total: int, chosen: int) -> int:
    """Return 1 for `chosen` numbers of `total`, evenly spread, and 0 for the others."""
    return (number + 1) * chosen // total - number * chosen // total
