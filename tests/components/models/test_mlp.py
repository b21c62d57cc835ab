"""The multilayer perceptron: torch.nn in the standard parametrisation, the kernel limit in the other."""

from __future__ import annotations

import torch
from torch import nn

from gendsl_runtime.models.mlp import mlp


def test_it_agrees_with_torch() -> None:
    network = mlp((3,), 2, hidden=[5, 4], activation="tanh")
    parameters = network.init([1]).parameters
    module = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2))
    with torch.no_grad():
        for value, given in zip(module.parameters(), parameters.values(), strict=True):
            value.copy_(given[0])
    inputs = torch.randn(1, 9, 3)
    outputs, _ = network.apply(parameters, {}, inputs, training=False)
    torch.testing.assert_close(outputs[0].T, module(inputs[0]))


def test_scale_multiplies_the_weights() -> None:
    small, large = (mlp((3,), 2, hidden=[5], scale=scale).init([0]).parameters for scale in (1.0, 3.0))
    torch.testing.assert_close(small["hidden.0.weight"] * 3, large["hidden.0.weight"])
    assert torch.equal(small["hidden.0.bias"], large["hidden.0.bias"])


def test_the_tangent_parametrisation_has_the_closed_form_covariance() -> None:
    """One erf layer without offsets: over many members the outputs have Williams' (1997) arcsine kernel.

    `E f(x) f(y) = 2/pi asin(2 x.y/d / sqrt((1 + 2 x.x/d)(1 + 2 y.y/d)))`, here with the standard error of a
    mean of 2,000 products.
    """
    network = mlp((4,), 1, hidden=[64], activation="erf", bias=False, parametrisation="ntk")
    state = network.init(range(2000))
    x, y = torch.tensor([[1.0, -0.5, 2.0, 0.3], [0.2, 1.0, 1.5, -1.0]])
    inputs = torch.stack([x, y]).expand(2000, 2, 4)
    outputs, _ = network.apply(state.parameters, {}, inputs, training=False)
    products = outputs[:, 0, 0] * outputs[:, 0, 1]
    inner, left, right = x @ y / 4, x @ x / 4, y @ y / 4
    expected = 2 / torch.pi * torch.asin(2 * inner / ((1 + 2 * left) * (1 + 2 * right)).sqrt())
    assert abs(products.mean() - expected) < 4 * products.std() / 2000**0.5


def test_no_hidden_layer_is_a_linear_model() -> None:
    assert set(mlp((3,), 2, hidden=[]).init([0]).parameters) == {"output.weight", "output.bias"}
