"""Where functions along rays first rise above a level, for many rays at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Heights = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Places `(k,)` and distances `(k,)` to heights `(k,)`: the function of ray `place` at that distance."""

START = 0.125
"""Distance first tried, as a share of the unit of distance."""
SMALLEST = 2.0**-60


def crossings(heights: Heights, *, count: int, level: float, reach: float, tolerance: float) -> np.ndarray:
    """Distances `(count,)` at which each ray's function leaves the set where it is at most `level`.

    The functions are taken to be below `level` at 0. Distances 1/8, 1/4, 1/2 ... are tried until a function
    is above (or below, going down), so a ray's crossing is bracketed within a factor of two, the first one on
    this grid from 1/8 outwards; then the bracket shrinks until it is narrower than `tolerance` relative to
    the distance. A ray that is below up to `reach` has the distance `reach`. Heights that are not finite
    count as above.
    """
    low, high, heights_low, heights_high = _brackets(heights, count, level, reach)
    radius = np.where(np.isinf(high), reach, np.sqrt(low * np.where(np.isinf(high), 1.0, high)))
    inside = np.isfinite(high)
    places = np.flatnonzero(inside)
    radius[places] = _refined(
        heights,
        places,
        low[inside],
        high[inside],
        (heights_low[inside], heights_high[inside]),
        level,
        tolerance,
    )
    return radius


def _brackets(
    heights: Heights, count: int, level: float, reach: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Distances below and above the level, a factor of two apart, and logarithms of the heights there."""
    low, high = np.zeros(count), np.full(count, np.inf)
    at_low, at_high = np.full(count, -np.inf), np.full(count, np.inf)
    here = np.full(count, min(START, reach))
    active = np.arange(count)
    while len(active):
        values = _log_height(heights(active, here[active]), level)
        above = values > 0
        high[active[above]], at_high[active[above]] = here[active[above]], values[above]
        low[active[~above]], at_low[active[~above]] = here[active[~above]], values[~above]
        known = np.isfinite(high[active]) & (low[active] > 0)
        ended = (low[active] >= reach) | (high[active] <= SMALLEST)
        here[active] = np.where(above, here[active] / 2, np.minimum(here[active] * 2, reach))
        active = active[~(known | ended)]
    return low, high, at_low, at_high


def _log_height(values: np.ndarray, level: float) -> np.ndarray:
    """`log(height / level)`, nearly linear in the logarithm of the distance; infinite for no number."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(values / level)
    return np.where(np.isnan(values) | np.isposinf(values), np.inf, np.where(np.isnan(logs), -np.inf, logs))


def _refined(
    heights: Heights,
    places: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    at: tuple[np.ndarray, np.ndarray],
    level: float,
    tolerance: float,
) -> np.ndarray:
    """Crossings inside brackets, by interpolation in logarithms that is never slower than bisection by much.

    Every step interpolates between the ends of the bracket and moves the guess by a third of the tolerance
    towards the far end, so that a good guess closes the bracket from both sides; a bracket that three steps
    have not made eight times narrower is halved instead.
    """
    a, b = np.log(np.maximum(low, SMALLEST / 2)), np.log(high)
    fa, fb = at[0].copy(), at[1].copy()
    widths = [b - a]
    active = np.flatnonzero(b - a > tolerance)
    while len(active):
        guess = _guess(a[active], b[active], fa[active], fb[active], tolerance)
        if len(widths) > 3:
            slow = (b - a)[active] > widths[-4][active] / 8
            guess = np.where(slow, (a[active] + b[active]) / 2, guess)
        values = _log_height(heights(places[active], np.exp(guess)), level)
        above = values > 0
        b[active[above]], fb[active[above]] = guess[above], values[above]
        a[active[~above]], fa[active[~above]] = guess[~above], values[~above]
        widths.append(b - a)
        active = active[(b - a)[active] > tolerance]
    radii: np.ndarray = np.exp(_interpolated(a, b, fa, fb))
    return radii


def _interpolated(a: np.ndarray, b: np.ndarray, fa: np.ndarray, fb: np.ndarray) -> np.ndarray:
    """Zero of the line through both ends; the middle where an end is infinite."""
    is_line = np.isfinite(fa) & np.isfinite(fb) & (fb > fa)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(is_line, -fa / np.where(is_line, fb - fa, 1.0), 0.5)
    zero: np.ndarray = a + np.clip(np.nan_to_num(share, nan=0.5), 0.0, 1.0) * (b - a)
    return zero


def _guess(a: np.ndarray, b: np.ndarray, fa: np.ndarray, fb: np.ndarray, tolerance: float) -> np.ndarray:
    guess = _interpolated(a, b, fa, fb)
    towards = np.where(guess - a < b - guess, 1.0, -1.0)
    return np.clip(guess + towards * tolerance / 3, a + tolerance / 3, b - tolerance / 3)
