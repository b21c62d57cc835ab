"""Against a loop over points with a network of its own at each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.landscape.interpolation import interpolation
from gendsl_runtime.measures.points import heights
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem


def between(one, other, t):
    """The network at a place of the line, in float64."""
    return {
        name: (1 - t) * value.double() + t * other.state.parameters[name].double()
        for name, value in one.state.parameters.items()
    }


@pytest.mark.parametrize("on", ["train", "test"])
def test_losses_of_a_loop_over_points(make_runs, on):
    runs, other = make_runs((0, 1), train=600), make_runs((5, 6), train=600)
    found = interpolation(runs, other=other, on=on, points=7, low=-0.5, high=1.5)
    assert found["position"] == pytest.approx(np.linspace(-0.5, 1.5, 7))
    for place, t in enumerate(found["position"]):
        mixed = {name: value.float() for name, value in between(runs, other, float(t)).items()}
        moved = replace(runs, state=State(mixed, runs.state.buffers))
        # One rounding of each weight apart.
        assert found["loss"][:, place] == pytest.approx(moved.mean_loss(on).numpy(), rel=1e-6)
        assert found["error"][:, place] == pytest.approx(moved.error(on).numpy(), abs=2 / 600)


def test_the_ends_are_the_networks_themselves(make_runs):
    runs, other = make_runs((0, 1)), make_runs((5, 6))
    found = interpolation(runs, other=other, points=3)
    assert (found["loss"][:, 0] == runs.mean_loss("train").numpy()).all()
    swapped = replace(runs, state=other.state)
    assert (found["loss"][:, 2] == swapped.mean_loss("train").numpy()).all()


def test_statistics_are_those_of_the_network_there(make_runs):
    network = mlp((3,), 3, hidden=[6], norm="batch")
    runs, other = (make_runs(seeds, network=network, dtype=torch.float64) for seeds in ((0,), (1,)))
    own = interpolation(runs, other=other, points=3, statistics="own")
    found = interpolation(runs, other=other, points=3)
    assert own["loss"][0, [0, 2]] == pytest.approx(found["loss"][0, [0, 2]], rel=1e-15)
    assert own["loss"][0, 1] != pytest.approx(found["loss"][0, 1], rel=1e-3)
    mixed = between(runs, other, 0.5)
    x, y = runs.split("train")
    z = x[0] @ mixed["hidden.0.weight"][0].T + mixed["hidden.0.bias"][0]
    z = (z - z.mean(0)) / (z.var(0) + 1e-5).sqrt()
    h = torch.relu(z * mixed["hidden.0.norm.weight"][0] + mixed["hidden.0.norm.bias"][0])
    loss = torch.nn.functional.cross_entropy(h @ mixed["output.weight"][0].T + mixed["output.bias"][0], y[0])
    assert found["loss"][0, 1] == pytest.approx(float(loss), rel=1e-12)


def test_points_have_the_same_bits_in_any_company(make_runs):
    runs = make_runs((0,), train=700, hidden=[7])
    other = make_runs((1,), train=700, hidden=[7])
    table = np.stack([1 - np.linspace(0, 1, 300), np.linspace(0, 1, 300)], axis=1)
    terms = (runs.state, other.state)
    whole = heights(runs, terms, table, on="train").loss
    for rows in ([3], [299, 0], list(range(100, 280))):
        assert (heights(runs, terms, table[rows], on="train").loss == whole[rows]).all()


def test_other_architectures_are_refused(make_runs):
    with pytest.raises(Problem, match="compares runs of one architecture"):
        interpolation(make_runs(), other=make_runs(hidden=[4, 4]))
