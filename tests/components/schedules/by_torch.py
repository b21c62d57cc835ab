"""Learning rates of torch's schedulers, in float64, as tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def rates(scheduler: Callable[[torch.optim.Optimizer], Any], steps: int) -> list[float]:
    """The learning rate of each of `steps` steps, from one of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    follows, found = scheduler(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(found) < steps:
            follows.step()
    return found
