"""Input margins of linear networks in closed form, and of others by explicit gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.complexity.input_margins import input_margins
from gendsl_runtime.models.linear import linear

DUAL = {"l2": 2, "linf": 1, "l1": np.inf}


@pytest.mark.parametrize("norm", DUAL)
def test_the_distance_to_the_boundary_of_a_linear_network(make_runs, norm):
    runs = make_runs(network=linear((3,), 4), classes=4, dtype=torch.float64)
    given = input_margins(runs, norm=norm)
    for member in range(3):
        weight = runs.state.parameters["output.weight"][member].numpy()
        inputs, labels = (part[member].numpy() for part in runs.split("train"))
        outputs = inputs @ weight.T + runs.state.parameters["output.bias"][member].numpy()
        for place, label in enumerate(labels):
            ratios = [
                (outputs[place, label] - outputs[place, c])
                / np.linalg.norm(weight[label] - weight[c], DUAL[norm])
                for c in range(4)
                if c != label
            ]
            np.testing.assert_allclose(given["input_margin"][member, place], min(ratios), rtol=1e-12)
    np.testing.assert_allclose(given["median"], np.median(given["input_margin"], axis=1))


def test_gradients_of_other_networks(make_runs):
    runs = make_runs(classes=3, hidden=[7, 5], dtype=torch.float64, train=530)
    inputs, labels = runs.split("train")
    given = input_margins(runs)["input_margin"]
    for place in (0, 11, 529):
        gradient = torch.func.jacrev(lambda x: runs.select([1]).outputs(x[None, None])[0, :, 0])(
            inputs[1, place]
        )
        outputs = runs.outputs(inputs)[1, :, place]
        label = int(labels[1, place])
        ratios = [
            (outputs[label] - outputs[c]) / (gradient[label] - gradient[c]).norm()
            for c in range(3)
            if c != label
        ]
        np.testing.assert_allclose(given[1, place], float(min(ratios)), rtol=1e-10)


def test_what_changes_nothing_and_what_does(make_runs):
    runs = make_runs(activation="relu")
    before = input_margins(runs)["input_margin"]
    for name in ("output.weight", "output.bias"):
        runs.state.parameters[name].mul_(4)
    np.testing.assert_allclose(input_margins(runs)["input_margin"], before, rtol=1e-5, atol=1e-7)
    for data in runs.data:
        data.split("train").inputs.mul_(2)
    runs.state.parameters["hidden.0.weight"].div_(2)
    runs._splits.clear()
    np.testing.assert_allclose(input_margins(runs)["input_margin"], 2 * before, rtol=1e-5, atol=1e-7)


def test_constant_outputs_have_no_nan(make_runs):
    runs = make_runs()
    runs.state.parameters["output.weight"].zero_()
    runs.state.parameters["output.bias"].copy_(torch.tensor([1.0, 0.0, -1.0]))
    given = input_margins(runs)["input_margin"]
    assert np.isinf(given).all()
    assert np.isnan(input_margins(runs)["mean"]).all()
    assert (input_margins(runs)["finite"] == 0).all()
    assert ((given > 0) == (runs.split("train")[1].numpy() == 0)).all()
    runs.state.parameters["output.bias"].zero_()
    assert (input_margins(runs)["input_margin"] == 0).all()
