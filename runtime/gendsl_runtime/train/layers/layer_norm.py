"""Normalisation over features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from gendsl_runtime.network import Tensors
from gendsl_runtime.train.layers.layer import Fresh, Pass
from gendsl_runtime.train.layers.written import Room, Trace

EPSILON = 1e-5
"""Added to variances, as in torch.nn."""


@dataclass(frozen=True)
class LayerNorm:
    """Zero mean and unit variance over the features of each example, or of each step of a sequence.

    `y = w (x - mean) / sqrt(variance + 1e-5) + b` (Ba, Kiros and Hinton 2016), with the population variance;
    w starts at one and b at zero. Inputs are `(members, features, ..., examples)`.
    """

    name: str
    features: int

    def parameters(self) -> Mapping[str, Fresh]:
        return {
            f"{self.name}.weight": Fresh((self.features,), "constant", 1.0),
            f"{self.name}.bias": Fresh((self.features,), "constant", 0.0),
        }

    def buffers(self) -> Mapping[str, Fresh]:
        return {}

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        scale, offset = self._affine(values, inputs)
        centred = inputs - inputs.mean(1, keepdim=True)
        return centred * _shrinking(centred) * scale + offset

    @property
    def is_scratch(self) -> bool:
        return True

    def push(self, values: Pass, inputs: Tensor, room: Room, *, is_free: bool) -> Tensor:
        scale, offset = self._affine(values, inputs)
        centred = torch.sub(inputs, inputs.mean(1, keepdim=True), out=room("normal", inputs))
        factor = room.kept["factor"] = _shrinking(centred)
        return torch.mul(centred.mul_(factor), scale, out=room("outputs", inputs)).add_(offset)

    def pull(self, values: Pass, trace: Trace, slopes: Tensor, into: Tensors, room: Room) -> Tensor:
        """With `x = factor (inputs - mean)` and `g = w dy`: `dw = sum x dy`, `db = sum dy` over examples, and slopes
        `factor (g - mean(g) - x mean(x g))`, means over features."""
        normal, factor = room.kept["normal"], room.kept["factor"]
        shared = torch.mul(slopes, normal, out=room("shared", slopes))
        torch.sum(shared.flatten(2), 2, out=into[f"{self.name}.weight"])
        torch.sum(slopes.flatten(2), 2, out=into[f"{self.name}.bias"])
        scale, _ = self._affine(values, slopes)
        along = shared.mul_(scale).mean(1, keepdim=True)
        slopes.mul_(scale)
        slopes.sub_(slopes.mean(1, keepdim=True))
        return slopes.sub_(torch.mul(normal, along, out=shared)).mul_(factor)

    def _affine(self, values: Pass, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and offset, as wide as the inputs."""
        shape = (len(inputs), self.features) + (1,) * (inputs.ndim - 2)
        weight, bias = (values.parameters[f"{self.name}.{part}"] for part in ("weight", "bias"))
        return weight.view(shape), bias.view(shape)


def _shrinking(centred: Tensor) -> Tensor:
    """The factor that leaves a variance of one."""
    return (centred.square().mean(1, keepdim=True) + EPSILON).rsqrt()
