"""Lines of equal height of a function known on a grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.float64]


def segments(heights: Grid, x: Grid, y: Grid, level: float) -> Grid:
    """Pieces of the line `height = level`, `(pieces, 4)` as x, y, x2, y2.

    Every cell is cut into two triangles, on which the function is linear, so no cell is ambiguous (marching
    triangles). Triangles with a missing corner have no line. A corner on the level counts as above it.

    Args:
        heights: `(rows, columns)`.
        x: `(columns,)`.
        y: `(rows,)`.
    """
    points = np.stack([*np.meshgrid(x, y), heights], axis=-1)
    first, right = points[:-1, :-1], points[:-1, 1:]
    below, last = points[1:, :-1], points[1:, 1:]
    corners = np.concatenate(
        [np.stack(three, axis=-2).reshape(-1, 3, 3) for three in ((first, right, last), (first, below, last))]
    )
    corners = corners[np.isfinite(corners).all((1, 2))]
    above = corners[..., 2] >= level
    corners, above = corners[above.any(1) & ~above.all(1)], above[above.any(1) & ~above.all(1)]
    # The corner that is alone on its side: the line crosses the two edges from it.
    alone = np.where(above.sum(1) == 1, above.argmax(1), (~above).argmax(1))
    row = np.arange(len(corners))
    start = corners[row, alone]
    ends = [_crossed(start, corners[row, (alone + turn) % 3], level) for turn in (1, 2)]
    return np.concatenate(ends, axis=1)


def _crossed(start: Grid, end: Grid, level: float) -> Grid:
    """Where edges `(n, 3)` reach the level, `(n, 2)`."""
    share = (level - start[:, 2]) / (end[:, 2] - start[:, 2])
    crossing: Grid = start[:, :2] + share[:, None] * (end[:, :2] - start[:, :2])
    return crossing


def heights_between(low: float, high: float, count: int, *, is_log: bool = False) -> list[float]:
    """About `count` round heights between two; equal ratios with `is_log`."""
    if not high > low:
        return []
    if is_log:
        return [float(one) for one in np.geomspace(low, high, count + 2)[1:-1]]
    raw = (high - low) / (count + 1)
    power = 10.0 ** np.floor(np.log10(raw))
    step = power * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw)
    first = int(np.ceil(low / step))
    found = [float(f"{place * step:.12g}") for place in range(first, first + count + 2)]
    return [one for one in found if low < one < high]
