"""Kernels of infinitely wide dense networks: NNGP and neural tangent kernel, in closed form.

A layer `y = f W x + b beta` with `Var W = v`, `Var beta = u` on n inputs turns the mean product of units
`A(x, x') = E[x_k x'_k]` into the covariance of its outputs `S = f^2 v n A + b^2 u`, and the tangent kernel T
of its inputs into `T' = f^2 n A + b^2 + f^2 v n T`; an activation turns S into `A = E[phi(z) phi(z')]` and
multiplies T by `E[phi'(z) phi'(z')]` with `(z, z')` normal of covariance S (Lee et al. 2018; Jacot et al.
2018; Arora et al. 2019). Variances and widths are the network's own, so the formulas hold for every
parametrisation, to leading order in the width: in the standard one the tangent kernel grows with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.train.layers.activation import Pointwise
from gendsl_runtime.train.layers.dropout import Dropout
from gendsl_runtime.train.layers.layer import Fresh, Layered
from gendsl_runtime.train.layers.linear import NTK_BIAS, Flatten, Linear


class Covariance(NamedTuple):
    """Second moments of a pair of variables, each `(N, N')` or broadcast to it."""

    across: Tensor
    left: Tensor
    right: Tensor


Pair = tuple[Tensor, Tensor]
"""`E[phi phi']` and `E[phi' phi'']`."""


def _relu(of: Covariance, *, slope: float = 0.0) -> Pair:
    """Arc-cosine kernels of order 1 and 0 (Cho and Saul 2009); with a slope for negative inputs."""
    length = (of.left * of.right).sqrt()
    cosine = (of.across / length.clamp_min(torch.finfo(length.dtype).tiny)).clamp(-1, 1)
    angle = torch.acos(cosine)
    first = length * (torch.sin(angle) + (math.pi - angle) * cosine) / (2 * math.pi)
    order_0 = (math.pi - angle) / (2 * math.pi)
    rest = (1 - slope) ** 2
    return slope * of.across + rest * first, slope + rest * order_0


def _erf(of: Covariance) -> Pair:
    """Williams (1998), equation 11, and its derivative by the covariance."""
    scale = (1 + 2 * of.left) * (1 + 2 * of.right)
    sine = (2 * of.across / scale.sqrt()).clamp(-1, 1)
    return torch.asin(sine) * 2 / math.pi, 4 / math.pi / (scale - 4 * of.across.square()).sqrt()


def _waves(of: Covariance, *, is_sine: bool) -> Pair:
    """`E[cos z cos z'] = exp(-(a + c) / 2) cosh b`, with sinh for sines; each is the other's slope."""
    damped = torch.exp(-(of.left + of.right) / 2)
    even, odd = damped * torch.cosh(of.across), damped * torch.sinh(of.across)
    return (odd, even) if is_sine else (even, odd)


DUALS: Mapping[str, Callable[[Covariance], Pair]] = MappingProxyType(
    {
        "relu": _relu,
        "leaky_relu": lambda of: _relu(of, slope=0.01),
        "erf": _erf,
        "identity": lambda of: (of.across, torch.ones_like(of.across)),
        "quadratic": lambda of: (of.left * of.right + 2 * of.across.square(), 4 * of.across),
        "cos": lambda of: _waves(of, is_sine=False),
        "sin": lambda of: _waves(of, is_sine=True),
    }
)
"""Activations whose expectations are known in closed form."""


@dataclass(frozen=True)
class Kernels:
    """Both kernels of the outputs `(N, N')`; equal for every output, zero between two."""

    nngp: Tensor
    ntk: Tensor


def kernels(network: Network, inputs: Tensor, others: Tensor) -> Kernels:
    """The kernels of an infinitely wide network of this kind.

    Args:
        inputs: `(N, *shape)`, float64.
        others: `(N', *shape)`.

    Raises:
        Problem: the network is more than dense layers and activations whose expectations are known.
    """
    acting = _chain(network)
    x, y = inputs.flatten(1), others.flatten(1)
    width = x.shape[1]
    of = Covariance(x @ y.T / width, x.square().mean(1)[:, None], y.square().mean(1)[None])
    tangent = torch.zeros_like(of.across)
    for layer in acting:
        if isinstance(layer, Linear):
            gain, grown, offset, start = _constants(layer)
            tangent = gain * of.across + offset + gain * grown * tangent
            of = Covariance(*(gain * grown * part + offset * start for part in of))
        else:
            dual = DUALS[layer.name]
            mean, slope = dual(of)
            own = [dual(Covariance(part, part, part))[0] for part in of[1:]]
            tangent = tangent * slope
            of = Covariance(mean, *own)
    return Kernels(of.across, tangent)


def _constants(layer: Linear) -> tuple[float, float, float, float]:
    """`f^2 n`, the variance of a weight, `b^2` and the variance of an offset."""
    fresh = layer.parameters()
    is_ntk = layer.parametrisation == "ntk"
    offset = 0.0 if not layer.bias else NTK_BIAS**2 if is_ntk else 1.0
    start = _variance(fresh[f"{layer.name}.bias"]) if layer.bias else 0.0
    return layer.factor**2 * layer.inputs, _variance(fresh[f"{layer.name}.weight"]), offset, start


def _variance(fresh: Fresh) -> float:
    return {"normal": 1.0, "uniform": 1 / 3, "constant": 0.0}[fresh.law] * fresh.scale**2


def _chain(network: Network) -> list[Linear | Pointwise]:
    """The layers that act, in order."""
    layers = network.layers if isinstance(network, Layered) else ()
    acting = [layer for layer in layers if isinstance(layer, Linear | Pointwise)]
    others = [layer for layer in layers if not isinstance(layer, Linear | Pointwise | Flatten | Dropout)]
    unknown = [layer.name for layer in acting if isinstance(layer, Pointwise) and layer.name not in DUALS]
    if others or not acting:
        raise Problem(
            "not-a-dense-network",
            "kernels of infinite width are known here for chains of dense layers",
            help="use `mlp` without `norm` and `skip`, or the empirical kernel: `kernel=empirical`",
        )
    if unknown:
        raise Problem(
            "not-a-dense-network",
            f"the kernel of infinite width has no closed form for `{unknown[0]}`",
            help=f"use one of {', '.join(DUALS)}, or the empirical kernel: `kernel=empirical`",
        )
    return acting
