"""Exact diagonals of matrices that go through the outputs, from the layers' own factors."""

from __future__ import annotations

import torch
from torch import Tensor

from gendsl_runtime.measures.layers import Record, traced
from gendsl_runtime.measures.outputs import Through, Weigh, loss_slopes, weights
from gendsl_runtime.network import Tensors
from gendsl_runtime.runs import Runs

PART = 64
"""Examples whose gradients of a convolution lie in memory at once."""


def exact_diagonal(runs: Runs, *, on: str, operator: Through, samples: int) -> Tensor:
    """Diagonal of `(1/N) sum_i J_i^T A_i J_i`, `(members, size)`, float64.

    With `A_i = sum_c a_c u_c u_c^T` it is the mean of `a_c (J_i^T u_c)^2`, and the square of a dense layer's
    gradient `d x^T` is a product of squares, summed over examples by one product of matrices (Becker and LeCun
    1989). Member by member.
    """
    examples = runs.split(on)[0].shape[1]
    found = []
    for member in range(runs.members):
        one = runs.select([member])
        total = {
            name: torch.zeros(value.shape[1:], dtype=torch.float64, device=value.device).flatten()
            for name, value in one.state.parameters.items()
        }
        for chunk, (inputs, targets) in enumerate(one.chunks(on)):
            for name, value in _chunk(one, inputs, targets, operator, samples, chunk).items():
                total[name] += value.flatten()
        found.append(torch.cat(list(total.values())) / examples)
    return torch.stack(found)


def _chunk(
    one: Runs, inputs: Tensor, targets: Tensor, operator: Through, samples: int, chunk: int
) -> Tensors:
    trace = traced(one, inputs)
    outputs = trace.outputs.detach()
    total: Tensors = {}
    if operator == "empirical_fisher":
        pairs = [(loss_slopes(one, outputs, targets), outputs.new_ones(outputs.shape[2]))]
    else:
        weigh = weights(one, targets, operator=operator, samples=samples, chunk=chunk)(outputs)
        pairs = _spectral(weigh, outputs)
    for place, (slopes, signs) in enumerate(pairs):
        for record in trace.records(slopes, is_last=place == len(pairs) - 1):
            for name, value in squares(record, signs).items():
                total[name] = total[name] + value if name in total else value
    return total


def _spectral(weigh: Weigh, outputs: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Each example's A as vectors `(1, outputs, examples)` of length sqrt|a| and the signs of a `(examples,)`."""
    classes = outputs.shape[1]
    columns = []
    for place in range(classes):
        unit = torch.zeros_like(outputs)
        unit[:, place] = 1.0
        columns.append(weigh(unit)[0])
    matrix = torch.stack(columns, dim=0).permute(2, 0, 1).double()
    values, vectors = torch.linalg.eigh((matrix + matrix.transpose(1, 2)) / 2)
    scaled = (vectors * values.abs().sqrt()[:, None, :]).to(outputs)
    return [
        (scaled[:, :, place].T.unsqueeze(0).contiguous(), values[:, place].sign().to(outputs))
        for place in range(classes)
    ]


def squares(record: Record, signs: Tensor) -> Tensors:
    """Sums over examples of the squares of the gradient, each with its sign, float64."""
    slopes, inputs = record.slopes[0], record.inputs[0]
    if slopes.shape[1] == 1 and not record.is_gain:
        d = slopes[:, 0].double().square() * signs
        found = {f"{record.name}.weight": d @ inputs[:, 0].double().square().T * record.factor**2}
        if record.bias_factor:
            found[f"{record.name}.bias"] = d.sum(1) * record.bias_factor**2
        return found
    found = {}
    for start in range(0, slopes.shape[2], PART):
        part = slice(start, start + PART)
        piece = Record(
            record.name,
            record.inputs[..., part],
            record.slopes[..., part],
            record.factor,
            record.bias_factor,
            record.is_gain,
        )
        for name, gradient in piece.gradients().items():
            rows = gradient[0].flatten(1).double().square()
            value = (rows * signs[part, None]).sum(0)
            found[name] = found[name] + value if name in found else value
    return found
