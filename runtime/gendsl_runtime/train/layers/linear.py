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
    """`y = W x + b`, or `y = gain W x / sqrt(inputs) + 0.1 b` in the neural tangent parametrisation.

    In the standard parametrisation `law` is how weights start: `uniform` in `+-gain / sqrt(inputs)`, as in
    `torch.nn.Linear`, `normal` with standard deviation `gain / sqrt(inputs)`, or `zero`; biases are uniform
    in `+-1 / sqrt(inputs)`, and zero with weights that are zero. In the neural tangent parametrisation both
    are standard normal.
    """

    name: str
    inputs: int
    outputs: int
    bias: bool = True
    gain: float = 1.0
    parametrisation: Parametrisation = "standard"
    law: Literal["uniform", "normal", "zero"] = "uniform"

    def parameters(self) -> Mapping[str, Fresh]:
        weight, bias = self._fresh()
        return {f"{self.name}.weight": weight} | ({f"{self.name}.bias": bias} if self.bias else {})

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        weight = values.parameters[f"{self.name}.weight"]
        bias = values.parameters[f"{self.name}.bias"] if self.bias else None
        if self.parametrisation == "standard":
            return matmul(weight, inputs, bias)
        return matmul(weight, inputs, bias, scale=self.gain / math.sqrt(self.inputs), bias_scale=NTK_BIAS)

    def _fresh(self) -> tuple[Fresh, Fresh]:
        shape, bound = (self.outputs, self.inputs), 1 / math.sqrt(self.inputs)
        if self.parametrisation == "ntk":
            return Fresh(shape, "normal", 1.0), Fresh((self.outputs,), "normal", 1.0)
        if self.law == "zero":
            return Fresh(shape, "constant", 0.0), Fresh((self.outputs,), "constant", 0.0)
        return Fresh(shape, self.law, bound * self.gain), Fresh((self.outputs,), "uniform", bound)


@dataclass(frozen=True)
class FixedLinear:
    """`y = W x + b` with random values that are never trained: `W` normal, `b` uniform in `+-spread`."""

    name: str
    inputs: int
    outputs: int
    deviation: float
    spread: float

    def parameters(self) -> Mapping[str, Fresh]:
        return {}

    def buffers(self) -> Mapping[str, Fresh]:
        return {
            f"{self.name}.weight": Fresh((self.outputs, self.inputs), "normal", self.deviation),
            f"{self.name}.bias": Fresh((self.outputs,), "uniform", self.spread),
        }

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return matmul(values.buffers[f"{self.name}.weight"], inputs, values.buffers[f"{self.name}.bias"])


@dataclass(frozen=True)
class Scaled(Plain):
    """`y = factor x`."""

    factor: float

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return inputs * self.factor


@dataclass(frozen=True)
class Flatten(Plain):
    """`(members, ..., examples)` to `(members, features, examples)`, in the order of `torch.flatten`."""

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return inputs if inputs.ndim == 3 else inputs.reshape(inputs.shape[0], -1, inputs.shape[-1])
