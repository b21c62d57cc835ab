"""The polynomial schedule against torch's and against the linear one."""

from __future__ import annotations

import numpy as np
from torch.optim.lr_scheduler import PolynomialLR

from gendsl_runtime.schedules.linear import linear
from gendsl_runtime.schedules.polynomial import polynomial
from tests.components.schedules.by_torch import rates


def test_it_is_torchs() -> None:
    theirs = rates(lambda optimizer: PolynomialLR(optimizer, 30, power=1.7), 30)
    np.testing.assert_allclose(polynomial(30, 5, power=1.7), theirs, rtol=1e-12)


def test_of_power_one_it_is_linear() -> None:
    np.testing.assert_allclose(polynomial(9, 3, power=1.0, floor=0.2), linear(9, 3, floor=0.2))
