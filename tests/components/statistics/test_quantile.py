"""Quantiles against numpy's linear interpolation."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.statistics.quantile import quantile


@pytest.mark.parametrize("level", [0.0, 0.1, 0.5, 0.975, 1.0])
def test_quantile_is_that_of_numpy(level):
    values = np.random.default_rng(1).normal(size=(3, 11))
    values[2, :4] = np.nan
    np.testing.assert_allclose(
        quantile(values, level=level), np.nanquantile(values, level, axis=-1), rtol=1e-13
    )
