"""The VGG-style network against torch.nn."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gendsl_runtime.models.vgg import vgg
from gendsl_runtime.problem import Problem


def convolutions(inputs: int, widths: list[int], norm: bool) -> list[nn.Module]:
    """A stage as torchvision writes it."""
    layers: list[nn.Module] = []
    for units in widths:
        layers.append(nn.Conv2d(inputs, units, 3, padding=1))
        layers += [nn.BatchNorm2d(units)] if norm else []
        layers.append(nn.ReLU())
        inputs = units
    return [*layers, nn.MaxPool2d(2)]


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_it_agrees_with_torch(norm) -> None:
    """In float64, in training."""
    network = vgg((3, 9, 8), 5, width=4, stages=2, depth=2, hidden=[7], norm=norm)
    state = network.init([3]).to("cpu", torch.float64)
    module = nn.Sequential(
        *convolutions(3, [4, 4], norm == "batch"),
        *convolutions(4, [8, 8], norm == "batch"),
        *(nn.Flatten(), nn.Linear(8 * 2 * 2, 7), nn.ReLU(), nn.Linear(7, 5)),
    ).double()
    with torch.no_grad():
        for value, given in zip(module.parameters(), state.parameters.values(), strict=True):
            value.copy_(given[0])
    inputs = torch.randn(1, 6, 3, 9, 8, dtype=torch.float64)
    outputs, _ = network.apply(state.parameters, state.buffers, inputs, training=True)
    torch.testing.assert_close(outputs[0].T, module(inputs[0]), rtol=1e-10, atol=1e-12)


def test_configuration_b_of_the_paper_has_its_size() -> None:
    """Simonyan and Zisserman (2015), table 2: 133 million parameters on 224 x 224 images with 1000 classes."""
    network = vgg((3, 224, 224), 1000, width=64, stages=5, depth=2, hidden=[4096, 4096], dropout=0.5)
    shapes = [fresh.shape for layer in network.layers for fresh in layer.parameters().values()]
    assert round(sum(torch.Size(shape).numel() for shape in shapes) / 1e6) == 133


def test_dropout_is_drawn_in_the_fully_connected_layers_alone() -> None:
    assert vgg((1, 8, 8), 2, dropout=0.5).is_noisy
    assert not vgg((1, 8, 8), 2).is_noisy


def test_an_image_that_is_too_small_is_a_problem() -> None:
    with pytest.raises(Problem, match="cannot be halved 3 times"):
        vgg((1, 7, 8), 2)
