"""Exponential decay."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Positive, schedule


@schedule(version=1)
def exponential(steps: int, steps_per_epoch: int, *, floor: Positive = 0.01) -> np.ndarray:
    """The same share is lost at every step, from 1 towards `floor` over the whole budget.

    `floor^(t / T)` at step t = 0 ... T - 1 of T: `torch.optim.lr_scheduler.ExponentialLR` with gamma =
    `floor^(1 / T)`.

    Args:
        floor: the share of the learning rate that is left at the end.
    """
    factors: np.ndarray = np.float64(floor) ** (np.arange(steps) / max(1, steps))
    return factors
