"""What became of a claim: plain values that the report, the terminal and `results.json` share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Outcome: TypeAlias = Literal["supported", "refuted", "undecided"]
Label: TypeAlias = str | int | float
CHANCE = 0.8
"""The probability with which the seeds that `needed` names would decide."""


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
    """Of an undecided claim the seeds that would probably decide it; None where no number can be given."""

    @property
    def outlook(self) -> str:
        """How many seeds would probably decide an undecided claim, and what that rests on; else empty."""
        if self.needed is None:
            return ""
        return (
            f"about {self.needed:,} seeds would decide it with a probability of {CHANCE:.0%}, "
            f"if difference and spread are those of these {self.used}"
        )

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
        return Verdict(**{**record, "cases": cases, "warnings": tuple(record["warnings"])})
