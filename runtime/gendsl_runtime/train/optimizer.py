"""What an optimizer is to the engine: an update of a whole stack at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

Update = Callable[[Tensor, Tensor, "tuple[Tensor, ...]", Tensor, Any], None]
"""`update(parameters, gradients, slots, rate, step)`, in place: parameters, gradients and each slot are `(M,
P)`, all values of a member in one row; `rate` is `(M, 1)`, or `(M, P)` where the network has rates of its own for
some values (mup); `step` counts from 1, and is a `Count` in a recording, which a user's optimizer never is in. It may
use the gradients as scratch space."""
Ahead = Callable[[Tensor, Tensor], Tensor]
"""`ahead(parameters, gradients)`, each `(M, P)`: how far from the parameters the gradient of the step is taken,
`(M, P)`. It may use the gradients as scratch space."""


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
    is_adaptive: bool = False
    """Whether the length of a step hardly depends on the size of the gradient, as with Adam."""
    ahead: Ahead | None = None
    """Where the gradient of the step is taken, if not at the parameters: on the same batch with the same noise, while
    buffers, losses and outputs are those at the parameters."""


def norms(values: Tensor) -> Tensor:
    """Euclidean norms `(M,)` of rows `(M, P)`: each sum runs along a row, so it is that of the row alone."""
    return (values * values).sum(1).sqrt()
