"""The standard deviation against numpy."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.std import std


def test_std_is_that_of_numpy():
    values = np.random.default_rng(4).normal(size=(3, 9))
    values[0, 2] = np.nan
    np.testing.assert_allclose(std(values), np.nanstd(values, axis=-1, ddof=1), rtol=1e-13)


def test_one_value_has_no_spread_that_could_be_known():
    assert np.isnan(std(np.array([1.0, np.nan])))
