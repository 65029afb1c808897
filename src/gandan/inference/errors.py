"""The one error of this package: a code that programs test, facts that name the cause, a sentence for people.

Standard library only.
"""

from typing import Any

SENTENCES: dict[str, str] = {
    "lonely-psu": "stratum {stratum} has only one primary sampling unit; its variance cannot be estimated: "
    "choose lonely='remove', 'adjust' or 'average', or join it with another stratum",
    "weight-not-positive": "a weight must be positive and finite: row {row} has {value}",
    "fpc-smaller-than-sample": "stratum {stratum} has {sampled} sampled units but a population of {population}",
    "fpc-mixed": "stratum {stratum} has the sampled share {share}, stratum {other} a population of {population}: "
    "give shares for all or populations for all",
    "fpc-varies": "the population size differs within stratum {stratum}",
    "calibration-not-converged": "calibration did not converge in {iterations} steps; "
    "furthest from its total: {column}",
    "calibration-infeasible": "the totals cannot be met; unreachable: {cell}",
    "margins-disagree": "the margins sum to different grand totals: {sums}",
    "covariance-not-psd": "the covariance matrix has a negative eigenvalue: {smallest}",
    "too-few-areas": "{areas} areas cannot carry {columns} columns",
    "collinear": "the columns {columns} depend on the others, and their totals contradict it",
    "empty-data": "there is no row",
    "length-mismatch": "{name} has {found} entries where {expected} are expected",
    "not-finite": "{name} must be finite: row {row} has {value}",
    "not-numbers": "{name} must be numbers, not {value}",
    "not-codes": "{name} must hold one code for each row, not {value}",
    "missing-code": "{name} is missing in row {row}",
    "option-unknown": "{name}={value!r} is not one of {allowed}",
    "level-out-of-range": "a level lies strictly between 0 and 1: {value}",
    "not-a-proportion": "a proportion is made of values from 0 to 1: row {row} has {value}",
    "probability-out-of-range": "a probability of inclusion lies above 0 and not above 1: row {row} has {value}",
    "allocation-infeasible": "{size} units cannot be allocated: between {least} and {most} are possible",
    "ids-not-unique": "two rows of the frame have the id {id!r}",
    "sample-larger-than-frame": "{asked} units were asked of {stratum}, which has {available}",
    "size-not-positive": "a size must be positive and finite: row {row} has {value}",
    "size-varies": "the size differs within unit {unit}",
    "budget-too-small": "a budget of {budget} does not buy one interview in each unit, which costs {least}",
    "stratum-unknown": "stratum {stratum} is not among those of the sample",
    "domain-unknown": "row {row} belongs to a domain that is not listed: {value!r}",
    "domain-listed-twice": "the domain {value!r} is listed more than once",
    "stages-without-fpc": "further stages count only where population sizes are given; stage {stage} has none",
    "design-differs": "{what} must belong to the same design",
    "replicates-need-pairs": "balanced replication needs exactly two units in each stratum; {stratum} has {sampled}",
    "too-many-domains": "{domains} domains are more than {limit}: ask for fewer at a time",
    "not-restatable": "a figure of kind {how!r} cannot be restated from its values; recompute it from the cases",
    "links-not-whole": "the parts of {old} are neither one whole, nor shares that sum to 1, nor shares that leave "
    "room for the unknown rest",
    "share-out-of-range": "the part of {old} that went to {new} has the share {share}, not above 0 and at most 1",
    "value-kind": "{unit} has {value!r}: {expected}",
    "proportion-out-of-range": "{name} must be a proportion: row {row} has {value}",
    "variance-not-positive": "{name} must be above 0 and finite: row {row} has {value}",
    "shares-not-one": "shares are at least 0 and sum to 1, not to {total}",
    "benchmark-infeasible": "no movement between {low} and {high} reaches the target {target}",
    "not-a-count": "{name} must be a whole number that is large enough: row {row} has {value}",
    "negative-se": "a standard error must be at least 0: that of row {row} is not",
    "covariance-not-symmetric": "a covariance matrix must be symmetric",
    "exact-needs-independence": "sets without draws need independent estimates: give draws and a seed",
    "groups-need-all-pairs": "groups are read off simultaneous two-sided sets of all units",
    "unit-unknown": "unit {unit} is not one of the {units} units, each named once",
    "seed-needed": "chance needs a seed, a whole number of at least 0, not {seed}",
    "too-few-draws": "{draws} draws are too few: {needed} are needed",
    "tau-out-of-range": "tau={tau} is not a place among {units} units",
    "change-out-of-range": "change lies above 0 and is at most 1: {value}",
    "goalposts-equal": "the goalposts of criterion {criterion} are equal or do not fit into numbers",
    "too-large": "{name} leaves the range of numbers: its squares or sums are infinite",
    "history-discloses": "earlier releases reveal a group already",
    "release-too-large": "the release is too large to be checked, and is therefore refused",
    "atom-unknown": "a cell holds {atom!r}, which has no count",
    "threshold-too-small": "a threshold of {value} protects nobody",
}


class InferenceError(ValueError):
    """What the numbers do not allow: `code` in kebab-case, `facts` that name the cause.

    `str(error)` is the code and a sentence; programs look at `code`, never at the words.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        self.code = code
        self.facts = facts
        super().__init__(code)

    def __str__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in self.facts.items())
        sentence = SENTENCES.get(self.code)
        if sentence is None:
            return f"{self.code}: {told}" if told else self.code
        try:
            return f"{self.code}: {sentence.format(**self.facts)}"
        except (KeyError, IndexError):
            return f"{self.code}: {told}" if told else self.code

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuilt, (self.code, self.facts)


def _rebuilt(code: str, facts: dict[str, Any]) -> InferenceError:
    return InferenceError(code, **facts)
