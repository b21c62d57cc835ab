"""Linear decay."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Share, schedule


@schedule(version=1)
def linear(steps: int, steps_per_epoch: int, *, floor: Share = 0.0) -> np.ndarray:
    """A straight line from 1 to `floor` over the whole budget: `1 - (1 - floor) t / T` at step t = 0 ... T -
    1 of T.

    Args:
        floor: the share of the learning rate that is left at the end.
    """
    return 1 - (1 - floor) * np.arange(steps) / max(1, steps)
