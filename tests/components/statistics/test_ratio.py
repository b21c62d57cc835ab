"""The ratio of means by hand."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.ratio import ratio


def test_ratio_is_that_of_the_sums():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(3, 6)), rng.normal(size=(3, 6)) + 4
    np.testing.assert_allclose(ratio(x, y), x.sum(axis=-1) / y.sum(axis=-1), rtol=1e-12)


def test_pairs_with_a_missing_value_are_left_out_whole():
    x, y = np.array([1.0, np.nan, 3.0]), np.array([2.0, 100.0, np.nan])
    assert ratio(x, y) == 0.5


def test_a_ratio_to_nothing_is_infinite():
    assert np.isinf(ratio(np.ones(2), np.array([1.0, -1.0])))
    assert np.isnan(ratio(np.zeros(2), np.zeros(2)))
