"""Claims of seeds that go on until all is decided: the level is spent over the looks.

At a look of n seeds a claim may be decided wrongly with the share `n / (sum of the seeds of all looks)` of what its
level leaves, so over all looks with no more than that: the union bound, which asks nothing of how the looks hang
together and so holds for every kind of interval, quantifier and correction (P. Armitage, C. K. McPherson and
B. C. Rowe, "Repeated significance tests on accumulating data", J. Royal Statistical Society A 132(2), 1969, say what
looking again and again costs otherwise).

A claim that is decided stays so. The p-value of a claim is the least of its looks so far, each divided by its share:
at most a with probability at most a, however the looks came to their end, so Holm's correction may use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gendsl import spec
from gendsl.spec.looks import adaptive
from gendsl_runtime.claims.verdict import Look, Verdict
from gendsl_runtime.results import Results

DIGITS = 12
"""Of a level: `1 - 0.95` is a rounding error above 0.05."""


def share(looks: Sequence[int], number: int) -> float:
    """The share of what the level leaves that a look may spend; over all looks they add up to 1."""
    return looks[number] / sum(looks)


def look_number(results: Results) -> int | None:
    """Which look the seeds of these results are, from 0; None where seeds do not go on."""
    axis = adaptive(results.spec)
    return None if axis is None else axis.looks.index(len(axis.values))


def claim_at(claim: spec.Claim, looks: Sequence[int], number: int) -> spec.Claim:
    """The claim at the level of a look."""
    level = 1 - round(share(looks, number) * (1 - claim.level), DIGITS)
    return claim.model_copy(update={"level": level})


def is_settled(verdict: Verdict) -> bool:
    """Whether an earlier look has decided a claim. Plain facts are as they are over all seeds that were run."""
    return verdict.p_value is not None and verdict.outcome != "undecided"


def is_open(verdict: Verdict) -> bool:
    """Whether more seeds may decide a claim."""
    return verdict.p_value is not None and verdict.outcome == "undecided"


def seen(
    verdict: Verdict, claim: spec.Claim, *, looks: Sequence[int], number: int, earlier: Verdict | None
) -> Verdict:
    """The verdict of a look, made at the level of that look, as one of the claim at its own level."""
    if verdict.p_value is None:
        return replace(verdict, level=claim.level)
    spent = share(looks, number)
    before: tuple[Look, ...] = ()
    least_true = least_false = 1.0
    if earlier is not None and earlier.p_value is not None:
        before, least_true, least_false = earlier.looks, earlier.p_true, earlier.p_false
    p_true, p_false = min(least_true, verdict.p_true / spent), min(least_false, verdict.p_false / spent)
    now = Look(
        seeds=looks[number],
        level=verdict.level,
        estimate=verdict.estimate,
        low=verdict.low,
        high=verdict.high,
        left=verdict.left,
        right=verdict.right,
        p_value=verdict.p_value,
        outcome=verdict.outcome,
    )
    p_value = min(1.0, 2 * min(p_true, p_false))
    return replace(
        verdict,
        level=claim.level,
        p_true=p_true,
        p_false=p_false,
        p_value=p_value,
        corrected_p=p_value,
        looks=(*before, now),
        planned=tuple(looks),
    )
