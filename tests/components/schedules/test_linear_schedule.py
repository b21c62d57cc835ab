"""The linear schedule."""

from __future__ import annotations

import numpy as np
from torch.optim.lr_scheduler import LinearLR

from gendsl_runtime.schedules.linear import linear
from tests.components.schedules.by_torch import rates


def test_equal_steps_down() -> None:
    np.testing.assert_allclose(linear(4, 2), [1, 0.75, 0.5, 0.25])
    np.testing.assert_allclose(linear(4, 2, floor=0.2), [1, 0.8, 0.6, 0.4])


def test_it_is_torchs() -> None:
    theirs = rates(lambda optimizer: LinearLR(optimizer, 1.0, 0.2, total_iters=30), 30)
    np.testing.assert_allclose(linear(30, 5, floor=0.2), theirs, rtol=1e-12)
