"""The constant schedule."""

from __future__ import annotations

import numpy as np
from torch.optim.lr_scheduler import ConstantLR

from gendsl_runtime.schedules.constant import constant
from tests.components.schedules.by_torch import rates


def test_every_factor_is_one() -> None:
    np.testing.assert_array_equal(constant(4, 2), [1, 1, 1, 1])
    assert len(constant(0, 2)) == 0


def test_it_is_torchs() -> None:
    np.testing.assert_array_equal(constant(9, 2), rates(lambda one: ConstantLR(one, factor=1.0), 9))
