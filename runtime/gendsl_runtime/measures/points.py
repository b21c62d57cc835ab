"""Loss and error at many points of weight space, evaluated as stacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.measures.restate import Statistics, restated
from gendsl_runtime.network import State, Tensors
from gendsl_runtime.runs import BLOCK, CACHE, Runs

MOST = 256
"""Points in one stack: from here on a stack gains nothing."""


@dataclass(frozen=True)
class Heights:
    """Mean training loss and share of errors at points `(points,)`, float64; errors are NaN in a regression."""

    loss: np.ndarray
    error: np.ndarray


def combined(terms: Sequence[Tensors], coefficients: Tensor) -> Tensors:
    """`sum_k c_k term_k` for each row of coefficients `(points, terms)`; terms are `(1, ...)`, and what only some have
    counts as zero in the others.

    Sums run from the first term to the last in the precision of the terms, element by element: at a point whose
    coefficients are one 1 and else 0 the values are exactly that term's.
    """
    found: Tensors = {}
    for place, term in enumerate(terms):
        for name, value in term.items():
            factor = coefficients[:, place].to(value).view(-1, *[1] * (value.ndim - 1))
            found[name] = torch.addcmul(found[name], factor, value) if name in found else factor * value
    return found


def heights(
    member: Runs,
    terms: Sequence[State],
    coefficients: np.ndarray,
    *,
    on: str,
    statistics: Statistics = "own",
) -> Heights:
    """Loss and error of one member's network at the points `sum_k c_k term_k`, on its data, in evaluation mode.

    Each point has the same bits in whatever company it is evaluated.

    Args:
        member: a stack of one.
        terms: states `(1, ...)`; a direction has no buffers.
        coefficients: `(points, terms)`.
        statistics: the running statistics of BatchNorm: combined like parameters (`own`), or of the network at the
            point over all it was trained on (`reset`).
    """
    table = torch.from_numpy(np.asarray(coefficients, dtype=np.float64)).to(member.device)
    pieces = [evaluated(stack, on) for stack in _stacks(member, terms, table, _batch(member, on), statistics)]
    return Heights(
        np.concatenate([piece.loss for piece in pieces]), np.concatenate([piece.error for piece in pieces])
    )


def _stacks(
    member: Runs, terms: Sequence[State], table: Tensor, size: int, statistics: Statistics
) -> Iterator[Runs]:
    """The networks at the points, in stacks."""
    repeated: dict[int, Runs] = {}
    for rows in torch.split(table, size):
        stack = repeated.setdefault(len(rows), member.repeated(len(rows)))
        state = State(
            combined([term.parameters for term in terms], rows),
            combined([term.buffers for term in terms], rows),
        )
        moved = replace(stack, state=state)
        yield restated(moved) if statistics == "reset" else moved


@torch.no_grad()
def evaluated(stack: Runs, on: str) -> Heights:
    """Loss and error of each network of a stack on a split of its data."""
    losses, wrong = [], []
    has_classes = stack.data[0].task == "classification"
    for inputs, targets in stack.chunks(on):
        outputs = stack.outputs(inputs)
        losses.append(stack.loss(outputs, targets).double().sum(1))
        if has_classes:
            wrong.append((outputs.max(1).indices != targets).double().sum(1))
    examples = stack.split(on)[0].shape[1]
    # Left to right, so that the bits depend on the blocks alone.
    loss = (reduce(torch.add, losses) / examples).cpu().numpy()
    error = (reduce(torch.add, wrong) / examples).cpu().numpy() if has_classes else np.full(len(loss), np.nan)
    return Heights(loss, error)


def _batch(member: Runs, on: str) -> int:
    """Points evaluated together: their weights and activations stay in the cache."""
    parameters = member.state.parameters
    examples = min(BLOCK, member.split(on)[0].shape[1])
    widest = max(tensor.shape[1] for tensor in parameters.values())
    each = 8 * sum(tensor.numel() for tensor in parameters.values()) + 8 * examples * widest
    return int(np.clip(CACHE / each, 1, MOST))
