"""Rules that decide one claim about a mean from the values of as many seeds as they like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from benchmarks.claims import LEVEL
from gendsl.spec.looks import doubling
from gendsl_runtime.claims.looks import share
from gendsl_runtime.claims.resample import student

MOST = 80
"""The seeds that a rule may use."""
LOOKS = doubling(10, MOST)


@dataclass(frozen=True)
class Decided:
    """For each experiment 1 where "the mean is above 0" was supported, -1 refuted, 0 undecided; the seeds used."""

    outcome: np.ndarray
    used: np.ndarray


Rule: TypeAlias = Callable[[np.ndarray], Decided]
"""From values `(experiments, MOST)`, one a seed in the order in which they would be run."""


def level_at(number: int) -> float:
    """The level of a look."""
    return 1 - share(LOOKS, number) * (1 - LEVEL)


def fixed(n: int) -> Rule:
    """The rule of a plain spec: n seeds, one verdict."""

    def rule(values: np.ndarray) -> Decided:
        found = student(values[:, :n].T, level=LEVEL)
        return Decided((found.low > 0) * 1 - (found.high < 0), np.full(len(values), n))

    return rule


def looking(*, spends: bool) -> Rule:
    """Looks after 10, 20, 40 and 80 seeds, until the claim is decided.

    Args:
        spends: as GenDSL does it, the level spent over the looks; else each look takes the whole level, as people do
            who add seeds until a difference is significant.
    """

    def rule(values: np.ndarray) -> Decided:
        outcome, used = np.zeros(len(values), dtype=int), np.full(len(values), LOOKS[-1])
        for number, n in enumerate(LOOKS):
            found = student(values[:, :n].T, level=level_at(number) if spends else LEVEL)
            now = (found.low > 0) * 1 - (found.high < 0)
            is_new = (outcome == 0) & (now != 0)
            outcome, used = np.where(is_new, now, outcome), np.where(is_new, n, used)
        return Decided(outcome, used)

    return rule


ADAPTIVE, PEEKING = "10 until decided, at most 80", "peeking at 10, 20, 40, 80"
RULES: dict[str, Rule] = {
    **{f"{n} seeds": fixed(n) for n in (5, 10, 20, 40, 80)},
    ADAPTIVE: looking(spends=True),
    PEEKING: looking(spends=False),
}
