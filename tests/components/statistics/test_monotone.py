"""Whether a curve goes one way only, against its differences."""

from __future__ import annotations

import numpy as np
import pytest

from gendsl_runtime.statistics.monotone import monotone


@pytest.mark.parametrize("sign", [1, -1])
def test_monotone_is_what_no_difference_contradicts(sign):
    rng = np.random.default_rng(4)
    curves = sign * rng.integers(0, 3, size=(300, 4)).astype(float)
    direction = "rising" if sign == 1 else "falling"
    found = monotone(curves, np.arange(4), direction=direction)
    np.testing.assert_array_equal(found, (sign * np.diff(curves) >= 0).all(axis=-1))
    assert 0 < found.mean() < 1


def test_points_are_taken_in_order_and_missing_ones_are_bridged():
    assert monotone(np.array([3.0, 1.0, 2.0]), np.array([3, 1, 2])) == 1.0
    assert monotone(np.array([1.0, np.nan, 0.0]), np.arange(3)) == 0.0
    assert np.isnan(monotone(np.array([1.0, np.nan, np.nan]), np.arange(3)))
