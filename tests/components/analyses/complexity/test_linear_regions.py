"""Linear regions against a fine grid and networks whose kinks are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.complexity.linear_regions import kinks, linear_regions
from gendsl_runtime.measures.dense import Dense, dense_layers
from gendsl_runtime.problem import Problem


def patterns(network, points):
    """Signs of all units' inputs at points `(features, n)`."""
    signs = []
    for layer in network[:-1]:
        inputs = layer.weight @ points + layer.bias[:, None]
        signs.append(inputs > 0)
        slope = {"relu": 0.0, "leaky_relu": 0.01}[layer.activation]
        points = np.where(inputs > 0, inputs, slope * inputs)
    return np.concatenate(signs)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_kinks_are_where_a_grid_sees_signs_change(make_runs, activation):
    runs = make_runs(features=3, hidden=[20, 15], activation=activation)
    inputs = runs.split("train")[0].double().numpy()
    for member, network in enumerate(dense_layers(runs, measure="linear_regions")):
        start, end = inputs[member, :2]
        grid = np.linspace(0, 1, 200_001)
        signs = patterns(network, start[:, None] * (1 - grid) + end[:, None] * grid)
        changes = np.flatnonzero((signs[:, 1:] != signs[:, :-1]).any(0))
        found = kinks(network, start, end)
        assert len(found) == len(changes) > 3
        assert np.all(np.abs(found - grid[changes] - 2.5e-6) <= 2.6e-6)


def test_a_sawtooth_has_the_kinks_it_is_made_of():
    """Telgarsky's tent map, applied three times: 2^3 pieces."""
    tent = [
        Dense(np.array([[2.0], [4.0]]), np.array([0.0, -2.0]), "relu"),
        Dense(np.array([[1.0, -1.0]]), np.zeros(1), "identity"),
    ]
    found = kinks(tent * 3, np.array([0.01]), np.array([0.99]))
    np.testing.assert_allclose(found, (np.arange(1, 8) / 8 - 0.01) / 0.98, rtol=1e-12)


def test_counts_errors_and_density(make_runs):
    runs = make_runs(hidden=[8], activation="relu")
    given = linear_regions(runs, lines=6)
    assert given["regions"].shape == (3, 6)
    np.testing.assert_allclose(given["mean_error"], given["regions"].std(1, ddof=1) / np.sqrt(6), rtol=1e-12)
    values = runs.state.parameters
    for name in ("hidden.0.weight", "hidden.0.bias"):
        values[name].mul_(8)
    values["output.weight"].div_(8)
    np.testing.assert_array_equal(linear_regions(runs, lines=6)["regions"], given["regions"])
    # Inputs twice as long see the same regions on lines twice as long.
    values["hidden.0.weight"].div_(2)
    for data in runs.data:
        data.split("train").inputs.mul_(2)
    runs._splits.clear()
    np.testing.assert_allclose(linear_regions(runs, lines=6)["density"], given["density"] / 2, rtol=1e-12)


def test_a_linear_network_has_one_region(make_runs):
    given = linear_regions(make_runs(activation="identity"))
    assert (given["regions"] == 1).all()
    assert (given["density"] == 0).all()


def test_other_networks_are_refused(make_runs):
    with pytest.raises(Problem, match="`tanh` is nowhere linear"):
        linear_regions(make_runs())
    with pytest.raises(Problem, match="chain of dense layers"):
        linear_regions(make_runs(norm="batch", activation="relu"))


def test_the_chain_is_the_network(make_runs):
    for more in (
        {},
        {"parametrisation": "ntk"},
        {"bias": False},
        {"parametrisation": "mup", "base_width": 2},
    ):
        runs = make_runs(hidden=[6, 4], activation="relu", dtype=torch.float64, **more)
        inputs = runs.split("train")[0]
        for member, network in enumerate(dense_layers(runs, measure="linear_regions")):
            values = inputs[member].numpy().T
            for layer in network:
                values = layer.weight @ values + layer.bias[:, None]
                values = np.maximum(values, 0) if layer.activation == "relu" else values
            np.testing.assert_allclose(values, runs.outputs(inputs)[member], rtol=0, atol=1e-13)
