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

import torch
from torch import Tensor

from gendsl_runtime.network import Tensors
from gendsl_runtime.train.layers.layer import Pass, Plain
from gendsl_runtime.train.layers.written import Room, Trace


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


def _relu_in_place(x: Tensor) -> Tensor:
    return x.clamp_min_(0)


def _leaky_relu_in_place(x: Tensor) -> Tensor:
    return torch.nn.functional.leaky_relu(x, 0.01, inplace=True)


def _relu_slopes(y: Tensor, slopes: Tensor) -> Tensor:
    return torch.ops.aten.threshold_backward.grad_input(slopes, y, 0, grad_input=slopes)  # type: ignore[no-any-return]


def _leaky_relu_slopes(y: Tensor, slopes: Tensor) -> Tensor:
    return torch.ops.aten.leaky_relu_backward.grad_input(slopes, y, 0.01, True, grad_input=slopes)  # type: ignore[no-any-return]


def _tanh_slopes(y: Tensor, slopes: Tensor) -> Tensor:
    return torch.ops.aten.tanh_backward.grad_input(slopes, y, grad_input=slopes)  # type: ignore[no-any-return]


def _identity_slopes(y: Tensor, slopes: Tensor) -> Tensor:
    return slopes


BY_OUTPUT: Mapping[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]]
BY_OUTPUT = MappingProxyType(
    {
        "relu": (_relu_in_place, _relu_slopes),
        "leaky_relu": (_leaky_relu_in_place, _leaky_relu_slopes),
        "tanh": (torch.tanh_, _tanh_slopes),
        "identity": (_identity, _identity_slopes),
    }
)
"""Activations whose slope is told by their output: in place, and the slopes of the inputs, in place too."""


def _gelu_slope(x: Tensor) -> Tensor:
    density = torch.exp(torch.square(x) * -0.5) * (1 / math.sqrt(2 * math.pi))
    return torch.erf(x * math.sqrt(0.5)) * 0.5 + 0.5 + x * density


BY_INPUT: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {
        "gelu": _gelu_slope,
        "erf": lambda x: torch.exp(-torch.square(x)) * (2 / math.sqrt(math.pi)),
        "quadratic": lambda x: x * 2,
        "sin": torch.cos,
        "cos": lambda x: -torch.sin(x),
    }
)
"""The slopes of the others at their input."""


@dataclass(frozen=True)
class Pointwise(Plain):
    """`y = f(x)`: gelu is `x Phi(x)` (Hendrycks and Gimpel 2016), quadratic is `x^2`, leaky_relu has slope
    0.01."""

    name: str

    def apply(self, values: Pass, inputs: Tensor) -> Tensor:
        return FUNCTIONS[self.name](inputs)

    @property
    def is_scratch(self) -> bool:
        return False

    def push(self, values: Pass, inputs: Tensor, room: Room, *, is_free: bool) -> Tensor:
        if is_free and self.name in BY_OUTPUT:
            return BY_OUTPUT[self.name][0](inputs)
        return FUNCTIONS[self.name](inputs)

    def pull(self, values: Pass, trace: Trace, slopes: Tensor, into: Tensors, room: Room) -> Tensor:
        if self.name in BY_OUTPUT:
            return BY_OUTPUT[self.name][1](trace.outputs, slopes)
        return slopes.mul_(BY_INPUT[self.name](trace.inputs))
