"""Against a loop over points with a network of its own at each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.landscape.interpolation import interpolation
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.losses.cross_entropy import cross_entropy
from gendsl_runtime.measures.points import evenly, heights
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import State
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs


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


@pytest.mark.parametrize(("low", "high", "points"), [(-0.1, 1.1, 13), (-0.2, 1.2, 29), (-0.3, 1.3, 33)])
def test_both_runs_lie_on_grids_that_only_rounding_keeps_them_from(low, high, points):
    places = evenly(low, high, points)
    assert {0.0, 1.0} <= set(places)
    np.testing.assert_allclose(places, np.linspace(low, high, points), rtol=0, atol=1e-15)
    assert not {0.0, 1.0} & set(evenly(-0.2, 1.2, 25))


def test_a_labelling_has_an_error_on_the_way():
    """As of the runs themselves: an example is wrong where any place that is asked about is."""
    stream = torch.Generator().manual_seed(0)
    labels = torch.randint(-1, 3, (9, 5), generator=stream)
    data = Dataset({"train": Split(torch.randn(9, 5, generator=stream), labels)}, "labelling", (5,), 3)
    values = {"w": torch.randn(2, 3, 5, generator=stream)}

    class PlaceByPlace:
        shape, outputs = (5,), 3

        def apply(self, parameters, buffers, inputs, *, training):
            return (parameters["w"][:, :, :, None] * inputs.transpose(1, 2)[:, None]), {}

    runs = Runs(
        PlaceByPlace(),
        State(values, {}),
        (data,) * 2,
        (0, 1),
        lambda outputs, targets: cross_entropy(outputs, targets, label_smoothing=None),
    )
    given = interpolation(runs.select([0]), other=runs.select([1]), points=2)
    np.testing.assert_array_equal(given["error"][0], runs.error("train").numpy())
    assert not np.isnan(given["error"]).any()
