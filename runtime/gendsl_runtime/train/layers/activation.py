"""Activations, each element for itself.

Only operations whose vector and scalar kernels agree to the bit may stand here: torch computes the last
elements of a tensor one by one, and which elements those are depends on the size of the stack.
`torch.nn.functional.gelu`, `silu`, `softplus`, `sigmoid` and `pow` fail that; `tanh`, `erf`, `exp`, `cos`
pass (`tests/runtime/test_exact_ops`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from gendsl_runtime.train.layers.layer import Pass, Plain

Activation = Literal["relu", "gelu", "tanh", "erf", "quadratic", "identity", "leaky_relu", "sin", "cos"]


def _gelu(x: Tensor) -> Tensor:
    return x * (torch.erf(x * math.sqrt(0.5)) * 0.5 + 0.5)


def _leaky_relu(x: Tensor) -> Tensor:
    return torch.nn.functional.leaky_relu(x, 0.01)


def _identity(x: Tensor) -> Tensor:
    return x


FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {
        "relu": torch.relu,
        "gelu": _gelu,
        "tanh": torch.tanh,
        "erf": torch.erf,
        "quadratic": torch.square,
        "identity": _identity,
        "leaky_relu": _leaky_relu,
        "sin": torch.sin,
        "cos": torch.cos,
    }
)


@dataclass(frozen=True)
class Pointwise(Plain):
    """`y = f(x)`: gelu is `x Phi(x)` (Hendrycks and Gimpel 2016), quadratic is `x^2`, leaky_relu has slope
    0.01."""

    name: str

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return FUNCTIONS[self.name](inputs)
