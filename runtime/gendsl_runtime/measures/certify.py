"""Bounds on the outputs of a network for all inputs of a ball, for one member, in float64.

A network is a chain of affine maps with activations between them. Affine layers are taken as the matrices they are,
found by what they do to a basis, so that convolutions, averages and normalisation by running statistics need no rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gendsl_runtime.measures.attacks import Norm
from gendsl_runtime.measures.relax import RELAXED, Lines, relaxed
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.activation import FUNCTIONS, Pointwise
from gendsl_runtime.train.layers.conv import Conv
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Layer, Layered, Pass, feature_major
from gendsl_runtime.train.layers.linear import FixedLinear, Flatten, Linear, Scaled
from gendsl_runtime.train.layers.norm import BatchNorm
from gendsl_runtime.train.layers.pool import GlobalAverage, Pool

AFFINE = (Flatten, Linear, FixedLinear, Scaled, Conv, BatchNorm, GlobalAverage, Dropout)
LARGEST = 2**26
"""Numbers of the largest matrix that stands for a layer."""


class Affine(NamedTuple):
    """`W x + b`, `(outputs, inputs)` and `(outputs,)`."""

    weight: Tensor
    offset: Tensor

    def after(self, first: Affine) -> Affine:
        """This map after another one."""
        return Affine(self.weight @ first.weight, self.weight @ first.offset + self.offset)


@dataclass(frozen=True)
class Chain:
    """`A_L s_{L-1} ... s_1 A_1`: affine maps, with the names of the activations between them."""

    maps: tuple[Affine, ...]
    activations: tuple[str, ...]


class Bounds(NamedTuple):
    """Lower and upper bounds, `(examples, units)`."""

    low: Tensor
    high: Tensor


def chain(runs: Runs) -> Chain:
    """The single member of `runs` as a chain. Raises Problem for a network that is none."""
    layers = runs.network.layers if isinstance(runs.network, Layered) else ()
    maps: list[Affine] = []
    names: list[str] = []
    shape: tuple[int, ...] = feature_major(torch.zeros(1, 1, *runs.network.shape)).shape[1:-1]
    state = runs.state.to("cpu", torch.float64)
    values = Pass(state.parameters, state.buffers, training=False)
    pending: list[Layer] = []
    for layer in layers:
        if isinstance(layer, Pointwise) and layer.name in RELAXED:
            shape, found = _matrix(pending, values, shape)
            maps.append(found)
            names.append(layer.name)
            pending = []
        elif isinstance(layer, AFFINE) or (isinstance(layer, Pool) and layer.kind == "average"):
            pending.append(layer)
        elif not (isinstance(layer, Pointwise) and layer.name == "identity"):
            raise _not_a_chain(layer)
    if not layers:
        raise _not_a_chain(runs.network)
    maps.append(_matrix(pending, values, shape)[1])
    return Chain(tuple(maps), tuple(names))


def _not_a_chain(part: object) -> Problem:
    kind = part.name if isinstance(part, Pointwise) else type(part).__name__
    return Problem(
        "not-certifiable",
        f"a network with `{kind}` cannot be bounded",
        help="certificates are for chains of linear, convolution, average pooling and batch norm layers with the "
        f"activations {', '.join(sorted(RELAXED))}",
    )


def _matrix(layers: Sequence[Layer], values: Pass, shape: Sequence[int]) -> tuple[tuple[int, ...], Affine]:
    """The affine map of layers that follow one another, on flattened values, and the shape of what comes out."""
    size = math.prod(shape)

    def through(inputs: Tensor) -> Tensor:
        stack = inputs.T.reshape(1, *shape, len(inputs))
        for layer in layers:
            stack = layer.apply(values, stack)
        return stack

    with torch.no_grad():
        zero = through(torch.zeros(2, size, dtype=torch.float64))
        out = tuple(zero.shape[1:-1])
        if size * math.prod(out) > LARGEST:
            raise Problem(
                "too-large",
                f"a layer of {size} inputs and {math.prod(out)} outputs is too large to be certified",
                help="use a smaller network or smaller images",
            )
        offset = zero.reshape(-1, 2)[:, 0]
        weight = through(torch.eye(size, dtype=torch.float64)).reshape(-1, size) - offset[:, None]
    return out, Affine(weight, offset)


def dual(norm: Norm) -> Callable[[Tensor], Tensor]:
    """The norm of the last axis that bounds `<a, change>` for changes of length 1."""
    if norm == "linf":
        return lambda rows: rows.abs().sum(-1)
    return lambda rows: torch.linalg.vector_norm(rows, dim=-1)


def intervals(network: Chain, inputs: Tensor, radius: float, norm: Norm) -> list[Bounds]:
    """Interval bounds of the values that go into each activation (Gowal et al. 2018); exact for the first."""
    first = network.maps[0]
    centre = inputs @ first.weight.T + first.offset
    reach = (radius * dual(norm)(first.weight)).expand_as(centre)
    found = [Bounds(centre - reach, centre + reach)]
    for name, (weight, offset) in zip(network.activations[:-1], network.maps[1:-1], strict=True):
        found.append(_through(found[-1], name, weight, offset))
    return found if network.activations else []


def _through(before: Bounds, name: str, weight: Tensor, offset: Tensor) -> Bounds:
    """Intervals after a monotone activation and an affine map."""
    low, high = FUNCTIONS[name](before.low), FUNCTIONS[name](before.high)
    centre = ((low + high) / 2) @ weight.T + offset
    reach = ((high - low) / 2) @ weight.abs().T
    return Bounds(centre - reach, centre + reach)


def lowest_by_intervals(network: Chain, inputs: Tensor, radius: float, norm: Norm, asked: Tensor) -> Tensor:
    """A lower bound of `asked @ outputs`, `(examples, rows)`; `asked` is `(examples, rows, outputs)`."""
    last = network.maps[-1]
    rows, offset = asked @ last.weight, asked @ last.offset
    if not network.activations:
        return (rows @ inputs[:, :, None])[..., 0] + offset - radius * dual(norm)(rows)
    before = intervals(network, inputs, radius, norm)[-1]
    low, high = (FUNCTIONS[network.activations[-1]](bound)[:, :, None] for bound in before)
    reach: Tensor = rows.abs() @ ((high - low) / 2)
    return (rows @ ((low + high) / 2) - reach)[..., 0] + offset


def lowest_by_lines(network: Chain, inputs: Tensor, radius: float, norm: Norm, asked: Tensor) -> Tensor:
    """The same by CROWN (Zhang et al. 2018): activations are held between two lines, and the lines are followed back
    to the input. What goes into each activation is bounded in the same way, and by intervals where those are tighter.
    """
    known: list[Lines] = []
    boxes = intervals(network, inputs, radius, norm)
    for depth, (name, box) in enumerate(zip(network.activations, boxes, strict=True)):
        bounds = box
        if depth:
            unit = torch.eye(len(network.maps[depth].offset), dtype=torch.float64)
            both = torch.cat([unit, -unit]).expand(len(inputs), -1, -1)
            found = _back(network, inputs, radius, norm, both, known, depth)
            low, high = found.chunk(2, dim=1)
            bounds = Bounds(torch.maximum(box.low, low), torch.minimum(box.high, -high))
        known.append(relaxed(name, bounds.low, bounds.high))
    lines = _back(network, inputs, radius, norm, asked, known, len(network.activations))
    # Lines leave the range of a saturating activation; intervals do not.
    return torch.maximum(lines, lowest_by_intervals(network, inputs, radius, norm, asked))


def _back(
    network: Chain,
    inputs: Tensor,
    radius: float,
    norm: Norm,
    asked: Tensor,
    known: Sequence[Lines],
    depth: int,
) -> Tensor:
    """Lower bounds of rows of what comes out of map `depth`."""
    rows, total = asked @ network.maps[depth].weight, asked @ network.maps[depth].offset
    for layer in reversed(range(depth)):
        lines, (weight, offset) = known[layer], network.maps[layer]
        up, down = rows.clamp_min(0), rows.clamp_max(0)
        total = total + (up @ lines.low_offset[:, :, None] + down @ lines.high_offset[:, :, None])[..., 0]
        rows = up * lines.low_slope[:, None] + down * lines.high_slope[:, None]
        total = total + rows @ offset
        rows = rows @ weight
    return (rows @ inputs[:, :, None])[..., 0] + total - radius * dual(norm)(rows)
