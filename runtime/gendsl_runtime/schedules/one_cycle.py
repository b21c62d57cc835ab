"""One cycle up and down."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Share, schedule


@schedule(version=1, paper="smith2018super")
def one_cycle(
    steps: int, steps_per_epoch: int, *, rising: Share = 0.3, start: Share = 0.04, end: Share = 4e-6
) -> np.ndarray:
    """Half a cosine up to the learning rate and another one down to almost nothing (Smith and Topin 2018).

    From `start` at step 0 to 1 at step `rising * T - 1`, and to `end` at the last step T - 1:
    `torch.optim.lr_scheduler.OneCycleLR` in two phases, whose `max_lr` is the learning rate. With the values of
    `start` and `end` given here, also its `div_factor` of 25 and `final_div_factor` of 10^4.

    Args:
        rising: share of the budget that the way up takes.
        start: share of the learning rate at the first step.
        end: share of the learning rate at the last step.
    """
    step, peak = np.arange(steps), rising * steps - 1
    up = np.clip(step / peak, 0, 1) if peak > 0 else np.ones(steps)
    down = np.clip((step - max(peak, 0.0)) / max(steps - 1 - max(peak, 0.0), 1e-9), 0, 1)
    climb = 1 - (1 - start) * (1 + np.cos(np.pi * up)) / 2
    fall = end + (1 - end) * (1 + np.cos(np.pi * down)) / 2
    return np.where(step <= peak, climb, fall)
