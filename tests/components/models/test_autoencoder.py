"""The autoencoder: torch.nn, tied weights, and principal components where all is linear."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.datasets.reconstruction import reconstruction
from gendsl_runtime.length import Length
from gendsl_runtime.models.autoencoder import autoencoder
from gendsl_runtime.problem import Problem
from gendsl_runtime.train import build
from gendsl_runtime.train.loop import fit
from tests.runtime.members import component, member


def test_it_agrees_with_torch() -> None:
    network = autoencoder((2, 3), 6, hidden=[5, 4], bottleneck=2, activation="tanh")
    parameters = network.init([1]).parameters
    module = nn.Sequential(
        *(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)),
        *(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 6)),
    )
    with torch.no_grad():
        for value, given in zip(module.parameters(), parameters.values(), strict=True):
            value.copy_(given[0])
    inputs = torch.randn(1, 9, 2, 3)
    outputs, _ = network.apply(parameters, {}, inputs, training=False)
    torch.testing.assert_close(outputs[0].T, module(inputs[0].flatten(1)))


def test_tied_weights_are_transposed() -> None:
    network = autoencoder((6,), 6, hidden=[5], bottleneck=2, tied=True)
    parameters = {name: value.requires_grad_() for name, value in network.init([1, 2]).parameters.items()}
    assert not any(name.startswith("decoder") and name.endswith("weight") for name in parameters)
    inputs = torch.randn(2, 4, 6)
    outputs, _ = network.apply(parameters, {}, inputs, training=False)
    first, second, back, last = (
        {part: parameters.get(f"{name}.{part}") for part in ("weight", "bias")}
        for name in ("encoder.0", "encoder.1", "decoder.0", "decoder.1")
    )
    for one in range(2):
        code = torch.relu(inputs[one] @ first["weight"][one].T + first["bias"][one])
        code = code @ second["weight"][one].T + second["bias"][one]
        seen = torch.relu(code @ second["weight"][one] + back["bias"][one])
        expected = seen @ first["weight"][one] + last["bias"][one]
        torch.testing.assert_close(outputs[one].T, expected)


def test_a_linear_one_finds_the_principal_components() -> None:
    """Baldi and Hornik (1989): the best error is the variance outside the leading components."""
    inputs = torch.randn(40, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [3, 2, 1, 0.5, 0.2]
    )
    data = reconstruction(Dataset({"train": Split(inputs, torch.zeros(40, 1))}, "regression", (5,), 1))
    model = component("model", "autoencoder", hidden=[], bottleneck=2, activation="identity")
    optimizer = component("optimizer", "gd", lr=0.02, momentum=0.9)
    one = member(data, model=model, optimizer=optimizer, batch=None, budget=Length(3000, "steps"))
    found = fit([one], dtype=torch.float64)[0].state
    outputs, _ = build.network(one).apply(found.parameters, {}, inputs.double()[None], training=False)
    centred = inputs.double() - inputs.double().mean(0)
    left = torch.linalg.svdvals(centred)[2:].square().sum()
    error = (outputs[0].T - inputs.double()).square().sum()
    torch.testing.assert_close(error, left, rtol=1e-6, atol=0)


def test_only_what_is_given_back_can_be_tied() -> None:
    with pytest.raises(Problem, match="gives back its 6 inputs"):
        autoencoder((6,), 3, tied=True)
