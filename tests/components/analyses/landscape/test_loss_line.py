"""Heights by a loop over points and rays, a parabola in closed form, and what scaling must not change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.landscape.loss_line import loss_line
from gendsl_runtime.measures.planes import direction
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.network import State
from gendsl_runtime.random import generator
from tests.components.analyses.landscape.pictures import images


def drawn(runs, member: int, count: int):
    stream = generator("loss_line", runs.seeds[member])
    own = runs.select([member]).state.parameters
    return [direction(own, stream, normalised="filter", biases="ignored") for _ in range(count)]


def test_heights_of_a_loop_over_points_and_rays(make_runs):
    runs = make_runs((0, 1), train=300, hidden=[6])
    found = loss_line(runs, points=5, reach=0.7, rays=3)
    assert list(found["x"]) == list(np.linspace(-0.7, 0.7, 5))
    for member in range(2):
        one = runs.select([member])
        ways = drawn(runs, member, 3)
        for place, x in enumerate(found["x"]):
            losses, errors = [], []
            for way in ways:
                moved = dict(one.state.parameters)
                for name in way:
                    moved[name] = (moved[name].double() + x * way[name].double()).float()
                at = replace(one, state=State(moved, one.state.buffers))
                losses.append(float(at.mean_loss("train")))
                errors.append(float(at.error("train")))
            # One rounding of each weight apart.
            assert found["loss"][member, place] == pytest.approx(np.mean(losses), rel=2e-6)
            assert found["error"][member, place] == pytest.approx(np.mean(errors), abs=2 / 300)
            assert found["spread"][member, place] == pytest.approx(np.std(losses, ddof=1), abs=1e-5)
        assert found["loss"][member, 2] == pytest.approx(float(one.mean_loss("train")), rel=1e-15)
        assert found["spread"][member, 2] == pytest.approx(0, abs=1e-15)


def test_more_rays_begin_with_the_same(make_runs):
    """The mean over two lines is twice known: the first alone, and so the second."""
    runs = make_runs((4,), train=50, hidden=[5])
    one, two = (loss_line(runs, points=3, rays=rays) for rays in (1, 2))
    assert np.isnan(one["spread"]).all()
    half = np.abs(two["loss"] - one["loss"])
    np.testing.assert_allclose(two["spread"], np.sqrt(2) * half, rtol=1e-6, atol=1e-12)


def test_rescaled_layers_have_the_same_line(make_runs):
    """A ReLU network without biases, one layer 8 times as large and the next 1/8: the same function, exactly."""
    network = mlp((3,), 3, hidden=[6], activation="relu", bias=False)
    runs = make_runs((0,), network=network)
    parameters = dict(runs.state.parameters)
    parameters["hidden.0.weight"] = parameters["hidden.0.weight"] * 8
    parameters["output.weight"] = parameters["output.weight"] / 8
    scaled = replace(runs, state=State(parameters, runs.state.buffers))
    for directions, is_same in (("filter", True), ("layer", True), ("none", False)):
        losses = [loss_line(one, points=3, directions=directions)["loss"] for one in (runs, scaled)]
        assert np.allclose(*losses, rtol=1e-6) == is_same, directions


def test_statistics_may_be_set_anew():
    runs = images(cnn((1, 8, 8), 3, channels=[4], norm="batch"), train=40)
    own, reset = (loss_line(runs, points=3, statistics=which)["loss"] for which in ("own", "reset"))
    assert np.isfinite(reset).all()
    assert not np.allclose(own, reset, rtol=1e-3)


def test_a_stack_and_its_members_agree_to_the_bit(make_runs):
    runs = make_runs((3, 5, 8), train=60, hidden=[5])
    whole = loss_line(runs, points=5, rays=2)
    for member in range(3):
        one = loss_line(runs.select([member]), points=5, rays=2)
        assert all(np.array_equal(one[name][0], whole[name][member]) for name in ("loss", "error", "spread"))


def test_a_network_of_zeros_stays_where_it_is(make_runs):
    runs = make_runs((0,), train=20)
    zeros = {name: torch.zeros_like(value) for name, value in runs.state.parameters.items()}
    found = loss_line(replace(runs, state=State(zeros, {})), points=3)
    np.testing.assert_allclose(found["loss"], found["loss"][0, 1], rtol=0, atol=0)
