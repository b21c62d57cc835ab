"""Permutations of hidden units that bring one network closest to another (Ainsworth, Hayase and Srinivasa 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from gendsl_runtime.measures.layers import layered
from gendsl_runtime.measures.symmetry import Axis, Units, groups
from gendsl_runtime.network import State, Tensors
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.layer import Layer, Pass, feature_major

By = Literal["weights", "activations"]
SWEEPS = 100
"""Rounds of coordinate descent at most; each that changes anything gains, so that it ends by itself far earlier."""


def aligned(member: Runs, other: Runs, stream: np.random.Generator, *, by: By, on: str = "fit") -> Runs:
    """`other` with its hidden units permuted to match those of `member`; both are stacks of one.

    Its function stays what it is, up to rounding.

    `weights`: coordinate descent on `max <w, P v>` (algorithm 1), one linear assignment after the other in random
    order until none changes anything: a local optimum, the best one for a single hidden layer.
    `activations`: for each group of units the assignment with the largest sum of correlations over a split, behind
    the activation functions (their section 3.1 takes covariances; correlations, as Jordan et al. 2023, leave out how
    large units are).
    """
    units = groups(member.network)
    if by == "weights":
        found = by_weights(member.state.parameters, other.state.parameters, units, stream)
    else:
        found = by_activations(member, other, units, on)
    return replace(other, state=permuted(other.state, units, found))


def by_weights(
    w: Tensors, v: Tensors, units: Sequence[Units], stream: np.random.Generator
) -> list[np.ndarray]:
    """For each group the order of the second network's units that matches the first's."""
    mine = {name: value[0].double() for name, value in w.items()}
    its = {name: value[0].double() for name, value in v.items()}
    orders = [np.arange(group.size) for group in units]
    for _ in range(SWEEPS):
        has_changed = False
        for place in map(int, stream.permutation(len(units))):
            found = list(orders)
            found[place] = assigned(_products(mine, its, units, orders, place), units[place].blocks)
            before, after = (_matched(mine, its, units, each, place) for each in (orders, found))
            if after > before and not np.array_equal(found[place], orders[place]):
                orders, has_changed = found, True
        if not has_changed:
            break
    return orders


def _matched(
    w: Tensors, v: Tensors, units: Sequence[Units], orders: Sequence[np.ndarray], place: int
) -> float:
    """Inner product of all weights that one group has a part in, with every group in its order."""
    names = {axis.value for axis in units[place].axes} & w.keys()
    return sum(float((w[name] * _ordered(name, v[name], units, orders)).sum()) for name in sorted(names))


def _products(
    w: Tensors, v: Tensors, units: Sequence[Units], orders: Sequence[np.ndarray], place: int
) -> np.ndarray:
    """Inner products of what belongs to unit i of the first network and unit j of the second along one axis at a time,
    all other axes being in their present order: also those of the same group, in a layer from a residual stream back
    to it."""
    size = units[place].size
    total = np.zeros((size, size))
    for axis in units[place].axes:
        if axis.value not in w:
            continue  # statistics are no weights
        other = _ordered(axis.value, v[axis.value], units, orders, but=axis)
        rows, columns = (_rows(value, axis) for value in (w[axis.value], other))
        total += (rows @ columns.T).numpy()
    return total


def _ordered(
    name: str, value: Tensor, units: Sequence[Units], orders: Sequence[np.ndarray], but: Axis | None = None
) -> Tensor:
    """A value of the second network with its units in order, along all axes but one."""
    for group, order in zip(units, orders, strict=True):
        for axis in group.axes:
            if axis.value == name and axis != but:
                value = _taken(value, axis, order, first=0)
    return value


def _rows(value: Tensor, axis: Axis) -> Tensor:
    """A value as a matrix with a row for each unit."""
    moved = value.movedim(axis.axis - 1, 0)
    return moved.reshape(len(moved) // axis.times, -1)


def by_activations(member: Runs, other: Runs, units: Sequence[Units], on: str) -> list[np.ndarray]:
    """For each group the order of the second network's units whose activations correlate best with the first's."""
    inputs, _ = member.split(on)
    # Layers are told apart by which object they are, so both states go through one network.
    mine, its = (_activations(member, one.state, inputs, units) for one in (member, other))
    return [
        assigned(correlations(first, second), group.blocks)
        for first, second, group in zip(mine, its, units, strict=True)
    ]


def correlations(first: Tensor, second: Tensor) -> np.ndarray:
    """Correlations of all pairs of rows `(units, n)`; 0 for units that never change."""
    rows = []
    for values in (first, second):
        centred = values - values.mean(1, keepdim=True)
        norm = centred.norm(dim=1, keepdim=True)
        rows.append(torch.where(norm > 0, centred / norm.clamp_min(torch.finfo(norm.dtype).tiny), 0.0))
    return (rows[0] @ rows[1].T).numpy()


@torch.no_grad()
def _activations(runs: Runs, state: State, inputs: Tensor, units: Sequence[Units]) -> list[Tensor]:
    """For each group the values of its units behind activation functions `(units, examples * places * layers)`."""
    seen: dict[int, list[Tensor]] = {}

    def watch(layer: Layer, taken: Tensor, given: Tensor) -> None:
        count = next((i for i, group in enumerate(units) if any(layer is one for one in group.layers)), None)
        if count is not None:
            seen.setdefault(count, []).append(given[0].reshape(units[count].size, -1).double())

    values = Pass(state.parameters, state.buffers, training=False, watch=watch)
    stack = feature_major(inputs)
    for layer in layered(runs.network).layers:
        stack = values.through(layer, stack)
    return [
        torch.cat(seen[place], dim=1) if place in seen else torch.zeros(group.size, 1, dtype=torch.float64)
        for place, group in enumerate(units)
    ]


def assigned(gains: np.ndarray, blocks: int = 1) -> np.ndarray:
    """The order `j(i)` with the largest `sum_i gains[i, j(i)]`; with blocks, of those that keep runs of neighbours
    together."""
    if blocks == 1:
        order: np.ndarray = linear_sum_assignment(gains, maximize=True)[1]
        return order
    width = len(gains) // blocks
    parts = gains.reshape(blocks, width, blocks, width).swapaxes(1, 2)
    inner = np.empty((blocks, blocks, width), dtype=np.int64)
    outer = np.empty((blocks, blocks))
    for i in range(blocks):
        for j in range(blocks):
            inner[i, j] = assigned(parts[i, j])
            outer[i, j] = parts[i, j][np.arange(width), inner[i, j]].sum()
    chosen = assigned(outer)
    return np.concatenate([chosen[i] * width + inner[i, chosen[i]] for i in range(blocks)])


def permuted(state: State, units: Sequence[Units], orders: Sequence[np.ndarray]) -> State:
    """A state with its units in another order."""
    parameters, buffers = dict(state.parameters), dict(state.buffers)
    for group, order in zip(units, orders, strict=True):
        for axis in group.axes:
            values = parameters if axis.value in parameters else buffers
            values[axis.value] = _taken(values[axis.value], axis, order, first=1)
    return State(parameters, buffers)


def _taken(value: Tensor, axis: Axis, order: np.ndarray, *, first: int) -> Tensor:
    """A value with the units of one axis in another order; `first` is 1 where it has a member axis."""
    places = (np.asarray(order)[:, None] * axis.times + np.arange(axis.times)).ravel()
    return value.index_select(axis.axis - 1 + first, torch.from_numpy(places).to(value.device))
