"""The steps of a curve from each point that is present to the next."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Steps(NamedTuple):
    """Points in ascending order of the axis, `(..., n)`, each with the one before it that is present."""

    x: np.ndarray
    y: np.ndarray
    x_before: np.ndarray
    y_before: np.ndarray
    is_step: np.ndarray
    """Whether there is such a point and such a one before it; elsewhere the others mean nothing."""
    is_first: np.ndarray
    """Whether the point is the first that is present."""


def steps(values: np.ndarray, coordinates: np.ndarray) -> Steps:
    """The steps of curves.

    Args:
        values: `(..., n)`; NaN is a missing point.
        coordinates: `(n,)`.
    """
    order = np.argsort(coordinates, kind="stable")
    y = values[..., order]
    x = np.broadcast_to(np.asarray(coordinates, dtype=np.float64)[order], y.shape)
    present = ~np.isnan(y)
    latest = np.maximum.accumulate(np.where(present, np.arange(y.shape[-1]), -1), axis=-1)
    before = np.concatenate([np.full((*y.shape[:-1], 1), -1), latest[..., :-1]], axis=-1)[..., : y.shape[-1]]
    place = np.maximum(before, 0)
    x_before, y_before = (
        np.take_along_axis(array, place, axis=-1) if y.shape[-1] else array for array in (x, y)
    )
    return Steps(x, y, x_before, y_before, present & (before >= 0), present & (before < 0))
