"""Loss and error at many points of weight space, evaluated as stacks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np
import torch
from torch import Tensor

from gendsl_runtime.measures.restate import Statistics, has_statistics, restated
from gendsl_runtime.network import State, Tensors
from gendsl_runtime.runs import BLOCK, CACHE, Runs, mistakes
from gendsl_runtime.train.layers.layer import Layered, Pass, feature_major
from gendsl_runtime.train.layers.linear import Flatten, Linear, Scaled

MOST = 256
"""Points in one stack: from here on a stack gains nothing."""
KEPT = 2**26
"""Numbers that the first layer may give for all terms together, to be kept: 256 MB."""
STRETCH = 2**19
"""Numbers that pass through the first layer of a stack at once: 2 MB, which stay near the core."""


@dataclass(frozen=True)
class Heights:
    """Mean training loss and share of errors at points `(points,)`, float64; errors are NaN in a regression."""

    loss: np.ndarray
    error: np.ndarray


def evenly(low: float, high: float, points: int) -> np.ndarray:
    """Evenly spaced places, with 0 and 1 exact where rounding alone would keep a place from being there."""
    places = np.linspace(low, high, points)
    near = np.round(places)
    return np.where(np.abs(places - near) <= 1e-12 * max(abs(low), abs(high), 1.0), near, places)


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
    first = _first_linear(member, on, len(terms))
    if first is not None and not has_statistics(member):
        pieces = list(_behind_the_first(member, terms, table, first, on))
    else:
        stacks = _stacks(member, terms, table, _batch(member, on), statistics)
        pieces = [evaluated(stack, on) for stack in stacks]
    return Heights(
        np.concatenate([piece.loss for piece in pieces]), np.concatenate([piece.error for piece in pieces])
    )


def _first_linear(member: Runs, on: str, terms: int) -> int | None:
    """Where a network begins with a linear layer whose outputs on the split, one for each term, can be kept."""
    if not isinstance(member.network, Layered):
        return None
    for place, layer in enumerate(member.network.layers):
        if isinstance(layer, Linear):
            numbers = terms * layer.outputs * member.split(on)[0].shape[1]
            return place if numbers <= KEPT else None
        if not isinstance(layer, Flatten | Scaled):
            return None
    return None


@torch.no_grad()
def _behind_the_first(
    member: Runs, terms: Sequence[State], table: Tensor, first: int, on: str
) -> Iterator[Heights]:
    """Loss and error with the first layer done once a term: what it gives is linear in its values, so that at every
    point it is a sum of a few matrices instead of a product."""
    network = member.network
    assert isinstance(network, Layered)
    own = member.state.parameters
    front, rest = network.layers[: first + 1], replace(network, layers=network.layers[first + 1 :])
    ready: list[tuple[list[Tensor], Tensor]] = []
    for inputs, targets in member.chunks(on):
        given = []
        for term in terms:
            full = {
                name: term.parameters.get(name, torch.zeros_like(own[name]))
                for name in front[-1].parameters()
            }
            stack, values = feature_major(inputs), Pass(full, {}, training=False)
            for layer in front:
                stack = layer.apply(values, stack)
            given.append(stack)
        ready.append((given, targets))
    later = [{k: v for k, v in term.parameters.items() if k not in front[-1].parameters()} for term in terms]
    size = max(1, STRETCH // max(one.numel() for one, *_ in (given for given, _ in ready)))
    for rows in torch.split(table, min(MOST, size)):
        yield _summed(member, rest, rows, combined(later, rows), ready)


def _summed(
    member: Runs,
    rest: Layered,
    rows: Tensor,
    parameters: Tensors,
    ready: Sequence[tuple[list[Tensor], Tensor]],
) -> Heights:
    """Loss and error at some points, from what the first layer gives for each term."""
    count, examples = len(rows), sum(targets.shape[1] for _, targets in ready)
    loss, has_classes = member.repeated(count).loss, member.data[0].task != "regression"
    losses, wrong = [], []
    for given, targets in ready:
        first, *others = [rows[:, place].to(one).view(-1, 1, 1) for place, one in enumerate(given)]
        stack = first * given[0]
        for factor, one in zip(others, given[1:], strict=True):
            stack.addcmul_(factor, one)
        values = Pass(parameters, {}, training=False)
        for layer in rest.layers:
            stack = layer.apply(values, stack)
        wanted = targets.expand(count, *targets.shape[1:])
        losses.append(loss(stack, wanted).double().sum(1))
        if has_classes:
            wrong.append(mistakes(stack, wanted).double().sum(1))
    error = (reduce(torch.add, wrong) / examples).cpu().numpy() if has_classes else np.full(count, np.nan)
    return Heights((reduce(torch.add, losses) / examples).cpu().numpy(), error)


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
    has_classes = stack.data[0].task != "regression"
    for inputs, targets in stack.chunks(on):
        outputs = stack.outputs(inputs)
        losses.append(stack.loss(outputs, targets).double().sum(1))
        if has_classes:
            wrong.append(mistakes(outputs, targets).double().sum(1))
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
