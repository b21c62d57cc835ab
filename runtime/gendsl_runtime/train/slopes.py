"""Losses with their slopes: how the mean loss of a batch changes with the outputs.

A loss file may hold, beside the loss `NAME`, a function `NAME_slopes(outputs, targets, **parameters)` that
returns both in closed form; any other loss is differentiated by autograd.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import Tensor

from gendsl_runtime.train.build import StackedLoss

Slopes = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Outputs `(M, C, B)` and targets to losses `(M, B)` and the slopes `(M, C, B)` of their mean over the batch,
which the caller may overwrite."""


def closed_form(loss: StackedLoss) -> Slopes | None:
    """The losses of a stack with their slopes, if they are known in closed form."""
    function = loss.function
    closed = getattr(sys.modules[function.__module__], f"{function.__name__}_slopes", None)
    if closed is None:
        return None
    arguments = {**loss.shared, **loss.own}

    def found(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return closed(outputs, targets, **arguments)  # type: ignore[no-any-return]

    return found


def differentiated(loss: StackedLoss) -> Slopes:
    """The same by autograd."""

    def found(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            leaf = outputs.detach().requires_grad_()
            losses = loss(leaf, targets)
        mean = torch.full_like(losses, 1 / losses.shape[1], requires_grad=False)
        (gradient,) = torch.autograd.grad(losses, leaf, mean)
        return losses.detach(), gradient.contiguous()

    return found
