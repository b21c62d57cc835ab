"""The highest value against numpy."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.highest import highest


def test_highest_is_that_of_numpy():
    values = np.random.default_rng(3).normal(size=(3, 9))
    values[0, 2] = np.nan
    np.testing.assert_array_equal(highest(values), np.nanmax(values, axis=-1))
