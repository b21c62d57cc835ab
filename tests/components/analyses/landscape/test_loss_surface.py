"""Directions by their norms, heights by a loop over points, and the scale that must not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.landscape.loss_surface import loss_surface
from gendsl_runtime.measures.planes import cosine, direction
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import State
from gendsl_runtime.random import generator
from tests.components.analyses.landscape.pictures import images


def drawn(runs, member=0, **options):
    stream = generator("loss_surface", runs.seeds[member])
    own = runs.select([member]).state.parameters
    given = {"normalised": "filter", "biases": "ignored", **options}
    return [direction(own, stream, **given) for _ in range(2)]


@pytest.mark.parametrize(
    "network", [mlp((3,), 3, hidden=[5, 4], norm="layer"), cnn((1, 8, 8), 3, norm="batch")]
)
def test_norms_of_filters(network):
    state = network.init([4])
    own = state.parameters
    for normalised, biases in (("filter", "ignored"), ("filter", "included"), ("layer", "included")):
        found = direction(own, np.random.default_rng(0), normalised=normalised, biases=biases)
        for name, value in own.items():
            if value.ndim == 2:
                assert (name in found) == (biases == "included")
                continue
            bias = name.replace("weight", "bias")
            rows = [[one[name][0].flatten(1)] for one in (own, found)]
            for parts, one in zip(rows, (own, found), strict=True):
                parts += [one[bias][0][:, None]] if biases == "included" and bias in own else []
            norms = [torch.cat(parts, dim=1).double().norm(dim=1) for parts in rows]
            if normalised == "layer":
                norms = [value.norm() for value in norms]
            assert torch.allclose(*norms, rtol=1e-6)
        for name in found:
            if "norm" in name:
                assert float(found[name].norm()) == pytest.approx(float(own[name].norm()), rel=1e-6)


def test_a_bias_keeps_its_chance():
    """Scaled to its own length, a single bias would be the network's own up to its sign."""
    own = mlp((3,), 3, hidden=[50]).init([4]).parameters
    found = direction(own, np.random.default_rng(0), normalised="filter", biases="included")
    ratio = (found["hidden.0.bias"] / own["hidden.0.bias"]).abs()
    assert float(ratio.std()) > 0.3


def test_heights_of_a_loop_over_points(make_runs):
    runs = make_runs((0, 1), train=600, hidden=[6])
    found = loss_surface(runs, points=5, reach=0.7)
    assert list(found["x"]) == list(np.linspace(-0.7, 0.7, 5))
    for member in range(2):
        first, second = drawn(runs, member)
        one = runs.select([member])
        for i, x in enumerate(found["x"]):
            for j, y in enumerate(found["y"]):
                moved = dict(one.state.parameters)
                for name in first:
                    moved[name] = (
                        moved[name].double() + x * first[name].double() + y * second[name].double()
                    ).float()
                at = replace(one, state=State(moved, one.state.buffers))
                # One rounding of each weight apart.
                assert found["loss"][member, i, j] == pytest.approx(float(at.mean_loss("train")), rel=2e-6)
                assert found["error"][member, i, j] == pytest.approx(float(at.error("train")), abs=2 / 600)
        assert found["cosine"][member] == pytest.approx(cosine(first, second))
        assert found["loss"][member, 2, 2] == float(one.mean_loss("train"))


def test_convolutions_go_the_plain_way():
    runs = images(cnn((1, 8, 8), 3, channels=[4]), train=20)
    found = loss_surface(runs, points=3)
    assert found["loss"][:, 1, 1] == pytest.approx(runs.mean_loss("train").numpy(), rel=1e-15)


def test_rescaled_layers_have_the_same_surface_where_directions_are_normalised(make_runs):
    """A ReLU network without biases, one layer 8 times as large and the next 1/8: the same function, exactly."""
    network = mlp((3,), 3, hidden=[6], activation="relu", bias=False)
    runs = make_runs((0,), network=network)
    parameters = dict(runs.state.parameters)
    parameters["hidden.0.weight"] = parameters["hidden.0.weight"] * 8
    parameters["output.weight"] = parameters["output.weight"] / 8
    scaled = replace(runs, state=State(parameters, runs.state.buffers))
    for directions, is_same in (("filter", True), ("layer", True), ("none", False)):
        losses = [loss_surface(one, points=3, directions=directions)["loss"] for one in (runs, scaled)]
        assert np.allclose(*losses, rtol=1e-6) == is_same, directions


def test_statistics_may_be_set_anew():
    runs = images(cnn((1, 8, 8), 3, channels=[4], norm="batch"), train=40)
    own, reset = (loss_surface(runs, points=3, statistics=which)["loss"] for which in ("own", "reset"))
    assert np.isfinite(reset).all() and not np.allclose(own, reset, rtol=1e-3)


def test_a_network_of_zeros_has_no_directions(make_runs):
    runs = make_runs((0,), train=20)
    zeros = {name: torch.zeros_like(value) for name, value in runs.state.parameters.items()}
    found = loss_surface(replace(runs, state=State(zeros, {})), points=3)
    assert np.isnan(found["cosine"]).all()
    np.testing.assert_allclose(found["loss"], found["loss"][0, 1, 1], rtol=0, atol=0)
