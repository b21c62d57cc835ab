"""The constant schedule."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.schedules.constant import constant


def test_every_factor_is_one() -> None:
    np.testing.assert_array_equal(constant(4, 2), [1, 1, 1, 1])
    assert len(constant(0, 2)) == 0
