"""The exponent of a power law against polyfit of logarithms, and what has none."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.exponent import exponent


def test_exponent_is_the_slope_of_logarithms():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(1, 9, size=7), rng.uniform(0.1, 3, size=(4, 7))
    np.testing.assert_allclose(exponent(y, x), np.polyfit(np.log(x), np.log(y).T, 1)[0], rtol=1e-10)


def test_a_power_law_has_its_exponent_whatever_is_missing():
    x = np.array([1.0, 2, 4, 8, 16])
    y = 3 * x**-0.7
    y[2] = np.nan
    np.testing.assert_allclose(exponent(y, x), -0.7, rtol=1e-12)


def test_nothing_is_skipped_to_get_an_exponent():
    x = np.array([1.0, 2, 4])
    for values in ([1.0, 0.0, 2.0], [1.0, -1.0, 2.0]):
        assert np.isnan(exponent(np.array(values), x))
    assert np.isnan(exponent(np.ones(3), x - 1))
    assert np.isnan(exponent(np.array([1.0, np.nan, np.nan]), x))
