"""What may be published: thresholds, what must be withheld with it, and what all released tables reveal together.

People are counted in *atoms*, the finest groups that any released table tells apart: old unit and new unit and item,
say. A released cell is a sum over atoms; whoever holds several tables can add and subtract them. A release is refused
when some combination of all released cells, of this and of earlier releases, on old and on new maps, is the number of
a group of fewer people than the threshold, or pins such a group down too closely.

The search is exact, in whole numbers and fractions, up to a stated amount of work (`WORK` steps); a release that
needs more is refused, not waved through. The interval that an outsider can compute is found by linear programming.

Sources: Hundepool and others, "Statistical Disclosure Control", 2012, chapters 4 and 5 (feasibility intervals,
secondary suppression); Fellegi, "On the question of statistical confidentiality", JASA 1972 (all tables together).
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd, lcm
from numbers import Real
from typing import Any, Literal

from gandan.inference.correspondence import Link
from gandan.inference.errors import InferenceError

Atom = Hashable
Key = Hashable
Content = Collection[Atom] | Mapping[Atom, int | Fraction]
"""What a cell sums: atoms, or atoms with the factor of each (a figure restated by shares)."""
Cells = Mapping[Key, Content]

CELL = 5
"""Fewest respondents behind a published cell."""
RATING = 30
"""Fewest respondents behind a published rating of a unit."""
WORK = 5_000_000
"""Elementary steps of exact arithmetic, for all cells that share people, after which a check gives up and the release
is refused; some ten seconds."""
PROGRAMS = 1_000
"""Linear programs, for all cells that share people, after which a check gives up likewise."""

_Row = dict[int, int]


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A small group that the released cells reveal.

    `kind`: "cell", a released cell is itself too small; "derived", sums and differences of cells give its number;
    "near", its number lies within `bounds` (both ends included) closer than allowed. `atoms`: the group. `n`: its
    size. `how`: the factor of each cell in the sum that gives `n`; cells of an earlier release appear as (number
    of the release, key); empty for "near".
    """

    kind: Literal["cell", "derived", "near"]
    atoms: tuple[Atom, ...]
    n: int
    how: Mapping[Key, Fraction]
    bounds: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a release may go out; `disclosures` says what it would reveal (the first few found)."""

    safe: bool
    disclosures: tuple[Disclosure, ...]


@dataclass(frozen=True, slots=True)
class Suppression:
    """What of a table may be published. Print one sign for all withheld cells, whatever the reason.

    `released`; `primary`, withheld because too few people are behind them; `secondary`, withheld because otherwise
    another small group could be derived. Keys in the order of the table.
    """

    released: tuple[Key, ...]
    primary: tuple[Key, ...]
    secondary: tuple[Key, ...]


def publishable(n: int, threshold: int = CELL) -> bool:
    """Return whether a cell with `n` respondents may be published by itself: n ≥ threshold (`CELL`, `RATING`).

    Refuses `not-a-count` for n below 0 or not whole.
    """
    return _count(n, "n") >= _threshold(threshold)


def rounded(n: int, base: int = 5) -> int:
    """Return `n` to the nearest multiple of `base`, halves upwards: for live counters, refreshed in a daily batch.

    Refuses `not-a-count`.
    """
    return (_count(n, "n") + _count(base, "base") // 2) // base * base


def tabulate(atoms: Iterable[tuple[Any, ...]], *positions: int) -> dict[Key, frozenset[Atom]]:
    """Return the cells of the table that groups atoms, given as tuples, by the entries at `positions`.

    With atoms (old unit, new unit, answer): `tabulate(counts, 0)` is the table on the old map, `tabulate(counts, 1, 2)`
    answers on the new map, `tabulate(counts)` the total. Keys are (positions, entries), so that tables may be joined.
    """
    cells: dict[Key, set[Atom]] = {}
    for atom in atoms:
        cells.setdefault((positions, tuple(atom[place] for place in positions)), set()).add(atom)
    return {key: frozenset(content) for key, content in cells.items()}


def restated_cells(links: Iterable[Link]) -> dict[str, dict[Atom, Fraction]]:
    """Return, for each new unit, its restated figure as a sum over old units: 1 for a whole one, else its share.

    What reached a new unit in unknown parts is not restated, so it has no cell. Atoms are the codes of old units.
    """
    cells: dict[str, dict[Atom, Fraction]] = {}
    unknown = set()
    for link in links:
        if link.part == "unknown":
            unknown.add(link.new)
        share = Fraction(1) if link.share is None else Fraction(link.share)
        parts = cells.setdefault(link.new, {})
        parts[link.old] = parts.get(link.old, Fraction(0)) + share
    return {new: parts for new, parts in cells.items() if new not in unknown}


def check_release(
    counts: Mapping[Any, int],
    cells: Cells,
    *,
    history: Sequence[Cells] = (),
    withheld: Cells | None = None,
    threshold: int = CELL,
    slack: int | None = None,
    work: int = WORK,
    most: int = 10,
) -> Verdict:
    """Return whether `cells` may be released, given all that was released before.

    `counts`: people in each atom, whole numbers. `cells`: the cells to be released; `history`: those of earlier
    releases over the same atoms. Refused are: any group of 1 to `threshold` - 1 people whose number is a combination
    of released cells (factors may be any fractions; atoms without people are left out of account, as an outsider
    may know them to be empty); and any atom, indistinguishable group of atoms or cell in `withheld` of that size
    whose number an outsider knows to lie in an interval shorter than `slack` (None: threshold - 1; 0: not looked at).
    The outsider is taken to know that counts are whole and not negative, and nothing else.

    Not covered: knowledge from outside, percentages printed without their counts (give the counts as cells), and
    intervals that only whole-number reasoning across several atoms would narrow.

    Refuses with InferenceError: `release-too-large` when `work` or `PROGRAMS` does not suffice (the release must then
    not go out), `atom-unknown`, `not-a-count`, `threshold-too-small`.
    """
    system = _System(counts, _threshold(threshold), _slack(slack, threshold), work)
    labelled = _labelled(system, cells, history)
    targets = [system.row(content) for content in (withheld or {}).values()]
    found: list[Disclosure] = []
    for part in _parts(labelled):
        found += system.disclosures(part, targets, most - len(found))
        if len(found) >= most:
            break
    return Verdict(not found, tuple(found))


def suppress(
    counts: Mapping[Any, int],
    cells: Cells,
    *,
    history: Sequence[Cells] = (),
    threshold: int = CELL,
    slack: int | None = None,
    cost: Mapping[Key, float] | None = None,
    zeros: bool = False,
    work: int = WORK,
) -> Suppression:
    """Return which cells may be released so that `check_release` finds nothing, together with `history`.

    First every cell with fewer than `threshold` people behind it is withheld (cells without people too, unless
    `zeros`). Then, while some small group can be derived, the cheapest cell of the derivation is withheld: by `cost`,
    by default the people behind it, so that totals stay. At last each withheld one that can come back does. The
    result is safe, and no secondary cell in it can be released as well; it need not be the cheapest such result.

    Refuses as `check_release`; also `history-discloses` when earlier releases reveal a small group by themselves:
    nothing withheld now can mend that.
    """
    system = _System(counts, _threshold(threshold), _slack(slack, threshold), work)
    people = {key: system.people(system.row(content)) for key, content in cells.items()}
    primary = {key for key, n in people.items() if n < threshold and (n > 0 or not zeros)}
    price = {key: (float(people[key] if cost is None else cost[key]), place) for place, key in enumerate(cells)}
    targets = [system.row(cells[key]) for key in cells if 0 < people[key] < threshold]
    if any(system.reveal(part, targets) for part in _parts(_labelled(system, {}, history))):
        raise InferenceError("history-discloses", threshold=threshold)
    secondary: set[Key] = set()
    everything = _labelled(system, {key: cells[key] for key in cells if key not in primary}, history)
    waiting = _parts(everything)
    while waiting:
        part = waiting.pop()
        while found := system.disclosures(part, targets, 50):
            gone: set[Key] = set()
            for each in found:
                new = [entry for entry in part if entry[2]]
                used = [label for label, row, _ in new if _helps(label, row, each, system)] or [e[0] for e in new]
                if not used:
                    raise InferenceError("history-discloses", threshold=threshold)
                if not gone.intersection(used):
                    gone.add(min(used, key=lambda key: price[key]))
            secondary |= gone
            part = [entry for entry in part if not (entry[2] and entry[0] in gone)]
    for key in sorted(secondary, key=lambda key: price[key], reverse=True):
        released = {each: cells[each] for each in cells if each not in primary and each not in secondary - {key}}
        touched = [part for part in _parts(_labelled(system, released, history)) if any(e[0] == key for e in part)]
        if not any(system.reveal(part, targets) for part in touched):
            secondary.discard(key)
    return Suppression(
        tuple(key for key in cells if key not in primary and key not in secondary),
        tuple(key for key in cells if key in primary),
        tuple(key for key in cells if key in secondary),
    )


# A released cell is (label, row of factors over atoms, whether it belongs to the new release).

_Entry = tuple[Key, dict[int, Fraction], bool]


def _labelled(system: "_System", cells: Cells, history: Sequence[Cells]) -> list[_Entry]:
    entries: list[_Entry] = [(key, system.row(content), True) for key, content in cells.items()]
    for number, release in enumerate(history):
        entries += [((number, key), system.row(content), False) for key, content in release.items()]
    return [entry for entry in entries if entry[1]]


def _helps(label: Key, row: dict[int, Fraction], disclosure: Disclosure, system: "_System") -> bool:
    """Return whether a cell takes part in what a disclosure rests on."""
    if disclosure.kind != "near":
        return label in disclosure.how
    return any(system.place[atom] in row for atom in disclosure.atoms)


def _parts(entries: Sequence[_Entry]) -> list[list[_Entry]]:
    """Return entries in groups that share no atom: nothing can be derived across them."""
    parent: dict[int, int] = {}

    def root(atom: int) -> int:
        while parent[atom] != atom:
            parent[atom] = parent[parent[atom]]
            atom = parent[atom]
        return atom

    for _, row, _ in entries:
        first = next(iter(row))
        parent.setdefault(first, first)
        for atom in row:
            parent.setdefault(atom, atom)
            parent[root(atom)] = root(first)
    groups: dict[int, list[_Entry]] = defaultdict(list)
    for entry in entries:
        groups[root(next(iter(entry[1])))].append(entry)
    return list(groups.values())


class _System:
    """The atoms with their counts, and how much work is left."""

    def __init__(self, counts: Mapping[Any, int], threshold: int, slack: int, work: int) -> None:
        self.names: list[Atom] = list(counts)
        self.place = {name: place for place, name in enumerate(self.names)}
        self.count = [_count(n, f"counts[{name!r}]") for name, n in counts.items()]
        self.threshold = threshold
        self.slack = slack
        self.work = self.left = work
        self.programs = PROGRAMS

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise InferenceError("release-too-large", work=self.work, atoms=len(self.names))

    def row(self, content: Content) -> dict[int, Fraction]:
        pairs = content.items() if isinstance(content, Mapping) else ((atom, 1) for atom in content)
        row: dict[int, Fraction] = {}
        for atom, factor in pairs:
            if atom not in self.place:
                raise InferenceError("atom-unknown", atom=atom)
            if factor:
                row[self.place[atom]] = Fraction(factor)
        return row

    def people(self, row: Mapping[int, Fraction]) -> int:
        return sum(self.count[atom] for atom in row)

    def disclosures(
        self, part: Sequence[_Entry], targets: Sequence[dict[int, Fraction]], most: int
    ) -> list[Disclosure]:
        """Return up to `most` small groups that the entries of one part reveal; the work is counted anew."""
        self.left, self.programs = self.work, PROGRAMS
        table = _Table(self, part)
        found = [self._derived(part, table, group) for group in table.small_groups(most)]
        if not found and self.slack > 0:
            found = table.pinned(targets, most)
        return found

    def reveal(self, part: Sequence[_Entry], targets: Sequence[dict[int, Fraction]]) -> bool:
        """Return whether the entries of one part reveal any small group."""
        self.left, self.programs = self.work, PROGRAMS
        table = _Table(self, part)
        return bool(table.small_groups(1)) or (self.slack > 0 and bool(table.pinned(targets, 1)))

    def _derived(self, part: Sequence[_Entry], table: "_Table", group: Sequence[int]) -> Disclosure:
        atoms = tuple(self.names[atom] for which in group for atom in table.members[which])
        n = sum(table.weight[which] for which in group)
        how = {part[place][0]: factor for place, factor in table.derivation(group).items()}
        kind: Literal["cell", "derived"] = "cell" if len(how) == 1 and set(how.values()) == {1} else "derived"
        return Disclosure(kind, atoms, n, how)


class _Table:
    """The cells of one part as equations over classes: atoms that no released cell tells apart."""

    def __init__(self, system: _System, part: Sequence[_Entry]) -> None:
        self.system = system
        self.part = part
        self._kept: dict[bool, dict[int, tuple[_Row, _Row]]] = {}
        signature: dict[int, list[tuple[int, Fraction]]] = defaultdict(list)
        for place, (_, row, _) in enumerate(part):
            for atom, factor in row.items():
                signature[atom].append((place, factor))
        system.spend(sum(map(len, signature.values())))
        classes: dict[tuple[tuple[int, Fraction], ...], list[int]] = defaultdict(list)
        for atom, places in signature.items():
            classes[tuple(places)].append(atom)
        self.everyone = [(where, sum(system.count[atom] for atom in atoms), atoms) for where, atoms in classes.items()]
        peopled = [(where, n, atoms) for where, n, atoms in self.everyone if n > 0]
        self.weight = [n for _, n, _ in peopled]
        self.members = [[atom for atom in atoms if system.count[atom]] for _, _, atoms in peopled]
        self.rows: list[dict[int, Fraction]] = [{} for _ in part]
        for which, (where, _, _) in enumerate(peopled):
            for place, factor in where:
                self.rows[place][which] = factor

    @property
    def small(self) -> list[int]:
        return [which for which, n in enumerate(self.weight) if n < self.system.threshold]

    def small_groups(self, most: int) -> list[tuple[int, ...]]:
        """Return up to `most` minimal sets of classes, together below the threshold, whose sum can be derived.

        A set can be derived if and only if its indicator is orthogonal to all that the cells leave undetermined. So
        each class has the vector of its entries in a basis of the undetermined directions, and sets are sought whose
        vectors add up to 0: any entry that is not 0 yet must be met by a further class, which keeps the search narrow.
        """
        if not self.small:
            return []
        vectors = self._undetermined()
        alive = self._possible(vectors)
        holders: dict[int, list[int]] = defaultdict(list)
        for which in alive:
            for axis in vectors[which]:
                holders[axis].append(which)
        found: list[tuple[int, ...]] = []
        seen: set[frozenset[int]] = set()

        def extend(chosen: frozenset[int], total: dict[int, Fraction], room: int) -> None:
            if len(found) >= most or chosen in seen:
                return
            seen.add(chosen)
            if not total:
                found.append(tuple(sorted(chosen)))
                return
            axis = min(total, key=lambda axis: len(holders[axis]))
            for which in holders[axis]:
                if which in chosen or which < first or self.weight[which] > room:
                    continue
                self.system.spend(len(total) + len(vectors[which]))
                extend(chosen | {which}, _added(total, vectors[which]), room - self.weight[which])

        for first in alive:
            extend(frozenset({first}), vectors[first], self.system.threshold - 1 - self.weight[first])
        return found

    def _possible(self, vectors: dict[int, dict[int, Fraction]]) -> list[int]:
        """Return small classes each of whose entries another one, light enough to stand beside it, could meet."""
        limit = self.system.threshold - 1
        alive = set(vectors)
        while True:
            lightest: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for which in alive:
                for axis in vectors[which]:
                    lightest[axis].append((self.weight[which], which))
            self.system.spend(sum(map(len, lightest.values())))
            two = {axis: sorted(pairs)[:2] for axis, pairs in lightest.items()}

            def met(which: int, axis: int, two: dict[int, list[tuple[int, int]]] = two) -> bool:
                return any(self.weight[which] + n <= limit for n, other in two[axis] if other != which)

            gone = {which for which in alive if not all(met(which, axis) for axis in vectors[which])}
            if not gone:
                return sorted(alive)
            alive -= gone

    def _undetermined(self) -> dict[int, dict[int, Fraction]]:
        """Return, for each small class, its entries in a basis of the directions the cells leave undetermined."""
        reduced = self._reduced(track=False)
        vectors: dict[int, dict[int, Fraction]] = {}
        for which in self.small:
            if which not in reduced:
                vectors[which] = {which: Fraction(1)}
                continue
            row = reduced[which][0]
            vectors[which] = {axis: Fraction(-factor, row[which]) for axis, factor in row.items() if axis != which}
        return vectors

    def _reduced(self, *, track: bool) -> dict[int, tuple[_Row, _Row]]:
        if track not in self._kept:
            self._kept[track] = self._reduce(track)
        return self._kept[track]

    def _reduce(self, track: bool) -> dict[int, tuple[_Row, _Row]]:
        """Return the reduced equations by their pivot class, each with the cells it was made of if `track`.

        Whole numbers throughout; no pivot class occurs in the equation of another.
        """
        degree: dict[int, int] = defaultdict(int)
        for given in self.rows:
            for which in given:
                degree[which] += 1
        reduced: dict[int, tuple[_Row, _Row]] = {}
        holding: dict[int, set[int]] = defaultdict(set)
        for place in sorted(range(len(self.rows)), key=lambda place: (len(self.rows[place]), place)):
            given = self.rows[place]
            scale = lcm(*(factor.denominator for factor in given.values()), 1)
            row: _Row = {which: int(factor * scale) for which, factor in given.items()}
            made: _Row = {place: scale} if track else {}
            for which in [which for which in row if which in reduced]:
                row, made = self._cleared(row, made, which, *reduced[which])
            if not row:
                continue
            pivot = min(row, key=lambda which: (abs(row[which]) != 1, degree[which], which))
            for other in list(holding[pivot]):
                before = reduced[other][0]
                after, parts = self._cleared(*reduced[other], pivot, row, made)
                for which in before.keys() - after.keys():
                    holding[which].discard(other)
                for which in after.keys() - before.keys():
                    holding[which].add(other)
                reduced[other] = (after, parts)
            reduced[pivot] = (row, made)
            for which in row:
                if which != pivot:
                    holding[which].add(pivot)
        return reduced

    def _cleared(self, row: _Row, made: _Row, which: int, by: _Row, by_made: _Row) -> tuple[_Row, _Row]:
        """Return the row without `which`, by adding a multiple of another; both are scaled to stay whole."""
        own, other = row[which], by[which]
        shared = gcd(own, other)
        up, down = other // shared, -own // shared
        self.system.spend(len(row) + len(by) + len(made) + len(by_made))
        row = _combined(row, up, by, down)
        if made:
            made = _combined(made, up, by_made, down)
        divisor = gcd(*row.values(), *made.values())
        if divisor > 1:
            row = {which: factor // divisor for which, factor in row.items()}
            made = {place: factor // divisor for place, factor in made.items()}
        return row, made

    def derivation(self, group: Sequence[int]) -> dict[int, Fraction]:
        """Return the factors of the cells whose sum is the indicator of `group`."""
        reduced = self._reduced(track=True)
        total: dict[int, Fraction] = {}
        for which in group:
            if which in reduced:
                row, made = reduced[which]
                total = _added(total, {place: Fraction(factor, row[which]) for place, factor in made.items()})
        return dict(sorted(total.items()))

    def pinned(self, targets: Sequence[dict[int, Fraction]], most: int) -> list[Disclosure]:
        """Return small classes and targets whose number an outsider knows within less than the slack."""
        wanted: list[tuple[dict[int, Fraction], tuple[Atom, ...], int]] = []
        home: dict[int, int] = {}
        for which, (_, n, atoms) in enumerate(self.everyone):
            home.update(dict.fromkeys(atoms, which))
            if 0 < n < self.system.threshold:
                wanted.append(({which: Fraction(1)}, tuple(self.system.names[atom] for atom in atoms), n))
        for target in targets:
            n = self.system.people(target)
            inside = [atom for atom in target if atom in home]
            # A cell that reaches outside this part, or into classes, is bounded only by chance: it stays open.
            if not 0 < n < self.system.threshold or len(inside) < len(target):
                continue
            whole = {home[atom] for atom in inside}
            if sum(len(self.everyone[which][2]) for which in whole) == len(inside) and len(whole) > 1:
                names = tuple(self.system.names[atom] for atom in inside)
                wanted.append((dict.fromkeys(whole, Fraction(1)), names, n))
        loose = self._loose() if wanted else {}
        wanted = [each for each in wanted if not self._roams(each[0], loose)]
        return self._bounded(wanted, most) if wanted else []

    def _loose(self) -> dict[int, list[tuple[dict[int, Fraction], Fraction, Fraction]]]:
        """Return, for each class of `everyone`, ways in which people could be elsewhere and all cells be the same.

        A way is a direction that no cell sees, with the length it may be followed backwards and forwards before some
        class would have fewer than no people. Widths found along one way are never too large, so they spare programs.
        """
        reduced = self._reduced(track=False)
        ways: dict[int, dict[int, Fraction]] = {
            which: {which: Fraction(1)} for which in range(len(self.weight)) if which not in reduced
        }
        for pivot, (row, _) in reduced.items():
            for axis, factor in row.items():
                if axis != pivot:
                    ways[axis][pivot] = Fraction(-factor, row[pivot])
        places = [place for place, (_, n, _) in enumerate(self.everyone) if n > 0]
        found: dict[int, list[tuple[dict[int, Fraction], Fraction, Fraction]]] = defaultdict(list)
        for way in ways.values():
            self.system.spend(len(way))
            forward = [self.weight[which] / -factor for which, factor in way.items() if factor < 0]
            backward = [self.weight[which] / factor for which, factor in way.items() if factor > 0]
            if not forward or not backward:
                continue
            known = {places[which]: factor for which, factor in way.items()}
            for place in known:
                found[place].append((known, min(backward), min(forward)))
        return found

    def _roams(
        self, form: dict[int, Fraction], loose: dict[int, list[tuple[dict[int, Fraction], Fraction, Fraction]]]
    ) -> bool:
        """Return whether one way alone shows that the number of a group may vary by the slack."""
        for place in form:
            for way, backward, forward in loose.get(place, []):
                speed = abs(sum((factor * way.get(each, 0) for each, factor in form.items()), Fraction(0)))
                if floor(speed * backward) + floor(speed * forward) >= self.system.slack:
                    return True
        return False

    def _bounded(
        self, wanted: Sequence[tuple[dict[int, Fraction], tuple[Atom, ...], int]], most: int
    ) -> list[Disclosure]:
        import numpy as np
        from scipy.optimize import linprog
        from scipy.sparse import csr_array

        entries = [
            (place, which, float(factor))
            for which, (where, _, _) in enumerate(self.everyone)
            for place, factor in where
        ]
        places, columns, factors = (list(each) for each in zip(*entries, strict=True))
        shape = (len(self.part), len(self.everyone))
        matrix = csr_array((factors, (places, columns)), shape=shape)
        values = matrix @ np.array([float(n) for _, n, _ in self.everyone])
        found: list[Disclosure] = []
        for form, atoms, n in wanted:
            ends: list[int] = []
            for sign in (1.0, -1.0):
                self.system.programs -= 1
                if self.system.programs < 0:
                    raise InferenceError("release-too-large", work=PROGRAMS, atoms=len(self.system.names))
                aim = np.zeros(len(self.everyone))
                for which, factor in form.items():
                    aim[which] = sign * float(factor)
                answer = linprog(aim, A_eq=matrix, b_eq=values, bounds=(0, None), method="highs")
                if answer.status == 3:
                    ends.append(n + self.system.slack)
                elif answer.status != 0:
                    # An interval that could not be computed is not known to be wide.
                    raise InferenceError("release-too-large", work=PROGRAMS, atoms=len(self.system.names))
                else:
                    ends.append(ceil(answer.fun - 1e-6) if sign > 0 else floor(-answer.fun + 1e-6))
            if ends[1] - ends[0] < self.system.slack:
                found.append(Disclosure("near", atoms, n, {}, (ends[0], ends[1])))
                if len(found) >= most:
                    break
        return found


def _combined(row: _Row, up: int, by: _Row, down: int) -> _Row:
    total = {which: factor * up for which, factor in row.items()}
    for which, factor in by.items():
        value = total.get(which, 0) + factor * down
        if value:
            total[which] = value
        else:
            del total[which]
    return total


def _added(total: dict[int, Fraction], more: Mapping[int, Fraction]) -> dict[int, Fraction]:
    result = dict(total)
    for axis, factor in more.items():
        value = result.get(axis, Fraction(0)) + factor
        if value:
            result[axis] = value
        else:
            result.pop(axis, None)
    return result


def _count(n: Any, name: str) -> int:
    real = isinstance(n, Real) and not isinstance(n, bool)
    if not real or not (0 <= n < float("inf")) or int(n) != n:
        raise InferenceError("not-a-count", name=name, row=0, value=n)
    return int(n)


def _threshold(threshold: int) -> int:
    if threshold < 2:
        raise InferenceError("threshold-too-small", value=threshold)
    return threshold


def _slack(slack: int | None, threshold: int) -> int:
    return threshold - 1 if slack is None else _count(slack, "slack")
