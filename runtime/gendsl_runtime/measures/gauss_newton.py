"""The generalised Gauss-Newton matrix of the negative log-likelihood, summed over a split, in blocks that can be
inverted: full, Kronecker-factored, diagonal, or of the last layer alone.

`H = sum_i J_i^T A_i J_i` with J the Jacobian of the outputs in the parameters and A the second derivative of
`-log p(y | f)` by the outputs: `diag(p) - p p^T` for the softmax of a classification, the identity for a regression
(unit noise).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from gendsl_runtime.measures import vectors
from gendsl_runtime.measures.blocks import Block, DenseBlock, DiagonalBlock, KroneckerBlock, Shapes
from gendsl_runtime.measures.gradients import parts
from gendsl_runtime.measures.layers import Record, has_records, traced
from gendsl_runtime.network import Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import BLOCK, CACHE, Runs

Structure = Literal["full", "kronecker", "diagonal", "last_layer"]
LARGEST = 5000
"""Parameters of a block that is formed whole."""
ROWS = 2**25
"""Numbers of a Jacobian in memory at once."""
PART = 32
"""Examples whose gradients of a convolution are formed at once."""


def blocks(runs: Runs, *, on: str, structure: Structure) -> list[list[Block]]:
    """H of each member in blocks, over all its parameters but for `last_layer`, evaluation mode.

    - `full`: one block.
    - `last_layer`: the last layer's weight and bias, one block.
    - `diagonal`: the diagonal of H, exactly.
    - `kronecker`: for each weight `(1 / (N T)) (sum d d^T) (x) (sum x x^T)`, sums over N examples, T places and, for d,
      the columns of `A^(1/2)`, with inputs x and slopes d (Martens and Grosse 2015; for convolutions Grosse and Martens
      2016, "KFAC-expand"); for each bias `sum d d^T`; for a norm's gain and offset their exact blocks. For one dense
      layer and one example, and for a bias of a dense layer, this is H itself.
    """
    if structure in ("kronecker", "diagonal"):
        of_layers = _kronecker if structure == "kronecker" else _diagonal
        return [found for part in _parts(runs) for found in of_layers(part, on)]
    return [[_whole(runs.select([member]), on, structure)] for member in range(runs.members)]


def _parts(runs: Runs) -> Iterator[Runs]:
    """The stack in parts whose slopes are exact (`gradients.parts`) and fit the cache; the bits do not depend on it."""
    units = sum(value.shape[1] for value in runs.state.parameters.values() if value.ndim > 2)
    step = max(1, int(CACHE // (4 * BLOCK * runs.network.outputs * max(1, units))))
    for part in parts(runs):
        for start in range(0, part.members, step):
            yield part.select(range(start, min(start + step, part.members)))


def _whole(one: Runs, on: str, structure: str) -> Block:
    """The one block of `full` or `last_layer`, of one member."""
    shapes = _shapes(one)
    if structure == "last_layer":
        last = _last_layer(one, on)
        shapes = {name: shape for name, shape in shapes.items() if name.rpartition(".")[0] == last}
    sizes = sum(torch.Size(shape).numel() for shape in shapes.values())
    if sizes > LARGEST:
        raise Problem(
            "too-large",
            f"a matrix over {sizes} parameters is not formed whole",
            help="use `structure = kronecker`, `diagonal` or `last_layer`",
        )
    total = torch.zeros(sizes, sizes, dtype=torch.float64, device=one.device)
    for inputs, _ in one.chunks(on):
        for rows in _weighted(one, inputs, list(shapes)):
            total += rows.T @ rows
    return DenseBlock.of(shapes, total)


def _shapes(runs: Runs) -> Shapes:
    return {name: tuple(value.shape[1:]) for name, value in runs.state.parameters.items()}


def columns(runs: Runs, outputs: Tensor) -> list[Tensor]:
    """Vectors `(1, outputs, N)` whose outer products add up to A: `sqrt(p_c) (e_c - p)`, or `e_c`."""
    units = torch.eye(outputs.shape[1], dtype=outputs.dtype, device=outputs.device)
    if runs.data[0].task != "classification":
        return [unit[None, :, None].expand_as(outputs).contiguous() for unit in units]
    p = torch.softmax(outputs, 1)
    return [(unit[None, :, None] - p) * p[:, place : place + 1].sqrt() for place, unit in enumerate(units)]


def jacobians(runs: Runs, inputs: Tensor, names: Sequence[str] | None = None) -> Iterator[Tensor]:
    """The Jacobian `(n, outputs, size)` in the parameters `names`, float64, for a few of the examples at a time."""
    wanted = list(runs.state.parameters) if names is None else list(names)
    count = sum(runs.state.parameters[name][0].numel() for name in wanted) * runs.network.outputs
    for piece in torch.split(inputs, max(1, ROWS // count), dim=1):
        by = _by_records if has_records(runs.network) else _by_autograd
        yield by(runs, piece, wanted)


def _by_records(runs: Runs, inputs: Tensor, names: list[str]) -> Tensor:
    trace = traced(runs, inputs)
    units = torch.eye(trace.outputs.shape[1], dtype=trace.outputs.dtype, device=trace.outputs.device)
    found = []
    for place, unit in enumerate(units):
        slopes = unit[None, :, None].expand_as(trace.outputs).contiguous()
        records = trace.records(slopes, is_last=place == len(units) - 1)
        each = {name: value for record in records for name, value in record.gradients().items()}
        found.append(torch.cat([each[name][0].flatten(1).double() for name in names], dim=1))
    return torch.stack(found, dim=1)


def _by_autograd(runs: Runs, inputs: Tensor, names: list[str]) -> Tensor:
    """Any network: every example is given a copy of it, as a member of its own."""
    size = max(1, ROWS // vectors.state_size(runs.state))
    return torch.cat([_by_copies(runs, few, names) for few in torch.split(inputs[0], size)])


def _by_copies(runs: Runs, examples: Tensor, names: list[str]) -> Tensor:
    copies = runs.repeated(len(examples))
    leaves = {name: copies.state.parameters[name].detach().requires_grad_() for name in names}
    with torch.enable_grad():
        outputs = copies.outputs(examples[:, None], {**copies.state.parameters, **leaves})[:, :, 0]
    rows = [
        torch.autograd.grad(
            one.sum(), list(leaves.values()), retain_graph=True, allow_unused=True, materialize_grads=True
        )
        for one in outputs.unbind(1)
    ]
    return torch.stack([torch.cat([part.flatten(1).double() for part in row], 1) for row in rows], dim=1)


def _weighted(runs: Runs, inputs: Tensor, names: list[str]) -> Iterator[Tensor]:
    """Rows `(n * outputs, size)` whose products add up to H: `A^(1/2) J`."""
    done = 0
    for jacobian in jacobians(runs, inputs, names):
        piece = inputs[:, done : done + len(jacobian)]
        done += len(jacobian)
        half = torch.stack([column[0].T for column in columns(runs, runs.outputs(piece).detach())], dim=1)
        yield torch.bmm(half.double(), jacobian).flatten(0, 1)


class _Layer(NamedTuple):
    """One layer of one member in one chunk: what it took in, and the slopes of its outputs for one column of `A^(1/2)`
    after the other."""

    record: Record
    """Of the first column, a stack of one."""
    slopes: list[Tensor]
    """`(out, N)` or `(channels, height, width, N)` for each column, as they lie in memory."""


def _seen(runs: Runs, on: str) -> Iterator[list[list[_Layer]]]:
    """The layers of each member, chunk by chunk."""
    for inputs, _ in runs.chunks(on):
        trace = traced(runs, inputs)
        half = columns(runs, trace.outputs.detach())
        seen = [outputs for _, _, outputs in trace.parts]
        found = [
            torch.autograd.grad(
                trace.outputs, seen, column, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            for column in half
        ]
        each = list(zip(trace.records(half[0]), zip(*found, strict=True), strict=True))
        yield [
            [_Layer(record.of(member), [slope[member] for slope in slopes]) for record, slopes in each]
            for member in range(runs.members)
        ]


def _by_place(slopes: Tensor) -> Tensor:
    """Slopes as `(out, places * N)`, the places of an example in any order, without moving a number where images lie
    channels last."""
    if slopes.ndim == 4 and (last := slopes.permute(3, 1, 2, 0)).is_contiguous():
        return last.flatten(0, 2).T
    return slopes.flatten(1)


def _kronecker(runs: Runs, on: str) -> list[list[Block]]:
    sums: list[dict[str, tuple[Tensor, Tensor]]] = [{} for _ in range(runs.members)]
    known: dict[str, Record] = {}
    for chunk in _seen(runs, on):
        for own, layers in zip(sums, chunk, strict=True):
            for layer in layers:
                name = layer.record.name
                known[name] = layer.record
                x, d = _covariances(layer)
                inner, outer = own.get(name, (torch.zeros_like(x), torch.zeros_like(d)))
                own[name] = inner + x, outer + d
    return [_blocks(runs, on, known, own) for own in sums]


def _blocks(
    runs: Runs, on: str, known: dict[str, Record], sums: dict[str, tuple[Tensor, Tensor]]
) -> list[Block]:
    """The blocks of one member from its layers' sums of `x x^T` and `d d^T`."""
    examples, shapes = runs.split(on)[0].shape[1], _shapes(runs)
    found: list[Block] = []
    for name, record in known.items():
        own = {key: shapes[key] for key in (f"{name}.weight", f"{name}.bias") if key in shapes}
        inner, outer = sums[name]
        if record.is_gain:
            found.append(DenseBlock.of(own, outer))
        else:
            found += _factored(record, own, inner / (examples * record.slopes.shape[2]), outer)
    return found


def _factored(record: Record, own: Shapes, inner: Tensor, outer: Tensor) -> Iterator[Block]:
    """The blocks of a weight and its bias."""
    weight, *bias = own
    left = DenseBlock.of({}, outer)
    yield KroneckerBlock({weight: own[weight]}, left, DenseBlock.of({}, inner * record.factor**2))
    for name in bias:
        yield DenseBlock({name: own[name]}, left.values * record.bias_factor**2, left.basis)


def _covariances(layer: _Layer) -> tuple[Tensor, Tensor]:
    """`sum x x^T` and `sum d d^T` over columns, examples and places: products in the precision at hand, added up in
    float64; of a norm, the second is its exact block."""
    record = layer.record
    if record.is_gain:
        rows = [
            torch.cat([g.flatten(1) for g in _gradients(layer, place)], dim=1)
            for place in range(len(layer.slopes))
        ]
        block = sum(
            (one.double().T @ one.double() for one in rows), start=torch.zeros((), dtype=torch.float64)
        )
        return block.new_zeros(()), block
    x = record.inputs[0].flatten(1)
    slopes = [_by_place(slope) for slope in layer.slopes]
    outer = sum(((d @ d.T).double() for d in slopes), start=torch.zeros((), dtype=torch.float64))
    return (x @ x.T).double(), outer


def _gradients(layer: _Layer, place: int) -> list[Tensor]:
    """Each example's gradients of a layer's values for one column."""
    slopes = layer.slopes[place].reshape(layer.record.slopes.shape)
    return [value[0] for value in replace(layer.record, slopes=slopes).gradients().values()]


def _diagonal(runs: Runs, on: str) -> list[list[Block]]:
    sums: list[Tensors] = [{} for _ in range(runs.members)]
    for chunk in _seen(runs, on):
        for own, layers in zip(sums, chunk, strict=True):
            for layer in layers:
                for name, value in _squares(layer).items():
                    own[name] = own[name] + value if name in own else value
    return [
        [DiagonalBlock({name: shape}, own[name].flatten()) for name, shape in _shapes(runs).items()]
        for own in sums
    ]


def _squares(layer: _Layer) -> Tensors:
    """Sums over columns and examples of the squares of a layer's gradients.

    Of a dense layer one product of matrices; with several places the gradients are formed, `PART` examples at a time,
    and their squares added up in the precision at hand, then in float64.
    """
    record, found = layer.record, {}
    if record.is_gain:
        rows = [
            [g.double().square().sum(0) for g in _gradients(layer, place)]
            for place in range(len(layer.slopes))
        ]
        sums = [torch.stack(part).sum(0) for part in zip(*rows, strict=True)]
        return {f"{record.name}.{part}": value for part, value in zip(("weight", "bias"), sums, strict=False)}
    if record.slopes.shape[2] == 1:
        d = sum(
            (slope.reshape(len(slope), -1).double().square() for slope in layer.slopes), start=torch.zeros(())
        )
        found["weight"] = d @ record.inputs[0, :, 0].double().square().T * record.factor**2
        found["bias"] = d.sum(1) * record.bias_factor**2
    else:
        x = record.inputs[0].permute(2, 1, 0).contiguous()
        found["weight"], found["bias"] = (
            torch.zeros((), dtype=torch.float64),
            torch.zeros((), dtype=torch.float64),
        )
        for slope in layer.slopes:
            d = (
                slope.permute(3, 1, 2, 0).flatten(1, 2).transpose(1, 2)
                if slope.ndim == 4
                else slope.permute(2, 0, 1)
            )
            for own, taken in zip(torch.split(d, PART), torch.split(x, PART), strict=True):
                found["weight"] = found["weight"] + torch.bmm(own, taken).square_().sum(0).double()
            found["bias"] = found["bias"] + d.sum(2).double().square().sum(0)
        found = {"weight": found["weight"] * record.factor**2, "bias": found["bias"] * record.bias_factor**2}
    return {
        f"{record.name}.{part}": value
        for part, value in found.items()
        if part == "weight" or record.bias_factor
    }


def _last_layer(runs: Runs, on: str) -> str:
    """The name of the last layer with weights."""
    if not has_records(runs.network):
        raise Problem(
            "unknown-layers",
            "this network has no last layer that is known",
            help="write `structure = full`",
        )
    inputs = next(runs.chunks(on))[0][:, :1]
    trace = traced(runs, inputs)
    return trace.records(torch.zeros_like(trace.outputs))[-1].name
