"""Pearson's correlation against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gendsl_runtime.statistics.pearson import pearson


@pytest.mark.parametrize("n", [3, 20, 300])
def test_(n):
    rng = np.random.default_rng(n)
    x, y = rng.integers(0, 6, size=(2, 4, n)) + rng.normal(size=(2, 1, n)).round(1)
    x[0, 0] = np.nan
    found = pearson(x, y)
    for k in range(4):
        kept = ~np.isnan(x[k])
        # Sums of n products: each adds at most one rounding.
        expected = stats.pearsonr(x[k, kept], y[k, kept]).statistic
        np.testing.assert_allclose(found[k], expected, rtol=0, atol=8 * n * np.finfo(float).eps)


def test_no_variation_gives_nan():
    assert np.isnan(pearson(np.array([0.1, 0.1, 0.1]), np.array([1.0, 2.0, 3.0])))
