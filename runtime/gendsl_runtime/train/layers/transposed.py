"""Tied weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from gendsl_runtime.train.layers.layer import Fresh, Pass
from gendsl_runtime.train.layers.matmul import matmul


@dataclass(frozen=True)
class Transposed:
    """`y = W^T x + b`, with the matrix of the linear layer `source` and an offset of its own, which starts
    uniform in `+-1/sqrt(inputs)`."""

    name: str
    source: str
    inputs: int
    outputs: int

    def parameters(self) -> Mapping[str, Fresh]:
        return {f"{self.name}.bias": Fresh((self.outputs,), "uniform", 1 / math.sqrt(self.inputs))}

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        weight = values.parameters[f"{self.source}.weight"].transpose(1, 2)
        return matmul(weight, inputs, values.parameters[f"{self.name}.bias"])
