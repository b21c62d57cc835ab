"""Lengths of training, in epochs or steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Length:
    """`300 epochs` or `2000 steps`. An epoch is one pass over the training set, its last batch possibly
    smaller."""

    value: int | float
    unit: Literal["epochs", "steps"]

    def steps(self, per_epoch: int) -> int:
        """Optimizer steps, rounded up, so that half an epoch of an odd number of steps is trained in full."""
        return math.ceil(self.value * per_epoch if self.unit == "epochs" else self.value)
