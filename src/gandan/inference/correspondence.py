"""Restating figures of old units onto the map of a later date, exactly or not at all.

Whole successions add exactly. A declared share gives a number that says how much of it is imputed. A part of
unknown size gives no number: the series breaks, and stays broken in every later step, unless all the parts of the unit
meet again in one place. Standard library only: callers reach it from the command line
without loading anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Rational
from typing import Literal

from gandan.inference.errors import InferenceError

Code = str
Number = int | Fraction
Part = Literal["whole", "share", "unknown"]


@dataclass(frozen=True, slots=True)
class Link:
    """A part of `old` that went to `new`: the whole of it, a share above 0 and not above 1, or a part of unknown size.

    `old` and `new` name units, not official codes: a code that is reused names two units. `rest_untold`: some other
    part of `old` went where no link says; `compose` sets it, nobody else needs to.
    """

    old: Code
    new: Code
    part: Part = "whole"
    share: Fraction | None = None
    rest_untold: bool = False


@dataclass(frozen=True, slots=True)
class Restated:
    """A figure on the later map.

    `value` is None when any part of it has unknown size, when nothing was reported (then `reported` is 0), or when
    a ratio has nothing below the line.
    `imputed` is the share of the value, between 0 and 1, that rests on shares and not on whole units; of a ratio,
    the share of what stands below the line. Where figures of both signs meet, it is the share of their sizes.
    `unknown` is the share of the expected old units, between 0 and 1, of which a part of unknown size came.
    `reported` of `expected` old units had a figure: missing is not zero.
    `sources` are the old units, sorted.
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

    @property
    def coverage(self) -> str:
        """In words how many of the expected units reported, as in "2 of 3"."""
        return f"{self.reported} of {self.expected}"


def check_links(links: Iterable[Link]) -> None:
    """Raise unless the parts of each old unit are one whole, shares that sum to 1, or some of unknown size.

    Known shares may stand beside parts of unknown size when they sum to less than 1. A part of unknown size may stand
    alone: then the rest of the unit went where nobody says, and no later step makes it whole. A unit may not name the
    same successor twice. Raises InferenceError (a ValueError): `links-not-whole`, `share-out-of-range`,
    `option-unknown`.
    """
    for old, parts in _by_old(links).items():
        kinds = [part.part for part in parts]
        for part in parts:
            if part.part not in ("whole", "share", "unknown"):
                raise InferenceError("option-unknown", name="part", value=part.part, allowed="whole, share, unknown")
            if part.part == "share" and (part.share is None or not 0 < part.share <= 1):
                raise InferenceError("share-out-of-range", old=old, new=part.new, share=part.share)
        known = sum((part.share for part in parts if part.part == "share" and part.share), Fraction(0))
        if len({part.new for part in parts}) == len(parts) and (
            kinds == ["whole"]
            or (set(kinds) == {"share"} and known == 1)
            or ("unknown" in kinds and "whole" not in kinds and known < 1)
        ):
            continue
        raise InferenceError("links-not-whole", old=old)


def compose(first: Sequence[Link], then: Sequence[Link]) -> list[Link]:
    """Return the links from the first map to the third, through the second.

    A unit that `then` does not name goes on unchanged. Shares multiply; a part of a part of unknown size is of
    unknown size. When all the parts of a unit meet again in one, it is whole again, those of unknown size too. Not so
    when some part is untold: a single part of unknown size has a rest that no link names. A unit that `then` names
    and that the first map does not know (it joins from outside) keeps its link.
    """
    onwards = _by_old(then)
    joined: dict[tuple[Code, Code], list[Link]] = {}
    targets: dict[Code, set[Code]] = {}
    untold: set[Code] = set()
    for old, parts in _by_old(first).items():
        steps = {link.new: onwards.get(link.new, [Link(link.new, link.new)]) for link in parts}
        if _leaves_a_rest(parts) or any(_leaves_a_rest(each) for each in steps.values()):
            untold.add(old)
        for link in parts:
            for step in steps[link.new]:
                joined.setdefault((old, step.new), []).append(_product(link, step))
                targets.setdefault(old, set()).add(step.new)
    composed = []
    for (old, new), links in joined.items():
        if old in untold:
            composed.append(replace(_sum(links), rest_untold=True))
        else:
            composed.append(Link(old, new) if len(targets[old]) == 1 else _sum(links))
    reached = {link.new for link in first} | {link.old for link in first}
    return composed + [link for link in then if link.old not in reached]


def chain(steps: Iterable[Sequence[Link]]) -> list[Link]:
    """Return the links from the first map to the last, through every step in order.

    Each step is checked alone: a later step cannot repair links that lost a unit. Raises as `check_links`.
    """
    links: list[Link] = []
    for number, step in enumerate(steps):
        check_links(step)
        links = compose(links, step) if number else list(step)
    return links


def restate(
    values: Mapping[Code, Number | tuple[Number, Number] | None],
    links: Sequence[Link],
    how: Literal["sum", "ratio"] = "sum",
) -> dict[Code, Restated]:
    """Restate `values` of old units onto the new ones that `links` reach.

    `how="sum"` adds counts. `how="ratio"` takes (numerator, denominator), adds each, and divides once; a mean of
    percentages is never formed. A unit that no link names keeps its figure. A unit without a value, or with None,
    has not reported, which is not zero. Values are whole numbers or fractions: results are exact.

    Raises InferenceError (a ValueError): `links-not-whole` for links that lose or double a unit, `not-restatable`
    for any other kind of figure (a median, a rate without its parts), `value-kind` for a value that is not exact
    or not of the asked kind. A ratio over nothing is None, never an error.
    """
    if how not in ("sum", "ratio"):
        raise InferenceError("not-restatable", how=how)
    check_links(links)
    given = {code: _parts(code, value, how) for code, value in values.items() if value is not None}
    named = {link.old for link in links}
    everything = [*links, *(Link(code, code) for code in values if code not in named)]
    by_new: dict[Code, list[Link]] = {}
    for link in everything:
        by_new.setdefault(link.new, []).append(link)
    return {new: _restate_one(parts, given, how) for new, parts in by_new.items()}


def _restate_one(parts: Sequence[Link], given: Mapping[Code, tuple[Fraction, Fraction]], how: str) -> Restated:
    expected = len(parts)
    sources = tuple(sorted(part.old for part in parts))
    reported = [part for part in parts if part.old in given]
    unknown = Fraction(sum(part.part == "unknown" for part in parts), expected)
    if unknown or not reported:
        return Restated(None, Fraction(0), unknown, len(reported), expected, sources)
    top = bottom = shared = size = Fraction(0)
    for part in reported:
        weight = part.share if part.part == "share" and part.share is not None else Fraction(1)
        numerator, denominator = (weight * each for each in given[part.old])
        top += numerator
        bottom += denominator
        amount = abs(denominator if how == "ratio" else numerator)
        size += amount
        if part.part == "share" and weight != 1:
            shared += amount
    imputed = shared / size if size else Fraction(0)
    if how == "ratio":
        return Restated(top / bottom if bottom else None, imputed, unknown, len(reported), expected, sources)
    return Restated(top, imputed, unknown, len(reported), expected, sources)


def _parts(unit: Code, value: object, how: str) -> tuple[Fraction, Fraction]:
    if how == "ratio":
        if isinstance(value, tuple) and len(value) == 2 and all(_is_exact(each) for each in value):
            return Fraction(value[0]), Fraction(value[1])
        raise InferenceError("value-kind", unit=unit, value=value, expected="a ratio takes two exact numbers")
    if isinstance(value, int | Fraction) and _is_exact(value):
        return Fraction(value), Fraction(1)
    raise InferenceError("value-kind", unit=unit, value=value, expected="a sum takes a whole number or a fraction")


def _is_exact(value: object) -> bool:
    return isinstance(value, Rational) and not isinstance(value, bool)


def _by_old(links: Iterable[Link]) -> dict[Code, list[Link]]:
    grouped: dict[Code, list[Link]] = {}
    for link in links:
        grouped.setdefault(link.old, []).append(link)
    return grouped


def _leaves_a_rest(parts: Sequence[Link]) -> bool:
    """Whether something of one unit went where none of its links says. Were all told, a single part would be whole."""
    return any(part.rest_untold for part in parts) or (len(parts) == 1 and parts[0].part == "unknown")


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
    return Link(links[0].old, links[0].new, "share", share)
