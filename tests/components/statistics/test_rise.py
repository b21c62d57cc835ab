"""The largest rise against all pairs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gendsl_runtime.statistics.rise import rise


@given(st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=9), st.randoms())
def test_rise_is_the_largest_over_all_pairs(values, random):
    points = list(range(len(values)))
    random.shuffle(points)
    curve = [value for _, value in sorted(zip(points, values, strict=True))]
    steps = [b - a for i, a in enumerate(curve) for b in curve[i + 1 :]]
    expected = max((step for step in steps if not np.isnan(step)), default=np.nan)
    np.testing.assert_equal(float(rise(np.array(values), np.array(points))), expected)


def test_a_falling_curve_has_a_negative_rise():
    assert rise(np.array([5.0, 4.0, 1.0]), np.arange(3)) == -1.0
