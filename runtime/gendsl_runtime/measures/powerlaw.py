"""Power laws fitted to samples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class PowerLaw(NamedTuple):
    """A density proportional to `x^-exponent` from `lowest` on."""

    exponent: float
    error: float
    """Standard error of the exponent, `(exponent - 1) / sqrt(tail)`."""
    lowest: float
    distance: float
    """Kolmogorov-Smirnov distance between the tail and the law."""
    tail: int
    """How many values are in the tail."""


NONE = PowerLaw(np.nan, np.nan, np.nan, np.nan, 0)
"""No law: fewer than two different values above zero."""


def power_law(values: np.ndarray) -> PowerLaw:
    """The law that fits the upper tail best (Clauset, Shalizi and Newman 2009, sections 3.1 and 3.3).

    For every value as the lowest of the tail, the exponent of largest likelihood is `1 + m / sum log(x_i /
    lowest)` over the m values from it on; of these laws the one with the smallest Kolmogorov-Smirnov distance
    is taken, the first where several are equal. The distance looks at both sides of each step of the
    distribution of the tail, so it is never below 1/m and tails of a few values are not favoured.

    Args:
        values: `(n,)`; those that are not above zero are left out.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))
    x = x[x > 0]
    found = [_law(x[start:]) for start in np.unique(x, return_index=True)[1][:-1]]
    return min(found, key=lambda law: law.distance) if found else NONE


def _law(tail: np.ndarray) -> PowerLaw:
    """The law of largest likelihood from `tail[0]` on, for ascending values that are not all equal."""
    m = len(tail)
    logs = np.log(tail / tail[0])
    exponent = 1 + m / logs.sum()
    law = -np.expm1(-(exponent - 1) * logs)
    steps = np.arange(m + 1) / m
    distance = max(np.abs(steps[1:] - law).max(), np.abs(law - steps[:-1]).max())
    return PowerLaw(exponent, (exponent - 1) / np.sqrt(m), tail[0], float(distance), m)


def hill(values: np.ndarray, count: int) -> float:
    """Exponent of the density by Hill's estimator (1975) from the `count` largest of the positive values.

    `1 + 1 / mean_{i <= k} log(x_(i) / x_(k+1))`, with `x_(1) >= x_(2) >= ...`; NaN where there are not k + 1
    values, or the k + 1 largest are equal.
    """
    x = np.sort(np.asarray(values, dtype=np.float64))[::-1]
    x = x[x > 0]
    if count < 1 or len(x) <= count or x[0] == x[count]:
        return float("nan")
    return float(1 + 1 / np.log(x[:count] / x[count]).mean())
