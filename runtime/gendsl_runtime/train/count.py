"""The number of a step where the host does not know it: in a recording, which is made once and replayed."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Count:
    """A step of a recording. What depends on its number is looked up in tables over all steps."""

    behind: Tensor
    """Steps before this one, int64 `(1,)`."""
    steps: int
    """Steps of the longest budget."""
    dtype: torch.dtype
    """Of the numbers looked up."""
    tables: dict[Hashable, Tensor]
    """Made when first asked for, which is before anything is recorded."""

    def look_up(self, key: Hashable, function: Callable[[int], float]) -> Tensor:
        """`function` of the number of the step, counted from 1, `()`; computed in float64 and rounded once."""
        if key not in self.tables:
            values = [function(step) for step in range(1, self.steps + 1)]
            table = torch.tensor(values, dtype=torch.float64).to(self.behind.device, self.dtype)
            self.tables[key] = table
        return self.tables[key].index_select(0, self.behind).view(())


def correction(decay: float, step: int | Count) -> float | Tensor:
    """`1 - decay^step`: what a running mean that starts at zero has to be divided by (Kingma and Ba 2015)."""
    if isinstance(step, Count):
        return step.look_up(("mean", decay), lambda number: 1 - decay**number)
    return 1 - decay**step


def correction_root(decay: float, step: int | Count) -> float | Tensor:
    """`sqrt(1 - decay^step)`."""
    if isinstance(step, Count):
        return step.look_up(("root", decay), lambda number: math.sqrt(1 - decay**number))
    return math.sqrt(1 - decay**step)
