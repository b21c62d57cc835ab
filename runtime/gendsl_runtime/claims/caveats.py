"""What to know of a verdict: few seeds, seeds left out, intervals that are known to be too narrow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gendsl import spec
from gendsl_runtime.claims.evaluate import replicate_axis
from gendsl_runtime.claims.shape import Shape, has_extreme, has_place, has_rise
from gendsl_runtime.claims.undefined import several, why
from gendsl_runtime.claims.verdict import Case
from gendsl_runtime.results import Results

FEW = 5
"""Replicates below which a claim carries a warning."""
LOPSIDED = 1.3
"""Skewness of seeds beyond which a claim about a mean warns: 3 % of normal samples of 10 are so."""


@dataclass(frozen=True)
class Found:
    """One claim against its results: left minus right, how that depends on seeds, and their skewness."""

    results: Results
    difference: spec.Value
    shape: Shape
    skew: float


def caveats(cases: Sequence[Case], found: Found, *, total: int) -> Iterator[str]:
    """What to know of the cases of a claim beside their numbers."""
    experiment, seed = found.results.spec, str(replicate_axis(found.results.spec))
    fewest = min((case.used for case in cases), default=0)
    most = max((case.missing for case in cases), default=0)
    if 0 < fewest < FEW:
        yield f"only {fewest} seeds: intervals are wide and rest on their values being near to normal"
    if most:
        where = " at the worst coordinate" if len(cases) > 1 else ""
        reasons = Counter(f.reason for f in found.results.failures if f.began in ("", f.step))
        listed = "; ".join(f"{reason}: {count}" for reason, count in reasons.items())
        yield (
            f"{most} of {total} seeds {'is' if most == 1 else 'are'} left out{where}: a value is missing"
            + (f" (failures of the run: {listed})" if listed else "")
            + (f" ({needs})" if (needs := why(found.difference)) else "")
        )
    if found.skew > LOPSIDED and fewest >= FEW:
        yield (
            f"the seeds are lopsided (skewness {found.skew:.1f}): the interval of their mean may be too "
            "narrow on the side of the long tail; the median is safer"
        )
    if has_rise(found.difference, experiment, seed):
        yield (
            "this is the mean of each seed's own rise, which noise alone makes positive: "
            "write `rise(mean(..., over=seed), along=...)` for the rise of the mean curve"
        )
    if found.shape == Shape.GENERAL and has_extreme(found.difference, seed):
        yield "the interval of a lowest or highest value over seeds is too narrow: average first"
    if has_place(found.difference, experiment, seed) and any("bootstrap" in case.kind for case in cases):
        yield (
            "the interval of a place or a direction of a mean curve is too narrow here: "
            "compare it alone with a constant"
        )
    if crossings := several(found.difference, found.results):
        yield crossings
