"""The residual network: its size, its identity blocks and its statistics."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gendsl_runtime.models.resnet import resnet


class Block(nn.Module):
    """A basic block as torchvision writes it."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), norm(outputs), nn.ReLU()),
            *(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), norm(outputs)),
        )
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), norm(outputs))

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


@pytest.mark.parametrize(
    ("norm", "make"), [("batch", nn.BatchNorm2d), ("group", lambda c: nn.GroupNorm(4, c))]
)
@pytest.mark.parametrize("training", [True, False])
def test_it_agrees_with_torch(norm, make, training) -> None:
    """In float64; the groups of 4 and 8 channels are gcd(8, channels) = 4 and 8, so width 4 has one stage
    here."""
    stages = 2 if norm == "batch" else 1
    network = resnet((3, 8, 8), 5, width=4, stages=stages, norm=norm)
    state = network.init([3]).to("cpu", torch.float64)
    blocks = [Block(4, 4, 1, make)] + ([Block(4, 8, 2, make)] if stages == 2 else [])
    module = nn.Sequential(
        *(nn.Conv2d(3, 4, 3, 1, 1, bias=False), make(4), nn.ReLU(), *blocks),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * stages, 5)),
    ).double()
    assert sum(v.numel() for v in module.parameters()) == sum(v.numel() for v in state.parameters.values())
    with torch.no_grad():
        for value, given in zip(module.parameters(), state.parameters.values(), strict=True):
            value.copy_(given[0])
    module.train(training)
    inputs = torch.randn(1, 6, 3, 8, 8, dtype=torch.float64)
    outputs, buffers = network.apply(state.parameters, state.buffers, inputs, training=training)
    torch.testing.assert_close(outputs[0].T, module(inputs[0]), rtol=1e-10, atol=1e-12)
    running = [value for name, value in module.named_buffers() if "running" in name]
    for mine, theirs in zip(buffers.values(), running, strict=True):
        torch.testing.assert_close(mine[0], theirs)


def test_the_given_buffers_are_left_alone() -> None:
    network = resnet((1, 6, 6), 2, width=4, stages=1, norm="batch")
    state = network.init([0])
    before = {name: value.clone() for name, value in state.buffers.items()}
    network.apply(state.parameters, state.buffers, torch.randn(1, 5, 1, 6, 6), training=True)
    assert all(torch.equal(value, before[name]) for name, value in state.buffers.items())
