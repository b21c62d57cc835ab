"""The bound by Frobenius norms, by hand; and its complexity against functions that are tried."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.bounds.rademacher_bound import rademacher_bound
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

MakeRuns = Callable[..., Runs]


def test_by_hand(make_runs: MakeRuns) -> None:
    runs = make_runs((0,), train=40, hidden=[5], activation="relu")
    found = rademacher_bound(runs, margin=0.25)
    norms = []
    for name in ("hidden.0", "output"):
        w, b = (runs.state.parameters[f"{name}.{part}"][0].double().numpy() for part in ("weight", "bias"))
        norms.append(math.sqrt((w**2).sum() + (b**2).sum() + 1))
    k = math.ceil(8 * math.log2(norms[0] * norms[1]))
    x = runs.data[0].split("train").inputs.double().numpy()
    r = (math.sqrt(4 * math.log(2)) + 1) * 2 ** (k / 8) * math.sqrt((x**2).sum() + 40) / 40
    assert found["rademacher"][0] == pytest.approx(r, rel=1e-6)
    cost = math.log((math.pi**2 / 3 - 1) * (abs(k) + 1) ** 2) + math.log((math.pi**2 / 3 - 1) * 17**2)
    tail = 4 * 3 * r / 0.25 + 3 * math.sqrt((math.log(40) + cost) / 80)
    assert found["bound"][0] == pytest.approx(found["margin_error"][0] + tail, rel=1e-6)


def test_no_network_tried_correlates_more_with_signs() -> None:
    """The empirical Rademacher complexity is a supremum: 300 random networks of these norms stay below r."""
    chance = np.random.default_rng(0)
    x = np.concatenate([chance.standard_normal((30, 2)), np.ones((30, 1))], 1)
    r = (math.sqrt(4 * math.log(2)) + 1) * math.sqrt((x**2).sum()) / 30
    best = []
    for _ in range(50):
        signs = chance.choice([-1.0, 1.0], 30)
        values = []
        for _ in range(300):
            first, second = chance.standard_normal((6, 3)), chance.standard_normal(6)
            hidden = np.maximum(x @ (first / np.linalg.norm(first)).T, 0)
            values.append(abs(signs @ hidden @ second / np.linalg.norm(second)) / 30)
        best.append(max(values))
    assert np.mean(best) < r


def test_other_activations_are_refused(make_runs: MakeRuns) -> None:
    with pytest.raises(Problem, match="no proof"):
        rademacher_bound(make_runs((0,), activation="tanh"))


def test_max_pooling_is_refused() -> None:
    """Golowich et al. peel a layer row by row, which the largest of several rows does not allow."""
    x, y = torch.randn(6, 1, 4, 4), torch.arange(6) % 3
    data = Dataset({"train": Split(x, y), "test": Split(x, y)}, "classification", (1, 4, 4), 3)
    for pool in ("average", "max"):
        network = cnn((1, 4, 4), 3, channels=[2], hidden=[], activation="relu", pool=pool)
        runs = Runs(network, network.init([1]), (data,), (1,), torch.nn.functional.cross_entropy)
        if pool == "average":
            assert rademacher_bound(runs)["bound"].shape == (1,)
        else:
            with pytest.raises(Problem, match="max pooling"):
                rademacher_bound(runs)
