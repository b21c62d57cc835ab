"""The mean difference of pairs by hand."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.difference import difference


def test_difference_is_the_mean_of_pairs():
    x, y = np.random.default_rng(0).normal(size=(2, 3, 6))
    np.testing.assert_allclose(difference(x, y), x.mean(axis=-1) - y.mean(axis=-1), atol=1e-14)
    assert difference(np.array([1.0, np.nan, 3.0]), np.array([2.0, 9.0, np.nan])) == -1.0
