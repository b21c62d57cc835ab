"""The area under a curve against numpy and a parabola."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.auc import auc


def test_area_is_the_trapezoid_rule_in_the_order_of_the_axis():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=9), rng.normal(size=(5, 9))
    order = np.argsort(x)
    np.testing.assert_allclose(auc(y, x), np.trapezoid(y[:, order], x[order]), rtol=1e-12)


def test_missing_points_are_bridged():
    x, y = np.array([0.0, 1, 2, 5]), np.array([np.nan, 1, np.nan, 3])
    assert auc(y, x) == 8.0
    assert np.isnan(auc(np.array([np.nan, 1, np.nan, np.nan]), x))


def test_a_fine_grid_gives_the_integral():
    x = np.linspace(0, 3, 301)
    # The trapezoid rule is off by h^2 (b - a) max|f''| / 12 at most.
    np.testing.assert_allclose(auc(x**2, x), 9.0, atol=0.01**2 * 3 * 2 / 12 * 1.001)
