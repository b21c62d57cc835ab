"""One cycle against torch's."""

from __future__ import annotations

import numpy as np
import pytest
from torch.optim.lr_scheduler import OneCycleLR

from gendsl_runtime.schedules.one_cycle import one_cycle
from tests.components.schedules.by_torch import rates


@pytest.mark.parametrize("steps", [10, 37, 200])
@pytest.mark.parametrize("rising", [0.25, 0.3, 0.6])
def test_it_is_torchs(steps, rising) -> None:
    theirs = rates(lambda optimizer: OneCycleLR(optimizer, 1.0, total_steps=steps, pct_start=rising), steps)
    np.testing.assert_allclose(one_cycle(steps, 5, rising=rising), theirs, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
@pytest.mark.parametrize("rising", [0.0, 0.3, 1.0])
def test_short_budgets_have_finite_factors(steps, rising) -> None:
    factors = one_cycle(steps, 5, rising=rising)
    assert factors.shape == (steps,)
    assert np.all((factors >= 0) & (factors <= 1))
