"""The median against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.statistics.median import median


@pytest.mark.parametrize("n", [1, 2, 7, 8])
def test_median_is_that_of_numpy(n):
    values = np.random.default_rng(n).normal(size=(5, n))
    values[1, : n // 2] = np.nan
    np.testing.assert_allclose(median(values), np.nanmedian(values, axis=-1), rtol=1e-14)


def test_infinite_values_have_a_median():
    assert median(np.array([-np.inf, 1.0, np.inf])) == 1.0
    assert median(np.array([np.inf, np.inf])) == np.inf
