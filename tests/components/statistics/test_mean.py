"""The mean against numpy."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.mean import mean


def test_mean_is_that_of_numpy():
    values = np.random.default_rng(0).normal(size=(4, 50))
    values[1, :7] = np.nan
    np.testing.assert_allclose(mean(values), np.nanmean(values, axis=-1), rtol=1e-13)
