"""Where a curve crosses a level."""

from __future__ import annotations

from typing import Literal

import numpy as np

from gendsl_runtime.component import Real, statistic
from gendsl_runtime.measures.steps import Steps, steps


@statistic(version=1, reduces="along", unit="coordinate", needs="crossing")
def threshold(
    values: np.ndarray,
    coordinates: np.ndarray,
    *,
    level: Real,
    direction: Literal["either", "up", "down"] = "either",
    which: Literal["first", "last"] = "first",
) -> np.ndarray:
    """Where a curve crosses a level, interpolated on the straight line between two points.

    Reaching the level counts, and so does beginning on it. Of several crossings `which` takes one; a claim warns
    where curves have several. A curve that never crosses has its crossing beyond what was measured: the value is
    infinite, so that `fraction(threshold(...) < 20 epochs)` counts it as not there yet, a median holds while
    fewer than half are so, and a mean leaves the claim undecided. A curve that begins beyond the level and stays
    there has not crossed it either.

    Interval: one crossing a seed is averaged with Student's t; the crossing of a mean curve gets t with a
    bootstrap standard error, unless more resamples never cross than the level allows to ignore.

    Args:
        values: the curve y, `(..., n)`; NaN is a missing point and is skipped.
        coordinates: the axis x, `(n,)`.
        level: in the unit of the values; `10%` is 0.1.
        direction: only crossings upwards or downwards, in ascending order of the axis.
        which: of several crossings the first or the last.

    Returns:
        `(...)`, in the unit of the axis; infinite where there is no crossing, NaN where every point is missing.

    Example:
        >>> float(threshold(np.array([4.0, 2.0, 0.0]), np.array([1.0, 2.0, 3.0]), level=1.0))
        2.5
    """
    found = steps(values, coordinates)
    at = crossed(found, level=level, direction=direction)
    has_any = np.isfinite(at).any(axis=-1)
    ordered = np.fmin.reduce(at, axis=-1, initial=np.inf)
    if which == "last":
        ordered = np.where(has_any, np.fmax.reduce(at, axis=-1, initial=-np.inf), np.inf)
    return np.where(found.is_first.any(axis=-1), ordered, np.nan)


def crossed(found: Steps, *, level: float, direction: str = "either") -> np.ndarray:
    """The place of the crossing in each step, `(..., n)`; NaN in steps without one."""
    before, after = found.y_before - level, found.y - level
    up, down = (before < 0) & (after >= 0), (before > 0) & (after <= 0)
    chosen = {"either": up | down, "up": up, "down": down}[direction] & found.is_step
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(after == 0, 1.0, before / (before - after))
        place = found.x_before + share * (found.x - found.x_before)
    begins = found.is_first & (after == 0)
    return np.where(chosen, place, np.where(begins, found.x, np.nan))
