"""What an optimizer is to the engine: an update of a whole stack at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from gendsl_runtime.problem import Problem

Update = Callable[[Tensor, Tensor, "tuple[Tensor, ...]", Tensor, Any], None]
"""`update(parameters, gradients, slots, rate, step)`, in place: parameters, gradients and each slot are `(M,
P)`, all values of a member in one row; `rate` is `(M, 1)`, or `(M, P)` where the network has rates of its own for
some values (mup); `step` counts from 1, and is a `Count` in a recording, which a user's optimizer never is in. It may
use the gradients as scratch space."""
There = Callable[[Tensor], Tensor]
"""`there(moved)`: the gradient `(M, P)` at the parameters plus `moved`, on the same examples with the same noise and
buffers. It lies where the gradient at the parameters lay, which it overwrites."""
Correction = Callable[[Tensor, Tensor, There, Tensor], Tensor]
"""`correction(parameters, gradients, there, rate)`: the gradient `(M, P)` that the step is taken with, from that at the
parameters, which it may overwrite, and from those elsewhere; `rate` is `(M, 1)`."""


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
    correction: Correction | None = None
    """What becomes of the gradient before it is clipped; buffers, losses and outputs are those at the parameters."""
    blocks: int = 1
    """In how many pieces a step goes through its examples, each a pass of its own: their gradients are corrected one
    by one and then averaged."""


def norms(values: Tensor) -> Tensor:
    """Euclidean norms `(M,)` of rows `(M, P)`: each sum runs along a row, so it is that of the row alone."""
    return (values * values).sum(1).sqrt()


def corrected(base: Optimizer, correction: Correction) -> Optimizer:
    """An optimizer that steps with corrected gradients.

    Raises:
        Problem: it corrects them already.
    """
    if base.correction is not None:
        raise Problem(
            "out-of-range",
            "an optimizer that takes gradients elsewhere (`sam`, `gradient_penalty`) stands within another such one",
            help="keep one of the two around a plain optimizer, such as `sgd`",
        )
    return replace(base, correction=correction)
