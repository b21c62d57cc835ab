"""The stepwise schedule against torch's."""

from __future__ import annotations

import pytest
import torch

from gendsl_runtime.length import Length
from gendsl_runtime.schedules.step import step


def test_it_is_torchs_multistep() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    theirs = torch.optim.lr_scheduler.MultiStepLR(optimizer, [5, 12], gamma=0.3)
    for factor in step(20, 5, at=[Length(12, "steps"), Length(1, "epochs")], factor=0.3):
        assert factor == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        optimizer.step()
        theirs.step()
