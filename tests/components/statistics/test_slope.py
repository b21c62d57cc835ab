"""The least-squares slope against numpy."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.slope import slope


def test_slope_is_that_of_polyfit():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=8), rng.normal(size=(4, 8))
    np.testing.assert_allclose(slope(y, x), np.polyfit(x, y.T, 1)[0], rtol=1e-12)


def test_missing_points_are_skipped():
    x, y = np.arange(6.0), np.array([1.0, 2, np.nan, 7, 5, 3])
    kept = ~np.isnan(y)
    np.testing.assert_allclose(slope(y, x), np.polyfit(x[kept], y[kept], 1)[0], rtol=1e-12)


def test_one_place_has_no_slope():
    assert np.isnan(slope(np.array([1.0, 2.0]), np.array([3.0, 3.0])))
