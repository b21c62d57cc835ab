"""Distances to nearest neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

ROWS = 256
"""Examples whose distances to all others are held at once."""


def nearest(values: Tensor, count: int) -> Tensor:
    """Distances `(N, count)` of each example to its nearest other ones, ascending, in exact differences.

    Args:
        values: `(features, N)` of one member, N above `count`.
    """
    rows = values.T.contiguous()
    found = []
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        apart = torch.cdist(part, rows, compute_mode="donot_use_mm_for_euclid_dist")
        places = torch.arange(len(part), device=rows.device)
        apart[places, start + places] = torch.inf
        found.append(torch.topk(apart, count, dim=1, largest=False, sorted=True).values)
    return torch.cat(found)
