"""The spectral margin bound, by hand on a small network."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from gendsl_runtime.analyses.bounds.spectral_bound import spectral_bound
from gendsl_runtime.data import Dataset, Split
from gendsl_runtime.measures.uniform import GRID, layer_norms, rounded
from gendsl_runtime.models.cnn import cnn
from gendsl_runtime.models.mlp import mlp
from gendsl_runtime.problem import Problem
from gendsl_runtime.runs import Runs

MakeRuns = Callable[..., Runs]


def up(value: float) -> tuple[float, float]:
    k = math.ceil(8 * math.log2(value))
    return 2 ** (k / 8), math.log((math.pi**2 / 3 - 1) * (abs(k) + 1) ** 2)


def test_by_hand(make_runs: MakeRuns) -> None:
    runs = make_runs((0,), train=40, hidden=[5], activation="relu")
    found = spectral_bound(runs, margin=0.25)
    v = {name: value[0].double().numpy() for name, value in runs.state.parameters.items()}
    x, y = runs.data[0].split("train").inputs.double().numpy(), runs.data[0].split("train").targets.numpy()
    f = (
        np.maximum(x @ v["hidden.0.weight"].T + v["hidden.0.bias"], 0) @ v["output.weight"].T
        + v["output.bias"]
    )
    margins = f[np.arange(40), y] - np.where(np.eye(3)[y] > 0, -np.inf, f).max(1)
    product, total, cost = 1.0, 0.0, 0.0
    for name in ("hidden.0", "output"):
        w, b = v[f"{name}.weight"], v[f"{name}.bias"]
        s = np.linalg.norm([[np.linalg.norm(w, 2), np.linalg.norm(b)], [0, 1]], 2)
        rows = np.sqrt((w**2).sum(1) + b**2).sum()
        (s, c1), (rows, c2) = up(s), up(rows)
        product, total, cost = product * s, total + (rows / s) ** (2 / 3), cost + c1 + c2
    data = math.sqrt((x**2).sum() + 40)
    price = math.log((math.pi**2 / 3 - 1) * 17**2)  # 0.25 is 2^(-16/8)
    expected = (
        (margins <= 0.25).mean()
        + 8 / 40**1.5
        + 72 * product * total**1.5 * data * math.sqrt(math.log(2 * 6**2)) * math.log(40) / (0.25 * 40)
        + 3 * math.sqrt((math.log(2 / 0.05) + cost + price) / 80)
    )
    assert found["bound"][0] == pytest.approx(expected, rel=1e-6)
    assert found["is_vacuous"][0] == 1
    assert spectral_bound(runs)["bound"][0] <= found["bound"][0] * 1.2


def test_norms_with_biases_bound_the_matrix_that_hands_a_one_on() -> None:
    """The real matrix of a convolution, written out by its images."""
    network = cnn((1, 4, 4), 3, channels=[2], hidden=[], activation="relu", pool="average")
    x, y = torch.randn(6, 1, 4, 4), torch.arange(6) % 3
    data = Dataset({"train": Split(x, y), "test": Split(x, y)}, "classification", (1, 4, 4), 3)
    runs = Runs(network, network.init([1]), (data,), (1,), torch.nn.functional.cross_entropy)
    first, _ = layer_norms(runs, measure="it")[0]
    weight, bias = (runs.state.parameters[f"conv.0.{part}"][0].double() for part in ("weight", "bias"))
    units = torch.eye(16).double().reshape(16, 1, 4, 4)
    matrix = torch.nn.functional.conv2d(units, weight, padding=1).flatten(1).T
    whole = torch.zeros(33, 17, dtype=torch.float64)
    whole[:32, :16], whole[:32, 16], whole[32, 16] = matrix, bias.repeat_interleave(16), 1
    assert float(torch.linalg.matrix_norm(whole, 2)) <= first.spectral * (1 + 1e-9)
    assert first.rows == pytest.approx(float(whole[:32].norm(dim=1).sum()), rel=1e-9)
    assert first.frobenius == pytest.approx(float(whole.norm()), rel=1e-9)


def test_rounding_is_to_the_worse_side() -> None:
    for value in (1e-3, 0.7, 1.0, 5.3):
        (high, _), (low, _) = rounded(value, up=True), rounded(value, up=False)
        assert low * (1 - 1e-12) <= value <= high * (1 + 1e-12)
        assert high / low <= GRID * (1 + 1e-12)


def test_costs_are_those_of_a_distribution() -> None:
    """`sum exp(-cost) = 1`; the tail beyond 200,000 powers is below 1e-5."""
    powers = np.arange(-200_000, 200_001)
    assert (1 / ((math.pi**2 / 3 - 1) * (np.abs(powers) + 1.0) ** 2)).sum() == pytest.approx(1, abs=1e-5)


def test_what_has_no_proof_is_refused(make_runs: MakeRuns) -> None:
    for network in (mlp((3,), 3, hidden=[4], norm="layer"), mlp((3,), 3, hidden=[4], activation="cos")):
        runs = make_runs((0,), network=network)
        with pytest.raises(Problem, match="no proof"):
            spectral_bound(replace(runs))
