"""The largest rise of a curve."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic


@statistic(version=1, reduces="along", unit="same")
def rise(values: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """The largest rise of a curve along an ordered axis: `max over i < j of y_j - y_i`.

    Points are taken in ascending order of the axis. A curve that only falls has a negative rise: its smallest
    step down. Noise alone makes a curve rise: of a noisy curve per seed, average first,
    `rise(mean(err.test, over=seed), along=width)`.

    Interval: of a mean curve, simultaneous t of all pairs of points (Bonferroni); of each seed's own rise Student's t
    of their mean, with a warning.

    Args:
        values: the curve y, `(..., n)`; NaN is a missing point and is skipped.
        coordinates: the axis, `(n,)`.

    Returns:
        `(...)`, in the unit of the values; NaN where fewer than two points are present.

    Example:
        >>> float(rise(np.array([3.0, 1.0, 4.0, 2.0]), np.arange(4)))
        3.0
    """
    curve = values[..., np.argsort(coordinates, kind="stable")]
    lowest_so_far = np.fmin.accumulate(curve, axis=-1)
    with np.errstate(invalid="ignore"):
        rises = curve[..., 1:] - lowest_so_far[..., :-1]
    return np.asarray(np.fmax.reduce(rises, axis=-1, initial=np.nan))
