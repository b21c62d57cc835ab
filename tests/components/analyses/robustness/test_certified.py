"""Certificates against the exact answer: every pattern of activations of a tiny network, by linear programs."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from gendsl_runtime.analyses.prediction.accuracy import accuracy
from gendsl_runtime.analyses.robustness.adversarial import adversarial
from gendsl_runtime.analyses.robustness.certified import certified
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures import certify
from gendsl_runtime.measures.relax import RELAXED, relaxed
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.linear import linear
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs
from gendsl_runtime.train.layers.activation import FUNCTIONS


def exact_margin(weights, offsets, x: np.ndarray, label: int, radius: float) -> float:
    """`min_c min_{|d|_inf <= r} f_y - f_c` of a relu network with one hidden layer: for each pattern of active units
    the network is affine on a polytope."""
    (first, last), (shift, end) = weights, offsets
    best = np.inf
    for pattern in product([0, 1], repeat=len(first)):
        active = np.array(pattern)
        signs = np.where(active, -1.0, 1.0)
        inside = {"A_ub": signs[:, None] * first, "b_ub": -signs * shift}
        slope, constant = (last * active) @ first, (last * active) @ shift + end
        for other in range(len(last)):
            if other != label:
                found = linprog(
                    slope[label] - slope[other],
                    **inside,
                    bounds=[(value - radius, value + radius) for value in x],
                )
                if found.status == 0:
                    best = min(best, found.fun + constant[label] - constant[other])
    return best


def test_relu_network_against_linear_programs(make_runs):
    runs = make_runs(features=2, classes=3, hidden=[5], activation="relu", test=12, seeds=(0, 7), scale=3.0)
    radius = 0.15
    by = {m: certified(runs, radius=[radius], method=m)["margin"][:, 0].numpy() for m in ("ibp", "crown")}
    gaps = []
    for member in range(2):
        state = {name: t[member].double().numpy() for name, t in runs.state.parameters.items()}
        weights = state["hidden.0.weight"], state["output.weight"]
        offsets = state["hidden.0.bias"], state["output.bias"]
        inputs, targets = (part[member].numpy() for part in runs.split("test"))
        for example, (x, label) in enumerate(zip(inputs.astype(float), targets, strict=True)):
            true = exact_margin(weights, offsets, x, int(label), radius)
            gaps.append([true - by[m][member, example] for m in ("ibp", "crown")])
    gaps = np.array(gaps)
    assert gaps.min() > -1e-9, "no bound is above the truth"
    assert np.median(gaps[:, 1]) < 1e-9, "most balls touch no kink that matters: the lines are exact there"
    assert gaps[:, 1].mean() < 0.5 * gaps[:, 0].mean()


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("method", ["ibp", "crown"])
def test_linear_classifiers_are_exact(make_runs, norm, method):
    runs = make_runs(network=linear((3,), 2), classes=2, test=200)
    found = certified(runs, radius=[0.0, 0.1, 0.5], norm=norm, method=method)
    np.testing.assert_array_equal(found["accuracy"][:, 0], accuracy(runs, on="test")["accuracy"])
    attacked = adversarial(runs, radius=[0.1, 0.5], norm=norm, attack="fgsm")["accuracy"]
    np.testing.assert_allclose(found["accuracy"][:, 1:], attacked, atol=1e-12)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "erf"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_no_point_of_the_ball_is_below_the_bound(make_runs, activation, norm):
    runs = make_runs(hidden=[6, 5], activation=activation, test=20, dtype=torch.float64, scale=3.0)
    chance = np.random.default_rng(0)
    inputs, targets = runs.split("test")
    for radius in (0.05, 0.4):
        bounds = {
            m: certified(runs, radius=[radius], norm=norm, method=m)["margin"][:, 0] for m in ("ibp", "crown")
        }
        assert (bounds["crown"] >= bounds["ibp"] - 1e-9).all()
        assert bounds["crown"].mean() > bounds["ibp"].mean() + 0.01
        for _ in range(200):
            change = torch.from_numpy(chance.uniform(-1, 1, inputs.shape))
            if norm == "l2":
                change = change / change.norm(dim=2, keepdim=True)
            outputs = runs.outputs(inputs + radius * change)
            place = targets.unsqueeze(1)
            margin = outputs.gather(1, place)[:, 0] - outputs.scatter(1, place, -torch.inf).amax(1)
            for bound in bounds.values():
                assert (margin >= bound - 1e-9).all()


@pytest.mark.parametrize("name", RELAXED)
def test_lines_hold_the_activation(name):
    chance = np.random.default_rng(3)
    ends = np.sort(chance.normal(0, 2, (2000, 2)), axis=1)
    low, high = (torch.from_numpy(column)[:, None] for column in ends.T)
    lines = relaxed(name, low, high)
    x = low + (high - low) * torch.linspace(0, 1, 101, dtype=torch.float64)
    y = FUNCTIONS[name](x)
    assert (lines.low_slope * x + lines.low_offset <= y + 1e-12).all()
    assert (lines.high_slope * x + lines.high_offset >= y - 1e-12).all()


def test_a_convolution_is_the_matrix_that_it_acts_as(make_runs):
    network = cnn((1, 6, 6), 3, channels=[2, 3], pool="average")
    state = network.init([0, 4]).to("cpu", torch.float64)
    images = torch.randn(2, 5, 1, 6, 6, dtype=torch.float64)
    split = Split(images[0].float(), torch.zeros(5, dtype=torch.int64))
    data = Dataset({"train": split, "test": split}, "classification", (1, 6, 6), 3)
    runs = Runs(network, state, (data, data), (0, 4), lambda o, t: o.sum(1))
    outputs = runs.outputs(images)
    for member in range(2):
        found = certify.chain(runs.select([member]))
        values = images[member].flatten(1)
        for place, (weight, offset) in enumerate(found.maps):
            values = values @ weight.T + offset
            if place < len(found.activations):
                values = FUNCTIONS[found.activations[place]](values)
        torch.testing.assert_close(values, outputs[member].T, atol=1e-12, rtol=1e-12)


def test_networks_without_a_rule_are_refused(make_runs):
    with pytest.raises(Problem, match="cannot be bounded"):
        certified(make_runs(hidden=[3, 3], skip=True))


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "tanh", "erf"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_ball_of_one_point_is_the_network_itself(make_runs, activation, norm):
    """Intervals as narrow as rounding, whose ends may come in either order, hold no wild lines."""
    runs = make_runs(hidden=[6, 5, 4], activation=activation, test=20, dtype=torch.float64, scale=2.0)
    inputs, targets = runs.split("test")
    outputs, place = runs.outputs(inputs), targets.unsqueeze(1)
    margin = outputs.gather(1, place)[:, 0] - outputs.scatter(1, place, -torch.inf).amax(1)
    for radius in (0.0, 1e-15):
        for method in ("ibp", "crown"):
            found = certified(runs, radius=[radius], norm=norm, method=method)["margin"][:, 0]
            torch.testing.assert_close(found, margin, atol=1e-11, rtol=0)
