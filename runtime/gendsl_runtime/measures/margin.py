"""Output margins."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.runs import Runs


@torch.no_grad()
def output_margins(runs: Runs, *, on: str) -> Tensor:
    """`f_y(x) - max_{c != y} f_c(x)` of each example of a split, `(members, examples)`, float64."""
    return torch.cat([_margins(runs.outputs(x), y) for x, y in runs.chunks(on)], dim=1)


def _margins(outputs: Tensor, targets: Tensor) -> Tensor:
    """`(members, examples)` from outputs `(members, classes, examples)`."""
    values, place = outputs.double(), targets.unsqueeze(1)
    right = values.gather(1, place)[:, 0]
    return right - values.scatter(1, place, -torch.inf).amax(1)
