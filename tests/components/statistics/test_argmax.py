"""Where a curve is highest, against numpy."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.statistics.argmax import argmax


def test_argmax_is_a_coordinate():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=8), rng.normal(size=(5, 8))
    np.testing.assert_array_equal(argmax(y, x), x[y.argmax(axis=-1)])
    assert argmax(np.array([1.0, 1.0, np.nan]), np.array([3.0, 2.0, 1.0])) == 2.0
