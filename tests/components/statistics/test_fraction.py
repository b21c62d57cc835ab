"""The share of values for which something holds."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.fraction import fraction


def test_fraction_counts_what_is_present():
    np.testing.assert_array_equal(fraction(np.array([[1, 1, 0, 0], [1, np.nan, 0, 1.0]])), [0.5, 2 / 3])
