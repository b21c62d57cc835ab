"""Kernels of infinite width: closed forms, quadrature, and wide finite networks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures.infinite import DUALS, Covariance, kernels
from gendsl_runtime.measures.tangent import tangent_kernel
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import Network
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.activation import FUNCTIONS

CHANCE = torch.Generator().manual_seed(0)
INPUTS = torch.randn(5, 6, generator=CHANCE, dtype=torch.float64)


def stack(network: Network, seeds: int) -> Runs:
    data = Dataset({"train": Split(torch.zeros(1, 6), torch.zeros(1))}, "classification", (6,), 2)
    state = network.init(range(seeds)).to("cpu", torch.float64)
    return Runs(network, state, (data,) * seeds, tuple(range(seeds)), lambda outputs, targets: outputs)


@pytest.mark.parametrize("name", DUALS)
def test_expectations_are_those_of_quadrature(name: str) -> None:
    """Two correlated normal variables, by Gauss-Hermite rules of 160 x 160 points.

    The rule is exact for polynomials and accurate to 1e-10 for analytic functions; kinks cost 1 / points.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(160)
    weights = weights / weights.sum()
    first, second, cosine = 0.7, 1.9, 0.4
    across = cosine * math.sqrt(first * second)
    x = torch.from_numpy(math.sqrt(first) * nodes)[:, None].expand(160, 160)
    y = torch.from_numpy(
        math.sqrt(second) * (cosine * nodes[:, None] + math.sqrt(1 - cosine**2) * nodes[None])
    )
    mass = torch.from_numpy(np.outer(weights, weights))

    def slope(z: Tensor) -> Tensor:
        z = z.clone().requires_grad_()
        return torch.autograd.grad(FUNCTIONS[name](z).sum(), z)[0]

    found = DUALS[name](Covariance(*(torch.tensor(v, dtype=torch.float64) for v in (across, first, second))))
    expected = (mass * FUNCTIONS[name](x) * FUNCTIONS[name](y)).sum(), (mass * slope(x) * slope(y)).sum()
    tolerance = 0.02 if "relu" in name else 1e-9
    np.testing.assert_allclose(found, expected, rtol=tolerance)


def test_arc_cosine_kernels() -> None:
    """Cho and Saul (2009), equations 3 and 6: without offsets, and a ReLU layer between two linear ones."""
    network = mlp((6,), 2, hidden=[32], bias=False, parametrisation="ntk")
    x = INPUTS
    length = x.norm(dim=1)
    angle = torch.acos((x @ x.T / length[:, None] / length[None]).clamp(-1, 1))
    order_0 = 1 - angle / math.pi
    order_1 = (torch.sin(angle) + (math.pi - angle) * torch.cos(angle)) / math.pi
    order_1 = order_1 * length[:, None] * length[None]
    found = kernels(network, x, x)
    # E[relu relu'] is half the arc-cosine kernel of order 1, and E[step step'] half the one of order 0.
    np.testing.assert_allclose(found.nngp, order_1 / 2 / 6, rtol=1e-7)
    np.testing.assert_allclose(found.ntk, order_1 / 2 / 6 + order_0 / 2 * (x @ x.T) / 6, rtol=1e-7, atol=1e-9)


def test_a_linear_model_is_its_own_limit() -> None:
    network = mlp((6,), 2, hidden=[], parametrisation="ntk", scale=1.5)
    found = kernels(network, INPUTS, INPUTS)
    own = tangent_kernel(stack(network, 1), INPUTS[None])
    np.testing.assert_allclose(own, found.ntk, rtol=1e-12)
    np.testing.assert_allclose(found.ntk, 2.25 * INPUTS @ INPUTS.T / 6 + 0.01, rtol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "erf", "identity", "leaky_relu", "sin", "cos"])
@pytest.mark.parametrize("parametrisation", ["ntk", "standard"])
def test_wide_networks_come_close(activation: str, parametrisation: str) -> None:
    """The mean over 12 starts is within four of its standard errors, and O(1 / width) of bias.

    Uniform weights on 64 inputs are nearly normal: the excess kurtosis of their sums is -1.2 / 64.
    """
    seeds, width = 12, 512
    inputs = torch.randn(5, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    scale = 1.4 if parametrisation == "ntk" else 1.0
    network = mlp(
        (64,), 2, hidden=[width], activation=activation, parametrisation=parametrisation, scale=scale
    )
    runs = stack(network, seeds)
    each = torch.stack([tangent_kernel(runs.select([seed]), inputs[None]) for seed in range(seeds)])
    found = kernels(network, inputs, inputs)
    error = each.std(0) / math.sqrt(seeds)
    bias = 4 / width * found.ntk.abs().max()
    assert ((each.mean(0) - found.ntk).abs() <= 4 * error + bias).all()
    outputs = runs.outputs(inputs.expand(seeds, -1, -1))
    # An output is normal with the NNGP kernel: the mean of n products has variance (k_xx k_yy + k_xy^2) / n.
    draws = seeds * 2
    products = torch.einsum("sci,scj->ij", outputs, outputs) / draws
    spread = ((found.nngp.diag()[:, None] * found.nngp.diag()[None] + found.nngp**2) / draws).sqrt()
    assert ((products - found.nngp).abs() <= 4 * spread + 4 / width).all()


def test_the_kernel_of_other_networks_is_not_known() -> None:
    for network in (mlp((6,), 2, norm="layer"), cnn((1, 4, 4), 2), mlp((6,), 2, activation="tanh")):
        with pytest.raises(Problem, match="infinite width"):
            kernels(network, INPUTS, INPUTS)
