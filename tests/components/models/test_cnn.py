"""The small convolutional network against torch.nn."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.problem import Problem


@pytest.mark.parametrize("depth", [1, 3])
def test_it_agrees_with_torch(depth) -> None:
    network = cnn((depth, 9, 8), 4, channels=[3, 5], hidden=[7])
    parameters = network.init([1]).parameters
    module = nn.Sequential(
        *(nn.Conv2d(depth, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(20, 7), nn.ReLU(), nn.Linear(7, 4)),
    )
    with torch.no_grad():
        for value, given in zip(module.parameters(), parameters.values(), strict=True):
            value.copy_(given[0])
    inputs = torch.randn(1, 6, depth, 9, 8)
    outputs, _ = network.apply(parameters, {}, inputs, training=False)
    torch.testing.assert_close(outputs[0].T, module(inputs[0]))


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_kernels_of_any_size_fit(size) -> None:
    network = cnn((1, 8, 8), 3, size=size, pool="average")
    outputs, _ = network.apply(
        network.init([0, 1]).parameters, {}, torch.randn(2, 5, 1, 8, 8), training=False
    )
    assert outputs.shape == (2, 3, 5)


def test_an_image_that_is_too_small_is_a_problem() -> None:
    with pytest.raises(Problem, match="cannot be halved 2 times"):
        cnn((1, 3, 8), 2)


def test_normalised_it_agrees_with_torch() -> None:
    """In float64, in training; 6 channels have gcd(8, 6) = 2 groups."""
    network = cnn((1, 6, 6), 4, channels=[6], hidden=[], norm="group")
    parameters = network.init([1]).to("cpu", torch.float64).parameters
    module = nn.Sequential(
        *(nn.Conv2d(1, 6, 3, padding=1), nn.GroupNorm(2, 6), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(54, 4)),
    ).double()
    with torch.no_grad():
        for value, given in zip(module.parameters(), parameters.values(), strict=True):
            value.copy_(given[0])
    inputs = torch.randn(1, 6, 1, 6, 6, dtype=torch.float64)
    outputs, _ = network.apply(parameters, {}, inputs, training=True)
    torch.testing.assert_close(outputs[0].T, module(inputs[0]), rtol=1e-10, atol=1e-12)
