"""Polynomial decay."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Positive, Share, schedule


@schedule(version=1)
def polynomial(steps: int, steps_per_epoch: int, *, power: Positive = 2.0, floor: Share = 0.0) -> np.ndarray:
    """From 1 to `floor` over the whole budget, along a power of what is left of it.

    `floor + (1 - floor) (1 - t / T)^power` at step t = 0 ... T - 1 of T; with `power = 1` it is `linear`, and with
    `floor = 0` `torch.optim.lr_scheduler.PolynomialLR`.

    Args:
        power: how quickly it falls at first.
        floor: the share of the learning rate that is left at the end.
    """
    factors: np.ndarray = floor + (1 - floor) * (1 - np.arange(steps) / max(1, steps)) ** power
    return factors
