"""The lowest value against numpy."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.lowest import lowest


def test_lowest_is_that_of_numpy():
    values = np.random.default_rng(2).normal(size=(3, 9))
    values[0, 2] = np.nan
    np.testing.assert_array_equal(lowest(values), np.nanmin(values, axis=-1))
