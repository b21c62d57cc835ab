"""The exponential schedule against torch's."""

from __future__ import annotations

import numpy as np
from torch.optim.lr_scheduler import ExponentialLR

from gendsl_runtime.schedules.exponential import exponential
from tests.components.schedules.by_torch import rates


def test_it_is_torchs() -> None:
    theirs = rates(lambda optimizer: ExponentialLR(optimizer, 0.05 ** (1 / 30)), 30)
    np.testing.assert_allclose(exponential(30, 5, floor=0.05), theirs, rtol=1e-13)


def test_nothing_to_train_is_no_factor() -> None:
    assert exponential(0, 5).shape == (0,)
