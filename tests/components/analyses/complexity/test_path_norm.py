"""The path norm against a sum over every path."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gendsl_runtime.analyses.complexity.path_norm import path_norm
from gendsl_runtime.models.autoencoder import autoencoder
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.problem import Problem


def test_it_is_the_sum_over_all_paths(make_runs):
    runs = make_runs(hidden=[4, 2])
    given = path_norm(runs)["path_norm"]
    layers = [
        tensor.numpy().astype(float)
        for name, tensor in runs.state.parameters.items()
        if name.endswith("weight")
    ]
    for member in range(runs.members):
        first, second, third = (layer[member] for layer in layers)
        total = sum(
            (first[b, a] * second[c, b] * third[d, c]) ** 2
            for a, b, c, d in itertools.product(range(3), range(4), range(2), range(3))
        )
        np.testing.assert_allclose(given[member], np.sqrt(total), rtol=1e-13)


def test_moving_scale_between_the_layers_of_a_unit_changes_nothing(make_runs):
    runs = make_runs(hidden=[4], activation="relu")
    before = path_norm(runs)["path_norm"]
    runs.state.parameters["hidden.0.weight"][:, 1] *= 4
    runs.state.parameters["output.weight"][:, :, 1] /= 4
    np.testing.assert_allclose(path_norm(runs)["path_norm"], before, rtol=1e-14)


@pytest.mark.parametrize(
    "network",
    [
        cnn((1, 4, 4), 3, channels=[2], hidden=[3]),
        mlp((3,), 3, hidden=[4], norm="layer"),
        mlp((3,), 3, hidden=[4], norm="batch"),
        mlp((3,), 3, hidden=[4, 4], skip=True),
        autoencoder((3,), 3, hidden=[4], bottleneck=2, tied=True),
    ],
)
def test_a_network_that_is_no_chain_is_refused(make_runs, network):
    with pytest.raises(Problem, match="chain of dense layers"):
        path_norm(make_runs(network=network))
