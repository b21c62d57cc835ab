"""What `own.py` imports: it counts as part of whatever uses it."""

from __future__ import annotations

import numpy as np

TURNS = 1.25
"""How often an arm goes around."""


def spiral(
    chance: np.random.Generator, count: int, *, arms: int, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Points float32 `(count, 2)` and the arm of each, int64 `(count,)`."""
    labels = np.arange(count) % arms
    along = np.sqrt(chance.random(count))
    angle = 2 * np.pi * (labels / arms + TURNS * along)
    points = along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points += noise * chance.standard_normal((count, 2))
    return points.astype(np.float32), labels
