"""The generalised Gauss-Newton matrix of the negative log-likelihood, summed over a split, in blocks that can be
inverted: full, Kronecker-factored, diagonal, or of the last layer alone. One member at a time.

`H = sum_i J_i^T A_i J_i` with J the Jacobian of the outputs in the parameters and A the second derivative of
`-log p(y | f)` by the outputs: `diag(p) - p p^T` for the softmax of a classification, the identity for a regression (unit noise).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.func import jacrev, vmap

from gendsl_runtime.measures.blocks import Block, DenseBlock, DiagonalBlock, KroneckerBlock
from gendsl_runtime.measures.diagonals import squares
from gendsl_runtime.measures.layers import Record, has_records, traced
from gendsl_runtime.network import Tensors
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

Structure = Literal["full", "kronecker", "diagonal", "last_layer"]
LARGEST = 5000
"""Parameters of a block that is formed whole."""
ROWS = 2**25
"""Numbers of a Jacobian in memory at once."""


def blocks(runs: Runs, *, on: str, structure: Structure) -> list[Block]:
    """H of one member in blocks, over all its parameters but for `last_layer`, evaluation mode.

    - `full`: one block.
    - `last_layer`: the last layer's weight and bias, one block.
    - `diagonal`: the diagonal of H, exactly.
    - `kronecker`: for each weight `(1 / (N T)) (sum d d^T) (x) (sum x x^T)`, sums over N examples, T places and, for d,
      the columns of `A^(1/2)`, with inputs x and slopes d (Martens and Grosse 2015; for convolutions Grosse and Martens
      2016, "KFAC-expand"); for each bias `sum d d^T`; for a norm's gain and offset their exact blocks. For one dense
      layer and one example, and for a bias of a dense layer, this is H itself.
    """
    if structure == "kronecker":
        return _kronecker(runs, on)
    if structure == "diagonal":
        return _diagonal(runs, on)
    shapes = {name: tuple(value.shape[1:]) for name, value in runs.state.parameters.items()}
    if structure == "last_layer":
        last = _last_layer(runs, on)
        shapes = {name: shape for name, shape in shapes.items() if name.rpartition(".")[0] == last}
    sizes = sum(torch.Size(shape).numel() for shape in shapes.values())
    if sizes > LARGEST:
        raise Problem(
            "too-large",
            f"a matrix over {sizes} parameters is not formed whole",
            help="use `structure = kronecker`, `diagonal` or `last_layer`",
        )
    total = torch.zeros(sizes, sizes, dtype=torch.float64, device=runs.device)
    for inputs, _ in runs.chunks(on):
        for rows in _weighted(runs, inputs, list(shapes)):
            total += rows.T @ rows
    return [DenseBlock.of(shapes, total)]


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
    """Any network, example by example."""
    parameters = {name: value[0] for name, value in runs.state.parameters.items()}
    own = {name: parameters[name] for name in names}

    def outputs(values: Tensors, example: Tensor) -> Tensor:
        stack = {name: value[None] for name, value in {**parameters, **values}.items()}
        return runs.network.apply(stack, runs.state.buffers, example[None, None], training=False)[0][0, :, 0]

    found = vmap(jacrev(outputs), in_dims=(None, 0))(own, inputs[0])
    return torch.cat([found[name].flatten(2).double() for name in names], dim=2)


def _weighted(runs: Runs, inputs: Tensor, names: list[str]) -> Iterator[Tensor]:
    """Rows `(n * outputs, size)` whose products add up to H: `A^(1/2) J`."""
    done = 0
    for jacobian in jacobians(runs, inputs, names):
        piece = inputs[:, done : done + len(jacobian)]
        done += len(jacobian)
        half = torch.stack([column[0].T for column in columns(runs, runs.outputs(piece).detach())], dim=1)
        yield torch.bmm(half.double(), jacobian).flatten(0, 1)


def _seen(runs: Runs, on: str) -> Iterator[tuple[bool, tuple[Record, ...]]]:
    """The layers' records for each chunk and each column of `A^(1/2)`, and whether it is the first column."""
    for inputs, _ in runs.chunks(on):
        trace = traced(runs, inputs)
        half = columns(runs, trace.outputs.detach())
        for place, slopes in enumerate(half):
            yield place == 0, trace.records(slopes, is_last=place == len(half) - 1)


class _Sums(NamedTuple):
    """Of one layer: `sum x x^T`, `sum d d^T` and places, or for a norm its exact block."""

    inputs: Tensor
    slopes: Tensor
    places: int
    record: Record


def _kronecker(runs: Runs, on: str) -> list[Block]:
    totals: dict[str, _Sums] = {}
    examples = runs.split(on)[0].shape[1]
    for is_first, records in _seen(runs, on):
        for record in records:
            known = totals.get(record.name)
            x, d = _covariances(record, with_inputs=is_first)
            if known is not None:
                x, d = (known.inputs if x is None else known.inputs + x), known.slopes + d
            assert x is not None
            totals[record.name] = _Sums(x, d, record.slopes.shape[2], record)
    found: list[Block] = []
    shapes = {name: tuple(value.shape[1:]) for name, value in runs.state.parameters.items()}
    for name, sums in totals.items():
        own = {
            f"{name}.{part}": shapes[f"{name}.{part}"]
            for part in ("weight", "bias")
            if f"{name}.{part}" in shapes
        }
        if sums.record.is_gain:
            found.append(DenseBlock.of(own, sums.slopes))
            continue
        weight, bias = f"{name}.weight", f"{name}.bias"
        left = DenseBlock.of({}, sums.slopes)
        right = DenseBlock.of({}, sums.inputs * (sums.record.factor**2 / (examples * sums.places)))
        found.append(KroneckerBlock({weight: own[weight]}, left, right))
        if bias in own:
            scale = sums.record.bias_factor**2
            found.append(DenseBlock({bias: own[bias]}, left.values * scale, left.basis))
    return found


def _covariances(record: Record, *, with_inputs: bool) -> tuple[Tensor | None, Tensor]:
    """`sum x x^T` and `sum d d^T` of one column and chunk, accumulated in float64 from products of the precision at
    hand; of a norm, the second is the sum of outer products of its gradients."""
    if record.is_gain:
        rows = torch.cat([value[0].double() for value in record.gradients().values()], dim=1)
        return (rows.new_zeros(()) if with_inputs else None), rows.T @ rows
    d, x = record.slopes[0].flatten(1), record.inputs[0].flatten(1)
    return ((x @ x.T).double() if with_inputs else None), (d @ d.T).double()


def _diagonal(runs: Runs, on: str) -> list[Block]:
    shapes = {name: tuple(value.shape[1:]) for name, value in runs.state.parameters.items()}
    total = {name: torch.zeros(shape, dtype=torch.float64).flatten() for name, shape in shapes.items()}
    for _, records in _seen(runs, on):
        for record in records:
            for name, value in record_squares(record).items():
                total[name] += value
    return [DiagonalBlock({name: shape}, total[name]) for name, shape in shapes.items()]


def record_squares(record: Record) -> Tensors:
    """Sums over examples of the squares of a layer's gradients, each flat, float64."""
    signs = record.slopes.new_ones(record.slopes.shape[3])
    return {name: value.flatten() for name, value in squares(record, signs).items()}


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
