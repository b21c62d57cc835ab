"""Convolutions that keep the size of what they see, as products with shifted copies."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from gendsl_runtime.train.layers.layer import Fresh, Pass
from gendsl_runtime.train.layers.matmul import matmul


@dataclass(frozen=True)
class Window:
    """A convolution over `(members, channels, height, width, examples)` without bias, zeros around the border.

    `size` is the odd height and width of the kernel; a sequence has height 1. Weights start uniform in
    `+-1/sqrt(fan in)`, as in `torch.nn.Conv2d`, and lie as `(outputs, rows * columns * inputs)`.
    """

    name: str
    inputs: int
    outputs: int
    size: tuple[int, int]

    def parameters(self) -> Mapping[str, Fresh]:
        taken = self.inputs * math.prod(self.size)
        return {f"{self.name}.weight": Fresh((self.outputs, taken), "uniform", 1 / math.sqrt(taken))}

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        members, _, height, width, examples = inputs.shape
        rows, columns = self.size
        spread = pad(inputs, (0, 0, columns // 2, columns // 2, rows // 2, rows // 2))
        shifted = [
            spread[:, :, row : row + height, column : column + width]
            for row in range(rows)
            for column in range(columns)
        ]
        found = matmul(values.parameters[f"{self.name}.weight"], torch.cat(shifted, 1).flatten(2))
        return found.view(members, self.outputs, height, width, examples)
