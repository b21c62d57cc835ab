"""Linear warm-up."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Length, Schedule, schedule


@schedule(version=1, paper="goyal2017accurate")
def warmup(
    steps: int,
    steps_per_epoch: int,
    *,
    length: Length,
    then: Schedule = "constant",
) -> np.ndarray:
    """The learning rate climbs to its value in equal steps, and then follows another schedule.

    `(t + 1) / W` at step t < W, the factors of `then` for a budget of T - W steps afterwards (gradual
    warm-up of Goyal et al. 2017, section 2.2).

    Args:
        length: W, in epochs or steps.
        then: the schedule after the warm-up.
    """
    rising = min(steps, length.steps(steps_per_epoch))
    climb = (np.arange(rising) + 1) / max(1, rising)
    return np.concatenate([climb, then(steps - rising, steps_per_epoch)])
