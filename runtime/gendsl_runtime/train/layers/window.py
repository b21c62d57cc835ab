"""Convolutions that keep the size of what they see, as products with shifted copies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from gendsl_runtime.train.layers.layer import Fresh, Pass
from gendsl_runtime.train.layers.matmul import matmul

Size = tuple[int, int]


@dataclass(frozen=True)
class Window:
    """A convolution over `(members, channels, height, width, examples)` without bias, zeros around the border.

    `size` is the odd height and width of the kernel; a sequence has height 1. Weights start uniform in
    `+-1/sqrt(fan in)`, as in `torch.nn.Conv2d`, and lie as `(outputs, rows * columns * inputs)`.

    There is a copy for each column of the kernel, with rows of zeros above and below; a row of the kernel is a product
    with a stretch of it that begins so many rows further down, and needs no copy of its own.
    """

    name: str
    inputs: int
    outputs: int
    size: Size

    def parameters(self) -> Mapping[str, Fresh]:
        taken = self.inputs * math.prod(self.size)
        return {f"{self.name}.weight": Fresh((self.outputs, taken), "uniform", 1 / math.sqrt(taken))}

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        function = _Written.apply if values.training else _plain
        found: Tensor = function(inputs, values.parameters[f"{self.name}.weight"], self.size)
        return found


def _plain(inputs: Tensor, weight: Tensor, size: Size) -> Tensor:
    """The outputs, differentiable as often as one likes."""
    rows, columns = size
    around = pad(inputs, (0, 0, columns // 2, columns // 2, rows // 2, rows // 2))
    width = inputs.shape[3]
    shifted = [around[:, :, :, column : column + width] for column in range(columns)]
    return _product(weight, torch.cat(shifted, 1), inputs, size)


class _Written(torch.autograd.Function):
    """The same with its gradient written out, once, which is all that training needs.

    The slopes of the inputs are the convolution of those of the outputs with the kernel turned round.
    """

    @staticmethod
    def forward(context: Any, inputs: Tensor, weight: Tensor, size: Size) -> Tensor:
        copies = _copies(inputs, size)
        context.size = size
        context.save_for_backward(weight, copies)
        return _product(weight, copies, inputs, size)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (slopes,), (weight, copies), size = gradients, context.saved_tensors, context.size
        flat, (rows, columns) = slopes.flatten(2), size
        found = [matmul(flat, stretch.transpose(1, 2)) for stretch in _stretches(copies, rows, flat.shape[2])]
        back = None
        if context.needs_input_grad[0]:
            members, outputs = weight.shape[:2]
            kernel = weight.view(members, outputs, rows, columns, -1).flip(2, 3).permute(0, 4, 2, 3, 1)
            turned = kernel.reshape(members, kernel.shape[1], -1)
            back = _product(turned, _copies(slopes, size), slopes, size)
        return back, torch.cat(found, 2), None


def _copies(inputs: Tensor, size: Size) -> Tensor:
    """A copy for each column of the kernel, `(members, columns * channels, height + rows - 1, width, examples)`."""
    members, channels, height, width, examples = inputs.shape
    rows, columns = size
    found = inputs.new_zeros(members, columns, channels, height + rows - 1, width, examples)
    inside = found.narrow(3, rows // 2, height)
    for column in range(columns):
        shift = column - columns // 2
        first, last = max(0, shift), width + min(0, shift)
        if first < last:
            inside[:, column, :, :, first - shift : last - shift] = inputs[:, :, :, first:last]
    return found.flatten(1, 2)


def _stretches(copies: Tensor, rows: int, length: int) -> list[Tensor]:
    """What each row of the kernel sees of the copies, `(members, columns * channels, length)`."""
    flat = copies.flatten(2)
    step = (flat.shape[2] - length) // max(1, rows - 1)
    return [flat.narrow(2, row * step, length) for row in range(rows)]


def _product(weight: Tensor, copies: Tensor, inputs: Tensor, size: Size) -> Tensor:
    """The sum over the rows of the kernel."""
    members, _, height, width, examples = inputs.shape
    stretches = _stretches(copies, size[0], height * width * examples)
    first, *others = [
        matmul(part, stretch) for part, stretch in zip(weight.chunk(size[0], 2), stretches, strict=True)
    ]
    for other in others:
        first = first.add_(other)
    return first.view(members, -1, height, width, examples)
