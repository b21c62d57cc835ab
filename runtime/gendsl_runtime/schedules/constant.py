"""Constant learning rate."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import schedule


@schedule(version=1)
def constant(steps: int, steps_per_epoch: int) -> np.ndarray:
    """The learning rate stays what it is: factor 1 at every step, shape `(steps,)`."""
    return np.ones(steps)
