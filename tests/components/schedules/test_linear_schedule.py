"""The linear schedule."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.schedules.linear import linear


def test_equal_steps_down() -> None:
    np.testing.assert_allclose(linear(4, 2), [1, 0.75, 0.5, 0.25])
    np.testing.assert_allclose(linear(4, 2, floor=0.2), [1, 0.8, 0.6, 0.4])
