"""The deep linear network is the product of its matrices."""

from __future__ import annotations

import torch

from gendsl_runtime.models.deep_linear import deep_linear


def test_it_is_a_product_of_matrices() -> None:
    network = deep_linear((6,), 3, width=5, depth=4)
    parameters = network.init([2]).parameters
    product = torch.eye(6)
    for layer in range(4):
        product = parameters[f"layer.{layer}.weight"][0] @ product
    inputs = torch.randn(1, 7, 6)
    outputs, _ = network.apply(parameters, {}, inputs, training=False)
    torch.testing.assert_close(outputs[0], product @ inputs[0].T)


def test_depth_one_is_linear() -> None:
    assert {
        name: tuple(v.shape) for name, v in deep_linear((6,), 3, depth=1).init([0]).parameters.items()
    } == {"layer.0.weight": (1, 3, 6)}


def test_the_size_of_a_signal_is_kept() -> None:
    """E |f|^2 / width = |x|^2 / inputs; 200 members of width 64 leave a standard error below 5 %."""
    network = deep_linear((64,), 64, width=64, depth=3)
    inputs = torch.randn(1, 1, 64).expand(200, 1, 64)
    outputs, _ = network.apply(network.init(range(200)).parameters, {}, inputs, training=False)
    assert abs(outputs.square().mean() / inputs[0].square().mean() - 1) < 0.2
