"""Stepwise decay."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Length, Share, schedule


@schedule(version=1)
def step(steps: int, steps_per_epoch: int, *, at: list[Length], factor: Share = 0.1) -> np.ndarray:
    """The learning rate is multiplied by `factor` at each milestone, as
    `torch.optim.lr_scheduler.MultiStepLR` does.

    Args:
        at: milestones, in epochs or steps; the first step after a milestone has the smaller rate.
        factor: what is left of the learning rate after each.
    """
    milestones = np.array(sorted(length.steps(steps_per_epoch) for length in at), dtype=np.int64)
    return float(factor) ** np.searchsorted(milestones, np.arange(steps), side="right").astype(np.float64)
