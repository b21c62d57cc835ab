"""Fully connected layers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.network import Tensors
from gendsl_runtime.train.layers.layer import Fresh, Pass, Plain, Rates
from gendsl_runtime.train.layers.matmul import matmul
from gendsl_runtime.train.layers.written import Room, Trace

Parametrisation = Literal["standard", "ntk"]

NTK_BIAS = 0.1
"""beta of Jacot et al. (2018), section 2: how strongly biases train beside weights."""


@dataclass(frozen=True)
class Growth:
    """How many times as many inputs and outputs a layer has as in the network of the base width."""

    inputs: float = 1.0
    outputs: float = 1.0
    is_readout: bool = False
    """Whether it is the output layer, whose inputs alone grow."""


@dataclass(frozen=True)
class Linear:
    """`y = W x + b`, or `y = gain W x / sqrt(inputs) + 0.1 b` in the neural tangent parametrisation.

    In the standard parametrisation `law` is how weights start: `uniform` in `+-gain / sqrt(inputs)`, as in
    `torch.nn.Linear`, `normal` with standard deviation `gain / sqrt(inputs)`, or `zero`; biases are uniform
    in `+-1 / sqrt(inputs)`, and zero with weights that are zero. In the neural tangent parametrisation both
    are standard normal.

    `growth` makes it a layer of the maximal update parametrisation (Yang et al. 2021, "Tensor Programs V", table 8),
    relative to a base width: with m_in and m_out times as many inputs and outputs, a readout is `W x / m_in + b`; `W`
    starts as above, but a readout's with the deviation of the base width, and `b` with that of the base width; the
    learning rate of `W` has a factor m_out / m_in (m_in for a readout) in gradient descent and 1 / m_in (1 for a
    readout) in Adam, that of `b` m_out in gradient descent.
    """

    name: str
    inputs: int
    outputs: int
    bias: bool = True
    gain: float = 1.0
    parametrisation: Parametrisation = "standard"
    law: Literal["uniform", "normal", "zero"] = "uniform"
    growth: Growth = Growth()

    def parameters(self) -> Mapping[str, Fresh]:
        weight, bias = self._fresh()
        return {f"{self.name}.weight": weight} | ({f"{self.name}.bias": bias} if self.bias else {})

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return self._product(values, inputs, None)

    @property
    def is_scratch(self) -> bool:
        return True

    def push(self, values: Pass, inputs: Tensor, room: Room, *, is_free: bool) -> Tensor:
        return self._product(values, inputs, room("outputs", inputs, self.outputs))

    def pull(self, values: Pass, trace: Trace, slopes: Tensor, into: Tensors, room: Room) -> Tensor:
        """`dW = scale dy x^T`, `db = bias_scale sum dy`, `dx = scale W^T dy`."""
        scale, bias_scale = self._scales
        weight, bias = self._names
        if self.bias:
            found = torch.sum(slopes, 2, out=into[bias])
            if bias_scale != 1.0:
                found.mul_(bias_scale)
        matmul(slopes, trace.inputs.transpose(1, 2), scale=scale, out=into[weight])
        if trace.is_first:
            return slopes
        back = values.parameters[weight].transpose(1, 2)
        return matmul(back, slopes, scale=scale, out=room("slopes", slopes, self.inputs))

    def _product(self, values: Pass, inputs: Tensor, out: Tensor | None) -> Tensor:
        weight, bias = self._names
        scale, bias_scale = self._scales
        offset = values.parameters[bias] if self.bias else None
        return matmul(values.parameters[weight], inputs, offset, scale=scale, bias_scale=bias_scale, out=out)

    @cached_property
    def _names(self) -> tuple[str, str]:
        return f"{self.name}.weight", f"{self.name}.bias"

    @property
    def factor(self) -> float:
        """What the weight is multiplied by when it acts."""
        return self._scales[0]

    @cached_property
    def _scales(self) -> tuple[float, float]:
        """Factors of the product and of the bias."""
        if self.parametrisation == "standard":
            return (1 / self.growth.inputs if self.growth.is_readout else 1.0), 1.0
        return self.gain / math.sqrt(self.inputs), NTK_BIAS

    def _fresh(self) -> tuple[Fresh, Fresh]:
        shape, bound = (self.outputs, self.inputs), 1 / math.sqrt(self.inputs)
        if self.parametrisation == "ntk":
            return Fresh(shape, "normal", 1.0), Fresh((self.outputs,), "normal", 1.0)
        if self.law == "zero":
            return Fresh(shape, "constant", 0.0), Fresh((self.outputs,), "constant", 0.0)
        growth = self.growth
        base = bound * math.sqrt(growth.inputs)
        if growth.is_readout:
            weight = Fresh(shape, self.law, base * self.gain, Rates(growth.inputs, 1.0))
        else:
            rates = Rates(growth.outputs / growth.inputs, 1 / growth.inputs)
            weight = Fresh(shape, self.law, bound * self.gain, rates)
        return weight, Fresh((self.outputs,), "uniform", base, Rates(growth.outputs, 1.0))


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
        return self._product(values, inputs, None)

    @property
    def is_scratch(self) -> bool:
        return True

    def push(self, values: Pass, inputs: Tensor, room: Room, *, is_free: bool) -> Tensor:
        return self._product(values, inputs, room("outputs", inputs, self.outputs))

    def pull(self, values: Pass, trace: Trace, slopes: Tensor, into: Tensors, room: Room) -> Tensor:
        weight = values.buffers[f"{self.name}.weight"].transpose(1, 2)
        return matmul(weight, slopes, out=room("slopes", slopes, self.inputs))

    def _product(self, values: Pass, inputs: Tensor, out: Tensor | None) -> Tensor:
        weight, bias = (values.buffers[f"{self.name}.{part}"] for part in ("weight", "bias"))
        return matmul(weight, inputs, bias, out=out)


@dataclass(frozen=True)
class Scaled(Plain):
    """`y = factor x`."""

    factor: float

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return inputs * self.factor

    @property
    def is_scratch(self) -> bool:
        return True

    def push(self, values: Pass, inputs: Tensor, room: Room, *, is_free: bool) -> Tensor:
        out = inputs if is_free else room("outputs", inputs)
        return torch.mul(inputs, self.factor, out=out)

    def pull(self, values: Pass, trace: Trace, slopes: Tensor, into: Tensors, room: Room) -> Tensor:
        return slopes.mul_(self.factor)


@dataclass(frozen=True)
class Flatten(Plain):
    """`(members, ..., examples)` to `(members, features, examples)`, in the order of `torch.flatten`."""

    after_images: bool = False
    """Whether what comes in lies as convolutions leave it. Of images of one channel that would be a view whose strides
    tell the number of members, and the library chooses its product by the strides."""

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        if inputs.ndim == 3:
            return inputs
        flat = inputs.reshape(inputs.shape[0], -1, inputs.shape[-1])
        return flat.contiguous() if self.after_images else flat

    @property
    def is_scratch(self) -> bool:
        return False

    def push(self, values: Pass, inputs: Tensor, room: Room, *, is_free: bool) -> Tensor:
        return self.apply(values, inputs)

    def pull(self, values: Pass, trace: Trace, slopes: Tensor, into: Tensors, room: Room) -> Tensor:
        return slopes.view_as(trace.inputs)
