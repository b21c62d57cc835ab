"""The area under a curve."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.measures.steps import steps


@statistic(version=1, reduces="along", unit="times")
def auc(values: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """The area under a curve by the trapezoid rule, `sum_i (x_(i+1) - x_i)(y_i + y_(i+1)) / 2`.

    Points are taken in ascending order of the axis, from the first to the last that is present.

    Interval: linear in the values, so that averages over seeds get Student's t, of the seeds' own areas and of the mean
    curve alike.

    Args:
        values: the curve y, `(..., n)`; NaN is a missing point, and the line between its neighbours stands for it.
        coordinates: the axis x, `(n,)`.

    Returns:
        `(...)`, the unit of the values times that of the axis; NaN where fewer than two points are present.

    Example:
        >>> float(auc(np.array([0.0, 1.0, 1.0]), np.array([0.0, 2.0, 3.0])))
        2.0
    """
    found = steps(values, coordinates)
    area = (found.x - found.x_before) * (found.y + found.y_before) / 2
    total = np.where(found.is_step, area, 0.0).sum(axis=-1)
    return np.where(found.is_step.any(axis=-1), total, np.nan)
