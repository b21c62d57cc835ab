"""What an optimizer is to the engine: an update of a whole stack at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

Update = Callable[[Tensor, Tensor, "tuple[Tensor, ...]", Tensor, int], None]
"""`update(parameters, gradients, slots, rate, step)`, in place: parameters, gradients and each slot are `(M,
P)`, all values of a member in one row; `rate` is `(M, 1)`; `step` counts from 1. It may use the gradients as
scratch space."""


@dataclass(frozen=True)
class Optimizer:
    """An optimizer component returns one. The engine clips gradients and multiplies rate and schedule."""

    rate: Tensor
    """Learning rates `(M,)`."""
    schedule: Tensor
    """Factors of the learning rate `(M, T)`, one for each step."""
    clip: Tensor | None
    """Largest Euclidean norm of a member's whole gradient `(M,)`."""
    slots: int
    """How many `(M, P)` tensors it keeps, all zero at first."""
    update: Update
    is_pointwise: bool = False
    """Whether each value is updated by itself, so that the columns of a row may come in any pieces."""
