"""Multiclass hinge loss."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.component import PerMember, Positive, loss


@loss(version=1, needs="classification", paper="crammer2001algorithmic")
def hinge(
    outputs: Tensor,
    targets: Tensor,
    *,
    margin: PerMember[Positive] = 1.0,  # type: ignore[assignment]
) -> Tensor:
    """How far the label's score is from beating every other by `margin` (Crammer and Singer 2001).

    `max(0, margin + max_{c != y} f_c - f_y)`. With two classes this is the binary hinge loss of the
    difference of the two scores, `max(0, margin - t (f_1 - f_0))` with t = -1 for class 0 and +1 for class
    1. Outputs `(members, classes, examples)` and labels `(members, examples)` give losses `(members,
    examples)`.

    Args:
        margin: the lead that the label's score must have.
    """
    label = targets[:, None]
    others = outputs.scatter(1, label, -torch.inf).max(1).values
    return torch.relu(margin[:, None] + others - outputs.gather(1, label)[:, 0])
