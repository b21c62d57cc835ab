"""Convolutions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from gendsl_runtime.train.layers.image import (
    apart,
    channels_last,
    members_of,
    together,
    wide,
    with_gradient_alike,
)
from gendsl_runtime.train.layers.layer import Fresh, Pass

MANY = 50_000
"""Multiplications an example from which a convolution of a stack costs as much as one convolution a member."""


def is_large(inputs: int, outputs: int, size: int, places: int) -> bool:
    """Whether a convolution between these channels gains nothing from a stack."""
    return inputs * outputs * size**2 * places >= MANY


@dataclass(frozen=True)
class Conv:
    """A square convolution (cross-correlation) with zero padding.

    `law` is how weights start: `uniform` in `+-1/sqrt(fan in)` as in `torch.nn.Conv2d`, biases alike, or
    `kaiming`, normal with variance `2 / fan out` (He et al. 2015, equation 14) and biases zero.

    A convolution of much work is done a member at a time, any other is one grouped convolution of the whole
    stack. The two sum in different orders, so the layer alone decides, never the size of the stack.
    """

    name: str
    inputs: int
    outputs: int
    size: int
    stride: int = 1
    padding: int = 0
    bias: bool = True
    law: Literal["uniform", "kaiming"] = "uniform"
    is_apart: bool = False
    """Whether members are convolved one at a time whatever the size: said by networks with large layers, which
    are trained alone."""

    def parameters(self) -> Mapping[str, Fresh]:
        shape = (self.outputs, self.inputs, self.size, self.size)
        bound = 1 / math.sqrt(self.inputs * self.size**2)
        if self.law == "kaiming":
            weight = Fresh(shape, "normal", math.sqrt(2 / (self.outputs * self.size**2)))
            bias = Fresh((self.outputs,), "constant", 0.0)
        else:
            weight, bias = Fresh(shape, "uniform", bound), Fresh((self.outputs,), "uniform", bound)
        return {f"{self.name}.weight": weight} | ({f"{self.name}.bias": bias} if self.bias else {})

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        weight = values.parameters[f"{self.name}.weight"]
        bias = values.parameters[f"{self.name}.bias"] if self.bias else None
        is_alone = self.is_alone(inputs.shape[2], inputs.shape[3])
        return (self._each if is_alone else self._grouped)(inputs, weight, bias)

    def is_alone(self, height: int, width: int) -> bool:
        """Whether members are convolved one at a time on images of this size."""
        places = self._side(height) * self._side(width)
        return self.is_apart or is_large(self.inputs, self.outputs, self.size, places)

    def _side(self, pixels: int) -> int:
        return (pixels + 2 * self.padding - self.size) // self.stride + 1

    def _each(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """One convolution a member, each in channels-last memory."""
        offsets = [None] * len(weight) if bias is None else bias.unbind(0)
        images = []
        for own, kernel, offset in zip(members_of(inputs), weight.unbind(0), offsets, strict=True):
            images.append(
                conv2d(own, channels_last(kernel), offset, stride=self.stride, padding=self.padding)
            )
        return together(images)

    def _grouped(self, inputs: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """One convolution with a group for each member. A single member is convolved beside a copy of itself:
        with one group the library takes other kernels, whose sums run in another order."""
        images, kernels = wide(inputs), weight.flatten(0, 1)
        offsets = None if bias is None else bias.flatten()
        groups = max(2, len(weight))
        if len(weight) == 1:
            images, kernels = _twice(images, 1), _twice(kernels, 0)
            offsets = None if offsets is None else _twice(offsets, 0)
        found = conv2d(
            channels_last(images),
            channels_last(kernels),
            offsets,
            stride=self.stride,
            padding=self.padding,
            groups=groups,
        )
        if min(found.shape) == 1:
            found = with_gradient_alike(found)
        return apart(found[:, : len(weight) * self.outputs], len(weight))


def _twice(values: Tensor, dim: int) -> Tensor:
    """Values beside their copy, which gets no gradient."""
    return torch.cat([values, values.detach()], dim)
