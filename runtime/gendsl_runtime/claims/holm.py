"""Corrects the verdicts of a file for there being several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gendsl_runtime.claims.quantify import outcome_of
from gendsl_runtime.claims.verdict import Verdict


def corrected(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts with `corrected` and `corrected_p`, by Holm's step-down method.

    The family are the two one-sided hypotheses of each of K claims, 2K in all; the r-th least p-value counts
    `2K - r + 1` times. That holds under any dependence between claims (S. Holm, "A simple sequentially
    rejective multiple test procedure", Scand. J. Statist. 6(2), 1979), and a verdict in the wrong direction
    is among the errors it bounds. For one claim it changes nothing. Claims with an exact value are in no
    family and keep their outcome.
    """
    family = [
        (p, place, side)
        for place, verdict in enumerate(verdicts)
        if verdict.p_value is not None
        for side, p in enumerate((verdict.p_true, verdict.p_false))
    ]
    adjusted: dict[tuple[int, int], float] = {}
    least = 0.0
    for rank, (p, place, side) in enumerate(sorted(family)):
        least = max(least, min(1.0, (len(family) - rank) * p))
        adjusted[place, side] = least
    return tuple(
        verdict if verdict.p_value is None else _corrected(verdict, adjusted[place, 0], adjusted[place, 1])
        for place, verdict in enumerate(verdicts)
    )


def _corrected(verdict: Verdict, p_true: float, p_false: float) -> Verdict:
    # The adjusted values speak for both sides already, so they are held against the whole of 1 - level.
    outcome = outcome_of(p_true / 2, p_false / 2, level=verdict.level)
    if outcome != verdict.outcome:
        outcome = "undecided"
    return replace(verdict, corrected=outcome, corrected_p=min(p_true, p_false))
