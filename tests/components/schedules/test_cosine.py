"""The cosine schedule against torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.schedules.cosine import cosine


@pytest.mark.parametrize("floor", [0.0, 0.25])
def test_it_is_torchs_cosine_annealing(floor) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20, eta_min=floor)
    for factor in cosine(20, 5, floor=floor):
        assert factor == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        optimizer.step()
        theirs.step()


def test_it_falls_from_one() -> None:
    factors = cosine(9, 3)
    assert factors[0] == 1
    assert np.all(np.diff(factors) < 0)
    assert factors[-1] > 0
