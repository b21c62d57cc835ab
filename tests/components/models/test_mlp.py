"""The multilayer perceptron: torch.nn in the standard parametrisation, the kernel limit in the other."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.noise import noise


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


@pytest.mark.parametrize(("norm", "make"), [("layer", nn.LayerNorm), ("batch", nn.BatchNorm1d)])
def test_normalised_with_skips_it_agrees_with_torch(norm, make) -> None:
    """In float64; the second hidden layer is as wide as its input and adds it."""
    network = mlp((3,), 2, hidden=[5, 5], norm=norm, skip=True)
    state = network.init([1]).to("cpu", torch.float64)
    first, second = (nn.Sequential(nn.Linear(width, 5), make(5), nn.ReLU()) for width in (3, 5))
    module = nn.ModuleList([first, second, nn.Linear(5, 2)]).double()
    with torch.no_grad():
        for value, given in zip(module.parameters(), state.parameters.values(), strict=True):
            value.copy_(given[0])
    inputs = torch.randn(1, 9, 3, dtype=torch.float64)
    outputs, buffers = network.apply(state.parameters, state.buffers, inputs, training=True)
    hidden = first.double()(inputs[0])
    expected = module[2](hidden + second(hidden))
    torch.testing.assert_close(outputs[0].T, expected, rtol=1e-10, atol=1e-12)
    if norm == "batch":
        torch.testing.assert_close(buffers["hidden.1.norm.running_var"][0], second[1].running_var)


def test_dropout_keeps_the_mean_of_what_the_next_layer_sees() -> None:
    """400 members with one hidden unit each of value 1: the mean of the kept and enlarged has standard error
    sqrt(p / (1 - p) / n)."""
    network = mlp((1,), 1, hidden=[1], activation="identity", dropout=0.3)
    parameters = {name: torch.ones_like(value) for name, value in network.init(range(400)).parameters.items()}
    parameters["hidden.0.bias"], parameters["output.bias"] = torch.zeros(2, 400, 1).unbind(0)
    inputs = torch.ones(400, 10, 1)
    draws = noise(range(400), device="cpu")
    outputs, _ = network.apply(parameters, {}, inputs, training=True, noise=draws)
    assert abs(outputs.mean() - 1) < 4 * (0.3 / 0.7 / 4000) ** 0.5
    still, _ = network.apply(parameters, {}, inputs, training=False)
    assert torch.equal(still, torch.ones(400, 1, 10))
