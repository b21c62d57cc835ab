"""Where a curve is lowest, against numpy."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.argmin import argmin


def test_argmin_is_a_coordinate():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=8), rng.normal(size=(5, 8))
    np.testing.assert_array_equal(argmin(y, x), x[y.argmin(axis=-1)])


def test_ties_take_the_smallest_coordinate_and_missing_points_are_skipped():
    x = np.array([4.0, 2.0, 1.0, 3.0])
    assert argmin(np.array([0.0, 0.0, 5.0, 0.0]), x) == 2.0
    assert argmin(np.array([7.0, np.nan, 8.0, np.inf]), x) == 4.0
    assert argmin(np.array([np.nan, np.inf, np.nan, np.inf]), x) == 2.0
    assert np.isnan(argmin(np.full(4, np.nan), x))
