"""Restating figures of old units onto the map of a later date, exactly or not at all.

Standard library only: callers reach it from the command line without loading anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Code = str
Number = int | Fraction
Part = Literal["whole", "share", "unknown"]


@dataclass(frozen=True, slots=True)
class Link:
    """A part of `old` that went to `new`: the whole of it, a share between 0 and 1, or a part of unknown size."""

    old: Code
    new: Code
    part: Part = "whole"
    share: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Restated:
    """A figure on the later map.

    `value` is None when any part of it has unknown size, or when nothing was reported (then `reported` is 0).
    `imputed` is the share of the value, between 0 and 1, that rests on shares and not on whole units.
    `unknown` is the share of the expected old units, between 0 and 1, of which a part of unknown size came.
    `reported` of `expected` old units had a figure: missing is not zero.
    """

    value: Fraction | None
    imputed: Fraction
    unknown: Fraction
    reported: int
    expected: int
    sources: tuple[Code, ...] = ()

    @property
    def is_break(self) -> bool:
        """Whether the series breaks here: a part of unknown size makes every number a guess."""
        return self.unknown > 0


def check_links(links: Iterable[Link]) -> None:
    """Raise ValueError unless, for each old unit, the parts are one whole, shares that sum to 1, or unknown."""
    by_old: dict[Code, list[Link]] = {}
    for link in links:
        by_old.setdefault(link.old, []).append(link)
    for old, parts in by_old.items():
        kinds = {part.part for part in parts}
        if kinds == {"whole"} and len(parts) == 1:
            continue
        if kinds == {"share"} and sum((part.share or Fraction(0) for part in parts), Fraction(0)) == 1:
            continue
        if kinds == {"unknown"}:
            continue
        raise ValueError(f"the parts of {old} are neither one whole, nor shares that sum to 1, nor all unknown")


def compose(first: Sequence[Link], then: Sequence[Link]) -> list[Link]:
    """Return the links from the first map to the third, through the second.

    A unit that `then` does not name goes on unchanged. Shares multiply; unknown stays unknown.
    """
    onwards: dict[Code, list[Link]] = {}
    for link in then:
        onwards.setdefault(link.old, []).append(link)
    joined: dict[tuple[Code, Code], list[Link]] = {}
    for link in first:
        for step in onwards.get(link.new, [Link(link.new, link.new)]):
            joined.setdefault((link.old, step.new), []).append(_product(link, step))
    reached = {link.new for link in first} | {link.old for link in first}
    for link in then:
        if link.old not in reached:
            joined.setdefault((link.old, link.new), []).append(link)
    return [_sum(links) for links in joined.values()]


def restate(
    values: Mapping[Code, Number | tuple[Number, Number]],
    links: Sequence[Link],
    how: Literal["sum", "ratio"] = "sum",
) -> dict[Code, Restated]:
    """Restate `values` of old units onto the new ones that `links` reach.

    `how="sum"` adds counts. `how="ratio"` takes (numerator, denominator), adds each, and divides once; a mean of
    percentages is never formed. A unit that no link names keeps its figure. Raises ValueError for links that
    lose or double a unit, and ZeroDivisionError never: a ratio over nothing is None.
    """
    check_links(links)
    named = {link.old for link in links}
    everything = [*links, *(Link(code, code) for code in values if code not in named)]
    by_new: dict[Code, list[Link]] = {}
    for link in everything:
        by_new.setdefault(link.new, []).append(link)
    return {new: _restate_one(parts, values, how) for new, parts in by_new.items()}


def _restate_one(parts: Sequence[Link], values: Mapping[Code, Number | tuple[Number, Number]], how: str) -> Restated:
    expected = len(parts)
    sources = tuple(sorted(part.old for part in parts))
    reported = [part for part in parts if part.old in values]
    unknown = Fraction(sum(part.part == "unknown" for part in parts), expected)
    if unknown or not reported:
        return Restated(None, Fraction(0), unknown, len(reported), expected, sources)
    top = bottom = shared = Fraction(0)
    for part in reported:
        value = values[part.old]
        weight = part.share if part.part == "share" and part.share is not None else Fraction(1)
        numerator, denominator = value if isinstance(value, tuple) else (value, 1)
        top += weight * numerator
        bottom += weight * denominator
        if part.part == "share":
            shared += abs(weight * (denominator if how == "ratio" else numerator))
    if how == "ratio":
        return Restated(
            top / bottom if bottom else None,
            shared / bottom if bottom else Fraction(0),
            unknown,
            len(reported),
            expected,
            sources,
        )
    imputed = min(Fraction(1), shared / abs(top)) if top else Fraction(0)
    return Restated(top, imputed, unknown, len(reported), expected, sources)


def _product(link: Link, step: Link) -> Link:
    if "unknown" in (link.part, step.part):
        return Link(link.old, step.new, "unknown")
    if link.part == step.part == "whole":
        return Link(link.old, step.new)
    share = (link.share or Fraction(1)) * (step.share or Fraction(1))
    return Link(link.old, step.new, "share", share)


def _sum(links: Sequence[Link]) -> Link:
    """Join several ways by which parts of one unit reached another."""
    if len(links) == 1:
        return links[0]
    if any(link.part == "unknown" for link in links):
        return Link(links[0].old, links[0].new, "unknown")
    share = sum((link.share if link.share is not None else Fraction(1) for link in links), Fraction(0))
    if share == 1:
        return Link(links[0].old, links[0].new)
    return Link(links[0].old, links[0].new, "share", share)
