"""Statistics of moved networks against numpy and torch.nn.BatchNorm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.measures.restate import corrections, moments, observed, repaired, restated
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.models.resnet import resnet
from gendsl_runtime.network import State
from gendsl_runtime.train.layers.norm import EPSILON
from tests.components.analyses.landscape.pictures import images


def test_statistics_of_two_layers_by_hand(make_runs):
    network = mlp((3,), 3, hidden=[5, 4], norm="batch", activation="tanh")
    runs = make_runs((0, 1), network=network, train=700, dtype=torch.float64)
    found = restated(runs)
    for member in range(2):
        values = {name: value[member].numpy() for name, value in runs.state.parameters.items()}
        x = runs.split("fit")[0][member].numpy()
        for layer in ("hidden.0", "hidden.1"):
            x = x @ values[f"{layer}.weight"].T + values[f"{layer}.bias"]
            mean, variance = x.mean(0), x.var(0, ddof=1)
            buffers = {
                part: found.state.buffers[f"{layer}.norm.{part}"][member]
                for part in ("running_mean", "running_var")
            }
            assert buffers["running_mean"].numpy() == pytest.approx(mean, rel=1e-10, abs=1e-12)
            assert buffers["running_var"].numpy() == pytest.approx(variance, rel=1e-10)
            x = (x - mean) / np.sqrt(variance + EPSILON)
            x = np.tanh(x * values[f"{layer}.norm.weight"] + values[f"{layer}.norm.bias"])


def test_first_statistics_of_images_are_those_of_torch():
    runs = images(resnet((1, 8, 8), 3, width=4, stages=1, norm="batch"), train=40)
    found = restated(runs).state.buffers
    inputs, _ = runs.split("fit")
    norm = torch.nn.BatchNorm2d(4, momentum=1.0)
    norm(torch.nn.functional.conv2d(inputs[1], runs.state.parameters["stem.weight"][1], padding=1))
    assert torch.allclose(found["stem.norm.running_mean"][1], norm.running_mean, rtol=1e-4, atol=1e-6)
    assert torch.allclose(found["stem.norm.running_var"][1], norm.running_var, rtol=1e-4)


@pytest.mark.parametrize("norm", ["none", "group"])
def test_repaired_units_have_the_statistics_asked_for(norm):
    runs = corrections(images(cnn((1, 8, 8), 3, channels=[4, 4], hidden=[6], norm=norm), train=60))
    other = replace(runs, state=State(runs.network.init([7, 8]).parameters, runs.state.buffers))
    seen = observed(other)
    assert list(seen) == ["conv.0.repair", "conv.1.repair", "hidden.0.repair"]
    targets = {name: (mean, (variance + EPSILON).sqrt()) for name, (mean, variance) in seen.items()}
    made = repaired(runs, targets)
    again = observed(made)
    for name, (mean, deviation) in targets.items():
        own_mean, own_variance = again[name]
        scale, shift = (made.state.buffers[f"{name}.{part}"].double() for part in ("scale", "shift"))
        assert torch.allclose(scale * own_mean + shift, mean, atol=1e-5)
        # The variance asked for is that with EPSILON added, of the unit's own with EPSILON added.
        assert torch.allclose(scale**2 * (own_variance + EPSILON), deviation**2, rtol=1e-5)


def test_corrections_change_nothing_and_spare_the_output_layer(make_runs):
    runs = make_runs((0, 1), hidden=[5, 4])
    made = corrections(runs)
    inputs, _ = runs.split("test")
    assert torch.equal(made.outputs(inputs), runs.outputs(inputs))
    assert {name.split(".repair")[0] for name in made.state.buffers} == {"hidden.0", "hidden.1"}


def test_moments_do_not_depend_on_blocks():
    values = torch.randn(2, 3, 4, 100, generator=torch.Generator().manual_seed(0))
    mean, variance = moments([values])
    parts = moments(list(torch.split(values, 30, dim=3)))
    flat = values.double().flatten(2)
    assert torch.allclose(mean, flat.mean(2), rtol=1e-12) and torch.allclose(parts[0], mean, rtol=1e-12)
    assert torch.allclose(variance, flat.var(2, unbiased=False), rtol=1e-12)
    assert torch.allclose(parts[1], variance, rtol=1e-12)
