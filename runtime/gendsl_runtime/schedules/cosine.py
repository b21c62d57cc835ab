"""Cosine decay."""

from __future__ import annotations

import numpy as np

from gendsl_runtime.component import Share, schedule


@schedule(version=1, paper="loshchilov2017sgdr")
def cosine(steps: int, steps_per_epoch: int, *, floor: Share = 0.0) -> np.ndarray:
    """Half a cosine from 1 to `floor` over the whole budget (Loshchilov and Hutter 2017, equation 5).

    `floor + (1 - floor) (1 + cos(pi t / T)) / 2` at step t = 0 ... T - 1 of T.

    Args:
        floor: the share of the learning rate that is left at the end.
    """
    return floor + (1 - floor) * 0.5 * (1 + np.cos(np.pi * np.arange(steps) / max(1, steps)))
