"""How many seeds would probably decide a claim that is undecided."""

from __future__ import annotations

import numpy as np
from scipy import special

from gendsl_runtime.claims.verdict import CHANCE, FARTHEST


def seeds_to_decide(p: float, n: int, *, level: float) -> int | None:
    """The least number of seeds whose t-test would decide with probability `CHANCE`; `FARTHEST + 1` where
    even `FARTHEST` would not, None where the seeds say nothing.

    It takes the true difference and the spread between seeds to be those that the n seeds show. With
    `t = T_{n-1}^{-1}(1 - p)` the difference is `d = t / sqrt(n)` standard deviations; at m seeds the test statistic
    has a noncentral t distribution with m - 1 degrees of freedom and noncentrality `d sqrt(m)`, and decides
    where it is beyond the quantile `(1 + level) / 2` of Student's t.

    Args:
        p: the smaller one-sided p-value.
        n: the seeds it is from.
        level: of the claim.
    """
    if n < 2 or not 0 < p < 0.5:
        return None
    effect = -special.stdtrit(n - 1, p) / np.sqrt(n)
    if power(FARTHEST, effect, level=level) < CHANCE:
        return FARTHEST + 1
    low, high = n, FARTHEST
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, effect, level=level) >= CHANCE else (middle + 1, high)
    return low


def power(n: int, effect: float, *, level: float) -> float:
    """The probability that n seeds decide on the side of an effect in standard deviations."""
    critical = special.stdtrit(n - 1, (1 + level) / 2)
    reached = special.nctdtr(n - 1, effect * np.sqrt(n), critical)
    if np.isnan(reached):
        # Far out the noncentral t is normal to all digits that matter here.
        reached = special.ndtr(critical - effect * np.sqrt(n))
    return float(1 - reached)
