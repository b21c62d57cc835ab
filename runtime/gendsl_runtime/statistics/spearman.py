"""Spearman's rank correlation."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import statistic
from gendsl_runtime.measures.ranks import average_ranks
from gendsl_runtime.statistics.pearson import pearson


@statistic(version=1, reduces="over", unit="1", paper="spearman1904proof")
def spearman(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation: Pearson's correlation of the ranks, ties sharing the mean of their ranks.

    Interval: over seeds, against a number, t with a bootstrap standard error on Fisher's z. Over other axes Student's t
    of the seeds' own correlations.

    Args:
        x: `(..., n)`; a pair in which either value is missing (NaN) is left out.
        y: `(..., n)`.

    Returns:
        `(...)`, from -1 to 1; NaN where fewer than two pairs are present or one side does not vary.

    C. Spearman, "The proof and measurement of association between two things", Am. J. Psychol. 15(1), 1904.

    Example:
        >>> float(spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 8.0, 27.0])))
        1.0
    """
    absent = np.isnan(x) | np.isnan(y)
    return pearson(*(average_ranks(np.where(absent, np.nan, values)) for values in (x, y)))
