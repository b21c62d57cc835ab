"""Fully connected layers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from gendsl_runtime.train.layers.layer import Fresh, Pass, Plain
from gendsl_runtime.train.layers.matmul import matmul

Parametrisation = Literal["standard", "ntk"]

NTK_BIAS = 0.1
"""beta of Jacot et al. (2018), section 2: how strongly biases train beside weights."""


@dataclass(frozen=True)
class Linear:
    """`y = W x + b`, or `y = W x / sqrt(inputs) + 0.1 b` in the neural tangent parametrisation.

    `standard` starts as `torch.nn.Linear` does: weights and biases uniform in `+-1/sqrt(inputs)`; `ntk` with
    standard normal weights and biases. `gain` multiplies the weights (standard) or their factor (ntk).
    """

    name: str
    inputs: int
    outputs: int
    bias: bool = True
    gain: float = 1.0
    parametrisation: Parametrisation = "standard"

    def parameters(self) -> Mapping[str, Fresh]:
        bound = 1 / math.sqrt(self.inputs)
        shape = (self.outputs, self.inputs)
        if self.parametrisation == "ntk":
            weight, bias = Fresh(shape, "normal", 1.0), Fresh((self.outputs,), "normal", 1.0)
        else:
            weight = Fresh(shape, "uniform", bound * self.gain)
            bias = Fresh((self.outputs,), "uniform", bound)
        return {f"{self.name}.weight": weight} | ({f"{self.name}.bias": bias} if self.bias else {})

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        weight = values.parameters[f"{self.name}.weight"]
        bias = values.parameters[f"{self.name}.bias"] if self.bias else None
        if self.parametrisation == "standard":
            return matmul(weight, inputs, bias)
        return matmul(weight, inputs, bias, scale=self.gain / math.sqrt(self.inputs), bias_scale=NTK_BIAS)


@dataclass(frozen=True)
class Flatten(Plain):
    """`(members, ..., examples)` to `(members, features, examples)`, in the order of `torch.flatten`."""

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return inputs if inputs.ndim == 3 else inputs.reshape(inputs.shape[0], -1, inputs.shape[-1])
