"""What became of a claim: plain values that the report, the terminal and `results.json` share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Outcome: TypeAlias = Literal["supported", "refuted", "undecided"]
Label: TypeAlias = str | int | float
CHANCE = 0.8
"""The probability with which the seeds that `needed` names would decide."""
FARTHEST = 10_000
"""Beyond so many seeds no number is given."""


@dataclass(frozen=True)
class Case:
    """One coordinate of a claim: left minus right there, and what that decides.

    `estimate` is left minus right; `low` and `high` bound it with the claim's confidence (they are equal
    where the number is exact, infinite where nothing is known on that side). `p_true` and `p_false` are the
    one-sided p-values against "the statement is false here" and against "it is true here".
    """

    coordinate: dict[str, Label]
    outcome: Outcome
    estimate: float
    low: float
    high: float
    left: float
    right: float
    used: int = 0
    """Replicates (seeds) that went in; 0 for a deterministic number."""
    missing: int = 0
    """Replicates left out because a value was missing (a diverged run, a failed analysis)."""
    kind: str = "exact"
    """How the interval was made: `exact`, `paired t`, `studentised bootstrap` ..."""
    p_true: float = 1.0
    p_false: float = 1.0
    reason: str = ""
    """Why it is undecided, or what to know of a decision; one sentence, may be empty."""

    @property
    def is_exact(self) -> bool:
        """Whether this is a plain fact, not an inference from a sample of seeds."""
        return self.kind in ("exact", "the runs made")


@dataclass(frozen=True)
class Look:
    """What a claim said after so many seeds, of seeds that go on until all is decided.

    The interval holds the truth, and the verdict is right, with the probability `level`; at all looks together with
    that of the claim. `p_value` is that of this look alone, two-sided, to be held against `1 - level`.
    """

    seeds: int
    level: float
    estimate: float
    low: float
    high: float
    left: float
    right: float
    p_value: float
    outcome: Outcome


@dataclass(frozen=True)
class Verdict:
    """The verdict on one claim.

    The numbers are those of the deciding case: the only one, the weakest of a `for all`, the strongest of a
    `for some`. `p_value` is two-sided; None for a deterministic claim, which is in no family of tests.
    """

    name: str
    text: str
    op: str
    level: float
    outcome: Outcome
    estimate: float
    low: float
    high: float
    left: float
    right: float
    used: int
    missing: int
    kind: str
    p_value: float | None
    p_true: float
    p_false: float
    corrected: Outcome
    """The outcome after Holm's correction over all claims of the file."""
    corrected_p: float | None
    cases: tuple[Case, ...] = ()
    quantifiers: Mapping[str, str] | None = None
    reason: str = ""
    warnings: tuple[str, ...] = ()
    unit: str = ""
    caption: str = ""
    needed: int | None = None
    """Of an undecided claim the seeds that would probably decide it, one more than `FARTHEST` where even those would
    not; None where no number can be given."""
    looks: tuple[Look, ...] = ()
    """Of seeds that go on until all is decided: every look at the claim, the last of which decided it, if any did."""
    planned: tuple[int, ...] = ()
    """The seeds of all looks that there might have been."""

    @property
    def outlook(self) -> str:
        """How many seeds would probably decide an undecided claim, and what that rests on; else empty."""
        if self.needed is None:
            return ""
        condition = f"if difference and spread are those of these {self.used}"
        if self.needed > FARTHEST:
            return (
                f"not even {FARTHEST:,} seeds would decide it with a probability of {CHANCE:.0%}, {condition}"
            )
        return f"about {self.needed:,} seeds would decide it with a probability of {CHANCE:.0%}, {condition}"

    @property
    def spending(self) -> str:
        """At which look of how many it was decided, if at any; empty where seeds are fixed."""
        if not self.looks:
            return ""
        count, planned = len(self.looks), len(self.planned)
        if self.outcome == "undecided":
            return f"not decided after {count} of {planned} looks"
        return f"decided at look {count} of at most {planned}"

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper bound of left minus right."""
        return self.low, self.high

    def record(self) -> dict[str, Any]:
        """The verdict as plain dictionaries, lists and numbers (not all finite)."""
        return asdict(self)

    @staticmethod
    def restored(record: Mapping[str, Any]) -> Verdict:
        """The verdict that gave this `record`."""
        cases = tuple(Case(**case) for case in record["cases"])
        looks = tuple(Look(**look) for look in record.get("looks", ()))
        lists = {"warnings": tuple(record["warnings"]), "planned": tuple(record.get("planned", ()))}
        return Verdict(**{**record, "cases": cases, "looks": looks, **lists})
