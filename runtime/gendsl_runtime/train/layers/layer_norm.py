"""Normalisation over features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from gendsl_runtime.train.layers.layer import Fresh, Pass

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
        shape = (len(inputs), self.features) + (1,) * (inputs.ndim - 2)
        scale, offset = (values.parameters[f"{self.name}.{part}"].view(shape) for part in ("weight", "bias"))
        centred = inputs - inputs.mean(1, keepdim=True)
        variance = centred.square().mean(1, keepdim=True)
        return centred * (variance + EPSILON).rsqrt() * scale + offset
