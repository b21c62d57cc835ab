"""Empirical neural tangent kernels, layer by layer: the Jacobian is never formed.

With the inputs x and slopes D of a dense layer, its share of `K((i, c), (j, d)) = <df_c(x_i)/dw,
df_d(x_j)/dw>` is `(factor^2 <x_i, x_j> + bias_factor^2) <D_ic, D_jd>`: two Gram matrices. A layer with
several places (a convolution) forms its own gradients a few rows at a time, so that memory stays with the
kernel itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor

from gendsl_runtime.measures.layers import Record, Traced, has_records, traced
from gendsl_runtime.measures.vectors import state_size
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import BLOCK, Runs

Of = Literal["trace", "sum", "full"]
LARGEST = 2**28
"""Bytes of a kernel that is formed, and of a Jacobian where a network's layers are not known."""
ROWS = 2**26
"""Bytes of the gradients held at once."""


def tangent_kernel(runs: Runs, inputs: Tensor, others: Tensor | None = None, *, of: Of = "trace") -> Tensor:
    """The empirical neural tangent kernel of one member, in the precision of its parameters and evaluation
    mode.

    Args:
        runs: a stack of one.
        inputs: `(1, N, *shape)`.
        others: `(1, N', *shape)`; the same where left out.
        of: `full`, every pair of outputs; `trace`, the mean over outputs c of `K((i, c), (j, c))`; `sum`, the
            kernel of `sum_c f_c / sqrt(C)` (Mohamadi, Bae and Sutherland 2023).

    Returns:
        `(N, N')`, or for `full` `(N * C, N' * C)`, outputs running fastest.
    """
    needs_one_place(runs)
    count = runs.network.outputs if of == "full" else 1
    size = (
        inputs.shape[1] * (inputs if others is None else others).shape[1] * count**2 * inputs.element_size()
    )
    if size > LARGEST:
        raise too_large(size)
    seen = _seen if has_records(runs.network) else _by_jacobian
    left = seen(runs, inputs, of)
    right = left if others is None else seen(runs, others, of)
    # Of the slopes' kind: inputs may be tokens.
    total = left[0].slopes.new_zeros(count, left[0].examples, count, right[0].examples)
    for one, two in zip(left, right, strict=True):
        one.add(total, two, is_full=of == "full")
    if of != "full":
        return total[0, :, 0] / runs.network.outputs
    return total.permute(1, 0, 3, 2).reshape(total.shape[1] * count, -1)


def needs_one_place(runs: Runs) -> None:
    """Raises Problem for a labelling."""
    if runs.data[0].task == "labelling":
        raise Problem(
            "wrong-task",
            "kernels are not defined here for a labelling: its examples have outputs at many places",
            help="take a classification or a regression",
        )


def too_large(size: float) -> Problem:
    """A kernel of so many bytes is refused."""
    return Problem(
        "too-large",
        f"a kernel of {size / 1e9:.3g} GB is not formed",
        help="take fewer `examples`, or one number an example instead of every output",
    )


@dataclass(frozen=True)
class _Layer:
    """One layer's inputs and the slopes of all outputs that are asked for."""

    inputs: Tensor | None
    """`(in, places, N)`; None where the slopes are gradients already."""
    slopes: Tensor
    """`(C, out, places, N)`."""
    factor: float
    bias_factor: float

    @property
    def examples(self) -> int:
        return self.slopes.shape[3]

    def add(self, total: Tensor, other: _Layer, *, is_full: bool) -> None:
        """This layer's share of the kernel with other examples, added to `total` `(C, N, C, N')`, or `(1, N,
        1, N')` for the sum over equal outputs."""
        if self.inputs is None or other.inputs is None:
            _spread(total, self.slopes[:, :, 0], other.slopes[:, :, 0], None, is_full=is_full)
        elif self.slopes.shape[2] == 1:
            gram = self.inputs[:, 0].T @ other.inputs[:, 0] * self.factor**2 + self.bias_factor**2
            _spread(total, self.slopes[:, :, 0], other.slopes[:, :, 0], gram, is_full=is_full)
        else:
            gradients = self._gradients()
            pairs = (
                zip(gradients, other._gradients(), strict=True) if other is not self else _twice(gradients)
            )
            for mine, theirs in pairs:
                _spread(total, mine, theirs, None, is_full=is_full)

    def _gradients(self) -> Iterator[Tensor]:
        """Gradients `(C, weights, N)` of a few rows of the weight at a time, and of the bias."""
        assert self.inputs is not None
        outputs, _, _, examples = self.slopes.shape
        columns = self.inputs.permute(2, 1, 0)  # (N, places, in)
        step = max(1, ROWS // (outputs * columns.shape[2] * examples * self.slopes.element_size()))
        for part in torch.split(self.slopes, step, dim=1):
            slopes = part.permute(3, 0, 1, 2).reshape(examples, -1, part.shape[2])
            found = torch.bmm(slopes, columns).mul_(self.factor)
            yield found.view(examples, outputs, -1).permute(1, 2, 0)
        if self.bias_factor:
            yield self.slopes.sum(2) * self.bias_factor


def _twice(values: Iterator[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
    return ((value, value) for value in values)


def _spread(total: Tensor, left: Tensor, right: Tensor, gram: Tensor | None, *, is_full: bool) -> None:
    """Adds `<left_ic, right_jd> gram_ij`, for slopes `(C, rows, N)`."""
    if not is_full:
        product = left.flatten(0, 1).T @ right.flatten(0, 1)
        total[0, :, 0] += product if gram is None else product.mul_(gram)
        return
    is_same = left.data_ptr() == right.data_ptr()
    for c, row in enumerate(left):
        # Of a symmetric kernel half is enough: the rest is written beside it.
        first = c if is_same else 0
        columns = right[first:].transpose(0, 1).reshape(right.shape[1], -1)
        product = (row.T @ columns).view(row.shape[1], -1, right.shape[2])
        if gram is not None:
            product *= gram[:, None]
        total[c, :, first:] += product
        if is_same and c + 1 < len(left):
            total[c + 1 :, :, c] += product[:, 1:].permute(1, 2, 0)


def _seen(runs: Runs, inputs: Tensor, of: Of) -> list[_Layer]:
    """Every layer on all examples, taken block by block."""
    blocks = [_pulled(traced(runs, block), of) for block in torch.split(inputs, BLOCK, dim=1)]
    return [_joined(parts) for parts in zip(*blocks, strict=True)]


def _pulled(seen: Traced, of: Of) -> list[_Layer]:
    outputs = 1 if of == "sum" else seen.outputs.shape[1]
    found = []
    for place in range(outputs):
        slopes = torch.ones_like(seen.outputs) if of == "sum" else torch.zeros_like(seen.outputs)
        slopes[:, place] = 1
        found.append(seen.records(slopes, is_last=place == outputs - 1))
    return [layer for records in zip(*found, strict=True) for layer in _layers(records)]


def _layers(records: Sequence[Record]) -> list[_Layer]:
    first, slopes = records[0], torch.stack([record.slopes[0] for record in records])
    if not first.is_gain:
        return [_Layer(first.inputs[0], slopes, first.factor, first.bias_factor)]
    gains = (slopes * first.inputs[0]).sum(2, keepdim=True)
    return [_Layer(None, gains, 1, 0), _Layer(None, slopes.sum(2, keepdim=True), 1, 0)]


def _joined(parts: Sequence[_Layer]) -> _Layer:
    """Blocks of examples as one."""
    if len(parts) == 1:
        return parts[0]
    inputs = None if parts[0].inputs is None else torch.cat([cast(Tensor, part.inputs) for part in parts], 2)
    slopes = torch.cat([part.slopes for part in parts], 3)
    return _Layer(inputs, slopes, parts[0].factor, parts[0].bias_factor)


def _by_jacobian(runs: Runs, inputs: Tensor, of: Of) -> list[_Layer]:
    """The Jacobian of any network: each example is a member of its own stack, with its own copy of the values."""
    width = sum(tensor[0].numel() for tensor in runs.state.parameters.values())
    outputs, examples = runs.network.outputs, inputs.shape[1]
    count = 1 if of == "sum" else outputs
    if count * examples * width * inputs.element_size() > LARGEST:
        raise too_large(count * examples * width * inputs.element_size())
    blocks = []
    for block in torch.split(inputs[0], max(1, ROWS // (state_size(runs.state) * 8)), dim=0):
        copies = runs.repeated(len(block))
        leaves = {name: value.detach().requires_grad_() for name, value in copies.state.parameters.items()}
        with torch.enable_grad():
            found = copies.outputs(block[:, None], leaves)[:, :, 0].sum(0)
            asked = [found.sum()] if of == "sum" else list(found)
            rows = [torch.autograd.grad(one, list(leaves.values()), retain_graph=True) for one in asked]
        blocks.append(torch.stack([torch.cat([value.flatten(1) for value in row], 1) for row in rows]))
    gradients = torch.cat(blocks, dim=1).transpose(1, 2)
    return [_Layer(None, gradients[:, :, None], 1, 0)]
